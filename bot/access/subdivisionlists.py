"""The subdivisions of an entity as a manager sees them: the tree with its numbers of users, as far as it is in scope.

A mixin of `RegisterDirectory`.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, func, select

from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, QUALITIES, SUBDIVISIONS
from bot.access.userlists import UserLists
from bot.access.views import SubdivisionCard

_ENTITY_OF = (
    select(QUALITIES.c.entity_id)
    .join(SUBDIVISIONS, SUBDIVISIONS.c.quality_id == QUALITIES.c.id)
    .where(SUBDIVISIONS.c.closed_at.is_(None))
)


class SubdivisionLists:
    """What `RegisterDirectory` answers about subdivisions."""

    _connection: Connection
    _reach: Reach
    _users: UserLists
    _today: date
    _trees: dict[str, tuple[SubdivisionCard, ...]]

    def branches(self, entity: str) -> tuple[SubdivisionCard, ...]:
        """The open subdivisions of the entity in scope, each below the one it hangs on."""
        if entity not in self._trees:
            self._trees[entity] = self._tree(entity)
        return self._trees[entity]

    def _tree(self, entity: str) -> tuple[SubdivisionCard, ...]:
        seen = self._users.subdivisions(entity, Act.LIST_USERS)
        if not seen:
            return ()
        mine = {each.id for each in self._users.subdivisions(entity, Act.MANAGE_SUBDIVISIONS)}
        ids = [each.id for each in seen]
        facts = select(SUBDIVISIONS.c.id, SUBDIVISIONS.c.version).where(SUBDIVISIONS.c.id.in_(ids))
        versions = {row.id: row.version for row in self._connection.execute(facts)}
        counting = (
            select(ACCOUNTS.c.subdivision_id, func.count().label("n"))
            .where(
                ACCOUNTS.c.subdivision_id.in_(ids),
                ACCOUNTS.c.status != "deleted",
                self._reach.within(entity, Act.LIST_USERS),
            )
            .group_by(ACCOUNTS.c.subdivision_id)
        )
        people = {row.subdivision_id: int(row.n) for row in self._connection.execute(counting)}
        everybody = dict.fromkeys(ids, 0)
        above = {each.id: each.parent for each in seen}
        for each in ids:
            at = each
            while at in everybody:
                everybody[at] += people.get(each, 0)
                at = above[at]
        return tuple(
            SubdivisionCard(
                each.id,
                entity,
                each.quality,
                each.name,
                each.path,
                each.parent,
                each.path.count(" › "),
                versions[each.id],
                people.get(each.id, 0),
                everybody[each.id],
                each.id in mine,
            )
            for each in seen
        )

    def subdivision(self, subdivision: str) -> SubdivisionCard | None:
        """One of them."""
        entity = self._connection.execute(_ENTITY_OF.where(SUBDIVISIONS.c.id == subdivision)).scalar()
        found = self.branches(entity) if entity else ()
        return next((each for each in found if each.id == subdivision), None)

    def roots(self, entity: str) -> tuple[str, ...]:
        """The qualities in which the actor may make a topmost subdivision, or hang one there."""
        held = self._reach.held(entity, Act.MANAGE_SUBDIVISIONS)
        whole = {mandate.quality for mandate in held if mandate.subdivision is None}
        rooms = select(QUALITIES.c.id).where(QUALITIES.c.entity_id == entity).order_by(QUALITIES.c.id)
        ids = self._connection.execute(rooms).scalars() if whole else ()
        return tuple(each for each in ids if None in whole or each in whole)

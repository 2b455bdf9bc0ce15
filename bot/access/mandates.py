"""Mandates as their entity sees them: who manages what there, from when to when, and what of it the actor may change.

A mixin of `RegisterDirectory`, and the few reads that its lists share with the acts (`managing`, `wayin`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, or_, select

from bot.access.names import display_name
from bot.access.offices import CO_LOCAL, OFFICES
from bot.access.reach import Reach
from bot.access.rights import Act, Role, Target, allowed
from bot.access.rows import ACCOUNTS, ITEMS, MANDATES, PROFILES, QUALITIES, SUBDIVISIONS, AnyRow, branch
from bot.access.standing import Session
from bot.access.views import ManagerRef, Post
from bot.access.work import APPOINT, REPLACE

_AS_CO = (
    select(ITEMS.c.id)
    .where(ITEMS.c.object_id == MANDATES.c.id, ITEMS.c.kind.in_((APPOINT, REPLACE)), ITEMS.c.key == CO_LOCAL)
    .exists()
    .label("co")
)
MANDATE = select(
    MANDATES.c.id, MANDATES.c.identity_id, MANDATES.c.role, MANDATES.c.enterprise_id, MANDATES.c.entity_id,
    MANDATES.c.quality_id, MANDATES.c.subdivision_id, MANDATES.c.since, MANDATES.c.until, _AS_CO,
).where(MANDATES.c.revoked_at.is_(None), MANDATES.c.role != Role.USER)  # fmt: skip
"""A mandate that was not ended; how it was appointed is told by the change that did it."""


def office_of(row: AnyRow) -> str:
    """The office of a row of `MANDATE`: its role, told apart where a local manager was appointed beside another."""
    return CO_LOCAL if row.role == Role.LOCAL and row.co else str(row.role)


def place_of(connection: Connection, row: AnyRow, enterprise: str | None) -> Target:
    """What an act on this mandate touches. `enterprise` is the one of its entity."""
    path = branch(connection, row.subdivision_id)
    return Target(row.entity_id, row.quality_id, path, row.enterprise_id or enterprise, row.identity_id)


def reaching(entity: str, enterprise: str | None, today: date) -> Any:
    """The condition that a mandate reaches into the entity and is not over; those to come too."""
    return or_(
        MANDATES.c.entity_id == entity,
        MANDATES.c.entity_id.is_(None) & (MANDATES.c.enterprise_id == enterprise),
    ) & or_(MANDATES.c.until.is_(None), MANDATES.c.until >= today)


class MandateLists:
    """What `RegisterDirectory` answers about managers."""

    _connection: Connection
    _session: Session | None
    _reach: Reach
    _today: date

    def managers(self, entity: str) -> tuple[ManagerRef, ...]:
        """Everybody who manages something in the entity, now or later, from the widest mandate down."""
        if not self._reach.held(entity, Act.READ_ENTITY) or self._session is None:
            return ()
        place = self._reach.entities[entity]
        query = (
            MANDATE.add_columns(
                QUALITIES.c.key.label("quality_key"), SUBDIVISIONS.c.name.label("subdivision"),
                PROFILES.c.last_name, PROFILES.c.first_name, PROFILES.c.id.label("profile"),
                select(func.min(ACCOUNTS.c.id))
                .where(ACCOUNTS.c.profile_id == PROFILES.c.id, ACCOUNTS.c.status != "deleted")
                .scalar_subquery().label("account"),
            )
            .select_from(
                MANDATES.join(QUALITIES, QUALITIES.c.id == MANDATES.c.quality_id, isouter=True)
                .join(SUBDIVISIONS, SUBDIVISIONS.c.id == MANDATES.c.subdivision_id, isouter=True)
                .join(
                    PROFILES,
                    (PROFILES.c.identity_id == MANDATES.c.identity_id)
                    & (PROFILES.c.entity_id == entity) & PROFILES.c.erased_at.is_(None),
                    isouter=True,
                )
            )
            .where(reaching(entity, place.enterprise_id, self._today))
        )  # fmt: skip
        order = {office: at for at, office in enumerate([Role.LEGAL_REPRESENTATIVE.value, *OFFICES])}
        rows = sorted(
            self._connection.execute(query),
            key=lambda row: (order[office_of(row)], row.last_name or "", row.first_name or "", row.id),
        )
        accounts = self._accounts_of({row.profile for row in rows if row.profile})
        return tuple(self._manager(row, entity, place.enterprise_id, accounts) for row in rows)

    def _accounts_of(self, profiles: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """The accounts of these profiles, deleted ones too."""
        found: dict[str, tuple[str, ...]] = {}
        query = select(ACCOUNTS.c.profile_id, ACCOUNTS.c.id).where(ACCOUNTS.c.profile_id.in_(profiles))
        for row in self._connection.execute(query.order_by(ACCOUNTS.c.id)):
            found[row.profile_id] = (*found.get(row.profile_id, ()), row.id)
        return found

    def _manager(
        self, row: AnyRow, entity: str, enterprise: str | None, accounts: Mapping[str, tuple[str, ...]]
    ) -> ManagerRef:
        assert self._session
        office = OFFICES.get(office_of(row))
        changeable = office is not None and allowed(
            self._reach.mandates,
            office.act,
            place_of(self._connection, row, enterprise),
            actor=self._session.identity,
            today=self._today,
        )
        return ManagerRef(
            id=row.id,
            entity=entity,
            office=office_of(row),
            name=display_name(row.last_name, row.first_name) if row.last_name else "",
            account=row.account or "",
            quality=row.quality_id or "",
            quality_key=row.quality_key or "",
            subdivision=row.subdivision_id or "",
            subdivision_name=row.subdivision or "",
            since=row.since,
            until=row.until,
            begun=row.since is None or row.since <= self._today,
            changeable=changeable,
            oneself=row.identity_id == self._session.identity,
            accounts=accounts.get(row.profile, ()),
        )

    def posts(self, entity: str) -> tuple[Post, ...]:
        """The offices that the actor may fill in the entity, at each place."""
        if not self._reach.held(entity, Act.READ_ENTITY):
            return ()
        enterprise = self._reach.entities[entity].enterprise_id
        query = (
            select(QUALITIES.c.id.label("quality"), SUBDIVISIONS.c.id, SUBDIVISIONS.c.name)
            .join(
                SUBDIVISIONS,
                (SUBDIVISIONS.c.quality_id == QUALITIES.c.id) & SUBDIVISIONS.c.closed_at.is_(None),
                isouter=True,
            )
            .where(QUALITIES.c.entity_id == entity, QUALITIES.c.active.is_(True))
            .order_by(QUALITIES.c.key, QUALITIES.c.id, SUBDIVISIONS.c.sort_key, SUBDIVISIONS.c.id)
        )
        parts = self._connection.execute(query).all()
        qualities = list(dict.fromkeys(row.quality for row in parts))
        found: list[Post] = []
        for key, office in OFFICES.items():
            if office.subdivision:
                places: Iterable[Post] = (Post(key, row.quality, row.id, row.name) for row in parts if row.id)
            else:
                places = [Post(key, quality) for quality in qualities] if office.quality else [Post(key)]
            found += [post for post in places if self._may_fill(office.act, entity, enterprise, post)]
        return tuple(found)

    def _may_fill(self, act: Act, entity: str, enterprise: str | None, post: Post) -> bool:
        assert self._session
        path = branch(self._connection, post.subdivision or None)
        target = Target(entity, post.quality or None, path, enterprise)
        return allowed(self._reach.mandates, act, target, actor=self._session.identity, today=self._today)

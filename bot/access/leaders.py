"""Who answers for whom, as lists and cards show it: a collaborator's responsible physicians and pharmacists, and their people.

A link counts as long as its own days say so and the responsible can answer: his account is active, and of the profession
that the function asks for. That is told anew each time, so that nobody has to end the links of somebody who is blocked for
a month. A register file links an assignment with a person; such a link has the assignment's days, and ends with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, literal, or_, select, union_all

from bot.access.catalogue import Catalogue
from bot.access.holdings import is_live, state_of
from bot.access.names import display_name
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, PROFILES, RESPONSIBILITIES, AnyRow
from bot.access.userlists import UserLists
from bot.access.userparts import exercising_part, living_part, profession_part, text_parts
from bot.access.views import LinkRef, Listing, PersonCard, PersonRef, QualityRef

_DAYS = ("id", "account_id", "responsible_id", "function", "starts_on", "ends_on", "revoked_at", "active_at")
LINKED = union_all(
    select(*(RESPONSIBILITIES.c[name] for name in _DAYS), literal(1).label("own")),
    select(*(ASSIGNMENTS.c[name] for name in _DAYS), literal(0).label("own")).where(
        ASSIGNMENTS.c.responsible_id.is_not(None)
    ),
).subquery("linked")
"""Every link: those with days of their own, and those that a register file made with an assignment."""
_LEADER = ACCOUNTS.alias("leader")


def led_functions(catalogue: Catalogue) -> dict[str, str]:
    """The functions that are exercised under somebody's responsibility, and the profession that he must have."""
    return {each.key: each.responsible.value for each in catalogue.functions if each.responsible}


def not_over(today: date) -> ColumnElement[bool]:
    """The condition that a link is not over; those to come are not."""
    return and_(LINKED.c.revoked_at.is_(None), or_(LINKED.c.ends_on.is_(None), LINKED.c.ends_on >= today))


def answered_for(catalogue: Catalogue, today: date) -> Select[Any]:
    """(account, function, responsible) of all links that are not over and whose responsible can answer."""
    fits = [
        and_(LINKED.c.function == function, _LEADER.c.profession == profession)
        for function, profession in led_functions(catalogue).items()
    ]
    return (
        select(LINKED.c.account_id, LINKED.c.function, LINKED.c.responsible_id)
        .join(_LEADER, _LEADER.c.id == LINKED.c.responsible_id)
        .where(not_over(today), _LEADER.c.status == "active", or_(*fits))
    )


class Leaders:
    """What `RegisterDirectory` answers about responsibilities, within the session's scope."""

    _connection: Connection
    _reach: Reach
    _catalogue: Catalogue
    _today: date
    _now: datetime
    _users: UserLists

    if TYPE_CHECKING:

        def person(self, account: str) -> PersonCard | None: ...
        def quality(self, quality: str) -> QualityRef | None: ...

    def links(self, account: str) -> tuple[LinkRef, ...]:
        """The account's links that are not over, from both sides: its responsibles first."""
        card = self.person(account)
        if card is None:
            return ()
        above = self._linked(LINKED.c.account_id == account, LINKED.c.responsible_id)
        below = self._linked(LINKED.c.responsible_id == account, LINKED.c.account_id)
        alone = self._left_alone(account) if below else frozenset()
        mine = (card.ref.status, card.ref.profession)
        return (
            *(self._ref(row, leads=True, leader=(row.status, row.profession or "")) for row in above),
            *(self._ref(row, leads=False, leader=mine, alone=row.id in alone) for row in below),
        )

    def link(self, link: str) -> tuple[str, LinkRef] | None:
        """A link that can be changed, as its collaborator's account has it; with that account."""
        query = select(RESPONSIBILITIES.c.account_id).where(RESPONSIBILITIES.c.id == link)
        account = self._connection.execute(query).scalar()
        found = next((each for each in self.links(account) if each.id == link), None) if account else None
        return (account, found) if account and found and found.leads else None

    def _linked(self, mine: ColumnElement[bool], other: ColumnElement[Any]) -> Sequence[AnyRow]:
        names = ("function", "starts_on", "ends_on", "revoked_at", "active_at", "own")
        query = (
            select(
                LINKED.c.id, *(LINKED.c[name] for name in names), ACCOUNTS.c.id.label("account"),
                *(ACCOUNTS.c[name] for name in ("entity_id", "quality_id", "subdivision_id", "status")),
                ACCOUNTS.c.profession, PROFILES.c.last_name, PROFILES.c.first_name,
            )
            .join(ACCOUNTS, ACCOUNTS.c.id == other)
            .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
            .where(mine, not_over(self._today), ACCOUNTS.c.status != "deleted")
            .order_by(ACCOUNTS.c.sort_key, ACCOUNTS.c.id, LINKED.c.starts_on, LINKED.c.id)
        )  # fmt: skip
        return self._connection.execute(query).all()

    def _ref(self, row: AnyRow, *, leads: bool, leader: tuple[str, str], alone: bool = False) -> LinkRef:
        seen = self._reach.sees(row, Act.LIST_USERS)
        wanted = ("active", led_functions(self._catalogue).get(row.function))
        return LinkRef(
            id=row.id,
            account=row.account if seen else "",
            name=display_name(row.last_name, row.first_name) if seen else "",
            leads=leads,
            function=row.function,
            state=state_of(row, self._now),
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            counts=leader == wanted,
            changeable=bool(row.own),
            alone=alone,
        )

    def _left_alone(self, account: str) -> frozenset[str]:
        """The links for whose function the collaborator has no other responsible."""
        valid = answered_for(self._catalogue, self._today).subquery("valid")
        other = select(valid.c.account_id).where(
            valid.c.account_id == LINKED.c.account_id,
            valid.c.function == LINKED.c.function,
            valid.c.responsible_id != account,
        )
        query = select(LINKED.c.id).where(LINKED.c.responsible_id == account, ~other.exists())
        return frozenset(self._connection.execute(query).scalars())

    def unled(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[PersonRef]:
        """Who exercises a collaborator's function in the entity, now or later, and has no responsible for it though he must.

        He must where the function itself asks for it, or an application that he holds (as QERMID does, `domain.md` 2).
        """
        asking = self._catalogue.asking_for_link()
        if not asking:
            return Listing((), 0, 0, size)
        valid = answered_for(self._catalogue, self._today).subquery("valid")
        led = select(valid.c.account_id).where(
            valid.c.account_id == ASSIGNMENTS.c.account_id, valid.c.function == ASSIGNMENTS.c.function
        )
        alone = and_(
            or_(*(self._must(function, by) for function, by in asking.items())),
            is_live(ASSIGNMENTS, self._now, self._today),
            ~led.exists(),
        )
        part = exercising_part(tuple(asking), alone)
        return self._users.numbered(
            entity, [part, living_part(entity)], ACCOUNTS.c.entity_id == entity, page, size, Act.VIEW_STATUS
        )

    def _must(self, function: str, by: frozenset[str] | None) -> ColumnElement[bool]:
        """The condition that the assignment is of this function, and that its account holds one of these applications."""
        mine = ASSIGNMENTS.c.function == function
        if by is None:
            return mine
        held = select(GRANTS.c.account_id).where(
            GRANTS.c.account_id == ASSIGNMENTS.c.account_id,
            GRANTS.c.application.in_(by),
            is_live(GRANTS, self._now, self._today),
        )
        return and_(mine, held.exists())

    def responsibles(
        self, quality: str, professions: Collection[str], *, find: str = "", page: int = 0, size: int = 6
    ) -> Listing[PersonRef]:
        """Active accounts of the quality in scope with one of these professions; `find` are beginnings of words."""
        room = self.quality(quality)
        if room is None:
            return Listing((), 0, 0, size)
        part = profession_part(quality, professions)
        assert part.narrow is not None
        parts = [part, *text_parts(room.entity, find)]  # rarer than most words
        return self._users.numbered(room.entity, parts, part.narrow, page, size)

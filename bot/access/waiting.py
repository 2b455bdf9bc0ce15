"""What is still to do on the portal: found by the index of the items that wait, grouped as one goes through the portal.

A visit is one quality (one group, on the new portal) of one entity; in it the people stand by name, and all changes of a
person together. What concerns no user account, such as a manager's appointment, is a visit to the entity as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from bot.access.changecards import CHANGE, Changes, item_of
from bot.access.holdings import holding_of
from bot.access.parked import parked
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, CHANGES, ENTITIES, ITEMS, NUMBERS, PROFILES, QUALITIES, WAITS, AnyRow
from bot.access.userparts import hidden
from bot.access.views import (
    COUNTED,
    ChangeCard,
    EntityRef,
    Holding,
    QualityRef,
    Renewal,
    Sheet,
    Visit,
    Waiting,
)
from bot.access.work import WARD_KINDS

ONE_VISIT = 60
"""Changes of one visit, at most: what is more is a second visit."""
Entities = Callable[[str], EntityRef | None]
Qualities = Callable[[str], QualityRef | None]

_WAITING = (
    select(ITEMS.c.change_number, ITEMS.c.account_id, ITEMS.c.subject_id, CHANGES.c.quality_id)
    .join(CHANGES, CHANGES.c.number == ITEMS.c.change_number)
    .join(ENTITIES, ENTITIES.c.id == CHANGES.c.entity_id)
    .join(ACCOUNTS, ACCOUNTS.c.id == ITEMS.c.account_id, isouter=True)
    .where(WAITS, ENTITIES.c.delivery == "portal")
)


def _within(connection: Connection, reach: Reach, entity: str, act: Act) -> ColumnElement[bool]:
    """The items of the entity in scope: about an account, a subdivision, or, for whoever may do `act` in the whole entity,
    about neither.
    """
    places = reach.within_places(entity, act, CHANGES.c.quality_id, ITEMS.c.object_id)
    parts = [reach.within(entity, act, hidden(connection)), and_(ITEMS.c.kind.in_(WARD_KINDS), places)]
    if reach.whole(entity, act):
        parts.append(ITEMS.c.account_id.is_(None))
    return and_(of_entity(connection, entity), or_(*parts))


def of_entity(connection: Connection, entity: str) -> ColumnElement[bool]:
    """The condition on a change; what waits is little, what was ever changed is not, so that it must not lead SQLite."""
    sqlite = connection.dialect.name == "sqlite"
    return (func.coalesce(CHANGES.c.entity_id, "") if sqlite else CHANGES.c.entity_id) == entity


def counted(connection: Connection, reach: Reach, entity: str) -> int:
    """How many changes of the entity, in scope, are to do on the portal; exact up to COUNTED, else one more."""
    found = _WAITING.where(_within(connection, reach, entity, Act.VIEW_STATUS))
    some = found.with_only_columns(ITEMS.c.change_number).distinct().limit(COUNTED + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def visits(
    connection: Connection, reach: Reach, entity_of: Entities, quality_of: Qualities
) -> tuple[Visit, ...]:
    """The visits to the portal that the actor may make, by entity and quality."""
    made: list[Visit] = []
    for entity, row in reach.entities.items():
        ref = entity_of(entity)
        if row.delivery != "portal" or ref is None or not reach.held(entity, Act.HAND_OVER):
            continue
        found = _WAITING.where(_within(connection, reach, entity, Act.HAND_OVER)).subquery()
        who = func.coalesce(found.c.account_id, found.c.subject_id)
        counts = (func.count(func.distinct(found.c.change_number)), func.count(func.distinct(who)))
        grouped = select(found.c.quality_id, *counts).group_by(found.c.quality_id)
        for quality, changes, people in connection.execute(grouped).all():
            room = quality_of(quality) if quality else None
            made.append(Visit(quality or entity, ref, room, changes, people))
    return tuple(
        sorted(made, key=lambda visit: (list(reach.entities).index(visit.entity.id), visit.quality is None))
    )


def of_visit(connection: Connection, reach: Reach, visit: str, entity_of: Entities) -> tuple[Sheet, ...]:
    """The changes of one visit, by the people's names and then by number; at most `ONE_VISIT`."""
    entity = connection.execute(select(QUALITIES.c.entity_id).where(QUALITIES.c.id == visit)).scalar()
    place = CHANGES.c.quality_id == visit if entity else CHANGES.c.quality_id.is_(None)
    query = _WAITING.where(place, _within(connection, reach, entity or visit, Act.HAND_OVER))
    order = (ACCOUNTS.c.sort_key, ACCOUNTS.c.id, ITEMS.c.change_number)
    rows = connection.execute(query.order_by(*order).limit(ONE_VISIT * 8))
    numbers = list(dict.fromkeys(row.change_number for row in rows))[:ONE_VISIT]
    return sheets(connection, numbers, entity_of)


def lies_wide(connection: Connection, reach: Reach, number: str) -> bool:
    """Whether the change is about no user account, and lies in an entity where the actor may do everything."""
    query = (
        select(CHANGES.c.entity_id)
        .join(ITEMS, ITEMS.c.change_number == CHANGES.c.number)
        .where(CHANGES.c.number == number, ITEMS.c.account_id.is_(None))
    )
    entity = connection.execute(query).scalar()
    return reach.whole(entity, Act.HAND_OVER) if entity else False


def sheets(connection: Connection, numbers: Sequence[str], entity_of: Entities) -> tuple[Sheet, ...]:
    """The changes of these numbers, with what is to type; whoever asks has seen that they are in scope."""
    if not numbers:
        return ()
    rows = connection.execute(CHANGE.where(CHANGES.c.number.in_(numbers))).all()
    changes = Changes(connection, rows)
    keys = {row.id: row.key for row in connection.execute(select(QUALITIES.c.id, QUALITIES.c.key))}
    people = _people(connection, {row.number: changes.subject(row.number) for row in rows}, rows)
    shut = parked(connection, {row.id for row in map(changes.person, numbers) if row is not None})
    made: dict[str, Sheet] = {}
    for row in rows:
        entity = entity_of(row.entity_id)
        if entity is not None:
            card = changes.card(row, entity)
            quality = keys.get(row.quality_id or "", "")
            known = people.get(row.number, {})
            made[row.number] = Sheet(card, quality, card.account, parked=card.account in shut, **known)
    return tuple(made[number] for number in numbers if number in made)


def _people(
    connection: Connection, subjects: dict[str, str | None], changes: Sequence[AnyRow]
) -> dict[str, dict[str, Any]]:
    """For each change what its entity knows of the person; whom it does not know has no values."""
    query = (
        select(
            *(PROFILES.c[name] for name in ("identity_id", "entity_id", "last_name", "first_name", "title")),
            *(PROFILES.c[name] for name in ("language", "email", "local_email")),
            ACCOUNTS.c.username,
            ACCOUNTS.c.profession,
            ACCOUNTS.c.quality_id,
            NUMBERS.c.id.label("number"),
        )
        .join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id, isouter=True)
        .join(
            NUMBERS,
            and_(NUMBERS.c.identity_id == PROFILES.c.identity_id, NUMBERS.c.until.is_(None)),
            isouter=True,
        )
        .where(
            PROFILES.c.identity_id.in_(set(filter(None, subjects.values()))), PROFILES.c.erased_at.is_(None)
        )
    )
    known = connection.execute(query).all()
    found: dict[str, dict[str, Any]] = {}
    for change in changes:
        own = [
            row
            for row in known
            if (row.identity_id, row.entity_id) == (subjects[change.number], change.entity_id)
        ]
        row = next((each for each in own if each.quality_id == change.quality_id), own[0] if own else None)
        if row is not None:
            names = (
                "last_name",
                "first_name",
                "title",
                "language",
                "email",
                "local_email",
                "username",
                "profession",
            )
            found[change.number] = {name: row._mapping[name] or "" for name in names}  # noqa: SLF001 - documented
            found[change.number]["numbered"] = row.number is not None
    return found


def renewals(connection: Connection, held: Collection[str]) -> dict[str, Renewal]:
    """For grants and assignments by id: the other end that is noted and still to do; the newest counts."""
    query = (
        select(ITEMS.c.object_id, ITEMS.c.change_number, ITEMS.c.after)
        .where(WAITS, ITEMS.c.object_id.in_(held), ITEMS.c.before.is_not(None))
        .order_by(ITEMS.c.change_number)
    )
    return {
        row.object_id: Renewal(row.change_number, _day(row.after.get("ends_on")))
        for row in (connection.execute(query) if held else ())
        if "starts_on" in row.after
    }


def _day(iso: str | None) -> date | None:
    return date.fromisoformat(iso) if iso else None


def of_account(connection: Connection, account: str) -> tuple[Waiting, ...]:
    """What is still to do on the portal about one account, oldest first."""
    query = select(ITEMS).where(WAITS, ITEMS.c.account_id == account)
    rows = connection.execute(query.order_by(ITEMS.c.change_number, ITEMS.c.position)).all()
    grouped = groupby(rows, key=lambda row: row.change_number)
    return tuple(Waiting(number, tuple(item_of(item) for item in items)) for number, items in grouped)


class WayBack:
    """The part of `RegisterDirectory` that leads to the portal."""

    _connection: Connection
    _reach: Reach

    if TYPE_CHECKING:

        def entity(self, entity: str) -> EntityRef | None: ...
        def quality(self, quality: str) -> QualityRef | None: ...
        def change(self, number: str) -> ChangeCard | None: ...

    def visits(self) -> tuple[Visit, ...]:
        """What can be done on the portal now, a visit for each quality."""
        return visits(self._connection, self._reach, self.entity, self.quality)

    def visit(self, visit: str) -> tuple[Sheet, ...]:
        """The changes of one visit, by person."""
        return of_visit(self._connection, self._reach, visit, self.entity)

    def sheet(self, number: str) -> Sheet | None:
        """One change with what is to type."""
        if self.change(number) is None and not lies_wide(self._connection, self._reach, number):
            return None
        return next(iter(sheets(self._connection, [number], self.entity)), None)

    def to_do(self, entity: str) -> int:
        """How many changes of the entity wait for the portal."""
        row = self._reach.entities.get(entity)
        portal = row is not None and row.delivery == "portal"
        return counted(self._connection, self._reach, entity) if portal else 0

    def holdings(self, rows: Sequence[AnyRow], entity: EntityRef, now: datetime) -> tuple[Holding, ...]:
        """Rows with the `columns` of a holding, and what of them is still to do on the portal."""
        portal = entity.delivery == "portal"
        renewed = renewals(self._connection, [row.row for row in rows]) if portal else {}
        return tuple(replace(holding_of(row, now), renewal=renewed.get(row.row)) for row in rows)

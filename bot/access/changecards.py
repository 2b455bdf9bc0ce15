"""Changes as their authors and other managers see them: who, when, for whom, and how far each item is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, select

from bot.access.names import display_name
from bot.access.periods import brussels_day
from bot.access.rows import ACCOUNTS, CHANGES, ITEMS, PROFILES, AnyRow
from bot.access.views import ChangeCard, ChangeItem, EntityRef, Stamp
from bot.access.work import (
    BLOCK_USER,
    DELETE_USER,
    END_ASSIGNMENT,
    END_GRANT,
    RENAME_WARD,
    UNLINK,
    WARD_KINDS,
    at_once,
)

CHANGE = select(
    CHANGES.c.number,
    CHANGES.c.entity_id,
    CHANGES.c.quality_id,
    CHANGES.c.author_id,
    CHANGES.c.recorded_at,
    CHANGES.c.own,
)
_TAKES = {END_GRANT, END_ASSIGNMENT, BLOCK_USER, DELETE_USER, UNLINK}
"""What gives nothing: it is done, not active."""
_WHO = select(
    ACCOUNTS.c.id,
    ACCOUNTS.c.entity_id,
    ACCOUNTS.c.quality_id,
    ACCOUNTS.c.subdivision_id,
    ACCOUNTS.c.username,
    PROFILES.c.last_name,
    PROFILES.c.first_name,
).join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)


class Changes:
    """A set of changes with all that their cards need, read in three statements however many there are."""

    def __init__(self, connection: Connection, changes: Sequence[AnyRow]) -> None:
        self.changes = changes
        numbers = [change.number for change in changes]
        items = select(ITEMS).where(ITEMS.c.change_number.in_(numbers)).order_by(ITEMS.c.position)
        self._items: dict[str, list[AnyRow]] = {number: [] for number in numbers}
        for item in connection.execute(items):
            self._items[item.change_number].append(item)
        about = {item.account_id for each in self._items.values() for item in each if item.account_id}
        about |= {_other(item) for each in self._items.values() for item in each if _other(item)}
        self._people = (
            {row.id: row for row in connection.execute(_WHO.where(ACCOUNTS.c.id.in_(about)))} if about else {}
        )
        self._authors = self._names(connection) if changes else {}

    def _names(self, connection: Connection) -> Mapping[tuple[str, str], str]:
        """(author, entity) → the name by which that entity knows him; nothing crosses from another entity."""
        authors = {change.author_id for change in self.changes if change.author_id}
        for item in (each for items in self._items.values() for each in items):
            authors |= {who for who in (item.delivered_by, item.verified_by) if who}
        query = select(
            PROFILES.c.identity_id, PROFILES.c.entity_id, PROFILES.c.last_name, PROFILES.c.first_name
        )
        known = query.where(PROFILES.c.identity_id.in_(authors)).order_by(PROFILES.c.created_at)
        rows = connection.execute(known)
        return {(row.identity_id, row.entity_id): display_name(row.last_name, row.first_name) for row in rows}

    def ward(self, number: str) -> str | None:
        """The subdivision that a change is about: then it is about nobody, whoever is moved by it."""
        first = next(iter(self._items[number]), None)
        return str(first.object_id) if first is not None and first.kind in WARD_KINDS else None

    def person(self, number: str) -> AnyRow | None:
        """The account that a change is about, with its quality and subdivision."""
        if self.ward(number):
            return None
        accounts = [item.account_id for item in self._items[number] if item.account_id]
        return self._people.get(accounts[0]) if accounts else None

    def subject(self, number: str) -> str | None:
        """The identity that a change is about."""
        return next((item.subject_id for item in self._items[number] if item.subject_id), None)

    def _about(self, number: str) -> str:
        """Whose change it is, and of how many more."""
        person = self.person(number)
        if person is None:
            return ""
        more = len({item.account_id for item in self._items[number] if item.account_id}) - 1
        name = display_name(person.last_name, person.first_name)
        return f"{name} + {more}" if more else name

    def _called(self, account: str) -> str:
        row = self._people.get(account)
        return display_name(row.last_name, row.first_name) if row else ""

    def card(self, change: AnyRow, entity: EntityRef) -> ChangeCard:
        """The card of one of the changes."""
        items = self._items[change.number]
        person = self.person(change.number)
        due = _due(items)
        return ChangeCard(
            number=change.number,
            entity=entity,
            author=self._authors.get((change.author_id, change.entity_id), ""),
            recorded_at=change.recorded_at,
            recorded_on=brussels_day(change.recorded_at),
            state=_state(items),
            due=due,
            due_on=brussels_day(due) if due else None,
            account=person.id if person else "",
            person=self._about(change.number),
            username=(person.username or "") if person else "",
            items=tuple(item_of(item, self._called(_other(item))) for item in items),
            quality=change.quality_id or "",
            stamps=tuple(self._stamps(change, items)) if entity.delivery == "portal" else (),
            problem=next((item.problem for item in items if item.problem and _waits_for_portal(item)), ""),
            own=change.own,
        )

    def _stamps(self, change: AnyRow, items: Sequence[AnyRow]) -> Iterator[Stamp]:
        """The states that all of the change reached, from the items' latest instants."""
        columns = (("done", "delivered_at", "delivered_by"), ("active", "active_at", None))
        for state, at, by in (*columns, ("verified", "verified_at", "verified_by")):
            reached = [item._mapping[at] for item in items]  # noqa: SLF001 - documented
            if not reached or None in reached:
                return
            last = max(items, key=lambda item: item._mapping[at])  # noqa: SLF001 - used at once
            who = last._mapping[by] if by else None  # noqa: SLF001 - documented
            name = self._authors.get((who, change.entity_id), "") if who else ""
            yield Stamp(state, max(reached), brussels_day(max(reached)), name)


def _waits_for_portal(item: AnyRow) -> bool:
    return item.delivery == "recorded" and item.due_at is None and item.undone_at is None


def _state(items: Sequence[AnyRow]) -> str:
    items = [item for item in items if item.undone_at is None]
    if not items:
        return "ended"
    if any(_waits_for_portal(item) for item in items):
        return "to_do"
    if not all(item.delivery in {"active", "verified"} for item in items):
        return "pending"
    if all(item.delivery == "verified" for item in items):
        return "verified"
    done = items[0].kind in WARD_KINDS or all(item.kind in _TAKES for item in items)
    return "done" if done else "active"


def _due(items: Sequence[AnyRow]) -> datetime | None:
    """When all of it is expected to be active; None while the portal's step is not done."""
    if any(_waits_for_portal(item) for item in items):
        return None
    return max((item.due_at for item in items if item.due_at), default=None)


def _other(item: AnyRow) -> str:
    """The account of the responsible, where the item is a link."""
    return (item.after or {}).get("responsible") or ""


def item_of(item: AnyRow, other: str = "") -> ChangeItem:
    """An item as people see it; `other` is whom it links to."""
    state = "to_do" if _waits_for_portal(item) else "done" if item.delivery == "delivered" else item.delivery
    after, before = item.after or {}, item.before or {}
    return ChangeItem(
        kind=item.kind,
        key=item.key or "",
        state="ended" if item.undone_at else state,
        starts_on=_day(after.get("starts_on")),
        ends_on=None if "revoked_at" in after else _day(after.get("ends_on")),
        moves="starts_on" in before,
        other_start="starts_on" in before and before["starts_on"] != after.get("starts_on"),
        fields=frozenset(after) - {"account_version"} if item.kind == "change-user" else frozenset(),
        other=_beside(item) if item.kind in WARD_KINDS else other,
        people=after.get("people", 0) if item.kind in WARD_KINDS else 0,
        at_once=at_once(after),
        was=_day(before.get("ends_on")),
    )


def _beside(item: AnyRow) -> str:
    """The other name that a change of a subdivision takes to be understood."""
    held = item.before if item.kind == RENAME_WARD else item.after
    return str((held or {}).get("name" if item.kind == RENAME_WARD else "above") or "")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None

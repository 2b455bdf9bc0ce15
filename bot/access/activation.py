"""From recorded to active: the 20 minutes over, a start day come, an end day gone.

Whether an access counts is told by its own days and by `active_at`, which is known as soon as it is recorded (for a
portal entity: as soon as the step is done). So nothing depends on a process being up at that instant: what is carried
out later takes the instant when it was due, and is carried out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, insert, or_, select, update

from bot.access import due
from bot.access.handover import TABLES, items_of
from bot.access.parked import parked
from bot.access.periods import brussels_day, end_instant
from bot.access.rows import ACCOUNTS, CHANGES, ENTITIES, ITEMS, PROFILES, AnyRow
from bot.access.standing import chats_of, told
from bot.access.work import END_GRANT, GRANT
from bot.store import audit
from bot.store.counters import next_number
from bot.store.ids import new_id
from bot.store.keys import Keyring


@dataclass(frozen=True, slots=True)
class Notice:
    """Change `number` is active now, all of it, or `kind` reminds of it: tell these chats. A number, no name (product.md).

    `kind` is `due.REVOKED` where it took something from whoever is told, `due.TO_DO` or `due.CHECK` for a reminder.
    """

    number: str
    chats: tuple[int, ...]
    kind: str = due.ACTIVATE
    portal: bool = False
    """It was done on the portal: somebody is to say whether it works."""
    round: str = ""
    """What tells one time from the next, where the same is told again: done anew on the portal, or still to do there."""
    moved: bool = False
    """Only ends were moved, so that nothing became active by it."""


# -- what is due ----------------------------------------------------------------------------------


def run(
    connection: Connection, keyring: Keyring, kind: str, data: dict[str, str], now: datetime
) -> Notice | None:
    """Carries out a row of `due`, in the transaction in which the row is marked done; whom to tell what.

    Once or again makes no difference: what is active already stays as it is and nobody is told a second time.
    """
    match kind:
        case due.ACTIVATE:
            return activate(connection, keyring, data["change"], now)
        case due.REMIND:
            return _remind(connection, data["change"], data["what"], now)
        case due.END:
            return _end(connection, keyring, data, now)
        case due.REVOKED:
            return _revoked(connection, data["change"])
    raise ValueError(f"nothing due is called {kind}")


def activate(connection: Connection, keyring: Keyring, number: str, now: datetime) -> Notice | None:
    """The items of the change that are due become active, from the instant when they were due.

    A notice when that makes the whole change active, and not before.
    """
    items = items_of(connection, number)
    ripe = [
        item
        for item in items
        if item.delivery in {"recorded", "delivered"} and item.due_at is not None and item.due_at <= now
    ]
    for item in ripe:
        values = {"delivery": "active", "active_at": item.due_at, "version": item.version + 1}
        connection.execute(update(ITEMS).where(ITEMS.c.id == item.id).values(values))
    if not ripe:
        return None
    change = connection.execute(
        select(CHANGES.c.entity_id, CHANGES.c.author_id, ENTITIES.c.delivery)
        .join(ENTITIES, ENTITIES.c.id == CHANGES.c.entity_id)
        .where(CHANGES.c.number == number)
    ).one()
    body = {"items": [item.id for item in ripe]}
    entry = audit.Entry("activated", subject=ripe[0].subject_id, change=number, body=body)
    audit.append(connection, keyring, change.entity_id, entry, now)
    whole = len(ripe) == sum(item.delivery not in {"active", "verified"} for item in items)
    if not whole or change.author_id is None or _over(items, now):
        return None
    chats = told(connection, change.author_id, change.entity_id, brussels_day(now))
    moved = all(_moves_end(item) for item in items)
    if change.delivery != "portal":
        return Notice(number, chats, moved=moved)
    again = max(item.due_at for item in items if item.due_at).isoformat()
    return Notice(number, chats, portal=True, round=again, moved=moved)


def _over(items: Sequence[AnyRow], now: datetime) -> bool:
    """Whether all that the change gave has ended already: given for a day in its last minutes, or carried out days later."""
    last = [(item.after or {}).get("ends_on") for item in items if item.kind in TABLES]
    return bool(last) and all(day and end_instant(date.fromisoformat(day)) <= now for day in last)


def _moves_end(item: AnyRow) -> bool:
    """Whether something held already gets another end, and nothing else."""
    before = item.before or {}
    same = before.get("starts_on") == (item.after or {}).get("starts_on")
    return item.kind in TABLES and "starts_on" in before and same


def _remind(connection: Connection, number: str, what: str, now: datetime) -> Notice | None:
    """The change is still to do on the portal, or still to be tried: whoever noted it, or did it, is told once."""
    items = items_of(connection, number)
    query = select(CHANGES.c.author_id, CHANGES.c.entity_id).where(CHANGES.c.number == number)
    change = connection.execute(query).one()
    if what == due.TO_DO:
        shut = parked(connection, {item.account_id for item in items if item.account_id})
        waits = any(
            item.delivery == "recorded" and item.due_at is None and item.account_id not in shut
            for item in items
        )
        who = change.author_id
    else:
        waits = bool(items) and all(item.delivery == "active" for item in items)
        who = next((item.delivered_by for item in items if item.delivered_by), None)
    chats = told(connection, who, change.entity_id, brussels_day(now)) if waits and who else ()
    return Notice(number, chats, what) if chats else None


def _revoked(connection: Connection, number: str) -> Notice | None:
    """Everybody who lost something is told, the author apart."""
    query = (
        select(ITEMS.c.subject_id)
        .distinct()
        .join(CHANGES, ITEMS.c.change_number == CHANGES.c.number)
        .where(
            CHANGES.c.number == number,
            ITEMS.c.subject_id.is_not(None),
            or_(CHANGES.c.author_id.is_(None), ITEMS.c.subject_id != CHANGES.c.author_id),
        )
        .order_by(ITEMS.c.subject_id)
    )
    who = connection.execute(query).scalars().all()
    chats = tuple(chat for subject in who for chat in chats_of(connection, subject))
    return Notice(number, chats, due.REVOKED) if who else None


def _end(connection: Connection, keyring: Keyring, data: dict[str, str], now: datetime) -> Notice | None:
    """Notes in the audit that an access ended by its own date; it has counted no longer since then in any case."""
    table = TABLES[data["kind"]]
    query = (
        select(
            table.c.starts_on,
            table.c.ends_on,
            table.c.revoked_at,
            table.c.active_at,
            ACCOUNTS.c.entity_id,
            ACCOUNTS.c.version,
            ENTITIES.c.delivery,
            PROFILES.c.identity_id,
        )
        .join(ACCOUNTS, ACCOUNTS.c.id == table.c.account_id)
        .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(table.c.id == data["row"])
    )
    row = connection.execute(query).one_or_none()
    if (
        row is None
        or row.revoked_at is not None
        or row.ends_on is None
        or row.ends_on.isoformat() != data["ends_on"]
    ):
        return None
    entry = audit.Entry("ended", subject=row.identity_id, body=dict(data))
    audit.append(connection, keyring, row.entity_id, entry, now)
    # what a manager types as the end of a function the portal keeps itself; for an application it has no end date
    if row.delivery == "portal" and data["kind"] == GRANT and row.active_at is not None:
        return _to_do(connection, keyring, data["row"], row, now)
    return None


def _to_do(connection: Connection, keyring: Keyring, grant: str, row: AnyRow, now: datetime) -> Notice | None:
    """An application that ended here is still open on the portal: a change that says so, in the name of whoever set the end.

    None where an end of it is noted already, done or not.
    """
    items = connection.execute(
        select(ITEMS, CHANGES.c.author_id, CHANGES.c.quality_id)
        .join(CHANGES, CHANGES.c.number == ITEMS.c.change_number)
        .where(ITEMS.c.object_id == grant, ITEMS.c.kind.in_((GRANT, END_GRANT)), ITEMS.c.undone_at.is_(None))
        .order_by(ITEMS.c.change_number.desc())
    ).all()
    if not items or any(item.kind == END_GRANT for item in items):
        return None
    last = items[0]
    number = next_number(connection, brussels_day(now).year)
    change = {"number": number, "entity_id": row.entity_id, "quality_id": last.quality_id}
    change |= {"author_id": last.author_id, "kind": "end", "source": "chat", "recorded_at": now}
    connection.execute(insert(CHANGES).values(change))
    days = {"starts_on": row.starts_on.isoformat(), "ends_on": row.ends_on.isoformat()}
    after = {**days, "revoked": False}
    item = {"id": new_id(), "change_number": number, "position": 0, "kind": END_GRANT, "key": last.key}
    item |= {"account_id": last.account_id, "object_id": grant, "subject_id": row.identity_id}
    item |= {"before": days, "after": {**after, "account_version": row.version}}
    connection.execute(insert(ITEMS).values(**item, delivery="recorded", version=1))
    due.reminder(connection, due.TO_DO, number, now)
    body = {"kind": END_GRANT, "account": last.account_id, "object": grant, "key": last.key}
    entry = audit.Entry(END_GRANT, None, row.identity_id, number, {**body, "before": days, "after": after})
    audit.append(connection, keyring, row.entity_id, entry, now)
    chats = told(connection, last.author_id, row.entity_id, brussels_day(now)) if last.author_id else ()
    return Notice(number, chats, due.TO_DO, round=days["ends_on"])

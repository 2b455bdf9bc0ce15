"""From recorded to active: the portal's step ticked off, the 20 minutes over, a start day come, an end day gone.

Whether an access counts is told by its own days and by `active_at`, which is known as soon as it is recorded (for a
portal entity: as soon as the step is done). So nothing depends on a process being up at that instant: what is carried
out later takes the instant when it was due, and is carried out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, select, update

from bot.access import due
from bot.access.periods import due_instant
from bot.access.requests import Done, MarkDone
from bot.access.rights import Act, Target, require
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, CHANGES, ENTITIES, GRANTS, ITEMS, PROFILES, branch
from bot.access.standing import chats_of
from bot.access.work import ASSIGNMENT, GRANT, NOT_ALLOWED, Work
from bot.errors import NotAllowed
from bot.store import audit
from bot.store.keys import Keyring

_TABLES: dict[str, Table] = {GRANT: GRANTS, ASSIGNMENT: ASSIGNMENTS}


@dataclass(frozen=True, slots=True)
class Notice:
    """Change `number` is active now, all of it: tell these chats. A number, no name (product.md).

    `kind` is `due.REVOKED` where it took something from whoever is told.
    """

    number: str
    chats: tuple[int, ...]
    kind: str = due.ACTIVATE


# -- the portal's step, done ----------------------------------------------------------------------


def mark_done(work: Work, request: MarkDone) -> Done:
    """The manager has done the change on the portal: from now on the delay counts. Doing it twice changes nothing.

    Raises NotAllowed for a change that does not exist, or lies outside the mandate.
    """
    query = (
        select(CHANGES.c.entity_id, CHANGES.c.quality_id, ENTITIES.c.delivery, ENTITIES.c.enterprise_id)
        .join(ENTITIES, ENTITIES.c.id == CHANGES.c.entity_id)
        .where(CHANGES.c.number == request.number)
    )
    change = work.connection.execute(query).one_or_none()
    items = _items(work.connection, request.number)
    if change is None or not items or change.delivery != "portal":
        raise NotAllowed(NOT_ALLOWED)
    for account in {item.account_id for item in items}:
        _require(work, change, account)
    wanted = [item for item in items if request.item in {None, item.id}]
    if not wanted:
        raise NotAllowed(NOT_ALLOWED)
    waiting = [item for item in wanted if item.delivery == "recorded"]
    instants = {item.id: _deliver(work, item) for item in waiting}
    for instant in sorted({instant for instant in instants.values() if instant > work.now}):
        due.activation(work.connection, request.number, instant)
    for item in waiting:
        body = {"item": item.id, "due": instants[item.id].isoformat()}
        entry = audit.Entry("delivered", work.actor.identity, item.subject_id, request.number, body)
        audit.append(work.connection, work.keyring, change.entity_id, entry, work.now)
    known = [instants.get(item.id, item.due_at) for item in items]
    whole = all(instant is not None for instant in known)
    return Done(request.number, max(filter(None, known)) if whole else None, items[0].account_id or "")


def _require(work: Work, change: Row[*tuple[Any, ...]], account: str) -> None:
    query = (
        select(ACCOUNTS.c.subdivision_id, PROFILES.c.identity_id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(ACCOUNTS.c.id == account)
    )
    row = work.connection.execute(query).one()
    path = branch(work.connection, row.subdivision_id)
    target = Target(change.entity_id, change.quality_id, path, change.enterprise_id, row.identity_id)
    require(work.mandates(), Act.HAND_OVER, target, actor=work.actor.identity, today=work.today)


def _items(connection: Connection, number: str) -> Sequence[Row[*tuple[Any, ...]]]:
    query = select(ITEMS).where(ITEMS.c.change_number == number, ITEMS.c.undone_at.is_(None))
    return connection.execute(query.order_by(ITEMS.c.position).with_for_update()).all()


def _deliver(work: Work, item: Row[*tuple[Any, ...]]) -> datetime:
    """The item is on the portal; when it takes effect. A user's data does at once, an access after the delay."""
    table = _TABLES.get(item.kind)
    instant = work.now
    if table is not None:
        instant = due_instant(_starts_anew(item) or work.today, work.now, work.activation_delay)
        row = work.connection.execute(select(table.c.active_at).where(table.c.id == item.object_id)).scalar()
        if row is None or row > instant:
            work.connection.execute(
                update(table).where(table.c.id == item.object_id).values(active_at=instant)
            )
    values: dict[str, object] = {
        "delivery": "delivered",
        "delivered_at": work.now,
        "delivered_by": work.actor.identity,
    }
    values |= {"due_at": instant, "version": item.version + 1}
    if instant <= work.now:
        values |= {"delivery": "active", "active_at": work.now}
    work.connection.execute(update(ITEMS).where(ITEMS.c.id == item.id).values(values))
    return instant


def _starts_anew(item: Row[*tuple[Any, ...]]) -> date | None:
    """The start that the item brings, None where only the end moved."""
    before, after = (item.before or {}).get("starts_on"), item.after["starts_on"]
    return None if before == after else date.fromisoformat(after)


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
        case due.END:
            _end(connection, keyring, data, now)
            return None
        case due.REVOKED:
            return _revoked(connection, data["change"])
    raise ValueError(f"nothing due is called {kind}")


def activate(connection: Connection, keyring: Keyring, number: str, now: datetime) -> Notice | None:
    """The items of the change that are due become active, from the instant when they were due.

    A notice when that makes the whole change active, and not before.
    """
    items = _items(connection, number)
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
        select(CHANGES.c.entity_id, CHANGES.c.author_id).where(CHANGES.c.number == number)
    ).one()
    body = {"items": [item.id for item in ripe]}
    entry = audit.Entry("activated", subject=ripe[0].subject_id, change=number, body=body)
    audit.append(connection, keyring, change.entity_id, entry, now)
    if (
        len(ripe) < sum(item.delivery not in {"active", "verified"} for item in items)
        or change.author_id is None
    ):
        return None
    return Notice(number, chats_of(connection, change.author_id))


def _revoked(connection: Connection, number: str) -> Notice | None:
    """The person who lost something is told, unless he did it himself."""
    query = (
        select(CHANGES.c.author_id, ITEMS.c.subject_id)
        .join(ITEMS, ITEMS.c.change_number == CHANGES.c.number)
        .where(CHANGES.c.number == number, ITEMS.c.subject_id.is_not(None))
    )
    row = connection.execute(query).first()
    if row is None or row.subject_id == row.author_id:
        return None
    return Notice(number, chats_of(connection, row.subject_id), due.REVOKED)


def _end(connection: Connection, keyring: Keyring, data: dict[str, str], now: datetime) -> None:
    """Notes in the audit that an access ended by its own date; it has counted no longer since then in any case."""
    table = _TABLES[data["kind"]]
    query = (
        select(table.c.ends_on, table.c.revoked_at, ACCOUNTS.c.entity_id, PROFILES.c.identity_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == table.c.account_id)
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
        return
    entry = audit.Entry("ended", subject=row.identity_id, body=dict(data))
    audit.append(connection, keyring, row.entity_id, entry, now)

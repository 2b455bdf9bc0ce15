"""What must arrive: messages that stay, and deletions. Written in the turn's transaction, delivered by anybody.

A unique key makes a row once, however often the act is tried. Revocations and deletions of national numbers go first
(`urgency`, lower is sooner); within an urgency and a chat the order is that of writing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, or_, select, update

from bot.store import crypto, leases
from bot.store.keys import Keyring
from bot.store.mail import Outgoing
from bot.store.tables import core
from bot.store.upsert import insert_new

_outbox = core(Outgoing)
_COLUMNS = (
    _outbox.c.id,
    _outbox.c.key,
    _outbox.c.chat_id,
    _outbox.c.kind,
    _outbox.c.payload,
    _outbox.c.silent,
    _outbox.c.attempts,
)
FIRST, SOON, NORMAL = 1, 3, 5
OWN = timedelta(seconds=2)
"""For so long a row is left to whoever wrote it: he delivers it himself, in order with the card that follows."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A row to deliver. `payload` None: it cannot be read any more. `attempts` were made before this one."""

    id: int
    chat_id: int
    kind: str
    payload: Any
    silent: bool
    attempts: int

    def __repr__(self) -> str:
        return f"Mail({self.id}, {self.kind})"


def put(
    connection: Connection,
    keyring: Keyring,
    key: str,
    *,
    chat_id: int,
    kind: str,
    payload: Any,
    now: datetime,
    silent: bool = False,
    urgency: int = NORMAL,
) -> bool:
    """Writes a row, once for its key. False where there is one already."""
    sealed = crypto.seal_json(keyring, "state", payload, place(key))
    row = {
        "key": key,
        "chat_id": chat_id,
        "kind": kind,
        "payload": sealed,
        "silent": silent,
        "urgency": urgency,
    }
    return insert_new(connection, _outbox, {**row, "not_before": now, "attempts": 0})


def waiting_for(connection: Connection, chat_id: int) -> bool:
    """Whether something is still to be delivered in this chat."""
    found = select(_outbox.c.id).where(_outbox.c.chat_id == chat_id, _outbox.c.ended_at.is_(None)).limit(1)
    return connection.execute(found).first() is not None


def take(
    connection: Connection,
    keyring: Keyring,
    now: datetime,
    *,
    limit: int,
    chat_id: int | None = None,
    own: timedelta = timedelta(),
) -> Sequence[Mail]:
    """Lends rows that are due, of one chat or of all; not those that whoever wrote them has had for less than `own`."""
    due = (_outbox.c.ended_at.is_(None), _outbox.c.not_before <= now, leases.free(_outbox, now))
    candidates = select(*_COLUMNS).where(*due).order_by(_outbox.c.urgency, _outbox.c.id).limit(limit)
    if chat_id is not None:
        candidates = candidates.where(_outbox.c.chat_id == chat_id)
    if own:
        candidates = candidates.where(_orphaned(now, own))
    return [_read(keyring, row) for row in leases.take(connection, _outbox, candidates, now)]


def waiting(connection: Connection, now: datetime, own: timedelta = OWN) -> bool:
    """Whether `take`, for all chats, would find something."""
    due = (_outbox.c.ended_at.is_(None), _outbox.c.not_before <= now, leases.free(_outbox, now))
    found = select(_outbox.c.id).where(*due, _orphaned(now, own)).limit(1)
    return connection.execute(found).first() is not None


def _orphaned(now: datetime, own: timedelta) -> Any:
    return or_(_outbox.c.attempts > 0, _outbox.c.not_before <= now - own)


def prune(connection: Connection, before: datetime) -> int:
    """Forgets the rows that ended before that instant."""
    return connection.execute(delete(_outbox).where(_outbox.c.ended_at < before)).rowcount


def sent(connection: Connection, mail_id: int, message_id: int | None, now: datetime) -> None:
    """The row is done: Telegram has it. What it said is forgotten, it may name people."""
    done = {"sent_at": now, "ended_at": now, "payload": b""}
    _set(connection, mail_id, message_id=message_id, taken_until=None, **done)


def later(connection: Connection, mail_id: int, not_before: datetime) -> None:
    """Try again, not before that instant."""
    _set(connection, mail_id, not_before=not_before, taken_until=None)


def ended(connection: Connection, mail_id: int, reason: str, now: datetime) -> None:
    """The row will never be delivered; `reason` says nothing of its content."""
    _set(connection, mail_id, ended_at=now, error=reason, taken_until=None, payload=b"")


def _set(connection: Connection, mail_id: int, **values: Any) -> None:
    connection.execute(
        update(_outbox).where(_outbox.c.id == mail_id, _outbox.c.ended_at.is_(None)).values(**values)
    )


def _read(keyring: Keyring, row: Row[Any]) -> Mail:
    try:
        payload = crypto.unseal_json(keyring, "state", row.payload, place(row.key))
    except crypto.Unreadable:
        payload = None
    return Mail(row.id, row.chat_id, row.kind, payload, row.silent, row.attempts)


def place(key: str) -> str:
    """Where a payload stands, for its associated data."""
    return f"outbox.payload:{key}"


def forget(connection: Connection, chat_ids: Collection[int]) -> None:
    """Nothing is delivered in these chats any more, and nothing tells what was."""
    connection.execute(delete(_outbox).where(_outbox.c.chat_id.in_(chat_ids)))

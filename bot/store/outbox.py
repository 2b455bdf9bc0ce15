"""What must arrive: messages that stay, and deletions. Written in the turn's transaction, delivered by anybody.

A unique key makes a row once, however often the act is tried. Revocations and deletions of national numbers go first
(`urgency`, lower is sooner); within an urgency and a chat the order is that of writing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, or_, select, update

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
FIRST, SOON, NORMAL, LAST = 1, 3, 5, 7
DOCUMENT = "document"
"""The kind of a row that becomes a document; what it says is how to make one, nothing that stands in it."""
LETTER = "mail"
"""The kind of a row that goes out by e-mail: it has no chat, and is taken apart from all others."""
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


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to deliver; `key` makes it unique for good, and its Message-ID too. `payload` None: it cannot be read any more."""

    id: int
    key: str
    payload: Any
    attempts: int

    def __repr__(self) -> str:
        return f"Letter({self.id})"


def put(
    connection: Connection,
    keyring: Keyring,
    key: str,
    *,
    chat_id: int | None,
    kind: str,
    payload: Any,
    now: datetime,
    silent: bool = False,
    urgency: int = NORMAL,
    not_before: datetime | None = None,
) -> bool:
    """Writes a row, once for its key; due at once unless told. False where there is one already."""
    sealed = crypto.seal_json(keyring, "state", payload, place(key))
    row = {
        "key": key,
        "chat_id": chat_id,
        "kind": kind,
        "payload": sealed,
        "silent": silent,
        "urgency": urgency,
    }
    return insert_new(connection, _outbox, {**row, "not_before": not_before or now, "attempts": 0})


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
    candidates = select(*_COLUMNS).where(*_due(now)).order_by(_outbox.c.urgency, _outbox.c.id).limit(limit)
    if chat_id is not None:
        candidates = candidates.where(_outbox.c.chat_id == chat_id)
    if own:
        candidates = candidates.where(_orphaned(now, own))
    return [_read(keyring, row) for row in leases.take(connection, _outbox, candidates, now)]


def waiting(connection: Connection, now: datetime, own: timedelta = OWN) -> bool:
    """Whether `take`, for all chats, would find something."""
    found = select(_outbox.c.id).where(*_due(now), _orphaned(now, own)).limit(1)
    return connection.execute(found).first() is not None


def take_letter(connection: Connection, keyring: Keyring, now: datetime) -> Letter | None:
    """Lends one mail that is due: a mail server may take its time, and each loan is for one."""
    candidates = select(*_COLUMNS).where(*_due(now, letters=True)).order_by(_outbox.c.urgency, _outbox.c.id)
    for row in leases.take(connection, _outbox, candidates.limit(1), now):
        return Letter(row.id, row.key, _read(keyring, row).payload, row.attempts)
    return None


def letters_waiting(connection: Connection, now: datetime) -> bool:
    """Whether `take_letter` would find one."""
    found = select(_outbox.c.id).where(*_due(now, letters=True)).limit(1)
    return connection.execute(found).first() is not None


def give_back(connection: Connection, lost: Collection[datetime]) -> None:
    """Ends loans that came to nothing."""
    leases.give_back(connection, _outbox, lost)


def _due(now: datetime, *, letters: bool = False) -> tuple[Any, ...]:
    kind = _outbox.c.kind == LETTER if letters else _outbox.c.kind != LETTER
    return (_outbox.c.ended_at.is_(None), _outbox.c.not_before <= now, leases.free(_outbox, now), kind)


def _orphaned(now: datetime, own: timedelta) -> Any:
    return or_(_outbox.c.attempts > 0, _outbox.c.not_before <= now - own)


def prune(connection: Connection, before: datetime) -> int:
    """Forgets the rows that ended before that instant."""
    return connection.execute(delete(_outbox).where(_outbox.c.ended_at < before)).rowcount


def sent(connection: Connection, mail_id: int, message_id: int | None, now: datetime) -> None:
    """The row is done: Telegram has it. What it said is forgotten, it may name people."""
    done = {"sent_at": now, "ended_at": now, "payload": b""}
    _set(connection, mail_id, message_id=message_id, taken_until=None, **done)


def withdraw(connection: Connection, key: str, now: datetime) -> tuple[int, int] | None:
    """The message of that key is not delivered any more, and what it said is forgotten; where it stands if it was: chat and
    message.
    """
    mine = _outbox.c.key == key
    connection.execute(
        update(_outbox).where(mine, _outbox.c.ended_at.is_(None)).values(ended_at=now, error="faded")
    )
    connection.execute(update(_outbox).where(mine).values(payload=b""))
    row = connection.execute(select(_outbox.c.chat_id, _outbox.c.message_id).where(mine)).one_or_none()
    return (row.chat_id, row.message_id) if row is not None and row.message_id is not None else None


def states(connection: Connection, start: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """The rows whose key begins so, with what became of them: key, sent_at, ended_at."""
    query = select(_outbox.c.key, _outbox.c.sent_at, _outbox.c.ended_at)
    return connection.execute(query.where(_outbox.c.key.startswith(start, autoescape=True))).all()


def forget_keys(connection: Connection, start: str) -> None:
    """The rows whose key begins so are gone, delivered or not."""
    connection.execute(delete(_outbox).where(_outbox.c.key.startswith(start, autoescape=True)))


def recent(connection: Connection, chat_id: int, start: str, since: datetime) -> int:
    """How many rows of the chat whose key begins so wait still, or went out after that instant."""
    there = or_(_outbox.c.ended_at.is_(None), _outbox.c.ended_at > since)
    query = select(func.count()).select_from(_outbox).where(_outbox.c.chat_id == chat_id, there)
    return int(connection.execute(query.where(_outbox.c.key.startswith(start, autoescape=True))).scalar_one())


def untouched(
    connection: Connection, keyring: Keyring, chat_id: int, start: str, now: datetime
) -> tuple[str, Any] | None:
    """A row of the chat whose key begins so and which nobody has tried to deliver yet, locked: its key and payload."""
    query: Select[Any] = select(*_COLUMNS).where(
        _outbox.c.chat_id == chat_id,
        _outbox.c.ended_at.is_(None),
        _outbox.c.attempts == 0,
        leases.free(_outbox, now),
        _outbox.c.key.startswith(start, autoescape=True),
    )
    row = connection.execute(query.order_by(_outbox.c.id).limit(1).with_for_update()).one_or_none()
    return (row.key, _read(keyring, row).payload) if row else None


def rewrite(connection: Connection, keyring: Keyring, key: str, payload: Any, not_before: datetime) -> None:
    """The row of that key says something else, and goes out then."""
    sealed = crypto.seal_json(keyring, "state", payload, place(key))
    connection.execute(
        update(_outbox).where(_outbox.c.key == key).values(payload=sealed, not_before=not_before)
    )


def keep(connection: Connection, mail_id: int, now: datetime) -> None:
    """Lends the row for longer: its delivery takes its time."""
    _set(connection, mail_id, taken_until=now + leases.LEASE)


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

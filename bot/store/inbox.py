"""What came in: every update once, in order within its chat, until its turn has committed.

A row is both the body that waits (encrypted) and the memory that the update was seen: when it is done the body goes and
the id stays, for longer than Telegram would deliver it again. Statements are built once; functions take the caller's
connection, so that marking an update done is part of the turn's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from bot.store import crypto
from bot.store.keys import Keyring
from bot.store.mail import Incoming
from bot.store.tables import core
from bot.store.upsert import insert_all_new, insert_new

_updates = core(Incoming)
_open = _updates.c.done_at.is_(None)
_LANES = (
    select(_updates.c.lane).where(_open, _updates.c.lane.is_not(None)).distinct().order_by(_updates.c.lane)
)
_NEXT = (
    select(_updates.c.update_id, _updates.c.body, _updates.c.attempts)
    .where(_open, _updates.c.lane == bindparam("lane"))
    .order_by(_updates.c.update_id)
    .limit(1)
)
_ATTEMPT = (
    update(_updates)
    .where(_updates.c.update_id == bindparam("id"), _open)
    .values(attempts=_updates.c.attempts + 1)
    .returning(_updates.c.attempts)
)
_DONE = (
    update(_updates)
    .where(_updates.c.update_id == bindparam("id"), _open)
    .values(done_at=bindparam("now"), body=None)
)
_ASIDE = (
    update(_updates)
    .where(_updates.c.update_id == bindparam("id"), _open)
    .values(done_at=bindparam("now"), body=None, error=bindparam("why"), reference=bindparam("ref"))
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An update whose turn is next in its lane. `body` None: it cannot be read any more, and is to be set aside."""

    update_id: int
    body: Any
    attempts: int

    def __repr__(self) -> str:
        return f"Waiting({self.update_id}, attempts={self.attempts})"


def keep(
    connection: Connection, keyring: Keyring, arrived: Iterable[tuple[int, int, Any]], now: datetime
) -> int:
    """Stores (update id, lane, body) rows; one that was seen before is left as it is. Returns how many were new."""
    rows = [
        {
            "update_id": update_id,
            "lane": lane,
            "body": crypto.seal_json(keyring, "state", body, place(update_id)),
            "received_at": now,
            "attempts": 0,
        }
        for update_id, lane, body in arrived
    ]
    return insert_all_new(connection, _updates, rows)


def open_lanes(connection: Connection) -> list[int]:
    """The lanes in which something waits."""
    return list(connection.execute(_LANES).scalars())


def next_in(connection: Connection, keyring: Keyring, lane: int) -> Waiting | None:
    """The first update that waits in a lane."""
    row = connection.execute(_NEXT, {"lane": lane}).one_or_none()
    if row is None:
        return None
    try:
        body = crypto.unseal_json(keyring, "state", row.body, place(row.update_id))
    except crypto.Unreadable:
        body = None
    return Waiting(row.update_id, body, row.attempts)


def count_attempt(connection: Connection, update_id: int) -> int:
    """Notes that the update is about to be tried; the number of this try from 1, or 0 where it is done already."""
    return connection.execute(_ATTEMPT, {"id": update_id}).scalar() or 0


def mark_done(connection: Connection, update_id: int, now: datetime) -> bool:
    """In the turn's transaction: this update is handled. False where it was before; then the turn does nothing.

    An update that came by webhook has no row yet and gets one.
    """
    if connection.execute(_DONE, {"id": update_id, "now": now}).rowcount:
        return True
    return insert_new(
        connection, _updates, {"update_id": update_id, "received_at": now, "attempts": 1, "done_at": now}
    )


def set_aside(connection: Connection, update_id: int, *, error: str, reference: str, now: datetime) -> None:
    """Takes an update that keeps failing out of its lane; `error` says kind and place, nothing of the content."""
    connection.execute(_ASIDE, {"id": update_id, "now": now, "why": error, "ref": reference})


def prune(connection: Connection, before: datetime) -> int:
    """Forgets the ids of updates that were done and came before that instant."""
    return connection.execute(delete(_updates).where(_updates.c.received_at < before, ~_open)).rowcount


def place(update_id: int) -> str:
    """Where a body stands, for its associated data."""
    return f"updates.body:{update_id}"


def forget(connection: Connection, lanes: Collection[int]) -> None:
    """What waits in these lanes is done with, and nothing tells whose the updates were; their ids stay."""
    own = update(_updates).where(_updates.c.lane.in_(lanes))
    connection.execute(own.where(_open).values(done_at=_updates.c.received_at, body=None))
    connection.execute(own.values(lane=None))

"""What becomes due at an instant: an activation, an end, a reminder. Rows, so that nothing is forgotten while nobody runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, delete, select, update

from bot.store import leases
from bot.store.mail import Due
from bot.store.tables import core
from bot.store.upsert import insert_into

_due = core(Due)


@dataclass(frozen=True, slots=True)
class Task:
    """Something due: `data` holds ids only; `attempts` were made before this one."""

    id: int
    key: str
    kind: str
    at: datetime
    data: dict[str, Any]
    attempts: int


def put(connection: Connection, key: str, kind: str, at: datetime, data: dict[str, Any]) -> None:
    """Notes that `kind` is due at `at`; a row of the same key that is not done yet is moved there, and taken from whoever had it."""
    fresh = {"kind": kind, "at": at, "data": data, "attempts": 0, "taken_until": None, "error": None}
    insert = insert_into(connection, _due).values(key=key, **fresh)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["key"], set_=fresh, where=_due.c.done_at.is_(None))
    )


def cancel(connection: Connection, key: str) -> None:
    """It is no longer due."""
    connection.execute(delete(_due).where(_due.c.key == key, _due.c.done_at.is_(None)))


def take(connection: Connection, now: datetime, *, limit: int, first: Sequence[str] = ()) -> Sequence[Task]:
    """Lends what is due: the kinds of `first` in their order, then all others; of the same rank the oldest first."""
    rank = case({kind: place for place, kind in enumerate(first)}, value=_due.c.kind, else_=len(first))
    order = (rank, _due.c.at, _due.c.id) if first else (_due.c.at, _due.c.id)
    candidates = (
        select(_due.c.id, _due.c.key, _due.c.kind, _due.c.at, _due.c.data, _due.c.attempts)
        .where(_due.c.done_at.is_(None), _due.c.at <= now, leases.free(_due, now))
        .order_by(*order)
        .limit(limit)
    )
    return [
        Task(row.id, row.key, row.kind, row.at, row.data, row.attempts)
        for row in leases.take(connection, _due, candidates, now)
    ]


def done(connection: Connection, task_id: int, now: datetime) -> bool:
    """In the transaction that carries it out. False where somebody else has, or where it was moved or cancelled
    meanwhile: then nothing may be done.
    """
    finished = (
        update(_due)
        .where(_due.c.id == task_id, _due.c.done_at.is_(None), _due.c.taken_until.is_not(None))
        .values(done_at=now, taken_until=None)
    )
    return bool(connection.execute(finished).rowcount)


def later(connection: Connection, task_id: int, at: datetime, error: str) -> None:
    """It failed; try again then. `error` says kind and place, nothing of the content."""
    connection.execute(
        update(_due)
        .where(_due.c.id == task_id, _due.c.done_at.is_(None))
        .values(at=at, taken_until=None, error=error)
    )


def give_back(connection: Connection, lost: Collection[datetime]) -> None:
    """Ends loans that came to nothing."""
    leases.give_back(connection, _due, lost)


def waiting(connection: Connection, now: datetime) -> bool:
    """Whether `take` would find something."""
    found = (
        select(_due.c.id).where(_due.c.done_at.is_(None), _due.c.at <= now, leases.free(_due, now)).limit(1)
    )
    return connection.execute(found).first() is not None


def prune(connection: Connection, before: datetime) -> int:
    """Forgets the rows that were done before that instant."""
    return connection.execute(delete(_due).where(_due.c.done_at < before)).rowcount

"""Rows that any process may take, one at a time: the outbox and what is due.

A row is lent for a while (`taken_until`) and its attempt counted before it is worked on, so that a process that dies
leaves it to the next one, and a row that kills its worker is seen to. PostgreSQL skips rows that another process is
taking (`FOR UPDATE SKIP LOCKED`); on SQLite there is one writer at a time anyway.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, or_, update

LEASE = timedelta(seconds=60)


def free(table: Table, now: datetime) -> Any:
    """The condition that nobody has the row."""
    return or_(table.c.taken_until.is_(None), table.c.taken_until < now)


def take(connection: Connection, table: Table, candidates: Select[Any], now: datetime) -> list[Row[Any]]:
    """Lends the rows of `candidates` (a select that begins with the id), counting the attempt."""
    rows = list(connection.execute(candidates.with_for_update(skip_locked=True)))
    if rows:
        ids = [row.id for row in rows]
        lent = update(table).where(table.c.id.in_(ids))
        connection.execute(lent.values(taken_until=now + LEASE, attempts=table.c.attempts + 1))
    return rows

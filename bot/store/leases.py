"""Rows that any process may take, one at a time: the outbox and what is due.

A row is lent for a while (`taken_until`) and its attempt counted before it is worked on, so that a process that dies
leaves it to the next one, and a row that kills its worker is seen to. Where the database went away in between, nobody
knows whether rows were lent: they are given back as soon as it answers. PostgreSQL skips rows that another process is
taking (`FOR UPDATE SKIP LOCKED`); on SQLite there is one writer at a time anyway.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, or_, update

from bot.errors import DatabaseUnavailable

LEASE = timedelta(seconds=60)
_NOBODYS = 2 * LEASE
"""A loan that ends so far ahead was made by a clock that has been set back since; the clocks of two machines differ by less."""


def free(table: Table, now: datetime) -> Any:
    """The condition that nobody has the row."""
    until = table.c.taken_until
    return or_(until.is_(None), until < now, until > now + _NOBODYS)


def take(connection: Connection, table: Table, candidates: Select[Any], now: datetime) -> list[Row[Any]]:
    """Lends the rows of `candidates` (a select that begins with the id), counting the attempt."""
    rows = list(connection.execute(candidates.with_for_update(skip_locked=True)))
    if rows:
        ids = [row.id for row in rows]
        lent = update(table).where(table.c.id.in_(ids))
        connection.execute(lent.values(taken_until=now + LEASE, attempts=table.c.attempts + 1))
    return rows


@contextmanager
def noted(lost: set[datetime], now: datetime) -> Iterator[None]:
    """Around taking rows at `now`, and what is done with them: where the database goes away, the loan is `lost`."""
    try:
        yield
    except DatabaseUnavailable:
        lost.add(now + LEASE)
        raise


def give_back(connection: Connection, table: Table, lost: Collection[datetime]) -> None:
    """Ends those loans: to the microsecond, so that nobody else's is meant."""
    connection.execute(update(table).where(table.c.taken_until.in_(lost)).values(taken_until=None))

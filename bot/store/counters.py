"""Numbers that people read: 2026-000123, without gaps, since the counter moves in the transaction that uses it."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.store.tables import Counter, core
from bot.store.upsert import insert_into

_counters = core(Counter)


def next_number(connection: Connection, year: int) -> str:
    """The next change number of a year. Locks the year's counter until the transaction ends."""
    first = insert_into(connection, _counters).values(name=f"change-{year}", value=1)
    moved = first.on_conflict_do_update(index_elements=["name"], set_={"value": _counters.c.value + 1})
    value = connection.execute(moved.returning(_counters.c.value)).scalar_one()
    return f"{year}-{value:06d}"

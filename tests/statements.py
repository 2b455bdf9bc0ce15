"""The statements that reach a database, as its driver gets them: the text, and apart from it the values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from bot.store.database import Database
from sqlalchemy import event


class Statement(NamedTuple):
    text: str
    values: Any


@contextmanager
def statements_of(database: Database) -> Iterator[list[Statement]]:
    """What is executed in the block, in order."""
    found: list[Statement] = []

    def note(_connection, _cursor, text, values, _context, _many):
        found.append(Statement(" ".join(text.split()), values))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", note)

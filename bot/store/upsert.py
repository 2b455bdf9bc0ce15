"""Inserting what may be there already: the one statement that the two databases spell in their own dialect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that knows ON CONFLICT."""
    return _insert(connection.dialect.name, table)


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Inserts a row; False, and nothing changed, where its key is taken."""
    return insert_all_new(connection, table, [values]) == 1


def insert_all_new(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Inserts those rows whose key is not taken, and says how many they were. All rows have the same columns."""
    if not rows:
        return 0
    return connection.execute(_new(connection.dialect.name, table), rows).rowcount


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _new(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    # without preserve_rowcount psycopg's count of an INSERT is gone with its cursor
    return _insert(dialect, table).on_conflict_do_nothing().inline().execution_options(preserve_rowcount=True)

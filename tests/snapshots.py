"""What a database holds, taken once and laid into others: to load the sample register costs more than most tests.

SQLite's own backup copies a file; PostgreSQL's COPY copies rows, past triggers, as a restored backup would.
"""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from itertools import count
from pathlib import Path

import psycopg
from bot.access.registerfile import load
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from sqlalchemy import text

FILLED = "SELECT (SELECT count(*) FROM entities) + (SELECT count(*) FROM key_checks) + (SELECT count(*) FROM audit_entries)"
"""No row where nothing was written yet."""


@dataclass(frozen=True)
class Snapshot:
    """All of a database, of either kind."""

    file: str = ""
    tables: dict[str, bytes] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


_LOADED: dict[object, Snapshot] = {}


@cache
def root_key() -> str:
    """One root key for the databases of this process: what is sealed can be laid into another."""
    return new_root_key()


def load_once(
    database: Database, keyring: Keyring, folder: Path, register: str, *, today: date, now: datetime
) -> None:
    """Loads the text of a register file, or lays what an earlier load of the same under the same keys has left."""
    secrets = tuple((version, keyring.key("field", version)) for version in sorted(keyring.versions))
    key = (database.sqlite, register, secrets)
    fresh = is_empty(database)
    if fresh and key in _LOADED:
        laid(database, _LOADED[key])
        return
    file = folder / "register.toml"
    file.write_text(register, encoding="utf-8")
    load(database, keyring, file, today=today, now=now)
    if fresh:
        _LOADED[key] = taken(database)


def is_empty(database: Database) -> bool:
    """Whether nothing was written into it since it was migrated."""
    with database.read() as connection:
        return connection.execute(text(FILLED)).scalar() == 0


def taken(database: Database) -> Snapshot:
    """What stands in it now."""
    if database.sqlite:
        file = _folder() / f"{next(_numbers)}.db"
        _copied(str(database.url.database), str(file))
        return Snapshot(file=str(file))
    with _direct(database) as connection:
        tables = {}
        for (name,) in connection.execute(_OF_KIND, ["r"]).fetchall():
            with connection.cursor().copy(f"COPY {name} TO STDOUT".encode()) as copy:
                rows = b"".join(bytes(part) for part in copy)
            if rows and name != "alembic_version":
                tables[name] = rows
        numbers = {}
        for (name,) in connection.execute(_OF_KIND, ["S"]).fetchall():
            row = connection.execute(f"SELECT last_value, is_called FROM {name}".encode()).fetchone()
            assert row
            if row[1]:
                numbers[name] = int(row[0])
        return Snapshot(tables=tables, numbers=numbers)


def laid(database: Database, snapshot: Snapshot) -> None:
    """The same into an empty database of the same kind."""
    if database.sqlite:
        _copied(snapshot.file, str(database.url.database))
        return
    with _direct(database) as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        for name, rows in snapshot.tables.items():
            with connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy:
                copy.write(rows)
        for name, value in snapshot.numbers.items():
            connection.execute("SELECT setval(%s::regclass, %s)", [name, value])


def _copied(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
        here.backup(there)


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="accessbot-snapshots-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


_numbers = count(1)
_OF_KIND = (
    "SELECT quote_ident(relname) FROM pg_class"
    " WHERE relkind = %s AND relnamespace = 'public'::regnamespace ORDER BY relname"
)


def _direct(database: Database) -> psycopg.Connection:
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(address, autocommit=True)

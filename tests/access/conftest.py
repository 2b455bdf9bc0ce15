"""The small register in the database in question, and what loads register files into it, or into SQLite alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from bot.store.database import Database
from bot.store.keys import Keyring
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registerfiles import Loader
from tests.access.registers import Register


@pytest.fixture
def register(database: Database, keyring: Keyring, tmp_path: Path):
    """After the test everything in it is still as it must be."""
    register = Register(database, keyring, tmp_path)
    yield register
    with database.read() as connection:
        check_invariants(connection, keyring)


@pytest.fixture
def loads(database: Database, keyring: Keyring, tmp_path: Path) -> Loader:
    return Loader(database, keyring, tmp_path)


@pytest.fixture
def lite(tmp_path: Path, keyring: Keyring):
    """On SQLite alone: what is refused before the database is written."""
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Loader(database, keyring, tmp_path)
        database.close()

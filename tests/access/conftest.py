"""What loads register files into a database: the one in question, or SQLite alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from bot.store.database import Database
from bot.store.keys import Keyring
from tests import databases
from tests.access.registerfiles import Loader


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

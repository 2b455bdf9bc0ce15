"""Fixtures for all: both databases, a key of the tests, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher
from bot.access import proofs
from bot.store.database import Database
from bot.store.keys import Keyring

from tests import databases
from tests.browser import chromium, kept_pages, open_page  # noqa: F401 - fixtures
from tests.sharing import Sharing

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
"""Tuesday 24 November 2026, 10:00 in Brussels."""
BOTH = [
    pytest.param("sqlite"),
    pytest.param("postgresql", marks=pytest.mark.postgres),
]


HASHER = proofs._HASHER
"""What a password costs in the program. The tests pay less, in their own process; a program that they start does not."""
proofs._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with databases.sqlite(tmp_path) if request.param == "sqlite" else databases.postgres() as url:
        yield url


@pytest.fixture(params=BOTH)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with (
        databases.sqlite(tmp_path, empty=True)
        if request.param == "sqlite"
        else databases.postgres(empty=True) as url
    ):
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring({1: bytes(range(32))})


@pytest.fixture
def frozen() -> Iterator[datetime]:
    with time_machine.travel(NOW, tick=False):
        yield NOW


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Sharing:
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long runs are for `make soak` only."""
    if "soak" not in config.getoption("-m"):
        long = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]

"""Fixtures: a world a module with its bot running, on each database; a fresh world where a test breaks things."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import databases
from tests.conftest import BOTH
from tests.e2e import canaries
from tests.e2e.world import World, world


@pytest.fixture(autouse=True)
def no_secret_was_read() -> Iterator[None]:
    """After each test: no national number, token, key, password or code in the log, in buttons, links, texts, names of files."""
    yield
    assert canaries.strays() == set()


@pytest.fixture(scope="module", params=BOTH)
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shared")
    with databases.sqlite(folder) if request.param == "sqlite" else databases.postgres() as url:
        yield url


@pytest.fixture(scope="module")
def shared(shared_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's register and a bot that runs, for all tests of a module: each brings its own people."""
    with world(shared_url, tmp_path_factory.mktemp("world")) as there:
        there.start()
        yield there
        there.stop()
        there.check()

"""Of several copies of the bot one at a time draws in a chat; one that ends, or loses its line, holds up nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bot.store.database import Database
from bot.store.screens import Screens
from sqlalchemy import text
from tests import databases

ANNE, BRAM = 5_000_000_001, 5_000_000_002
pytestmark = pytest.mark.postgres


@pytest.fixture
def copies() -> Iterator[tuple[Screens, Screens]]:
    with databases.postgres() as url:
        opened = [Database(url), Database(url)]
        first, second = map(Screens, opened)
        yield first, second
        for database, screens in zip(opened, (first, second), strict=True):
            screens.close()
            database.close()


def test_a_chat_is_one_copys_until_it_gives_it_back(copies: tuple[Screens, Screens]) -> None:
    first, second = copies
    assert (first.take(ANNE), second.take(ANNE), second.take(BRAM)) == (True, False, True)
    second.give(ANNE)  # not its own: nothing changes
    assert not second.take(ANNE)
    first.give(ANNE)
    assert (second.take(ANNE), first.take(ANNE)) == (True, False)


def test_a_copy_that_ends_holds_nothing(copies: tuple[Screens, Screens]) -> None:
    first, second = copies
    assert first.take(ANNE)
    first.close()
    assert second.take(ANNE)


def test_a_copy_whose_line_is_cut_goes_on_and_holds_nothing(copies: tuple[Screens, Screens]) -> None:
    first, second = copies
    assert first.take(ANNE)
    with second._database.write() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        connection.execute(text(cut))
    first.give(ANNE)
    assert (first.take(ANNE), second.take(BRAM)) == (True, True)
    assert not second.take(ANNE)

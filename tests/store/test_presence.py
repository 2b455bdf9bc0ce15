"""What a dead process had taken is free for the next one at once; what a living one has taken is not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from bot.errors import ConfigurationError
from bot.store import due, outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.presence import Presence
from tests import databases

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def lend_all(database: Database, keyring: Keyring) -> None:
    with database.write() as connection:
        outbox.put(connection, keyring, "a", chat_id=1, kind="message", payload={}, now=NOW)
        due.put(connection, "b", "activate", NOW, {})
        assert (
            len(outbox.take(connection, keyring, NOW, limit=9)),
            len(due.take(connection, NOW, limit=9)),
        ) == (1, 1)


def free(database: Database, keyring: Keyring) -> tuple[bool, bool]:
    with database.read() as connection:
        return outbox.waiting(connection, NOW), due.waiting(connection, NOW)


def here(database: Database) -> Presence:
    presence = Presence(database)
    presence.takes_over()
    return presence


def test_the_next_process_takes_over_at_once_what_a_dead_one_had_in_hand(
    database: Database, keyring: Keyring
) -> None:
    presence = here(database)
    lend_all(database, keyring)
    assert free(database, keyring) == (False, False)
    presence.close()
    here(database).close()
    assert free(database, keyring) == (True, True)


@pytest.mark.postgres
def test_while_another_copy_lives_its_loans_stay(keyring: Keyring) -> None:
    with databases.postgres() as url:
        database, other = Database(url), Database(url)
        first = here(database)
        lend_all(database, keyring)
        second = here(other)
        assert free(database, keyring) == (False, False)
        first.close()
        here(database).close()
        assert free(database, keyring) == (False, False)  # the second is there still
        second.close()
        here(database).close()
        assert free(database, keyring) == (True, True)
        database.close()
        other.close()


def test_an_sqlite_file_has_one_bot_until_that_one_ends(tmp_path: Path, keyring: Keyring) -> None:
    with databases.sqlite(tmp_path) as url:
        database, other = Database(url), Database(url)
        first = here(database)
        lend_all(database, keyring)
        with pytest.raises(ConfigurationError, match="A bot is running on the database at"):
            Presence(other)
        assert free(other, keyring) == (False, False)
        first.close()
        here(other).close()
        assert free(database, keyring) == (True, True)
        database.close()
        other.close()

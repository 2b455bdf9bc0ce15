"""The row of a chat: dialogues that survive, and a card that is shown until it is as it should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bot.store import chats
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import text

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def load(database: Database, keyring: Keyring, now: datetime = NOW) -> chats.ChatRow:
    with database.write() as connection:
        return chats.load(connection, keyring, 7, 7, now)


def save(
    database: Database,
    keyring: Keyring,
    row: chats.ChatRow,
    state: Any,
    mode: str = "edit",
    rev: int = 2,
    *,
    became_receipt: bool = False,
) -> int:
    with database.write() as connection:
        return chats.save(
            connection,
            keyring,
            row,
            state,
            rev=rev,
            lang="nl",
            mode=mode,
            message_id=None if became_receipt else row.message_id,
            now=NOW,
            keep=7 * DAY,
        )


def test_a_new_chat_remembers_nothing_and_shows_nothing(database: Database, keyring: Keyring) -> None:
    row = load(database, keyring)
    assert (row.state, row.version, row.want, row.shown, row.message_id) == (None, 0, 0, 0, None)


def test_dialogues_come_back_as_they_were_saved(database: Database, keyring: Keyring) -> None:
    state = {"rev": 2, "frames": [{"answers": {"person": {"niss": "79082399728"}}}]}
    assert save(database, keyring, load(database, keyring), state) == 1
    row = load(database, keyring)
    assert (row.state, row.lang, row.version) == (state, "nl", 1)
    with database.read() as connection:
        assert b"79082399728" not in bytes(connection.execute(text("SELECT state FROM chats")).scalar_one())


def test_an_open_dialogue_lives_seven_days_and_the_counter_for_ever(
    database: Database, keyring: Keyring
) -> None:
    save(database, keyring, load(database, keyring), {"rev": 41}, rev=41)
    assert load(database, keyring, NOW + 6 * DAY).state == {"rev": 41}
    assert load(database, keyring, NOW + 8 * DAY).state == {"rev": 42}


def test_a_turn_that_was_overtaken_saves_nothing(database: Database, keyring: Keyring) -> None:
    row = load(database, keyring)
    save(database, keyring, row, {"rev": 2})
    with pytest.raises(chats.Overtaken):
        save(database, keyring, row, {"rev": 9})
    assert load(database, keyring).state == {"rev": 2}


def test_a_card_is_to_be_shown_until_it_is(database: Database, keyring: Keyring) -> None:
    seq = save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        assert chats.unshown(connection, NOW, limit=9) == [7]
        chats.shown(connection, 7, seq, 55)
        assert chats.unshown(connection, NOW, limit=9) == []
    assert load(database, keyring).message_id == 55


def test_an_older_card_that_arrives_late_changes_nothing(database: Database, keyring: Keyring) -> None:
    first = save(database, keyring, load(database, keyring), {"rev": 2})
    second = save(database, keyring, load(database, keyring), {"rev": 3})
    with database.write() as connection:
        chats.shown(connection, 7, second, 56)
        chats.shown(connection, 7, first, 55)
    assert load(database, keyring).message_id == 56


def test_a_card_noted_late_is_not_taken_for_the_receipt_that_it_became(
    database: Database, keyring: Keyring
) -> None:
    first = save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        assert chats.shown(connection, 7, first, 55)
    recap = save(database, keyring, load(database, keyring), {"rev": 3})
    save(database, keyring, load(database, keyring), {"rev": 4}, mode="new", became_receipt=True)
    with database.write() as connection:
        assert not chats.shown(connection, 7, recap, 55)
    row = load(database, keyring)
    assert (row.message_id, row.shown < row.want) == (None, True)


def test_noted_twice_it_is_still_the_card(database: Database, keyring: Keyring) -> None:
    seq = save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        assert [chats.shown(connection, 7, seq, 55) for _ in range(2)] == [True, True]


def test_a_card_that_was_to_come_anew_still_does_after_a_tap(database: Database, keyring: Keyring) -> None:
    save(database, keyring, load(database, keyring), {"rev": 2}, mode="new")
    save(database, keyring, load(database, keyring), {"rev": 3}, mode="edit")
    assert load(database, keyring).mode == "new"


def test_nothing_is_shown_again_before_telegram_allows_it(database: Database, keyring: Keyring) -> None:
    seq = save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        chats.failed(connection, 7, seq, NOW, 30.0)
        assert chats.unshown(connection, NOW + timedelta(seconds=29), limit=9) == []
        assert chats.unshown(connection, NOW + timedelta(seconds=30), limit=9) == [7]


def test_a_card_that_keeps_failing_is_tried_less_and_less_often(database: Database, keyring: Keyring) -> None:
    seq = save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        for _ in range(4):
            chats.failed(connection, 7, seq, NOW, None)
        assert chats.unshown(connection, NOW + timedelta(seconds=14), limit=9) == []
        assert chats.unshown(connection, NOW + timedelta(seconds=15), limit=9) == [7]


def test_somebody_who_blocked_the_bot_is_left_alone_until_he_writes_again(
    database: Database, keyring: Keyring
) -> None:
    save(database, keyring, load(database, keyring), {"rev": 2})
    with database.write() as connection:
        chats.blocked(connection, 7, NOW)
        assert chats.unshown(connection, NOW, limit=9) == []
    row = load(database, keyring)
    assert row.blocked
    save(database, keyring, row, {"rev": 3})
    with database.read() as connection:
        assert chats.unshown(connection, NOW, limit=9) == [7]

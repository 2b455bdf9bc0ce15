"""Whole turns with another house's ids, on both databases: nothing goes out, nothing stands in a row that should not."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count

import pytest
from bot.access import invitations
from bot.conversations.model import Command, Redraw, Tap, Text
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.testing import said
from bot.conversations.wire import view_to_json
from bot.counter import RegisterCounter
from bot.i18n import CatalogueReader
from bot.msg import to_json
from bot.store import outbox
from bot.turn import Incoming
from bot.turning import Turning
from tests.access.registers import NOW
from tests.foreign.scene import SETTINGS
from tests.foreign.twins import THEIR, Twins, rows_of

MACHINERY = frozenset({"updates", "chats", "outbox", "sessions", "attempts", "seen", "due"})
CHAT = 7_000_000_001


@pytest.fixture
def twins(database, keyring, tmp_path, frozen):
    return Twins.built(database, keyring, tmp_path)


def test_no_turn_says_sends_or_keeps_what_is_of_another_house(twins, database, keyring):
    counter = RegisterCounter(keyring, delay=timedelta(minutes=20), mails=True, desk=True)
    turning = Turning(database, keyring, ENGINE, counter, CatalogueReader, SETTINGS)
    with database.write() as connection:
        code = invitations.invite(connection, keyring, "own-chief", NOW)
        invitations.redeem(connection, keyring, code, telegram_id=CHAT, chat_id=CHAT, now=NOW)
    with database.read() as connection:
        before = rows_of(connection)
    numbers, shown = count(1), []

    def does(event):
        handled = turning.handle(Incoming(next(numbers), CHAT, CHAT, event, message_id=next(numbers)))
        view = handled.card.view if handled.card else None
        shown.append(
            [view_to_json(view) if view else None, to_json(handled.toast.msg) if handled.toast else None]
        )
        return handled

    there = twins.register
    home = does(Redraw())
    assert home.card and "Bonjour" in said(home.card.view, "fr")
    ids = [there.account["their-plain"], there.entity["theirport"], twins.changes("their")[-1]]
    for place, flow in enumerate(key for key in FLOWS if key != "lock"):
        handled = does(Command(flow, ids[0]))
        if handled.card:
            does(Tap(handled.card.rev, ("a", "who")[place % 2], ids[place % 2]))
    for flow in ("status", "portal", "verify", "grant", "certificates"):
        for given in ids[1:]:
            does(Command(flow, given))
    does(Command("status"))
    does(Text(THEIR[5]))
    seen = json.dumps(shown, ensure_ascii=False).replace(f'"{THEIR[5]}"', "")
    with database.write() as connection:
        mails = outbox.take(connection, keyring, NOW, limit=1000)
        seen += json.dumps([mail.payload for mail in mails if mail.chat_id == CHAT], ensure_ascii=False)
    assert len(seen) > 20_000
    assert [word for word in twins.secrets if word in seen] == []
    with database.read() as connection:
        after = rows_of(connection)
    assert [name for name, rows in after.items() if name not in MACHINERY and rows != before[name]] == []

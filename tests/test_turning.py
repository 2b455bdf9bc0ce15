"""A turn is one transaction: everything of it, once, or nothing."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
import time_machine
from bot.access.catalogue import Catalogue, builtin
from bot.access.requests import Outcome, Request
from bot.conversations.model import Command, Event, Press, Tap, Text, View
from bot.conversations.ports import Actor, Directory
from bot.conversations.registry import ENGINE
from bot.conversations.testing import MemoryDirectory, said, sample
from bot.i18n import CatalogueReader
from bot.store import outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.turn import Handled, Incoming
from bot.turning import Turning
from sqlalchemy import Connection, text


@dataclass
class MemoryCounter:
    """The register in memory, for a turn on a real database."""

    register: MemoryDirectory = field(default_factory=sample)
    performed: list[Request] = field(default_factory=list)
    broken: bool = False

    def used(self, connection: Connection, telegram_id: int) -> None:
        pass

    def actor(self, connection: Connection, telegram_id: int) -> Actor | None:
        return Actor("delcourt", "Anne Delcourt") if telegram_id == 1 else None

    def directory(self, connection: Connection, telegram_id: int) -> Directory:
        return self.register

    def catalogue(self, connection: Connection) -> Catalogue:
        return builtin()

    def digest(self, request: Request, shown: str) -> str:
        return f"{request} {shown}"

    def perform(
        self, connection: Connection, incoming: Incoming, request: Request, shown: str = ""
    ) -> Outcome:
        if self.broken:
            raise ZeroDivisionError
        self.performed.append(request)
        return self.register.perform(request, datetime.fromisoformat("2026-11-24T09:00:00+00:00"))


@dataclass
class Chat:
    """One person's chat with the turns: each event is an update of its own."""

    turning: Turning
    counter: MemoryCounter
    telegram_id: int = 1
    card: View | None = None
    rev: int = 1
    numbers: count[int] = field(default_factory=lambda: count(100))

    def does(self, event: Event, update_id: int | None = None, message_id: int | None = None) -> Handled:
        number = update_id or next(self.numbers)
        handled = self.turning.handle(
            Incoming(number, self.telegram_id, self.telegram_id, event, message_id=message_id)
        )
        if handled.card:
            self.card, self.rev = handled.card.view, handled.card.rev
            self.turning.shown(self.telegram_id, handled.card.seq, 50 if handled.card.view else None)
        return handled

    def says(self, words: str, **fields: int) -> Handled:
        return self.does(Text(words), **fields)

    def tap(self, label: str) -> Tap:
        assert self.card
        reader = CatalogueReader("fr")
        for button in self.card.buttons():
            if reader.label(button.label).startswith(label) and isinstance(button.action, Press):
                return Tap(self.rev, button.action.verb, button.action.value)
        raise AssertionError(f"no button '{label}' on:\n{said(self.card, 'fr')}")

    def taps(self, *labels: str) -> Handled:
        for label in labels:
            handled = self.does(self.tap(label))
        return handled

    def sees(self) -> str:
        return said(self.card, "fr") if self.card else ""


@pytest.fixture
def chat(database: Database, keyring: Keyring, frozen: datetime) -> Chat:
    counter = MemoryCounter()
    return Chat(Turning(database, keyring, ENGINE, counter, CatalogueReader), counter)


def to_the_recap(chat: Chat) -> None:
    chat.does(Command("grant"))
    chat.taps("Hôpitaux", "Peeters Jan · Cardiologie", "Colindos", "Suivant")
    assert "Récapitulatif" in chat.sees()


def waiting(chat: Chat) -> list[tuple[str, object]]:
    with chat.turning.database.write() as connection:
        now = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
        mails = outbox.take(connection, chat.turning.keyring, now, limit=50)
    return [(mail.kind, mail.payload) for mail in mails]


def test_a_grant_ends_in_one_receipt_that_takes_the_place_of_the_card(chat: Chat) -> None:
    to_the_recap(chat)
    handled = chat.taps("Confirmer")
    assert handled.card is not None
    assert handled.card.view is None
    assert handled.mail
    assert len(chat.counter.performed) == 1
    ((kind, payload),) = waiting(chat)
    assert kind == "receipt"
    assert isinstance(payload, dict)
    assert payload["replaces"] == 50
    after = chat.says("Claes")
    assert after.card is not None
    assert (after.card.anew, after.card.message_id) == (True, None)


def test_a_dialogue_goes_on_after_a_restart_days_later(chat: Chat) -> None:
    to_the_recap(chat)
    with time_machine.travel("2026-11-29T09:00:00+00:00", tick=False):
        again = Turning(chat.turning.database, chat.turning.keyring, ENGINE, chat.counter, CatalogueReader)
        chat.turning = again
        chat.taps("Confirmer")
    assert len(chat.counter.performed) == 1


def test_an_update_delivered_again_changes_nothing_and_shows_the_current_card(chat: Chat) -> None:
    chat.does(Command("grant"), update_id=7)
    tap = chat.tap("Hôpitaux")
    first = chat.turning.handle(Incoming(8, 1, 1, tap))
    for _ in range(3):
        again = chat.turning.handle(Incoming(8, 1, 1, tap))
        assert again.repeated
        assert again.card == first.card
        assert again.toast is None


def test_fifty_concurrent_taps_on_confirm_record_one_grant(chat: Chat) -> None:
    to_the_recap(chat)
    tap = chat.tap("Confirmer")
    failures: list[Exception] = []

    def press(number: int) -> None:
        try:
            chat.turning.handle(Incoming(1000 + number, 1, 1, tap))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=press, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(chat.counter.performed) == 1
    assert [kind for kind, _ in waiting(chat)] == ["receipt"]


def test_a_turn_that_fails_leaves_nothing_and_can_be_tried_again(chat: Chat) -> None:
    to_the_recap(chat)
    tap = chat.tap("Confirmer")
    chat.counter.broken = True
    with pytest.raises(ZeroDivisionError):
        chat.does(tap, update_id=500)
    assert waiting(chat) == []
    chat.counter.broken = False
    assert not chat.does(tap, update_id=500).repeated
    assert len(chat.counter.performed) == 1


def test_a_typed_national_number_is_deleted_first_and_stands_nowhere_plain(chat: Chat) -> None:
    chat.does(Command("grant"))
    chat.taps("Hôpitaux")
    chat.says("01.09.22-997.08", message_id=77)
    assert waiting(chat) == [("delete", {"message_id": 77})]
    with chat.turning.database.read() as connection:
        rows = [
            row
            for table in ("chats", "updates", "outbox")
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not [row for row in rows if "01092299708" in repr(tuple(row)) or "01.09.22" in repr(tuple(row))]


def test_a_card_not_shown_is_still_wanted(chat: Chat) -> None:
    handled = chat.turning.handle(Incoming(1, 1, 1, Command("grant")))
    assert chat.turning.unshown(limit=5) == [1]
    assert chat.turning.card(1) == handled.card
    assert handled.card is not None
    chat.turning.shown(1, handled.card.seq, 60)
    assert chat.turning.unshown(limit=5) == []
    assert chat.turning.card(1) is None


def test_a_button_of_an_old_card_shows_the_current_one_at_the_bottom(chat: Chat) -> None:
    chat.does(Command("grant"))
    old = chat.tap("Hôpitaux")
    chat.does(Command("status"))
    handled = chat.turning.handle(Incoming(900, 1, 1, old, tapped=12))
    assert handled.toast is not None
    assert handled.toast.msg.key == "engine.expired"
    assert handled.card is not None
    assert handled.card.anew


def test_a_stranger_has_a_chat_of_his_own_and_sees_nothing(chat: Chat) -> None:
    stranger = Chat(chat.turning, chat.counter, telegram_id=2, numbers=count(5000))
    stranger.does(Command("grant"))
    assert "réservé aux gestionnaires d'accès invités" in stranger.sees()
    assert "Hôpitaux" not in stranger.sees()


def test_the_language_is_remembered_by_the_chat(chat: Chat) -> None:
    chat.does(Command("language", "de"))
    handled = chat.does(Command("home"))
    assert handled.lang == "de"
    with time_machine.travel(
        datetime.fromisoformat("2026-11-24T09:00:00+00:00") + timedelta(days=30), tick=False
    ):
        assert chat.does(Command("home")).lang == "de"


def test_somebody_who_blocks_the_bot_is_left_alone(chat: Chat) -> None:
    chat.does(Command("grant"))
    chat.turning.handle(Incoming(901, 1, 1, Command("grant"), left=True))
    assert chat.turning.unshown(limit=5) == []


def test_an_apology_bears_a_reference_and_comes_once(chat: Chat) -> None:
    chat.does(Command("home"))
    reference = chat.turning.apologise(1, 77)
    chat.turning.apologise(1, 77)
    ((kind, payload),) = waiting(chat)
    assert kind == "message"
    assert reference in str(payload)


def test_a_tap_on_a_card_whose_showing_was_not_noted_makes_that_message_the_card(chat: Chat) -> None:
    to_the_recap(chat)
    tap = chat.tap("Confirmer")
    handled = chat.turning.handle(Incoming(900, 1, 1, tap, tapped=77, callback_id="c"))
    assert len(chat.counter.performed) == 1
    assert handled.card is not None
    deletion, (kind, receipt) = waiting(chat)
    assert deletion == ("delete", {"message_id": 50})
    assert kind == "receipt"
    assert isinstance(receipt, dict)
    assert receipt["replaces"] == 77


def test_an_old_button_of_another_message_does_not_make_it_the_card(chat: Chat) -> None:
    chat.does(Command("grant"))
    old = chat.tap("Hôpitaux")
    chat.taps("Hôpitaux")
    handled = chat.turning.handle(Incoming(900, 1, 1, old, tapped=49, callback_id="c"))
    assert handled.card is not None
    assert handled.card.message_id == 50
    assert waiting(chat) == []

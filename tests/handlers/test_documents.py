"""Files that people send: fetched where a dialogue asks, and never handed on where a key is in them."""

from __future__ import annotations

import pytest
from bot.access.certificates import MAX_BYTES
from bot.conversations.model import Document, Unreadable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Threads
from bot.handlers.documents import fetched
from bot.handlers.gateway import CallFailed, Trouble
from bot.handlers.inbound import read
from bot.turn import Incoming
from tests.certificatefiles import NISS, keystore, pem, private
from tests.handlers.fakes import FakeTurns
from tests.handlers.telegram import FakeTelegram

ANNE = 5_000_000_001


class Files(FakeTelegram):
    """Telegram with one file; None is a line that is down."""

    def __init__(self, body):
        super().__init__()
        self.body, self.fetched = body, []

    async def fetch(self, file, most):
        self.fetched.append(file)
        if self.body is None:
            raise CallFailed(Trouble.TEMPORARY)
        return self.body if len(self.body) <= most else None


async def event(body, *, asks=True, size=100):
    telegram, turns, threads = Files(body), FakeTurns(), Threads(1)
    turns.asks = asks
    try:
        came = Incoming(1, ANNE, ANNE, Document("f1", "x.pem", size))
        return (await fetched(came, turns, telegram, threads)).event, telegram.fetched
    finally:
        threads.close()
        await telegram.close()


async def test_a_file_is_fetched_where_a_dialogue_asks_for_one():
    assert await event(pem()) == (Document("f1", "x.pem", 100, pem()), ["f1"])


@pytest.mark.parametrize(("asks", "size"), [(False, 100), (True, MAX_BYTES + 1)])
async def test_a_file_that_nobody_asked_for_or_that_is_too_large_stays_where_it_is(asks, size):
    assert await event(pem(), asks=asks, size=size) == (Document("f1", "x.pem", size), [])


async def test_a_file_that_does_not_come_through_is_an_event_without_content():
    assert (await event(None))[0] == Document("f1", "x.pem", 100)
    assert (await event(b"x" * (MAX_BYTES + 1)))[0] == Document("f1", "x.pem", 100)


@pytest.mark.parametrize("body", [private(), keystore(b"secret"), pem() + private()])
async def test_a_private_key_never_reaches_a_turn(body):
    assert (await event(body))[0] == Unreadable("key")


async def test_a_certificate_with_a_national_number_goes_from_the_chat():
    assert (await event(pem(niss=NISS)))[0] == Unreadable("card", secret=True)


@pytest.mark.parametrize("name", ["chaman.p12", "CHAMAN.PFX", "server.key"])
def test_a_key_store_is_known_by_its_name_and_not_even_fetched(name):
    content = {"document": {"file_id": "f1", "file_name": name, "file_size": 900}}
    message = {
        "message_id": 1,
        "date": 1,
        "chat": {"id": ANNE, "type": "private"},
        "from": {"id": ANNE},
        **content,
    }
    assert read({"update_id": 1, "message": message}, Codes([b"k" * 32])).event == Unreadable("key")

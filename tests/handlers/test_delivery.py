import asyncio
import threading

import pytest
from bot.errors import DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Threads
from bot.handlers.delivery import Delivered, Delivery, Ended, Later
from bot.handlers.gateway import Trouble
from bot.handlers.ports import Document
from tests.handlers.fakes import FakeTurns, MemoryOutbox, eventually, letter
from tests.handlers.telegram import FakeTelegram

ANNE, BERT = 5_000_000_001, 5_000_000_002


class World:
    def __init__(self):
        self.telegram = FakeTelegram()
        self.turns = FakeTurns()
        self.outbox = MemoryOutbox()
        self.threads = Threads(2)
        self.done = threading.Event()
        self.done.set()
        self.made: list[Document | None] = []
        self.delivery = Delivery(
            self.telegram, self.turns, self.outbox, self.threads, Codes([b"k" * 32]), documents=self
        )

    def make(self, mail):
        """As `ports.Documents`: what a test has laid ready, once it lets it be done."""
        assert self.done.wait(30)
        return self.made.pop(0)

    def put(self, *titles, chat_id=ANNE, **options):
        return [self.outbox.put(chat_id, "message", letter(title), **options) for title in titles]

    async def deliver(self, mail_id):
        return await self.delivery.deliver(self.outbox.mails[mail_id])


@pytest.fixture
async def world():
    world = World()
    yield world
    world.threads.close()
    await world.telegram.close()


async def test_messages_of_a_chat_are_delivered_in_order_and_once(world):
    world.put("un", "deux", "trois")
    world.put("autre", chat_id=BERT)
    await world.delivery.deliver_chat(ANNE)
    await world.delivery.deliver_chat(ANNE)
    assert (world.telegram.says(ANNE), world.telegram.says(BERT)) == (
        ["<b>un</b>", "<b>deux</b>", "<b>trois</b>"],
        [],
    )
    assert await world.delivery.deliver_due() == 1
    assert world.telegram.says(BERT) == ["<b>autre</b>"]


async def test_a_message_of_the_night_is_silent(world):
    world.put("jour")
    world.put("nuit", silent=True)
    await world.delivery.deliver_chat(ANNE)
    assert [sent.get("disable_notification") for _, sent in world.telegram.calls] == [None, True]


async def test_a_receipt_takes_the_place_of_the_card(world):
    (card,) = world.put("carte")
    await world.delivery.deliver_chat(ANNE)
    (_, message_id) = world.outbox.results[card]
    receipt = world.outbox.put(ANNE, "receipt", letter("reçu", replaces=message_id))
    assert await world.deliver(receipt) == Delivered(message_id)
    assert await world.deliver(receipt) == Delivered(
        message_id
    )  # again, its answer was lost: nothing is repeated
    assert world.telegram.says(ANNE) == ["<b>reçu</b>"]


async def test_a_receipt_whose_card_is_gone_is_sent(world):
    receipt = world.outbox.put(ANNE, "receipt", letter("reçu", replaces=77))
    result = await world.deliver(receipt)
    assert isinstance(result, Delivered)
    assert result.message_id in world.telegram.chats[ANNE]


async def test_deleting_what_is_gone_or_too_old_is_done(world):
    world.put("numéro", "vieux")
    await world.delivery.deliver_chat(ANNE)
    number, old = world.telegram.chats[ANNE]
    world.telegram.undeletable.add(old)
    for message_id in (number, number, old):
        row = world.outbox.put(ANNE, "delete", {"message_id": message_id})
        assert await world.deliver(row) == Delivered(None)
    assert world.telegram.says(ANNE) == ["<b>vieux</b>"]


async def test_after_a_429_the_chat_waits_as_long_as_it_is_told_and_keeps_its_order(world):
    world.put("un", "deux")
    world.telegram.fail("sendMessage", Trouble.FLOOD, retry_after=0.2)
    begun = asyncio.get_running_loop().time()
    await world.delivery.deliver_chat(ANNE)
    assert world.telegram.says(ANNE) == []
    while world.outbox.open():
        await world.delivery.deliver_chat(ANNE)
        if world.telegram.says(ANNE):
            assert asyncio.get_running_loop().time() - begun >= 0.2
        await asyncio.sleep(0.02)
    assert world.telegram.says(ANNE) == ["<b>un</b>", "<b>deux</b>"]


async def test_waits_grow_while_telegram_fails(world):
    (mail_id,) = world.put("un")
    waits = []
    for _ in range(12):
        world.outbox.due.clear()
        (mail,) = world.outbox.take_for(ANNE)
        world.telegram.fail("sendMessage", Trouble.TEMPORARY)
        waits.append(await world.delivery.deliver(mail))
    assert waits[:4] == [Later(1.0), Later(2.0), Later(4.0), Later(8.0)]
    assert waits[-1] == Later(300.0)
    assert mail_id not in world.outbox.results


async def test_a_lost_answer_costs_one_repeated_message_and_never_a_lost_one(world):
    world.put("un")
    world.telegram.fail("sendMessage", Trouble.TEMPORARY, applied=True)
    await world.delivery.deliver_chat(ANNE)
    world.outbox.due.clear()
    await world.delivery.deliver_chat(ANNE)
    await world.delivery.deliver_chat(ANNE)
    assert world.telegram.says(ANNE) == ["<b>un</b>", "<b>un</b>"]


async def test_delivery_to_somebody_who_blocked_the_bot_ends_at_once(world):
    world.telegram.blocked.add(ANNE)
    rows = world.put("un", "deux")
    await world.delivery.deliver_chat(ANNE)
    assert [world.outbox.results[row] for row in rows] == [("ended", "blocked")] * 2
    assert (world.turns.blocked_chats, len(world.telegram.calls)) == ([ANNE], 1)


async def test_a_row_that_cannot_be_drawn_ends_and_the_next_goes_out(world):
    broken = world.outbox.put(ANNE, "message", {"view": {}})
    world.put("deux")
    await world.delivery.deliver_chat(ANNE)
    assert world.outbox.results[broken][0] == "ended"
    assert world.telegram.says(ANNE) == ["<b>deux</b>"]


async def test_words_that_telegram_refuses_even_without_markup_end(world):
    (row,) = world.put("un")
    world.telegram.fail("sendMessage", Trouble.REFUSED, times=2)
    assert await world.deliver(row) == Ended("refused")


async def test_while_the_database_is_away_nothing_is_given_up(world):
    (row,) = world.put("un")
    world.telegram.blocked.add(ANNE)

    def away(chat_id):
        raise DatabaseUnavailable("away")

    world.turns.blocked = away
    with pytest.raises(DatabaseUnavailable):
        await world.delivery.deliver_chat(ANNE)
    assert row not in world.outbox.results


async def test_one_slow_chat_does_not_hold_back_another(world):
    world.put("un", "deux")
    world.put("autre", chat_id=BERT)
    world.telegram.fail("sendMessage", Trouble.FLOOD, retry_after=60)
    assert await world.delivery.deliver_due() == 3
    assert (world.telegram.says(ANNE), world.telegram.says(BERT)) == ([], ["<b>autre</b>"])


async def test_a_document_is_made_anew_for_each_try_and_sent_under_its_name(world):
    world.made = [Document("users.csv", b"1;2", "one person"), Document("users.csv", b"1;3", "one person")]
    row = world.outbox.put(ANNE, "document", {"lang": "fr"})
    world.telegram.fail("sendDocument", Trouble.TEMPORARY)
    assert isinstance(await world.deliver(row), Later)
    result = await world.deliver(row)
    assert isinstance(result, Delivered)
    sent = world.telegram.chats[ANNE][result.message_id]
    file = sent["document"]
    assert (file.filename, file.input_file_content, sent["caption"]) == ("users.csv", b"1;3", "one person")


async def test_whoever_may_not_have_a_document_any_more_is_told_in_his_language(world):
    world.made = [None]
    row = world.outbox.put(ANNE, "document", {"lang": "nl"})
    assert isinstance(await world.deliver(row), Delivered)
    (said,) = world.telegram.says(ANNE)
    assert "Het bestand wordt niet verstuurd" in said
    assert world.telegram.count("sendDocument") == 0


@pytest.mark.parametrize(
    ("lang", "words", "door"),
    [
        ("fr", "Telegram n'a pas accepté le fichier", "Utilisateurs"),
        ("nl", "Telegram heeft het bestand niet aanvaard", "Gebruikers"),
        ("de", "Telegram hat die Datei nicht angenommen", "Benutzer"),
        ("en", "Telegram did not accept the file", "Users"),
    ],
)
async def test_a_document_that_telegram_refuses_is_said_not_to_have_come_and_what_to_do(
    world, lang, words, door
):
    world.made = [Document("users.csv", b"1;2", "")]
    row = world.outbox.put(ANNE, "document", {"lang": lang})
    world.put("suite")
    world.telegram.fail("sendDocument", Trouble.REFUSED)
    await world.delivery.deliver_chat(ANNE)
    assert world.outbox.results[row] == ("ended", "refused")
    said, after = world.telegram.says(ANNE)
    assert words in said
    assert after == "<b>suite</b>"
    [told] = [
        given for method, given in world.telegram.calls if method == "sendMessage" and words in given["text"]
    ]
    assert door in told["reply_markup"]["inline_keyboard"][0][0]["text"]


async def test_while_that_cannot_be_said_either_the_row_waits_and_is_not_lost(world):
    world.made = [Document("users.csv", b"1;2", "")] * 2
    row = world.outbox.put(ANNE, "document", {"lang": "fr"})
    world.telegram.fail("sendDocument", Trouble.REFUSED, times=2)
    world.telegram.fail("sendMessage", Trouble.FLOOD, retry_after=7)
    assert await world.deliver(row) == Later(7)
    assert await world.deliver(row) == Ended("refused")
    assert len(world.telegram.says(ANNE)) == 1


async def test_a_document_that_cannot_be_made_is_said_to_have_failed(world):
    world.made = []  # making it fails
    row = world.outbox.put(ANNE, "document", {"lang": "fr"})
    await world.delivery.deliver_chat(ANNE)
    assert world.outbox.results[row][0] == "ended"
    (said,) = world.telegram.says(ANNE)
    assert "Le fichier n'a pas pu être créé" in said


async def test_while_a_document_is_made_its_row_is_nobody_elses_and_other_chats_go_on(world):
    world.made = [Document("users.csv", b"1;2", "")]
    world.done.clear()
    world.delivery.keeping = 0.02
    row = world.outbox.put(ANNE, "document", {"lang": "fr"})
    making = asyncio.create_task(world.deliver(row))
    await eventually(lambda: world.outbox.kept)
    world.put("autre", chat_id=BERT)
    await world.delivery.deliver_chat(BERT)
    assert (world.telegram.says(BERT), making.done()) == (["<b>autre</b>"], False)
    world.done.set()
    assert isinstance(await making, Delivered)
    assert set(world.outbox.kept) == {row}
    kept = len(world.outbox.kept)
    await asyncio.sleep(0.05)
    assert len(world.outbox.kept) == kept

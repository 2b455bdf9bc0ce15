"""Whoever waits for the database is told so once, in his language, and hears no more of it when it is back."""

import pytest
from bot.conversations.model import Tap, Text
from bot.handlers.callbacks import Codes
from bot.handlers.delays import AWAY, STALE, Delays
from bot.handlers.gateway import Trouble
from bot.i18n import speaker
from bot.msg import LANGUAGES
from bot.turn import Incoming
from tests.handlers.telegram import FakeTelegram

ANNE, BERT, CARL = 5_000_000_001, 5_000_000_002, 5_000_000_003


class World:
    def __init__(self):
        self.telegram, self.now = FakeTelegram(), 100.0
        self.delays = Delays(self.telegram, Codes([b"k" * 32]), quiet=2.0, clock=lambda: self.now)

    async def waits(self, *seconds, chat=ANNE, **facts):
        """An update waits, and is tried after so many seconds each."""
        incoming = Incoming(7, chat, chat, **{"event": Text("x"), **facts})
        for each in (0.0, *seconds):
            self.now += each
            self.delays.waits(incoming)
            await self.delays.settle()

    async def goes_on(self, chat=ANNE, lang=None):
        self.delays.over(chat, lang)
        await self.delays.settle()


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.delays.close()
    await world.telegram.close()


def said(lang):
    return speaker(lang).html(AWAY)


async def test_a_moment_is_not_told_of(world):
    await world.waits(0.2, 0.5, 1.2)
    await world.goes_on()
    assert world.telegram.calls == []


async def test_a_longer_wait_is_told_once_and_the_sentence_goes_when_it_is_over(world):
    await world.waits(1.0, 1.0, 2.0, 2.0)
    assert world.telegram.says(ANNE) == [said("fr")]
    await world.goes_on()
    assert world.telegram.says(ANNE) == []
    await world.waits(5.0)
    assert world.telegram.says(ANNE) == [said("fr")], "the next time he is told again"


async def test_each_tap_is_answered_once_and_leaves_nothing_in_the_chat(world):
    tap = Tap(1, "ok")
    await world.waits(3.0, 2.0, event=tap, callback_id="98")
    await world.waits(2.0, event=tap, callback_id="99")
    answers = [(method, given["callback_query_id"]) for method, given in world.telegram.calls]
    assert answers == [("answerCallbackQuery", "98"), ("answerCallbackQuery", "99")]
    assert world.telegram.calls[0][1]["text"] == speaker("fr").plain(AWAY)
    await world.goes_on()
    assert world.telegram.count("deleteMessage") == 0


async def test_it_is_said_in_the_language_of_the_chat_and_before_the_first_turn_in_the_clients(world):
    await world.goes_on(lang="de")
    await world.waits(3.0, lang="nl")
    await world.waits(3.0, lang="nl", chat=BERT)
    assert (world.telegram.says(ANNE), world.telegram.says(BERT)) == ([said("de")], [said("nl")])


async def test_what_another_copy_has_worked_is_taken_back_when_this_one_goes_on_elsewhere(world):
    await world.waits(3.0)
    await world.waits(3.0, chat=BERT)
    world.now += STALE - 2.0
    await world.goes_on(chat=CARL)
    assert (world.telegram.says(ANNE), world.telegram.says(BERT)) == ([], [said("fr")]), (
        "Bert waited a moment ago"
    )
    await world.waits(chat=BERT)
    world.now += STALE - 1.0
    await world.goes_on(chat=CARL)
    assert world.telegram.says(BERT) == [said("fr")]
    world.now += 1.0
    await world.goes_on(chat=CARL)
    assert world.telegram.says(BERT) == []


async def test_that_it_cannot_be_told_changes_nothing(world):
    world.telegram.fail("sendMessage", Trouble.TEMPORARY)
    await world.waits(3.0, 2.0)
    await world.goes_on()
    assert [method for method, _ in world.telegram.calls] == ["sendMessage"]


async def test_a_sentence_that_arrives_after_the_database_is_taken_back(world):
    incoming = Incoming(7, ANNE, ANNE, Text("x"))
    world.delays.waits(incoming)
    world.now += 3.0
    world.delays.waits(incoming)
    world.delays.over(ANNE)
    await world.delays.settle()
    assert (world.telegram.count("sendMessage"), world.telegram.says(ANNE)) == (1, [])


async def test_a_bot_that_is_stopped_takes_its_sentences_along(world):
    await world.waits(3.0)
    assert world.telegram.says(ANNE) == [said("fr")]
    await world.delays.close()
    assert world.telegram.says(ANNE) == []


async def test_somebody_who_has_left_is_told_nothing(world):
    await world.waits(3.0, left=True)
    assert world.telegram.calls == []


def test_an_answer_to_a_tap_holds_it_in_every_language():
    assert {lang for lang in LANGUAGES if len(speaker(lang).plain(AWAY)) > 200} == set()

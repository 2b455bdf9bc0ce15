import time

import pytest
from bot.conversations.model import Command, Tap, Text
from bot.errors import DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Threads
from bot.handlers.delays import Delays
from bot.handlers.delivery import Delivery
from bot.handlers.desk import Desk
from bot.handlers.gateway import Trouble
from bot.handlers.menu import Menu
from bot.handlers.panel import Panel
from bot.turn import Incoming
from tests.handlers.fakes import FakeTurns, MemoryOutbox
from tests.handlers.telegram import FakeTelegram

ANNE = 5_000_000_001


class World:
    def __init__(self):
        self.telegram = FakeTelegram()
        self.turns = FakeTurns()
        self.turns.outbox = MemoryOutbox()
        self.threads = Threads(2)
        codes = Codes([b"k" * 32])
        self.delivery = Delivery(self.telegram, self.turns, self.turns.outbox, self.threads, codes)
        panel = Panel(self.telegram, self.turns, self.threads, codes)
        menu, self.delays = Menu(self.telegram), Delays(self.telegram, codes, quiet=0.0)
        self.desk = Desk(
            self.turns, self.telegram, self.threads, self.delivery, panel, menu, self.delays, slow=30.0
        )

    async def work(self, event, update_id=1, callback_id=None):
        incoming = Incoming(update_id, ANNE, ANNE, event, callback_id=callback_id)
        handled = await self.desk.turn(incoming)
        await self.desk.answer(incoming, handled)
        await self.desk.follow_up(incoming, handled)

    def methods(self):
        return [method for method, _ in self.telegram.calls]


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.desk.close()
    world.threads.close()
    await world.telegram.close()


async def test_a_tap_is_answered_right_after_the_commit_and_before_the_card(world):
    await world.work(Tap(1, "alert", "x"), callback_id="99")
    assert world.methods() == ["answerCallbackQuery", "sendMessage"]
    answer = {"callback_query_id": "99", "text": "Accueil", "show_alert": True}
    assert world.telegram.calls[0][1] == answer


async def test_a_repeated_update_shows_the_card_and_answers_the_tap_no_second_time(world):
    for _ in range(2):
        await world.work(Tap(1, "ok", "x"), callback_id="99")
    assert world.methods() == ["answerCallbackQuery", "sendMessage", "editMessageText"]


async def test_a_tap_too_old_to_be_answered_is_worked_all_the_same(world):
    world.telegram.fail("answerCallbackQuery", Trouble.GONE)
    await world.work(Tap(1, "ok", "x"), callback_id="99")
    assert world.telegram.says(ANNE) == ["<b>ok x 1</b>"]


async def test_messages_that_stay_come_before_the_card(world):
    await world.work(Text("mail"))
    assert world.telegram.says(ANNE) == ["<b>d'abord</b>", "<b>ensuite</b>"]


async def test_typing_is_shown_only_when_it_takes_a_while(world):
    await world.work(Text("vite"))
    assert "sendChatAction" not in world.methods()
    world.turns.before = lambda incoming: time.sleep(0.15)
    world.desk._slow = 0.05
    await world.work(Text("lent"), update_id=2)
    assert world.methods().count("sendChatAction") == 1


async def test_what_cannot_be_shown_never_makes_the_turn_fail(world):
    world.turns.shown = lambda *args: 1 / 0
    await world.work(Text("un"))
    await world.work(Text("deux"), update_id=2)
    assert len(world.turns.handled) == 2


async def test_what_was_shown_is_noted_when_the_database_is_back(world):
    tries = []

    def comes_back(*args):
        tries.append(args)
        if len(tries) < 3:
            raise DatabaseUnavailable("away")

    world.turns.shown = comes_back
    await world.work(Text("un"))
    assert len(tries) == 3
    assert len(set(tries)) == 1


async def test_a_chat_that_changes_its_language_gets_its_menu(world):
    await world.work(Command("language", "nl"))
    await world.desk._tasks.settle()
    assert world.methods()[-1] == "setMyCommands"

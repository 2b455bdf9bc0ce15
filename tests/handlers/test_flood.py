"""Token buckets ahead of the database, and what of a stranger's flood is stored; what it costs is measured in `tests/bench`."""

from __future__ import annotations

import pytest
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Threads
from bot.handlers.delays import Delays
from bot.handlers.flood import KNOWN, REMEMBERED, STRANGER, STRANGERS, Gate, Verdicts
from bot.handlers.polling import Poller
from hypothesis import given
from hypothesis import strategies as st
from tests.handlers.fakes import MemoryInbox, arrived
from tests.handlers.telegram import FakeTelegram
from tests.handlers.test_polling import FakeLanes

CODES = Codes([b"k" * 32])

MANAGER, STRANGE = 5_000_000_001, 6_000_000_001


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_stranger_has_a_few_answers_then_one_a_minute(clock):
    gate = Gate(clock=clock)
    assert [gate.admits(STRANGE) for _ in range(8)] == [True] * STRANGER.size + [False] * 2
    for _ in range(3):
        clock.now += 61
        assert [gate.admits(STRANGE) for _ in range(3)] == [True, False, False]


def test_all_strangers_together_have_a_bound_and_people_of_the_register_do_not_feel_it(clock):
    gate = Gate(lambda: [MANAGER], clock=clock)
    gate.load()
    assert sum(gate.admits(STRANGE + each) for each in range(1000)) == STRANGERS.size
    assert all(gate.admits(MANAGER) for _ in range(KNOWN.size))
    assert not gate.admits(MANAGER)
    clock.now += 1
    assert sum(gate.admits(MANAGER) for _ in range(20)) == 10


def test_who_was_bound_or_unbound_meanwhile_is_known_after_one_turn(clock):
    gate = Gate(clock=clock)
    gate.learns(STRANGE, known=True)
    assert all(gate.admits(STRANGE) for _ in range(50))
    gate.learns(STRANGE, known=None)
    assert all(gate.admits(STRANGE) for _ in range(50))
    gate.learns(STRANGE, known=False)
    assert sum(gate.admits(STRANGE) for _ in range(50)) == STRANGER.size


def test_a_group_is_left_once_a_minute(clock):
    gate = Gate(clock=clock)
    assert [gate.leaves(-100) for _ in range(3)] == [True, False, False]
    clock.now += 61
    assert gate.leaves(-100)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30)), max_size=60))
def test_however_they_come_no_stranger_is_ever_given_more_than_the_rate(steps):
    clock = Clock()
    gate, given_to = Gate(clock=clock), dict.fromkeys(range(4), 0)
    for who, pause in steps:
        clock.now += pause
        given_to[who] += gate.admits(who)
    longest = STRANGER.size + (clock.now - 1000) / STRANGER.seconds
    assert all(number <= longest + 1e-6 for number in given_to.values())


def test_of_ten_thousand_guesses_within_an_hour_the_register_sees_a_few(clock):
    gate, seen = Gate(clock=clock), 0
    for _ in range(10_000):
        clock.now += 3600 / 10_000
        seen += gate.admits(STRANGE)
    assert seen <= STRANGER.size + 60


# -- through the poller ---------------------------------------------------------------------------


class Counting(MemoryInbox):
    """Counts what would have been database work."""

    def __init__(self):
        super().__init__()
        self.stored = []

    def keep(self, updates):
        self.stored += [update.lane for update in updates]
        super().keep(updates)


async def taken_in(inbox, gate, batch):
    threads, telegram = Threads(2), FakeTelegram()
    poller = Poller(telegram, inbox, FakeLanes(), threads, CODES, Delays(telegram, CODES), gate=gate)
    try:
        await poller._take_in(batch)
    finally:
        threads.close()
        await telegram.close()


async def test_a_thousand_updates_of_a_stranger_store_six_and_a_managers_all(clock):
    inbox = Counting()
    gate = Gate(lambda: [MANAGER], clock=clock)
    flood = [arrived(number, STRANGE, "x").body for number in range(1, 1001)]
    work = [arrived(2000 + number, MANAGER, "y").body for number in range(100)]
    await taken_in(inbox, gate, [*flood[:500], *work, *flood[500:]])
    assert (inbox.stored.count(STRANGE), inbox.stored.count(MANAGER)) == (STRANGER.size, 100)


async def test_a_flood_of_group_messages_asks_telegram_once(clock):
    threads, telegram = Threads(2), FakeTelegram()
    poller = Poller(
        telegram, MemoryInbox(), FakeLanes(), threads, CODES, Delays(telegram, CODES), gate=Gate(clock=clock)
    )
    body = {
        "chat": {"id": -7, "type": "group"},
        "from": {"id": 1},
        "message_id": 1,
        "date": 1,
        "text": "hello",
    }
    await poller._take_in([{"update_id": number, "message": body} for number in range(1, 200)])
    await poller._tasks.settle()
    threads.close()
    await telegram.close()
    assert len([call for call in telegram.calls if call[0] == "leaveChat"]) == 1


def test_an_update_is_weighed_once_until_it_is_settled():
    gate = Gate(clock=lambda: 0.0)
    verdicts = Verdicts(gate)
    first, beyond = int(STRANGER.size), int(STRANGER.size) + 1
    assert [verdicts.admits(update_id, 7) for update_id in range(1, first + 1)] == [True] * first
    assert not verdicts.admits(beyond, 7)
    assert (verdicts.admits(first, 7), verdicts.admits(beyond, 7)) == (True, False)
    verdicts.settled(first)
    assert not verdicts.admits(first, 7), "weighed anew"


def test_only_so_many_verdicts_are_remembered():
    verdicts = Verdicts(None)
    assert all(verdicts.admits(update_id, 7) for update_id in range(REMEMBERED + 5))
    assert len(verdicts._said) == REMEMBERED

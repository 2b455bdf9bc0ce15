import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from bot.errors import DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Threads
from bot.handlers.lanes import INTERRUPTIONS, TRIES, Lanes
from bot.turn import Handled
from tests.handlers.fakes import MemoryInbox, arrived

ANNE, BERT = 5_000_000_001, 5_000_000_002


class FakeDesk:
    """Works what does not fail; notes the order, and how many are worked at a time."""

    def __init__(self, inbox):
        self.inbox = inbox
        self.worked = []
        self.tries = Counter()
        self.fails = {}
        self.at_once = Counter()
        self.most = 0
        self.apologies = []
        self.waited = []
        self.overs = []
        self.pause = 0.0

    async def turn(self, incoming):
        self.tries[incoming.update_id] += 1
        self.at_once[incoming.chat_id] += 1
        self.most = max(self.most, self.at_once.total())
        assert self.at_once[incoming.chat_id] == 1
        try:
            await asyncio.sleep(self.pause)
            errors = self.fails.get(incoming.update_id, [])
            if errors:
                raise errors.pop(0)
        finally:
            self.at_once[incoming.chat_id] -= 1
        self.worked.append(incoming.update_id)
        self.inbox.done.add(incoming.update_id)
        return Handled(incoming.chat_id, "fr", repeated=False, toast=None, card=None, mail=False)

    def waits(self, incoming):
        self.waited.append(incoming.update_id)

    def over(self, chat_id):
        self.overs.append(chat_id)

    async def answer(self, incoming, handled):
        pass

    async def follow_up(self, incoming, handled):
        pass

    async def give_up(self, chat_id, update_id):
        return "4F2A"

    async def apologised(self, chat_id):
        self.apologies.append(chat_id)


@pytest.fixture
def inbox():
    return MemoryInbox()


@pytest.fixture
def desk(inbox):
    return FakeDesk(inbox)


@pytest.fixture
async def lanes(inbox, desk):
    threads = Threads(2)
    lanes = Lanes(inbox, desk, threads, Codes([b"k" * 32]), ChatLocks(), pause=0.001)
    yield lanes
    await lanes.close()
    threads.close()


async def test_updates_of_a_chat_are_worked_in_order_and_chats_side_by_side(inbox, desk, lanes):
    desk.pause = 0.005
    chats = [ANNE + number for number in range(10)]
    inbox.keep(
        [arrived(1 + 10 * turn + number, chat, "x") for turn in range(3) for number, chat in enumerate(chats)]
    )
    lanes.wake(chats)
    await lanes.settle()
    assert sorted(desk.worked) == list(range(1, 31))
    for number in range(10):
        assert [update for update in desk.worked if update % 10 == (number + 1) % 10] == [
            1 + number,
            11 + number,
            21 + number,
        ]
    assert desk.most > 1


async def test_what_an_earlier_run_left_is_worked_at_the_start(inbox, desk, lanes):
    inbox.keep([arrived(1, ANNE, "x"), arrived(2, BERT, "x")])
    await lanes.resume()
    await lanes.settle()
    assert sorted(desk.worked) == [1, 2]


async def test_an_update_that_arrives_while_its_lane_is_worked_is_worked_too(inbox, desk, lanes):
    desk.pause = 0.01
    for update_id in range(1, 6):
        inbox.keep([arrived(update_id, ANNE, "x")])
        lanes.wake([ANNE])
        await asyncio.sleep(0.007)
    await lanes.settle()
    assert desk.worked == [1, 2, 3, 4, 5]


async def test_an_update_that_always_fails_is_set_aside_after_five_tries_with_an_apology(inbox, desk, lanes):
    desk.fails[1] = [ValueError("79.08.23-997.28")] * 9
    inbox.keep([arrived(1, ANNE, "x"), arrived(2, ANNE, "y")])
    lanes.wake([ANNE])
    await lanes.settle()
    assert (desk.tries[1], desk.worked, desk.apologies) == (TRIES, [2], [ANNE])
    error, reference = inbox.aside[1]
    assert (reference, error.partition(":")[0]) == ("4F2A", "ValueError at tests.handlers.test_lanes")


async def test_a_stuck_chat_stops_nobody(inbox, desk, lanes):
    desk.fails[1] = [ValueError()] * 3
    inbox.keep([arrived(1, ANNE, "x"), arrived(2, BERT, "x")])
    lanes.wake([ANNE, BERT])
    await lanes.settle()
    assert desk.worked == [2, 1]


async def test_an_update_that_was_interrupted_by_power_cuts_is_worked(inbox, desk, lanes):
    inbox.keep([arrived(1, ANNE, "x")])
    inbox.rows[1] = replace(inbox.rows[1], attempts=INTERRUPTIONS - 1)
    lanes.wake([ANNE])
    await lanes.settle()
    assert (desk.worked, inbox.aside) == ([1], {})


async def test_an_update_that_took_the_process_down_many_times_is_not_tried_again(inbox, desk, lanes):
    inbox.keep([arrived(1, ANNE, "x"), arrived(2, ANNE, "x")])
    inbox.rows[1] = replace(inbox.rows[1], attempts=INTERRUPTIONS)
    await lanes.resume()
    await lanes.settle()
    assert (desk.worked, inbox.aside[1]) == ([2], ("interrupted", "4F2A"))


async def test_each_try_is_counted_before_it_is_made(inbox, desk, lanes):
    seen = []
    desk.fails[1] = [ValueError()] * 2
    turn = desk.turn

    async def watched(incoming):
        seen.append(inbox.rows[1].attempts)
        return await turn(incoming)

    desk.turn = watched
    inbox.keep([arrived(1, ANNE, "x")])
    lanes.wake([ANNE])
    await lanes.settle()
    assert seen == [1, 2, 3]


async def test_that_the_database_is_away_is_no_fault_of_the_update(inbox, desk, lanes, monkeypatch):
    monkeypatch.setattr("bot.handlers.concurrency.back_off", lambda first, most: iter([0.001] * 99))
    desk.fails[1] = [DatabaseUnavailable("away")] * 12
    inbox.keep([arrived(1, ANNE, "x")])
    lanes.wake([ANNE])
    await lanes.settle()
    assert (desk.worked, inbox.rows[1].attempts, inbox.aside) == ([1], 1, {})


async def test_while_the_database_is_away_the_lanes_wait(inbox, desk, lanes):
    inbox.keep([arrived(1, ANNE, "x")])
    inbox.away = True
    lanes.wake([ANNE])
    await asyncio.sleep(0.05)
    assert desk.worked == []
    inbox.away = False
    await lanes.settle()
    assert desk.worked == [1]


@pytest.mark.parametrize("body", [None, {}, {"update_id": 1, "inline_query": {}}])
async def test_an_update_that_cannot_be_read_is_set_aside(inbox, desk, lanes, body):
    inbox.keep([replace(arrived(1, ANNE, "x"), body=body)])
    lanes.wake([ANNE])
    await lanes.settle()
    assert (desk.tries[1], inbox.aside[1][1]) == (0, "4F2A")


async def test_an_update_that_another_process_has_worked_meanwhile_is_left(inbox, desk, lanes):
    desk.pause = 0.05
    inbox.keep([arrived(1, ANNE, "x")])
    inbox.count_attempt = lambda update_id: inbox.done.add(update_id) or 0
    lanes.wake([ANNE])
    await lanes.settle()
    assert (desk.worked, inbox.aside) == ([], {})
    assert set(desk.overs) == {ANNE}, "nobody waits for it here any more"


async def test_a_lane_where_nothing_is_left_waits_for_nothing(inbox, desk, lanes):
    inbox.keep([arrived(1, ANNE, "x")])
    inbox.away = True
    lanes.wake([ANNE])
    await asyncio.sleep(0.02)
    assert desk.overs == []
    inbox.done.add(1)  # by another process
    inbox.away = False
    await lanes.settle()
    assert (desk.worked, desk.overs) == ([], [ANNE])

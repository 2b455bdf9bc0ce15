import asyncio

import pytest
import structlog
from bot.errors import ConfigurationError, DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Threads
from bot.handlers.delays import Delays
from bot.handlers.flood import KNOWN, Gate
from bot.handlers.gateway import Trouble
from bot.handlers.polling import Poller
from tests.handlers.fakes import MemoryInbox, arrived, eventually
from tests.handlers.telegram import FakeTelegram

ANNE, BERT = 5_000_000_001, 5_000_000_002


class FakeLanes:
    def __init__(self):
        self.woken = []
        self.resumed = 0

    async def resume(self):
        self.resumed += 1

    def wake(self, lanes):
        self.woken.append(sorted(lanes))


class World:
    def __init__(self):
        self.telegram = FakeTelegram()
        self.inbox = MemoryInbox()
        self.lanes = FakeLanes()
        self.threads = Threads(2)
        codes = Codes([b"k" * 32])
        self.gate = Gate()
        self.delays = Delays(self.telegram, codes, quiet=0.0)
        self.poller = Poller(
            self.telegram, self.inbox, self.lanes, self.threads, codes, self.delays, seconds=0, pause=0.001, gate=self.gate
        )  # fmt: skip

    async def polls(self, *, until):
        stop = asyncio.Event()
        task = asyncio.create_task(self.poller.run(stop))
        await eventually(lambda: until() or task.done())
        stop.set()
        await task


@pytest.fixture
async def world():
    world = World()
    yield world
    await world.delays.close()
    world.threads.close()
    await world.telegram.close()


def bodies(*updates):
    return [update.body for update in updates]


async def test_a_batch_is_stored_in_one_commit_before_the_next_call_confirms_it(world):
    world.telegram.updates = bodies(arrived(7, ANNE, "x"), arrived(8, BERT, "y"), arrived(9, ANNE, "z"))
    await world.polls(until=lambda: world.telegram.updates == [])
    assert (world.inbox.batches, world.lanes.woken, world.telegram.offsets[:2]) == (
        [[7, 8, 9]],
        [[ANNE, BERT]],
        [None, 10],
    )


async def test_after_a_quiet_time_updates_with_lower_numbers_arrive_too(world):
    world.telegram.updates = bodies(arrived(700, ANNE, "x"))
    await world.polls(until=lambda: world.telegram.offsets[-1:] == [None] and len(world.telegram.offsets) > 2)
    world.telegram.updates = bodies(arrived(5, ANNE, "y"))
    await world.polls(until=lambda: 5 in world.inbox.rows)
    assert sorted(world.inbox.rows) == [5, 700]


async def test_what_is_not_for_us_is_never_stored_and_a_group_is_left(world):
    group = arrived(7, ANNE, "79.08.23-997.28").body
    group["message"]["chat"] = {"id": -7, "type": "supergroup"}
    world.telegram.updates = [group, {"update_id": 8, "inline_query": {}}]
    await world.polls(
        until=lambda: ("leaveChat", {"chat_id": -7}) in world.telegram.calls and not world.telegram.updates
    )
    assert (world.inbox.batches, world.telegram.updates) == ([], [])


async def test_while_the_database_is_away_nothing_is_confirmed(world):
    world.inbox.away = True
    world.telegram.updates = bodies(arrived(7, ANNE, "x"))
    stop = asyncio.Event()
    task = asyncio.create_task(world.poller.run(stop))
    await eventually(lambda: world.telegram.says(ANNE))
    world.telegram.updates += bodies(arrived(8, BERT, "y"))
    await eventually(lambda: world.telegram.says(BERT))
    assert set(world.telegram.offsets) == {None}
    world.inbox.away = False
    await eventually(lambda: world.inbox.batches)
    stop.set()
    await task
    assert world.inbox.batches == [[7, 8]]
    assert len(world.telegram.says(ANNE)) == 1, "told once, however often the update came"


async def test_waiting_for_the_database_is_no_flood(world):
    level = world.gate._people
    world.gate.learns(ANNE, known=True)
    batch = bodies(arrived(7, ANNE, "x"))
    world.inbox.away = True
    for _ in range(5):
        with pytest.raises(DatabaseUnavailable):
            await world.poller._take_in(batch)
    assert level._levels[ANNE][0] == KNOWN.size - 1


async def test_what_an_earlier_run_left_is_worked_first(world):
    await world.polls(until=lambda: world.lanes.resumed > 0)
    assert world.lanes.resumed >= 1


@pytest.mark.parametrize("trouble", [Trouble.TEMPORARY, Trouble.CONFLICT, Trouble.FLOOD])
async def test_the_loop_survives_trouble(world, trouble):
    world.telegram.fail("getUpdates", trouble, times=4, retry_after=0.001)
    world.telegram.updates = bodies(arrived(7, ANNE, "x"))
    await world.polls(until=lambda: world.inbox.batches)
    assert world.inbox.batches == [[7]]


async def test_a_lost_answer_to_a_poll_loses_nothing_and_stores_nothing_twice(world):
    world.telegram.fail("getUpdates", Trouble.TEMPORARY, times=2, applied=True)
    world.telegram.updates = bodies(arrived(7, ANNE, "x"))
    await world.polls(until=lambda: not world.telegram.updates)
    assert world.inbox.batches == [[7]]


async def test_another_copy_that_polls_is_told_in_one_line(world):
    world.telegram.fail("getUpdates", Trouble.CONFLICT, times=5)
    with structlog.testing.capture_logs() as lines:
        await world.polls(until=lambda: world.telegram.offsets)
    assert [line["event"] for line in lines] == ["polling_conflict"]
    assert "another copy of this bot polls" in lines[0]["reason"]


async def test_a_wrong_token_stops_with_one_line_for_the_operator(world):
    world.telegram.fail("getUpdates", Trouble.UNAUTHORIZED)
    with pytest.raises(ConfigurationError, match="ACCESSBOT_TELEGRAM_TOKEN"):
        await world.polls(until=lambda: False)


async def test_stopping_does_not_wait_for_telegram(world):
    world.telegram.fail("getUpdates", Trouble.FLOOD, retry_after=600)
    async with asyncio.timeout(1):
        await world.polls(until=lambda: world.telegram.count("getUpdates"))

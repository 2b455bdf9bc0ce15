"""What a stranger's flood costs somebody at work, as a ratio in one run: measured alone, for the machine decides here too."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time

from bot.handlers.flood import Gate
from bot.handlers.mailroom import StoreInbox
from tests.handlers.fakes import arrived
from tests.handlers.test_flood import MANAGER, STRANGE, taken_in


async def test_a_strangers_flood_costs_a_manager_at_most_a_third_more_time(database, keyring):
    """Five pairs, each of ten batches with and ten without 100 updates of a stranger, taken by turns: what a manager waits."""
    inbox, numbers = StoreInbox(database, keyring), itertools.count(1)
    gate = Gate(lambda: [MANAGER])
    gate.load()
    for _ in range(10):
        gate.admits(STRANGE)  # the flood has been going on for a while

    async def waits(*, strangers):
        flood = [arrived(next(numbers), STRANGE, "x" * 200).body for _ in range(strangers)]
        mine = [arrived(next(numbers), MANAGER, "y").body for _ in range(4)]
        begun = time.perf_counter()
        await taken_in(inbox, gate, [*flood, *mine])
        for update in mine:  # as the lane does
            await asyncio.to_thread(inbox.next_in, MANAGER)
            await asyncio.to_thread(inbox.count_attempt, update["update_id"])
        return time.perf_counter() - begun

    await waits(strangers=100)
    pairs = []
    for _ in range(5):
        alone, flooded = [], []
        for _ in range(10):
            alone.append(await waits(strangers=0))
            flooded.append(await waits(strangers=100))
        pairs.append(statistics.median(flooded) / statistics.median(alone))
    assert statistics.median(pairs) <= 1.3, pairs

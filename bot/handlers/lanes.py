"""Lanes: the updates of the inbox, one after the other within a chat, chats side by side.

After five failures in a row an update is set aside, the person gets an apology with a reference, and the chat goes on. One
stuck chat stops nobody. An attempt is counted before it is made, so an update that takes the process down is counted too;
but most of what is interrupted is innocent (a power cut hits all that is in work), so that takes many more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from bot.errors import where
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Tasks, Threads, back_off, patiently
from bot.handlers.desk import Desk
from bot.handlers.inbound import read
from bot.handlers.ports import Inbox, Waiting
from bot.turn import Incoming

log = structlog.get_logger(__name__)
TRIES = 5
INTERRUPTIONS = 25
"""So many attempts in all, those of earlier lives of the process included, make an update the suspect."""
WIDTH = 64
"""So many updates are worked at a time."""


class Lanes:
    """Works the inbox. `pause` is the first wait, in seconds, before a failed update is tried again."""

    def __init__(
        self,
        inbox: Inbox,
        desk: Desk,
        threads: Threads,
        codes: Codes,
        locks: ChatLocks,
        *,
        width: int = WIDTH,
        pause: float = 0.5,
    ) -> None:
        self._inbox = inbox
        self._desk = desk
        self._threads = threads
        self._codes = codes
        self._locks = locks
        self._width = asyncio.Semaphore(width)
        self._pause = pause
        self._tasks = Tasks()
        self._working: set[int] = set()
        self._again: set[int] = set()

    async def resume(self) -> None:
        """Works what an earlier run left in the inbox. Raises DatabaseUnavailable."""
        self.wake(await self._threads.run(self._inbox.open_lanes))

    def wake(self, lanes: Iterable[int]) -> None:
        """Something waits in these lanes."""
        for lane in lanes:
            self._again.add(lane)
            if lane not in self._working:
                self._working.add(lane)
                self._tasks.start(self._work(lane))

    async def settle(self) -> None:
        """Waits until every lane is empty."""
        await self._tasks.settle()

    async def close(self) -> None:
        """Stops working; what is open stays in the inbox."""
        await self._tasks.cancel()

    async def _work(self, lane: int) -> None:
        try:
            while lane in self._again:
                self._again.discard(lane)
                while (waiting := await self._threads.patiently(self._inbox.next_in, lane)) is not None:
                    await self._one(waiting)
                self._desk.over(lane)  # another process may have worked what waited here
        finally:
            self._working.discard(lane)

    async def _one(self, waiting: Waiting) -> None:
        pauses = back_off(self._pause, 30)
        attempts, failures, error = waiting.attempts, 0, "interrupted"
        while failures < TRIES and attempts < INTERRUPTIONS and waiting.body is not None:
            attempts = await patiently(
                lambda: self._threads.run(self._inbox.count_attempt, waiting.update_id),
                lambda: self._waits(waiting),
            )
            if not attempts:
                self._desk.over(waiting.lane)
                return  # another process was first
            try:
                async with self._width:
                    await self._try(waiting)
            except Exception as failure:  # noqa: BLE001 - whatever it is, the other chats go on
                error, failures = where(failure), failures + 1
                log.warning("update_failed", update_id=waiting.update_id, attempt=attempts, error=error)
            else:
                return
            if failures < TRIES:
                await asyncio.sleep(next(pauses))
        await self._set_aside(waiting, error)

    async def _try(self, waiting: Waiting) -> None:
        incoming = read(waiting.body, self._codes)
        if not isinstance(incoming, Incoming):
            raise ValueError("an update in the inbox that is not for a turn")  # noqa: TRY004 - its content is wrong, not its type
        async with self._locks.hold(waiting.lane):
            # that the database is away is no fault of the update, and is not counted as a try
            handled = await patiently(lambda: self._desk.turn(incoming), lambda: self._desk.waits(incoming))
            await self._desk.answer(incoming, handled)
            await self._desk.follow_up(incoming, handled)

    def _waits(self, waiting: Waiting) -> None:
        incoming = read(waiting.body, self._codes)
        if isinstance(incoming, Incoming):
            self._desk.waits(incoming)

    async def _set_aside(self, waiting: Waiting, error: str) -> None:
        reference = await patiently(lambda: self._desk.give_up(waiting.lane, waiting.update_id))
        await self._threads.patiently(self._inbox.set_aside, waiting.update_id, error, reference)
        await self._desk.apologised(waiting.lane)

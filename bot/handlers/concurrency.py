"""The two worlds of this package: asyncio at the edge, synchronous database work behind it. Pure asyncio."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic
from typing import Any, ParamSpec, TypeVar
from weakref import WeakValueDictionary

import structlog

from bot.errors import DatabaseUnavailable, where
from bot.handlers.ports import Screens

P = ParamSpec("P")
T = TypeVar("T")
log = structlog.get_logger(__name__)
_REMEMBERED = 10_000


class Threads:
    """Runs synchronous work beside the event loop, a bounded number at a time."""

    def __init__(self, width: int = 8) -> None:
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="turn")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of `work`, or what it raised."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *args, **kwargs))

    async def patiently(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `run`, but while the database is away it waits and tries again."""
        return await patiently(lambda: self.run(work, *args, **kwargs))

    def close(self) -> None:
        """Lets running work end and takes no more."""
        self._pool.shutdown(wait=True)


class ChatLocks:
    """One lock for each chat that is in use; forgotten with its last user."""

    shared = False
    """Whether others than this process may have held it in between."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, chat_id: int) -> AsyncIterator[bool]:
        """Holds the chat's lock; yields whether it had to wait for it."""
        lock = self._locks.get(chat_id)
        if lock is None:
            lock = self._locks[chat_id] = asyncio.Lock()
        waited = lock.locked()
        async with lock:
            yield waited


class ScreenLocks(ChatLocks):
    """The same, of one copy of the bot at a time where several are at work: in a chat one after the other draws.

    Whoever has waited too long goes on: the other copy's machine may have gone without a word. For a while then nobody waits
    for that chat again, unless it was free in between: whoever works many chats would stand still at each look.
    """

    patience = 30.0
    """Seconds."""
    impatient = 300.0
    """Seconds for which a chat that was waited for in vain is not waited for again."""

    def __init__(self, screens: Screens, threads: Threads) -> None:
        super().__init__()
        self.shared = screens.shared
        self._screens = screens
        self._threads = threads
        self._in_vain: OrderedDict[int, float] = OrderedDict()

    @asynccontextmanager
    async def hold(self, chat_id: int) -> AsyncIterator[bool]:
        """Holds the chat's lock; yields whether it had to wait for it in this copy."""
        async with super().hold(chat_id) as waited:
            if not self.shared:
                yield waited
                return
            taken = await self._taken(chat_id)
            try:
                yield waited
            finally:
                if taken:
                    await self._threads.run(self._screens.give, chat_id)

    async def _taken(self, chat_id: int) -> bool:
        until, pauses = monotonic() + self.patience, back_off(0.01, 0.1)
        while not await self._threads.run(self._screens.take, chat_id):
            if monotonic() < self._in_vain.get(chat_id, 0.0):
                return False
            if monotonic() > until:
                log.warning("screen_not_free")
                self._waited_in_vain(chat_id)
                return False
            await asyncio.sleep(next(pauses))
        self._in_vain.pop(chat_id, None)
        return True

    def _waited_in_vain(self, chat_id: int) -> None:
        self._in_vain.pop(chat_id, None)
        self._in_vain[chat_id] = monotonic() + self.impatient
        if len(self._in_vain) > _REMEMBERED:
            self._in_vain.popitem(last=False)


class Tasks:
    """Work that nobody waits for, kept alive until it ends. Its failures are noted, never lost."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts `work` now."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self) -> None:
        """Waits until nothing runs any more, what was started meanwhile included."""
        while self._running:
            await asyncio.wait(self._running)

    async def cancel(self) -> None:
        """Stops everything."""
        for task in self._running:
            task.cancel()
        await self.settle()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            note_failure("task_failed", error)


LONGEST = 2.0
"""Seconds between two tries while the database is away: once it is back, everybody goes on within ten."""


async def patiently(
    work: Callable[[], Awaitable[T]], waits: Callable[[], None] | None = None, *, longest: float = LONGEST
) -> T:
    """What `work` gives; while the database is away it waits and tries again, for as long as it takes.

    `waits` hears of each try that failed; the log, where the worker says it too, of the first.
    """
    pauses, tell = back_off(0.2, longest), log.warning
    while True:
        try:
            return await work()
        except DatabaseUnavailable as away:
            tell("database_away", reason=str(away))
            tell = log.debug
        if waits is not None:
            waits()
        await asyncio.sleep(next(pauses))


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` gives, or None when `stop` came first; then `work` is cancelled."""
    task, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        stopped.cancel()
        if not task.done():
            task.cancel()
        await asyncio.gather(task, stopped, return_exceptions=True)


def back_off(first: float, most: float) -> Iterator[float]:
    """Seconds to wait before each further try: doubling from `first` to `most`, a little at random."""
    pause = first
    while True:
        yield pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, guards nothing
        pause = min(pause * 2, most)


def note_failure(event: str, error: BaseException, **facts: object) -> None:
    """One line of the log about something that should not have happened, without its text."""
    log.error(event, error=where(error), **facts)

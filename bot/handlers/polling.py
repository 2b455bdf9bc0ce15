"""Our own getUpdates loop: a batch is stored in the inbox in one commit, and only the next call confirms it.

So an update is either still with Telegram or already ours, whenever the process dies. What is not for us (groups,
unknown kinds) is never stored. The loop survives everything but a token that is not valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from telegram.constants import PollingLimit

from bot.errors import ConfigurationError
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Tasks, Threads, back_off, unless
from bot.handlers.flood import Gate
from bot.handlers.gateway import POLL_SECONDS, CallFailed, Gateway, Trouble
from bot.handlers.inbound import ALLOWED_UPDATES, Leave, read
from bot.handlers.lanes import Lanes
from bot.handlers.myself import WRONG_TOKEN
from bot.handlers.ports import Arrived, Inbox

log = structlog.get_logger(__name__)
_MARGIN = 10
"""Seconds beyond the poll's own time before the line counts as dead."""
_ELSEWHERE = "another copy of this bot polls with the same token, or a webhook is set; this copy waits"


class Poller:
    """Fetches updates. `seconds` is how long Telegram may hold a call open; `pause` the first wait after a failure."""

    def __init__(
        self,
        gateway: Gateway,
        inbox: Inbox,
        lanes: Lanes,
        threads: Threads,
        codes: Codes,
        *,
        seconds: int = POLL_SECONDS,
        pause: float = 1.0,
        gate: Gate | None = None,
    ) -> None:
        self._gateway = gateway
        self._inbox = inbox
        self._lanes = lanes
        self._threads = threads
        self._codes = codes
        self._seconds = seconds
        self._pause = pause
        self._gate = gate
        self._offset: int | None = None
        self._conflict = False
        self._tasks = Tasks()

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until `stop` is set. Raises ConfigurationError when the token is not valid."""
        await self._lanes.resume()
        pauses = self._pauses()
        try:
            while not stop.is_set():
                try:
                    batch = await unless(stop, self._fetch())
                except CallFailed as failed:
                    await unless(stop, asyncio.sleep(self._wait_after(failed, pauses)))
                    continue
                if batch is not None:
                    pauses, self._conflict = self._pauses(), False
                    await self._take_in(batch)
        finally:
            await self._tasks.cancel()

    async def _fetch(self) -> list[dict[str, Any]]:
        updates: list[dict[str, Any]] = await self._gateway.call(
            "getUpdates",
            read_timeout=self._seconds + _MARGIN,
            offset=self._offset,
            timeout=self._seconds,
            limit=int(PollingLimit.MAX_LIMIT),
            allowed_updates=list(ALLOWED_UPDATES),
        )
        return updates

    async def _take_in(self, batch: Sequence[dict[str, Any]]) -> None:
        if not batch:
            # All is confirmed. After a quiet week Telegram starts at any number, even a lower one: ask from the first.
            self._offset = None
            await self._lanes.resume()
            return
        if self._gate is not None and not self._gate.loaded:
            await self._threads.patiently(self._gate.load)
        kept = list(self._for_us(batch))
        if kept:
            await self._threads.patiently(self._inbox.keep, kept)
        self._offset = max(update["update_id"] for update in batch) + 1
        self._lanes.wake({arrived.lane for arrived in kept})

    def _for_us(self, batch: Sequence[dict[str, Any]]) -> Iterator[Arrived]:
        for update in batch:
            match read(update, self._codes):
                case None:
                    continue
                case Leave(chat_id):
                    if self._gate is None or self._gate.leaves(chat_id):
                        self._tasks.start(leave(self._gateway, chat_id))
                case incoming if self._gate is None or self._gate.admits(incoming.chat_id):
                    yield Arrived(incoming.update_id, incoming.chat_id, update)

    def _wait_after(self, failed: CallFailed, pauses: Iterator[float]) -> float:
        pause = next(pauses)
        match failed.trouble:
            case Trouble.UNAUTHORIZED:
                raise ConfigurationError(WRONG_TOKEN) from None
            case Trouble.FLOOD:
                return failed.retry_after or pause
            case Trouble.CONFLICT if not self._conflict:
                self._conflict = True
                log.error("polling_conflict", reason=_ELSEWHERE)
        return pause

    def _pauses(self) -> Iterator[float]:
        return back_off(self._pause, 30)


async def leave(gateway: Gateway, chat_id: int) -> None:
    """Leaves a group or a channel: nobody's access is discussed there."""
    try:
        await gateway.call("leaveChat", chat_id=chat_id)
    except CallFailed as failed:
        log.info("group_not_left", trouble=failed.trouble.value)

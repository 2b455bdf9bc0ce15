"""Our own getUpdates loop: a batch is stored in the inbox in one commit, and only the next call confirms it.

So an update is either still with Telegram or already ours, whenever the process dies. What is not for us (groups,
unknown kinds) is never stored. While the inbox cannot be written nothing is confirmed: the same updates come again, with
those that came since, and whoever sent them is told that they wait. The loop survives everything but a token that is not
valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import structlog
from telegram.constants import PollingLimit

from bot.errors import ConfigurationError, DatabaseUnavailable
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import LONGEST, Tasks, Threads, back_off, unless
from bot.handlers.delays import Delays
from bot.handlers.flood import Gate, Verdicts
from bot.handlers.gateway import POLL_SECONDS, CallFailed, Gateway, Trouble
from bot.handlers.inbound import ALLOWED_UPDATES, Leave, read
from bot.handlers.lanes import Lanes
from bot.handlers.myself import WRONG_TOKEN
from bot.handlers.ports import Arrived, Inbox
from bot.turn import Incoming

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
        delays: Delays,
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
        self._delays = delays
        self._seconds = seconds
        self._pause = pause
        self._gate = gate
        self._offset: int | None = None
        self._conflict = False
        self._resumed = False
        self._verdicts = Verdicts(gate)  # of what is not confirmed yet
        self._tasks = Tasks()

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until `stop` is set. Raises ConfigurationError when the token is not valid."""
        pauses, absences = self._pauses(), self._absences()
        try:
            while not stop.is_set():
                try:
                    await self._round(stop)
                except CallFailed as failed:
                    await unless(stop, asyncio.sleep(self._wait_after(failed, pauses)))
                except DatabaseUnavailable as away:
                    log.warning("database_away", reason=str(away))
                    await unless(stop, asyncio.sleep(next(absences)))
                else:
                    pauses, absences, self._conflict = self._pauses(), self._absences(), False
        finally:
            await self._tasks.cancel()

    async def _round(self, stop: asyncio.Event) -> None:
        if not self._resumed:
            await self._lanes.resume()
            self._resumed = True
        batch = await unless(stop, self._fetch())
        if batch is not None:
            await self._take_in(batch)

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
            await self._threads.run(self._gate.load)
        kept = list(self._for_us(batch))
        if kept:
            await self._keep(kept)
        self._offset = max(update["update_id"] for update in batch) + 1
        self._verdicts.all_settled()
        self._lanes.wake({incoming.chat_id for incoming, _ in kept})

    async def _keep(self, kept: Sequence[tuple[Incoming, dict[str, Any]]]) -> None:
        rows = [Arrived(incoming.update_id, incoming.chat_id, update) for incoming, update in kept]
        try:
            await self._threads.run(self._inbox.keep, rows)
        except DatabaseUnavailable:
            for incoming, _ in kept:
                self._delays.waits(incoming)
            raise

    def _for_us(self, batch: Sequence[dict[str, Any]]) -> Iterator[tuple[Incoming, dict[str, Any]]]:
        for update in batch:
            match read(update, self._codes):
                case None:
                    continue
                case Leave(chat_id):
                    if self._gate is None or self._gate.leaves(chat_id):
                        self._tasks.start(leave(self._gateway, chat_id))
                case incoming if self._verdicts.admits(incoming.update_id, incoming.chat_id):
                    yield incoming, update

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

    @staticmethod
    def _absences() -> Iterator[float]:
        return back_off(0.2, LONGEST)


async def leave(gateway: Gateway, chat_id: int) -> None:
    """Leaves a group or a channel: nobody's access is discussed there."""
    try:
        await gateway.call("leaveChat", chat_id=chat_id)
    except CallFailed as failed:
        log.info("group_not_left", trouble=failed.trouble.value)

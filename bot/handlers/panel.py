"""The card on the screen: makes it what the chat's row says it should be, in place or anew at the bottom.

The card is desired state: whatever fails here is tried again from the row (`Telegram.show_due_cards`), so nothing
here retries by itself. Anew means: send, note the new message, then delete the old one; a crash in between leaves
one message too many at the most, and its buttons carry a `rev` that no longer counts.
"""

from __future__ import annotations

from collections import OrderedDict

import structlog

from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Threads, note_failure
from bot.handlers.gateway import CallFailed, Gateway, Trouble
from bot.handlers.render import render
from bot.turn import CardJob, Turns

log = structlog.get_logger(__name__)
_REMEMBERED = 10_000


class Panel:
    """Shows cards, one at a time in each chat; of two that wait for the same chat only the newest is shown.

    `locks` are shared with the delivery: a receipt that takes the card's place and a card drawn again there must not cross.
    """

    def __init__(
        self, gateway: Gateway, turns: Turns, threads: Threads, codes: Codes, locks: ChatLocks | None = None
    ) -> None:
        self._gateway = gateway
        self._turns = turns
        self._threads = threads
        self._codes = codes
        self._locks = locks or ChatLocks()
        self._shown: OrderedDict[int, tuple[int, int | None]] = OrderedDict()  # chat → seq, message
        self._leftover: dict[int, set[int]] = {}  # chat → old cards that could not be deleted yet

    async def show(self, job: CardJob) -> None:
        """Shows the card of a turn that has just committed."""
        async with self._locks.hold(job.chat_id) as waited:
            newest = await self._newest(job, waited=waited)
            if newest is not None:
                await self._show(newest)

    async def refresh(self, chat_id: int) -> None:
        """Shows what the chat's row asks for, if it is not shown yet."""
        async with self._locks.hold(chat_id):
            job = await self._threads.run(self._turns.card, chat_id)
            if job is not None:
                await self._show(job)

    async def _newest(self, job: CardJob, *, waited: bool) -> CardJob | None:
        seq, message_id = self._shown.get(job.chat_id, (0, job.message_id))
        gone_on = waited or seq >= job.seq or message_id != job.message_id
        if gone_on or (self._locks.shared and await self._threads.run(self._turns.overtaken, job)):
            # another card was shown since this job was made: the row knows which message it is in now
            return await self._threads.run(self._turns.card, job.chat_id)
        return job

    async def _show(self, job: CardJob) -> None:
        try:
            message_id = await self._draw(job)
        except CallFailed as failed:
            await self._failed(job, failed)
            return
        except Exception as error:  # noqa: BLE001 - a card that cannot be drawn waits for its next try like any other
            note_failure("card_not_drawn", error, seq=job.seq)
            await self._threads.run(self._turns.failed_to_show, job.chat_id, job.seq, None)
            return
        # however long the database is away: what is not noted is shown again, in a second message
        if not await self._threads.patiently(self._turns.shown, job.chat_id, job.seq, message_id):
            await self._superfluous(job, message_id)
            return
        self._shown[job.chat_id] = (job.seq, message_id)
        self._shown.move_to_end(job.chat_id)
        if len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        await self._tidy(job, message_id)

    async def _superfluous(self, job: CardJob, message_id: int | None) -> None:
        """The chat went on meanwhile (the card became a receipt): what was sent anew goes; what was edited is the receipt's."""
        if message_id is not None and message_id != job.message_id:
            await self._retire(job.chat_id, message_id)

    async def _draw(self, job: CardJob) -> int | None:
        """The message that the card is in now; None where no card is wanted."""
        if job.view is None:
            return None
        card = render(job.view, lang=job.lang, chat_id=job.chat_id, rev=job.rev, codes=self._codes)
        if job.message_id is not None and not job.anew:
            try:
                await self._gateway.edit(job.chat_id, job.message_id, card)
            except CallFailed as failed:
                if failed.trouble is not Trouble.GONE:
                    raise
            else:
                return job.message_id
        return await self._gateway.send(job.chat_id, card)

    async def _failed(self, job: CardJob, failed: CallFailed) -> None:
        if failed.trouble is Trouble.BLOCKED:
            await self._threads.run(self._turns.blocked, job.chat_id)
            return
        if failed.trouble is Trouble.REFUSED:
            log.error("card_refused", seq=job.seq)
        await self._threads.run(self._turns.failed_to_show, job.chat_id, job.seq, failed.retry_after)

    async def _tidy(self, job: CardJob, message_id: int | None) -> None:
        """Takes the old card away, and those that could not be taken away before."""
        old = self._leftover.pop(job.chat_id, set())
        if job.view is not None and job.message_id is not None:
            old.add(job.message_id)
        kept = {
            message
            for message in old
            if message != message_id and not await self._retire(job.chat_id, message)
        }
        if kept:
            self._leftover[job.chat_id] = kept

    async def _retire(self, chat_id: int, message_id: int) -> bool:
        try:
            await self._gateway.call("deleteMessage", chat_id=chat_id, message_id=message_id)
        except CallFailed as failed:
            if failed.trouble in {Trouble.FLOOD, Trouble.TEMPORARY}:
                return False
            if failed.trouble is Trouble.GONE:
                await self._disarm(chat_id, message_id)
        return True

    async def _disarm(self, chat_id: int, message_id: int) -> None:
        """A message over 48 hours old stays, but its buttons need not."""
        try:
            await self._gateway.call("editMessageReplyMarkup", chat_id=chat_id, message_id=message_id)
        except CallFailed as failed:
            log.debug("old_card_left", trouble=failed.trouble.value)

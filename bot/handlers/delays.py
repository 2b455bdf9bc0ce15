"""While the database is away, whoever waits for it is told so, once, and that what he sent is kept; once it is back, that sentence goes.

Nothing of what he sent is lost meanwhile: it stands in the inbox, or Telegram still has it. So he is asked to do nothing.
Without a database there is no row to send from: this is the one message that does not go through the outbox, and where it
does not arrive nothing is missing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import structlog

from bot.conversations.model import View
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import Tasks
from bot.handlers.gateway import CallFailed, Gateway
from bot.handlers.render import render
from bot.i18n import speaker
from bot.msg import LANGUAGES, m
from bot.turn import Incoming

log = structlog.get_logger(__name__)
QUIET = 2.0
"""Seconds for which nobody is told anything: a restart is mostly over by then."""
AWAY = m("turn.away")
STALE = 60.0
"""Seconds after which whatever has not waited again here is another copy's, or Telegram's, to bring."""
_REMEMBERED = 10_000
_PARTING = 2.0
"""Seconds that taking them back may take at the end."""


@dataclass(slots=True)
class _Wait:
    """What one chat was told. `message` is the sentence's, None until Telegram has it, and where only taps were answered."""

    since: float
    last: float
    said: bool = False
    message: int | None = None
    taps: set[str] = field(default_factory=set)


class Delays:
    """What chats that wait are told. `quiet` in seconds."""

    def __init__(
        self, gateway: Gateway, codes: Codes, *, quiet: float = QUIET, clock: Callable[[], float] = monotonic
    ) -> None:
        self._gateway = gateway
        self._codes = codes
        self._quiet = quiet
        self._clock = clock
        self._tasks = Tasks()
        self._waits: OrderedDict[int, _Wait] = OrderedDict()  # who waited last comes last
        self._langs: OrderedDict[int, str] = OrderedDict()

    def waits(self, incoming: Incoming) -> None:
        """This waits for the database; said again at every try. A tap is answered, anything else gets a message."""
        now = self._clock()
        wait = self._waits.setdefault(incoming.chat_id, _Wait(now, now))
        wait.last = now
        self._waits.move_to_end(incoming.chat_id)
        if incoming.left or now - wait.since < self._quiet:
            return
        lang = self._lang(incoming)
        if incoming.callback_id is not None:
            if incoming.callback_id not in wait.taps:
                wait.taps.add(incoming.callback_id)
                self._tasks.start(self._answer(incoming.callback_id, lang))
        elif not wait.said:
            wait.said = True
            self._tasks.start(self._say(incoming.chat_id, wait, lang))

    def over(self, chat_id: int, lang: str | None = None) -> None:
        """What waited in this chat is done, here or elsewhere, or set aside; `lang` is the chat's.

        So the database answers: what other chats were told goes too, unless they waited here a moment ago.
        """
        if lang is not None:
            self._langs[chat_id] = lang
            self._langs.move_to_end(chat_id)
            if len(self._langs) > _REMEMBERED:
                self._langs.popitem(last=False)
        self._end(chat_id)
        while self._waits:
            longest_silent, wait = next(iter(self._waits.items()))
            if self._clock() - wait.last < STALE:
                break
            self._end(longest_silent)

    async def settle(self) -> None:
        """Waits until all is said."""
        await self._tasks.settle()

    async def close(self) -> None:
        """Says nothing more, and takes back what stands: the next life of the process would not know of it."""
        await self._tasks.cancel()
        for chat_id in list(self._waits):
            self._end(chat_id)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PARTING):
                await self._tasks.settle()
        await self._tasks.cancel()

    def _end(self, chat_id: int) -> None:
        wait = self._waits.pop(chat_id, None)
        if wait is not None and wait.message is not None:
            self._tasks.start(self._unsay(chat_id, wait.message))

    def _lang(self, incoming: Incoming) -> str:
        """The language spoken last in this life of the process, else the client's where we speak it, else French."""
        known = (self._langs.get(incoming.chat_id), incoming.lang)
        return next((lang for lang in known if lang in LANGUAGES), "fr")

    async def _answer(self, callback_id: str, lang: str) -> None:
        text = speaker(lang).plain(AWAY)
        try:
            await self._gateway.call(
                "answerCallbackQuery", callback_query_id=callback_id, text=text, show_alert=True
            )
        except CallFailed as failed:
            log.debug("delay_not_told", trouble=failed.trouble.value)

    async def _say(self, chat_id: int, wait: _Wait, lang: str) -> None:
        said = render(View(body=(AWAY,)), lang=lang, chat_id=chat_id, rev=0, codes=self._codes)
        try:
            message = await self._gateway.send(chat_id, said)
        except CallFailed as failed:
            log.debug("delay_not_told", trouble=failed.trouble.value)
            return
        if self._waits.get(chat_id) is wait:
            wait.message = message
        else:  # over already
            await self._unsay(chat_id, message)

    async def _unsay(self, chat_id: int, message: int) -> None:
        try:
            await self._gateway.delete(chat_id, message)
        except CallFailed as failed:
            log.debug("delay_left", trouble=failed.trouble.value)  # true when it was said

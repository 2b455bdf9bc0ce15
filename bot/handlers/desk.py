"""One incoming event from the turn to the screen: commit, answer the tap, deliver the messages, show the card.

Both ways in use it, polling (`lanes`) and webhook. Everything after the commit is desired state or a courtesy: it
never makes the turn fail, and what could not be shown is shown later from the rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from bot.errors import DatabaseUnavailable
from bot.handlers.concurrency import Tasks, Threads, note_failure
from bot.handlers.delays import Delays
from bot.handlers.delivery import Delivery
from bot.handlers.documents import fetched
from bot.handlers.flood import Gate
from bot.handlers.gateway import CallFailed, Gateway
from bot.handlers.menu import Menu
from bot.handlers.panel import Panel
from bot.i18n import speaker
from bot.turn import Handled, Incoming, Turns

log = structlog.get_logger(__name__)
SLOW = 1.5
"""Seconds after which the person is shown that something is being done."""


class Desk:
    """Where an event is worked."""

    def __init__(
        self,
        turns: Turns,
        gateway: Gateway,
        threads: Threads,
        delivery: Delivery,
        panel: Panel,
        menu: Menu,
        delays: Delays,
        *,
        slow: float = SLOW,
        gate: Gate | None = None,
    ) -> None:
        self._turns = turns
        self._gateway = gateway
        self._threads = threads
        self._delivery = delivery
        self._panel = panel
        self._menu = menu
        self._delays = delays
        self._slow = slow
        self._gate = gate or Gate()
        self._tasks = Tasks()

    async def turn(self, incoming: Incoming) -> Handled:
        """The turn, committed; the gate learns whose chat it is. Raises what it raises."""
        async with self._typing(incoming.chat_id):
            incoming = await fetched(incoming, self._turns, self._gateway, self._threads)
            handled = await self._threads.run(self._turns.handle, incoming)
        self._gate.learns(handled.chat_id, known=handled.known)
        self._delays.over(handled.chat_id, handled.lang)
        return handled

    def waits(self, incoming: Incoming) -> None:
        """The database is away, and this waits for it."""
        self._delays.waits(incoming)

    def over(self, chat_id: int) -> None:
        """The database answers, and nothing waits in this chat."""
        self._delays.over(chat_id)

    async def answer(self, incoming: Incoming, handled: Handled) -> None:
        """Answers the tap, once: a turn that repeats an earlier one was answered then."""
        answer = answer_to(incoming, handled)
        if answer is None or handled.repeated:
            return
        try:
            await self._gateway.call(**answer)
        except CallFailed as failed:
            log.debug("tap_not_answered", trouble=failed.trouble.value)  # it stops waiting by itself

    async def follow_up(self, incoming: Incoming, handled: Handled) -> None:
        """Delivers what waits for the chat, then shows its card. Never raises; what fails is tried again later."""
        try:
            async with self._typing(handled.chat_id):
                if handled.mail:
                    await self._delivery.deliver_chat(handled.chat_id)
                if handled.card is not None:
                    await self._panel.show(handled.card)
        except DatabaseUnavailable as away:
            log.warning("database_away", reason=str(away))
        except Exception as error:  # noqa: BLE001 - the turn has committed; the rows say what is still to show
            note_failure("follow_up_failed", error, update_id=incoming.update_id)
        self._tasks.start(self._menu.follow(incoming, handled))

    async def give_up(self, chat_id: int, update_id: int) -> str:
        """Tells the person that an update could not be worked; the reference under which it is kept."""
        reference = await self._threads.run(self._turns.apologise, chat_id, update_id)
        log.error("update_set_aside", update_id=update_id, reference=reference)
        self._delays.over(chat_id)
        return reference

    async def apologised(self, chat_id: int) -> None:
        """Delivers the apology. Never raises."""
        try:
            await self._delivery.deliver_chat(chat_id)
        except Exception as error:  # noqa: BLE001 - the row waits in the outbox for the worker
            note_failure("apology_waits", error)

    async def close(self) -> None:
        """Ends what still runs beside."""
        await self._tasks.cancel()
        await self._delays.close()

    @asynccontextmanager
    async def _typing(self, chat_id: int) -> AsyncIterator[None]:
        timer = asyncio.get_running_loop().call_later(
            self._slow, lambda: self._tasks.start(self._say_typing(chat_id))
        )
        try:
            yield
        finally:
            timer.cancel()

    async def _say_typing(self, chat_id: int) -> None:
        try:
            await self._gateway.call("sendChatAction", chat_id=chat_id, action="typing")
        except CallFailed as failed:
            log.debug("typing_not_shown", trouble=failed.trouble.value)


def answer_to(incoming: Incoming, handled: Handled) -> dict[str, Any] | None:
    """The Bot API call that answers the tap, `method` included; None where nothing was tapped."""
    if incoming.callback_id is None:
        return None
    answer: dict[str, Any] = {"method": "answerCallbackQuery", "callback_query_id": incoming.callback_id}
    if handled.toast is not None:
        answer |= {
            "text": speaker(handled.lang).plain(handled.toast.msg)[:200],
            "show_alert": handled.toast.alert,
        }
    return answer

"""The face of this package: `app` builds one `Telegram` and hands its parts to the worker and the web."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from bot.errors import DatabaseUnavailable
from bot.handlers import ports
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, ScreenLocks, Tasks, Threads, note_failure, patiently
from bot.handlers.delays import Delays
from bot.handlers.delivery import Delivery, Result
from bot.handlers.desk import Desk
from bot.handlers.flood import Gate
from bot.handlers.gateway import API_URL, POLL_SECONDS, Gateway
from bot.handlers.lanes import Lanes
from bot.handlers.mailroom import StoreInbox, StoreOutbox, callback_keys
from bot.handlers.menu import Menu
from bot.handlers.myself import user_name
from bot.handlers.panel import Panel
from bot.handlers.polling import Poller
from bot.handlers.ports import Documents, Inbox, Mail, Outbox
from bot.handlers.webhook import PROBATION, Webhook
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.screens import Screens
from bot.turn import Incoming, Turns

log = structlog.get_logger(__name__)
_GRACE = 5.0
"""Seconds that running updates get to end when the bot is stopped."""


class Telegram:
    """One bot. `callback_keys` are the keyring's keys for button codes, the current one first."""

    def __init__(
        self,
        token: str,
        turns: Turns,
        inbox: Inbox,
        outbox: Outbox,
        callback_keys: Sequence[bytes],
        *,
        api_url: str = API_URL,
        timeout: float = 20.0,
        poll_seconds: int = POLL_SECONDS,
        pause: float = 0.5,
        gate: Gate | None = None,
        documents: Documents | None = None,
        screens: ports.Screens | None = None,
    ) -> None:
        self._turns = turns
        self._inbox = inbox
        self._codes = Codes(callback_keys)
        self._gate = gate
        self._threads = Threads()
        self._locks = ChatLocks()
        self._tasks = Tasks()
        self._gateway = Gateway(token, api_url, timeout=timeout)
        self._menu = Menu(self._gateway)
        self._screens = screens
        locks = ScreenLocks(screens, self._threads) if screens else ChatLocks()
        self._panel = Panel(self._gateway, turns, self._threads, self._codes, locks)
        self._delivery = Delivery(self._gateway, turns, outbox, self._threads, self._codes, locks, documents)
        delays = Delays(self._gateway, self._codes)
        self._desk = Desk(
            turns, self._gateway, self._threads, self._delivery, self._panel, self._menu, delays, gate=gate
        )
        self._lanes = Lanes(inbox, self._desk, self._threads, self._codes, self._locks, pause=pause)
        self._poller = Poller(
            self._gateway, inbox, self._lanes, self._threads, self._codes, delays, seconds=poll_seconds, pause=pause, gate=gate
        )  # fmt: skip
        self._webhook: Webhook | None = None

    @classmethod
    def over(
        cls,
        database: Database,
        keyring: Keyring,
        turns: Turns,
        token: str,
        *,
        api_url: str = API_URL,
        documents: Documents | None = None,
    ) -> Telegram:
        """One bot whose inbox and outbox are in this database."""
        inbox, outbox = StoreInbox(database, keyring), StoreOutbox(database, keyring)
        gate = Gate(inbox.known_chats)
        keys = callback_keys(keyring)
        screens = Screens(database)
        return cls(
            token,
            turns,
            inbox,
            outbox,
            keys,
            api_url=api_url,
            gate=gate,
            documents=documents,
            screens=screens,
        )

    def __repr__(self) -> str:
        return "Telegram(…)"

    async def check(self) -> str:
        """The bot's user name, with @. Raises, one line each, ConfigurationError for a wrong token, OperatorError for no answer."""
        return f"@{await user_name(self._gateway)}"

    async def run_polling(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set. Raises ConfigurationError when the token is not valid."""
        self._tasks.start(self._menu.publish())
        try:
            await self._poller.run(stop)
        finally:
            await self._settle()

    def webhook(self, secret: str, *, probation: float = PROBATION) -> Webhook:
        """The end point, whose `routes()` the web application serves. Raises ConfigurationError for an empty secret."""
        self._webhook = Webhook(
            secret, self._inbox, self._desk, self._threads, self._codes, self._locks, self._gateway, probation=probation, gate=self._gate
        )  # fmt: skip
        return self._webhook

    async def run_webhook(self, stop: asyncio.Event, public_url: str) -> None:
        """Registers the end point made by `webhook`, works what an earlier run left, and waits for `stop`."""
        assert self._webhook is not None
        await self._webhook.register(public_url)
        self._tasks.start(self._menu.publish())
        await patiently(self._lanes.resume)
        try:
            await stop.wait()
        finally:
            await self._settle()

    async def deliver(self, mail: Mail) -> Result:
        """Delivers one row of the outbox, and leaves it to the caller to note the result."""
        return await self._delivery.deliver(mail)

    async def deliver_due(self, limit: int = 50) -> int:
        """Delivers what is due in the outbox and notes the results; how many rows there were."""
        return await self._delivery.deliver_due(limit)

    async def deliver_chat(self, chat_id: int) -> None:
        """Delivers what waits for one chat."""
        await self._delivery.deliver_chat(chat_id)

    async def show_due_cards(self, limit: int = 50) -> int:
        """Shows the cards whose showing failed, or was cut off, and is due; how many there were."""
        chats = await self._threads.run(self._turns.unshown, limit=limit)
        await asyncio.gather(*(self._refresh(chat_id) for chat_id in chats))
        return len(chats)

    async def happened(self, incoming: Incoming) -> None:
        """An event that did not come through Telegram (from a private page): its turn, then the chat as after any other."""
        async with self._locks.hold(incoming.chat_id):
            handled = await self._desk.turn(incoming)
            await self._desk.follow_up(incoming, handled)

    async def close(self) -> None:
        """Ends everything; what is open stays in the rows."""
        if self._webhook is not None:
            await self._webhook.close()
        await self._lanes.close()
        await self._desk.close()
        await self._tasks.cancel()
        await self._gateway.close()
        self._threads.close()
        if self._screens is not None:
            self._screens.close()

    async def _refresh(self, chat_id: int) -> None:
        try:
            await self._panel.refresh(chat_id)
        except DatabaseUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one card that cannot be drawn must not stop the others
            note_failure("card_failed", error)

    async def _settle(self) -> None:
        try:
            async with asyncio.timeout(_GRACE):
                await self._lanes.settle()
                if self._webhook is not None:
                    await self._webhook.settle()
        except TimeoutError:
            log.warning("stopped_with_open_updates")

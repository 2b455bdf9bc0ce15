"""The composition root: settings → database, turns, Telegram, worker. The only place that builds things."""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot import clock
from bot.access import retention
from bot.access.retention import Periods
from bot.access.sessions import SessionRules
from bot.conversations.model import Command, Redraw, Tap, Text
from bot.conversations.ports import Settings as DialogueSettings
from bot.conversations.registry import ENGINE
from bot.conversations.spans import YEAR, Keeping
from bot.counter import RegisterCounter
from bot.errors import ConfigurationError, DatabaseUnavailable, OperatorError
from bot.handlers.concurrency import back_off, unless
from bot.handlers.edge import Telegram
from bot.i18n import reader
from bot.postman import Postman
from bot.settings import Settings
from bot.sheets import Sheets
from bot.store import crypto, facts, trail
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.presence import Presence
from bot.store.schema import upgrade
from bot.turn import Incoming
from bot.turning import Asked, Turning
from bot.web.binding import Linker
from bot.web.numberpage import NumberPage
from bot.web.people import People
from bot.web.provider import provider_of
from bot.web.site import Site
from bot.web.stored import StoredPage
from bot.web.wayin import WayIn
from bot.worker import Chore, Worker

log = structlog.get_logger(__name__)
NO_TOKEN = "There is no token: set ACCESSBOT_TELEGRAM_TOKEN (from @BotFather), or try the demo with 'python -m bot demo'."  # noqa: S105 - a sentence
LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])
NOT_PRIVATE = "ACCESSBOT_PUBLIC_URL must begin with https://: what is typed on the private pages would be readable on its way."
NO_ADDRESS = "A webhook needs an address that Telegram reaches: set ACCESSBOT_PUBLIC_URL to https://…, or ACCESSBOT_UPDATES=polling."

TORN_TOKEN = "The token is not whole: it is a number, a colon and letters. Copy ACCESSBOT_TELEGRAM_TOKEN from @BotFather again."  # noqa: S105 - a sentence
NO_URL = "ACCESSBOT_TELEGRAM_API_URL is not an address: write https://api.telegram.org or that of your own Bot API server."


@dataclass(frozen=True, slots=True)
class House:
    """Everything of one running bot."""

    database: Database
    keyring: Keyring
    turning: Turning
    telegram: Telegram
    worker: Worker
    presence: Presence
    site: Site | None = None
    postman: Postman | None = None

    async def close(self) -> None:
        """Ends everything; what is open stays in the rows."""
        await self.telegram.close()
        self.presence.close()
        self.database.close()


def build(settings: Settings, *, frames: tuple[str, ...] = ()) -> House:
    """Builds all, with the database at the newest schema. Raises OperatorError, one line each."""
    token, api_url = bot_api(settings)
    refuse_address(settings)
    keyring = settings.keyring()
    database = Database(settings.database_url.get_secret_value())
    with ExitStack() as undo:
        undo.callback(database.close)
        presence = Presence(database)  # before anything is changed: another bot may be at work there
        undo.callback(presence.close)
        upgrade(database)
        with database.write() as connection:
            crypto.check_keyring(connection, keyring, clock.now())
        house = _furnished(settings, (token, api_url), keyring, database, presence, frames)
        presence.takes_over()
        undo.pop_all()
    return house


def _furnished(
    settings: Settings,
    api: tuple[str, str],
    keyring: Keyring,
    database: Database,
    presence: Presence,
    frames: tuple[str, ...],
) -> House:
    """All that stands on a database that is ready."""
    token, api_url = api
    delay, pages = timedelta(seconds=settings.activation_delay), pages_at(settings)
    rules = SessionRules(
        locking=bool(pages),  # without a page to come back in by, nobody is locked out
        idle=timedelta(seconds=settings.session_idle),
        longest=timedelta(seconds=settings.session_longest),
    )
    server = settings.mail_server()
    mails = server is not None and bool(pages)  # what a mail to a user says leads to a page
    desk = server is not None and settings.help_desk is not None
    counter = RegisterCounter(keyring, delay=delay, sessions=rules, mails=mails, desk=desk)
    provider = provider_of(settings, keyring, pages)
    keeping = keeping_of(settings)
    dialogues = DialogueSettings(
        activation_delay=delay,
        pages=pages,
        mails=mails,
        desk=desk,
        idle=rules.idle,
        keeping=keeping,
        provider=provider.settings.name if provider else "",
    )
    turning = Turning(database, keyring, ENGINE, counter, reader, dialogues, keep=keeping.dialogues)
    documents = Sheets(database, keyring, rules)
    telegram = Telegram.over(database, keyring, turning, token, api_url=api_url, documents=documents)
    site = Site(
        People(database, keyring, rules, mails=mails),
        Door(turning, telegram),
        token,
        pages,
        Linker(database, keyring),
        frames=frames,
        provider=provider,
        further=lambda paper: (
            WayIn(database, keyring, paper, mails=mails, keeping=keeping),
            StoredPage(database, keyring, rules, paper),
            NumberPage(database, keyring, rules, paper, pages),
        ),
    )
    worker = Worker(
        database,
        keyring,
        telegram,
        kept=timedelta(days=settings.keep_updates_days),
        rules=rules,
        chores=chores(settings, database, keyring),
    )
    sender = settings.smtp_from or ""
    help_desk = settings.help_desk or ""
    postman = (
        Postman(database, keyring, server, sender=sender, pages=pages, desk=help_desk) if server else None
    )
    pages_served = site if pages else None
    return House(database, keyring, turning, telegram, worker, presence, pages_served, postman)


def keeping_of(settings: Settings) -> Keeping:
    """How long what is over is kept, as people are told it."""
    return Keeping(
        dialogues=timedelta(days=settings.keep_dialogues_days),
        departed=timedelta(days=settings.keep_departed_days),
        audit=settings.keep_audit_years * YEAR,
    )


def pages_at(settings: Settings) -> str:
    """Where the private pages are reached; empty where they are not."""
    return (settings.public_url or "").rstrip("/")


class Door:
    """The open dialogue of a chat, for the private pages: implements `site.ChatDoor`."""

    def __init__(self, turning: Turning, telegram: Telegram) -> None:
        self._turning = turning
        self._telegram = telegram

    def asks_for_number(self, telegram_id: int) -> bool:
        """Whether the open dialogue waits for a national number."""
        return self._turning.asks_for_number(telegram_id)

    async def opens(self, telegram_id: int, flow: str, lang: str) -> None:
        """Opens a dialogue, as its command would; `lang` is the page's, for a chat where none was chosen."""
        event = Command(flow)
        incoming = Incoming(-secrets.randbits(62) - 1, telegram_id, telegram_id, event, lang=lang)
        await self._telegram.happened(incoming)

    async def hands_number(self, telegram_id: int, digits: str) -> None:
        """The number, as if it had been typed; ids of Telegram's updates are positive, ours are not."""
        incoming = Incoming(-secrets.randbits(62) - 1, telegram_id, telegram_id, Text(digits, private=True))
        await self._telegram.happened(incoming)

    def unproved(self, telegram_id: int) -> Asked | None:
        """The recap that waits for a fresh proof."""
        return self._turning.unproved(telegram_id)

    async def goes_on(self, telegram_id: int, asked: Asked | None) -> None:
        """The recap is confirmed, as if its button had been tapped; without one, the card is drawn anew."""
        event = Tap(asked.rev, "ok") if asked else Redraw(settled=True)
        await self._telegram.happened(Incoming(-secrets.randbits(62) - 1, telegram_id, telegram_id, event))


def refuse_address(settings: Settings) -> None:
    """Raises ConfigurationError, one line, for a public address that does not serve its purpose."""
    address = urlsplit(settings.public_url or "")
    if settings.updates == "webhook" and address.scheme != "https":
        raise ConfigurationError(NO_ADDRESS)
    if settings.public_url and address.scheme != "https" and address.hostname not in LOOPBACK:
        raise ConfigurationError(NOT_PRIVATE)


def chores(settings: Settings, database: Database, keyring: Keyring) -> tuple[Chore, ...]:
    """What the worker does once a day: lets go of what may no longer be kept, and anchors the audit trail."""
    periods = Periods(
        invitations=timedelta(days=settings.keep_invitations_days),
        bindings=timedelta(days=settings.keep_bindings_days),
        departed=timedelta(days=settings.keep_departed_days),
        audit_years=settings.keep_audit_years,
    )
    outlets = settings.outlets(keyring)
    keeping = Chore(
        "retention",
        timedelta(days=1),
        lambda: retention.apply(database, keyring, periods, clock.now(), outlets),
    )
    if not outlets:
        return (keeping,)
    every = timedelta(hours=settings.audit_anchor_hours)
    return (keeping, Chore("anchor", every, lambda: trail.anchor(database, keyring, outlets, clock.now())))


def bot_api(settings: Settings) -> tuple[str, str]:
    """The token and the address of the Bot API. Raises ConfigurationError, one line.

    One of them that makes no URL would fail deep in the client, in words that hold the token.
    """
    if settings.telegram_token is None:
        raise ConfigurationError(NO_TOKEN)
    token = settings.telegram_token.get_secret_value()
    if not _is_address(settings.telegram_api_url):
        raise ConfigurationError(NO_URL)
    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", token):
        raise ConfigurationError(TORN_TOKEN)
    return token, settings.telegram_api_url


def bot_number(settings: Settings) -> int | None:
    """The bot's own number, the first part of its token; None without a whole token."""
    token = settings.telegram_token.get_secret_value() if settings.telegram_token else ""
    found = re.fullmatch(r"([0-9]{1,18}):[A-Za-z0-9_-]+", token)
    return int(found[1]) if found else None


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isascii()
        )
    except ValueError:  # a port that is no number, a bracket left open
        return False


async def run(
    settings: Settings,
    stop: asyncio.Event,
    *,
    ready: Callable[[str], None] | None = None,
    frames: tuple[str, ...] = (),
) -> None:
    """Runs the bot until `stop` is set; `ready` hears the bot's user name, with @, once Telegram has told it. Raises OperatorError.

    `frames` are origins that may frame the private pages, beside Telegram's own.
    """
    house = build(settings, frames=frames)
    try:
        hears = _hearing(house, settings, ready)
        known = await unless(stop, _introduced(house, hears))
        webhook = settings.updates == "webhook"
        parts = [house.worker.run(stop)]
        if not known:
            parts.append(_introduces(house, hears, stop))
        if house.postman is not None:
            parts.append(house.postman.run(stop))
        if webhook or house.site:
            secret = _secret(house, settings) if webhook else ""
            parts.append(_listen(house, settings, stop, secret))
        else:
            parts.append(house.telegram.run_polling(stop))
        await together(stop, *parts)
    finally:
        await house.close()


def _hearing(
    house: House, settings: Settings, ready: Callable[[str], None] | None
) -> Callable[[str], Coroutine[Any, Any, None]]:
    """Who has to know the bot's user name: the mails, the operator's `invite` by way of the database, and `ready`."""
    number = bot_number(settings)

    def kept(name: str) -> None:
        with suppress(DatabaseUnavailable), house.database.write() as connection:
            facts.remember_bot(connection, number, name)

    async def hears(name: str) -> None:
        if house.postman is not None:
            house.postman.bot = name.removeprefix("@")
        await asyncio.to_thread(kept, name.removeprefix("@"))
        if ready is not None:
            ready(name)

    return hears


async def _introduced(house: House, hears: Callable[[str], Coroutine[Any, Any, None]]) -> bool:
    """Asks Telegram who the bot is; False where it is away. Raises ConfigurationError where it does not know the token."""
    try:
        name = await house.telegram.check()
    except ConfigurationError:
        raise
    except OperatorError as away:
        log.warning("telegram_away", reason=str(away))
        return False
    await hears(name)
    return True


async def _introduces(
    house: House, hears: Callable[[str], Coroutine[Any, Any, None]], stop: asyncio.Event
) -> None:
    """The same again and again, until Telegram has told it."""
    for pause in back_off(1, 60):
        await unless(stop, asyncio.sleep(pause))
        if stop.is_set() or await unless(stop, _introduced(house, hears)):
            return


async def together(stop: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> None:
    """Runs the parts until all end; the first that fails stops the others, and its error is raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        task.result()


class _Listener(uvicorn.Server):
    """uvicorn, whose signals are the caller's affair."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _secret(house: House, settings: Settings) -> str:
    own = settings.webhook_secret
    return own.get_secret_value() if own else derived_secret(house.keyring)


async def _listen(house: House, settings: Settings, stop: asyncio.Event, secret: str) -> None:
    """Listens for the private pages, and for Telegram where there is a `secret`; else polls."""
    routes: list[BaseRoute] = [Route("/health", _health(house.database))]
    if secret:
        routes += house.telegram.webhook(secret).routes()
    if house.site:
        routes.append(Mount("/app", house.site.app()))
    listening = _bound(settings.listen)
    config = uvicorn.Config(
        Starlette(routes=routes), log_level="critical", access_log=False, server_header=False
    )
    listener = _Listener(config)
    serving = asyncio.create_task(listener.serve(sockets=[listening]))
    try:
        if secret:
            await house.telegram.run_webhook(stop, settings.public_url or "")
        else:
            await house.telegram.run_polling(stop)
    finally:
        listener.should_exit = True
        await serving
        listening.close()


def _bound(address: str) -> socket.socket:
    """A socket that listens at `host:port`. Raises ConfigurationError where that cannot be."""
    host, _, port = address.rpartition(":")
    try:
        family, *_, place = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        listening = socket.create_server(place[:2], family=family, reuse_port=False)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"ACCESSBOT_LISTEN={address} cannot be listened at ({getattr(error, 'strerror', None) or error}): choose another."
        ) from None
    # what is accepted inherits it; asyncio sets it only where the protocol is named, and an answer would wait 40 ms
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def derived_secret(keyring: Keyring) -> str:
    """What Telegram has to say with each update, where the operator sets nothing."""
    return base64.urlsafe_b64encode(keyring.key("webhook")).rstrip(b"=").decode("ascii")


def _health(database: Database) -> Callable[[Request], Coroutine[Any, Any, Response]]:
    async def health(_: Request) -> Response:
        try:
            await asyncio.to_thread(database.check)
        except DatabaseUnavailable:
            return PlainTextResponse("database away\n", status_code=503)
        return PlainTextResponse("ok\n")

    return health

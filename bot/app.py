"""The composition root: settings → database, turns, Telegram, worker. The only place that builds things."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot import clock
from bot.conversations.ports import Settings as DialogueSettings
from bot.conversations.registry import ENGINE
from bot.counter import RegisterCounter
from bot.errors import ConfigurationError, DatabaseUnavailable, OperatorError
from bot.handlers.edge import Telegram
from bot.i18n import reader
from bot.settings import Settings
from bot.store import crypto
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.schema import upgrade
from bot.turning import Turning
from bot.worker import Worker

log = structlog.get_logger(__name__)
NO_TOKEN = "There is no token: set ACCESSBOT_TELEGRAM_TOKEN (from @BotFather), or try the demo with 'python -m bot demo'."  # noqa: S105 - a sentence
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

    async def close(self) -> None:
        """Ends everything; what is open stays in the rows."""
        await self.telegram.close()
        self.database.close()


def build(settings: Settings) -> House:
    """Builds all, with the database at the newest schema. Raises OperatorError, one line each."""
    token, api_url = bot_api(settings)
    if settings.updates == "webhook" and not (settings.public_url or "").startswith("https://"):
        raise ConfigurationError(NO_ADDRESS)
    keyring = settings.keyring()
    database = Database(settings.database_url.get_secret_value())
    upgrade(database)
    with database.write() as connection:
        crypto.check_keyring(connection, keyring, clock.now())
    delay = timedelta(seconds=settings.activation_delay)
    counter = RegisterCounter(keyring, delay=delay)
    turning = Turning(database, keyring, ENGINE, counter, reader, DialogueSettings(activation_delay=delay))
    telegram = Telegram.over(database, keyring, turning, token, api_url=api_url)
    return House(database, keyring, turning, telegram, Worker(database, keyring, telegram))


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


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isascii()
        )
    except ValueError:  # a port that is no number, a bracket left open
        return False


async def run(settings: Settings, stop: asyncio.Event, *, ready: Callable[[str], None] | None = None) -> None:
    """Runs the bot until `stop` is set; `ready` hears the bot's user name. Raises OperatorError."""
    house = build(settings)
    try:
        try:
            name = await house.telegram.check()
        except ConfigurationError:
            raise
        except OperatorError as away:
            log.warning("telegram_away", reason=str(away))
            name = ""
        if ready is not None:
            ready(name)
        inlet = (
            _webhook(house, settings, stop)
            if settings.updates == "webhook"
            else house.telegram.run_polling(stop)
        )
        await together(stop, house.worker.run(stop), inlet)
    finally:
        await house.close()


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


async def _webhook(house: House, settings: Settings, stop: asyncio.Event) -> None:
    secret = (
        settings.webhook_secret.get_secret_value()
        if settings.webhook_secret
        else derived_secret(house.keyring)
    )
    routes = house.telegram.webhook(secret).routes()
    web = Starlette(routes=[*routes, Route("/health", _health(house.database))])
    listening = _bound(settings.listen)
    config = uvicorn.Config(web, log_level="critical", access_log=False, server_header=False)
    listener = _Listener(config)
    serving = asyncio.create_task(listener.serve(sockets=[listening]))
    try:
        await house.telegram.run_webhook(stop, settings.public_url or "")
    finally:
        listener.should_exit = True
        await serving
        listening.close()


def _bound(address: str) -> socket.socket:
    """A socket that listens at `host:port`. Raises ConfigurationError where that cannot be."""
    host, _, port = address.rpartition(":")
    try:
        family, *_, place = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(place[:2], family=family, reuse_port=False)
    except (OSError, OverflowError) as error:
        raise ConfigurationError(
            f"ACCESSBOT_LISTEN={address} cannot be listened at ({getattr(error, 'strerror', None) or error}): choose another."
        ) from None


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

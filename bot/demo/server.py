"""The server: the local Bot API and the chat page on one loopback port.

`serve` runs it until it is told to stop; `create_app` is the same as an ASGI application. The caller brings the
visitors: nothing about the register is known here. Imports the other modules of this package, Starlette, uvicorn.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.demo.botapi import BotApi
from bot.demo.client import ClientApi
from bot.demo.errors import DemoStartError
from bot.demo.guard import Guard
from bot.demo.identity import IdentityProvider, Someone
from bot.demo.inbox import Inbox, Mailbox
from bot.demo.model import Visitor
from bot.demo.storage import Archive
from bot.demo.telegram import DEMO_TOKEN, LocalTelegram

PAGE = Path(__file__).parent / "page"
TOKEN_VARIABLE = "ACCESSBOT_TELEGRAM_TOKEN"  # noqa: S105 - the variable's name
_REAL_TOKEN = re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A local identity provider to offer under `/identity`: for whom, in which words, answering to which address."""

    people: tuple[Someone, ...]
    texts: Mapping[str, Mapping[str, str]]
    callback: str


@dataclass(frozen=True, slots=True)
class DemoConfig:
    """What the demo's server needs. `folder` keeps its state (None: in memory); port 0 takes a free one.

    `texts` are the page's words, language → key → text; a text with a plural has two keys, `….one` and `….other`.
    """

    visitors: tuple[Visitor, ...] = ()
    folder: Path | None = None
    port: int = 8081
    token: str = DEMO_TOKEN
    bot_name: str = "Access assistant"
    bot_username: str = "accessbot_demo_bot"
    rate_limits: bool = True
    reset: bool = False
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    identity: Identity | None = None
    mailbox: Mailbox = field(default_factory=Mailbox)


def refuse_real_token(environment: Mapping[str, str]) -> None:
    """Raises DemoStartError where the environment holds a token of Telegram: the demo must never stand in for it."""
    token = environment.get(TOKEN_VARIABLE, "")
    if token != DEMO_TOKEN and _REAL_TOKEN.fullmatch(token):
        raise DemoStartError(
            f"{TOKEN_VARIABLE} holds a real token: unset it, or use 'make demo', which leaves it out."
        )


def build_state(config: DemoConfig) -> LocalTelegram:
    """The state that `config` describes, with its visitors. What a visitor chose in the page (his language) is kept."""
    state = LocalTelegram(
        config.token,
        name=config.bot_name,
        username=config.bot_username,
        archive=Archive(config.folder),
        rate_limits=config.rate_limits,
    )
    if config.reset:
        state.reset()
    for visitor in config.visitors:
        state.put_person(_as_before(visitor, state.people.get(visitor.id)))
    state.saved()
    return state


def _as_before(visitor: Visitor, known: Visitor | None) -> Visitor:
    """The visitor with the language that his phone had."""
    if known is None:
        return visitor
    return replace(visitor, language_code=known.language_code, any_language=known.any_language)


def create_app(
    state: LocalTelegram,
    visitors: Iterable[Visitor] = (),
    texts: Mapping[str, Mapping[str, str]] | None = None,
    identity: IdentityProvider | None = None,
    inbox: Inbox | None = None,
) -> Starlette:
    """The ASGI application over a state: `/bot<token>/…`, `/file/…`, `/client/…`, and the page at `/`."""
    for visitor in visitors:
        state.put_person(visitor)
    bot_api = BotApi(state)
    client_api = ClientApi(state, bot_api.webhook, texts)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pushing = asyncio.create_task(bot_api.webhook.run())
        yield
        pushing.cancel()
        with suppress(asyncio.CancelledError):
            await pushing

    routes = [
        *bot_api.routes(),
        *client_api.routes(),
        Route("/", _page),
        Route("/health", _health),
        Mount("/page", _Static(directory=PAGE)),
    ]
    if inbox is not None:
        routes.append(Route("/inbox", inbox.page))
    if identity is not None:
        routes.append(Mount("/identity", routes=identity.routes()))
    return Starlette(routes=routes, middleware=[Middleware(Guard)], lifespan=lifespan)


class _Static(StaticFiles):
    """Always asked for anew: a page of yesterday's version would speak to today's server."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came
        response.headers["Cache-Control"] = "no-cache"
        return response


async def _page(_: Request) -> Response:
    return Response(
        (PAGE / "index.html").read_text("utf-8"),
        media_type="text/html",
        headers={"Cache-Control": "no-cache"},
    )


async def _health(_: Request) -> Response:
    return Response("ok\n", media_type="text/plain")


class Server(uvicorn.Server):
    """uvicorn that ends long polls and event streams before it waits for connections to close."""

    def __init__(self, state: LocalTelegram, app: Starlette) -> None:
        self._state = state
        self.ready = asyncio.Event()
        super().__init__(
            uvicorn.Config(
                app,
                log_level="critical",
                access_log=False,
                lifespan="on",
                ws="none",
                server_header=False,
                timeout_graceful_shutdown=3,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._state.close()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's affair."""
        yield


def bind(port: int) -> socket.socket:
    """A socket on the loopback interface. Raises DemoStartError where the port is taken."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # what is accepted inherits it; asyncio sets it only where the protocol is named, and each answer would wait 40 ms
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listening.bind(("127.0.0.1", port))
    except OSError as error:
        listening.close()
        raise DemoStartError(
            f"Port {port} cannot be used ({error.strerror}): choose another with --port."
        ) from None
    return listening


async def serve(
    config: DemoConfig, *, ready: Callable[[str], None] | None = None, stop: asyncio.Event | None = None
) -> None:
    """Serves until `stop` is set or the task is cancelled; `ready` gets the address, like `http://127.0.0.1:8081`.

    The bot's settings for it: `<address>` as the API's address, `config.token` as its token.
    Raises DemoStartError where the port is taken.
    """
    listening = bind(config.port)
    state = build_state(config)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    offered = config.identity
    identity = (
        IdentityProvider(f"{address}/identity", offered.people, offered.texts, callback=offered.callback)
        if offered
        else None
    )
    inbox = Inbox(state.archive, config.mailbox.texts)
    mails = await _mail_server(inbox, config.mailbox.port)
    server = Server(state, create_app(state, texts=config.texts, identity=identity, inbox=inbox))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.ready.wait()
        if ready is not None:
            ready(address)
        stopping = asyncio.create_task((stop or asyncio.Event()).wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
    finally:
        server.should_exit = True
        if mails is not None:
            mails.close()
        await asyncio.shield(serving)
        state.archive.close()
        listening.close()


async def _mail_server(inbox: Inbox, port: int | None) -> asyncio.Server | None:
    """The demo's mail server on loopback. Raises DemoStartError where the port is taken."""
    if port is None:
        return None
    return await asyncio.start_server(inbox.serve_line, sock=bind(port))

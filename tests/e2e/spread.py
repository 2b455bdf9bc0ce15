"""What stands before several copies of the bot on a server: TLS, and each call goes to another copy than the one before.

Every so many calls it gives the same to all copies at the same moment, as a proxy that tries again, or Telegram, may.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import uvicorn
from bot.demo.server import bind
from bot.demo.webhook import lane_of
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KEPT = ("content-type", "x-telegram-bot-api-secret-token")


@dataclass
class Spread:
    """The copies by their ports. `to_all`: every so many calls go to all of them at once."""

    ports: Sequence[int]
    to_all: int = 3
    url: str = ""
    took: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By chat, the ports of the copies that took an update of it."""
    _numbers: dict[int, count[int]] = field(default_factory=lambda: defaultdict(count))

    async def take(self, request: Request, client: httpx.AsyncClient) -> Response:
        """Passes a call on; where nobody takes it, Telegram comes again."""
        body = await request.body()
        chat = lane_of(json.loads(body))
        number = next(self._numbers[chat])
        turn = number % len(self.ports)
        ports = [*self.ports[turn:], *self.ports[:turn]]
        if number % self.to_all:
            ports = ports[:1]
        answers = await asyncio.gather(*(self._pass_on(client, request, body, chat, port) for port in ports))
        took = next((answer for answer in answers if answer and answer.is_success), None)
        if took is None:
            return Response(status_code=502)
        return Response(
            took.content, took.status_code, {"content-type": took.headers.get("content-type", "text/plain")}
        )

    async def _pass_on(
        self, client: httpx.AsyncClient, request: Request, body: bytes, chat: int, port: int
    ) -> httpx.Response | None:
        headers = {name: value for name, value in request.headers.items() if name in KEPT}
        try:
            answer = await client.post(
                f"http://127.0.0.1:{port}{request.url.path}", content=body, headers=headers
            )
        except httpx.HTTPError:
            return None
        if answer.is_success:
            self.took[chat].add(port)
        return answer


@contextmanager
def spread(ports: Sequence[int], file: Path) -> Iterator[Spread]:
    """Listens on a free port, by https, until the block ends."""
    made, listening = Spread(ports), bind(0)

    async def calls(request: Request) -> Response:
        return await made.take(request, client)

    app = Starlette(routes=[Route("/telegram", calls, methods=["POST"])])
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        ssl_certfile=str(file),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )
    server, client = uvicorn.Server(config), httpx.AsyncClient(timeout=60, trust_env=False)

    async def serve() -> None:
        async with client:
            await server.serve(sockets=[listening])

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    made.url = f"https://127.0.0.1:{listening.getsockname()[1]}"
    until = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until, "the front does not come up"
        time.sleep(0.01)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()

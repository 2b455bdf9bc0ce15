"""The ASGI end point for Telegram's webhook: 2xx only after the turn's commit, the tap's answer in its body.

Telegram delivers again whatever was not answered 2xx, so nothing needs to be stored before the turn. The price is
that a try cannot be counted before it is made without a second commit; so only what failed is kept in the inbox and
counted, and, for a while after the start, everything is: an update that takes the process down comes back then.
"""

from __future__ import annotations

import hmac
import json
from time import monotonic
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram.constants import WebhookLimit

from bot.errors import ConfigurationError, DatabaseUnavailable, where
from bot.handlers.callbacks import Codes
from bot.handlers.concurrency import ChatLocks, Tasks, Threads
from bot.handlers.desk import Desk, answer_to
from bot.handlers.flood import Gate, Verdicts
from bot.handlers.gateway import CallFailed, Gateway, Trouble
from bot.handlers.inbound import ALLOWED_UPDATES, Leave, read
from bot.handlers.lanes import TRIES
from bot.handlers.myself import WRONG_TOKEN
from bot.handlers.polling import leave
from bot.handlers.ports import Arrived, Inbox
from bot.turn import Incoming

log = structlog.get_logger(__name__)
PATH = "/telegram"
BODY_LIMIT = 1_000_000
"""Bytes; Telegram's own updates are far smaller."""
PROBATION = 600.0
"""Seconds after the start in which every try is counted before it is made."""
_HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Webhook:
    """The end point. `secret` is what Telegram must say in the header; an empty one is refused."""

    def __init__(
        self,
        secret: str,
        inbox: Inbox,
        desk: Desk,
        threads: Threads,
        codes: Codes,
        locks: ChatLocks,
        gateway: Gateway,
        *,
        probation: float = PROBATION,
        gate: Gate | None = None,
    ) -> None:
        if not secret.strip():
            raise ConfigurationError(
                "The webhook's secret is empty: set ACCESSBOT_WEBHOOK_SECRET, or leave it out to derive it."
            )
        self._secret = secret
        self._inbox = inbox
        self._desk = desk
        self._threads = threads
        self._codes = codes
        self._locks = locks
        self._gateway = gateway
        self._gate = gate
        self._verdicts = Verdicts(gate)
        self._tasks = Tasks()
        self._trusting_from = monotonic() + probation

    def routes(self) -> list[Route]:
        """For the application that listens."""
        return [Route(PATH, self.receive, methods=["POST"])]

    async def register(self, public_url: str) -> None:
        """Tells Telegram where the end point is. Raises ConfigurationError when Telegram refuses it."""
        url = f"{public_url.rstrip('/')}{PATH}"
        try:
            await self._gateway.call(
                "setWebhook",
                url=url,
                secret_token=self._secret,
                allowed_updates=list(ALLOWED_UPDATES),
                max_connections=int(WebhookLimit.MAX_CONNECTIONS_LIMIT),
            )
        except CallFailed as failed:
            if failed.trouble is Trouble.UNAUTHORIZED:
                raise ConfigurationError(WRONG_TOKEN) from None
            raise ConfigurationError(
                f"Telegram does not accept the webhook {url} ({failed.trouble.value})."
            ) from None

    async def receive(self, request: Request) -> Response:
        """One call of Telegram's."""
        given = request.headers.get(_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return Response(status_code=403)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            update = json.loads(body)
        except ValueError:
            return Response(status_code=400)
        match read(update, self._codes):
            case None:
                return Response()
            case Leave(chat_id):
                if self._gate is None or self._gate.leaves(chat_id):
                    self._tasks.start(leave(self._gateway, chat_id))
                return Response()
            case incoming:
                return await self._admitted(incoming, update)

    async def settle(self) -> None:
        """Waits until everything that follows the turns is done."""
        await self._tasks.settle()

    async def close(self) -> None:
        """Ends what still runs beside; the rows say what is to be shown."""
        await self._tasks.cancel()

    async def _admitted(self, incoming: Incoming, update: Any) -> Response:
        if self._gate is not None and not self._gate.loaded:
            try:
                await self._threads.run(self._gate.load)
            except DatabaseUnavailable:
                return Response(status_code=503)
        response = Response()  # over the limit: taken, and dropped
        if self._verdicts.admits(incoming.update_id, incoming.chat_id):
            response = await self._take(incoming, update)
        if response.status_code < 300:
            self._verdicts.settled(incoming.update_id)
        return response

    async def _take(self, incoming: Incoming, update: Any) -> Response:
        async with self._locks.hold(incoming.chat_id):
            try:
                return await self._work(incoming, update)
            except DatabaseUnavailable as away:
                log.warning("database_away", reason=str(away))
                self._desk.waits(incoming)
                return Response(status_code=503)

    async def _work(self, incoming: Incoming, update: Any) -> Response:
        attempt = 0
        if monotonic() < self._trusting_from:
            attempt = await self._count(incoming, update)
        if attempt > TRIES:
            return await self._set_aside(incoming, "interrupted")
        try:
            handled = await self._desk.turn(incoming)
        except DatabaseUnavailable:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever it is, Telegram hears of it and delivers again
            attempt = attempt or await self._count(incoming, update)
            log.warning("update_failed", update_id=incoming.update_id, attempt=attempt, error=where(failure))
            if attempt >= TRIES:
                return await self._set_aside(incoming, where(failure))
            return Response(status_code=500)
        self._tasks.start(self._desk.follow_up(incoming, handled))
        answer = answer_to(incoming, handled)
        return JSONResponse(answer) if answer else Response()

    async def _count(self, incoming: Incoming, update: Any) -> int:
        arrived = Arrived(incoming.update_id, incoming.chat_id, update)
        await self._threads.run(self._inbox.keep, [arrived])
        return await self._threads.run(self._inbox.count_attempt, incoming.update_id)

    async def _set_aside(self, incoming: Incoming, error: str) -> Response:
        reference = await self._desk.give_up(incoming.chat_id, incoming.update_id)
        await self._threads.run(self._inbox.set_aside, incoming.update_id, error, reference)
        self._tasks.start(self._desk.apologised(incoming.chat_id))
        return Response()


async def _body(request: Request) -> bytes | None:
    """The request's body; None when it is over the limit."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                return None
    except ClientDisconnect:
        return b""
    return bytes(body)

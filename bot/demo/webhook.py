"""Pushing updates to the bot's webhook: in order within a chat, chats side by side, again until accepted.

As Telegram does it: a chat is a lane; an update that is not answered with 2xx is sent again, later each time, and what
follows it in its lane waits. Imports `updates`, `telegram`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from bot.demo.errors import bad_request
from bot.demo.keyboards import is_loopback
from bot.demo.model import Json
from bot.demo.params import Params
from bot.demo.telegram import LocalTelegram
from bot.demo.updates import BY_WEBHOOK, Pending

ANSWER_SECONDS = 60.0
FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


@dataclass(slots=True)
class Hook:
    """What setWebhook set, and how it goes. `error_at` is in Unix seconds."""

    url: str = ""
    secret: str = ""
    connections: int = 40
    error_at: int = 0
    error: str = ""


@dataclass(slots=True)
class Webhook:
    """The pusher. `apply` runs a method that the bot put in its answer; `first_delay` is a test's lever, in seconds."""

    state: LocalTelegram
    apply: Callable[[str, Params], Awaitable[Any]]
    first_delay: float = FIRST_DELAY
    hook: Hook = field(default_factory=Hook)
    _lanes: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hook = Hook(**self.state.archive.get("setting", "webhook", {}))

    async def set(self, params: Params) -> bool:
        """SetWebhook. Raises ApiError where the address or the secret is not one."""
        url, secret = params.text("url"), params.text("secret_token")
        if url and not url.startswith("https://") and not is_loopback(url):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        await self.stop()
        if params.flag("drop_pending_updates"):
            self.state.updates.drop_all()
        self.hook = Hook(url, secret, min(max(params.number("max_connections", 40), 1), 100))
        self.state.updates.allow(params.get("allowed_updates"))
        self.state.archive.put("setting", "webhook", asdict(self.hook))
        if url:
            self.state.updates.end_poll(BY_WEBHOOK)
        self.state.updates.bell.ring()
        return True

    def info(self) -> Json:
        """GetWebhookInfo."""
        hook, updates = self.hook, self.state.updates
        info: Json = {
            "url": hook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(updates.pending),
        }
        if hook.url:
            info |= {"max_connections": hook.connections, "ip_address": "127.0.0.1"}
        if hook.error:
            info |= {"last_error_date": hook.error_at, "last_error_message": hook.error}
        return info | ({"allowed_updates": updates.allowed} if updates.allowed else {})

    async def run(self) -> None:
        """Pushes for ever; cancel it to end."""
        try:
            async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
                while True:
                    self._open_lanes(client)
                    await self.state.updates.bell.wait(1.0)
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Ends every delivery under way; nothing is lost, they are still pending."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        for task in lanes:
            task.cancel()
        await asyncio.gather(*lanes, return_exceptions=True)

    def _open_lanes(self, client: httpx.AsyncClient) -> None:
        if not self.hook.url:
            return
        for update in self.state.updates.pending.values():
            lane = lane_of(update.body)
            if lane not in self._lanes and len(self._lanes) < self.hook.connections:
                self._lanes[lane] = asyncio.create_task(self._work(client, lane))

    async def _work(self, client: httpx.AsyncClient, lane: int) -> None:
        try:
            while update := self._first_of(lane):
                await self._deliver(client, update)
        finally:
            if self._lanes.get(lane) is asyncio.current_task():
                del self._lanes[lane]

    def _first_of(self, lane: int) -> Pending | None:
        return next(
            (update for update in self.state.updates.pending.values() if lane_of(update.body) == lane), None
        )

    async def _deliver(self, client: httpx.AsyncClient, update: Pending) -> None:
        delay = self.first_delay
        while update.id in self.state.updates.pending:
            if await self._push(client, update.body):
                update.delivered += 1
                if update.delivered >= update.due:
                    self.state.updates.remove(update.id)
                    self.state.saved()
            else:
                await asyncio.sleep(delay)
                delay = min(delay * 2, LONGEST_DELAY)

    async def _push(self, client: httpx.AsyncClient, body: Json) -> bool:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.hook.secret} if self.hook.secret else {}
        try:
            answer = await client.post(self.hook.url, json=body, headers=headers)
        except httpx.TimeoutException:
            return self._failed("Read timeout expired")
        except httpx.HTTPError:
            return self._failed("Connection refused")
        if not answer.is_success:
            return self._failed(
                f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
            )
        await self._answered(answer)
        return True

    def _failed(self, reason: str) -> bool:
        self.hook.error_at, self.hook.error = int(self.state.now()), reason
        return False

    async def _answered(self, answer: httpx.Response) -> None:
        """Runs the method that the answer's body names, if any; its result goes nowhere, as with Telegram."""
        with suppress(ValueError):
            body = json.loads(answer.content or b"null")
            if isinstance(body, dict) and isinstance(body.get("method"), str):
                await self.apply(
                    body["method"], Params({name: value for name, value in body.items() if name != "method"})
                )


def lane_of(update: Json) -> int:
    """The chat an update belongs to, else its sender, else 0."""
    for body in update.values():
        if isinstance(body, dict):
            message = body.get("message", body)
            place = message.get("chat") or body.get("from") or body.get("user") or {}
            return int(place.get("id", 0))
    return 0

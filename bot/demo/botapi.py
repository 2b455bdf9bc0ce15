"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`, as Telegram answers them.

Parameters in, one method applied, its answer out, with the bad weather of `faults` around it. Imports the
method tables, the state and Starlette.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bot.demo.errors import ApiError
from bot.demo.faults import Fault
from bot.demo.methods import METHODS
from bot.demo.params import Params, read_params
from bot.demo.profile import PROFILE_METHODS
from bot.demo.telegram import Call, LocalTelegram
from bot.demo.updates import WEBHOOK_ACTIVE
from bot.demo.webhook import Webhook

MAX_BATCH = 100


class CutLine(Response):
    """An answer that breaks off: the client sees the connection close before any of the body came."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class BotApi:
    """The end points for one state; `webhook` pushes where one is set."""

    def __init__(self, state: LocalTelegram) -> None:
        self.state = state
        self.webhook = Webhook(state, self.apply_quietly)
        self._tables = {name.lower(): (name, method) for name, method in (METHODS | PROFILE_METHODS).items()}
        self._waiting: dict[str, tuple[str, Callable[[Params], Awaitable[Any]]]] = {
            "getupdates": ("getUpdates", self._get_updates),
            "setwebhook": ("setWebhook", self.webhook.set),
            "deletewebhook": ("deleteWebhook", self._delete_webhook),
            "getwebhookinfo": ("getWebhookInfo", self._webhook_info),
        }

    def routes(self) -> list[Route]:
        return [
            Route("/bot{token}/{method}", self.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self.download, methods=["GET"]),
        ]

    async def call(self, request: Request) -> Response:
        """One call of the bot."""
        if request.path_params["token"] != self.state.token:
            return _refusal(ApiError(401, "Unauthorized"))
        method = self._proper_name(request.path_params["method"])
        fault = self.state.faults.strike(method) or Fault()
        await self._sleep(fault.delay)
        if fault.drop == "before":
            return CutLine()
        try:
            params = await read_params(request)
        except ApiError as error:
            return self._logged(method, Params(), error)
        if fault.status:
            more = {"retry_after": fault.retry_after or 1} if fault.status == 429 else {}
            return self._logged(method, params, ApiError(fault.status, fault.text(), **more))
        answer = await self._answer(method, params)
        await self._sleep(fault.late)
        return CutLine() if fault.drop == "after" else answer

    async def _answer(self, method: str, params: Params) -> Response:
        try:
            result = await self.apply(method, params)
        except ApiError as error:
            return self._logged(method, params, error)
        finally:
            self.state.saved()
        self._log(method, params, "")
        return JSONResponse({"ok": True, "result": result})

    async def apply(self, method: str, params: Params) -> Any:
        """Applies a method. Raises ApiError, 404 for an unknown one."""
        key = method.lower()
        if key in self._waiting:
            return await self._waiting[key][1](params)
        if key not in self._tables:
            raise ApiError(404, "Not Found")
        return self._tables[key][1](self.state, params)

    async def apply_quietly(self, method: str, params: Params) -> None:
        """Applies a method that came in the answer to a webhook: nobody hears of a refusal, but it is logged."""
        await self._answer(self._proper_name(method), params)

    def _proper_name(self, given: str) -> str:
        known = self._waiting.get(given.lower()) or self._tables.get(given.lower())
        return known[0] if known else given

    def _logged(self, method: str, params: Params, error: ApiError) -> Response:
        self._log(method, params, error.description)
        return _refusal(error)

    def _log(self, method: str, params: Params, error: str) -> None:
        if method != "getUpdates":
            self.state.calls.append(Call(method, dict(params.values), error, self.state.now()))

    async def _sleep(self, seconds: float) -> None:
        """Waits, but never longer than the server lives."""
        if seconds and not self.state.closing:
            await self.state.ended.wait(seconds)

    async def _get_updates(self, params: Params) -> Any:
        if self.webhook.hook.url:
            raise ApiError(409, WEBHOOK_ACTIVE)
        updates = self.state.updates
        updates.allow(params.get("allowed_updates"))
        if offset := params.number("offset"):
            updates.confirm(offset)
            self.state.saved()
        limit = min(max(params.number("limit", MAX_BATCH), 1), MAX_BATCH)
        return await updates.poll(limit, params.number("timeout"), lambda: self.state.closing)

    async def _delete_webhook(self, params: Params) -> bool:
        kept = {"drop_pending_updates": params.get("drop_pending_updates")}
        return await self.webhook.set(Params(kept))

    async def _webhook_info(self, _: Params) -> Any:
        return self.webhook.info()

    async def download(self, request: Request) -> Response:
        """A file, by the path that getFile gave."""
        if request.path_params["token"] != self.state.token:
            return _refusal(ApiError(401, "Unauthorized"))
        stored = self.state.file_at(request.path_params["path"])
        body = self.state.archive.blob(stored.id) if stored else None
        if body is None:
            return _refusal(ApiError(404, "Not Found"))
        return Response(body, media_type="application/octet-stream")


def _refusal(error: ApiError) -> Response:
    return JSONResponse(error.body(), status_code=error.code)

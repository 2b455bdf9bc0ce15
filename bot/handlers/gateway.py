"""Calls to the Bot API: python-telegram-bot's `Bot` and requests, with one small set of failures.

Parameters are posted as they are and answers are not parsed into objects where nobody needs them
(`performance.md`). Two rules live here because every caller needs them: a chat that answered 429 gets no call before
its `retry_after` is over; and no failure carries the token, the address or what was sent.
"""

from __future__ import annotations

import json
import logging
from enum import StrEnum
from http import HTTPStatus
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from telegram import Bot, InputFile
from telegram.constants import ParseMode
from telegram.error import NetworkError, TelegramError
from telegram.request import BaseRequest, HTTPXRequest

from bot.handlers.ports import Document
from bot.handlers.render import Rendered

log = structlog.get_logger(__name__)

API_URL = "https://api.telegram.org"
POLL_SECONDS = 30
_POOL = 128
_LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])


class Trouble(StrEnum):
    """What can go wrong with a call, as far as anybody acts on it."""

    NOT_MODIFIED = "not modified"  # what was asked for is shown already
    GONE = "gone"  # the message or the tap is no longer there, or too old
    BLOCKED = "blocked"  # the person blocked the bot, or the account is no more
    FLOOD = "flood"  # wait for `retry_after`
    REFUSED = "refused"  # Telegram does not take it as it is: a fault of ours
    TEMPORARY = "temporary"  # network, time-out, a fault of the server; it may have been done
    CONFLICT = "conflict"  # another copy polls, or a webhook is set
    UNAUTHORIZED = "unauthorized"  # the token is not valid


class CallFailed(TelegramError):
    """A call that did not succeed. `retry_after` is in seconds, for `FLOOD` only."""

    def __init__(self, trouble: Trouble, retry_after: float | None = None) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble
        self.retry_after = retry_after


_SAYS: tuple[tuple[str, Trouble], ...] = (
    ("message is not modified", Trouble.NOT_MODIFIED),
    ("message to edit not found", Trouble.GONE),
    ("message to delete not found", Trouble.GONE),
    ("message can't be", Trouble.GONE),
    ("message_id_invalid", Trouble.GONE),
    ("message identifier is not specified", Trouble.GONE),
    ("query is too old", Trouble.GONE),
    ("query_id_invalid", Trouble.GONE),
    ("chat not found", Trouble.BLOCKED),
    ("user is deactivated", Trouble.BLOCKED),
    ("user not found", Trouble.BLOCKED),
    ("peer_id_invalid", Trouble.BLOCKED),
)
"""What Telegram's 400 answers say (its documentation lists none of them), in small letters."""


class _Line(HTTPXRequest):
    """The HTTP line to the Bot API; every failure leaves it as a `CallFailed`, without a cause or a text."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        failed = None
        try:
            code, payload = await super().do_request(*args, **kwargs)
        except NetworkError:
            failed = CallFailed(Trouble.TEMPORARY)
        if failed is None and code >= HTTPStatus.MULTIPLE_CHOICES:
            failed = classify(code, payload)
        if failed is not None:
            raise failed  # outside the handler: httpx's errors know the address, and that holds the token
        return code, payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or "result" not in answer:
            raise CallFailed(Trouble.TEMPORARY)  # a proxy's page, or half an answer
        return answer


def classify(code: int, payload: bytes) -> CallFailed:
    """The failure that an HTTP answer of 300 or more means."""
    try:
        answer = json.loads(payload)
    except ValueError:
        answer = None
    match answer:
        case {"parameters": {"retry_after": int() | float() as seconds}}:
            return CallFailed(Trouble.FLOOD, float(seconds))
        case {"description": str(said)} if code == HTTPStatus.BAD_REQUEST:
            return CallFailed(
                next((trouble for text, trouble in _SAYS if text in said.lower()), Trouble.REFUSED)
            )
    match code:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.NOT_FOUND if isinstance(answer, dict):
            return CallFailed(Trouble.UNAUTHORIZED)
        case HTTPStatus.FORBIDDEN:
            return CallFailed(Trouble.BLOCKED)
        case HTTPStatus.CONFLICT:
            return CallFailed(Trouble.CONFLICT)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return CallFailed(Trouble.FLOOD, 1.0)
        case HTTPStatus.BAD_REQUEST | HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return CallFailed(Trouble.REFUSED)
    return CallFailed(Trouble.TEMPORARY)


class _Client(Bot):
    async def call(self, method: str, parameters: dict[str, Any], read_timeout: float | None) -> Any:
        timeout = BaseRequest.DEFAULT_NONE if read_timeout is None else read_timeout
        return await self._post(method, parameters, read_timeout=timeout)


class Gateway:
    """The Bot API of one bot. `api_url` is any Bot API server, without `/bot<token>`."""

    def __init__(self, token: str, api_url: str = API_URL, *, timeout: float = 20.0) -> None:
        quieten()
        # a server on this machine is not asked for through a proxy, whatever the environment says
        own = {"trust_env": False} if urlsplit(api_url).hostname in _LOOPBACK else {}
        calls = _Line(
            _POOL, read_timeout=timeout, write_timeout=timeout, connect_timeout=10, pool_timeout=timeout,
            httpx_kwargs=own,
        )  # fmt: skip
        polls = _Line(2, connect_timeout=10, pool_timeout=timeout, httpx_kwargs=own)
        self._lines = (calls, polls)
        base = f"{api_url.rstrip('/')}/bot"
        self._files = f"{api_url.rstrip('/')}/file/bot{token}"
        self._client = _Client(token, base_url=base, request=calls, get_updates_request=polls)
        self._held: dict[int | str, float] = {}

    def __repr__(self) -> str:
        return "Gateway(…)"

    async def call(self, method: str, *, read_timeout: float | None = None, **parameters: Any) -> Any:
        """The `result` of a Bot API method; parameters that are None are left out.

        Raises CallFailed. After a 429 the same chat (or, without one, the same method) is not called before its
        time: such a call fails at once, with the seconds that remain.
        """
        key = parameters.get("chat_id") or method
        remaining = self._held.get(key, 0.0) - monotonic()
        if remaining > 0:
            raise CallFailed(Trouble.FLOOD, remaining)
        try:
            return await self._client.call(method, parameters, read_timeout)
        except CallFailed as failed:
            if failed.trouble is Trouble.FLOOD and failed.retry_after:
                self._hold(key, failed.retry_after)
            log.log(
                logging.DEBUG if failed.trouble is Trouble.NOT_MODIFIED else logging.INFO,
                "call_failed",
                method=method,
                trouble=failed.trouble.value,
                retry_after=failed.retry_after,
            )
            raise

    def _hold(self, key: int | str, seconds: float) -> None:
        now = monotonic()
        self._held = {other: until for other, until in self._held.items() if until > now}
        self._held[key] = now + seconds

    async def send(self, chat_id: int, message: Rendered, *, silent: bool = False) -> int:
        """Sends a message; its id."""
        result = await self._say("sendMessage", message, chat_id=chat_id, disable_notification=silent or None)
        return int(result["message_id"])

    async def edit(self, chat_id: int, message_id: int, message: Rendered) -> None:
        """Makes a message say this. That it says it already is success."""
        try:
            await self._say("editMessageText", message, chat_id=chat_id, message_id=message_id)
        except CallFailed as failed:
            if failed.trouble is not Trouble.NOT_MODIFIED:
                raise

    async def _say(self, method: str, message: Rendered, **target: Any) -> Any:
        content: dict[str, Any] = {
            "link_preview_options": {"is_disabled": True},
            "reply_markup": {"inline_keyboard": message.keyboard} if message.keyboard else None,
        }
        try:
            return await self.call(method, **target, text=message.text, parse_mode=ParseMode.HTML, **content)
        except CallFailed as failed:
            if failed.trouble is not Trouble.REFUSED:
                raise
        log.error("markup_refused", method=method)  # a fault of ours; the person still gets the words
        return await self.call(method, **target, text=message.plain, **content)

    async def fetch(self, file: str, most: int) -> bytes | None:
        """The content of a file that somebody sent; None where it is larger than `most` bytes. Raises CallFailed."""
        found = await self.call("getFile", file_id=file)
        path = found.get("file_path")
        if not isinstance(path, str) or not 0 < int(found.get("file_size") or 0) <= most:
            return None
        body = await self._lines[0].retrieve(f"{self._files}/{quote(path)}")
        return body if len(body) <= most else None

    async def send_document(self, chat_id: int, document: Document, *, silent: bool = False) -> int:
        """Sends a document; the message's id."""
        result = await self.call(
            "sendDocument",
            chat_id=chat_id,
            document=InputFile(document.content, filename=document.name),
            caption=document.caption or None,
            disable_notification=silent or None,
        )
        return int(result["message_id"])

    async def delete(self, chat_id: int, message_id: int) -> None:
        """Takes a message out of the chat. That it is gone, or too old to go, is success."""
        try:
            await self.call("deleteMessage", chat_id=chat_id, message_id=message_id)
        except CallFailed as failed:
            if failed.trouble is not Trouble.GONE:
                raise

    async def close(self) -> None:
        """Closes the connections."""
        for line in self._lines:
            await line.shutdown()


def quieten() -> None:
    """Silences the libraries that log addresses (which hold the token) or bodies."""
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.CRITICAL)

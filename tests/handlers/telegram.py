"""Telegram's side of a call, in memory: what stands in each chat, and trouble on demand."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from bot.handlers.gateway import CallFailed, Gateway, Trouble


@dataclass
class Fault:
    """Trouble for one call of `method`; `applied`: Telegram did it all the same, only the answer is lost."""

    method: str
    trouble: Trouble
    retry_after: float | None = None
    applied: bool = False


class FakeTelegram(Gateway):
    """The real gateway, but its calls end here instead of on a line."""

    def __init__(self) -> None:
        super().__init__("1:x", "http://127.0.0.1:9")
        self.chats: dict[int, dict[int, dict[str, Any]]] = defaultdict(dict)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: list[Fault] = []
        self.blocked: set[int] = set()
        self.undeletable: set[int] = set()
        self.settings: dict[tuple[str, Any], Any] = {}
        self.updates: list[dict[str, Any]] = []
        self.offsets: list[int | None] = []
        self._next = 100

    def fail(
        self,
        method: str,
        trouble: Trouble,
        *,
        times: int = 1,
        retry_after: float | None = None,
        applied: bool = False,
    ) -> None:
        self.faults += [Fault(method, trouble, retry_after, applied)] * times

    def says(self, chat_id: int) -> list[str]:
        """The texts that stand in a chat, from top to bottom."""
        return [message["text"] for _, message in sorted(self.chats[chat_id].items())]

    def count(self, method: str) -> int:
        return sum(1 for called, _ in self.calls if called == method)

    async def call(self, method: str, *, read_timeout: float | None = None, **parameters: Any) -> Any:
        parameters = {key: value for key, value in parameters.items() if value is not None}
        self.calls.append((method, parameters))
        fault = next((fault for fault in self.faults if fault.method == method), None)
        if fault is not None:
            self.faults.remove(fault)
            if not fault.applied:
                raise CallFailed(fault.trouble, fault.retry_after)
        result = await self._apply(method, parameters)
        if fault is not None:
            raise CallFailed(fault.trouble)
        return result

    async def _apply(self, method: str, given: dict[str, Any]) -> Any:
        chat_id = given.get("chat_id")
        if chat_id in self.blocked:
            raise CallFailed(Trouble.BLOCKED)
        chat = self.chats[chat_id]
        match method:
            case "sendMessage":
                self._next += 1
                chat[self._next] = given
                return {"message_id": self._next}
            case "sendDocument":
                self._next += 1
                chat[self._next] = {**given, "text": given["document"].filename}
                return {"message_id": self._next}
            case "editMessageText":
                if given["message_id"] not in chat:
                    raise CallFailed(Trouble.GONE)
                old, new = (
                    {key: part.get(key) for key in ("text", "reply_markup")}
                    for part in (chat[given["message_id"]], given)
                )
                if old == new:
                    raise CallFailed(Trouble.NOT_MODIFIED)
                chat[given["message_id"]] = given
            case "editMessageReplyMarkup":
                if given["message_id"] not in chat:
                    raise CallFailed(Trouble.GONE)
                chat[given["message_id"]].pop("reply_markup", None)
            case "deleteMessage":
                if given["message_id"] not in chat or given["message_id"] in self.undeletable:
                    raise CallFailed(Trouble.GONE)
                del chat[given["message_id"]]
            case "getUpdates":
                return await self._poll(given.get("offset"))
            case _:
                return self._setting(method, given)
        return True

    async def _poll(self, offset: int | None) -> list[dict[str, Any]]:
        self.offsets.append(offset)
        if offset is not None:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            await asyncio.sleep(0.005)
        return list(self.updates)

    def _setting(self, method: str, given: dict[str, Any]) -> Any:
        lang = given.pop("language_code", None)
        if method.startswith("get"):
            empty: Any = [] if method == "getMyCommands" else {}
            return self.settings.get((method[3:], lang), empty)
        value = given.get("commands") if "scope" not in given and method == "setMyCommands" else given
        self.settings[method[3:], given.get("scope", {}).get("chat_id") or lang] = value
        return True

"""The updates that wait for the bot: numbers, confirmation, types allowed, redelivery.

Both ways out share it: `getUpdates` reads it, the webhook takes from it. Imports `bell`, `errors`, `storage`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.demo.bell import Bell
from bot.demo.errors import ApiError
from bot.demo.model import Json
from bot.demo.storage import Archive

FIRST_UPDATE_ID = 700_000_001
NOT_BY_DEFAULT = frozenset(["chat_member", "message_reaction", "message_reaction_count"])
MAX_POLL_SECONDS = 50
SECOND_POLLER = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
BY_WEBHOOK = "Conflict: terminated by setWebhook request"
WEBHOOK_ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@dataclass(slots=True)
class Pending:
    """An update that is not confirmed; `due` is how often it is to be delivered before a confirmation counts."""

    body: Json
    due: int = 1
    delivered: int = 0

    @property
    def id(self) -> int:
        return int(self.body["update_id"])


@dataclass(slots=True)
class _Poll:
    ended_by: str = ""


class Updates:
    """The queue. `duplicate` says for an update's id how often it is delivered: a test's lever, 1 as a rule."""

    def __init__(self, archive: Archive) -> None:
        self.bell = Bell()
        self.duplicate: Callable[[int], int] = lambda _: 1
        self._archive = archive
        self._poll: _Poll | None = None
        self.load()

    def load(self) -> None:
        """From the archive, as at a start."""
        self.next_id = int(self._archive.get("counter", "update", FIRST_UPDATE_ID))
        self.allowed: list[str] = self._archive.get("setting", "allowed_updates", [])
        rows = sorted(self._archive.all("update"), key=lambda row: int(row[0]))
        self.pending = {int(key): Pending(body) for key, body in rows}

    def allows(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def allow(self, kinds: Any) -> None:
        """Keeps the types that the bot wants from now on; None leaves them as they are."""
        if isinstance(kinds, list):
            self.allowed = [str(kind) for kind in kinds]
            self._archive.put("setting", "allowed_updates", self.allowed)

    def add(self, kind: str, body: Any) -> int:
        """Queues an update of `kind`; gives its id, or 0 when the bot does not want that type."""
        return self.add_whole({kind: body}) if self.allows(kind) else 0

    def add_whole(self, update: Json) -> int:
        """Queues an update as it is; it keeps an `update_id` that it has."""
        number = int(update.get("update_id", self.next_id))
        self.next_id = max(self.next_id, number + 1)
        body = {"update_id": number, **{key: value for key, value in update.items() if key != "update_id"}}
        self.pending[number] = Pending(body, due=max(1, self.duplicate(number)))
        self._archive.put("counter", "update", self.next_id)
        self._archive.put("update", number, body)
        self.bell.ring()
        return number

    def confirm(self, offset: int) -> None:
        """Forgets what stands before `offset`; a negative one keeps only the last updates."""
        if offset < 0:
            ids = list(self.pending)
            offset = ids[offset] if len(ids) >= -offset else 0
        for number in [number for number, update in self.pending.items() if number < offset]:
            update = self.pending[number]
            if update.due == 1 or update.delivered >= update.due:
                self.remove(number)

    def remove(self, number: int) -> None:
        if self.pending.pop(number, None) is not None:
            self._archive.put("update", number, None)

    def drop_all(self) -> None:
        for number in list(self.pending):
            self.remove(number)

    def take(self, limit: int) -> list[Json]:
        """The oldest updates, counted as delivered once more."""
        batch = list(self.pending.values())[:limit]
        for update in batch:
            update.delivered += 1
        return [update.body for update in batch]

    def end_poll(self, reason: str) -> None:
        """Ends the long poll that waits, with a conflict."""
        if self._poll is not None:
            self._poll.ended_by = reason
            self._poll = None
            self.bell.ring()

    async def poll(self, limit: int, seconds: float, closing: Callable[[], bool]) -> list[Json]:
        """A long poll; an older one that still waits is ended with 409, as Telegram does."""
        self.end_poll(SECOND_POLLER)
        me = self._poll = _Poll()
        until = time.monotonic() + min(max(seconds, 0), MAX_POLL_SECONDS)
        while (
            not self.pending and not me.ended_by and not closing() and (left := until - time.monotonic()) > 0
        ):
            await self.bell.wait(min(left, 1.0))
        if me.ended_by:
            raise ApiError(409, me.ended_by)
        self._poll = None
        return self.take(limit)

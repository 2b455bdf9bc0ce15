"""What the edge needs of the store: the inbox and the outbox, as protocols. `mailroom` implements them.

All methods are synchronous, one transaction each, and raise DatabaseUnavailable while the database is away.
Bodies and payloads are plain here; at rest they are encrypted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.conversations.model import Json


@dataclass(frozen=True, slots=True)
class Arrived:
    """An update to keep until its turn has committed. `lane` is the chat; updates of one lane keep their order."""

    update_id: int
    lane: int
    body: Json

    def __repr__(self) -> str:
        return f"Arrived({self.update_id})"


@dataclass(frozen=True, slots=True)
class Waiting(Arrived):
    """An update in the inbox whose turn is next in its lane, and how often it was tried. `body` None: unreadable."""

    attempts: int = 0

    def __repr__(self) -> str:
        return f"Waiting({self.update_id}, attempts={self.attempts})"


class Inbox(Protocol):
    """Updates that Telegram handed over and whose turn has not committed yet."""

    def keep(self, updates: Sequence[Arrived]) -> None:
        """Stores a batch in one commit; what was seen before is left as it is."""

    def open_lanes(self) -> Sequence[int]:
        """The lanes where something waits."""

    def next_in(self, lane: int) -> Waiting | None:
        """The first update that waits in this lane."""

    def count_attempt(self, update_id: int) -> int:
        """Notes that the update is about to be tried; the number of this try, from 1 (0 when it is done already)."""

    def set_aside(self, update_id: int, error: str, reference: str) -> None:
        """Takes the update out of its lane for good; `error` says kind and place, nothing of the content."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A row of the outbox: what to send or delete in a chat. `attempts` were made before; `payload` None: unreadable."""

    id: int
    chat_id: int
    kind: str
    payload: Json
    silent: bool = False
    attempts: int = 0

    def __repr__(self) -> str:
        return f"Mail({self.id}, {self.kind})"


@dataclass(frozen=True, slots=True)
class Document:
    """A document to send: its name, its content, and what is said under it."""

    name: str
    content: bytes
    caption: str

    def __repr__(self) -> str:
        return f"Document({len(self.content)})"


class Documents(Protocol):
    """Makes the documents that rows of the outbox ask for."""

    def make(self, mail: Mail) -> Document | None:
        """The document as it is now; None where whoever asked for it may not have it any more. Takes its time: for a thread."""


class Outbox(Protocol):
    """Messages that must stay, until Telegram has them."""

    def take(self, limit: int) -> Sequence[Mail]:
        """Up to `limit` rows that are due, the order of a chat kept, lent to this process for a while; its attempt is counted."""

    def take_for(self, chat_id: int) -> Sequence[Mail]:
        """The same for one chat."""

    def sent(self, mail_id: int, message_id: int | None) -> None:
        """The row is done."""

    def keep(self, mail_id: int) -> None:
        """Lends the row for longer."""

    def later(self, mail_id: int, seconds: float) -> None:
        """Try again, not before so many seconds have passed."""

    def ended(self, mail_id: int, reason: str) -> None:
        """The row will never be delivered."""


class Screens(Protocol):
    """Whose turn it is to draw in a chat, where several copies of the bot are at work."""

    shared: bool
    """Whether others may be there; else nothing need be asked."""

    def take(self, chat_id: int) -> bool:
        """Whether the chat is this copy's now."""

    def give(self, chat_id: int) -> None:
        """The chat is anybody's again."""

    def close(self) -> None:
        """Lets go of all."""

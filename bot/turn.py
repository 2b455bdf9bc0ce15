"""One incoming event → one transaction → one new screen: the values that pass between the edge and the turn.

`Turns` is the port by which the edge (`handlers`, later `web` and `worker`) hands an event over; it knows neither
Telegram nor SQL, so that both sides can be tested alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.conversations.model import Event, Toast, View


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person did, with where and when it belongs.

    `message_id` is the incoming message, to delete it where it bears a national number; `tapped` the message whose button was
    tapped. `lang` is the client's language, a hint for a first contact only. `left` and `joined` tell that the person
    blocked or unblocked the bot.
    """

    update_id: int
    chat_id: int
    telegram_id: int
    event: Event
    message_id: int | None = None
    tapped: int | None = None
    callback_id: str | None = None
    lang: str = "fr"
    left: bool = False
    joined: bool = False


@dataclass(frozen=True, slots=True)
class CardJob:
    """The card as it should be now. `view` None: no card is wanted. `anew`: at the bottom, and the old one goes."""

    chat_id: int
    seq: int
    rev: int
    lang: str
    view: View | None
    anew: bool
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Handled:
    """What a turn came to. `repeated`: this update was handled before. `mail`: outbox rows wait, to go out before the card.

    `known`: the chat is a person's of the register; None where the turn did not look.
    """

    chat_id: int
    lang: str
    repeated: bool
    toast: Toast | None
    card: CardJob | None
    mail: bool
    known: bool | None = None


class Turns(Protocol):
    """The turns of all chats. Synchronous: the edge calls it in a worker thread, one hop a turn."""

    def handle(self, incoming: Incoming) -> Handled:
        """One transaction; the update is marked done in it."""
        ...

    def card(self, chat_id: int) -> CardJob | None:
        """The card to show, None where what is shown is what is wanted."""
        ...

    def overtaken(self, job: CardJob) -> bool:
        """Whether the chat has gone on since the job was made, or the card is shown already: by another copy of the bot."""
        ...

    def asks_for_document(self, telegram_id: int) -> bool:
        """Whether the open dialogue of this person's chat waits for a file; any other is not fetched."""
        ...

    def shown(self, chat_id: int, seq: int, message_id: int | None) -> bool:
        """The card `seq` now stands in the chat as `message_id`; False where the chat has gone on since."""
        ...

    def unshown(self, *, limit: int) -> list[int]:
        """Chats whose card is still to be shown, and due."""
        ...

    def failed_to_show(self, chat_id: int, seq: int, retry_after: float | None) -> None:
        """Showing failed; try again after so many seconds, or after a growing delay."""
        ...

    def blocked(self, chat_id: int) -> None:
        """The person blocked the bot: nothing more is shown or sent until he comes back."""
        ...

    def apologise(self, chat_id: int, update_id: int) -> str:
        """After five failures: puts an apology in the outbox and returns its reference."""
        ...

"""Raw update → `Incoming`: what of Telegram's updates is for us, and what it says.

Reads the JSON itself: `Update.de_json` costs as much as a whole turn (`performance.md`), and half of an update is of
no use here. Private chats only; whatever is malformed, or comes from elsewhere, is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from telegram.constants import ChatMemberStatus, ChatType, UpdateType

from bot import clock
from bot.access.certificates import names_key
from bot.access.credentials import looks_like_password
from bot.access.identifiers import contains_niss, looks_like_niss
from bot.conversations.model import Command, Document, Event, Redraw, Text, Unreadable
from bot.handlers.callbacks import Codes
from bot.msg import LANGUAGES
from bot.turn import Incoming

Raw: TypeAlias = Mapping[str, Any]

ALLOWED_UPDATES = tuple(
    str(kind.value)
    for kind in (
        UpdateType.MESSAGE,
        UpdateType.EDITED_MESSAGE,
        UpdateType.CALLBACK_QUERY,
        UpdateType.MY_CHAT_MEMBER,
    )
)
"""All that Telegram is asked for: no channels, inline queries, business or guest messages."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@[A-Za-z0-9_]+)?(?:\s+(.*))?", re.DOTALL)
_NOT_SPOKEN = frozenset({
    "animation", "audio", "checklist", "contact", "dice", "document", "game", "live_photo", "location", "paid_media",
    "photo", "poll", "sticker", "story", "venue", "video", "video_note", "voice",
})  # fmt: skip
_NO_TEXT = frozenset({"file_id", "file_unique_id", "phone_number"})
_STAYS_AWAY = frozenset({ChatMemberStatus.LEFT.value, ChatMemberStatus.BANNED.value})


@dataclass(frozen=True, slots=True)
class Leave:
    """A group or a channel that the bot is in and should leave."""

    chat_id: int


def read(update: Raw, codes: Codes) -> Incoming | Leave | None:
    """What the update says; None when it is not for us. Never raises, whatever the JSON holds."""
    match update:
        case {
            "update_id": int(update_id),
            "message": {"chat": {"id": int(chat_id), "type": str(kind)}} as message,
        }:
            if kind != ChatType.PRIVATE:
                return Leave(chat_id)
            return _message(update_id, chat_id, message, _event(message))
        case {
            "update_id": int(update_id),
            "edited_message": {"chat": {"id": int(chat_id), "type": ChatType.PRIVATE}} as message,
        }:
            return _message(update_id, chat_id, message, _corrected(message))
        case {
            "update_id": int(update_id),
            "callback_query": {"message": {"chat": {"type": ChatType.PRIVATE}}} as query,
        }:
            return _tap(update_id, query, codes)
        case {
            "update_id": int(update_id),
            "my_chat_member": {"chat": {"id": int(), "type": str()}} as change,
        }:
            return _membership(update_id, change)
    return None


def _message(update_id: int, chat_id: int, message: Raw, event: Event | None) -> Incoming | None:
    match message:
        case {"message_id": int(message_id), "from": {"id": int(sender)} as person} if sender == chat_id:
            if event is None or person.get("is_bot"):
                return None
            return Incoming(update_id, chat_id, sender, event, message_id=message_id, lang=_language(person))
    return None


def _event(message: Raw) -> Event | None:
    match message:
        case {"quote": quote} if _hides_niss(quote):
            return Unreadable(secret=True)
        case {"text": str(text)}:
            command = _COMMAND.fullmatch(text.strip())
            return Command(command[1].lower(), (command[2] or "").strip()) if command else Text(text)
        case {"caption": str(caption)} if _bears_niss(caption) or looks_like_password(caption):
            return Text(caption)  # read as if typed, so that the secret is seen and the message deleted
        case {"document": {"file_name": str(name)}} if names_key(name):
            return Unreadable("key")
        case {"document": {"file_id": str(file)} as found} if not _hides_niss(found):
            name, size = found.get("file_name"), found.get("file_size")
            size = size if isinstance(size, int) else 0
            return Document(file, name if isinstance(name, str) else "", size)
    kinds = _NOT_SPOKEN & message.keys()
    return Unreadable(secret=any(_hides_niss(message[kind]) for kind in kinds)) if kinds else None


def _corrected(message: Raw) -> Event | None:
    """A message changed after it was sent: no answer any more, but a secret in it goes from the chat too."""
    match message:
        case {"text": str(text)} | {"caption": str(text)} if looks_like_password(text):
            return Unreadable("password")
        case {"text": str(text)} | {"caption": str(text)}:
            return Unreadable("corrected", secret=_bears_niss(text))
    return None  # a location that moves, a poll with a new vote


def _hides_niss(value: object) -> bool:
    """Whether a number stands in a text within: a document's name, a poll's question, a contact's card."""
    match value:
        case str():
            return contains_niss(value, today=clock.today())
        case Mapping():
            return any(_hides_niss(each) for key, each in value.items() if key not in _NO_TEXT)
        case list():
            return any(_hides_niss(each) for each in value)
    return False


def _bears_niss(text: str) -> bool:
    return looks_like_niss(text) or contains_niss(text, today=clock.today())


def _tap(update_id: int, query: Raw, codes: Codes) -> Incoming | None:
    match query:
        case {
            "id": str(callback_id),
            "from": {"id": int(sender)} as person,
            "message": {"message_id": int(tapped), "chat": {"id": int(chat_id)}},
        } if sender == chat_id:
            data = query.get("data")
            event = codes.decode(chat_id, data if isinstance(data, str) else "")
            return Incoming(
                update_id, chat_id, sender, event, tapped=tapped, callback_id=callback_id, lang=_language(person)
            )  # fmt: skip
    return None


def _membership(update_id: int, change: Raw) -> Incoming | Leave | None:
    match change:
        case {
            "chat": {"id": int(chat_id), "type": str(kind)},
            "from": {"id": int(sender)} as person,
            "new_chat_member": {"status": str(status)},
        }:
            away = status in _STAYS_AWAY
            if kind != ChatType.PRIVATE:
                return None if away else Leave(chat_id)
            if sender != chat_id:
                return None
            return Incoming(
                update_id, chat_id, sender, Redraw(), lang=_language(person), left=away, joined=not away
            )
    return None


def _language(person: Raw) -> str:
    """The client's language as one of ours: French where it says nothing, English where it is none of the four."""
    code = person.get("language_code")
    if not isinstance(code, str) or not code:
        return "fr"
    short = code.lower().partition("-")[0]
    return short if short in LANGUAGES else "en"

"""The state of the local Telegram: one bot, the people who may write to it, their chats, messages and files.

Methods (`methods`, `profile`) and people (`people`) act on it; every act ends with `saved`, which commits what changed.
It lives in one event loop; other threads go through HTTP. Imports the other small modules of this package.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.demo.bell import Bell, Feed
from bot.demo.errors import ApiError, bad_request
from bot.demo.faults import Faults
from bot.demo.model import Chat, Json, Message, StoredFile, Tap, Visitor, to_record
from bot.demo.rates import Rates
from bot.demo.storage import Archive
from bot.demo.updates import Updates

DEMO_TOKEN = "4200000042:demo-token-of-this-computer-only-0000000"  # noqa: S105 - worth nothing outside this machine
TYPING_SECONDS = 5.0
TAP_LIFETIME = 60.0
KEPT_CALLS = 5000
NO_SUCH_TAP = "query is too old and response timeout expired or query ID is invalid"


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the bot made: `error` is empty when it succeeded."""

    method: str
    params: Json
    error: str
    at: float


@dataclass(frozen=True, slots=True)
class Note:
    """What a person was shown for a tap; an empty `text` only ends the tap's waiting."""

    tap: str
    text: str
    alert: bool
    url: str = ""


class LocalTelegram:
    """Everything there is. `clock` gives Unix seconds; `clock_offset` moves it for tests."""

    def __init__(
        self,
        token: str = DEMO_TOKEN,
        *,
        name: str = "Access assistant",
        username: str = "accessbot_demo_bot",
        archive: Archive | None = None,
        clock: Callable[[], float] = time.time,
        rate_limits: bool = False,
    ) -> None:
        self.token = token
        self.bot: Json = {
            "id": int(token.partition(":")[0]),
            "is_bot": True,
            "first_name": name,
            "username": username,
        }
        self.archive = archive or Archive()
        self.clock_offset = 0.0
        self._clock = clock
        self.tap_lifetime = TAP_LIFETIME
        self.faults = Faults()
        self.rates = Rates(time.monotonic, enabled=rate_limits)
        self.updates = Updates(self.archive)
        self.feed = Feed()
        self.changed = Bell()
        self.ended = Bell()
        self.closing = False
        self._load()

    def _load(self) -> None:
        archive = self.archive
        self.people = {int(key): Visitor(**body) for key, body in archive.all("person")}
        self.chats = {int(key): Chat(**body) for key, body in archive.all("chat")}
        self.files = {key: StoredFile(**body) for key, body in archive.all("file")}
        self.taps = {key: Tap(**body) for key, body in archive.all("tap")}
        self.messages: dict[int, dict[int, Message]] = {}
        for message in sorted(
            (Message(**body) for _, body in archive.all("message")), key=lambda message: message.id
        ):
            self.messages.setdefault(message.chat, {})[message.id] = message
        self._next_message = itertools.count(int(archive.get("counter", "message", 1)))
        self.typing: dict[int, float] = {}
        self.notes: dict[int, list[Note]] = {}
        self.versions: dict[int, tuple[int, int]] = {}
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)

    def reset(self) -> None:
        """Forgets all but the update counter, so that a bot that remembers numbers is not misled."""
        counter = self.updates.next_id
        self.archive.wipe()
        self.archive.put("counter", "update", counter)
        self.archive.commit()
        self.updates.load()
        self._load()
        self.feed.publish({"kind": "reset"})
        self.changed.ring()

    def close(self) -> None:
        """Ends whatever waits, so that the server can stop."""
        self.closing = True
        self.updates.bell.ring()
        self.changed.ring()
        self.ended.ring()
        self.feed.publish({"kind": "closing"})

    def now(self) -> float:
        """Unix seconds."""
        return self._clock() + self.clock_offset

    def saved(self) -> None:
        """Commits what changed."""
        self.archive.commit()

    # People and chats

    def person(self, number: int) -> Visitor:
        """The person with that id. Raises ApiError 404 where there is none."""
        person = self.people.get(number)
        if person is None:
            raise ApiError(404, "Not Found: no such person")
        return person

    def put_person(self, person: Visitor) -> None:
        """Adds a person, or changes his name or language."""
        self.people[person.id] = person
        self.archive.put("person", person.id, to_record(person))
        if person.id in self.chats:
            self.put_chat(replace(self.chats[person.id], facts=private_facts(person)))

    def put_chat(self, chat: Chat) -> None:
        self.chats[chat.id] = chat
        self.archive.put("chat", chat.id, to_record(chat))

    def writable(self, number: Any) -> Chat:
        """The chat that the bot may write to. Raises ApiError as Telegram words it."""
        if number in (None, ""):
            raise bad_request("chat_id is empty")
        chat = self.chats.get(int(number)) if str(number).lstrip("-").isdecimal() else None
        if chat is None:
            if str(number).isdecimal() and int(number) in self.people:
                raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        if chat.private and chat.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if chat.private and not chat.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return chat

    # Messages

    def message(self, chat: int, number: Any) -> Message | None:
        return self.messages.get(chat, {}).get(int(number)) if str(number).isdecimal() else None

    def new_message(self, chat: Chat, sender: Json, content: Json) -> Message:
        """A message at the end of the chat, shown at once."""
        number = next(self._next_message)
        self.archive.put("counter", "message", number + 1)
        message = Message(chat.id, number, int(self.now()), sender, content)
        self._put_message(message)
        if message.from_bot:
            self.typing.pop(chat.id, None)
        return message

    def change_message(self, message: Message, content: Json, *, mark: bool = True) -> Message:
        """The same message with other content; `mark` dates the change."""
        edited = int(self.now()) if mark else message.edited
        changed = Message(message.chat, message.id, message.date, message.sender, content, edited)
        self._put_message(changed)
        return changed

    def remove_message(self, message: Message) -> None:
        del self.messages[message.chat][message.id]
        self.archive.put("message", f"{message.chat}/{message.id}", None)
        self.tell(message.chat, {"kind": "deleted", "message_id": message.id})

    def _put_message(self, message: Message) -> None:
        self.messages.setdefault(message.chat, {})[message.id] = message
        self.archive.put("message", f"{message.chat}/{message.id}", to_record(message))
        self.tell(message.chat, {"kind": "message", "message": self.shown(message)}, by_bot=message.from_bot)

    def shown(self, message: Message) -> Json:
        """A message as the chat page and the tests get it."""
        body = message.body(self.chats[message.chat])
        return {**body, "from_bot": message.from_bot}

    # Telling whoever watches

    def tell(self, chat: int, event: Json, *, by_bot: bool = True) -> None:
        """Publishes what happened in a chat, and counts it: (all changes, changes by the bot)."""
        changes, of_bot = self.versions.get(chat, (0, 0))
        self.versions[chat] = (changes + 1, of_bot + by_bot)
        self.feed.publish({**event, "chat": chat, "version": changes + 1})
        self.changed.ring()

    def types(self, chat: Chat) -> None:
        """The bot types for some seconds, or until its next message."""
        self.typing[chat.id] = self.now() + TYPING_SECONDS
        self.tell(chat.id, {"kind": "typing", "seconds": TYPING_SECONDS}, by_bot=False)

    def answer_tap(self, number: str, note: Note) -> None:
        """Answers a tap, once. Raises ApiError where it was answered, is too old, or never was."""
        tap = self.taps.pop(number, None)
        if tap is not None:
            self.archive.put("tap", number, None)
        if tap is None or self.now() - tap.at > self.tap_lifetime:
            raise bad_request(NO_SUCH_TAP)
        self.notes.setdefault(tap.person, []).append(note)
        event = {"kind": "answered", "tap": number, "text": note.text, "alert": note.alert, "url": note.url}
        self.tell(tap.person, event, by_bot=False)

    # Files

    def keep_file(self, name: str, mime: str, body: bytes) -> StoredFile:
        """Keeps a file that somebody sent."""
        safe = name.replace("/", "_").replace("\\", "_").replace("\0", "") or "file"
        stored = StoredFile(f"BQACAgQAAx{secrets.token_hex(20)}", safe, mime, len(body))
        self.files[stored.id] = stored
        self.archive.put("file", stored.id, to_record(stored))
        self.archive.put_blob(stored.id, body)
        return stored

    def file_at(self, path: str) -> StoredFile | None:
        return next((stored for stored in self.files.values() if stored.path == path), None)


def private_facts(person: Visitor) -> Json:
    """The Bot API's `Chat` of a private chat."""
    facts = {
        key: value
        for key, value in person.user().items()
        if key in {"id", "first_name", "last_name", "username"}
    }
    return {**facts, "type": "private"}

"""What the local Bot API knows: people, chats, messages, files. Frozen values; imports nothing of ours."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person one can be in the chat page.

    `role` says in each language who that is (`{"fr": …, "nl": …}`); `invitation` is the code of a deep link, shown
    as the way in. `id` is the Telegram user's id, and so the id of his private chat with the bot. `any_language`: nobody
    has chosen his phone's language yet, and the page that opens his chat gives it its own.
    """

    id: int
    first_name: str
    last_name: str = ""
    language_code: str = "fr"
    role: dict[str, str] = field(default_factory=dict)
    invitation: str | None = None
    username: str = ""
    any_language: bool = False

    def user(self) -> Json:
        """The Bot API's `User`."""
        user: Json = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.last_name:
            user["last_name"] = self.last_name
        if self.username:
            user["username"] = self.username
        return {**user, "language_code": self.language_code}


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of the bot. `started` and `blocked` mean private chats only; `facts` is the Bot API's `Chat`.

    `keyboard` is the reply keyboard shown below the input, `read` the newest message the person has seen, `opened` the
    code of the last deep link that was followed.
    """

    id: int
    facts: Json
    started: bool = False
    blocked: bool = False
    keyboard: Json | None = None
    read: int = 0
    opened: str = ""

    @property
    def private(self) -> bool:
        return bool(self.facts.get("type") == "private")


@dataclass(frozen=True, slots=True)
class Message:
    """A message that exists. `content` holds the Bot API's fields (text, entities, document, reply_markup …).

    `date` and `edited` are Unix seconds; `edited` is 0 for a message never edited.
    """

    chat: int
    id: int
    date: int
    sender: Json
    content: Json
    edited: int = 0

    @property
    def from_bot(self) -> bool:
        return bool(self.sender.get("is_bot"))

    def body(self, chat: Chat) -> Json:
        """The Bot API's `Message`. Reply keyboards are not part of it, as with Telegram."""
        body: Json = {"message_id": self.id, "from": self.sender, "chat": chat.facts, "date": self.date}
        if self.edited:
            body["edit_date"] = self.edited
        body |= self.content
        if "inline_keyboard" not in body.get("reply_markup", {}):
            body.pop("reply_markup", None)
        return body


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was sent: `id` is its file_id, `path` what getFile answers."""

    id: str
    name: str
    mime: str
    size: int

    @property
    def unique_id(self) -> str:
        return self.id[-16:]

    @property
    def path(self) -> str:
        return f"documents/{self.unique_id}/{self.name}"


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap that the bot may answer once, within its lifetime. `at` is in Unix seconds."""

    id: str
    person: int
    message: int
    data: str
    at: float


def to_record(value: Any) -> Json:
    """A value as JSON; its class takes it back as keyword arguments."""
    return asdict(value)

"""The values that dialogues are made of: events, state, views, effects. All frozen; state is JSON-able.

Imports nothing but messages and the pure requests of `access`. Views carry message keys and parameters, never
text: the language is applied at the edge, so switching it redraws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot.access.requests import Outcome, Request
from bot.conversations.changing import replace
from bot.msg import Msg, Say, from_json, to_json

Json: TypeAlias = Any
"""A JSON value: what answers, proposals and `ui` are made of."""
Answers: TypeAlias = Mapping[str, Json]
"""Answers by step key, proposals that stand included."""

# -- events: what a person, or the register, says -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Command:
    """`/name args`; also a button of a message that stays (a door), which opens a dialogue as a command does."""

    name: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Something typed that is not a command; `private`: on a private page, so that no message in the chat bears it."""

    text: str
    private: bool = False

    def __repr__(self) -> str:
        return "Text(…)"


@dataclass(frozen=True, slots=True)
class Tap:
    """A button of the card, as it was when the chat's counter stood at `rev`.

    `on_card` tells whether the tapped message is the card shown last.
    """

    rev: int
    verb: str
    value: str = ""
    on_card: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """The register's answer to the request that the top dialogue submitted."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Redraw:
    """Nothing happened: show the current card (a repeated update, a language switch, a restart).

    `settled`: what it had to tell is settled elsewhere, and is not told again.
    """

    settled: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo, a sticker, a voice message, a corrected message: something that no dialogue here can read.

    `why` is the key of the sentence about it; `secret` says that a national number stands in it.
    """

    why: str = "unreadable"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was sent. `size` is in bytes; `body` is None where it was not fetched: nobody asked for it, it is too large, or
    it did not come through.
    """

    file: str
    name: str
    size: int
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Document({self.size})"


Event: TypeAlias = Command | Text | Tap | Answer | Redraw | Unreadable | Document

# -- state ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """One open dialogue: the answers and how they came about. Its position is derived, never stored.

    `day` is the ISO day of its newest answer: it is kept for `Settings.keeping` from then. `words` are said to their step as
    soon as it is asked: they came with the command, before it was their turn.
    """

    flow: str
    answers: Answers = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    proposals: Answers = field(default_factory=dict)
    editing: str | None = None
    typed: bool = False
    ui: Mapping[str, Json] = field(default_factory=dict)
    error: Msg | None = None
    notes: tuple[Msg, ...] = ()
    day: str = ""
    words: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> Json:
        """A JSON object; `from_json` brings the frame back."""
        return {
            "day": self.day,
            "words": dict(self.words),
            "flow": self.flow,
            "answers": dict(self.answers),
            "trail": list(self.trail),
            "proposals": dict(self.proposals),
            "editing": self.editing,
            "typed": self.typed,
            "ui": dict(self.ui),
            "error": to_json(self.error),
            "notes": [to_json(note) for note in self.notes],
        }

    @classmethod
    def from_json(cls, data: Json) -> Frame:
        """The inverse of `to_json`."""
        return cls(
            day=data.get("day", ""),
            words=data.get("words", {}),
            flow=data["flow"],
            answers=data["answers"],
            trail=tuple(data["trail"]),
            proposals=data["proposals"],
            editing=data["editing"],
            typed=data["typed"],
            ui=data["ui"],
            error=from_json(data["error"]),
            notes=tuple(from_json(note) for note in data["notes"]),
        )


@dataclass(frozen=True, slots=True)
class State:
    """All that a chat's dialogues remember.

    `rev` never restarts and rises with every accepted answer. `frames` are the open dialogues, the top one last;
    `kept` those put aside for later. `last` is the last accepted tap, to answer its repetition silently.
    `memory` holds what the manager chose to work in (`entity`, `quality`). `resting` is true while no card is
    wanted: after a receipt, until the next event.
    """

    rev: int = 1
    frames: tuple[Frame, ...] = ()
    kept: tuple[Frame, ...] = ()
    last: tuple[int, str, str] | None = None
    memory: Mapping[str, str] = field(default_factory=dict)
    error: Msg | None = None
    notes: tuple[Msg, ...] = ()
    resting: bool = False

    @property
    def top(self) -> Frame | None:
        """The dialogue that typed text goes to."""
        return self.frames[-1] if self.frames else None

    def with_top(self, frame: Frame) -> State:
        """This state with its top dialogue replaced."""
        return replace(self, frames=(*self.frames[:-1], frame))

    def to_json(self) -> Json:
        """A JSON object; `from_json` brings the state back."""
        return {
            "rev": self.rev,
            "frames": [frame.to_json() for frame in self.frames],
            "kept": [frame.to_json() for frame in self.kept],
            "last": list(self.last) if self.last else None,
            "memory": dict(self.memory),
            "error": to_json(self.error),
            "notes": [to_json(note) for note in self.notes],
            "resting": self.resting,
        }

    @classmethod
    def from_json(cls, data: Json) -> State:
        """The inverse of `to_json`."""
        return cls(
            rev=data["rev"],
            frames=tuple(Frame.from_json(frame) for frame in data["frames"]),
            kept=tuple(Frame.from_json(frame) for frame in data["kept"]),
            last=tuple(data["last"]) if data["last"] else None,
            memory=data["memory"],
            error=from_json(data["error"]),
            notes=tuple(from_json(note) for note in data["notes"]),
            resting=data["resting"],
        )


# -- views ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Press:
    """A button that answers the card: a verb of the engine and an opaque value, coded with the card's `rev`."""

    verb: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """A button that opens a dialogue, as the command would; good on messages that stay, at any time."""

    flow: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens a web address."""

    url: str


@dataclass(frozen=True, slots=True)
class App:
    """A button that opens a private page inside Telegram (a Mini App), which knows whose Telegram account it is."""

    url: str


@dataclass(frozen=True, slots=True)
class CopyText:
    """A button that copies a text: never a national number."""

    text: str


Action: TypeAlias = Press | Door | Link | App | CopyText


@dataclass(frozen=True, slots=True)
class Button:
    """A button: what it says, what it does, and an ornament (☑, ✔, 🔒) that stands before the words."""

    label: Say
    action: Action
    mark: str = ""


Row: TypeAlias = tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What a card or a message shows.

    `mark` is an ornament before the title; `step` the number of the question and, once certain, the total. `error` is
    the sentence about a wrong answer; `notes` what changed or what to know. Each item of `body` is a paragraph, each of `facts` a line *label: value*.
    A receipt that `fades` holds what should not stay in a chat, and is deleted there after a quarter of an hour.
    """

    title: Say | None = None
    subject: Say | None = None
    mark: str = ""
    step: tuple[int, int | None] | None = None
    error: Msg | None = None
    notes: tuple[Msg, ...] = ()
    body: tuple[Say, ...] = ()
    facts: tuple[tuple[Say, Say], ...] = ()
    after: tuple[Say, ...] = ()
    rows: tuple[Row, ...] = ()
    fades: bool = False

    def buttons(self) -> tuple[Button, ...]:
        """All buttons in reading order."""
        return tuple(button for row in self.rows for button in row)


# -- effects --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Perform:
    """Do `request` in this transaction and feed its outcome back. `shown` stands for the recap that was confirmed."""

    request: Request
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that must stay, in the place of the card; `key` makes it unique."""

    key: str
    view: View


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete the incoming message from the chat: it bears what should not stay there."""


Effect: TypeAlias = Perform | Receipt | Forget


@dataclass(frozen=True, slots=True)
class Toast:
    """The short answer to a tap; an alert asks to be dismissed."""

    msg: Msg
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What `step` answers. `view` None: no card is wanted now. `anew`: at the bottom instead of in place."""

    state: State
    view: View | None
    effects: tuple[Effect, ...] = ()
    toast: Toast | None = None
    anew: bool = False

"""Talk to the dialogues without Telegram and without a database: for tests, and for whoever writes a dialogue.

`Talk` is a chat: it says, taps and sees, and performs requests on a register in memory (`memory`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from bot.access.catalogue import Catalogue, builtin
from bot.access.periods import brussels_day
from bot.access.requests import Done, Join, Lock, Request
from bot.conversations.engine import Engine
from bot.conversations.memory import AUBE, MIDI, NOW, PORTAL, MemoryDirectory, sample
from bot.conversations.model import (
    Answer,
    App,
    Button,
    Command,
    CopyText,
    Door,
    Event,
    Link,
    Perform,
    Press,
    Receipt,
    Redraw,
    Reply,
    State,
    Tap,
    Text,
    View,
)
from bot.conversations.ports import Actor, Context, Reader, Settings
from bot.i18n import CatalogueReader, speaker

__all__ = ["AUBE", "MIDI", "NOW", "PORTAL", "MemoryDirectory", "Talk", "plain", "said", "sample"]


@dataclass
class Talk:
    """A chat with the dialogues: `says`, `taps`, `sees`. Counts interactions as the product does."""

    engine: Engine
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    lang: str = "fr"
    actor: Actor | None = field(default_factory=lambda: Actor("delcourt", "Anne Delcourt"))
    now: datetime = NOW
    catalogue: Catalogue = field(default_factory=builtin)
    settings: Settings = field(default_factory=Settings)
    state: State = field(default_factory=State)
    view: View | None = None
    receipts: list[View] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    interactions: int = 0
    secured: bool = True  # whether whoever joins has a way back already

    @property
    def context(self) -> Context:
        lang = self.state.memory.get("lang", self.lang)
        reader: Reader = CatalogueReader(lang)
        return Context(
            lang,
            self.now,
            brussels_day(self.now),
            self.actor,
            self.directory,
            reader,
            self.catalogue,
            self.settings,
            chosen_lang="lang" in self.state.memory,
        )

    def feed(self, event: Event) -> Reply:
        """One event as a turn does it: requests are performed, their outcomes fed back."""
        reply = self.engine.step(self.state, event, self.context)
        self.replies.append(reply)
        effects = list(reply.effects)
        self.state = State.from_json(reply.state.to_json())
        for effect in effects:
            match effect:
                case Perform(request):
                    self.requests.append(request)
                    outcome = self.directory.perform(request, self.now)
                    if isinstance(request, Join) and isinstance(outcome, Done):
                        self.actor = Actor("delcourt", "Anne Delcourt", secured=self.secured)
                    if isinstance(request, Lock):
                        self.actor = Actor("delcourt", locked=True)
                    return self.feed(Answer(outcome))
                case Receipt(_, view):
                    self.receipts.append(view)
        self.view = reply.view
        return reply

    def command(self, name: str, args: str = "") -> Talk:
        self.feed(Command(name, args))
        return self

    def says(self, *texts: str) -> Talk:
        for text in texts:
            self.interactions += 1
            self.feed(Text(text))
        return self

    def taps(self, *labels: str) -> Talk:
        """Tap the button whose label begins so."""
        for label in labels:
            self.interactions += 1
            self.press(self.button(label))
        return self

    def press(self, button: Button) -> Reply:
        match button.action:
            case Press(verb, value):
                return self.feed(Tap(self.state.rev, verb, value))
            case Door(flow, args):
                return self.feed(Command(flow, args))
            case Link() | App() | CopyText():
                return self.feed(Redraw())

    def button(self, label: str) -> Button:
        """A button of the card, or of the newest receipt."""
        places = [view for view in (self.view, *reversed(self.receipts)) if view]
        for view in places:
            for button in view.buttons():
                if plain(self.context.reader.label(button.label)).startswith(label):
                    return button
        raise AssertionError(f"no button '{label}' on:\n{self.sees()}")

    def sees(self) -> str:
        """The card as plain text, with its buttons in brackets."""
        return said(self.view, self.lang_now) if self.view else ""

    @property
    def lang_now(self) -> str:
        """The language spoken now."""
        return self.state.memory.get("lang", self.lang)

    def today(self) -> date:
        return brussels_day(self.now)


def said(view: View, lang: str) -> str:
    """A view as plain text in one language."""
    voice = speaker(lang)
    head = " · ".join(voice.plain(part) for part in (view.title, view.subject) if part)
    lines = [head, *(f"⚠ {voice.plain(view.error)}" for _ in range(1) if view.error)]
    lines += [voice.plain(line) for line in (*view.notes, *view.body)]
    lines += [f"{voice.plain(label)}: {voice.plain(value)}" for label, value in view.facts]
    lines += [voice.plain(line) for line in view.after]
    lines += [
        " ".join(f"[{button.mark} {voice.plain(button.label)}]".replace("[ ", "[") for button in row)
        for row in view.rows
    ]
    return plain("\n".join(lines))


def plain(text: str) -> str:
    """Without no-break spaces, which nobody types in a test."""
    return text.replace("\N{NO-BREAK SPACE}", " ")

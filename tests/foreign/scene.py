"""Events as a turn gives them to the dialogues, on the real register, each undone again; and what is to be seen of them.

One connection stands open for all of a test. Each event begins at a given state, in a savepoint that is rolled back: what
an event would have changed is told, and nothing adds up.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.access.acts import perform
from bot.access.directory import RegisterDirectory
from bot.access.sessions import SessionRules
from bot.access.standing import Session
from bot.access.work import Work
from bot.conversations.frames import settle
from bot.conversations.model import (
    Answer,
    Command,
    Door,
    Event,
    Forget,
    Perform,
    Press,
    Receipt,
    State,
    Tap,
    Text,
    View,
)
from bot.conversations.ports import Actor, Context, Settings
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.screens import INTERLUDES
from bot.conversations.wire import view_to_json
from bot.i18n import CatalogueReader
from bot.msg import to_json
from sqlalchemy import Connection
from tests.access.registers import NOW, TODAY
from tests.foreign.twins import Rows, Twins, rows_of

SETTINGS = Settings(pages="https://pages.example.org", mails=True, desk=True)
READER = CatalogueReader("fr")
TELEGRAM = 42
COUNTED = frozenset({"attempts", "seen", "sessions", "due"})
"""Tables that note that somebody was there, or looked."""


@dataclass(frozen=True)
class Who:
    """Somebody at work: a session of the register, or nobody's."""

    name: str
    session: Session | None

    @property
    def actor(self) -> Actor | None:
        if self.session is None:
            return None
        return Actor(self.session.identity, "Lui", locked=self.session.locked)


@dataclass
class Scene:
    """The dialogues over the register of the twins."""

    twins: Twins
    connection: Connection
    steps: int = 0
    before: Rows = field(default_factory=dict)
    looked: set[tuple[str, ...]] = field(default_factory=set)
    """Who asked for what, where it was looked whether anything changed by it."""

    def __post_init__(self) -> None:
        self.before = rows_of(self.connection)

    def who(self, name: str, person: str | None, *scope: str, locked: bool = False) -> Who:
        """A person of the register, whose proof is good for these entities, for all if there are none."""
        if person is None:
            return Who(name, None)
        places = frozenset(self.twins.register.entity[key] for key in scope)
        identity = self.twins.register.person[person]
        return Who(name, Session(identity, frozenset() if locked else places or None, locked=locked))

    def context(self, who: Who) -> Context:
        directory = RegisterDirectory(
            self.connection,
            self.twins.register.keyring,
            who.session,
            today=TODAY,
            now=NOW,
            catalogue=self.twins.register.catalogue,
            telegram_id=TELEGRAM,
        )
        return Context(
            "fr", NOW, TODAY, who.actor, directory, READER, self.twins.register.catalogue, SETTINGS
        )

    def view(self, who: Who, state: State) -> str:
        """The card as it is drawn without an event."""
        self.steps += 1
        view = ENGINE.view(state, self.context(who))
        return json.dumps(view_to_json(view) if view else None, ensure_ascii=False)

    def happens(self, who: Who, state: State, event: Event) -> tuple[State, View | None, str]:
        """The state, the card, and everything that can be seen of the event, as one text; fails where the register changed."""
        self.steps += 1
        seen: list[Any] = []
        savepoint = self.connection.begin_nested()
        try:
            wishes: list[str] = []
            while True:
                reply = ENGINE.step(state, event, self.context(who))
                state, wish = reply.state, None
                seen.append(view_to_json(reply.view) if reply.view else None)
                seen.append(to_json(reply.toast.msg) if reply.toast else None)
                for effect in reply.effects:
                    match effect:
                        case Receipt(_, view):
                            seen.append(view_to_json(view))
                        case Forget():
                            seen.append("forget")
                        case Perform():
                            wish = effect
                if wish is None:
                    break
                wishes.append(repr(wish.request))
                outcome = perform(self._work(who), wish.request, wish.shown)
                seen.append(repr((wish.request, outcome)))
                event = Answer(outcome)
            if wishes and (asked := (who.name, *wishes)) not in self.looked:
                self.looked.add(asked)
                assert self.changed() == [], asked
        finally:
            savepoint.rollback()
        seen.append(state.to_json())
        return state, reply.view, json.dumps(seen, ensure_ascii=False)

    def changed(self) -> list[str]:
        """The tables in which something is different from the beginning."""
        now = rows_of(self.connection)
        return [name for name, rows in now.items() if name not in COUNTED and rows != self.before[name]]

    def _work(self, who: Who) -> Work:
        register = self.twins.register
        return Work(
            self.connection,
            register.keyring,
            who.session,
            TELEGRAM,
            TELEGRAM,
            NOW,
            TODAY,
            register.catalogue,
            sessions=SessionRules(),
            mails=True,
            desk=True,
        )


# -- going through one's own dialogues ----------------------------------------------------------------

TEXTS = ("01.09.22-997.08", "Vermeulen", "tom.vermeulen@example.org", "Colindos", "25-02-2027", "Abbeloos")
Place = tuple[object, ...]


def place_of(state: State, ctx: Context) -> Place:
    """Where a chat stands: the question, or the page with what it is about."""
    if state.top is None:
        return ("home",)
    frame, flow = state.top, FLOWS[state.top.flow]
    if frame.ui.keys() & INTERLUDES:
        return (flow.key, "interlude")
    step = settle(flow, frame, ctx).step
    about = sorted(
        value.get("see", "one" if "certificate" in value else "")
        for value in frame.answers.values()
        if isinstance(value, dict)
    )
    panel = [bool(frame.ui.get("panel")), bool(frame.ui.get("pick"))] if flow.key == "users" else []
    return (flow.key, step.key if step else "end", *(about if flow.page else ()), *panel)


def explored(scene: Scene, who: Who, ids: Collection[str]) -> dict[Place, tuple[State, View]]:
    """Every place that the person comes to by his own buttons, and by a few words where there are none that lead on.

    `ids` are tried as the words after each command. Nothing is confirmed, so that one look at the register serves for all.
    """
    found: dict[Place, tuple[State, View]] = {}
    queue: deque[Place] = deque()
    savepoint = scene.connection.begin_nested()
    ctx = scene.context(who)

    def comes_to(state: State, event: Event) -> None:
        reply = ENGINE.step(state, event, ctx)
        if reply.view is None or any(isinstance(effect, Perform) for effect in reply.effects):
            return
        here = place_of(reply.state, ctx)
        if here not in found:
            found[here] = (reply.state, reply.view)
            queue.append(here)

    for key in FLOWS:
        for words in ("", *ids):
            comes_to(State(), Command(key, words))
    while queue:
        state, view = found[queue.popleft()]
        tried: dict[tuple[str, str], int] = {}
        for action in actions(view):
            if isinstance(action, Press) and action.verb not in {"ok", "home"}:
                like = (action.verb, kind_of(action.value, {}) if action.verb in {"a", "open"} else "")
                tried[like] = tried.get(like, 0) + 1
                if tried[like] <= MOST.get(action.verb, 1):
                    comes_to(state, Tap(state.rev, action.verb, action.value))
        if not {"a", "who"} & {verb for verb, _ in tried}:
            for text in TEXTS:
                comes_to(state, Text(text))
    savepoint.rollback()
    return found


MOST = {"a": 3, "who": 3, "on": 2}
"""So many buttons of a kind are tapped on the way; of others one stands for all."""
OPAQUE = re.compile(r"(?<![a-z-])[a-z2-7]{12}(?![a-z0-9-])|\d{4}-\d{6}")
"""What an id, or a change's number, looks like (`bot.store.ids`)."""


def kind_of(value: str, tables: Mapping[str, str]) -> str:
    """The value with each id replaced by its table, `tables` telling which."""
    return OPAQUE.sub(lambda found: f"<{tables[found[0]]}>" if found[0] in tables else found[0], value)


def actions(view: View) -> Iterator[Press | Door]:
    """The presses and doors of a card."""
    for button in view.buttons():
        if isinstance(button.action, (Press, Door)):
            yield button.action

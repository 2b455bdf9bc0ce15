"""A walk over every dialogue, breadth first: each step × each button, a valid answer, each kind of wrong answer, in one language.

The walk keeps every screen that it meets, also those of wrong answers, as messages; whoever checks them draws them as
the edge does. A few moves come from outside the card too: commands in the middle, an old button, a picture, another
manager's change, a refusal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from bot.access.requests import Conflict, Done, Refused
from bot.conversations.changes import way
from bot.conversations.days import NOW as NOW_AT_ONCE
from bot.conversations.flow import Asking
from bot.conversations.frames import settle
from bot.conversations.model import Answer, Button, Command, Event, Press, State, Tap, Text, Unreadable, View
from bot.conversations.ports import Actor, Context, Settings
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.screens import INTERLUDES
from bot.conversations.testing import MemoryDirectory, Talk
from bot.msg import Msg, Say
from tests.conversations.answers import CODE, COMMANDS, VALID, WRONG
from tests.texts import entries, message


@dataclass
class Walked:
    """What a walk met. `places` are (flow, step), and (flow, "page", "recap", "leaving", "again", "fixing" or "receipt")."""

    lang: str
    views: dict[View, None] = field(default_factory=dict)
    toasts: dict[Msg, None] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    mistyped: list[str] = field(default_factory=list)
    states: int = 0

    def says(self) -> Iterator[Say]:
        """Everything said, texts of the register and of people included."""
        for view in self.views:
            yield from says(view)
        yield from self.toasts

    def keys(self) -> set[str]:
        """The keys of everything said, in parameters too."""
        return {key for say in self.says() for key in keys(say)}


def says(view: View) -> Iterator[Say]:
    """Everything that a view says."""
    facts = (part for fact in view.facts for part in fact)
    labels = (button.label for button in view.buttons())
    for say in (
        view.title,
        view.subject,
        view.error,
        *view.notes,
        *view.body,
        *facts,
        *view.after,
        *labels,
    ):
        if say is not None:
            yield say


def keys(say: object) -> Iterator[str]:
    """The message keys in something said."""
    match say:
        case Msg(key, params):
            yield key
            for _, value in params:
                yield from keys(value)
        case tuple():
            for item in say:
                yield from keys(item)


_looked: tuple[Talk, State, Context] | None = None


def context(talk: Talk) -> Context:
    """Its context, the same one while it stands there: what the engine works out from a context it works out once."""
    global _looked  # noqa: PLW0603 - one slot
    if _looked is None or _looked[0] is not talk or _looked[1] is not talk.state:
        _looked = (talk, talk.state, talk.context)
    return _looked[2]


def shape(talk: Talk, *, typed: bool = True) -> tuple[object, ...]:
    """What makes two states the same for the walk: the question asked, and whatever decides on the questions to come."""
    state = talk.state
    if state.top is None:
        return (len(state.kept), state.resting, talk.actor is None, context(talk).present)
    frame, flow = state.top, FLOWS[state.top.flow]
    step = settle(flow, frame, context(talk)).step
    if flow.key == "users" and step and step.key == "people" and not frame.ui.keys() & INTERLUDES:
        ui, again = (
            frame.ui,
            "act" in frame.answers,
        )  # what narrows and turns the list leads to no other question
        panel = ui.get("panel")
        return (flow.key, panel) if panel else (flow.key, bool(ui.get("pick")), bool(ui.get("ticks")), again)
    query = frame.answers.get("query") or {}
    person = frame.answers.get("person") or {}
    return (
        flow.key,
        step.key if step else None,
        frame.editing,
        tuple(sorted(key for key, value in frame.ui.items() if value or key in INTERLUDES)),
        len(state.frames) > 1,
        typed
        and frame.typed
        and flow.key != "grant",  # in the longest dialogue a wrong answer comes first anyway
        "code" in frame.answers,
        query.get("see"),
        query.get("what"),
        "account" in person,
        frame.answers.get("profession"),
        frame.answers.get("how"),
        frame.answers.get("field"),
        step is None and frame.answers.get("entity") == "quai",
        frame.answers.get("act"),
        (way(frame.answers), frame.answers.get("when") == NOW_AT_ONCE) if flow.key == "change" else None,
    )


def standing(talk: Talk) -> tuple[object, ...]:
    """The question or page that wrong answers, and what comes from outside the card, are tried at once each."""
    state = talk.state
    if state.top is None:
        return (talk.actor is None, context(talk).present)
    frame, flow = state.top, FLOWS[state.top.flow]
    step = settle(flow, frame, context(talk)).step
    interlude = tuple(sorted(frame.ui.keys() & INTERLUDES))
    return (flow.key, step.key if step else None, interlude, "start" in frame.answers)


def moves(talk: Talk, *, wrong: bool) -> Iterator[Event | Button]:
    """Valid answers and each button; at a place that is new, wrong answers too, and what comes from outside the card.

    Text first: who has typed is asked before his dialogue is dropped.
    """
    view = talk.view
    buttons = [b for b in view.buttons() if isinstance(b.action, Press)] if view else []
    # two days of a calendar stand for all
    days = [b for b in buttons if isinstance(b.action, Press) and b.action.verb == "day"]
    if wrong or len(talk.state.frames) == 1:  # above another dialogue a valid answer leads nowhere else
        yield from (Text(text) for text in VALID)
    yield from (b for b in buttons if b not in days)
    yield from days[:2]
    if wrong:
        yield from (Text(text) for text in WRONG.values())
        yield from (Unreadable(), Unreadable("corrected"))
        yield Tap(talk.state.rev - 1, "a", "old")
        yield from (Tap(talk.state.rev, verb, "gone") for verb in ("a", "who", "list"))
        if talk.state.top:  # the dialogue that is open already
            yield Command(talk.state.top.flow, CODE if talk.state.top.flow == "start" else "")
        yield from (Command(name) for name in COMMANDS)


def after(talk: Talk, state: State, move: Event | Button) -> Talk:
    """Another chat in `state` of `talk`, with a register of its own, after one move."""
    other = _like(talk, copied(talk.directory), state)
    other.view = talk.view
    other.press(move) if isinstance(move, Button) else other.feed(move)
    return other


def _like(talk: Talk, directory: MemoryDirectory, state: State) -> Talk:
    return Talk(ENGINE, directory, lang=talk.lang, actor=talk.actor, state=state, settings=talk.settings)


def copied(directory: MemoryDirectory) -> MemoryDirectory:
    """A register that one move may change."""
    fresh = MemoryDirectory(**vars(directory))
    fresh.cards, fresh.changes = dict(directory.cards), dict(directory.changes)
    fresh.codes, fresh.numbers = set(directory.codes), dict(directory.numbers)
    fresh.taken = set(directory.taken)
    fresh.mandates = dict(directory.mandates)
    fresh.wards = dict(directory.wards)
    fresh.linked = dict(directory.linked)
    fresh.rooms = dict(directory.rooms)
    fresh.standins = dict(directory.standins)
    fresh.kept = dict(directory.kept)
    return fresh


def elsewhere(talk: Talk) -> Iterator[Talk]:
    """The same confirmation, had somebody else been quicker, or had the register refused it."""
    buttons = talk.view.buttons() if talk.view else ()
    last = next(
        (b for b in buttons if b.action in {Press("ok"), Press("a", "done"), Press("a", "yes")}), None
    )
    if last is None:
        return
    refusals = [message(key) for key in entries("fr") if key.startswith(("act.", "rights."))]
    changes = tuple(msg for msg in refusals if msg.key.startswith("act.changed."))
    for laid in (Conflict(changes, 7), *(Refused(msg, "username") for msg in refusals if msg not in changes)):
        directory = copied(talk.directory)
        directory.conflict = laid if isinstance(laid, Conflict) else None
        directory.refusal = laid if isinstance(laid, Refused) else None
        other = _like(talk, directory, talk.state)
        other.view = talk.view
        other.press(last)
        yield other
    if talk.state.top and talk.state.top.flow == "portal":  # ticked off before its first day
        other = _like(talk, copied(talk.directory), talk.state)
        other.feed(Answer(Done("2026-000001")))
        yield other


def note_place(talk: Talk, walked: Walked) -> None:
    """Which question, page or interlude the chat stands at."""
    state, view = talk.state, talk.view
    if view is None:
        return
    ctx = context(talk)
    if state.top is None or (not ctx.present and not FLOWS[state.top.flow].public):
        root = "stranger" if talk.actor is None else "home" if ctx.present else "locked"
        walked.places.add((root, "page"))
        return
    frame, flow = state.top, FLOWS[state.top.flow]
    interlude = next((each for each in ("leaving", "again", "fixing") if each in frame.ui), None)
    settled = settle(flow, frame, ctx)
    step = settled.step
    if interlude:
        walked.places.add((flow.key, interlude))
    elif step:
        asked = Asking(ctx, settled.answers)
        assert step.question(asked) in view.body, (flow.key, step.key)
        walked.places.add((flow.key, step.key))
    else:
        walked.places.add((flow.key, "page" if flow.page else "recap"))


def check_typed(talk: Talk, button: Button, tapped: Talk, walked: Walked) -> None:
    """A label of ours, typed, does what a tap on it does; a person's name may be borne by two."""
    if isinstance(button.label, str) or not isinstance(button.action, Press):
        return
    label = talk.context.reader.label(button.label)
    if button.action.verb in {"stay_put", "page", "list", "change", "month"} or not label.strip():
        return
    typed = after(talk, talk.state, Text(label))
    frame, flow = talk.state.top, FLOWS[talk.state.top.flow] if talk.state.top else None
    ticked = button.action.verb in {"on", "off"}  # a typed name is the whole answer, a tap is one of several
    if not ticked and shape(typed, typed=False) != shape(tapped, typed=False):
        where = f"{flow.key if flow else 'home'} {sorted(frame.ui) if frame else ''}"
        walked.mistyped.append(f"{talk.lang} {where}: '{label}' typed is not what it is tapped")


FIRST = "fr"
"""The language that is walked with wrong answers too."""
ANNE = Actor("delcourt", "Anne Delcourt")
LOCKED = Actor("delcourt", locked=True)
SETTINGS = Settings(pages="https://access.example.org", mails=True, desk=True)


def walk(
    walked: Walked, directory: MemoryDirectory, *, who: Actor | None, begin: Iterable[tuple[Event, ...]]
) -> None:
    """After each of these beginnings, by every move, to every state of a new shape; adds to `walked`."""
    visited: set[tuple[object, ...]] = set()
    tried: set[tuple[object, ...]] = set()
    queue: deque[tuple[State, MemoryDirectory]] = deque()

    def met(talk: Talk) -> None:
        for reply in talk.replies:
            if reply.view:
                walked.views.setdefault(reply.view)
            if reply.toast:
                walked.toasts.setdefault(reply.toast.msg)
        for receipt in talk.receipts:
            walked.views.setdefault(receipt)
        note_place(talk, walked)
        key = shape(talk)
        if key not in visited:
            visited.add(key)
            queue.append((talk.state, talk.directory))

    for events in begin:
        talk = Talk(ENGINE, copied(directory), lang=walked.lang, actor=who, settings=SETTINGS)
        for event in events:
            talk.feed(event)
            met(talk)
    while queue:
        state, register = queue.popleft()
        walked.states += 1
        talk = Talk(ENGINE, register, lang=walked.lang, state=state, actor=who, settings=SETTINGS)
        talk.view = ENGINE.view(state, talk.context)
        place = standing(talk)
        new, _ = place not in tried, tried.add(place)
        for move in moves(talk, wrong=new and walked.lang == FIRST):
            other = after(talk, state, move)
            if other.receipts and state.top:
                walked.places.add((state.top.flow, "receipt"))
            met(other)
            if new and isinstance(move, Button):
                check_typed(talk, move, other, walked)
        for other in elsewhere(talk) if new and walked.lang == FIRST else ():
            met(other)


def follow(seen: Walked, talk: Talk, events: Iterable[Event]) -> None:
    """These events one after the other, each as of the card that is shown then, with all the places on the way."""
    for event in events:
        talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
        note_place(talk, seen)


def keep(seen: Walked, talk: Talk) -> None:
    """All that the chat was shown."""
    seen.views.update({reply.view: None for reply in talk.replies if reply.view})
    seen.views.update(dict.fromkeys(talk.receipts))
    seen.toasts.update({reply.toast.msg: None for reply in talk.replies if reply.toast})


def straight(
    seen: Walked, directory: MemoryDirectory, events: Iterable[Event], tried: set[tuple[object, ...]]
) -> None:
    """A road: these events one after the other, and at each new place every button."""
    talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=SETTINGS)
    for event in events:
        flow = talk.state.top.flow if talk.state.top else ""
        follow(seen, talk, [event])
        if talk.receipts and flow:
            seen.places.add((flow, "receipt"))
        place = standing(talk)
        for button in talk.view.buttons() if talk.view and place not in tried else ():
            check_typed(talk, button, after(talk, talk.state, button), seen)
        tried.add(place)
    keep(seen, talk)

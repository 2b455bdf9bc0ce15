"""A walk over every dialogue, breadth first: each step × each button, a valid answer, each kind of wrong answer, in each language.

It fails on a text that is missing, a label over its limit, markup that does not parse, two languages that say the same
without a reason, and a question that was never reached.
"""

from __future__ import annotations

from collections import deque
from datetime import date
from html.parser import HTMLParser

import pytest
from bot.conversations.frames import settle
from bot.conversations.model import Button, Press, State, Text, View
from bot.conversations.ports import Holding, QualityRef
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.testing import MemoryDirectory, Talk, sample
from bot.i18n import Speaker, speaker
from bot.msg import LANGUAGES, Msg, Texts

VALID = (
    "01.09.22-997.08",
    "Vermeulen",
    "tom.vermeulen@example.org",
    "claes",
    "Colindos",
    "25-02-2027",
    "2026-000001",
    "A" * 22,
)
WRONG = ("79082499728", "7908239972", "31-04-2027", "01-01-27", "Zzzzzzz", "3333", "<b>&", "x@", "\u202eabc")
FULL_ROW, HALF_ROW, NARROW = 34, 15, 9
CALENDAR = frozenset({"month", "day", "stay_put"})


class Markup(HTMLParser):
    """Refuses markup that is not closed, or that Telegram does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"b", "i", "u", "s", "code", "pre"}, tag
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def shape(talk: Talk) -> tuple[object, ...]:
    """What makes two states the same for the walk: the question asked, and whatever decides on the questions to come."""
    state = talk.state
    if state.top is None:
        return (len(state.kept), state.resting)
    frame, flow = state.top, FLOWS[state.top.flow]
    step = settle(flow, frame, talk.context).step
    query = frame.answers.get("query") or {}
    card = talk.directory.person(frame.answers.get("person", {}).get("account", ""))
    return (
        flow.key,
        step.key if step else None,
        frame.editing,
        tuple(sorted(frame.ui)),
        len(state.frames) > 1,
        "code" in frame.answers,
        query.get("see"),
        query.get("what"),
        "account" in frame.answers.get("person", ()),
        frame.answers.get("profession"),
        card is not None and any(held.ends_on for held in card.holdings),
    )


def moves(talk: Talk) -> list[Button | str]:
    view = talk.view
    buttons = [b for b in view.buttons() if isinstance(b.action, Press)] if view else []
    # one day of a calendar stands for all
    days = [b for b in buttons if isinstance(b.action, Press) and b.action.verb == "day"]
    rest = [b for b in buttons if b not in days]
    texts = (*VALID, *WRONG) if talk.state.top else VALID[3:5]
    return [*rest, *days[:2], *texts]


def check_label(button: Button, row: int, voice: Speaker) -> None:
    label = voice.plain(button.label)
    own = isinstance(button.label, Msg) and not any(
        isinstance(value, str | Texts | Msg | tuple) for _, value in button.label.params
    )
    assert label.strip() or (isinstance(button.action, Press) and button.action.verb == "stay_put")
    if isinstance(button.action, Press) and button.action.verb in CALENDAR:
        return
    if own:
        limit = {1: FULL_ROW, 2: HALF_ROW}.get(row, NARROW)
        assert len(label) <= limit, (voice.lang, label, row)


CHECKED: set[tuple[str, object]] = set()
"""What was parsed in a language already: most states say the same things."""


def check(view: View | None, lang: str, seen: set[Msg]) -> None:
    if view is None:
        return
    voice = speaker(lang)
    for say in (
        view.title,
        view.subject,
        view.error,
        *view.notes,
        *view.body,
        *view.after,
        *(part for fact in view.facts for part in fact),
    ):
        if say is None or (lang, say) in CHECKED:
            continue
        CHECKED.add((lang, say))
        parser = Markup()
        parser.feed(voice.html(say))
        assert parser.open == [], (lang, say)
        if isinstance(say, Msg):
            seen.add(say)
    for row in view.rows:
        for button in row:
            if (lang, (button, len(row))) in CHECKED:
                continue
            CHECKED.add((lang, (button, len(row))))
            check_label(button, len(row), voice)
            if isinstance(button.label, Msg):
                seen.add(button.label)


def walk(
    directory: MemoryDirectory, *, known: bool, begin: list[tuple[str, str]]
) -> tuple[set[Msg], set[tuple[str, str]]]:
    """All messages met and all (flow, step) asked, from these commands on."""
    seen: set[Msg] = set()
    asked: set[tuple[str, str]] = set()
    visited: set[tuple[object, ...]] = set()
    queue: deque[State] = deque()
    for name, args in begin:
        talk = Talk(ENGINE, directory)
        talk.actor = talk.actor if known else None
        talk.command(name, args)
        queue.append(talk.state)
    while queue:
        state = queue.popleft()
        talk = Talk(ENGINE, directory, state=state)
        talk.actor = talk.actor if known else None
        if shape(talk) in visited:
            continue
        visited.add(shape(talk))
        talk.view = ENGINE.view(state, talk.context)
        for lang in LANGUAGES:
            check(talk.view, lang, seen)
        if state.top and talk.view:
            keys = {step.key for step in FLOWS[state.top.flow].steps if step.ask in talk.view.body}
            asked |= {(state.top.flow, key) for key in keys}
        for move in moves(talk):
            other = Talk(ENGINE, MemoryDirectory(**vars(directory)), state=state)
            other.actor = talk.actor
            other.directory.cards = dict(directory.cards)
            other.directory.changes = dict(directory.changes)
            other.directory.codes = set(directory.codes)
            other.view = talk.view
            other.press(move) if isinstance(move, Button) else other.feed(Text(move))
            for receipt in other.receipts:
                for lang in LANGUAGES:
                    check(receipt, lang, seen)
            queue.append(other.state)
    return seen, asked


@pytest.fixture(scope="module")
def walked() -> tuple[set[Msg], set[tuple[str, str]]]:
    directory = sample()
    ends = Holding("application", "colindos", "active", date(2026, 3, 12), date(2026, 12, 10))
    directory.add("Aerts", "Stijn", username="saerts01", profession="specialist-physician", holdings=[ends])
    directory.rooms["aube-c"] = QualityRef("aube-c", "aube", "health-care", "719998-33")
    Talk(ENGINE, directory).command("grant").taps("Hôpital du Quai", "Nouvel utilisateur").says(
        "Dubois", "Léa", "lea@example.org", "Hospiliss"
    ).taps("Confirmer")
    commands = [(name, "") for name in FLOWS if name not in {"stranger", "start"}]
    known = walk(
        directory,
        known=True,
        begin=[*commands, ("portal", "2026-000001"), ("status", "2026-000001"), ("nonsense", "")],
    )
    strange = walk(
        directory, known=False, begin=[("start", ""), ("start", "A" * 22), ("start", "wrong"), ("help", "")]
    )
    return known[0] | strange[0], known[1] | strange[1]


@pytest.mark.timeout(300)
def test_every_question_of_every_dialogue_was_asked(walked: tuple[set[Msg], set[tuple[str, str]]]) -> None:
    wanted = {(flow.key, step.key) for flow in FLOWS.values() for step in flow.steps}
    # a query comes with the page; it is never asked by itself
    assert wanted - walked[1] == {("status", "query")}


SAME = {
    "email",
    "step",
    "privacy",
    "calendar",
    "language",
    "entity",
    "quality",
    "application",
    "person",
    "status",
    "day",
    "field",
    "change",
    "weekday",
    "month",
    "me",
}
"""Families of keys whose text may be the same in two languages: names, signs, dates, and words that both languages share (Status, Person)."""


def test_two_languages_say_the_same_only_for_a_reason(walked: tuple[set[Msg], set[tuple[str, str]]]) -> None:
    same = set()
    for msg in walked[0]:
        texts = [speaker(lang).template(msg) for lang in LANGUAGES]
        if len(set(texts)) < len(texts) and msg.key.split(".")[0] not in SAME:
            same.add((msg.key, *texts))
    assert same == set()

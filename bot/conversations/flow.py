"""What a dialogue is made of: steps that answer five questions, and flows that put them in order.

A step never performs anything. It says whether it applies, what it proposes, what to show, what an event means
to it, and how its answer reads in the recap. The engine does the rest, the same for every dialogue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import TypeAlias

from bot.access.requests import Done, Request
from bot.conversations.model import Answers, Button, Document, Json, Press, Row, Text, View
from bot.conversations.ports import Context
from bot.msg import Msg, Say, m


@dataclass(frozen=True, slots=True)
class Asking:
    """What a step may look at while it is asked: earlier answers, its own `ui`, and the answer proposed to it."""

    ctx: Context
    answers: Answers
    ui: Mapping[str, Json] = field(default_factory=dict)
    proposal: Json = None


@dataclass(frozen=True, slots=True)
class Pick:
    """A tap on one of the step's own buttons."""

    verb: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a command's words bring for a step instead of an answer: they are said to it when it is asked."""

    text: str


Said: TypeAlias = Text | Pick
"""What a step's one `accept` understands: typed text and taps."""


@dataclass(frozen=True, slots=True)
class Screen:
    """What a step shows: paragraphs, and rows of its own buttons."""

    body: tuple[Say, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[Msg, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The step is answered. `also` are answers of other steps that came with it, `memory` what the chat remembers of it."""

    value: Json
    also: Answers = field(default_factory=dict)
    notes: tuple[Msg, ...] = ()
    memory: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The answer cannot be right: one sentence, shown in the card. Nothing else changes, but `ui` may."""

    error: Msg
    ui: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shown:
    """Not an answer: a tick, a page, a month, a filter. Idempotent, and buttons of the step stay valid."""

    ui: Mapping[str, Json]


Verdict: TypeAlias = Accepted | Rejected | Shown
Condition: TypeAlias = Callable[[Context, Answers], bool]
Proposer: TypeAlias = Callable[[Context, Answers], Json]


@dataclass(frozen=True)
class Step:
    """The base of all steps: `key` names the answer, `ask` is the question, `label` stands in the recap.

    `after` are the earlier steps that the answer or the condition `when` depends on. `proposes` computes an answer
    to propose; with `stands`, the proposal counts as the answer without being asked, and the recap shows it. Only a
    step that `takes_niss` ever sees a national number that is typed.
    """

    key: str
    _: KW_ONLY
    ask: Msg
    label: Msg
    after: frozenset[str] = frozenset()
    when: Condition | None = None
    proposes: Proposer | None = None
    stands: bool = False
    editable: bool = True
    takes_niss: bool = False
    takes_document: bool = False

    def applies(self, ctx: Context, answers: Answers) -> bool:
        """Whether the step concerns this dialogue at all."""
        return self.when is None or self.when(ctx, answers)

    def propose(self, ctx: Context, answers: Answers) -> Json:
        """The answer to propose, or None."""
        return self.proposes(ctx, answers) if self.proposes else None

    def question(self, asking: Asking) -> Msg:
        """What is asked, where the words hang on earlier answers."""
        return self.ask

    def called(self, asking: Asking) -> Msg:
        """How the answer is called in the recap."""
        return self.label

    def screen(self, asking: Asking) -> Screen:
        """What to show."""
        raise NotImplementedError

    def accept(self, asking: Asking, said: Said) -> Verdict:
        """What this text or tap means."""
        raise NotImplementedError

    def takes(self, asking: Asking, document: Document) -> Verdict:
        """What this file means; asked only of a step that `takes_document`."""
        raise NotImplementedError

    def reads(self, asking: Asking, value: Json) -> Say | None:
        """How the answer reads in the recap; None leaves it out."""
        raise NotImplementedError

    def holds(self, asking: Asking, value: Json) -> bool:
        """Whether an answer given before is still possible after an earlier one changed."""
        return value is not None


@dataclass(frozen=True, slots=True)
class Page:
    """A screen to read: what a dialogue shows instead of a recap when it asks for nothing to be done."""

    body: tuple[Say, ...] = ()
    facts: tuple[tuple[Say, Say], ...] = ()
    after: tuple[Say, ...] = ()
    rows: tuple[Row, ...] = ()
    title: Say | None = None
    subject: Say | None = None


@dataclass(frozen=True, slots=True)
class Remember:
    """What a flow may submit instead of a request: keep these in the chat's memory. Changes no register."""

    memory: Mapping[str, str]


CHANGED = m("engine.changed_meanwhile")


@dataclass(frozen=True)
class Flow:
    """A dialogue: its steps in order, and what comes at the end of them.

    Exactly one of `submit` (after a recap, or at once where `recap` is False) and `page` is set. `prefill` turns a
    command's words or a door's argument into answers, or into what is `Heard` by a step; `remembers` gives what of them the chat remembers at once; `subject` is the entity's name for every card. `public` flows
    are open to everybody. `retype` names the step that text typed on the page answers anew. A flow that `restarts`
    begins anew where it is open already, without asking: no answer of it is worth keeping. One that is `urgent` opens above any number of others: it cannot wait.
    `then` names the flow that opens once this one is done; a flow that is `over` opens no more, and leaves by itself where it is open.
    `suggests` is what a door's argument proposes to steps that are asked all the same; `meanwhile` is said where somebody else was faster.
    """

    key: str
    _: KW_ONLY
    title: Msg
    icon: str = ""
    steps: tuple[Step, ...] = ()
    submit: Callable[[Context, Answers], Request | Remember] | None = None
    recap: bool = True
    page: Callable[[Context, Answers], Page] | None = None
    prefill: Callable[[Context, Mapping[str, str], str], Answers] | None = None
    subject: Callable[[Context, Answers], Say | None] | None = None
    receipt: Callable[[Context, Answers, Done], View | None] | None = None
    rebase: Callable[[Answers, int], Answers] | None = None
    public: bool = False
    remembers: Callable[[Context, Answers], Mapping[str, str]] | None = None
    retype: str | None = None
    restarts: bool = False
    needs: str | None = None
    urgent: bool = False
    then: str | None = None
    over: Callable[[Context], bool] | None = None
    suggests: Callable[[Context, str], Answers] | None = None
    meanwhile: Msg = CHANGED

    def step(self, key: str) -> Step | None:
        """The step called `key`."""
        return self._steps.get(key)

    def dependents(self, key: str) -> frozenset[str]:
        """The later steps whose answers may hang on that of `key`, directly or not."""
        return self._dependents[key]

    @cached_property
    def _steps(self) -> Mapping[str, Step]:
        return {step.key: step for step in self.steps}

    @cached_property
    def _dependents(self) -> Mapping[str, frozenset[str]]:
        hanging: dict[str, frozenset[str]] = {}
        for first in self.steps:
            found = {first.key}
            for step in self.steps:
                if step.after & found:
                    found.add(step.key)
            hanging[first.key] = frozenset(found - {first.key})
        return hanging


def press(label: Say, verb: str, value: str = "", *, mark: str = "") -> Button:
    """A button of the card."""
    return Button(label, Press(verb, value), mark)


PREVIOUS = press(m("common.previous"), "back")
CANCEL = press(m("common.cancel"), "cancel")
NEXT = press(m("common.next"), "next")
HOME_ROW: Row = (press(m("common.home"), "home"),)

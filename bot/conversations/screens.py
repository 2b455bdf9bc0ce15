"""From a frame to its card: question, recap, page and the interludes, the same for every dialogue. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.access import claims
from bot.access.requests import Request
from bot.conversations.changing import replace
from bot.conversations.flow import CANCEL, PREVIOUS, Asking, Flow, Page, Remember, Step, press
from bot.conversations.model import Answers, App, Button, Frame, Press, Row, State, View
from bot.conversations.ports import Context
from bot.msg import Msg, Say, m

if TYPE_CHECKING:
    from bot.conversations.frames import Settled

INTERLUDES = frozenset({"leaving", "again", "fixing"})
"""Keys of `ui` that put a short question in front of the dialogue's own."""
NAVIGATION = frozenset(
    {
        "back",
        "cancel",
        "yes",
        "later",
        "stay",
        "anew",
        "pop",
        "edit",
        "fix",
        "ok",
        "keep",
        "next",
        "home",
        "open",
        "resume",
    }
)
"""The verbs of the engine, and of the steps' own *Next*."""
READ_BY_THE_STEP = frozenset({"a", "on", "off", "day", "stay_put", "page"})
"""The verbs of what is chosen from: a step matches those labels itself, typing errors and numbers included."""


def can_be_typed(button: Button) -> bool:
    """Whether typing the label is the same as tapping: the engine's own buttons, and those of a step that say what they do.

    What a step offers to choose it reads itself, days and months too.
    """
    if not isinstance(button.action, Press):
        return False
    verb, label = button.action.verb, button.label
    return verb in NAVIGATION or (
        verb not in READ_BY_THE_STEP and isinstance(label, Msg) and not label.params
    )


def question(flow: Flow, frame: Frame, step: Step, asked: Asking) -> View:
    """The card of the step to answer, with its number, and the total once that is certain."""
    screen = step.screen(asked)
    first = not any(key in frame.answers for key in frame.trail)
    rows: tuple[Row, ...] = screen.rows
    if asked.proposal is not None and step.key in frame.proposals and step.holds(asked, asked.proposal):
        old = step.reads(asked, asked.proposal)
        if old is not None and not any(button.mark == "✔" for row in rows for button in row):
            rows = ((press(m("engine.keep_answer", what=old), "keep", mark="✔"),), *rows)
    leave: Row = (CANCEL,) if first and not frame.editing else (PREVIOUS, CANCEL)
    return View(
        mark=flow.icon,
        title=flow.title,
        subject=_subject(flow, asked.ctx, asked.answers),
        step=None if frame.editing else _number(flow, frame, step, asked),
        notes=screen.notes,
        body=(step.question(asked), *screen.body),
        rows=(*rows, leave),
    )


def recap(flow: Flow, frame: Frame, settled: Settled, ctx: Context) -> View:
    """All answers, the proposed ones marked, and the four ways on."""
    facts: list[tuple[Say, Say]] = []
    for step in flow.steps:
        if step.key not in settled.answers:
            continue
        asked = Asking(ctx, settled.answers, {})
        value = step.reads(asked, settled.answers[step.key])
        if value is None:
            continue
        proposed = step.stands and step.editable and step.key not in frame.answers
        facts.append((step.called(asked), m("engine.proposed", what=value) if proposed else value))
    wish = wanted(flow, settled, ctx)
    alone = wish is not None and ctx.directory.alone(wish)
    if alone:
        facts.append((m("own.label"), m("own.alone")))
    return View(
        mark=flow.icon,
        title=m("engine.recap"),
        subject=_subject(flow, ctx, settled.answers),
        facts=tuple(facts),
        after=(m("engine.nothing_yet"),),
        rows=(
            *_confirm_rows(
                flow, settled, ctx, proof=alone or (wish is not None and claims.takes_proof(wish))
            ),
            (PREVIOUS, CANCEL),
        ),
    )


def _confirm_rows(flow: Flow, settled: Settled, ctx: Context, *, proof: bool) -> tuple[Row, ...]:
    """*Confirm*: on the private page where the act takes a fresh proof, else here."""
    change = press(m("common.edit"), "edit")
    if proof and ctx.settings.pages:
        door = Button(m("proof.confirm"), App(f"{ctx.settings.pages}/app/proof"), "🔐")
        return ((door,), (change,)) if fixable(flow, settled) else ((door,),)
    confirm = press(m("common.confirm"), "ok", mark="✔")
    return ((confirm, change),) if fixable(flow, settled) else ((confirm,),)


def wanted(flow: Flow, settled: Settled, ctx: Context) -> Request | None:
    """What this recap asks for; None where that changes no register."""
    wish = flow.submit(ctx, settled.answers) if flow.submit and settled.step is None else None
    return None if isinstance(wish, Remember) else wish


def takes_proof(wish: Request, ctx: Context) -> bool:
    """Whether it takes a fresh proof: by the table of rights, or because it is about oneself and nobody else could do it."""
    return claims.takes_proof(wish) or ctx.directory.alone(wish)


def page(flow: Flow, shown: Page, settled: Settled, ctx: Context) -> View:
    """A screen to read."""
    return View(
        mark=flow.icon,
        title=shown.title or flow.title,
        subject=shown.subject or _subject(flow, ctx, settled.answers),
        body=shown.body,
        facts=shown.facts,
        after=shown.after,
        rows=shown.rows,
    )


def leaving(flow: Flow, settled: Settled, ctx: Context) -> View:
    """The one question before a dialogue with typed answers is dropped."""
    return View(
        mark=flow.icon,
        title=flow.title,
        subject=_subject(flow, ctx, settled.answers),
        body=(m("engine.leave_ask"),),
        rows=(
            (press(m("engine.leave_yes"), "yes"),),
            (press(m("common.later"), "later"),),
            (press(m("engine.leave_no"), "stay"),),
        ),
    )


def again(flow: Flow, settled: Settled, ctx: Context) -> View:
    """The same dialogue was begun twice: go on, or start anew."""
    return View(
        mark=flow.icon,
        title=flow.title,
        subject=_subject(flow, ctx, settled.answers),
        body=(m("engine.again_ask", what=flow.title),),
        rows=(
            (press(m("common.resume", what=flow.title), "stay"),),
            (press(m("engine.again_anew"), "anew"),),
            (CANCEL,),
        ),
    )


def fixing(flow: Flow, settled: Settled, ctx: Context) -> View:
    """Which answer to change."""
    asked = Asking(ctx, settled.answers)
    rows = tuple((press(step.called(asked), "fix", step.key),) for step in fixable(flow, settled))
    return View(
        mark=flow.icon,
        title=flow.title,
        subject=_subject(flow, ctx, settled.answers),
        body=(m("engine.edit_ask"),),
        rows=(*rows, (PREVIOUS, CANCEL)),
    )


def fixable(flow: Flow, settled: Settled) -> tuple[Step, ...]:
    """The steps that *Edit* offers."""
    return tuple(step for step in flow.steps if step.editable and step.key in settled.answers)


def dressed(view: View, state: State, frame: Frame, *, below: Flow | None, pages: str = "") -> View:
    """The card with what is to be told, the door to prove oneself where that is told, and the way back to the dialogue below."""
    error = frame.error or state.error
    notes = (*state.notes, *frame.notes, *view.notes)
    if not (error or below or len(notes) > len(view.notes)):
        return view
    rows = view.rows
    if error and error.key == "proof.lookups" and pages:
        rows = (*rows, (Button(m("proof.prove"), App(f"{pages}/app/proof"), "🔐"),))
    if below:
        way = (press(m("common.resume", what=below.title), "pop"),)
        rows = (*rows, way)
    return replace(view, error=error, notes=notes, rows=rows)


def with_memory(answers: Answers, state: State, flow: Flow) -> Answers:
    """A page sees, beside its answers, the chat's memory, the dialogues put aside, and the one it stands above or came after."""
    others = [frame.flow for frame in state.frames if frame.flow != flow.key]
    kept = tuple(frame.flow for frame in state.kept)
    over = state.top.ui.get("over") if state.top else None
    return {
        **answers,
        "memory": state.memory,
        "kept": kept,
        "below": over or (others[-1] if others else None),
    }


def _subject(flow: Flow, ctx: Context, answers: Answers) -> Say | None:
    return flow.subject(ctx, answers) if flow.subject else None


def _number(flow: Flow, frame: Frame, step: Step, asked: Asking) -> tuple[int, int | None]:
    """The question's number; the total is certain when no condition of a later step hangs on what is still open."""
    done = sum(1 for key in frame.trail if key in frame.answers and key != step.key)
    open_keys = {step.key}
    left = 0
    for later in flow.steps[flow.steps.index(step) + 1 :]:
        if later.key in frame.answers or later.stands:
            continue
        if later.when and later.after & open_keys:
            return done + 1, None
        if later.applies(asked.ctx, asked.answers):
            left += 1
            open_keys.add(later.key)
    return done + 1, done + 1 + left

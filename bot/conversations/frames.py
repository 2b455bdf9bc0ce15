"""What happens to a frame: where it stands, one more answer, one less, something to tell. Pure.

A frame stores answers and never a position; `settle` derives it. The rest are the small changes of state that
`engine` is made of: each gives a new state and keeps the old one as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from bot.access.identifiers import find_niss_spans, looks_like_niss
from bot.conversations.flow import Accepted, Asking, Flow, Step
from bot.conversations.model import Answers, Frame, Json, State
from bot.conversations.ports import Context
from bot.errors import Invalid
from bot.msg import Msg, m

_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a frame stands: the answers that count, proposals that stand included, and the step to ask."""

    answers: Answers
    step: Step | None


_last: tuple[Frame, Context, Settled] | None = None
"""The newest position worked out: one event asks for the same one several times. Frames and contexts do not change."""


def settle(flow: Flow, frame: Frame, ctx: Context) -> Settled:
    """The position of a frame; see `_settled`."""
    global _last  # noqa: PLW0603 - one slot, replaced whole: threads at worst work it out again
    last = _last
    if last is None or last[0] is not frame or last[1] is not ctx:
        last = _last = (frame, ctx, _settled(flow, frame, ctx))
    return last[2]


def _settled(flow: Flow, frame: Frame, ctx: Context) -> Settled:
    """The derived position: the step being edited, or an earlier one without an answer; else the first that applies and has none."""
    given = frame.answers
    answers: dict[str, Json] = {}
    first: Step | None = None
    for step in flow.steps:
        if step.when is not None and not step.when(ctx, answers):
            continue
        key = step.key
        if key in given:
            answers[key] = given[key]
            continue
        if first is None and step.stands and (value := step.propose(ctx, answers)) is not None:
            answers[key] = value
        else:
            first = first or step  # what would stand after an open question is not worked out yet
    editing = flow.step(frame.editing) if frame.editing else None
    if editing and not (first and flow.steps.index(first) < flow.steps.index(editing)):
        return Settled(answers, editing)
    return Settled(answers, first)  # what an edited step hangs on is asked before it


def asking(step: Step, frame: Frame, settled: Settled, ctx: Context) -> Asking:
    """What `step` may look at: its proposal is the answer given before, else its own."""
    proposal = frame.answers.get(step.key, frame.proposals.get(step.key))
    if proposal is None:
        proposal = step.propose(ctx, settled.answers)
    return Asking(ctx, settled.answers, frame.ui, proposal)


# -- changes of state -----------------------------------------------------------------------------


def fresh(state: State) -> State:
    """A message from a person: what was said before it has been read, and a card is wanted again."""
    return replace(quiet(state), resting=False)


def quiet(state: State) -> State:
    if state.top and (state.top.error or state.top.notes):
        state = state.with_top(replace(state.top, error=None, notes=()))
    return replace(state, error=None, notes=()) if state.error or state.notes else state


def told(state: State, *, error: Msg | None = None, note: Msg | None = None) -> State:
    """The state with something to say in its card, wherever that stands."""
    notes = (note,) if note else ()
    if state.top:
        top = state.top
        return state.with_top(replace(top, error=error or top.error, notes=(*notes, *top.notes)))
    return replace(state, error=error or state.error, notes=(*notes, *state.notes))


def without_numbers(text: str, ctx: Context, *, wanted: bool) -> tuple[str, bool]:
    """The text as a dialogue may see it, and whether a national number stood in it.

    Where one is asked for, it is the number alone; anywhere else its digits are masked, so that it can neither be
    quoted back nor become an answer.
    """
    if not _DIGIT.search(text):  # most texts: no need to look closer
        return text, False
    spans = find_niss_spans(text, today=ctx.today)
    if not spans and not looks_like_niss(text):
        return text, False
    if wanted:
        return (text[slice(*spans[0])] if spans else text), True
    for start, end in reversed(spans or ((0, len(text)),)):
        text = text[:start] + "•" * 11 + text[end:]
    return text, True


def moved(state: State, frame: Frame) -> State:
    """The top dialogue moved on: older buttons no longer mean what they meant."""
    return replace(state, rev=state.rev + 1, frames=(*state.frames[:-1], frame))


def popped(state: State) -> State:
    return replace(state, frames=state.frames[:-1], rev=state.rev + 1)


def answered(flow: Flow, frame: Frame, step: Step, verdict: Accepted, ctx: Context) -> Frame:
    """The frame with one more answer; a changed one drops what hangs on it and no longer holds, and says so."""
    changed = frame.answers.get(step.key) != verdict.value
    answers = {**frame.answers, step.key: verdict.value, **verdict.also}
    proposals = {key: value for key, value in frame.proposals.items() if key != step.key}
    dropped: list[Step] = []
    before = settle(flow, frame, ctx).answers if changed else {}
    hanging = frame.answers.keys() & flow.dependents(step.key) if changed else frozenset()
    settled: Settled | None = None
    for later in flow.steps if hanging else ():
        if later.key not in hanging or later.key in verdict.also:
            continue
        settled = settled or settle(flow, replace(frame, answers=answers, editing=None), ctx)
        if later.key not in settled.answers:
            continue  # it does not apply now, and counts again should it apply later
        orphaned = any(key in before and key not in settled.answers for key in later.after)
        if orphaned or not later.holds(Asking(ctx, settled.answers), answers[later.key]):
            proposals[later.key] = answers.pop(later.key)
            dropped.append(later)
            settled = None
    gone = {later.key for later in dropped}
    trail = tuple(key for key in frame.trail if key not in gone)
    if step.key not in trail and not (step.stands and frame.editing == step.key):
        trail = (*trail, step.key)
    notes = verdict.notes
    if dropped:
        notes = (*notes, m("engine.dropped", what=tuple(later.label for later in dropped)))
    return replace(
        frame,
        answers=answers,
        proposals=proposals,
        trail=trail,
        editing=None,
        ui={},
        error=None,
        notes=notes,
        day=ctx.today.isoformat(),
    )


def checked_again(flow: Flow, frame: Frame, ctx: Context) -> Frame:
    """The frame without the answers that no longer hold, now that the register is another; says which."""
    answers, dropped = dict(frame.answers), list[Step]()
    known: Answers | None = None
    for step in flow.steps:
        if known is None:
            known = settle(flow, replace(frame, answers=answers), ctx).answers
        if (
            step.key in answers
            and step.key in known
            and not step.holds(Asking(ctx, known), answers[step.key])
        ):
            del answers[step.key]
            dropped.append(step)
            known = None
    if not dropped:
        return frame
    proposals = {**frame.proposals, **{step.key: frame.answers[step.key] for step in dropped}}
    trail = tuple(key for key in frame.trail if key in answers)
    notes = (*frame.notes, m("engine.dropped", what=tuple(step.label for step in dropped)))
    return replace(frame, answers=answers, proposals=proposals, trail=trail, notes=notes)


def prefilled(flow: Flow, state: State, args: str, ctx: Context) -> Frame:
    """A new frame, with the answers that the command's words bring: those that hold are not asked."""
    answers: dict[str, Json] = {}
    try:
        wanted = flow.prefill(ctx, state.memory, args) if flow.prefill else {}
    except Invalid as invalid:
        return Frame(flow.key, error=invalid.msg, day=ctx.today.isoformat())
    for step in flow.steps:
        if (
            step.key in wanted
            and step.applies(ctx, answers)
            and step.holds(Asking(ctx, answers), wanted[step.key])
        ):
            answers[step.key] = wanted[step.key]
    return Frame(flow.key, answers, trail=tuple(answers), day=ctx.today.isoformat())

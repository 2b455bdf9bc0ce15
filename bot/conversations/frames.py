"""What happens to a frame: where it stands, one more answer, one less, something to tell. Pure.

A frame stores answers and never a position; `settle` derives it. The rest are the small changes of state that
`engine` is made of: each gives a new state and keeps the old one as it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.access.identifiers import find_niss_spans, looks_like_niss
from bot.conversations.changing import replace
from bot.conversations.flow import Accepted, Asking, Flow, Heard, Step
from bot.conversations.model import Answers, Frame, Json, State
from bot.conversations.ports import Context
from bot.errors import Invalid
from bot.msg import Msg, m

_DIGIT = re.compile(r"\d")
MASKED = "•" * 11
"""Stands where a national number was typed and none was asked for."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a frame stands: the answers that count, proposals that stand included, and the step to ask."""

    answers: Answers
    step: Step | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a frame stands, with what that was worked out from, and the first open step."""

    flow: Flow
    frame: Frame
    ctx: Context
    first: Step | None
    settled: Settled

    @classmethod
    def of(cls, flow: Flow, frame: Frame, ctx: Context, known: Position | None = None) -> Position:
        """Worked out; what stands before the first step that `known` has another answer to is taken over from it.

        A step's condition and proposal look at earlier answers only, so that nothing there can be different.
        """
        given, steps = frame.answers, flow.steps
        answers: dict[str, Json] = {}
        first: Step | None = None
        same = 0
        if known is not None:
            before, held = known.frame.answers, known.settled.answers
            for step in steps:
                key = step.key
                if (key in given) is not (key in before) or (key in given and given[key] != before[key]):
                    break
                if key in held:
                    answers[key] = held[key]
                if step is known.first:
                    first = step
                same += 1
        for step in steps[same:]:
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
        asked = first
        editing = flow.step(frame.editing) if frame.editing else None
        if editing and not (first and steps.index(first) < steps.index(editing)):
            asked = editing  # what an edited step hangs on is asked before it
        return cls(flow, frame, ctx, first, Settled(answers, asked))


_last: Position | None = None
"""The newest position. One event asks for the same one several times, and then for that of a frame with one answer
more. Frames and contexts do not change, and what a context shows is as it was at the beginning of the step."""


def settle(flow: Flow, frame: Frame, ctx: Context) -> Settled:
    """The step being edited, or an earlier one without an answer; else the first that applies and has none."""
    global _last  # noqa: PLW0603 - one slot, replaced whole: threads at worst work it out again
    last = _last
    if last is not None and (last.ctx is not ctx or last.flow is not flow):
        last = None
    if last is None or last.frame is not frame:
        last = _last = Position.of(flow, frame, ctx, last)
    return last.settled


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
        text = text[:start] + MASKED + text[end:]
    return text, True


def moved(state: State, frame: Frame, *, memory: Mapping[str, str] | None = None) -> State:
    """The top dialogue moved on, with `memory` to remember: older buttons no longer mean what they meant."""
    frames = (*state.frames[:-1], frame)
    if not memory:
        return replace(state, rev=state.rev + 1, frames=frames)
    return replace(state, rev=state.rev + 1, frames=frames, memory={**state.memory, **memory})


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
        settled = settled or settle(flow, replace(frame, answers={**answers}, editing=None), ctx)
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
    """The frame without the answers that no longer hold, now that the register is another; says which.

    What does not hang on a dropped answer is judged with all that stood beside it, proposals included.
    """
    answers, dropped = dict(frame.answers), list[Step]()
    known = dict(settle(flow, frame, ctx).answers)
    lost: set[str] = set()
    for step in flow.steps:
        key = step.key
        if key not in known:
            continue
        if key not in answers or not step.applies(ctx, known):
            if step.after & lost:  # worked out anew once what it hangs on is answered
                del known[key]
                lost.add(key)
        elif not step.holds(Asking(ctx, known), answers[key]):
            del answers[key], known[key]
            lost.add(key)
            dropped.append(step)
    if not dropped:
        return frame
    proposals = {**frame.proposals, **{step.key: frame.answers[step.key] for step in dropped}}
    trail = tuple(key for key in frame.trail if key in answers)
    notes = (*frame.notes, m("engine.dropped", what=tuple(step.label for step in dropped)))
    return replace(frame, answers=answers, proposals=proposals, trail=trail, notes=notes)


def prefilled(flow: Flow, state: State, args: str, ctx: Context) -> Frame:
    """A new frame, with the answers that the command's words bring: those that hold are not asked."""
    answers: dict[str, Json] = {}
    error: Msg | None = None
    wanted: Answers = {}
    try:
        wanted = flow.prefill(ctx, state.memory, args) if flow.prefill else {}
    except Invalid as invalid:
        error = invalid.msg
        wanted = flow.prefill(ctx, state.memory, "") if flow.prefill else {}
    refused: set[str] = set()  # what hangs on an answer that does not hold cannot be asked about
    known: dict[str, Json] = {}
    words: dict[str, str] = {}
    open_yet = False
    trail: list[str] = []  # what is known behind the first open question is not behind it
    for step in flow.steps:
        key = step.key
        if not step.applies(ctx, known):
            continue
        if isinstance(heard := wanted.get(key), Heard):
            words[key] = heard.text
        elif key in wanted:
            if not step.after & refused and step.holds(Asking(ctx, known), wanted[key]):
                answers[key] = known[key] = wanted[key]
                trail += [] if open_yet else [key]
                continue
            refused.add(key)
        elif step.stands and not open_yet and (value := step.propose(ctx, known)) is not None:
            known[key] = value
            continue
        open_yet = True
    suggested = flow.suggests(ctx, args) if flow.suggests else {}
    day, told = ctx.today.isoformat(), tuple(trail)
    return Frame(flow.key, answers, proposals=suggested, trail=told, error=error, day=day, words=words)

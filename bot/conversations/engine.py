"""The state machine of all dialogues: step(state, event, context) → (state, view, effects). Pure.

Theory of operation. A chat has a stack of frames, one for each open dialogue; text and taps go to the top one.
A frame stores answers, never a position: the position is *derived* by walking the flow's steps in order and
stopping at the first that applies and has no answer (`settle`). Past the last step a flow either shows its recap,
to be confirmed, or its page, to be read. So a new version of a flow simply asks what is new, and Back is no more
than taking the newest answer off the trail.

`rev` is the chat's counter. Whatever changes what the buttons mean raises it, so a button made before is
recognised as old and never acts; ticks and pages do not raise it, since they carry the value they want.

`cards` says what a state is about and draws it; here it takes its steps. The caller performs the effects in the
same transaction and feeds the outcome of `Perform` back as an `Answer`.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.access.requests import Conflict, Done, Refused
from bot.conversations import proving, screens
from bot.conversations.cards import Cards
from bot.conversations.changing import replace
from bot.conversations.flow import Accepted, Flow, Pick, Rejected, Remember, Said, Shown, Step, Verdict
from bot.conversations.frames import (
    Settled,
    answered,
    asking,
    checked_again,
    fresh,
    moved,
    popped,
    prefilled,
    quiet,
    settle,
    told,
    without_numbers,
)
from bot.conversations.matching import fold
from bot.conversations.model import (
    Answer,
    Command,
    Document,
    Effect,
    Event,
    Forget,
    Frame,
    Perform,
    Press,
    Receipt,
    Redraw,
    Reply,
    State,
    Tap,
    Text,
    Toast,
    Unreadable,
)
from bot.conversations.ports import Context
from bot.conversations.spans import lasting
from bot.conversations.withheld import withheld
from bot.msg import m

DEEPEST = 3
"""Dialogues open one above the other, at most."""
EXPIRED = m("engine.expired")
GONE = m("engine.gone")


class Engine(Cards):
    """The flows of a program, and the rules that they share."""

    def __init__(
        self,
        flows: Mapping[str, Flow],
        *,
        home: str = "home",
        stranger: str = "stranger",
        locked: str = "locked",
        find: str = "status",
    ) -> None:
        super().__init__(flows, home=home, stranger=stranger, locked=locked)
        self._find = find  # what text typed outside of any dialogue opens

    # -- the one entrance -----------------------------------------------------------------------

    def step(self, state: State, event: Event, ctx: Context) -> Reply:
        """What `event` makes of `state`. Raises nothing for anything that a person can send."""
        lost = any(frame.flow not in self.flows for frame in (*state.frames, *state.kept))
        reply = self._stepped(self._going(self._known(state, ctx), ctx), event, ctx)
        if not lost or reply.view is None:
            return reply
        state = told(reply.state, note=GONE)
        return replace(reply, state=state, view=self.view(state, ctx))

    def _stepped(self, state: State, event: Event, ctx: Context) -> Reply:
        if bad := withheld(event):
            reply = self._reply(told(fresh(state), error=bad), ctx)
            return replace(reply, effects=(Forget(),), anew=True)
        match event:
            case Redraw(settled):
                return self._reply(quiet(state) if settled else state, ctx)
            case Tap():
                return self._tap(state, event, ctx)
            case Answer(outcome):
                return self._outcome(state, outcome, ctx)
            case Command(name, args):
                return replace(self._commanded(fresh(state), name, args, ctx), anew=True)
            case Text(text, private):
                return replace(self._text(fresh(state), text, ctx, private=private), anew=True)
            case Document():
                return replace(self._document(fresh(state), event, ctx), anew=True)
            case Unreadable(why, secret):
                reply = self._reply(told(fresh(state), error=m(f"engine.{why}")), ctx)
                return replace(self._forgetting(reply, ctx) if secret else reply, anew=True)

    def _known(self, state: State, ctx: Context) -> State:
        """The state without dialogues that this version of the program no longer has, and without those left for too long."""
        if not state.frames and not state.kept:
            return state
        oldest = (ctx.today - ctx.settings.keeping.dialogues).isoformat()
        frames = tuple(self._today(frame) for frame in state.frames if self._lives(frame, oldest))
        kept = tuple(frame for frame in state.kept if self._lives(frame, oldest))
        if frames == state.frames and len(kept) == len(state.kept):
            return state
        return replace(state, frames=frames, kept=kept, rev=state.rev + 1)

    def _today(self, frame: Frame) -> Frame:
        """The frame without the editing of a step that there is no more."""
        gone = frame.editing is not None and self.flows[frame.flow].step(frame.editing) is None
        return replace(frame, editing=None) if gone else frame

    def _lives(self, frame: Frame, oldest: str) -> bool:
        return frame.flow in self.flows and (not frame.day or frame.day >= oldest)

    def _reply(self, state: State, ctx: Context, *effects: Effect, toast: Toast | None = None) -> Reply:
        return Reply(state, self.view(state, ctx), effects, toast)

    # -- taps -----------------------------------------------------------------------------------

    def _tap(self, state: State, tap: Tap, ctx: Context) -> Reply:
        said = (tap.rev, tap.verb, tap.value)
        if tap.rev != state.rev:
            if said == state.last:
                return self._reply(state, ctx)
            return replace(self._reply(state, ctx, toast=Toast(EXPIRED)), anew=not tap.on_card)
        reply = self._pressed(quiet(state), tap.verb, tap.value, ctx)
        if reply.state.rev != state.rev:
            state = replace(reply.state, last=said)
            reply = Reply(state, reply.view, reply.effects, reply.toast, reply.anew)
        error = reply.state.top.error if reply.state.top else reply.state.error
        if error and not reply.toast:
            reply = replace(reply, toast=Toast(error))
        return reply

    def _pressed(self, state: State, verb: str, value: str, ctx: Context) -> Reply:
        match verb:
            case "open":
                name, _, args = value.partition(":")
                return self._command(state, name, args, ctx)
            case "resume":
                return self._resume(state, value, ctx)
            case "home":
                return self._command(state, self._home, "", ctx)
        flow, frame = self._on_top(state, ctx)
        if state.top is not frame:  # a button of home or of the stranger's page, which have no others
            return self._reply(state, ctx, toast=Toast(EXPIRED))
        return self._in_dialogue(state, flow, frame, verb, value, ctx)

    def _in_dialogue(
        self, state: State, flow: Flow, frame: Frame, verb: str, value: str, ctx: Context
    ) -> Reply:
        settled = settle(flow, frame, ctx)
        match verb:
            case "back":
                return self._back(state, flow, frame, ctx)
            case "cancel":
                return self._cancel(state, flow, frame, ctx)
            case "yes" if "leaving" in frame.ui:
                return self._close(state, flow, ctx)
            case "later":
                return self._keep(state, flow, frame, ctx)
            case "stay":
                return self._reply(moved(state, replace(frame, ui={})), ctx)
            case "anew" if "again" in frame.ui:
                return self._open(popped(state), flow, str(frame.ui["again"]), ctx)
            case "pop" if flow.page:
                return self._reply(popped(state), ctx)
            case "edit" if settled.step is None and flow.submit:
                return self._reply(moved(state, replace(frame, ui={"fixing": True})), ctx)
            case "fix" if "fixing" in frame.ui and any(
                s.key == value for s in screens.fixable(flow, settled)
            ):
                return self._reply(moved(state, replace(frame, ui={}, editing=value)), ctx)
            case "ok" if settled.step is None and flow.submit and not frame.ui:
                return self._submit(state, flow, settled, ctx)
            case "keep" if settled.step:
                proposal = asking(settled.step, frame, settled, ctx).proposal
                if proposal is not None and settled.step.holds(
                    asking(settled.step, frame, settled, ctx), proposal
                ):
                    return self._accepted(state, flow, frame, settled.step, Accepted(proposal), ctx)
        if settled.step and not frame.ui.keys() & screens.INTERLUDES:
            return self._said(state, flow, frame, settled, Pick(verb, value), ctx)
        if settled.step is None and flow.retype:
            return self._asked_anew(state, flow, frame, Pick(verb, value), ctx)
        return self._reply(state, ctx, toast=Toast(EXPIRED))

    # -- text -----------------------------------------------------------------------------------

    def _text(self, state: State, text: str, ctx: Context, *, private: bool) -> Reply:
        flow, frame = self._on_top(state, ctx)
        step = settle(flow, frame, ctx).step or (flow.step(flow.retype) if flow.retype else None)
        # home hands typed text on to the search, which takes numbers
        wanted = step.takes_niss if step else self._listens(state, flow, frame, ctx) and ctx.present
        text, secret = without_numbers(text, ctx, wanted=wanted)
        if secret and wanted and (stop := proving.too_often(text, ctx)):
            reply = self._reply(told(state, error=stop), ctx)
            return reply if private else self._forgetting(reply, ctx)
        button = self._typed_button(state, text, ctx)
        if button:
            reply = self._pressed(state, button.verb, button.value, ctx)
        elif self._listens(state, flow, frame, ctx):
            reply = self._outside(state, text, ctx)
        else:
            reply = self._typed(state, flow, frame, text, ctx)
        return self._forgetting(reply, ctx) if secret and not private else reply

    def _listens(self, state: State, flow: Flow, frame: Frame, ctx: Context) -> bool:
        """Whether typed text is no answer to anything: outside of every dialogue, or at home above one."""
        return state.top is not frame or (flow.key == self._home and ctx.present)

    def _outside(self, state: State, text: str, ctx: Context) -> Reply:
        """Text typed there looks for a person or a change; a stranger's text changes nothing."""
        if not ctx.present:
            return self._reply(state, ctx)
        return self._command(state, self._find, text, ctx)

    def _typed(self, state: State, flow: Flow, frame: Frame, text: str, ctx: Context) -> Reply:
        if frame.ui.keys() & screens.INTERLUDES:
            return self._reply(told(state, error=m("engine.use_buttons")), ctx)
        settled = settle(flow, frame, ctx)
        if settled.step:
            return self._said(state, flow, frame, settled, Text(text), ctx)
        if flow.retype:
            return self._asked_anew(state, flow, frame, Text(text), ctx)
        return self._reply(told(state, error=m("engine.use_buttons")), ctx)

    def _asked_anew(self, state: State, flow: Flow, frame: Frame, said: Said, ctx: Context) -> Reply:
        """Something said on a page answers its one step again; what cannot be understood leaves the page as it is."""
        step = flow.step(flow.retype or "")
        assert step
        verdict = step.accept(asking(step, frame, settle(flow, frame, ctx), ctx), said)
        match verdict:
            case Accepted():
                return self._accepted(state, flow, frame, step, verdict, ctx)
            case Rejected(error):
                return self._reply(state.with_top(replace(frame, error=error)), ctx)
            case Shown():
                return self._reply(state, ctx)

    def _typed_button(self, state: State, text: str, ctx: Context) -> Press | None:
        """The button of the card, its options apart, whose label was typed instead of tapped."""
        view = self.view(state, ctx)
        said = fold(text)
        for button in view.buttons() if view else ():
            action = button.action
            if (
                isinstance(action, Press)
                and screens.can_be_typed(button)
                and said == fold(ctx.reader.label(button.label))
            ):
                return action
        return None

    def _forgetting(self, reply: Reply, ctx: Context) -> Reply:
        """The message goes from the chat, and the card says so."""
        state = told(reply.state, note=m("niss.deleted"))
        return replace(reply, state=state, view=self.view(state, ctx), effects=(Forget(), *reply.effects))

    def _document(self, state: State, document: Document, ctx: Context) -> Reply:
        """An answer where one is asked for; anywhere else as unreadable as a picture."""
        if not self.asks_for_document(state, ctx):
            return self._reply(told(state, error=m("engine.unreadable")), ctx)
        flow, frame = self._on_top(state, ctx)
        settled = settle(flow, frame, ctx)
        assert settled.step
        verdict = settled.step.takes(asking(settled.step, frame, settled, ctx), document)
        return self._judged(state, flow, frame, settled.step, verdict, ctx, typed=True)

    # -- answers --------------------------------------------------------------------------------

    def _said(
        self, state: State, flow: Flow, frame: Frame, settled: Settled, said: Said, ctx: Context
    ) -> Reply:
        assert settled.step
        verdict = settled.step.accept(asking(settled.step, frame, settled, ctx), said)
        typed = isinstance(said, Text)
        return self._judged(state, flow, frame, settled.step, verdict, ctx, typed=typed)

    def _judged(
        self,
        state: State,
        flow: Flow,
        frame: Frame,
        step: Step,
        verdict: Verdict,
        ctx: Context,
        *,
        typed: bool,
    ) -> Reply:
        match verdict:
            case Accepted():
                if typed and not frame.typed:
                    frame = replace(frame, typed=True)
                return self._accepted(state, flow, frame, step, verdict, ctx)
            case Shown(ui):
                return self._reply(state.with_top(replace(frame, ui={**frame.ui, **ui}, error=None)), ctx)
            case Rejected(error, ui):
                return self._reply(state.with_top(replace(frame, ui={**frame.ui, **ui}, error=error)), ctx)

    def _accepted(
        self, state: State, flow: Flow, frame: Frame, step: Step, verdict: Accepted, ctx: Context
    ) -> Reply:
        frame = answered(flow, frame, step, verdict, ctx)
        state = moved(state, frame, memory=verdict.memory)
        settled = settle(flow, frame, ctx)
        if settled.step is None and flow.submit and not flow.recap:
            return self._submit(state, flow, settled, ctx)
        return self._heard(state, flow, frame, settled, ctx)

    def _heard(self, state: State, flow: Flow, frame: Frame, settled: Settled, ctx: Context) -> Reply:
        """The next question; or what it makes of the words that came for it with the command."""
        step = settled.step
        if step is None or step.key not in frame.words or frame.ui:
            return self._reply(state, ctx)
        rest = {key: text for key, text in frame.words.items() if key != step.key}
        said, frame = Text(frame.words[step.key]), replace(frame, words=rest)
        verdict = step.accept(asking(step, frame, settled, ctx), said)
        return self._judged(state, flow, frame, step, verdict, ctx, typed=False)

    def _back(self, state: State, flow: Flow, frame: Frame, ctx: Context) -> Reply:
        if frame.editing or frame.ui.keys() & screens.INTERLUDES:
            return self._reply(moved(state, replace(frame, editing=None, ui={})), ctx)
        trail = [key for key in frame.trail if key in frame.answers and flow.step(key)]
        if not trail:
            if flow.page or len(state.frames) > 1:
                return self._reply(popped(state), ctx)
            return self._reply(told(state, note=m("engine.first_step")), ctx)
        last = trail[-1]
        answers = {key: value for key, value in frame.answers.items() if key != last}
        proposals = {**frame.proposals, last: frame.answers[last]}
        frame = replace(frame, answers=answers, proposals=proposals, trail=tuple(trail[:-1]), ui={})
        # a proposal that stands by itself would hide the question that Back leads to
        step = flow.step(last)
        hidden = step is not None and step.stands and settle(flow, frame, ctx).step is not step
        return self._reply(moved(state, replace(frame, editing=last) if hidden else frame), ctx)

    # -- the end of a dialogue ------------------------------------------------------------------

    def _cancel(self, state: State, flow: Flow, frame: Frame, ctx: Context) -> Reply:
        if flow.page or not frame.typed:
            return self._close(state, flow, ctx)
        return self._reply(moved(state, replace(frame, ui={"leaving": True})), ctx)

    def _close(self, state: State, flow: Flow, ctx: Context) -> Reply:
        state = popped(state)
        return self._reply(
            state if flow.page else told(state, note=m("engine.cancelled", what=flow.title)), ctx
        )

    def _keep(self, state: State, flow: Flow, frame: Frame, ctx: Context) -> Reply:
        kept = (*(other for other in state.kept if other.flow != flow.key), replace(frame, ui={}))
        state = replace(popped(state), kept=kept)
        return self._reply(
            told(state, note=m("engine.kept", time=lasting(ctx.settings.keeping.dialogues), what=flow.title)),
            ctx,
        )

    def _resume(self, state: State, key: str, ctx: Context) -> Reply:
        """A dialogue put aside, or open below, comes to the top again."""
        frame = next((frame for frame in (*state.kept, *state.frames) if frame.flow == key), None)
        if frame is None:
            return self._reply(state, ctx, toast=Toast(EXPIRED))
        others = tuple(
            other for other in state.frames if other.flow != key and not self.flows[other.flow].page
        )
        # the lowest makes room where the stack is full, and is kept
        kept = (*(other for other in state.kept if other.flow != key), *others[: -DEEPEST + 1])
        frames = (*others[-DEEPEST + 1 :], replace(frame, ui={}))
        return self._reply(replace(state, frames=frames, kept=kept, rev=state.rev + 1), ctx)

    def _submit(self, state: State, flow: Flow, settled: Settled, ctx: Context) -> Reply:
        assert flow.submit
        wish = flow.submit(ctx, settled.answers)
        if isinstance(wish, Remember):
            state = replace(state, memory={**state.memory, **wish.memory})
            return self._outcome(state, Done(), ctx)
        shown = proving.shown(flow, settled, ctx) if screens.takes_proof(wish, ctx) else ""
        return Reply(replace(state, rev=state.rev + 1), None, (Perform(wish, shown),))

    def _outcome(self, state: State, outcome: Done | Refused | Conflict, ctx: Context) -> Reply:
        frame = state.top
        if frame is None:
            return self._reply(state, ctx)
        flow = self.flows[frame.flow]
        match outcome:
            case Done():
                answers = settle(flow, frame, ctx).answers
                view = flow.receipt(ctx, answers, outcome) if flow.receipt else None
                state = popped(state)
                if view is None and flow.then and not self._over(flow.then, ctx):
                    return self._open(state, self.flows[flow.then], "", ctx)
                if view is None:
                    return self._reply(state, ctx)
                state = replace(state, resting=not state.frames)
                reply = self._reply(state, ctx, Receipt(f"receipt:{outcome.number}", view))
                return replace(reply, anew=True)
            case Refused(msg, key):
                step = flow.step(key) if key and key in settle(flow, frame, ctx).answers else None
                frame = replace(frame, error=msg, ui={}, editing=step.key if step else None)
                return self._reply(replace(state, rev=state.rev + 1).with_top(frame), ctx)
            case Conflict(differences, version):
                answers = flow.rebase(frame.answers, version) if flow.rebase else frame.answers
                frame = replace(frame, answers=answers, ui={}, notes=(flow.meanwhile, *differences))
                frame = checked_again(flow, frame, ctx)
                return self._reply(replace(state, rev=state.rev + 1).with_top(frame), ctx)

    # -- commands -------------------------------------------------------------------------------

    def _commanded(self, state: State, name: str, args: str, ctx: Context) -> Reply:
        """A command as a person writes it: a national number in it is seen only where one is asked for."""
        flow = self.flows.get(name)
        wanted = flow is not None and any(step.takes_niss for step in flow.steps)
        args, secret = without_numbers(args, ctx, wanted=wanted)
        if secret and wanted and ctx.present and (stop := proving.too_often(args, ctx)):
            return self._forgetting(self._reply(told(state, error=stop), ctx), ctx)
        name, strange = without_numbers(name, ctx, wanted=False)
        reply = self._command(state, name, args, ctx)
        return self._forgetting(reply, ctx) if secret or strange else reply

    def _command(self, state: State, name: str, args: str, ctx: Context) -> Reply:
        state = replace(state, resting=False)
        if name in {"cancel", "back"}:
            flow, frame = self._on_top(state, ctx)
            if state.top is not frame:
                note = m("engine.nothing_open") if state.top is None else None
                return self._reply(told(state, note=note), ctx)
            return self._in_dialogue(state, flow, frame, name, "", ctx)
        if name == "start" and (ctx.present or not args):
            state = told(
                replace(state, frames=state.frames if ctx.actor else ()),
                note=m("start.already") if args else None,
            )
            if ctx.actor is None:
                return self._reply(replace(state, rev=state.rev + 1), ctx)
            name = self._home
        if name == self._home and ctx.actor and not state.frames:
            return self._reply(replace(state, rev=state.rev + 1), ctx)
        wanted = self.flows.get(name)
        if not ctx.present and (wanted is None or not wanted.public):
            return self._reply(state, ctx)
        if wanted is None or name in {self._stranger, self._locked}:
            return self._reply(told(state, error=m("engine.unknown_command")), ctx)
        return self._open(state, wanted, args, ctx)

    def _open(self, state: State, flow: Flow, args: str, ctx: Context) -> Reply:
        """Push the dialogue; one that is open already is offered to go on with. At most one frame a flow, three deep:
        one in which nothing was answered makes room, others are not lost for a new one.
        """
        if self._over(flow.key, ctx):
            return self._reply(replace(state, rev=state.rev + 1), ctx)
        older = next((frame for frame in (*state.frames, *state.kept) if frame.flow == flow.key), None)
        frames = tuple(frame for frame in state.frames if frame.flow != flow.key)
        kept = tuple(frame for frame in state.kept if frame.flow != flow.key)
        frames = tuple(frame for frame in frames if not self.flows[frame.flow].page or frame is not state.top)
        if len(frames) >= DEEPEST and (
            idle := next((f for f in frames if not f.trail and not f.typed), None)
        ):
            frames = tuple(frame for frame in frames if frame is not idle)  # nothing was answered in it
        if len(frames) >= DEEPEST and not flow.urgent:
            return self._reply(told(state, error=m("engine.too_deep")), ctx)
        if older and older.answers and older.trail and not flow.page and not flow.restarts:
            frame = replace(older, ui={"again": args}, editing=None)
        else:
            frame = prefilled(flow, state, args, ctx)
            if flow.remembers:
                state = replace(state, memory={**state.memory, **flow.remembers(ctx, frame.answers)})
            if flow.page and state.top and self.flows[state.top.flow].page:
                frame = replace(frame, ui={"over": state.top.flow})  # a page is left, and help knows which
        state = replace(state, frames=(*frames, frame), kept=kept, rev=state.rev + 1, resting=False)
        settled = settle(flow, frame, ctx)
        if settled.step is None and flow.submit and not flow.recap and not frame.ui:
            return self._submit(state, flow, settled, ctx)
        return self._heard(state, flow, frame, settled, ctx)

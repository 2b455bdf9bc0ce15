"""What a chat's card is about, and how it looks: all that reads a state and changes nothing. Pure.

`engine` takes the next step from here.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.conversations import proving, screens
from bot.conversations.changing import replace
from bot.conversations.flow import Flow, Step
from bot.conversations.frames import asking, settle
from bot.conversations.model import Frame, State, View
from bot.conversations.ports import Context


class Cards:
    """The flows of a program, and the card that a chat's state stands for."""

    def __init__(self, flows: Mapping[str, Flow], *, home: str, stranger: str, locked: str) -> None:
        self.flows = flows
        self._home = home
        self._stranger = stranger
        self._locked = locked

    def view(self, state: State, ctx: Context) -> View | None:
        """The card as it should be now; None while no card is wanted."""
        if state.resting:
            return None
        state = self._going(state, ctx)
        flow, frame = self._on_top(state, ctx)
        if "leaving" in frame.ui:
            view = screens.leaving(flow, settle(flow, frame, ctx), ctx)
        elif "again" in frame.ui:
            view = screens.again(flow, settle(flow, frame, ctx), ctx)
        elif "fixing" in frame.ui:
            view = screens.fixing(flow, settle(flow, frame, ctx), ctx)
        else:
            view = self._screen(state, flow, frame, ctx)
        below = self._below(state, flow)
        if ctx.actor and ctx.actor.locked:
            state = _without_names(state)
        return screens.dressed(view, state, frame, below=below, pages=ctx.settings.pages)

    def asks_for_number(self, state: State, ctx: Context) -> bool:
        """Whether a national number, typed now, would be an answer."""
        step = self._asked(state, ctx)
        return step is not None and step.takes_niss

    def asks_for_document(self, state: State, ctx: Context) -> bool:
        """Whether a document, sent now, would be an answer."""
        step = self._asked(state, ctx)
        return step is not None and step.takes_document

    def unproved(self, state: State, ctx: Context) -> proving.Unproved | None:
        """The recap that waits for a fresh proof."""
        state = self._going(state, ctx)
        flow, frame = self._on_top(state, ctx)
        if state.top is not frame or not ctx.present or frame.ui.keys() & screens.INTERLUDES:
            return None
        return proving.unproved(flow, frame, settle(flow, frame, ctx), ctx, rev=state.rev)

    # -- derived things -------------------------------------------------------------------------

    def _going(self, state: State, ctx: Context) -> State:
        """The state without dialogues that are over for a reason outside of the chat, an update of the program included. `rev`
        stays: a view is drawn without a turn.
        """
        frames = tuple(f for f in state.frames if f.flow in self.flows and not self._over(f.flow, ctx))
        kept = tuple(frame for frame in state.kept if frame.flow in self.flows)
        if len(frames) == len(state.frames) and len(kept) == len(state.kept):
            return state
        return replace(state, frames=frames, kept=kept)

    def _over(self, key: str, ctx: Context) -> bool:
        over = self.flows[key].over
        return over is not None and ctx.present and over(ctx)

    def _on_top(self, state: State, ctx: Context) -> tuple[Flow, Frame]:
        """What the card is about: the top dialogue, else home; for somebody unknown only what is public."""
        top = state.top
        if top and (ctx.present or self.flows[top.flow].public):
            return self.flows[top.flow], top
        root = self.flows[
            self._stranger if ctx.actor is None else self._home if ctx.present else self._locked
        ]
        return root, Frame(root.key)

    def _below(self, state: State, flow: Flow) -> Flow | None:
        """The dialogue that the card leads back to."""
        if state.top and state.top.flow == flow.key and len(state.frames) > 1:
            return self.flows[state.frames[-2].flow]
        return None

    def _screen(self, state: State, flow: Flow, frame: Frame, ctx: Context) -> View:
        settled = settle(flow, frame, ctx)
        if settled.step:
            return screens.question(flow, frame, settled.step, asking(settled.step, frame, settled, ctx))
        if flow.page:
            return screens.page(
                flow, flow.page(ctx, screens.with_memory(settled.answers, state, flow)), settled, ctx
            )
        return screens.recap(flow, frame, settled, ctx)

    def _asked(self, state: State, ctx: Context) -> Step | None:
        """The step that is asked now; None where nothing is, or something else stands in between."""
        state = self._going(state, ctx)
        flow, frame = self._on_top(state, ctx)
        if state.top is not frame or frame.ui.keys() & screens.INTERLUDES:
            return None
        return settle(flow, frame, ctx).step


def _without_names(state: State) -> State:
    """What is still to be told while nobody has proved to be there: sentences that nothing was filled into."""
    error = state.error if state.error and not state.error.params else None
    return replace(state, error=error, notes=tuple(note for note in state.notes if not note.params))

"""The engine's rules as properties: whatever people do, in any order."""

from __future__ import annotations

from bot.access.requests import GrantAccess, Lock
from bot.conversations import frames
from bot.conversations.engine import DEEPEST
from bot.conversations.model import (
    App,
    Command,
    CopyText,
    Door,
    Event,
    Frame,
    Link,
    Perform,
    Press,
    Redraw,
    Reply,
    State,
    Tap,
    Text,
    Unreadable,
)
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.testing import Talk, said, sample
from bot.msg import LANGUAGES
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

WAYS_OUT = {"back", "cancel", "home", "pop", "stay", "yes", "open"}
TYPED = st.sampled_from(
    [
        "1",
        "Peeters",
        "claes",
        "Colindos",
        "79.08.23-997.28",
        "64.11.17-998.10",
        "x 64.11.17-998.10",
        "01.09.22-997.08",
        "Vermeulen",
        "Tom",
        "tom@example.org",
        "25.2.",
        "demain",
        "Confirmer",
        "annuler",
        "Précédent",
        "Suivant",
        "",
        "  ",
        "<b>x</b>",
        "{name}",
        "\u202e",
        "2026-000001",
        "oui",
        "Médecin",
        "999999999999",
    ]
) | st.text(max_size=40)


class Chat(RuleBasedStateMachine):
    """A chat in which anything may be said, tapped, repeated and forged."""

    def __init__(self) -> None:
        super().__init__()
        self.talk = Talk(ENGINE, sample())
        self.talk.command("home")
        self.last_accepted: Tap | None = None
        self.seen: list[Frame] = []

    def feed(self, event: Event) -> tuple[State, Reply]:
        before = self.talk.state
        count = len(self.talk.requests)
        reply = self.talk.feed(event)
        assert self.talk.state.rev >= before.rev, "rev never goes back (rule 4)"
        if len(self.talk.requests) > count:
            asked = self.talk.requests[-1]
            assert isinstance(event, Tap | Text) or asked == Lock(), (
                "nothing is asked of the register but by an answer; locking asks nothing of it"
            )
        return before, reply

    @rule(
        name=st.sampled_from([*FLOWS, "back", "cancel", "nonsense"]),
        args=st.sampled_from(["", "midi", "Peeters", "2026-000001", "nl"]),
    )
    def command(self, name: str, args: str) -> None:
        self.feed(Command(name, args))

    @rule(text=TYPED)
    def text(self, text: str) -> None:
        self.feed(Text(text))

    @rule()
    def photo(self) -> None:
        self.feed(Unreadable())

    @precondition(lambda self: self.talk.view is not None)
    @rule(data=st.data())
    def tap(self, data: st.DataObject) -> None:
        view = self.talk.view
        assert view is not None
        presses = [button.action for button in view.buttons() if isinstance(button.action, Press)]
        if not presses:
            return
        press = data.draw(st.sampled_from(presses))
        tap = Tap(self.talk.state.rev, press.verb, press.value)
        before, _ = self.feed(tap)
        if self.talk.state.rev != before.rev:
            self.last_accepted = tap

    @rule(
        back=st.integers(1, 20),
        verb=st.sampled_from(["a", "ok", "on", "next", "back", "yes", "who", "day", "zzz"]),
        value=st.text(max_size=12),
    )
    def stale_tap(self, back: int, verb: str, value: str) -> None:
        tap = Tap(self.talk.state.rev - back, verb, value)
        before, reply = self.feed(tap)
        assert self.talk.state == before, "a button of an old card never acts (rule 4)"
        assert reply.toast is not None or before.last == (tap.rev, verb, value)

    @rule(verb=st.text(max_size=8), value=st.text(max_size=24))
    def forged_tap(self, verb: str, value: str) -> None:
        self.feed(Tap(self.talk.state.rev, verb, value))

    @precondition(lambda self: self.last_accepted is not None)
    @rule()
    def double_tap(self) -> None:
        assert self.last_accepted is not None
        if self.talk.state.last != (
            self.last_accepted.rev,
            self.last_accepted.verb,
            self.last_accepted.value,
        ):
            return
        if self.last_accepted.rev == self.talk.state.rev:
            return
        before, reply = self.feed(self.last_accepted)
        assert self.talk.state == before
        assert reply.toast is None, "the last accepted tap, repeated, is answered silently"

    @precondition(lambda self: self.talk.view is not None and self.talk.state.top is not None)
    @rule()
    def back_turns_an_answer_into_a_proposal(self) -> None:
        frame = self.talk.state.top
        assert frame is not None
        if not self.talk.context.present:
            return  # locked: the card is not the dialogue's
        trail = [key for key in frame.trail if key in frame.answers]
        if not trail or frame.editing or frame.ui or FLOWS[frame.flow].page:
            return
        self.feed(Tap(self.talk.state.rev, "back"))
        after = self.talk.state.top
        assert after is not None
        assert trail[-1] not in after.answers
        assert after.proposals[trail[-1]] == frame.answers[trail[-1]]
        assert all(after.answers[key] == frame.answers[key] for key in after.answers), (
            "Back keeps the rest (rule 3)"
        )

    @invariant()
    def the_state_survives_a_restart(self) -> None:
        talk = self.talk
        again = State.from_json(talk.state.to_json())
        assert again == talk.state
        assert ENGINE.view(again, talk.context) == ENGINE.view(talk.state, talk.context)

    @invariant()
    def drawing_changes_nothing(self) -> None:
        reply = ENGINE.step(self.talk.state, Redraw(), self.talk.context)
        assert reply.state == self.talk.state
        assert reply.effects == ()

    @invariant()
    def a_position_taken_over_from_another_frame_is_the_one_worked_out(self) -> None:
        ctx, frame = self.talk.context, self.talk.state.top
        if frame is None:
            return
        flow = FLOWS[frame.flow]
        expected = frames.Position.of(flow, frame, ctx).settled
        for other in [seen for seen in self.seen if seen.flow == frame.flow][-5:]:
            frames.settle(flow, other, ctx)
            assert frames.settle(flow, frame, ctx) == expected
        if frame not in self.seen:
            self.seen.append(frame)

    @invariant()
    def the_stack_is_bounded(self) -> None:
        flows = [frame.flow for frame in (*self.talk.state.frames, *self.talk.state.kept)]
        assert len(flows) == len(set(flows)), "at most one frame a flow (rule 5)"
        open_ones = [frame.flow for frame in self.talk.state.frames]
        assert len([flow for flow in open_ones if not FLOWS[flow].urgent]) <= DEEPEST

    @invariant()
    def every_card_can_be_left_and_every_button_fits(self) -> None:
        view = ENGINE.view(self.talk.state, self.talk.context)
        if view is None:
            return
        verbs = {button.action.verb for button in view.buttons() if isinstance(button.action, Press)}
        assert verbs & WAYS_OUT, "no dead ends (rule 9)"
        for button in view.buttons():
            match button.action:
                case Press(verb, value):
                    assert len(verb.encode()) <= 8
                    assert len(value.encode()) <= 24
                case Door(flow, args):
                    assert len(f"{flow} {args}".encode()) <= 40
                case Link() | App() | CopyText():
                    pass

    @invariant()
    def the_card_can_be_said_in_every_language(self) -> None:
        view = ENGINE.view(self.talk.state, self.talk.context)
        for lang in LANGUAGES if view else ():
            assert view is not None
            assert said(view, lang)
            assert "64.11.17-998.10" not in said(view, lang)

    @invariant()
    def requests_are_whole(self) -> None:
        for request in self.talk.requests:
            if isinstance(request, GrantAccess):
                assert (request.account is None) != (request.user is None)
                assert request.applications
                assert request.function is None or request.starts_on is not None
                assert request.ends_on is None or request.starts_on is not None


Chat.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestChat = Chat.TestCase


def test_nothing_is_recorded_before_confirm() -> None:
    talk = (
        Talk(ENGINE, sample()).command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    )
    assert all(not isinstance(effect, Perform) for reply in talk.replies for effect in reply.effects)
    talk.taps("Confirmer")
    assert len(talk.requests) == 1

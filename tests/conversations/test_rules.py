"""The engine's rules on dialogues made up by Hypothesis: any steps, hanging on one another in any way.

The dialogues of the product are a few shapes of many; what holds for every shape is tested here, against a plain
re-telling of the rule. `test_machine.py` does the same with the product's own dialogues.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from zlib import crc32

from bot.access.requests import Conflict, Done, Refused
from bot.conversations.engine import Engine
from bot.conversations.flow import Asking, Flow, Page, Step
from bot.conversations.model import Answer, Json, Perform, Reply, State, Tap
from bot.conversations.ports import Context
from bot.conversations.steps import Choice, MultiChoice, Option
from bot.conversations.testing import Talk
from bot.msg import m
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

ALL_THERE = 6
"""As many options as a step can have; each dialogue offers some of them."""
FLOW = "made"


@dataclass
class World:
    """What the steps look at besides the answers: options that have vanished meanwhile."""

    vanished: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Plan:
    """A dialogue as Hypothesis draws it: for each step what it hangs on, and of which kind it is."""

    after: tuple[frozenset[int], ...]
    several: tuple[bool, ...]
    conditional: tuple[bool, ...]
    stands: tuple[bool, ...]
    salt: int


def _mixed(plan: Plan, place: int, answers: Mapping[str, Json]) -> int:
    """A number that hangs on exactly the answers that the step says it hangs on."""
    seen = [(before, answers.get(f"s{before}")) for before in sorted(plan.after[place])]
    return crc32(repr((plan.salt, place, seen)).encode())


def offered(plan: Plan, place: int, answers: Mapping[str, Json], world: World) -> list[Option]:
    """The options of a step, more than one of them always there."""
    mixed = _mixed(plan, place, answers)
    ids = [str(each) for each in range(ALL_THERE) if mixed >> each & 1] or ["0"]
    return [Option(each, f"Label {each}") for each in ids if f"s{place}.{each}" not in world.vanished]


def made(plan: Plan, world: World) -> Flow:
    """The dialogue itself."""

    def step(place: int) -> Step:
        hanging = frozenset(f"s{before}" for before in plan.after[place])
        conditional = plan.conditional[place] and bool(hanging)
        several = plan.several[place]
        stands = plan.stands[place] and not several

        def proposed(_: Context, answers: Mapping[str, Json]) -> Json:
            options = offered(plan, place, answers, world)
            return options[0].id if options else None

        return (MultiChoice if several else Choice)(
            f"s{place}",
            ask=m("grant.ask.entity"),
            label=m("field.entity"),
            after=hanging,
            when=(lambda _, answers: _mixed(plan, place, answers) >> 9 & 3 != 0) if conditional else None,
            proposes=proposed if stands else None,
            stands=stands,
            options=lambda _, answers: offered(plan, place, answers, world),
        )

    return Flow(
        FLOW,
        title=m("grant.title"),
        steps=tuple(step(place) for place in range(len(plan.after))),
        submit=lambda _, answers: dict(answers),  # type: ignore[arg-type, return-value]
        prefill=lambda _, __, args: {
            key: value.split("+") if "+" in value else value
            for key, value in (word.split("=") for word in args.split())
        },
        rebase=lambda answers, _: answers,
        receipt=lambda _, __, ___: None,
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    size = draw(st.integers(2, 6))
    flags = st.lists(st.booleans(), min_size=size, max_size=size).map(tuple)
    return Plan(
        tuple(
            draw(st.frozensets(st.integers(0, place - 1), max_size=3)) if place else frozenset()
            for place in range(size)
        ),
        draw(flags),
        draw(flags),
        draw(flags),
        draw(st.integers(0, 2**16)),
    )


class Made(Talk):
    """A chat with a dialogue that was made up."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.world = plan, World()
        self.flow = made(plan, self.world)
        home = Flow("home", title=m("home.title"), page=lambda _, __: Page())
        super().__init__(Engine({"home": home, FLOW: self.flow}))

    def feed(self, event: Any) -> Reply:
        """As a turn does it, but what is asked of the register waits: each test gives its own outcome."""
        reply = self.engine.step(self.state, event, self.context)
        self.replies.append(reply)
        self.state = State.from_json(reply.state.to_json())
        self.view = reply.view
        return reply

    @property
    def answers(self) -> dict[str, Json]:
        assert self.state.top
        return dict(self.state.top.answers)

    @property
    def asked(self) -> str | None:
        """The step that should be asked, told anew from the rule: in order, the first that applies without an answer."""
        found = self.counting()
        return next((key for key, value in found.items() if value is None), None)

    def counting(self) -> dict[str, Json]:
        """The answers that count, in order, up to the first open step (None), by the rule's own words."""
        counted: dict[str, Json] = {}
        ctx = self.context
        for step in self.flow.steps:
            if not step.applies(ctx, counted):
                continue
            value = self.answers.get(step.key)
            if value is None and step.stands:
                value = step.propose(ctx, counted)
            counted[step.key] = value
            if value is None:
                break
        return counted

    def options(self, key: str) -> list[str]:
        return [o.id for o in offered(self.plan, int(key[1:]), self.counting(), self.world)]

    def tap(self, verb: str, value: str = "") -> Reply:
        return self.feed(Tap(self.state.rev, verb, value))

    def gives(self, key: str, draw: st.DataObject) -> None:
        """A valid answer to the step that is asked now."""
        options = self.options(key)
        if isinstance(self.flow.step(key), MultiChoice):
            wanted = draw.draw(st.lists(st.sampled_from(options), min_size=1, unique=True))
            for each in options:
                self.tap("on" if each in wanted else "off", each)
            self.tap("next")
        else:
            self.tap("a", draw.draw(st.sampled_from(options)))

    def to_the_recap(self, draw: st.DataObject) -> Made:
        self.command(FLOW)
        for _ in range(len(self.flow.steps) + 1):
            key = self.asked
            if key is None:
                assert "ok" in self.verbs()
                return self
            self.gives(key, draw)
        raise AssertionError("never at the recap")

    def verbs(self) -> set[str]:
        assert self.view
        return {button.action.verb for button in self.view.buttons() if hasattr(button.action, "verb")}


FEW = settings(max_examples=120, deadline=None)


@FEW
@given(plans(), st.data())
def test_what_is_asked_is_the_first_that_applies_and_has_no_answer(plan: Plan, data: st.DataObject) -> None:
    """Rule 1, with answers taken away and given in any order by Back and Edit."""
    talk = Made(plan).command(FLOW)
    assert isinstance(talk, Made)
    for _ in range(data.draw(st.integers(1, 12))):
        key = talk.asked
        assert talk.state.top
        assert talk.state.top.editing is None
        shown = talk.engine.view(talk.state, talk.context)
        assert shown is not None
        assert (key is None) == ("ok" in talk.verbs()), "the recap comes when nothing is open"
        if key is not None:
            offers = {
                b.action.value for b in shown.buttons() if getattr(b.action, "verb", "") in {"a", "on", "off"}
            }
            assert offers == set(talk.options(key))
        if key is None or (talk.state.top.trail and data.draw(st.booleans())):
            talk.tap("back")
            if talk.state.top and talk.state.top.editing:  # a proposal that stands, asked again
                talk.tap("a", talk.options(talk.state.top.editing)[0])
            if not talk.state.top:
                return
        else:
            talk.gives(key, data)


@FEW
@given(plans(), st.data())
def test_a_step_answered_anew_drops_only_what_hangs_on_it(plan: Plan, data: st.DataObject) -> None:
    """Rule 3: the same answer drops nothing; another one only what depends on it and no longer holds, and says so."""
    talk = Made(plan).to_the_recap(data)
    before, trail = talk.answers, talk.state.top.trail if talk.state.top else ()
    counted = talk.counting()
    talk.tap("edit")
    fixable = (
        [b.action.value for b in talk.view.buttons() if getattr(b.action, "verb", "") == "fix"]
        if talk.view
        else []
    )
    assert set(fixable) == set(counted), "every answer that counts can be changed"
    key = data.draw(st.sampled_from(sorted(fixable)))
    talk.tap("fix", key)
    assert talk.answers == before, "to look at a question again loses nothing"
    talk.gives(key, data)
    frame = talk.state.top
    assert frame
    after = talk.answers
    note(f"{key}: {before} → {after}")
    hanging = talk.flow.dependents(key)
    gone = before.keys() - after.keys()
    if before.get(key, counted[key]) == after[key]:
        assert gone == set()
    assert gone <= hanging
    assert all(after[other] == before[other] for other in before.keys() & after.keys() if other != key)
    for other in gone:
        assert frame.proposals[other] == before[other], "what was dropped is proposed again"
    assert bool(gone) == any(each.key == "engine.dropped" for each in frame.notes), "and is said"
    assert set(frame.trail) <= set(trail) | {key} - gone
    for other, value in talk.counting().items():  # what counts is possible
        step = talk.flow.step(other)
        assert step
        if value is not None and other in hanging:
            assert step.holds(Asking(talk.context, talk.counting()), value)


@FEW
@given(plans(), st.data())
def test_ticks_and_pages_carry_what_they_want(plan: Plan, data: st.DataObject) -> None:
    """Rule 4: ticks are idempotent, quick ones all count, in any order, and the card's other buttons stay good."""
    talk = Made(replace(plan, several=tuple(True for _ in plan.several))).command(FLOW)
    assert isinstance(talk, Made)
    key = talk.asked
    assert key
    options, rev = talk.options(key), talk.state.rev
    taps = data.draw(
        st.lists(st.tuples(st.sampled_from(["on", "off"]), st.sampled_from(options)), max_size=8)
    )
    for verb, value in taps:
        talk.feed(Tap(rev, verb, value))
        once = talk.state
        talk.feed(Tap(rev, verb, value))
        assert talk.state == once
    assert talk.state.rev == rev
    wanted = {value: verb for verb, value in taps}
    ticked = [each for each in options if wanted.get(each) == "on"]
    talk.feed(Tap(rev, "next"))
    if ticked:
        assert talk.answers[key] == ticked
        assert talk.state.rev > rev, "an answer raises it"
        done = talk.state
        for verb, value in [*taps, ("next", "")]:
            talk.feed(Tap(rev, verb, value))
            assert talk.state == done, "buttons of the card before act no more"
    else:
        assert talk.answers == {}
        assert talk.state.top
        assert talk.state.top.error


@FEW
@given(plans(), st.data())
def test_only_what_is_missing_is_asked(plan: Plan, data: st.DataObject) -> None:
    """Rule 7: a dialogue opened with answers asks for the others, and ends as if all had been given by hand."""
    by_hand = Made(plan).to_the_recap(data)
    every = by_hand.answers
    given_ones = data.draw(st.sets(st.sampled_from(sorted(every)))) if every else set()
    for step in reversed(by_hand.flow.steps):  # whoever brings an answer brings what it hangs on
        given_ones |= step.after & every.keys() if step.key in given_ones else set()
    wrong = data.draw(st.sets(st.sampled_from([step.key for step in by_hand.flow.steps])))
    words = {
        **{
            key: "+".join([*every[key], ""]) if isinstance(every[key], list) else every[key]
            for key in given_ones
        },
        **dict.fromkeys(wrong, "9"),  # never offered
    }
    talk = Made(plan)
    talk.flow = replace(
        talk.flow,
        prefill=lambda _, __, ___: {
            key: [each for each in value.split("+") if each] if "+" in value else value
            for key, value in words.items()
        },
    )
    talk.engine = Engine({**talk.engine.flows, FLOW: talk.flow})
    talk.command(FLOW)
    held = talk.answers
    assert held.keys() <= set(words) - wrong, "what cannot be is not taken over"
    # what stands after an open question is not worked out yet, so that what hangs on it cannot be judged
    on_what_stands = any(
        talk.flow.step(key).after - every.keys()  # type: ignore[union-attr]
        for key in given_ones
    )
    if not wrong and not on_what_stands:
        assert held.keys() == given_ones, "and all the rest is"
    asked: list[str] = []
    while (key := talk.asked) is not None:
        asked.append(key)
        if key in every and by_hand.options(key) == talk.options(key):
            value = every[key]
            for each in value if isinstance(value, list) else ():
                talk.tap("on", each)
            talk.tap("next") if isinstance(value, list) else talk.tap("a", str(value))
        else:
            talk.gives(key, data)
        assert len(asked) <= len(talk.flow.steps)
        if not wrong:
            assert key not in held, "what was brought along is not asked"
    if not wrong:
        assert talk.counting() == by_hand.counting()


@FEW
@given(plans(), st.data())
def test_a_refusal_loses_nothing_and_leads_to_what_it_is_about(plan: Plan, data: st.DataObject) -> None:
    """Rule 8: `Refused` keeps every answer and asks the step that it names, if it counts."""
    talk = Made(plan).to_the_recap(data)
    before = talk.answers
    reply = talk.tap("ok")
    (asked,) = [each for each in reply.effects if isinstance(each, Perform)]
    assert asked.request == talk.counting(), "what is asked of the register is what the recap showed"
    key = data.draw(st.sampled_from([*(step.key for step in talk.flow.steps), "", "other"]))
    talk.feed(Answer(Refused(m("act.not_found"), key)))
    frame = talk.state.top
    assert frame
    assert frame.answers == before
    assert frame.error == m("act.not_found")
    assert frame.editing == (key if key in talk.counting() else None)
    assert "ok" not in talk.verbs() if frame.editing else "ok" in talk.verbs()


@FEW
@given(plans(), st.data())
def test_what_vanished_meanwhile_is_asked_again_and_the_rest_stays(plan: Plan, data: st.DataObject) -> None:
    """Rule 8: after a `Conflict`, and after a tap on a choice that is no longer there."""
    talk = Made(plan).to_the_recap(data)
    before, counted = talk.answers, talk.counting()
    assume(before)
    key = data.draw(st.sampled_from(sorted(before)))
    chosen = before[key]
    value = data.draw(st.sampled_from(chosen)) if isinstance(chosen, list) else str(chosen)
    talk.tap("ok")
    talk.world.vanished.add(f"{key}.{value}")
    talk.feed(Answer(Conflict((m("act.not_found"),), 2)))
    frame = talk.state.top
    assert frame
    gone = before.keys() - frame.answers.keys()
    assert gone <= {key} | talk.flow.dependents(key)
    assert (key in gone) == (key in counted)
    assert all(frame.answers[other] == before[other] for other in frame.answers)
    assert any(each.key == "engine.changed_meanwhile" for each in frame.notes)
    assert bool(gone) == any(each.key == "engine.dropped" for each in frame.notes)

    open_one = talk.asked
    assume(open_one is not None)
    assert open_one
    options = talk.options(open_one)
    assume(options and isinstance(talk.flow.step(open_one), Choice))
    lost = data.draw(st.sampled_from(options))
    rev, answers = talk.state.rev, talk.answers
    talk.world.vanished.add(f"{open_one}.{lost}")
    talk.feed(Tap(rev, "a", lost))
    assert talk.answers == answers
    assert talk.state.rev == rev, "the other buttons of the card stay good"
    assert talk.state.top
    assert talk.state.top.error is not None


@FEW
@given(plans(), st.data())
def test_what_is_done_closes_the_dialogue_and_only_it(plan: Plan, data: st.DataObject) -> None:
    """Rule 8: `Done` takes the dialogue away; the second tap on Confirm asks nothing more of the register."""
    talk = Made(plan).to_the_recap(data)
    rev = talk.state.rev
    first = talk.tap("ok")
    second = talk.feed(Tap(rev, "ok"))
    assert len([each for each in (*first.effects, *second.effects) if isinstance(each, Perform)]) == 1
    talk.feed(Answer(Done("2026-000001")))
    assert talk.state.top is None
    assert talk.state.rev > rev


def test_the_made_up_dialogues_are_of_many_shapes() -> None:
    """A guard for the others: had the strategy only trivial dialogues, nothing would be shown."""
    seen: set[str] = set()

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(plans(), st.data())
    def look(plan: Plan, data: st.DataObject) -> None:
        talk = Made(plan).to_the_recap(data)
        counted = talk.counting()
        if len(counted) < len(talk.flow.steps):
            seen.add("a step that does not apply")
        if any(key not in talk.answers for key in counted):
            seen.add("a proposal that stands")
        if any(isinstance(value, list) for value in counted.values()):
            seen.add("several")
        if any(len(talk.flow.dependents(key)) > 1 for key in counted):
            seen.add("a chain")

    look()
    assert seen == {"a step that does not apply", "a proposal that stands", "several", "a chain"}

"""Change what somebody has: an end sooner, later, at once or not at all; an access given again; a function; the account. Pure.

The questions that other dialogues ask are theirs (`end`, `assigning`, `grant`), and so are the requests: here they stand under
one first question (`changes`). What stands on an access or under it goes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.access.ground import APPLICATION, FUNCTION, Span, Thing
from bot.access.periods import check_end, check_start
from bot.access.requests import AssignFunction, ChangeEnd, Done, EndAccess, GrantAccess
from bot.conversations import assigning, changes, end, grant, holding, moves
from bot.conversations.changes import ASSIGN, END, GRANT, DoStep, Tapped, way
from bot.conversations.days import NOW, WhenStep, end_step, start_of, start_step
from bot.conversations.flow import Accepted, Asking, Condition, Flow, Said, Screen, Step, Verdict
from bot.conversations.holding import HolderStep, called, chosen, lost, spans
from bot.conversations.model import Answers, Button, Door, Json, View
from bot.conversations.named import known, known_person
from bot.conversations.people import rebased
from bot.conversations.place import entity_name, place_steps
from bot.conversations.ports import Context
from bot.conversations.receipts import number_row, on_portal, recorded, to_portal, to_status
from bot.conversations.steps import Choice, MultiChoice, Option
from bot.errors import Invalid
from bot.msg import Msg, Say, m

ACT, FUNCTIONS = "give_access", "assign_function"
YES = "yes"


def goes(*ways: str) -> Condition:
    """The condition that *do* was answered so."""
    return lambda _, answers: way(answers) in ways


def only(step: Step | None, *ways: str, now: bool = False) -> Step:
    """A step of another dialogue, asked on these ways only (`now`: where something ends at once)."""
    assert step
    inner = step.when

    def when(ctx: Context, answers: Answers) -> bool:
        if way(answers) not in ways or (now and answers.get("when") != NOW):
            return False
        return inner is None or inner(ctx, answers)

    return replace(step, after=step.after | {"do"}, when=when)


# -- another end ----------------------------------------------------------------------------------


def held(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What has an end, or can have one."""
    return holding.options(ctx, answers, FUNCTIONS)


def until(answers: Answers) -> date | None:
    """The new last day; None for none."""
    return date.fromisoformat(answers["when"]) if answers.get("when") else None


def moved(held: Sequence[Span], things: frozenset[Thing], ends_on: date | None) -> list[Span]:
    """The days once these things end then. Of several periods of one thing the last one moves."""
    last = {span.thing: span for span in sorted(held, key=lambda each: each.starts_on)}
    return [
        replace(span, ends_on=ends_on) if span.thing in things and last[span.thing] is span else span
        for span in held
    ]


def along(ctx: Context, answers: Answers) -> frozenset[Thing]:
    """What has to end with it: the function under a longer application, the applications on a shorter function."""
    card = known_person(ctx, answers)
    if card is None or answers.get("when", NOW) == NOW:
        return frozenset()
    offered = set(holding.ids(card, ctx, FUNCTIONS).values())
    things = chosen(ctx, answers, FUNCTIONS)
    days = spans(card)
    short = lost(ctx, card, moved(days, things, until(answers)))
    more: set[Thing] = set()
    for key in short:
        if (APPLICATION, key) not in things:
            more.add((APPLICATION, key))
            continue
        needed = ctx.catalogue.application(key).functions
        more |= {span.thing for span in days if span.kind == FUNCTION and span.key in needed}
    return frozenset(more & offered) - things


def takes_along(ctx: Context, answers: Answers) -> bool:
    return way(answers) == END and bool(along(ctx, answers))


@dataclass(frozen=True)
class AlongStep(Choice):
    """What goes along, named."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        return Screen(
            (m("change.goes_along", what=_names(asking.ctx, asking.answers)), *screen.body), screen.rows
        )

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return m("step.list", what=_names(asking.ctx, asking.answers))


def _names(ctx: Context, answers: Answers) -> tuple[Say, ...]:
    return tuple(called(ctx, thing) for thing in sorted(along(ctx, answers)))


def check_until(ctx: Context, answers: Answers, day: date) -> None:
    """Raises Invalid for a day before the start, in the past, or too far."""
    check_end(day, starts_on=earliest(ctx, answers), today=ctx.today)
    if all(span.ends_on == day for span in _chosen_spans(ctx, answers)):
        raise Invalid(m("change.same_day", day=day))


def _chosen_spans(ctx: Context, answers: Answers) -> list[Span]:
    card = known_person(ctx, answers)
    things = chosen(ctx, answers, FUNCTIONS)
    return [span for span in spans(card) if span.thing in things] if card else []


def earliest(ctx: Context, answers: Answers) -> date:
    """Today, or the start of what has not begun."""
    return max([ctx.today, *(span.starts_on for span in _chosen_spans(ctx, answers))])


# -- given again, or one function more ------------------------------------------------------------


def needs_days(ctx: Context, answers: Answers) -> bool:
    """A function has days; an application given again has some with the function that it needs."""
    return way(answers) == ASSIGN or (way(answers) == GRANT and grant.needs_function(ctx, answers))


def needs_end(ctx: Context, answers: Answers) -> bool:
    """The same, where the end is not that of something made longer."""
    return way(answers) == ASSIGN or (way(answers) == GRANT and grant.needs_end(ctx, answers))


def checked_start(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """At most 30 days back, with a warning."""
    if way(answers) == ASSIGN:
        return assigning.checked_start(ctx, answers, day)
    return check_start(day, today=ctx.today)


def checked_end(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Not before the start."""
    if way(answers) == ASSIGN:
        return assigning.checked_end(ctx, answers, day)
    check_end(day, starts_on=start_of(ctx, answers), today=ctx.today)
    return None


# -- the dialogue ---------------------------------------------------------------------------------


def request(ctx: Context, answers: Answers) -> ChangeEnd | EndAccess | AssignFunction | GrantAccess:
    """The answers as one request."""
    match way(answers):
        case changes.ASSIGN:
            return assigning.assignment(ctx, answers)
        case changes.GRANT:
            return grant.request(ctx, answers)
        case changes.REACTIVATE:
            person = answers["person"]
            return EndAccess(person["account"], person["version"], becomes=end.REACTIVATE)
    if answers["when"] == NOW:
        return end.request(ctx, answers)
    person = answers["person"]
    things = sorted(chosen(ctx, answers, FUNCTIONS) | along(ctx, answers))
    return ChangeEnd(
        account=person["account"],
        version=person["version"],
        applications=tuple(key for kind, key in things if kind == APPLICATION),
        functions=tuple(key for kind, key in things if kind == FUNCTION),
        ends_on=until(answers),
    )


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """That of the dialogue whose request it was, with the way to change more for this person."""
    match way(answers):
        case changes.ASSIGN:
            view = assigning.receipt(ctx, answers, done)
        case changes.GRANT:
            view = grant.receipt(ctx, answers, done)
        case changes.END if answers["when"] != NOW:
            view = _moved_receipt(ctx, answers, done)
        case _:
            view = end.receipt(ctx, answers, done)
    more = Button(m("change.more"), Door("change", answers["person"]["account"]), "📅")
    return replace(view, rows=(*view.rows[:1], (more,), *view.rows[1:]))


def _moved_receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What was recorded, and when it takes effect."""
    first = to_portal(done.number) if on_portal(ctx, answers) else to_status(done.number)
    return recorded(ctx, answers, (_recorded(answers, done),), (first,), number_row(done.number))


def _recorded(answers: Answers, done: Done) -> Msg:
    """The new last day: whether it comes sooner or later, nothing becomes active by it."""
    if done.due is None:
        return m("grant.noted", number=done.number)
    return moves.recorded(done.number, until(answers))


@dataclass(frozen=True)
class ChangedStep(HolderStep):
    """Whoever has or had something, or could; the application that was chosen first is what is changed."""

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        if isinstance(verdict, Accepted) and "what" in verdict.also:
            return replace(verdict, also={"do": verdict.also["what"][0]})
        return verdict


@dataclass(frozen=True)
class WhatStep(Tapped, MultiChoice):
    """What ends on another day: what was tapped, or several things."""


@dataclass(frozen=True)
class ApplicationsStep(Tapped, MultiChoice):
    """The applications that are given again."""


@dataclass(frozen=True)
class FunctionStep(Tapped, Choice):
    """The function, where it was not tapped."""


PERSON = frozenset({"entity", "quality", "person"})
WHAT = PERSON | {"do", "what"}
GIVEN = PERSON | {"do", "function", "applications", "profession"}

WHEN = WhenStep(
    "when",
    ask=m("change.ask.until"),
    label=m("field.end"),
    after=WHAT,
    when=goes(END),
    optional=m("day.no_end"),
    earliest=earliest,
    check=check_until,
)

CHANGE = Flow(
    key="change",
    icon="📅",
    title=m("change.title"),
    steps=(
        *place_steps(ACT, inactive=True),
        ChangedStep(
            "person",
            ask=m("change.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
            function_act=FUNCTIONS,
        ),
        DoStep(
            "do",
            ask=m("change.ask.do"),
            label=m("change.do"),
            options=changes.doings,
            after=PERSON,
            none=m("change.nothing"),
            day=WHEN,
        ),
        WhatStep(
            "what",
            ask=m("change.ask.what"),
            label=m("ending.what"),
            options=held,
            after=PERSON | {"do"},
            when=goes(END),
            proposes=changes.what,
            stands=True,
        ),
        WHEN,
        AlongStep(
            "with",
            ask=m("change.ask.along"),
            label=m("change.along"),
            options=lambda _, __: [Option(YES, m("change.along_yes"))],
            after=WHAT | {"when"},
            when=takes_along,
        ),
        *(only(end.END.step(key), END, now=True) for key in ("along", "ground", "account")),
        FunctionStep(
            "function",
            ask=m("assign.ask.function"),
            label=m("assign.function"),
            options=assigning.functions,
            after=PERSON | {"do"},
            when=goes(ASSIGN),
            proposes=changes.function,
            stands=True,
        ),
        ApplicationsStep(
            "applications",
            ask=m("change.ask.again"),
            label=m("field.applications"),
            options=changes.applications,
            after=PERSON | {"do"},
            when=goes(GRANT),
            proposes=changes.application,
            stands=True,
        ),
        replace(only(grant.GRANT.step("profession"), GRANT), proposes=changes.profession),
        start_step(GIVEN, when=needs_days, check=checked_start),
        end_step(GIVEN, when=needs_end, check=checked_end),
        only(grant.GRANT.step("until"), GRANT),
    ),
    submit=request,
    prefill=lambda ctx, memory, args: known(ctx, memory, args, ACT),
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)

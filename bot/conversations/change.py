"""Let an access end on another day: sooner, later, or not at all; what stands on it or under it goes along. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.access.ground import APPLICATION, FUNCTION, Span, Thing
from bot.access.periods import check_end, latest_day
from bot.access.requests import ChangeEnd, Done
from bot.conversations import holding
from bot.conversations.end import only_one_of
from bot.conversations.flow import Asking, Flow, Screen
from bot.conversations.grant import known_person, when_active
from bot.conversations.holding import HolderStep, called, chosen, known, lost, spans
from bot.conversations.model import Answers, Button, CopyText, Door, Json, View
from bot.conversations.place import entity_name, place_steps
from bot.conversations.ports import Context
from bot.conversations.steps import Choice, Day, MultiChoice, Option
from bot.errors import Invalid
from bot.msg import Say, m

ACT, FUNCTIONS = "give_access", "assign_function"
YES = "yes"


def held(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What has an end, or can have one."""
    return holding.options(ctx, answers, FUNCTIONS)


def until(answers: Answers) -> date | None:
    """The new last day; None for none."""
    return date.fromisoformat(answers["until"]) if answers.get("until") else None


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
    if card is None or "until" not in answers:
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
    return bool(along(ctx, answers))


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


def request(ctx: Context, answers: Answers) -> ChangeEnd:
    """The answers as one request."""
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
    """What was recorded, and when it takes effect."""
    entity = ctx.directory.entity(answers["entity"])
    portal = entity is not None and entity.delivery == "portal"
    first = (
        Button(m("portal.open"), Door("portal", done.number), "☑")
        if portal
        else Button(m("common.status"), Door("status", done.number))
    )
    return View(
        title=m("grant.done_title"),
        subject=entity.name if entity else None,
        body=(when_active(done.number, done.due, ctx.now),),
        rows=(
            (first,),
            (
                Button(m("common.copy_number"), CopyText(done.number), "📋"),
                Button(m("common.home"), Door("home")),
            ),
        ),
    )


PERSON = frozenset({"entity", "quality", "person"})

CHANGE = Flow(
    key="change",
    icon="📅",
    title=m("change.title"),
    steps=(
        *place_steps(ACT, inactive=True),
        HolderStep(
            "person",
            ask=m("change.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
            function_act=FUNCTIONS,
            must_hold=True,
        ),
        MultiChoice(
            "what",
            ask=m("change.ask.what"),
            label=m("ending.what"),
            options=held,
            after=PERSON,
            proposes=lambda ctx, answers: only_one_of(held(ctx, answers)) if "person" in answers else None,
            stands=True,
        ),
        Day(
            "until",
            ask=m("change.ask.until"),
            label=m("field.end"),
            after=PERSON | {"what"},
            optional=m("day.no_end"),
            earliest=earliest,
            latest=lambda ctx, _: latest_day(ctx.today),
            check=check_until,
        ),
        AlongStep(
            "along",
            ask=m("change.ask.along"),
            label=m("change.along"),
            options=lambda _, __: [Option(YES, m("change.along_yes"))],
            after=PERSON | {"what", "until"},
            when=takes_along,
        ),
    ),
    submit=request,
    prefill=lambda ctx, memory, args: known(ctx, memory, args, ACT),
    subject=entity_name,
    receipt=receipt,
    rebase=lambda answers, version: {**answers, "person": {**answers["person"], "version": version}},
    needs=ACT,
)

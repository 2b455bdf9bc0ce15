"""Giving a function, with its days. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.access.catalogue import Function
from bot.access.periods import Period, check_end, check_start
from bot.access.requests import AssignFunction, Done
from bot.conversations.days import end_step, start_of, start_step
from bot.conversations.flow import Flow
from bot.conversations.functions import functions_of, key_of, ref
from bot.conversations.model import Answers, Button, Door, Row, View
from bot.conversations.named import known_person, of_person, prefill
from bot.conversations.people import PersonStep, rebased
from bot.conversations.place import entity_name, place_steps
from bot.conversations.ports import Context, Holding, PersonCard
from bot.conversations.receipts import WAY_HOME, on_portal, recorded, to_portal, when_active
from bot.conversations.steps import Choice, Option
from bot.errors import Invalid
from bot.msg import Msg, m

ACT = "assign_function"


def functions(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What this person may exercise, each with the applications that ask for it; a physician has none of a collaborator's."""
    card = known_person(ctx, answers)
    return [Option(ref(f.key), f.short, _described(ctx, f)) for f in possible(ctx, card)] if card else []


def possible(ctx: Context, card: PersonCard) -> list[Function]:
    """The functions that suit the person, whoever may give them."""
    if card.type == "technical":
        return []
    led_by_none = card.ref.profession in {"", "collaborator"}
    return [f for f in ctx.catalogue.functions if led_by_none or not f.responsible]


def _described(ctx: Context, function: Function) -> Msg:
    names = tuple(a.name for a in ctx.catalogue.applications if function.key in a.functions)
    return (
        m("assign.for", name=function.label, what=names)
        if names
        else m("assign.for_none", name=function.label)
    )


def overlapping(card: PersonCard | None, key: str, period: Period) -> Holding | None:
    """What the person has of the same function in that time already."""
    for each in functions_of(card) if card else ():
        if each.key == key and Period(each.starts_on, each.ends_on).overlaps(period):
            return each
    return None


def _no_overlap(card: PersonCard | None, key: str, period: Period) -> None:
    if held := overlapping(card, key, period):
        raise Invalid(m("act.function_overlap", since=held.starts_on))


def checked_start(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """At most 30 days back, with a warning; not within what is there already."""
    note = check_start(day, today=ctx.today)
    _no_overlap(known_person(ctx, answers), key_of(ctx, answers["function"]), Period(day, day))
    return note


def checked_end(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Not before the start, and not into what follows."""
    start = start_of(ctx, answers)
    check_end(day, starts_on=start, today=ctx.today)
    _no_overlap(known_person(ctx, answers), key_of(ctx, answers["function"]), Period(start, day))
    return None


def assignment(ctx: Context, answers: Answers) -> AssignFunction:
    """The answers as one request."""
    person, end = answers["person"], answers["end"]
    return AssignFunction(
        person["account"],
        person["version"],
        key_of(ctx, answers["function"]),
        start_of(ctx, answers),
        date.fromisoformat(end) if end else None,
    )


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Under which number, and from when it counts."""
    return noted(ctx, answers, done, when_active(done.number, done.due, ctx.now))


def noted(ctx: Context, answers: Answers, done: Done, said: Msg) -> View:
    """What was recorded, what is still to do on the portal, and the way back to the person's functions."""
    checklist: tuple[Row, ...] = ((to_portal(done.number),),) if on_portal(ctx, answers) else ()
    back: Row = (Button(m("functions.title"), Door("functions", done.account), "🎓"),)
    return recorded(ctx, answers, (said,), *checklist, back, WAY_HOME)


PERSON = frozenset({"person"})
ASSIGN = Flow(
    key="assign",
    icon="🎓",
    title=m("assign.title"),
    steps=(
        *place_steps(ACT, none=m("assign.no_entity")),
        PersonStep(
            "person",
            ask=m("assign.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
            newcomers=False,
        ),
        Choice(
            "function",
            ask=m("assign.ask.function"),
            label=m("assign.function"),
            options=functions,
            after=PERSON,
            none=m("assign.none"),
        ),
        start_step(PERSON | {"function"}, check=checked_start),
        end_step(PERSON | {"function"}, check=checked_end),
    ),
    submit=assignment,
    prefill=lambda ctx, memory, args: of_person(ctx, args) or prefill(memory, args),
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)

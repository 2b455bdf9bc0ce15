"""A deputy for a time: a manager lets somebody stand in for him between two days, and it ends by itself, or sooner. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.access.requests import AppointDeputy, Done, EndDeputy
from bot.conversations.appoint import AppointeeStep, ListStep, lists, staying
from bot.conversations.basics import every_entity
from bot.conversations.flow import Asking, Flow
from bot.conversations.managers import DEPUTY, UNDEPUTY, deputy_line
from bot.conversations.model import Answers, Button, Door, Json, Row, View
from bot.conversations.named import of_person
from bot.conversations.place import entity_choice, entity_name, entity_step, the_only, worked_in
from bot.conversations.ports import Context, DeputyRef
from bot.conversations.steps import Choice, Day, Option
from bot.errors import Invalid
from bot.msg import Msg, Say, m

ACT = "appoint_deputy"
LONGEST = timedelta(days=366)


def taken(ctx: Context, answers: Answers, first: date, last: date) -> DeputyRef | None:
    """Who stands in for the actor in that time already."""
    there = ctx.directory.deputies(answers["entity"])
    mine = (each for each in there if each.mine == "principal")
    return next((each for each in mine if each.since <= last and first <= each.until), None)


def _free(ctx: Context, answers: Answers, first: date, last: date) -> None:
    if other := taken(ctx, answers, first, last):
        raise Invalid(m("act.deputy.already", since=other.since, until=other.until))


def checked_since(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Not while somebody stands in already."""
    _free(ctx, answers, day, day)
    return None


def checked_until(ctx: Context, answers: Answers, day: date) -> Msg | None:
    """Not into the time of another."""
    _free(ctx, answers, date.fromisoformat(answers["since"]), day)
    return None


def last_day(_: Context, answers: Answers) -> date:
    """A year, at the most."""
    return date.fromisoformat(answers["since"]) + LONGEST


def known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The entity that a button names, or the user; else the entity worked in."""
    if found := of_person(ctx, args.strip()):
        return {"entity": found["entity"], "list": found["quality"], "person": found["person"]}
    return worked_in(memory, args)


def appointed(ctx: Context, answers: Answers, done: Done) -> View:
    """From when to when, what it means, and how he comes in."""
    since, until = (date.fromisoformat(answers[key]) for key in ("since", "until"))
    body: list[Say] = [m("deputy.done", number=done.number, since=since, until=until), m("deputy.means")]
    place = ctx.directory.entity(answers["entity"])
    if place and place.delivery == "portal":
        body.append(m("deputy.portal"))
    rows: list[Row] = []
    if ctx.settings.pages:
        rows.append((Button(m("invite.title"), Door("invite", done.account), "✉"),))
    return staying(m("deputy.title"), ctx, answers, body, rows, fades=False)


DEPUTY_FLOW = Flow(
    key=DEPUTY,
    icon="🔁",
    title=m("deputy.title"),
    steps=(
        entity_step(ACT, none=m("deputy.no_entity")),
        ListStep(
            "list",
            ask=m("appoint.ask.list"),
            label=m("field.quality"),
            options=lists,
            after=frozenset({"entity"}),
            proposes=lambda ctx, answers: the_only(lists(ctx, answers)) if "entity" in answers else None,
            stands=True,
            editable=False,
        ),
        AppointeeStep(
            "person",
            ask=m("deputy.ask.person"),
            label=m("deputy.person"),
            after=frozenset({"entity", "list"}),
            quality="list",
            newcomers=False,
        ),
        Day(
            "since",
            ask=m("appoint.ask.since"),
            label=m("field.start"),
            after=frozenset({"entity"}),
            earliest=lambda ctx, _: ctx.today,
            check=checked_since,
        ),
        Day(
            "until",
            ask=m("deputy.ask.until"),
            label=m("field.end"),
            after=frozenset({"entity", "since"}),
            earliest=lambda _, answers: date.fromisoformat(answers["since"]),
            latest=last_day,
            check=checked_until,
        ),
    ),
    submit=lambda _, answers: AppointDeputy(
        answers["entity"],
        answers["person"]["account"],
        date.fromisoformat(answers["since"]),
        date.fromisoformat(answers["until"]),
    ),
    prefill=known,
    subject=entity_name,
    receipt=appointed,
    needs=ACT,
)


# -- sooner than it ends by itself ----------------------------------------------------------------


def endable(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The substitutions that the actor may end."""
    there = ctx.directory.deputies(answers["entity"]) if "entity" in answers else ()
    return [
        Option(each.id, each.deputy or m("managers.unknown"), deputy_line(each))
        for each in there
        if each.endable
    ]


def entities(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The entities where there is one."""
    every = every_entity(ctx, answers)
    return [option for option in every if any(each.endable for each in ctx.directory.deputies(option.id))]


@dataclass(frozen=True)
class StandInStep(Choice):
    """The substitution, both names in the recap."""

    def reads(self, asking: Asking, value: Json) -> Say | None:
        there = asking.ctx.directory.deputies(asking.answers["entity"])
        return next((deputy_line(each) for each in there if each.id == value), None)


def ended(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is over."""
    return staying(
        m("undeputy.title"), ctx, answers, [m("undeputy.done", number=done.number)], [], fades=False
    )


UNDEPUTY_FLOW = Flow(
    key=UNDEPUTY,
    icon="🔁",
    title=m("undeputy.title"),
    steps=(
        entity_choice(entities, none=m("undeputy.none")),
        StandInStep(
            "standin",
            ask=m("undeputy.ask"),
            label=m("undeputy.what"),
            options=endable,
            after=frozenset({"entity"}),
            proposes=lambda ctx, answers: the_only(endable(ctx, answers)),
            stands=True,
            none=m("undeputy.none"),
        ),
    ),
    submit=lambda _, answers: EndDeputy(answers["standin"]),
    prefill=lambda _, memory, args: worked_in(memory, args),
    subject=entity_name,
    receipt=ended,
    restarts=True,
)

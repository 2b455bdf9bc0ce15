"""Ending a mandate, now or at the end of a day; it can only become shorter. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.access.offices import OFFICES
from bot.access.periods import latest_day
from bot.access.requests import Done, EndMandate
from bot.conversations.appoint import elsewhere, entities, staying
from bot.conversations.flow import Asking, Flow
from bot.conversations.managers import mandate_of
from bot.conversations.mandates import UNSEAT, named, office_at
from bot.conversations.model import Answers, Json, View
from bot.conversations.place import entity_choice, entity_name, worked_in
from bot.conversations.ports import Context, ManagerRef
from bot.conversations.steps import Choice, Day, Option
from bot.msg import Say, m

KEYS = tuple(OFFICES)


def packed(mandate: ManagerRef) -> str:
    """The mandate with its office, which decides on the right to end it, in a button's few bytes."""
    return f"{KEYS.index(mandate.office) if mandate.office in OFFICES else ''}{mandate.id}"


def endable(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The mandates of the entity that the actor may end."""
    return [
        Option(packed(each), named(each), m("appoint.heir_line", name=named(each), role=office_at(ctx, each)))
        for each in ctx.directory.managers(answers["entity"])
        if each.changeable
    ]


def ending(ctx: Context, answers: Answers) -> ManagerRef | None:
    """The mandate chosen."""
    there = ctx.directory.managers(answers["entity"])
    return next((each for each in there if packed(each) == answers.get("mandate")), None)


def first_day(ctx: Context, answers: Answers) -> date:
    """It cannot end before it begins; what has not begun is ended now, or later."""
    mandate = ending(ctx, answers)
    return max(ctx.today, mandate.since or ctx.today) if mandate else ctx.today


def last_day(ctx: Context, answers: Answers) -> date:
    """It can only become shorter: a longer one is a new appointment."""
    mandate = ending(ctx, answers)
    return (mandate.until if mandate else None) or latest_day(ctx.today)


@dataclass(frozen=True)
class MandateStep(Choice):
    """The mandate to end, with its office in the recap: one person may hold several."""

    def reads(self, asking: Asking, value: Json) -> Say | None:
        mandate = ending(asking.ctx, {**asking.answers, self.key: value})
        if mandate is None:
            return None
        return m("appoint.heir_line", name=named(mandate), role=office_at(asking.ctx, mandate))


def chosen(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The mandate that a button names."""
    mandate = mandate_of(ctx, args.strip()) if args.strip() else None
    if mandate:
        return {"entity": mandate.entity, "mandate": packed(mandate)}
    return worked_in(memory)


def ended(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is over, or when it will be, and what is still to do elsewhere."""
    day = answers["day"]
    until = m("unseat.done_on", number=done.number, day=date.fromisoformat(day)) if day else None
    body: list[Say] = [until or m("unseat.done", number=done.number)]
    if todo := elsewhere(ctx, answers["entity"], KEYS[int(answers["mandate"][0])]):
        body.append(todo)
    return staying(m("unseat.title"), ctx, answers, body, [], fades=False)


UNSEATING = Flow(
    key=UNSEAT,
    icon="🔑",
    title=m("unseat.title"),
    steps=(
        entity_choice(entities, none=m("appoint.no_entity")),
        MandateStep(
            "mandate",
            ask=m("unseat.ask"),
            label=m("unseat.mandate"),
            options=endable,
            after=frozenset({"entity"}),
            none=m("unseat.none"),
        ),
        Day(
            "day",
            ask=m("unseat.ask_day"),
            label=m("field.end"),
            after=frozenset({"entity", "mandate"}),
            earliest=first_day,
            latest=last_day,
            optional=m("unseat.now"),
        ),
    ),
    submit=lambda _, answers: EndMandate(
        answers["mandate"][1:],
        KEYS[int(answers["mandate"][0])],
        answers["entity"],
        date.fromisoformat(answers["day"]) if answers["day"] else None,
    ),
    prefill=chosen,
    subject=entity_name,
    receipt=ended,
    restarts=True,
)

"""The days of an access: from when, until when, and the end that may be at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from bot.access.periods import earliest_start
from bot.conversations.flow import Accepted, Asking, Condition, Pick, Said, Screen, Verdict, press
from bot.conversations.matching import fold
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.ports import Context
from bot.conversations.steps import Bound, Check, Day
from bot.msg import Msg, Say, m

NOW = "now"


def until_day(day: date | None) -> Msg:
    """Until when: a day, or that there is no end."""
    return m("holding.until", day=day) if day else m("day.no_end")


def soonest(ctx: Context, _: Answers) -> date:
    """As far back as a start may lie."""
    return earliest_start(ctx.today)


def start_of(ctx: Context, answers: Answers) -> date:
    """The start; today as long as there is none."""
    return date.fromisoformat(answers["start"]) if answers.get("start") else ctx.today


def start_step(
    after: frozenset[str], *, check: Check, earliest: Bound = soonest, when: Condition | None = None
) -> Day:
    """Asks from when."""
    return Day(
        "start",
        ask=m("grant.ask.start"),
        label=m("field.start"),
        after=after,
        when=when,
        earliest=earliest,
        check=check,
    )


def end_step(after: frozenset[str], *, check: Check, when: Condition | None = None) -> Day:
    """Asks until when; no end stands until another day is chosen."""
    return Day(
        "end",
        ask=m("grant.ask.end"),
        label=m("field.end"),
        after=after | {"start"},
        when=when,
        optional=m("day.no_end"),
        proposes=lambda _, __: "",
        stands=True,
        earliest=start_of,
        check=check,
    )


@dataclass(frozen=True)
class WhenStep(Day):
    """Now, tonight, or another day."""

    def screen(self, asking: Asking) -> Screen:
        no_day = asking.proposal == NOW  # the calendar marks days only
        screen = super().screen(replace(asking, proposal=None) if no_day else asking)
        near = {m("day.today"), m("day.tomorrow")}
        rest = tuple(row for row in screen.rows if not any(button.label in near for button in row))
        soon: Row = (
            press(m("ending.now"), "now"),
            press(m("ending.tonight"), "day", asking.ctx.today.isoformat()),
        )
        return Screen(screen.body, (soon, *rest))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("now"):
                return Accepted(NOW)
            case Text(text):
                reader = asking.ctx.reader
                for label, value in ((m("ending.now"), NOW), (m("ending.tonight"), "")):
                    if fold(text) in {fold(reading) for reading in reader.labels(label)}:
                        return Accepted(NOW) if value else self._checked(asking, asking.ctx.today)
            case _:
                pass
        return super().accept(asking, said)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        if value == NOW:
            return m("ending.now")
        if value == asking.ctx.today.isoformat():
            return m("ending.tonight")
        return super().reads(asking, value)

    def holds(self, asking: Asking, value: Json) -> bool:
        return value == NOW or super().holds(asking, value)

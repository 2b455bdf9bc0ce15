"""The steps that dialogues are made of: one choice, several, a text, a day. Pure.

Each has one `accept` for typed text and for taps. Options are asked of the context every time, so a choice that has
vanished meanwhile is a normal answer: it is said, and the rest is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import date, timedelta
from typing import TypeVar

from bot.access.datespeech import read_day
from bot.access.periods import latest_day
from bot.conversations.calendar import month_of, month_rows, shifted
from bot.conversations.flow import (
    NEXT,
    Accepted,
    Asking,
    Pick,
    Rejected,
    Said,
    Screen,
    Shown,
    Step,
    Verdict,
    press,
)
from bot.conversations.matching import fold, match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.ports import Context
from bot.errors import Invalid
from bot.msg import Msg, Say, m

T = TypeVar("T")
PAGE_SIZE = 6
GONE = m("step.gone")
_BETWEEN = re.compile(r"[,;+&\n]|\s(?:et|en|und|and)\s|(?<=\d)\s+(?=\d)", re.IGNORECASE)
"""What stands between several labels, or their numbers."""


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose: an opaque `id` of at most 26 bytes, a label for the button, and a line of detail for the text.

    `words` are further readings that may be typed.
    """

    id: str
    label: Say
    detail: Say | None = None
    words: tuple[str, ...] = ()


OptionsOf = Callable[[Context, Answers], Sequence[Option]]


def readings(asking: Asking, options: Sequence[Option]) -> list[tuple[str, ...]]:
    """All that may be typed for each option."""
    return [(*asking.ctx.reader.labels(option.label), *option.words) for option in options]


def numbered(options: Sequence[Option], *, start: int = 1) -> tuple[Say, ...]:
    """The options with a detail, as numbered lines of the text."""
    return tuple(
        m("step.line", number=str(number), what=option.detail)
        for number, option in enumerate(options, start)
        if option.detail is not None
    )


def page_row(page: int, pages: int) -> tuple[Row, ...]:
    """The arrows under a paged list; none for a single page."""
    if pages < 2:
        return ()
    back = press("‹", "page", str(max(0, page - 1)))
    on = press("›", "page", str(min(pages - 1, page + 1)))
    here = press(m("step.page", page=page + 1, pages=pages), "page", str(page))
    return ((back, here, on),)


def page_of(wanted: Json, pages: int) -> int:
    """The page that is wanted, within bounds."""
    return min(max(0, wanted), pages - 1) if isinstance(wanted, int) else 0


def paged(items: Sequence[T], wanted: Json) -> tuple[Sequence[T], int, int]:
    """What stands on the page that is wanted, which page that is, and how many there are."""
    pages = max(1, -(-len(items) // PAGE_SIZE))
    at = page_of(wanted, pages)
    return items[at * PAGE_SIZE : (at + 1) * PAGE_SIZE], at, pages


def turned(said: Pick) -> Shown | None:
    """The page that a tap on an arrow wants."""
    return (
        Shown({"page": int(said.value)})
        if said.verb == "page" and said.value.isdecimal() and len(said.value) < 6
        else None
    )


@dataclass(frozen=True)
class Choice(Step):
    """One of several options."""

    _: KW_ONLY
    options: OptionsOf
    half: bool = False  # two buttons a row
    none: Msg | None = None  # what to say where there is nothing to choose

    def listed(self, asking: Asking) -> Sequence[Option]:
        """The options to show."""
        return self.options(asking.ctx, asking.answers)

    def screen(self, asking: Asking) -> Screen:
        options = self.listed(asking)
        shown, page, pages = paged(options, asking.ui.get("page", 0))
        buttons = [press(o.label, "a", o.id, mark="✔" if o.id == asking.proposal else "") for o in shown]
        width = 2 if self.half else 1
        rows = tuple(tuple(buttons[at : at + width]) for at in range(0, len(buttons), width))
        body = numbered(shown, start=page * PAGE_SIZE + 1) if options else (self.none or m("step.nothing"),)
        return Screen(body, (*rows, *page_row(page, pages)))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        options = self.options(asking.ctx, asking.answers)
        match said:
            case Pick("a", value):
                return Accepted(value) if any(o.id == value for o in options) else Rejected(GONE)
            case Pick():
                return turned(said) or Rejected(GONE)
            case Text(text):
                found = match(text, readings(asking, options))
                if found.sure:
                    return Accepted(options[found.places[0]].id)
                if found.places:
                    return Rejected(
                        m("step.several", what=tuple(options[place].label for place in found.places[:4]))
                    )
                if not options:
                    return Rejected(self.none or m("step.nothing"))
                return Rejected(m("step.not_an_option", said=_short(text), example=options[0].label))

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return next((o.label for o in self.options(asking.ctx, asking.answers) if o.id == value), None)

    def holds(self, asking: Asking, value: Json) -> bool:
        return any(o.id == value for o in self.options(asking.ctx, asking.answers))


@dataclass(frozen=True)
class MultiChoice(Step):
    """One or more of several options: ticks, then *Next*. The answer is the list of ids in the options' order."""

    _: KW_ONLY
    options: OptionsOf
    at_least: int = 1

    def _ticked(self, asking: Asking) -> list[str]:
        ticks = asking.ui.get("ticks")
        if ticks is None:
            ticks = asking.proposal or []
        return [o.id for o in self.options(asking.ctx, asking.answers) if o.id in ticks]

    def screen(self, asking: Asking) -> Screen:
        options = self.options(asking.ctx, asking.answers)
        ticked = self._ticked(asking)
        rows = tuple(
            (press(o.label, "off" if o.id in ticked else "on", o.id, mark="☑" if o.id in ticked else "☐"),)
            for o in options
        )
        return Screen(numbered(options) if options else (m("step.nothing"),), (*rows, (NEXT,)))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        options = self.options(asking.ctx, asking.answers)
        known = {o.id for o in options}
        ticked = self._ticked(asking)
        match said:
            case Pick("on", value) if value in known:
                return Shown({"ticks": [*(t for t in ticked if t != value), value]})
            case Pick("off", value) if value in known:
                return Shown({"ticks": [t for t in ticked if t != value]})
            case Pick("next"):
                if len(ticked) < self.at_least:
                    return Rejected(
                        m("step.choose_one", example=options[0].label) if options else m("step.nothing")
                    )
                return Accepted(ticked)
            case Pick():
                return Rejected(GONE)
            case Text(text):
                return self._typed(asking, options, text)

    @staticmethod
    def _typed(asking: Asking, options: Sequence[Option], text: str) -> Verdict:
        """Typed labels, separated by commas or "and", are the whole answer: who types "Colindos" means Colindos."""
        read = readings(asking, options)
        whole = any(fold(text) == fold(label) for labels in read for label in labels)
        if not options:
            return Rejected(m("step.nothing"))
        parts = [text] if whole else [part for part in _BETWEEN.split(text) if part.strip()]
        places: list[int] = []
        for part in parts or [text]:
            found = match(part, read)
            if not found.sure:
                return Rejected(m("step.not_an_option", said=_short(part), example=options[0].label))
            places.append(found.places[0])
        return Accepted([options[place].id for place in sorted(set(places))])

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return tuple_of([o.label for o in self.options(asking.ctx, asking.answers) if o.id in value])

    def holds(self, asking: Asking, value: Json) -> bool:
        known = {o.id for o in self.options(asking.ctx, asking.answers)}
        return isinstance(value, list) and bool(value) and known.issuperset(value)


FEMININE = frozenset({"email", "local_email", "profession"})
"""Fields whose French name is feminine."""


def nothing_in(field: str) -> Msg:
    """That a field is empty, in agreement with its name."""
    return m("field.none_feminine" if field in FEMININE else "field.none")


def one_after_another(said: Say, *more: Say) -> Say:
    """Sentences behind each other, as one text: a list would put commas between them."""
    for each in more:
        said = m("step.then", what=said, more=each)
    return said


def tuple_of(items: Sequence[Say]) -> Say:
    """Several things as one: joined by commas."""
    return m("step.list", what=tuple(items))


Parser = Callable[[Context, Answers, str], str]


@dataclass(frozen=True)
class Ask(Step):
    """A text: `parse` gives its normal form or raises Invalid with the sentence to show."""

    _: KW_ONLY
    parse: Parser
    optional: Msg | None = None  # the button that leaves it out
    help: Msg | None = None

    def screen(self, asking: Asking) -> Screen:
        rows: list[Row] = []
        if isinstance(asking.proposal, str) and asking.proposal and self.proposes is not None:
            rows.append((press(asking.proposal, "keep", mark="✔"),))
        if self.optional:
            rows.append((press(self.optional, "skip"),))
        return Screen((self.help,) if self.help else (), tuple(rows))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Text(text):
                try:
                    return Accepted(self.parse(asking.ctx, asking.answers, text))
                except Invalid as invalid:
                    return Rejected(invalid.msg)
            case Pick("skip") if self.optional:
                return Accepted("")
            case Pick():
                return Rejected(GONE)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return value or self.optional

    def holds(self, asking: Asking, value: Json) -> bool:
        if value == "":
            return self.optional is not None
        try:
            return bool(self.parse(asking.ctx, asking.answers, value) == value)
        except Invalid:
            return False


Bound = Callable[[Context, Answers], date]
Check = Callable[[Context, Answers, date], Msg | None]


def farthest(ctx: Context, _: Answers) -> date:
    """As far ahead as any day may be."""
    return latest_day(ctx.today)


@dataclass(frozen=True)
class Day(Step):
    """A day: today, tomorrow, a calendar, or typed in any usual form. The answer is an ISO date, or "" for none.

    `check` raises Invalid, or gives a note that goes with the answer (a start in the past).
    """

    _: KW_ONLY
    earliest: Bound
    latest: Bound = farthest
    check: Check | None = None
    optional: Msg | None = None

    def screen(self, asking: Asking) -> Screen:
        first, last, today = self._bounds(asking)
        quick: list[Row] = []
        near = [(m("day.today"), today), (m("day.tomorrow"), today + timedelta(days=1))]
        offered = tuple(press(label, "day", day.isoformat()) for label, day in near if first <= day <= last)
        if offered:
            quick.append(offered)
        if self.optional:
            quick.append((press(self.optional, "skip"),))
        wanted = month_of(str(asking.ui.get("month", "")))
        if wanted is None:
            start = max(first, today)
            return Screen(
                (),
                (
                    *quick,
                    (press(m("day.calendar"), "month", f"{start.year:04d}-{start.month:02d}", mark="📅"),),
                ),
            )
        year, month = (int(part) for part in _clamped(wanted, first, last).split("-"))
        chosen = date.fromisoformat(asking.proposal) if asking.proposal else None
        return Screen(
            (), (*month_rows(year, month, earliest=first, latest=last, today=today, chosen=chosen), *quick)
        )

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("month", value) if month_of(value):
                return Shown({"month": value})
            case Pick("stay_put"):
                return Shown({})
            case Pick("skip") if self.optional:
                return Accepted("")
            case Pick("day", value):
                try:
                    return self._checked(asking, date.fromisoformat(value))
                except ValueError:
                    return Rejected(GONE)
            case Pick():
                return Rejected(GONE)
            case Text(text):
                if (
                    self.optional
                    and match(text, [asking.ctx.reader.labels(self.optional)]).sure
                    and not text.strip().isdecimal()
                ):
                    return Accepted("")
                try:
                    day = read_day(text, today=asking.ctx.today, lang=asking.ctx.lang)
                except Invalid as invalid:
                    return Rejected(invalid.msg)
                return self._checked(asking, day)

    def _bounds(self, asking: Asking) -> tuple[date, date, date]:
        return (
            self.earliest(asking.ctx, asking.answers),
            self.latest(asking.ctx, asking.answers),
            asking.ctx.today,
        )

    def _checked(self, asking: Asking, day: date) -> Verdict:
        try:
            note = self.check(asking.ctx, asking.answers, day) if self.check else None
        except Invalid as invalid:
            return Rejected(invalid.msg)
        first, last, _ = self._bounds(asking)
        if day < first:
            return Rejected(m("day.too_early", earliest=first))
        if day > last:
            return Rejected(m("day.too_late", latest=last))
        return Accepted(day.isoformat(), notes=(note,) if note else ())

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return m("day.is", day=date.fromisoformat(value)) if value else self.optional

    def holds(self, asking: Asking, value: Json) -> bool:
        if not value:
            return self.optional is not None
        return isinstance(self._checked(asking, date.fromisoformat(value)), Accepted)


def _clamped(wanted: tuple[int, int], first: date, last: date) -> str:
    low, high = (first.year, first.month), (last.year, last.month)
    return shifted(*min(max(wanted, low), high), 0)


def _short(text: str) -> str:
    """What was typed, short enough to be quoted back."""
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"

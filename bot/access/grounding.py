"""Giving never outruns the ground: an application that needs a function lasts no longer than the function does.

A collaborator who holds the function until June and is given the application in March, without more being said, has it
until June. Uses the pure rule of `ground`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.access import ground
from bot.access.ending import Live
from bot.access.ground import Span
from bot.access.periods import Period
from bot.access.work import APPLICATION, FUNCTION, GRANT, Declined, Work
from bot.msg import m


@dataclass(frozen=True, slots=True)
class Give:
    """A grant or an assignment to write: a new row, or one that is extended from `old`."""

    kind: str
    key: str
    period: Period
    row: str = ""
    old: Period | None = None


def within(work: Work, declared: str | None, held: Sequence[Live], gives: Sequence[Give]) -> tuple[Give, ...]:
    """`gives`, cut to the days of the functions that they need.

    Raises Declined where something held would lose its ground, as when a physician becomes a collaborator.
    """
    spans = [each.span for each in held]
    cut = tuple(_cut(work, declared, spans, gives))
    was = ground.groundless(work.catalogue, declared, spans, work.today)
    will = ground.groundless(work.catalogue, declared, _with(held, cut), work.today)
    if ground.losing(was, will):
        raise Declined(m("act.function_needed"), "profession")
    return cut


def keeps(work: Work, before: str | None, declared: str | None, held: Sequence[Live]) -> None:
    """Raises Declined where the profession, as it is declared now, takes the ground from what is held."""
    spans = [each.span for each in held]
    was = ground.groundless(work.catalogue, before, spans, work.today)
    will = ground.groundless(work.catalogue, declared, spans, work.today)
    if before is not None and ground.losing(was, will):
        raise Declined(m("act.function_needed"), "profession")


def _cut(work: Work, declared: str | None, spans: list[Span], gives: Sequence[Give]) -> Iterator[Give]:
    functions = [span for span in spans if span.kind == FUNCTION]
    functions += [_span(give) for give in gives if give.kind != GRANT]
    for give in gives:
        span = _span(give)
        if give.kind != GRANT or not ground.groundless(
            work.catalogue, declared, [*functions, span], work.today
        ):
            yield give
            continue
        period = _covered(work, declared, functions, span)
        if give.old is not None:  # giving never shortens
            period = replace(
                period, starts_on=give.old.starts_on, ends_on=_later(period.ends_on, give.old.ends_on)
            )
        if period != give.old:
            yield replace(give, period=period)


def _covered(work: Work, declared: str | None, functions: Sequence[Span], span: Span) -> Period:
    """The days of `span` on which a function is held, from the first on; all of them where there is none."""
    needed = work.catalogue.application(span.key).functions
    ends = [
        each
        for each in functions
        if each.key in needed and (each.ends_on is None or each.ends_on >= span.starts_on)
    ]
    if not ends:
        return Period(span.starts_on, span.ends_on)
    first = max(span.starts_on, min(each.starts_on for each in ends))
    begun = replace(span, starts_on=first) if span.ends_on is None or first <= span.ends_on else span
    gap = ground.groundless(work.catalogue, declared, [*functions, begun], work.today).get(span.key)
    last = gap - timedelta(days=1) if gap and gap > begun.starts_on else begun.ends_on
    return Period(begun.starts_on, last)


def _later(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)


def _with(held: Sequence[Live], gives: Sequence[Give]) -> list[Span]:
    changed = {give.row: _span(give) for give in gives if give.row}
    return [
        *(changed.get(each.row, each.span) for each in held),
        *(_span(give) for give in gives if not give.row),
    ]


def _span(give: Give) -> Span:
    kind = APPLICATION if give.kind == GRANT else FUNCTION
    return Span(kind, give.key, give.period.starts_on, give.period.ends_on)

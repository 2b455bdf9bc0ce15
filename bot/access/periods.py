"""From when to when: periods of access, the 20 minutes, and the rules for start and end dates.

Days are Brussels days, the end inclusive; instants are aware and in UTC (architecture.md, *The register*).
`datespeech` reads a day as people write it. May import: the standard library, `bot.msg`, `bot.errors`; no clock:
`today` and `at` are parameters.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.access.datespeech import read_day
from bot.errors import Invalid
from bot.msg import Msg, m

__all__ = [
    "Period",
    "State",
    "begins_later",
    "brussels_day",
    "check_end",
    "check_start",
    "due_instant",
    "earliest_start",
    "end_instant",
    "latest_day",
    "read_day",
    "start_instant",
]

BRUSSELS = ZoneInfo("Europe/Brussels")
BACK = timedelta(days=30)
"""How far back a start may lie (domain.md 2)."""
YEARS_AHEAD = 10
"""How far ahead a start or an end may lie."""


class State(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Period:
    """From `starts_on` to `ends_on` inclusive, Brussels days; without an end where `ends_on` is None."""

    starts_on: date
    ends_on: date | None = None
    revoked_at: datetime | None = None
    """Ended at this instant, whatever `ends_on` says."""
    due_at: datetime | None = None
    """Active from this instant, where that is later than 00:00 of `starts_on`: see `due_instant`."""

    def state(self, at: datetime) -> State:
        """The state at an instant; ended wins over pending."""
        if at >= self._stop:
            return State.ENDED
        return State.ACTIVE if at >= self._start else State.PENDING

    def is_active(self, at: datetime) -> bool:
        return self.state(at) is State.ACTIVE

    def overlaps(self, other: Period) -> bool:
        """Whether the two share a moment; days already begun count whole, a revocation cuts at its instant."""
        return max(start_instant(self.starts_on), start_instant(other.starts_on)) < min(
            self._stop, other._stop
        )

    @property
    def _start(self) -> datetime:
        midnight = start_instant(self.starts_on)
        return max(midnight, self.due_at) if self.due_at else midnight

    @property
    def _stop(self) -> datetime:
        end = end_instant(self.ends_on) if self.ends_on else datetime.max.replace(tzinfo=UTC)
        return min(end, self.revoked_at) if self.revoked_at else end


def start_instant(day: date) -> datetime:
    """00:00 in Brussels of `day`, in UTC: 22:00 or 23:00 of the day before."""
    return datetime.combine(day, time(), BRUSSELS).astimezone(UTC)


def end_instant(ends_on: date) -> datetime:
    """The first instant after the inclusive end: 24:00 in Brussels."""
    return start_instant(ends_on + timedelta(days=1))


def brussels_day(instant: datetime) -> date:
    """The calendar day in Brussels of an aware instant."""
    return instant.astimezone(BRUSSELS).date()


def due_instant(starts_on: date, recorded_at: datetime, delay: timedelta) -> datetime:
    """When a change recorded at `recorded_at` takes effect.

    The delay (the 20 minutes of the guide, step 9) counts only for acts of the same day; a later start is active at
    00:00 in Brussels of its day.
    """
    if starts_on <= recorded_at.astimezone(BRUSSELS).date():
        return recorded_at + delay
    return start_instant(starts_on)


def begins_later(due: datetime, now: datetime) -> bool:
    """Whether a day is to be told, not a time: what is due in the first instant of a day to come (not at 00:10 after 23:50)."""
    day = brussels_day(due)
    return day > brussels_day(now) and due == start_instant(day)


# ── rules ──────────────────────────────────────────────────────────────────────────────────────────────────────


def earliest_start(today: date) -> date:
    """The first day that a start may have."""
    return today - BACK


def latest_day(today: date) -> date:
    """The last day that a start or an end may have."""
    year = today.year + YEARS_AHEAD
    return date(year, today.month, min(today.day, calendar.monthrange(year, today.month)[1]))


def check_start(starts_on: date, *, today: date) -> Msg | None:
    """Nothing, or the warning that a start lies in the past.

    Raises Invalid with `start.too_early` or `start.too_late`.
    """
    if starts_on < earliest_start(today):
        raise Invalid(m("start.too_early", earliest=earliest_start(today)))
    if starts_on > latest_day(today):
        raise Invalid(m("start.too_late", latest=latest_day(today)))
    return m("start.past", date=starts_on) if starts_on < today else None


def check_end(ends_on: date, *, starts_on: date, today: date) -> None:
    """Raises Invalid with `end.before_start`, `end.past` or `end.too_late`; the end may be the day of the start."""
    if ends_on < starts_on:
        raise Invalid(m("end.before_start", start=starts_on))
    if ends_on < today:
        raise Invalid(m("end.past", today=today))
    if ends_on > latest_day(today):
        raise Invalid(m("end.too_late", latest=latest_day(today)))

"""The time, in one place: nothing else reads a clock, so a test that freezes it freezes everything."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY_BEGINS, DAY_ENDS = 7, 22
"""Hours in Brussels outside of which a notice comes without a sound."""


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The calendar day in Brussels, which is the day that start and end dates mean."""
    return now().astimezone(BRUSSELS).date()


def by_night(at: datetime) -> bool:
    """Whether people sleep in Brussels at that instant."""
    return not DAY_BEGINS <= at.astimezone(BRUSSELS).hour < DAY_ENDS

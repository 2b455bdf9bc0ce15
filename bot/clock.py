"""The time, in one place: nothing else reads a clock, so a test that freezes it freezes everything."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

BRUSSELS = ZoneInfo("Europe/Brussels")


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The calendar day in Brussels, which is the day that start and end dates mean."""
    return now().astimezone(BRUSSELS).date()

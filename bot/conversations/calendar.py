"""A month as buttons: seven a row, days that cannot be chosen left blank. Pure; the day of today is a parameter."""

from __future__ import annotations

import calendar as _calendar
from datetime import date

from bot.conversations.flow import press
from bot.conversations.model import Button, Row
from bot.msg import Say, m

_WEEKS = _calendar.Calendar(firstweekday=0)


def month_of(text: str) -> tuple[int, int] | None:
    """`2026-11` as (2026, 11); None where that is no month."""
    year, _, month = text.partition("-")
    if not (
        year.isdecimal()
        and month.isdecimal()
        and len(text) == 7
        and 1 <= int(month) <= 12
        and 1900 <= int(year) <= 2200
    ):
        return None
    return int(year), int(month)


def shifted(year: int, month: int, by: int) -> str:
    """The month `by` months later, as `2026-12`."""
    index = year * 12 + month - 1 + by
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def month_rows(
    year: int, month: int, *, earliest: date, latest: date, today: date, chosen: date | None
) -> tuple[Row, ...]:
    """The rows of one month: its name between arrows, the weekdays, the days."""
    before = (
        press("‹", "month", shifted(year, month, -1))
        if (year, month) > (earliest.year, earliest.month)
        else _blank()
    )
    beyond = (
        press("›", "month", shifted(year, month, 1))
        if (year, month) < (latest.year, latest.month)
        else _blank()
    )
    name = press(m("calendar.month", month=m(f"month.{month}"), year=f"{year:04d}"), "stay_put")
    head: tuple[Row, ...] = (
        (before, name, beyond),
        tuple(press(m(f"weekday.short.{day}"), "stay_put") for day in range(1, 8)),
    )

    def cell(day: date) -> tuple[Say, str]:
        label = f"[{day.day}]" if day == chosen else f"·{day.day}·" if day == today else str(day.day)
        return label, day.isoformat()

    weeks: tuple[Row, ...] = tuple(
        tuple(
            press(*_spread(cell(day))) if day.month == month and earliest <= day <= latest else _blank()
            for day in week
        )
        for week in _WEEKS.monthdatescalendar(year, month)
    )
    return head + weeks


def _spread(labelled: tuple[Say, str]) -> tuple[Say, str, str]:
    return labelled[0], "day", labelled[1]


def _blank() -> Button:
    return press(" ", "stay_put")

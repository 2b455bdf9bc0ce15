"""How long something lasts, in words: the operator's settings as texts say them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.msg import Msg, m

YEAR = timedelta(days=365)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is over is kept, as far as people are told."""

    dialogues: timedelta = 7 * DAY
    departed: timedelta = YEAR
    audit: timedelta = 10 * YEAR


def lasting(span: timedelta) -> Msg:
    """The span in its largest unit that divides it ("15 minutes", "8 hours", "10 years"); part of a minute counts as one.

    A single day is said as 24 hours: "after 24 hours" needs no case that "after one day" would.
    """
    if span >= YEAR and not span % YEAR:
        return m("span.years", n=span // YEAR)
    if span > DAY and not span % DAY:
        return m("span.days", n=span // DAY)
    if span >= HOUR and not span % HOUR:
        return m("span.hours", n=span // HOUR)
    return m("span.minutes", n=-(-span // MINUTE))


def kept(keeping: Keeping) -> Msg:
    """What the privacy notice says of how long."""
    return m(
        "privacy.more",
        dialogues=lasting(keeping.dialogues),
        departed=lasting(keeping.departed),
        audit=lasting(keeping.audit),
    )

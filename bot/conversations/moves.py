"""A change that only moves the end of what somebody has: nothing begins by it, and its sentences say what happened. Pure."""

from __future__ import annotations

from datetime import date

from bot.access.views import ChangeCard
from bot.conversations.days import until_day
from bot.msg import Msg, Say, m

HELD = frozenset({"grant", "assignment", "link-responsible"})
"""Kinds of items about what is held from one day to another."""


def only_end(change: ChangeCard) -> bool:
    """Whether all that the change does is another end, sooner, later, or none."""
    items = [item for item in change.items if item.state != "ended"]
    return bool(items) and all(item.kind in HELD and item.moves and not item.other_start for item in items)


def until(change: ChangeCard) -> Say:
    """The new end: "jusqu'au 31-12-2026", or that there is none; each once, where it is not the same for all."""
    days = dict.fromkeys(item.ends_on for item in change.items if item.state != "ended")
    said: tuple[Say, ...] = tuple(until_day(day) for day in days)
    return said[0] if len(said) == 1 else m("step.list", what=said)


def state(change: ChangeCard) -> Msg | None:
    """How far such a change is; None for another one, and for one that is verified or withdrawn."""
    if not only_end(change):
        return None
    match change.state:
        case "to_do":
            return m("change.moved.to_do", until=until(change))
        case "pending" if change.due:
            return m("change.moved.pending", until=until(change), due=change.due)
        case "active":
            return m("change.moved.active", until=until(change))
    return None


def recorded(number: str, day: date | None) -> Msg:
    """The sentence of its receipt: the new last day, or that there is none."""
    if day is None:
        return m("change.recorded_open", number=number)
    return m("ending.recorded_until", number=number, day=day)

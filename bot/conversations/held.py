"""What somebody has already of an application: to be said, to be completed, to be made longer. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from bot.access.catalogue import Application, Profession
from bot.access.periods import brussels_day
from bot.conversations.ports import Holding, PersonCard
from bot.msg import Msg, m

_WITHOUT_FUNCTION = {Profession.SPECIALIST_PHYSICIAN, Profession.HOSPITAL_PHARMACIST}


def has_it(card: PersonCard, application: Application) -> bool:
    """Whether nothing is missing: the application, and for a collaborator the function too (the step often forgotten)."""
    if card.holds("application", application.key) is None:
        return False
    if not application.requires_function or card.ref.profession in _WITHOUT_FUNCTION:
        return True
    return any(card.holds("function", function) for function in application.functions)


def lasting(card: PersonCard, application: Application) -> Iterator[Holding]:
    """The grant of the application, and the assignments that it needs."""
    wanted = [("application", application.key), *(("function", key) for key in application.functions)]
    held = (card.holds(kind, key) for kind, key in wanted)
    return (holding for holding in held if holding is not None)


def ends_to_move(card: PersonCard, application: Application, today: date) -> tuple[date, ...]:
    """The ends of what has begun and can be made longer; none where nothing ends by itself."""
    held = (holding for holding in lasting(card, application) if holding.starts_on <= today)
    return tuple(holding.ends_on for holding in held if holding.ends_on is not None)


def holding_line(card: PersonCard, application: Application, today: date) -> Msg:
    """What the person has of it, since when, and until when where that can be moved."""
    holding = card.holds("application", application.key)
    assert holding
    active = holding.state == "active"
    since = brussels_day(holding.active_at) if holding.active_at and active else holding.starts_on
    name = application.name
    if not has_it(card, application):
        return m("grant.has_without_function" if active else "grant.has_pending", name=name, since=since)
    if ends := ends_to_move(card, application, today):
        key = "grant.has_until" if active else "grant.has_pending_until"
        return m(key, name=name, since=since, until=min(ends))
    return m("grant.has" if active else "grant.has_pending", name=name, since=since)

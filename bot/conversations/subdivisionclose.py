"""Closing a subdivision: what goes with it is said before, and where its users go is asked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.access.requests import MOST_MOVED, CloseSubdivision, Done
from bot.conversations.flow import Asking
from bot.conversations.mandates import named
from bot.conversations.model import Answers, Json, View
from bot.conversations.place import the_only
from bot.conversations.ports import Context, SubdivisionCard
from bot.conversations.searching import SearchChoice
from bot.conversations.steps import Option
from bot.conversations.subdivisionacts import (
    TOP,
    WardStep,
    card_of,
    changeable,
    option_of,
    staying,
    ward_flow,
    ward_step,
)
from bot.conversations.subdivisions import CLOSE, inside, over, seen_in
from bot.msg import Msg, Say, m


@dataclass(frozen=True)
class ClosedStep(WardStep):
    """The subdivision to close, and in the recap what goes with it."""

    def refused(self, ctx: Context, card: SubdivisionCard) -> Msg | None:
        leaders = over(ctx, card, seen_in(ctx, card.entity, card.quality))
        if any(each.oneself for each in leaders):
            return m("subdivisions.own")
        if others := [named(each) for each in leaders if not each.changeable]:
            return m("subclose.managed", who=tuple(others))
        return m("act.ward.too_many", most=MOST_MOVED) if card.everybody > MOST_MOVED else None

    def reads(self, asking: Asking, value: Json) -> Say | None:
        card = asking.ctx.directory.subdivision(value["id"])
        if card is None:
            return None
        there = seen_in(asking.ctx, card.entity, card.quality)
        lost: list[Msg] = [m("subdivisions.people", n=value["people"])]
        if parts := [each.name for each in there if each.id in value["parts"]]:
            lost.append(m("subclose.parts", n=len(parts), who=tuple(parts)))
        ended = [named(each) for each in over(asking.ctx, card, there) if each.id in value["mandates"]]
        if ended:
            lost.append(m("subclose.mandates", n=len(ended), who=tuple(ended)))
        return m("subclose.with", name=card.path, what=tuple(lost))


def heirs(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The one above first, then the others that stay open; or none at all."""
    card = card_of(ctx, answers)
    if card is None:
        return []
    there = seen_in(ctx, card.entity, card.quality)
    takes = {each.id for each in ctx.directory.subdivisions(card.entity, "change_user")}
    closing = {card.id, *(each.id for each in inside(there, card.id))}
    fits = [each for each in there if each.id in takes - closing]
    fits.sort(key=lambda each: each.id != card.parent)
    none = card.quality in ctx.directory.roots(card.entity)
    return [*map(option_of, fits), *([Option(TOP, m("users.no_subdivision"))] if none else [])]


@dataclass(frozen=True)
class HeirStep(SearchChoice):
    """Where its users go, asked with their number."""

    def question(self, asking: Asking) -> Msg:
        return m("subclose.ask_heir", n=asking.answers["ward"]["people"])


def closed(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is closed, and how many users went elsewhere."""
    people = answers["ward"]["people"]
    said = m("subclose.done_people", n=people) if people else m("subclose.done")
    return staying(ctx, answers, done, m("subclose.title"), said)


CLOSE_FLOW = ward_flow(
    CLOSE,
    m("subclose.title"),
    (
        ward_step(ClosedStep, changeable, exact=True),
        HeirStep(
            "heir",
            ask=m("users.ask.subdivision"),
            label=m("subclose.heir"),
            options=heirs,
            after=frozenset({"entity", "ward"}),
            when=lambda _, answers: bool((answers.get("ward") or {}).get("people")),
            proposes=lambda ctx, answers: the_only(heirs(ctx, answers)) if "ward" in answers else None,
            stands=True,
            none=m("submove.nowhere"),
        ),
    ),
    submit=lambda _, answers: CloseSubdivision(
        answers["ward"]["id"],
        answers["ward"]["v"],
        answers["ward"]["people"],
        tuple(answers["ward"]["parts"]),
        tuple(answers["ward"]["mandates"]),
        None if answers.get("heir", TOP) == TOP else answers["heir"],
    ),
    receipt=closed,
)

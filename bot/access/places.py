"""Where an act happens: the quality and its entity, open to the actor, and the subdivision that a new user falls into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, bindparam, select

from bot.access.rights import Act, MandateScope, Target, mandates_for, require
from bot.access.rows import ENTITIES, QUALITIES, SUBDIVISIONS, branch
from bot.access.work import NOT_ALLOWED, Declined, Work
from bot.errors import NotAllowed
from bot.msg import m


@dataclass(frozen=True, slots=True)
class Place:
    """The quality where access is given, and its entity."""

    entity: str
    enterprise: str | None
    delivery: str
    quality: str
    key: str
    active: bool


_PLACE = (
    select(
        ENTITIES.c.id.label("entity"),
        ENTITIES.c.enterprise_id.label("enterprise"),
        ENTITIES.c.delivery,
        QUALITIES.c.id.label("quality"),
        QUALITIES.c.key,
        QUALITIES.c.active,
    )
    .join(ENTITIES, ENTITIES.c.id == QUALITIES.c.entity_id)
    .where(QUALITIES.c.id == bindparam("quality"))
)


def found(connection: Connection, quality: str) -> Place | None:
    """The quality, whoever asks."""
    row = connection.execute(_PLACE, {"quality": quality}).one_or_none()
    return Place(*row) if row else None


def place_of(work: Work, mandates: Sequence[MandateScope], quality: str) -> Place:
    """The active quality; raises Refusal where it is not there, not the actor's or not active."""
    place = found(work.connection, quality)
    if place is None:
        raise NotAllowed(NOT_ALLOWED)
    here = Target(place.entity, enterprise=place.enterprise)
    require(mandates, Act.READ_ENTITY, here, actor=work.actor.identity, today=work.today)
    if not place.active:
        raise Declined(m("act.quality_inactive"), "quality")
    return place


def own_subdivision(
    connection: Connection, mandates: Sequence[MandateScope], place: Place, today: date
) -> str | None:
    """Where a new user belongs: nowhere in particular, or in the subdivision that is all the actor manages."""
    valid = mandates_for(mandates, Act.CREATE_USER, today=today)
    whole = Target(place.entity, place.quality, enterprise=place.enterprise)
    if any(mandate.covers(whole) for mandate in valid):
        return None
    managed = {mandate.subdivision for mandate in valid if mandate.quality == place.quality}
    tops = [one for one in managed if one and not managed.intersection(branch(connection, one)[:-1])]
    if len(tops) != 1:
        raise NotAllowed(NOT_ALLOWED if not tops else m("act.which_subdivision"))
    if not stays_open(connection, tops[0]):
        raise NotAllowed(NOT_ALLOWED)
    return tops[0]


def stays_open(connection: Connection, subdivision: str) -> bool:
    """Whether the subdivision is open, and until this act is over nobody closes it: whoever is put there is not forgotten."""
    query = select(SUBDIVISIONS.c.closed_at).where(SUBDIVISIONS.c.id == subdivision)
    row = connection.execute(query.with_for_update(read=True)).one_or_none()
    return row is not None and row.closed_at is None

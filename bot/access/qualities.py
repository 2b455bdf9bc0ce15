"""Activating a quality of the old portal: at once where the register is the target, else noted, and done by *Fait*.

The new portal activates its groups by itself, from authentic sources (`domain.md` 1.6): there it is refused.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select, update

from bot.access.reach import Reach
from bot.access.requests import ActivateQuality, Done
from bot.access.rights import Act, Target
from bot.access.rows import CHANGES, ENTITIES, ITEMS, QUALITIES, WAITS, AnyRow
from bot.access.waiting import of_entity
from bot.access.work import (
    ACTIVATE_QUALITY,
    NOT_ALLOWED,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import NotAllowed, Refusal
from bot.msg import m


def activate_quality(work: Work, request: ActivateQuality) -> Done:
    """Activates the quality, or notes that it is to be activated on the portal. Raises Refusal."""
    query = (
        select(
            QUALITIES.c.id,
            QUALITIES.c.key,
            QUALITIES.c.active,
            QUALITIES.c.entity_id,
            ENTITIES.c.enterprise_id,
            ENTITIES.c.delivery,
            ENTITIES.c.portal,
        )
        .join(ENTITIES, ENTITIES.c.id == QUALITIES.c.entity_id)
        .where(QUALITIES.c.id == request.quality)
        .with_for_update(of=QUALITIES)
    )
    row = work.connection.execute(query).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    target = Target(row.entity_id, row.id, enterprise=row.enterprise_id)
    work.require(Act.ACTIVATE_QUALITY, target)
    if row.portal == "new":
        raise Refusal(m("act.quality.automatic"))
    if row.active:
        raise Declined(m("act.quality.already"), "quality")
    if waiting := dict(waits(work.connection, row.entity_id)).get(row.id):
        raise Declined(m("act.quality.waiting", number=waiting), "quality")
    here = row.delivery != "portal"
    if here:
        begins(work, row.id)
    number = open_change(work, ACTIVATE_QUALITY, row.entity_id, row.id)
    items = [Item(ACTIVATE_QUALITY, None, row.id, None, row.key, settled=here)]
    add_items(work, number, items, version=0)
    audited(work, row.entity_id, number, items)
    return Done(number, work.now if here else None)


def begins(work: Work, quality: str) -> None:
    """The quality is active from now on."""
    _set(work.connection, quality, active=True, activated_at=work.now)


def takes_effect(work: Work, item: AnyRow) -> datetime:
    """It was activated on the portal: it holds at once."""
    begins(work, item.object_id)
    return work.now


def taken_back(work: Work, item: AnyRow) -> None:
    """It was found not to be there: nobody is given anything in it until it is done anew."""
    _set(work.connection, item.object_id, active=False, activated_at=None)


def _set(connection: Connection, quality: str, **values: object) -> None:
    connection.execute(update(QUALITIES).where(QUALITIES.c.id == quality).values(values))


def waits(connection: Connection, entity: str) -> tuple[tuple[str, str], ...]:
    """The entity's qualities that wait to be activated on the portal, each with the number of its change."""
    query = (
        select(ITEMS.c.object_id, ITEMS.c.change_number)
        .join(CHANGES, CHANGES.c.number == ITEMS.c.change_number)
        .where(WAITS, of_entity(connection, entity), ITEMS.c.kind == ACTIVATE_QUALITY)
        .order_by(ITEMS.c.change_number)
    )
    return tuple((row.object_id, row.change_number) for row in connection.execute(query))


class Activations:
    """What `RegisterDirectory` answers about qualities that are to become active."""

    _connection: Connection
    _reach: Reach

    def activations(self, entity: str) -> tuple[tuple[str, str], ...]:
        """The qualities of the entity that wait for the portal, with the number of the change; none out of scope."""
        return waits(self._connection, entity) if self._reach.held(entity, Act.READ_ENTITY) else ()

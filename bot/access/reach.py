"""How far a session reaches: its mandates of today as entities, as conditions on accounts, as a yes or no.

One place for the rule that every query carries its scope, down to the subdivision and what hangs on it.
"""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, and_, bindparam, false, or_, select, true

from bot.access.rights import Act, MandateScope, Target, mandates_for
from bot.access.rows import ACCOUNTS, ENTITIES, QUALITIES, SUBDIVISIONS, AnyRow, below
from bot.access.standing import Session, mandates_of


class Reach:
    """The scope of a session on one day; None is a stranger, who reaches nothing. Reads each thing once."""

    def __init__(self, connection: Connection, session: Session | None, today: date) -> None:
        self._connection, self._session, self._today = connection, session, today
        self._parents: dict[str, dict[str, str | None]] = {}

    @cached_property
    def mandates(self) -> tuple[MandateScope, ...]:
        """The mandates that count today, in this session."""
        held = mandates_of(self._connection, self._session) if self._session else ()
        return tuple(mandate for mandate in held if mandate.is_valid(self._today))

    @cached_property
    def entities(self) -> dict[str, AnyRow]:
        """The entities of the mandates, by name."""
        ids = {mandate.entity for mandate in self.mandates if mandate.entity}
        wide = {
            mandate.enterprise for mandate in self.mandates if mandate.entity is None and mandate.enterprise
        }
        if not ids and not wide:
            return {}
        mine = or_(ENTITIES.c.id.in_(ids), ENTITIES.c.enterprise_id.in_(wide))
        rows = self._connection.execute(
            select(ENTITIES).where(mine).order_by(ENTITIES.c.sort_key, ENTITIES.c.id)
        )
        return {row.id: row for row in rows}

    def held(self, entity: str, act: Act) -> tuple[MandateScope, ...]:
        """The mandates that allow `act` somewhere in the entity."""
        row = self.entities.get(entity)
        if row is None:
            return ()
        target = Target(row.id, enterprise=row.enterprise_id)
        allowing = mandates_for(self.mandates, act, today=self._today)
        return tuple(mandate for mandate in allowing if mandate.covers_entity(target))

    def whole(self, entity: str, act: Act) -> bool:
        """Whether a mandate allows `act` in the entity as a whole: what concerns no account is for those."""
        return any(mandate.quality is None for mandate in self.held(entity, act))

    def bounds(self, entity: str, act: Act) -> dict[str, Any]:
        """The scope in an entity as the parameters of `bounded`."""
        if self.whole(entity, act):
            return {"entity": entity, "whole": True, "qualities": (), "subdivisions": ()}
        qualities, subdivisions = self._places(entity, act)
        return {
            "entity": entity,
            "whole": False,
            "qualities": sorted(qualities),
            "subdivisions": sorted(subdivisions),
        }

    def within(self, entity: str, act: Act, columns: Any = ACCOUNTS.c) -> ColumnElement[bool]:
        """The condition that an account of the entity lies in scope; `columns` may be those of a copy of the accounts."""
        here: ColumnElement[bool] = columns.entity_id == entity
        if self.whole(entity, act):
            return here
        parts = self._parts(entity, act, columns)
        return and_(here, or_(*parts)) if parts else false()

    def narrow(self, entity: str, act: Act) -> ColumnElement[bool] | None:
        """The same as an index answers it, without the entity: None where the scope is the whole of it, or nothing."""
        if self.whole(entity, act):
            return None
        parts = self._parts(entity, act, ACCOUNTS.c)
        return or_(*parts) if parts else None

    def _parts(self, entity: str, act: Act, columns: Any) -> list[ColumnElement[bool]]:
        qualities, subdivisions = self._places(entity, act)
        parts: list[ColumnElement[bool]] = [columns.quality_id.in_(qualities)] if qualities else []
        return [*parts, columns.subdivision_id.in_(subdivisions)] if subdivisions else parts

    def _places(self, entity: str, act: Act) -> tuple[set[str], frozenset[str]]:
        """The qualities and subdivisions that the scope is made of, where it is not the whole entity."""
        held = self.held(entity, act)
        tops = {mandate.subdivision for mandate in held if mandate.subdivision is not None}
        whole = {mandate.quality for mandate in held if mandate.quality and mandate.subdivision is None}
        return whole, self._below(entity, tops) if tops else frozenset()

    def within_places(self, entity: str, act: Act, quality: Any, subdivision: Any) -> ColumnElement[bool]:
        """The same for a subdivision of the entity, by the columns that hold its id and its quality's."""
        if self.whole(entity, act):
            return true()
        qualities, subdivisions = self._places(entity, act)
        parts = [quality.in_(qualities)] if qualities else []
        parts += [subdivision.in_(subdivisions)] if subdivisions else []
        return or_(*parts) if parts else false()

    def sees_place(self, entity: str, quality: str | None, subdivision: str, act: Act) -> bool:
        """Whether a subdivision, open or closed, lies in scope."""
        held = self.held(entity, act)
        if any(mandate.quality in {None, quality} and mandate.subdivision is None for mandate in held):
            return True
        tops = {mandate.subdivision for mandate in held if mandate.subdivision is not None}
        return bool(tops) and subdivision in self._below(entity, tops)

    def _below(self, entity: str, tops: set[str]) -> frozenset[str]:
        if entity not in self._parents:
            query = (
                select(SUBDIVISIONS.c.id, SUBDIVISIONS.c.parent_id)
                .join(QUALITIES, QUALITIES.c.id == SUBDIVISIONS.c.quality_id)
                .where(QUALITIES.c.entity_id == entity)
            )
            self._parents[entity] = {row.id: row.parent_id for row in self._connection.execute(query)}
        return below(self._parents[entity], tops)

    def sees(self, row: AnyRow, act: Act) -> bool:
        """Whether an account, with its entity, quality and subdivision, lies in scope."""
        held = self.held(row.entity_id, act)
        if any(mandate.quality in {None, row.quality_id} and mandate.subdivision is None for mandate in held):
            return True
        tops = {mandate.subdivision for mandate in held if mandate.subdivision is not None}
        return bool(tops) and row.subdivision_id in self._below(row.entity_id, tops)


def bounded(columns: Any) -> ColumnElement[bool]:
    """The condition of `Reach.within` for a statement that is built once; its parameters are `Reach.bounds`."""
    return and_(
        columns.entity_id == bindparam("entity"),
        or_(
            bindparam("whole", type_=Boolean),
            columns.quality_id.in_(bindparam("qualities", expanding=True)),
            columns.subdivision_id.in_(bindparam("subdivisions", expanding=True)),
        ),
    )

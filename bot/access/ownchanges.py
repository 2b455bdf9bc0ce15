"""What managers did to their own user, since nobody else could: found by whoever may read the audit of the whole entity."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, select

from bot.access.changecards import CHANGE
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import CHANGES, AnyRow
from bot.access.views import COUNTED, ChangeCard, Listing

LOOKED_BACK = timedelta(days=365)
"""For so long the overview counts them; what is older is in the audit trail, marked too."""


class OwnChanges:
    """The part of a directory that lists them."""

    _connection: Connection
    _now: datetime
    _reach: Reach

    def _change_cards(self, rows: Sequence[AnyRow]) -> tuple[ChangeCard, ...]:
        raise NotImplementedError

    def own_changes(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[ChangeCard]:
        """The changes of the last year, newest first; none for whoever may not read the audit there."""
        total = self.own_total(entity)
        page = max(0, min(page, -(-min(total, COUNTED) // size) - 1))
        if not total:
            return Listing((), 0, page, size)
        newest = CHANGE.where(self._marked(entity)).order_by(
            CHANGES.c.recorded_at.desc(), CHANGES.c.number.desc()
        )
        rows = self._connection.execute(newest.limit(size).offset(page * size)).all()
        return Listing(self._change_cards(rows), total, page, size)

    def own_total(self, entity: str) -> int:
        """How many they are."""
        if not self._reach.whole(entity, Act.READ_AUDIT):
            return 0
        limited = select(CHANGES.c.number).where(self._marked(entity)).limit(COUNTED + 1).subquery()
        return self._connection.execute(select(func.count()).select_from(limited)).scalar_one()

    def _marked(self, entity: str) -> ColumnElement[bool]:
        since = self._now - LOOKED_BACK
        return and_(CHANGES.c.entity_id == entity, CHANGES.c.recorded_at > since, CHANGES.c.own)

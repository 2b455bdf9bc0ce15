"""The part of a directory that tells who exercises which function."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, and_, func, select

from bot.access.holdings import is_in
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ASSIGNMENTS
from bot.access.views import FunctionCounts


class Assigned:
    """What `RegisterDirectory` answers about functions, within the session's scope."""

    _connection: Connection
    _reach: Reach
    _now: datetime
    _today: date

    def function_counts(self, entity: str) -> FunctionCounts:
        """How many people of the entity, in scope, exercise functions: now, or as recorded for later."""
        scope = and_(self._reach.within(entity, Act.VIEW_STATUS), ACCOUNTS.c.status != "deleted")
        source = ASSIGNMENTS.join(ACCOUNTS, ACCOUNTS.c.id == ASSIGNMENTS.c.account_id)
        where = and_(scope, is_in(ASSIGNMENTS, "live", self._now, self._today))
        people = select(func.count(ASSIGNMENTS.c.account_id.distinct())).select_from(source).where(where)
        each = (
            select(ASSIGNMENTS.c.function, func.count(ASSIGNMENTS.c.account_id.distinct()))
            .select_from(source)
            .where(where)
            .group_by(ASSIGNMENTS.c.function)
            .order_by(ASSIGNMENTS.c.function)
        )
        rows = self._connection.execute(each).all()
        return FunctionCounts(
            self._connection.execute(people).scalar_one(), tuple((row[0], row[1]) for row in rows)
        )

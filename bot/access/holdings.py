"""Grants and assignments as lists and cards show them: one state for each, told by its days and by `active_at`.

The state is never stored, so that it is right at every instant whoever was down: ended, to do on the portal, pending,
active. `TABLES` are the two tables, `columns` what both have in common.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    Table,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
)

from bot.access.periods import Period, State
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, ITEMS, WAITS
from bot.access.views import Holding
from bot.access.work import APPLICATION, BLOCK_USER, FUNCTION, REACTIVATE_USER

ENDING = timedelta(days=30)
"""What ends within this time is said to be ending."""
TABLES = (GRANTS, ASSIGNMENTS)
_KINDS = {GRANTS: (APPLICATION, GRANTS.c.application), ASSIGNMENTS: (FUNCTION, ASSIGNMENTS.c.function)}


MOVED = select(ITEMS.c.object_id).where(WAITS, ITEMS.c.before.is_not(None))
"""Grants and assignments whose other end is still to do on the portal."""


WITHHELD = frozenset({"active", "pending", "ending"})
"""What is not said of the holdings of somebody who is blocked."""


def among(
    column: ColumnElement[Any], ids: Select[Any] | CompoundSelect[Any], *, sqlite: bool
) -> ColumnElement[bool]:
    """The condition that it is one of these, which are gathered once."""
    if sqlite:
        return column.in_(ids)
    # as an array, or PostgreSQL, which cannot tell how many there are, may rather go through the whole table
    return column == func.any(func.array(ids.scalar_subquery()))


def withheld(holder: Any, *, sqlite: bool) -> ColumnElement[bool]:
    """The condition that the holder (the columns `id` and `status` of an account) is blocked where his accesses live: on the
    portal a block counts from *Fait* on, and until then.
    """

    def noted(kind: str) -> ColumnElement[bool]:
        return among(holder.id, select(ITEMS.c.account_id).where(WAITS, ITEMS.c.kind == kind), sqlite=sqlite)

    return or_(and_(holder.status == "blocked", ~noted(BLOCK_USER)), noted(REACTIVATE_USER))


def columns(table: Table) -> list[ColumnElement[Any]]:
    """The columns of a holding, the same for both tables."""
    kind, key = _KINDS[table]
    names = ("starts_on", "ends_on", "revoked_at", "active_at", "change_number")
    return [
        literal(kind).label("kind"),
        key.label("key"),
        table.c.id.label("row"),
        *(table.c[name] for name in names),
    ]


def kind_of(table: Table) -> str:
    """What the table's rows give: an application or a function."""
    return _KINDS[table][0]


def key_of(table: Table) -> ColumnElement[Any]:
    """The column with the application's or the function's key."""
    return _KINDS[table][1]


def is_in(table: Table, what: str, now: datetime, today: date) -> ColumnElement[bool]:
    """The condition for a list: active, pending, to_do, ending, or live for all but what is over. Raises KeyError for another.

    Of what is `WITHHELD` from the blocked, the holder is still to be asked: `withheld`.
    """
    live = is_live(table, now, today)
    active = and_(live, table.c.active_at <= now)
    match what:
        case "live":
            return live
        case "active":
            return active
        case "pending":
            return and_(live, table.c.active_at > now)
        case "to_do":
            return and_(live, or_(table.c.active_at.is_(None), table.c.id.in_(MOVED)))
        case "ending":
            return and_(active, table.c.ends_on <= today + ENDING)
    raise KeyError(what)


def is_live(
    table: Table, now: datetime | BindParameter[Any], today: date | BindParameter[Any]
) -> ColumnElement[bool]:
    """The condition that it is not over; the moment may be a parameter of the statement."""
    return and_(
        or_(table.c.revoked_at.is_(None), table.c.revoked_at > now),
        or_(table.c.ends_on.is_(None), table.c.ends_on >= today),
    )


def holds(application: str, now: datetime, today: date) -> ColumnElement[bool]:
    """The condition that an account has this application, or will have it."""
    mine = GRANTS.c.account_id == ACCOUNTS.c.id
    return exists().where(mine, GRANTS.c.application == application, is_live(GRANTS, now, today))


def state_of(row: Row[*tuple[Any, ...]], now: datetime) -> str:
    """The state of a row with the `columns` of a holding."""
    state = Period(row.starts_on, row.ends_on, row.revoked_at, row.active_at).state(now)
    if state is State.ENDED:
        return "ended"
    return "to_do" if row.active_at is None else state.value


def holding_of(row: Row[*tuple[Any, ...]], now: datetime) -> Holding:
    """A row with the `columns` of a holding as dialogues see it."""
    return Holding(
        kind=row.kind,
        key=row.key,
        state=state_of(row, now),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        active_at=row.active_at,
        number=row.change_number or "",
    )

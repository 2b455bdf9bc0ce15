"""What was done to one account: its changes, newest first, each with the items about it and no others."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from bot.access.changecards import item_of
from bot.access.names import display_name
from bot.access.periods import brussels_day
from bot.access.rows import CHANGES, ITEMS, PROFILES, AnyRow
from bot.access.views import COUNTED, Listing, PastChange, PersonCard


class Pasts:
    """The part of a directory that tells what was done to an account."""

    _connection: Connection

    def person(self, account: str) -> PersonCard | None:
        """The account, where it is in scope."""
        raise NotImplementedError

    def history(self, account: str, *, page: int = 0, size: int = 6) -> Listing[PastChange]:
        """What was done to the account, newest first; nothing where it is out of scope."""
        if self.person(account) is None:
            return Listing((), 0, 0, size)
        return past_of(self._connection, account, page=page, size=size)


def past_of(connection: Connection, account: str, *, page: int, size: int) -> Listing[PastChange]:
    """One page of them; the caller has seen that the account is in scope."""
    about = select(ITEMS.c.change_number).where(ITEMS.c.account_id == account)
    own = select(CHANGES).where(CHANGES.c.number.in_(about))
    limited = own.with_only_columns(CHANGES.c.number).limit(COUNTED + 1).subquery()
    total = connection.execute(select(func.count()).select_from(limited)).scalar_one()
    page = max(0, min(page, -(-min(total, COUNTED) // size) - 1))
    newest = own.order_by(CHANGES.c.recorded_at.desc(), CHANGES.c.number.desc())
    rows = connection.execute(newest.limit(size).offset(page * size)).all()
    items = select(ITEMS).where(
        ITEMS.c.account_id == account, ITEMS.c.change_number.in_([row.number for row in rows])
    )
    done = connection.execute(items.order_by(ITEMS.c.change_number, ITEMS.c.position)).all() if rows else []
    lines = (
        PastChange(
            row.number,
            _author(connection, row),
            row.recorded_at,
            brussels_day(row.recorded_at),
            tuple(item_of(item) for item in done if item.change_number == row.number),
            own=row.own,
        )
        for row in rows
    )
    return Listing(tuple(lines), total, page, size)


def _author(connection: Connection, change: AnyRow) -> str:
    """The name by which the change's entity knows him; nothing where it does not."""
    known = select(PROFILES.c.last_name, PROFILES.c.first_name).where(
        PROFILES.c.identity_id == change.author_id, PROFILES.c.entity_id == change.entity_id
    )
    row = connection.execute(known.order_by(PROFILES.c.created_at.desc())).first()
    return display_name(row.last_name, row.first_name) if row else ""

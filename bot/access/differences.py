"""What happened to an account since a manager looked at it, in words: the answer to the second of two managers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from bot.access.catalogue import Catalogue
from bot.access.rows import ITEMS, AnyRow
from bot.access.work import (
    ASSIGNMENT,
    BLOCK_USER,
    CHANGE_USER,
    END_ASSIGNMENT,
    END_GRANT,
    GRANT,
    LINK,
    REACTIVATE_USER,
    UNLINK,
)
from bot.msg import Msg, Say, m

SHOWN = 8
"""A card says at most so many; more than that, and one looks at the account again anyway."""


_STATUS = {
    REACTIVATE_USER: "act.changed.reactivated",
    BLOCK_USER: "act.changed.blocked",
    LINK: "act.changed.linked",
    UNLINK: "act.changed.linked",
}


def differences(connection: Connection, catalogue: Catalogue, account: str, seen: int) -> tuple[Msg, ...]:
    """What changed since version `seen` of the account, oldest first; never empty."""
    query = (
        select(ITEMS.c.change_number, ITEMS.c.kind, ITEMS.c.key, ITEMS.c.before, ITEMS.c.after)
        .where(ITEMS.c.account_id == account)
        .order_by(ITEMS.c.change_number.desc(), ITEMS.c.position.desc())
        .limit(SHOWN * 2)
    )
    rows = [row for row in connection.execute(query) if (row.after or {}).get("account_version", 0) > seen]
    said = tuple(_said(catalogue, rows))
    return tuple(reversed(said[:SHOWN])) or (m("act.changed.other"),)


def _said(catalogue: Catalogue, rows: Sequence[AnyRow]) -> Iterator[Msg]:
    for row in rows:
        if row.kind in {GRANT, ASSIGNMENT}:
            key = "act.changed.longer" if row.before else f"act.changed.{row.kind}"
            yield m(key, what=_name(catalogue, row.kind, row.key), number=row.change_number)
        elif row.kind in {END_GRANT, END_ASSIGNMENT}:
            yield m("act.changed.ended", what=_name(catalogue, row.kind, row.key), number=row.change_number)
        elif row.kind == CHANGE_USER and row.key:
            yield m("act.changed.field", what=m(f"field.{row.key}"), number=row.change_number)
        else:
            key = _STATUS.get(row.kind, "act.changed.user")
            yield m(key, number=row.change_number)


def _name(catalogue: Catalogue, kind: str, key: str) -> Say:
    try:
        return (
            catalogue.application(key).name if kind in {GRANT, END_GRANT} else catalogue.function(key).label
        )
    except KeyError:  # taken out of the catalogue since
        return key

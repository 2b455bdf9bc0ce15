"""Accounts that the portal does not know yet: noted here, nothing of them carried out there.

There, nothing can be blocked, made active again or deleted that does not exist. While such an account is blocked here, its
creation waits, and what is noted with it: to create it there would open what is to stay shut.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from bot.access.rows import ACCOUNTS, ITEMS, WAITS
from bot.access.work import CREATE_USER


def unknown_there(connection: Connection, account: str) -> bool:
    """Whether the account's creation is still to do on the portal, and nothing of it was done there."""
    mine = ITEMS.c.account_id == account
    creation = select(ITEMS.c.id).where(WAITS, mine, ITEMS.c.kind == CREATE_USER)
    done = select(ITEMS.c.id).where(mine, ITEMS.c.delivered_at.is_not(None))
    if connection.execute(creation.limit(1)).first() is None:
        return False
    return connection.execute(done.limit(1)).first() is None


def parked(connection: Connection, accounts: Collection[str]) -> frozenset[str]:
    """Those of the accounts that are blocked here and not known there."""
    if not accounts:
        return frozenset()
    creation = select(ITEMS.c.account_id).where(WAITS, ITEMS.c.kind == CREATE_USER)
    blocked = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_(accounts), ACCOUNTS.c.status == "blocked")
    found = connection.execute(blocked.where(ACCOUNTS.c.id.in_(creation))).scalars().all()
    return frozenset(account for account in found if unknown_there(connection, account))

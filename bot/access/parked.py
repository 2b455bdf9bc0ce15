"""Accounts that the portal does not know yet: noted here, nothing of them carried out there.

There, nothing can be blocked, made active again or deleted that does not exist. While such an account is blocked here, its
creation waits, and what is noted with it: to create it there would open what is to stay shut. If somebody has created it
there meanwhile all the same and says so (*Fait*), its block is to do there from then on.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from bot.access import due
from bot.access.requests import NOT_THERE
from bot.access.rows import ACCOUNTS, CHANGES, ITEMS, WAITS
from bot.access.work import BLOCK_USER, CREATE_USER, Work
from bot.store import audit

TRIED = and_(ITEMS.c.problem.is_not(None), ITEMS.c.problem != NOT_THERE)
"""Something did not work there: whatever it was, more than nothing was found."""


def unknown_there(connection: Connection, account: str, *, lock: bool = False) -> bool:
    """Whether the account's creation is still to do on the portal, and nothing of it was ever done there.

    `lock`: whoever says just now that it is done is waited for.
    """
    creation = select(ITEMS.c.id).where(WAITS, ITEMS.c.account_id == account, ITEMS.c.kind == CREATE_USER)
    if connection.execute(creation.with_for_update() if lock else creation).first() is None:
        return False
    return not seen_there(connection, ITEMS.c.account_id == account)


def seen_there(connection: Connection, *about: ColumnElement[bool]) -> bool:
    """Whether one of these items was done on the portal, or did not work there."""
    seen = select(ITEMS.c.id).where(*about, or_(ITEMS.c.delivered_at.is_not(None), TRIED))
    return connection.execute(seen.limit(1)).first() is not None


def parked(connection: Connection, accounts: Collection[str]) -> frozenset[str]:
    """Those of the accounts that are blocked here and not known there."""
    if not accounts:
        return frozenset()
    creation = select(ITEMS.c.account_id).where(WAITS, ITEMS.c.kind == CREATE_USER)
    blocked = select(ACCOUNTS.c.id).where(ACCOUNTS.c.id.in_(accounts), ACCOUNTS.c.status == "blocked")
    found = connection.execute(blocked.where(ACCOUNTS.c.id.in_(creation))).scalars().all()
    return frozenset(
        account for account in found if not seen_there(connection, ITEMS.c.account_id == account)
    )


def block_after_all(work: Work, account: str) -> None:
    """The parked account turns out to be on the portal: its block is to do there now."""
    last = (
        select(ITEMS)
        .where(ITEMS.c.account_id == account, ITEMS.c.kind == BLOCK_USER, ITEMS.c.undone_at.is_(None))
        .order_by(ITEMS.c.change_number.desc())
        .limit(1)
    )
    item = work.connection.execute(last).one_or_none()
    if item is None:
        return  # a register file said that he is blocked: there is no change that could wait
    values = {"delivery": "recorded", "due_at": None, "active_at": None, "version": item.version + 1}
    work.connection.execute(update(ITEMS).where(ITEMS.c.id == item.id).values(values))
    due.reminder(work.connection, due.TO_DO, item.change_number, work.now)
    where = select(CHANGES.c.entity_id).where(CHANGES.c.number == item.change_number)
    entry = audit.Entry("to_do", work.actor.identity, item.subject_id, item.change_number, {"item": item.id})
    audit.append(work.connection, work.keyring, work.connection.execute(where).scalar_one(), entry, work.now)


def remind_again(work: Work, account: str) -> None:
    """The account is active again: what waits about it is to do now, and nobody was reminded of it meanwhile."""
    waiting = select(ITEMS.c.change_number).distinct().where(WAITS, ITEMS.c.account_id == account)
    for number in sorted(work.connection.execute(waiting).scalars()):
        due.reminder(work.connection, due.TO_DO, number, work.now, anew=work.today)

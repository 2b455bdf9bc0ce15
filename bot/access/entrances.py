"""How people come in, as data to be let go: passwords, apps, sessions, links and visits, with the person or after their time.

What is over by itself within minutes (links, visits, single uses, counts) is tidied every hour (`visits.prune`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, or_, select

from bot.access.rows import (
    ACCOUNTS,
    ATTEMPTS,
    AUTHENTICATORS,
    PASSWORDS,
    RECOVERY_CODES,
    SESSIONS,
    STEP_UPS,
    TICKETS,
    VISITS,
)

# -- with the person ------------------------------------------------------------------------------


def forget_person(connection: Connection, identity: str, telegrams: Collection[int]) -> None:
    """All of a person; `telegrams` are the Telegram accounts that stand for nobody else by now."""
    known = {identity, *map(str, telegrams)}
    his = select(VISITS.c.id).where(VISITS.c.telegram_id.in_(telegrams))
    connection.execute(delete(ATTEMPTS).where(or_(ATTEMPTS.c.who.in_(known), ATTEMPTS.c.who.in_(his))))
    connection.execute(delete(VISITS).where(VISITS.c.telegram_id.in_(telegrams)))
    _links(connection, or_(TICKETS.c.identity_id == identity, TICKETS.c.telegram_id.in_(telegrams)))
    _sessions(connection, SESSIONS.c.identity_id == identity)
    _apps(connection, AUTHENTICATORS.c.identity_id == identity)


def forget_accounts(connection: Connection, accounts: Collection[str]) -> None:
    """The passwords of these accounts, and the links that were made for them."""
    connection.execute(delete(PASSWORDS).where(PASSWORDS.c.account_id.in_(accounts)))
    _links(connection, TICKETS.c.account_id.in_(accounts))


def forget_scope(connection: Connection, identity: str, entity: str) -> None:
    """What was proved for one entity alone."""
    _sessions(connection, and_(SESSIONS.c.identity_id == identity, SESSIONS.c.scope_entity_id == entity))
    _apps(
        connection, and_(AUTHENTICATORS.c.identity_id == identity, AUTHENTICATORS.c.scope_entity_id == entity)
    )


# -- after its time -------------------------------------------------------------------------------


def let_go(connection: Connection, before: datetime) -> tuple[int, int]:
    """Sessions that ended before that instant, and proofs that no longer count: apps that were ended or never set up
    before it, passwords of deleted accounts. How many sessions and proofs.
    """
    gone = select(ACCOUNTS.c.id).where(ACCOUNTS.c.status == "deleted")
    passwords = connection.execute(delete(PASSWORDS).where(PASSWORDS.c.account_id.in_(gone))).rowcount
    never = and_(AUTHENTICATORS.c.confirmed_at.is_(None), AUTHENTICATORS.c.made_at < before)
    apps = _apps(connection, or_(AUTHENTICATORS.c.ended_at < before, never))
    # a session without locking lasts for months: its step-ups go by themselves
    connection.execute(delete(STEP_UPS).where(STEP_UPS.c.made_at < before))
    return _sessions(connection, SESSIONS.c.ended_at < before), apps + passwords


def let_go_of_bindings(connection: Connection, bindings: Collection[str]) -> None:
    """The sessions of bindings that go."""
    _sessions(connection, SESSIONS.c.binding_id.in_(bindings))


# -- each with what hangs on it -------------------------------------------------------------------


def _sessions(connection: Connection, which: Any) -> int:
    connection.execute(delete(STEP_UPS).where(STEP_UPS.c.session_id.in_(select(SESSIONS.c.id).where(which))))
    return connection.execute(delete(SESSIONS).where(which)).rowcount


def _apps(connection: Connection, which: Any) -> int:
    codes = RECOVERY_CODES.c.authenticator_id.in_(select(AUTHENTICATORS.c.id).where(which))
    connection.execute(delete(RECOVERY_CODES).where(codes))
    return connection.execute(delete(AUTHENTICATORS).where(which)).rowcount


def _links(connection: Connection, which: Any) -> None:
    connection.execute(delete(VISITS).where(VISITS.c.ticket_id.in_(select(TICKETS.c.id).where(which))))
    connection.execute(delete(TICKETS).where(which))

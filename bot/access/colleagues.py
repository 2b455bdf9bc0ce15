"""Ending a colleague's sessions: a phone is lost, or somebody leaves. Who proved himself well is back in a minute.

Only sessions that reach into the account's entity end: what somebody does elsewhere is not this manager's affair, and he
does not learn of it. The answer is the same whether there was a session or not.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from bot.access import sessions
from bot.access.requests import Done, EndSessions
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, PROFILES
from bot.access.standing import target_of
from bot.access.work import NOT_ALLOWED, Work
from bot.errors import NotAllowed
from bot.store import audit


def end_sessions(work: Work, request: EndSessions) -> Done:
    """Ends them, with an audit entry of the entity; raises NotAllowed outside the mandate, and for oneself."""
    query = (
        select(ACCOUNTS.c.entity_id, ACCOUNTS.c.quality_id, ACCOUNTS.c.subdivision_id, PROFILES.c.identity_id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(ACCOUNTS.c.id == request.account, ACCOUNTS.c.status != "deleted")
    )
    row = work.connection.execute(query).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    place = target_of(work.connection, row.entity_id, row.quality_id, row.subdivision_id)
    target = replace(place, person=row.identity_id)
    work.require(Act.END_SESSIONS, target)
    ended = sessions.end_all(
        work.connection, row.identity_id, work.now, "by a manager", reaching=row.entity_id
    )
    entry = audit.Entry(
        "end-sessions",
        actor=work.actor.identity,
        subject=row.identity_id,
        body={"account": request.account, "ended": ended},
    )
    audit.append(work.connection, work.keyring, row.entity_id, entry, work.now)
    return Done(account=request.account)

"""From a proof given on a private page to a binding: the number that must be tapped in the chat that asked.

Whoever gave the proof sees a number on his page; the chat shows several. A proof that somebody was talked into giving
stands on his own screen, and the chat that it would open does not know the number (`security.md`, "Against a stolen link").
One try, five minutes; then all begins anew. Imports the register's rows and the store.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from bot.access import invitations, sessions, visits
from bot.access.proofs import Proved
from bot.access.requests import Done, Refused
from bot.access.rows import BINDINGS, IDENTITIES, TICKETS, AnyRow
from bot.access.sessions import SessionRules
from bot.errors import Refusal
from bot.msg import m
from bot.store.audit import HOUSE, Entry, append
from bot.store.ids import new_id
from bot.store.keys import Keyring

PURPOSE = "link"
STEP = "number"
"""The step of the dialogue that stays open after a refusal, to say it: there is nothing left to choose."""
OFFERED = 6
"""Numbers that the chat shows; one of them is right."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A proof that waits for its number. `identity` proved himself by `how`, for the entity `scope` (None: all).

    `number` is empty before he confirmed whom he links; `outcome` is "", "bound" or "refused".
    """

    id: str
    telegram_id: int
    identity: str
    how: str
    scope: str | None
    visit: str
    number: str = ""
    outcome: str = ""


def propose(connection: Connection, proved: Proved, *, telegram_id: int, visit: str, now: datetime) -> str:
    """Notes the proof for this Telegram account, in place of an earlier one; the pending link's id.

    Raises Refusal `act.join.bound` where the account stands for somebody else.
    """
    query = select(BINDINGS.c.identity_id).where(
        BINDINGS.c.telegram_id == telegram_id, BINDINGS.c.ended_at.is_(None)
    )
    if connection.execute(query).scalar() not in {None, proved.identity}:
        raise Refusal(m("act.join.bound"))
    connection.execute(update(TICKETS).where(*_open(telegram_id, now)).values(expires_at=now))
    token = visits.make_link(
        connection,
        PURPOSE,
        now=now,
        identity=proved.identity,
        telegram_id=telegram_id,
        data={"how": proved.how, "scope": proved.scope, "visit": visit},
    )
    made = visits.link(connection, token, now)
    assert made is not None
    return made.id


def confirm(connection: Connection, number: str, now: datetime) -> bool:
    """The person has read both ends and goes on: the numbers are drawn, once. False where the time is over."""
    row = connection.execute(select(TICKETS).where(TICKETS.c.id == number).with_for_update()).one_or_none()
    if row is None or row.purpose != PURPOSE or row.used_at is not None or row.expires_at <= now:
        return False
    if "choices" not in row.data:
        drawn = secrets.SystemRandom().sample(range(10, 100), OFFERED)
        choices = [[new_id()[:12], str(each)] for each in sorted(drawn)]
        data = {**row.data, "choices": choices, "right": secrets.choice(choices)[0]}
        connection.execute(update(TICKETS).where(TICKETS.c.id == number).values(data=data))
    return True


def pending(connection: Connection, number: str, now: datetime) -> Pending | None:
    """The link as its page shows it, after the tap too; None where there is none, or its time is over."""
    row = connection.execute(select(TICKETS).where(TICKETS.c.id == number)).one_or_none()
    if row is None or row.purpose != PURPOSE or (row.used_at is None and row.expires_at <= now):
        return None
    right = row.data.get("right")
    return Pending(
        row.id,
        row.telegram_id,
        row.identity_id,
        row.data["how"],
        row.data["scope"],
        row.data["visit"],
        next((shown for opaque, shown in row.data.get("choices", ()) if opaque == right), ""),
        row.data.get("outcome", ""),
    )


def offered(connection: Connection, telegram_id: int, now: datetime) -> tuple[tuple[str, str], ...]:
    """The numbers to choose from in this account's chat, each with an opaque id; none while nothing waits for a tap."""
    row = _waiting(connection, telegram_id, now)
    return tuple((opaque, shown) for opaque, shown in row.data.get("choices", ())) if row else ()


def tap(
    connection: Connection,
    keyring: Keyring,
    choice: str,
    *,
    telegram_id: int,
    chat_id: int,
    now: datetime,
    rules: SessionRules,
) -> Done | Refused:
    """The number tapped in the chat: the right one binds the account and opens a session, both as wide as the proof.

    A wrong one uses the link up too, and is noted in the audit trail.
    """
    row = _waiting(connection, telegram_id, now)
    if row is None or not visits.use_link(connection, row.id, now):
        return Refused(m("link.over"), STEP)
    how, scope, identity = row.data["how"], row.data["scope"], row.identity_id
    erased = connection.execute(select(IDENTITIES.c.erased_at).where(IDENTITIES.c.id == identity)).scalar()
    why = None
    if erased is not None or not choice or choice != row.data.get("right"):
        why = m("link.wrong")
    else:
        try:
            binding = invitations.bind(connection, identity, scope, telegram_id, chat_id, now, how=how)
        except Refusal as refusal:
            why = refusal.msg
    outcome = {**row.data, "outcome": "refused" if why else "bound"}
    connection.execute(update(TICKETS).where(TICKETS.c.id == row.id).values(data=outcome))
    if why is not None:
        entry = Entry("link-refused", subject=identity, body={"how": how})
        append(connection, keyring, scope or HOUSE, entry, now)
        return Refused(why, STEP)
    sessions.open_session(connection, binding, how=how, scope=scope, now=now, rules=rules)
    entry = Entry("bind", actor=identity, subject=identity, body={"binding": binding, "how": how})
    append(connection, keyring, scope or HOUSE, entry, now)
    return Done()


def _open(telegram_id: int, now: datetime) -> tuple[Any, ...]:
    return (
        TICKETS.c.purpose == PURPOSE,
        TICKETS.c.telegram_id == telegram_id,
        TICKETS.c.used_at.is_(None),
        TICKETS.c.expires_at > now,
    )


def _waiting(connection: Connection, telegram_id: int, now: datetime) -> AnyRow | None:
    return connection.execute(select(TICKETS).where(*_open(telegram_id, now))).one_or_none()

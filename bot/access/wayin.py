"""A user's own way in: the invitation that his manager sends, the link to choose a password, the password that was forgotten.

All of it is good for the one entity that it comes from (`security.md`, "A binding has a scope"). Whoever manages something in
that entity is invited, or helped with a password, only by somebody who could have appointed him: else a manager with a small
mandate could take over one with a larger. For the same reason a forgotten password of somebody who manages is not mailed.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, or_, select, update

from bot.access import invitations, letters, proofs, visits
from bot.access.credentials import PasswordPolicy
from bot.access.letters import PASSWORD, address_of
from bot.access.mandates import MANDATE, office_of, reaching
from bot.access.offices import OFFICES
from bot.access.requests import Done, InviteUser
from bot.access.rights import Act, Target, allowed, require
from bot.access.rows import BINDINGS, MANDATES, SESSIONS, SUBSTITUTIONS, AnyRow, branch
from bot.access.work import NOT_ALLOWED, Declined, Work
from bot.errors import NotAllowed, Refusal
from bot.msg import Msg, m
from bot.store import chats
from bot.store.audit import Entry, append
from bot.store.keys import Keyring

FORGOTTEN = timedelta(hours=1)
"""How long the link is good that somebody asked for without being known yet."""
OFTEN, LATELY = 5, timedelta(hours=1)
"""Mails to one person in one entity, at most."""


def invite_user(work: Work, request: InviteUser) -> Done:
    """Lets a user of the actor's scope in: by mail, or by a code for the manager to hand over. Raises Refusal."""
    row = letters.addressee(work.connection, request.account)
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    _require(work, row)
    if row.status == "blocked":
        raise Refusal(m("act.blocked"))
    if not request.mail:
        return Done(account=row.id, code=_code(work, row))
    if not work.mails:
        raise Declined(m("act.way.no_mail"), "how")
    if not address_of(row):
        raise Declined(m("act.way.no_address"), "how")
    if _too_often(work.connection, row, "invited", work.now):
        raise Declined(m("act.way.too_often"), "how")
    _mail(work, row)
    return Done(account=row.id, mailed=True)


def welcome(work: Work, account: str) -> bool:
    """Mails a new user his link, where that can be; whether it was done. Never refuses: the access is given all the same."""
    row = letters.addressee(work.connection, account)
    if row is None or not work.mails or not address_of(row) or row.delivery == "portal":
        return False
    try:
        _require(work, row)
    except Refusal:
        return False
    if _too_often(work.connection, row, "invited", work.now):
        return False
    _mail(work, row)
    return True


def _mail(work: Work, row: AnyRow) -> None:
    bound = _is_bound(work.connection, row)
    letters.write(
        work.connection,
        work.keyring,
        "welcome",
        row.id,
        work.now,
        valid=visits.MAILED,
        code="" if bound else _code(work, row),
        chat=work.chat_id,
    )


def _code(work: Work, row: AnyRow) -> str:
    return invitations.invite(
        work.connection,
        work.keyring,
        row.key,
        work.now,
        lang=row.language,
        made_by=work.actor.identity,
        scope=row.entity_id,
    )


def _is_bound(connection: Connection, row: AnyRow) -> bool:
    query = select(BINDINGS.c.id).where(
        BINDINGS.c.identity_id == row.identity_id,
        BINDINGS.c.ended_at.is_(None),
        or_(BINDINGS.c.scope_entity_id.is_(None), BINDINGS.c.scope_entity_id == row.entity_id),
    )
    return connection.execute(query).first() is not None


# -- who may let whom in --------------------------------------------------------------------------


def _require(work: Work, row: AnyRow) -> None:
    """Raises NotAllowed unless the actor may let this person in."""
    mandates, actor = work.mandates(), work.actor.identity
    path = branch(work.connection, row.subdivision_id)
    user = Target(row.entity_id, row.quality_id, path, row.enterprise_id, row.identity_id)
    require(mandates, Act.INVITE_USER, user, actor=actor, today=work.today)
    require_above(work, row, m("act.way.manager"))


def require_above(work: Work, row: AnyRow, refusal: Msg) -> None:
    """Raises NotAllowed with `refusal` unless the actor could have appointed whatever manager this person is here."""
    mandates, actor = work.mandates(), work.actor.identity
    for held in managing(work.connection, row, work.today):
        # a legal representative is let in by the operator
        office = OFFICES.get(office_of(held))
        place = Target(
            row.entity_id,
            held.quality_id,
            branch(work.connection, held.subdivision_id),
            row.enterprise_id,
            row.identity_id,
        )
        if office is None or not allowed(mandates, office.act, place, actor=actor, today=work.today):
            raise NotAllowed(refusal)


def managing(connection: Connection, row: AnyRow, today: date) -> list[AnyRow]:
    """The mandates of the account's person in its entity that are not over, those to come too, and those of the people for
    whom he stands in there: whoever took him over would have those.
    """
    principals = select(SUBSTITUTIONS.c.principal_id).where(
        SUBSTITUTIONS.c.deputy_id == row.identity_id,
        SUBSTITUTIONS.c.entity_id == row.entity_id,
        SUBSTITUTIONS.c.until >= today,
        SUBSTITUTIONS.c.revoked_at.is_(None),
    )
    query = MANDATE.where(
        or_(MANDATES.c.identity_id == row.identity_id, MANDATES.c.identity_id.in_(principals))
    )
    return list(connection.execute(query.where(reaching(row.entity_id, row.enterprise_id, today))).all())


# -- the link, and what it opens ------------------------------------------------------------------


def forgotten(connection: Connection, keyring: Keyring, username: str, now: datetime, today: date) -> bool:
    """Mails a link to whoever has this user name, where that may be; nobody is told whether it was done."""
    row = letters.addressee_called(connection, username)
    if row is None or row.status != "active" or not address_of(row):
        return False
    if managing(connection, row, today) or _too_often(connection, row, "forgotten", now):
        return False
    letters.write(connection, keyring, "forgotten", row.id, now, valid=FORGOTTEN)
    entry = Entry("ask-password", subject=row.identity_id, body={"account": row.id})
    append(connection, keyring, row.entity_id, entry, now)
    return True


def choose(
    connection: Connection,
    keyring: Keyring,
    ticket: str,
    text: str,
    policy: PasswordPolicy,
    now: datetime,
) -> None:
    """Takes the password that the link is for, and uses the link up. Raises Refusal, and then the link stays good.

    What the old password opened is closed: whoever knew it is out.
    """
    with connection.begin_nested():
        found = visits.ticket(connection, ticket, now)
        row = (
            letters.addressee(connection, found.account or "")
            if found and found.purpose == PASSWORD
            else None
        )
        if row is None or not visits.use_link(connection, ticket, now):
            raise Refusal(m("web.gone"))
        proofs.set_password(connection, keyring, row.id, text, policy, now)
        _close_sessions(connection, row, now)


def _close_sessions(connection: Connection, row: AnyRow, now: datetime) -> None:
    which = (
        SESSIONS.c.identity_id == row.identity_id,
        SESSIONS.c.scope_entity_id == row.entity_id,
        SESSIONS.c.how == "password",
        SESSIONS.c.ended_at.is_(None),
    )
    query = select(BINDINGS.c.chat_id).join(SESSIONS, SESSIONS.c.binding_id == BINDINGS.c.id).where(*which)
    shown = set(connection.execute(query).scalars())
    connection.execute(update(SESSIONS).where(*which).values(ended_at=now, ended_why="password"))
    for chat in shown:
        chats.redraw(connection, chat, now)


def _too_often(connection: Connection, row: AnyRow, why: str, now: datetime) -> bool:
    """Counted for the person, as all that is counted is, but in each entity apart: one does not hear what the other does.

    What a stranger asks for is counted apart from what managers send: he keeps nobody from inviting.
    """
    what = f"letter:{why}:{row.entity_id}"
    return visits.count(connection, what, row.identity_id, now, LATELY) > OFTEN


def hidden(text: str) -> str:
    """What somebody typed, for counting it: a user name should not stand there, nor whatever else it was."""
    return hashlib.sha256(text.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()[:32]

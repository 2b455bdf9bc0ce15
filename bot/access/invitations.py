"""Invitations and bindings: how a Telegram account comes to stand for a person of the register, and how that ends.

A code has 128 random bits, is good once and for a day, and is kept as a hash. Redeeming it binds the account to the
person it was made for, with the scope of whoever made it; the person's other bindings stay (a second phone). A
Telegram account stands for one person only: bound to somebody else, it is refused until that binding ends.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from bot.access import proofs, sessions, visits
from bot.access.identities import by_key
from bot.access.rows import BINDINGS, IDENTITIES, INVITATIONS, AnyRow
from bot.access.views import Invitation
from bot.errors import Invalid, Refusal
from bot.msg import m
from bot.store.audit import HOUSE, Entry, append
from bot.store.ids import new_id
from bot.store.keys import Keyring

VALID = timedelta(hours=24)
WRONG, LATELY = 5, timedelta(minutes=15)
"""So many wrong codes of one person; then none is looked at for a while, the right one neither."""
LENGTH = 22
"""Characters of a code: 16 bytes in base64url, as Telegram's start links take them."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """A binding just made: whose, and good for which entity (None: all)."""

    identity: str
    scope: str | None
    binding: str


@dataclass(frozen=True, slots=True)
class Unbound:
    """How much of each kind ended with a lost phone: Telegram accounts, log-ins, open invitations, apps with one-time codes."""

    bindings: int
    sessions: int
    codes: int
    apps: int


def invite(
    connection: Connection,
    keyring: Keyring,
    person: str,
    now: datetime,
    *,
    lang: str | None = None,
    made_by: str | None = None,
    scope: str | None = None,
) -> str:
    """A new code for the person with this register key; open codes of the same scope end.

    Raises OperatorError where there is no such person.
    """
    identity = by_key(connection, person)
    connection.execute(
        update(INVITATIONS)
        .where(
            INVITATIONS.c.identity_id == identity,
            INVITATIONS.c.used_at.is_(None),
            INVITATIONS.c.expires_at > now,
        )
        .where(
            INVITATIONS.c.scope_entity_id.is_(None)
            if scope is None
            else INVITATIONS.c.scope_entity_id == scope
        )
        .values(expires_at=now)
    )
    code = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode("ascii")
    invitation = new_id()
    connection.execute(
        insert(INVITATIONS).values(
            id=invitation,
            code_hash=_hash(code),
            identity_id=identity,
            lang=lang,
            made_by=made_by,
            scope_entity_id=scope,
            made_at=now,
            expires_at=now + VALID,
        )
    )
    entry = Entry("invite", actor=made_by, subject=identity, body={"invitation": invitation})
    append(connection, keyring, scope or HOUSE, entry, now)
    return code


def link(bot: str, code: str) -> str:
    """The link that opens the chat with the bot of this user name (without @) and hands it the code."""
    return f"https://t.me/{bot}?start={code}"


def redeemable(connection: Connection, code: str, now: datetime) -> Invitation | None:
    """The invitation of a code that can be redeemed now; says nothing about why not."""
    row = _open(connection, code, now)
    return Invitation(row.lang) if row else None


def tried(connection: Connection, code: str, telegram_id: int | None, now: datetime) -> Invitation | None:
    """The same for whoever sent the code: wrong ones are counted for him. Raises Invalid `login.wait` after too many."""
    if telegram_id is None:
        return redeemable(connection, code, now)
    who = str(telegram_id)
    if visits.counted(connection, "invitation", who, now, LATELY) >= WRONG:
        raise Invalid(m("login.wait", until=now + LATELY))
    invitation = redeemable(connection, code, now)
    if invitation is None:
        visits.count(connection, "invitation", who, now, LATELY)
    return invitation


def redeem(
    connection: Connection, keyring: Keyring, code: str, *, telegram_id: int, chat_id: int, now: datetime
) -> Redeemed:
    """Binds the Telegram account to the person that the code is for.

    Raises Refusal with `start.bad_code` (unknown, used or too old: one answer for all), `act.join.bound` (the account
    stands for somebody else) or `act.join.scope` (it stands for the same person in another entity).
    """
    with connection.begin_nested():  # refused whole: a code that did not help stays good
        return _redeemed(connection, keyring, code, telegram_id, chat_id, now)


def _redeemed(
    connection: Connection, keyring: Keyring, code: str, telegram_id: int, chat_id: int, now: datetime
) -> Redeemed:
    invitation = _open(connection, code, now)
    if invitation is None:
        raise Refusal(m("start.bad_code"))
    identity, scope = invitation.identity_id, invitation.scope_entity_id
    # the condition decides between two who redeem at once
    used = connection.execute(
        update(INVITATIONS)
        .where(INVITATIONS.c.id == invitation.id, INVITATIONS.c.used_at.is_(None))
        .values(used_at=now, used_by=telegram_id)
    )
    if used.rowcount != 1:
        raise Refusal(m("start.bad_code"))
    binding = bind(connection, identity, scope, telegram_id, chat_id, now)
    body = {"invitation": invitation.id, "binding": binding, "how": "invitation"}
    append(
        connection, keyring, scope or HOUSE, Entry("bind", actor=identity, subject=identity, body=body), now
    )
    return Redeemed(identity, scope, binding)


def bind(
    connection: Connection,
    identity: str,
    scope: str | None,
    telegram_id: int,
    chat_id: int,
    now: datetime,
    *,
    how: str = "invitation",
) -> str:
    """The binding of this account to this person, at least as wide as `scope`; its id.

    Raises Refusal `act.join.bound` (it stands for somebody else) or `act.join.scope` (for the same person elsewhere).
    """
    query = select(BINDINGS).where(BINDINGS.c.telegram_id == telegram_id, BINDINGS.c.ended_at.is_(None))
    present = connection.execute(query.with_for_update()).one_or_none()
    if present is not None:
        if present.identity_id != identity:
            raise Refusal(m("act.join.bound"))
        if present.scope_entity_id is None or present.scope_entity_id == scope:
            connection.execute(update(BINDINGS).where(BINDINGS.c.id == present.id).values(chat_id=chat_id))
            return str(present.id)
        if scope is not None:
            raise Refusal(m("act.join.scope"))
        connection.execute(update(BINDINGS).where(BINDINGS.c.id == present.id).values(ended_at=now))
        sessions.lock(connection, present.id, now)
    binding = new_id()
    connection.execute(
        insert(BINDINGS).values(
            id=binding,
            identity_id=identity,
            telegram_id=telegram_id,
            chat_id=chat_id,
            scope_entity_id=scope,
            how=how,
            bound_at=now,
            ended_at=None,
        )
    )
    return binding


def unbind(connection: Connection, keyring: Keyring, person: str, now: datetime) -> Unbound:
    """Ends the open bindings, sessions, invitations and apps of the person with this register key (a lost phone, which may
    hold the app with the codes too). A password stays: it is not on the phone.

    Raises OperatorError where there is no such person.
    """
    identity = by_key(connection, person)
    ended = connection.execute(
        update(BINDINGS)
        .where(BINDINGS.c.identity_id == identity, BINDINGS.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    codes = connection.execute(
        update(INVITATIONS)
        .where(
            INVITATIONS.c.identity_id == identity,
            INVITATIONS.c.used_at.is_(None),
            INVITATIONS.c.expires_at > now,
        )
        .values(expires_at=now)
    )
    unbound = Unbound(
        bindings=ended.rowcount,
        sessions=sessions.end_all(connection, identity, now, "unbound"),
        codes=codes.rowcount,
        apps=proofs.forget_authenticators(connection, identity, now),
    )
    append(
        connection, keyring, HOUSE, Entry("unbind", subject=identity, body={"bindings": ended.rowcount}), now
    )
    return unbound


def _open(connection: Connection, code: str, now: datetime) -> AnyRow | None:
    query = (
        select(INVITATIONS.c.id, INVITATIONS.c.identity_id, INVITATIONS.c.scope_entity_id, INVITATIONS.c.lang)
        .join(IDENTITIES, IDENTITIES.c.id == INVITATIONS.c.identity_id)
        .where(INVITATIONS.c.code_hash == _hash(code), INVITATIONS.c.used_at.is_(None))
        .where(INVITATIONS.c.expires_at > now, IDENTITIES.c.erased_at.is_(None))
    )
    return connection.execute(query).one_or_none()


def _hash(code: str) -> str:
    # the code has 128 random bits: no salt and no slow hash is needed against guessing
    return hashlib.sha256(code.strip().encode()).hexdigest()

"""Who looks at the private pages: one-time links, and visits of some minutes that a cookie's key stands for.

A link is looked at without being used up (programs that check mails open links too); using it takes the form's own act.
Keys and links have 256 random bits and are kept as hashes.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from bot.access.rows import ATTEMPTS, SEEN, TICKETS, VISITS
from bot.store import crypto
from bot.store.ids import new_id
from bot.store.keys import Keyring
from bot.store.login import visit_place
from bot.store.upsert import insert_new

LINK = timedelta(minutes=5)
"""How long a link that the chat shows is good."""
MAILED = timedelta(hours=24)
"""How long a link in a mail is good."""
VISIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that can still be used. `data` holds ids only."""

    id: str
    purpose: str
    identity: str | None
    account: str | None
    telegram_id: int | None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody on the pages: the Telegram account that opened the Mini App, or the link that was followed.

    `data` is what the page keeps between two requests.
    """

    id: str
    telegram_id: int | None
    ticket: str | None
    lang: str | None
    data: dict[str, Any] = field(default_factory=dict)


def _hash(secret: str) -> str:
    # 256 random bits: no salt and no slow hash is needed against guessing
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


# -- links ----------------------------------------------------------------------------------------


def make_link(
    connection: Connection,
    purpose: str,
    *,
    now: datetime,
    valid: timedelta = LINK,
    identity: str | None = None,
    account: str | None = None,
    telegram_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> str:
    """A new one-time link's token; open links of the same purpose for the same person or account end."""
    same = [TICKETS.c.purpose == purpose, TICKETS.c.used_at.is_(None), TICKETS.c.expires_at > now]
    for column, value in (
        (TICKETS.c.identity_id, identity),
        (TICKETS.c.account_id, account),
        (TICKETS.c.telegram_id, telegram_id),
    ):
        same.append(column.is_(None) if value is None else column == value)
    connection.execute(update(TICKETS).where(*same).values(expires_at=now))
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(TICKETS).values(
            id=new_id(),
            token_hash=_hash(token),
            purpose=purpose,
            identity_id=identity,
            account_id=account,
            telegram_id=telegram_id,
            data=data or {},
            made_at=now,
            expires_at=now + valid,
        )
    )
    return token


def link(connection: Connection, token: str, now: datetime) -> Ticket | None:
    """What the link is for, if it can still be used; looking does not use it up."""
    return _ticket(connection, TICKETS.c.token_hash == _hash(token), now)


def ticket(connection: Connection, number: str, now: datetime) -> Ticket | None:
    """The same, by the ticket's id."""
    return _ticket(connection, TICKETS.c.id == number, now)


def _ticket(connection: Connection, which: Any, now: datetime) -> Ticket | None:
    query = select(TICKETS).where(which, TICKETS.c.used_at.is_(None), TICKETS.c.expires_at > now)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Ticket(row.id, row.purpose, row.identity_id, row.account_id, row.telegram_id, row.data)


def use_link(connection: Connection, number: str, now: datetime) -> bool:
    """Uses the link up; False where somebody else was faster or its time is over."""
    used = (
        update(TICKETS)
        .where(TICKETS.c.id == number, TICKETS.c.used_at.is_(None), TICKETS.c.expires_at > now)
        .values(used_at=now)
    )
    return connection.execute(used).rowcount == 1


# -- visits ---------------------------------------------------------------------------------------


def enter(
    connection: Connection,
    *,
    now: datetime,
    telegram_id: int | None = None,
    ticket: str | None = None,
    lang: str | None = None,
) -> str:
    """A new visit; the key for its cookie."""
    key = secrets.token_urlsafe(32)
    connection.execute(
        insert(VISITS).values(
            id=new_id(),
            key_hash=_hash(key),
            telegram_id=telegram_id,
            ticket_id=ticket,
            lang=lang,
            opened_at=now,
            expires_at=now + VISIT,
        )
    )
    return key


def visit(connection: Connection, keyring: Keyring, key: str, now: datetime) -> Visit | None:
    """The visit that this key stands for, while it lasts."""
    return _visit(connection, keyring, VISITS.c.key_hash == _hash(key), now)


def visit_of(connection: Connection, keyring: Keyring, number: str, now: datetime) -> Visit | None:
    """The same, by the visit's id."""
    return _visit(connection, keyring, VISITS.c.id == number, now)


def _visit(connection: Connection, keyring: Keyring, which: Any, now: datetime) -> Visit | None:
    query = select(VISITS).where(which, VISITS.c.ended_at.is_(None), VISITS.c.expires_at > now)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    data: dict[str, Any] = {}
    if row.data is not None:
        try:
            data = crypto.unseal_json(keyring, "state", row.data, visit_place(row.id))
        except (crypto.Unreadable, json.JSONDecodeError):
            data = {}
    return Visit(row.id, row.telegram_id, row.ticket_id, row.lang, data)


def keep(
    connection: Connection, keyring: Keyring, number: str, *, lang: str | None, data: dict[str, Any]
) -> None:
    """What the page keeps until the next request."""
    sealed = crypto.seal_json(keyring, "state", data, visit_place(number))
    connection.execute(update(VISITS).where(VISITS.c.id == number).values(lang=lang, data=sealed))


def leave(connection: Connection, number: str, now: datetime) -> None:
    """The visit is over."""
    connection.execute(update(VISITS).where(VISITS.c.id == number).values(ended_at=now, data=None))


# -- once, and not too often ----------------------------------------------------------------------


def first_time(connection: Connection, what: str, secret: str, until: datetime) -> bool:
    """Whether this (a Mini App's start, an answer of an identity provider) is used for the first time; noted until it is over."""
    return insert_new(connection, SEEN, {"digest": _hash(f"{what}:{secret}"), "until": until})


def count(connection: Connection, what: str, who: str, now: datetime, within: timedelta) -> int:
    """Notes one more of `what` for `who`; how many there were lately, this one included."""
    connection.execute(insert(ATTEMPTS).values(id=new_id(), what=what, who=who, at=now))
    return counted(connection, what, who, now, within)


def counted(connection: Connection, what: str, who: str, now: datetime, within: timedelta) -> int:
    """How many of `what` there were lately for `who`."""
    query = select(ATTEMPTS.c.id).where(
        ATTEMPTS.c.what == what, ATTEMPTS.c.who == who, ATTEMPTS.c.at > now - within
    )
    return len(connection.execute(query).all())


def prune(connection: Connection, now: datetime, kept: timedelta) -> None:
    """Forgets what is over: links, visits, single uses, counts. What a visit kept goes as soon as its time is over."""
    over = (VISITS.c.expires_at <= now, VISITS.c.data.is_not(None))
    connection.execute(update(VISITS).where(*over).values(data=None))
    connection.execute(delete(SEEN).where(SEEN.c.until < now))
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.at < now - kept))
    connection.execute(delete(VISITS).where(VISITS.c.expires_at < now - kept))
    used = select(VISITS.c.ticket_id).where(VISITS.c.ticket_id.is_not(None))
    connection.execute(delete(TICKETS).where(TICKETS.c.expires_at < now - kept, TICKETS.c.id.not_in(used)))

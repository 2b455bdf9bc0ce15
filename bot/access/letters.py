"""Mails to people of the register: written in the act's transaction as ids and a sealed link, put into words when they go out.

So a mail that waited is never of yesterday: an account that is gone, a link that was used, or replaced by a newer one, sends
nothing; the address is the one that the account's entity knows at that moment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, select

from bot.access import visits
from bot.access.names import display_name
from bot.access.rows import ACCOUNTS, ENTITIES, IDENTITIES, PROFILES, AnyRow
from bot.msg import Texts
from bot.store import outbox
from bot.store.keys import Keyring

Purpose = Literal["welcome", "forgotten", "unlinked"]
UNLINKED: Purpose = "unlinked"
"""A letter that only tells: a Telegram account was unlinked. It holds no link."""
PASSWORD = "password"  # noqa: S105 - the purpose of a link
"""What the one-time link of a mail is for: to choose the password of one account."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail, before it is put into words. `code` opens the chat, empty where none goes with it; `chat` hears of a failure."""

    purpose: Purpose
    to: str
    name: str
    lang: str
    entity: Texts
    username: str
    token: str
    code: str
    at: datetime
    until: datetime

    def __repr__(self) -> str:
        return f"Letter({self.purpose})"


def write(
    connection: Connection,
    keyring: Keyring,
    purpose: Purpose,
    account: str,
    now: datetime,
    *,
    valid: timedelta,
    code: str = "",
    chat: int | None = None,
) -> None:
    """Lays a mail with a new link in the outbox; the account's link before it ends."""
    token = visits.make_link(connection, PASSWORD, now=now, valid=valid, account=account)
    payload = {
        "purpose": purpose,
        "account": account,
        "token": token,
        "code": code,
        "at": now.isoformat(),
        "until": (now + valid).isoformat(),
        "chat": chat,
    }
    key = f"letter:{hashlib.sha256(token.encode()).hexdigest()[:32]}"
    outbox.put(connection, keyring, key, chat_id=None, kind=outbox.LETTER, payload=payload, now=now)


def unlinked(connection: Connection, keyring: Keyring, account: str, binding: str, now: datetime) -> None:
    """Lays in the outbox that a Telegram account of this account's person was unlinked; tried for a day."""
    payload = {
        "purpose": UNLINKED,
        "account": account,
        "token": "",
        "code": "",
        "at": now.isoformat(),
        "until": (now + visits.MAILED).isoformat(),
        "chat": None,
    }
    key = f"unlinked:{binding}:{account}"
    outbox.put(connection, keyring, key, chat_id=None, kind=outbox.LETTER, payload=payload, now=now)


def read(connection: Connection, payload: dict[str, Any], now: datetime) -> Letter | None:
    """What the mail says now; None where it has nothing to say any more."""
    row = addressee(connection, payload["account"])
    address = address_of(row) if row is not None else ""
    if row is None or not address or not _stands(connection, payload, now):
        return None
    return Letter(
        purpose=payload["purpose"],
        to=address,
        name=display_name(row.last_name, row.first_name),
        lang=row.language,
        entity=Texts(**row.denomination),
        username=row.username or "",
        token=payload["token"],
        code=payload["code"],
        at=datetime.fromisoformat(payload["at"]),
        until=datetime.fromisoformat(payload["until"]),
    )


def _stands(connection: Connection, payload: dict[str, Any], now: datetime) -> bool:
    """Whether there is still something to say: the link can be used, or what is told without one is not too old."""
    if payload["purpose"] == UNLINKED:
        return not ran_out(payload, now)
    return visits.link(connection, payload["token"], now) is not None


def ran_out(payload: dict[str, Any], now: datetime) -> bool:
    """Whether the mail's link is too old by now."""
    return datetime.fromisoformat(payload["until"]) <= now


_ADDRESSEE = (
    select(
        ACCOUNTS.c.id, ACCOUNTS.c.username, ACCOUNTS.c.status, ACCOUNTS.c.entity_id, ACCOUNTS.c.quality_id,
        ACCOUNTS.c.subdivision_id, PROFILES.c.identity_id, PROFILES.c.last_name, PROFILES.c.first_name,
        PROFILES.c.language, PROFILES.c.email, PROFILES.c.local_email, ENTITIES.c.denomination,
        ENTITIES.c.enterprise_id, ENTITIES.c.delivery, IDENTITIES.c.key,
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id)
    .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
    .where(ACCOUNTS.c.status != "deleted", IDENTITIES.c.erased_at.is_(None))
)  # fmt: skip


def addressee(connection: Connection, account: str) -> AnyRow | None:
    """An account with its person and entity; None for one that is gone."""
    return connection.execute(_ADDRESSEE.where(ACCOUNTS.c.id == account)).one_or_none()


def addressee_called(connection: Connection, username: str) -> AnyRow | None:
    """The same by the user name, as it may be typed."""
    folded = username.strip().casefold()
    return connection.execute(_ADDRESSEE.where(ACCOUNTS.c.username_fold == folded)).one_or_none()


def address_of(row: AnyRow) -> str:
    """The address that the account's entity knows, or nothing."""
    return row.email or row.local_email or ""

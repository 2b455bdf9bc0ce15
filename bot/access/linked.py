"""One's own Telegram accounts: which stand for the person, since when and how wide, and unlinking one (a lost phone).

Only accounts within the open session are shown, and unlinked only by a proof at least as wide as the link: whoever stands for somebody
in one entity neither learns nor ends what he has in another. May import: the other modules of `access`, `store`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from bot.access import letters, sessions
from bot.access.proofs import Proved
from bot.access.rows import ACCOUNTS, BINDINGS, ENTITIES, PROFILES, SESSIONS
from bot.access.standing import Session, chats_of
from bot.errors import Refusal
from bot.msg import Texts, m
from bot.store import chats
from bot.store.audit import HOUSE, Entry, append
from bot.store.keys import Keyring


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """A Telegram account of the person. `how` is the proof that linked it, `entity` where the link is good, None for everywhere;
    `used_at` when a session in it was last used, `here` tells that it is the one he looks from.
    """

    id: str
    how: str
    bound_at: datetime
    used_at: datetime | None
    entity: Texts | None
    here: bool


@dataclass(frozen=True, slots=True)
class Unlinked:
    """What came of it: the chat that is a stranger's now, and the person's other chats."""

    chat: int
    others: tuple[int, ...]


def listed(connection: Connection, session: Session) -> tuple[LinkedAccount, ...]:
    """The linked accounts that this session may see, newest first."""
    last = (
        select(func.max(SESSIONS.c.used_at)).where(SESSIONS.c.binding_id == BINDINGS.c.id).scalar_subquery()
    )
    query = (
        select(BINDINGS, ENTITIES.c.denomination, last.label("used_at"))
        .join(ENTITIES, ENTITIES.c.id == BINDINGS.c.scope_entity_id, isouter=True)
        .where(BINDINGS.c.identity_id == session.identity, BINDINGS.c.ended_at.is_(None))
        .order_by(BINDINGS.c.bound_at.desc(), BINDINGS.c.id)
    )
    return tuple(
        LinkedAccount(
            row.id,
            row.how,
            row.bound_at,
            row.used_at,
            Texts(**row.denomination) if row.denomination else None,
            row.id == session.binding,
        )
        for row in connection.execute(query)
        if row.id == session.binding or _within(session, row.scope_entity_id)
    )


def unlink(
    connection: Connection,
    keyring: Keyring,
    session: Session,
    binding: str,
    proved: Proved,
    now: datetime,
    *,
    mails: bool,
) -> Unlinked:
    """The account stands for nobody from now on: its sessions end, its dialogues go, its card is drawn anew, whoever it was hears of it.

    `proved` is a fresh proof of the person of the session. Raises Refusal `web.gone` (no such link of his) or
    `web.me.unlink_narrow` (the proof is good for less than the link).
    """
    query = select(BINDINGS.c.chat_id, BINDINGS.c.scope_entity_id).where(
        BINDINGS.c.id == binding,
        BINDINGS.c.identity_id == session.identity,
        BINDINGS.c.ended_at.is_(None),
    )
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None or not (binding == session.binding or _within(session, row.scope_entity_id)):
        raise Refusal(m("web.gone"))
    if not _wide_enough(proved, session, binding, row.scope_entity_id):
        raise Refusal(m("web.me.unlink_narrow"))
    connection.execute(update(BINDINGS).where(BINDINGS.c.id == binding).values(ended_at=now))
    sessions.end_of_binding(connection, binding, now, "unlinked")
    chats.close(connection, row.chat_id, now)
    body = {"binding": binding, "how": proved.how}
    entry = Entry("unlink", actor=session.identity, subject=session.identity, body=body)
    append(connection, keyring, row.scope_entity_id or HOUSE, entry, now)
    if mails:
        for account in _addressed(connection, session.identity, row.scope_entity_id):
            letters.unlinked(connection, keyring, account, binding, now)
    return Unlinked(row.chat_id, chats_of(connection, session.identity))


def _within(session: Session, scope: str | None) -> bool:
    """Whether a link as wide as `scope` lies within what the session was proved for."""
    return session.scope is None or (scope is not None and session.covers(scope))


def _wide_enough(proved: Proved, session: Session, binding: str, scope: str | None) -> bool:
    """As wide as the link; for the account one looks from, as wide as its session is enough."""
    if proved.scope is None or proved.scope == scope:
        return True
    return binding == session.binding and session.scope == frozenset({proved.scope})


def _addressed(connection: Connection, identity: str, scope: str | None) -> tuple[str, ...]:
    """One account for each address that the entities where the link was good know of the person."""
    query = (
        select(ACCOUNTS.c.id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(PROFILES.c.identity_id == identity, ACCOUNTS.c.status != "deleted")
        .order_by(PROFILES.c.created_at, ACCOUNTS.c.id)
    )
    if scope is not None:
        query = query.where(ACCOUNTS.c.entity_id == scope)
    found = [letters.addressee(connection, account) for account in connection.execute(query).scalars()]
    first = {letters.address_of(row).casefold(): row.id for row in reversed(found) if row is not None}
    return tuple(account for address, account in first.items() if address)

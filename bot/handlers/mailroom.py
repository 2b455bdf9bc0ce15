"""The inbox and the outbox over the store: each method one transaction, at this instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from bot import clock
from bot.handlers.ports import Arrived, Mail, Waiting
from bot.store import inbox, leases, outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import Binding, core

_BINDINGS = core(Binding)
_KNOWN = select(_BINDINGS.c.chat_id).where(_BINDINGS.c.ended_at.is_(None)).distinct()
_ONE_CHAT = 20
"""So many rows of one chat are lent at a time: few enough to be sent before the loan ends."""


class StoreInbox:
    """`ports.Inbox` over the store."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def known_chats(self) -> Sequence[int]:
        """The chats of the register's people: they have more room than strangers."""
        with self._database.read() as connection:
            return connection.execute(_KNOWN).scalars().all()

    def keep(self, updates: Sequence[Arrived]) -> None:
        rows = [(update.update_id, update.lane, update.body) for update in updates]
        with self._database.write() as connection:
            inbox.keep(connection, self._keyring, rows, clock.now())

    def open_lanes(self) -> Sequence[int]:
        with self._database.read() as connection:
            return inbox.open_lanes(connection)

    def next_in(self, lane: int) -> Waiting | None:
        with self._database.read() as connection:
            found = inbox.next_in(connection, self._keyring, lane)
        return Waiting(found.update_id, lane, found.body, found.attempts) if found else None

    def count_attempt(self, update_id: int) -> int:
        with self._database.write() as connection:
            return inbox.count_attempt(connection, update_id)

    def set_aside(self, update_id: int, error: str, reference: str) -> None:
        with self._database.write() as connection:
            inbox.set_aside(connection, update_id, error=error, reference=reference, now=clock.now())


class StoreOutbox:
    """`ports.Outbox` over the store. A fresh row is left for `own` to whoever wrote it."""

    def __init__(self, database: Database, keyring: Keyring, own: timedelta = outbox.OWN) -> None:
        self._database = database
        self._keyring = keyring
        self._own = own

    def take(self, limit: int) -> Sequence[Mail]:
        return self._take(limit, None, self._own)

    def take_for(self, chat_id: int) -> Sequence[Mail]:
        return self._take(_ONE_CHAT, chat_id, timedelta())

    def sent(self, mail_id: int, message_id: int | None) -> None:
        with self._database.write() as connection:
            outbox.sent(connection, mail_id, message_id, clock.now())

    def keep(self, mail_id: int) -> None:
        with self._database.write() as connection:
            outbox.keep(connection, mail_id, clock.now())

    def later(self, mail_id: int, seconds: float) -> None:
        with self._database.write() as connection:
            outbox.later(connection, mail_id, clock.now() + timedelta(seconds=seconds))

    def ended(self, mail_id: int, reason: str) -> None:
        with self._database.write() as connection:
            outbox.ended(connection, mail_id, reason, clock.now())

    def _take(self, limit: int, chat_id: int | None, own: timedelta) -> Sequence[Mail]:
        now = clock.now()
        with leases.noted(self._database.lost, now), self._database.write() as connection:
            rows = outbox.take(connection, self._keyring, now, limit=limit, chat_id=chat_id, own=own)
        return [Mail(row.id, row.chat_id, row.kind, row.payload, row.silent, row.attempts) for row in rows]


def callback_keys(keyring: Keyring) -> list[bytes]:
    """The keys for button codes, the current one first, so that buttons outlive a rotation."""
    versions = keyring.versions_of("callback")
    newest_first = sorted(versions, key=lambda version: (version != keyring.current, -version))
    return [keyring.key("callback", version) for version in newest_first]

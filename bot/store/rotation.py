"""Turning the root key while the bot works: what older versions wrote is written anew under the newest, in batches.

A batch is one short transaction over rows of one table, each locked before it is read, so that a turn and the rotation
never overwrite each other; rows that somebody has are skipped and taken in the next pass. Nothing is remembered about
how far it went: a row tells by its first bytes under which version it is sealed, so it may be killed between any two
batches and begun again, by anybody.

A national number's hash cannot be turned in place without a moment in which somebody could give the number again. So
its hash under the new version is added, whoever writes a number writes both, both are unique, and the old ones go last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, delete, func, select, true, update

from bot.store import chats, crypto, inbox, login, outbox
from bot.store.audit import HOUSE, Entry, append
from bot.store.database import Database
from bot.store.keys import Keyring, Purpose
from bot.store.mail import Chat, Incoming, Outgoing
from bot.store.tables import DataKey, KeptKey, KeyCheck, NationalNumber, NumberBlind, core
from bot.store.types import Blob
from bot.store.upsert import insert_all_new

BATCH = 200
PASSES = 20
"""How often rows that others had are looked for again before the rest is left to the next run."""
PAUSE = 0.02
"""Seconds by which each further pass waits longer for who has those rows."""
_blinds = core(NumberBlind)
_numbers = core(NationalNumber)
_checks = core(KeyCheck)


@dataclass(frozen=True, slots=True)
class _Sealed:
    """A column whose values are sealed under the root key; `place` gives the place from the row's key."""

    what: str
    key: Column[Any]
    column: Column[Any]
    purpose: Purpose
    place: Callable[[Any], str]
    named: Column[Any]
    """What `place` takes."""
    open: ColumnElement[bool]


_data_keys, _kept = core(DataKey), core(KeptKey)
_chats, _updates, _outbox, _visits = core(Chat), core(Incoming), core(Outgoing), core(login.Visit)
SEALED = (
    _Sealed("kept key", _kept.c.name, _kept.c.wrapped, "field", crypto.kept_place, _kept.c.name, true()),
    _Sealed(
        "data key",
        _data_keys.c.identity_id,
        _data_keys.c.wrapped,
        "field",
        crypto.data_key_place,
        _data_keys.c.identity_id,
        true(),
    ),
    _Sealed(
        "dialogue",
        _chats.c.chat_id,
        _chats.c.state,
        "state",
        chats.place,
        _chats.c.chat_id,
        _chats.c.state.is_not(None),
    ),
    _Sealed(
        "update",
        _updates.c.update_id,
        _updates.c.body,
        "state",
        inbox.place,
        _updates.c.update_id,
        _updates.c.body.is_not(None),
    ),
    _Sealed(
        "message",
        _outbox.c.id,
        _outbox.c.payload,
        "state",
        outbox.place,
        _outbox.c.key,
        _outbox.c.ended_at.is_(None),
    ),
    _Sealed(
        "visit",
        _visits.c.id,
        _visits.c.data,
        "state",
        login.visit_place,
        _visits.c.id,
        _visits.c.data.is_not(None),
    ),
)
NUMBER = "national number"


@dataclass(frozen=True, slots=True)
class Status:
    """A version of the root key: whether it is at hand, what is still written under it, whether it may be dropped."""

    version: int
    at_hand: bool
    writes: bool
    needed: dict[str, int]
    droppable: bool

    def line(self) -> str:
        """One line for the operator."""
        if self.writes:
            what = "writes"
        elif not self.at_hand:
            what = "was dropped" if not self.needed else "is missing"
        elif self.droppable:
            what = "is no longer needed: its line may be dropped from the key file"
        else:
            what = "is still needed: run 'python -m bot keys rotate'"
        held = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in self.needed.items())
        return f"Version {self.version} {what}." + (f" Under it: {held}." if held else "")


def status(connection: Connection, keyring: Keyring) -> list[Status]:
    """What stands under each version, oldest first."""
    retired = {row.version: row.retired_at for row in connection.execute(select(_checks))}
    counts: dict[int, dict[str, int]] = {version: {} for version in {*retired, *keyring.versions}}
    for sealed in SEALED:
        head = func.substr(sealed.column, 2, 2, type_=Blob)
        query = select(head, func.count()).where(sealed.open).group_by(head)
        for version, count in connection.execute(query):
            counts.setdefault(int.from_bytes(version, "big"), {})[sealed.what] = count
    newest = select(_blinds.c.number_id, func.max(_blinds.c.key_version).label("v")).group_by(
        _blinds.c.number_id
    )
    of = newest.subquery()
    for version, count in connection.execute(select(of.c.v, func.count()).group_by(of.c.v)):
        counts.setdefault(version, {})[NUMBER] = count
    return [
        Status(
            version,
            version in keyring.versions,
            version == keyring.current,
            needed,
            droppable=version < keyring.current and not needed and retired.get(version) is not None,
        )
        for version, needed in sorted(counts.items())
    ]


def rotate(
    database: Database,
    keyring: Keyring,
    now: Callable[[], datetime],
    *,
    batch: int = BATCH,
    between: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Writes everything anew that older versions of the keyring wrote; how many of each kind.

    Safe while the bot runs, if every process of it has the new version. Safe to be killed and run again; with nothing
    to do it changes nothing. `between` is called after each batch.
    """
    done: dict[str, int] = {}
    older = [version for version in keyring.versions if version < keyring.current]
    if older:
        with database.write() as connection:
            crypto.keep_keys(connection, keyring)
        between()
    for kind, work in _works(keyring, batch):
        for waits in range(PASSES):
            count = -1
            while count:
                with database.write() as connection:
                    count = work(connection)
                done[kind] = done.get(kind, 0) + max(count, 0)
                between()
            with database.read() as connection:
                if not _left(connection, keyring, kind):
                    break
            time.sleep(waits * PAUSE)
    _finish(database, keyring, older, {kind: count for kind, count in done.items() if count}, now())
    return {kind: count for kind, count in done.items() if count}


def _works(keyring: Keyring, batch: int) -> Iterator[tuple[str, Callable[[Connection], int]]]:
    for sealed in SEALED:
        yield sealed.what, _resealing(sealed, keyring, batch)
    yield NUMBER, _rehashing(keyring, batch)


def _left(connection: Connection, keyring: Keyring, kind: str) -> int:
    older = (each for each in status(connection, keyring) if each.version < keyring.current)
    return sum(each.needed.get(kind, 0) for each in older)


def _resealing(sealed: _Sealed, keyring: Keyring, batch: int) -> Callable[[Connection], int]:
    """Seals the next rows anew. It goes through the table by its key, so that it ends however busy the table is."""
    head = func.substr(sealed.column, 2, 2, type_=Blob)
    current = keyring.current.to_bytes(2, "big")
    last: list[Any] = []

    def work(connection: Connection) -> int:
        rows = (
            select(sealed.key.label("row"), sealed.named.label("named"), sealed.column.label("value"))
            .where(sealed.open, head < current, sealed.key > last[0] if last else true())
            .order_by(sealed.key)
            .limit(batch)
            .with_for_update(skip_locked=True)
        )
        found = connection.execute(rows).all()
        for row in found:
            place = sealed.place(row.named)
            try:
                plain = crypto.unseal(keyring, sealed.purpose, row.value, place)
            except crypto.Unreadable:  # was so before: nobody loses anything, and it must not stop the others
                continue
            again = crypto.seal(keyring, sealed.purpose, plain, place)
            connection.execute(
                update(sealed.column.table).where(sealed.key == row.row).values({sealed.column: again})
            )
        last[:] = [found[-1].row] if found else []
        return len(found)

    return work


def _rehashing(keyring: Keyring, batch: int) -> Callable[[Connection], int]:
    """Adds the hash under the newest version to numbers that lack it."""
    there = select(_blinds.c.number_id).where(_blinds.c.key_version == keyring.current)

    last: list[str] = []

    def work(connection: Connection) -> int:
        # the number before its hashes, as everybody locks them
        rows = (
            select(_numbers.c.id, _numbers.c.identity_id, _numbers.c.ciphertext)
            .where(_numbers.c.id.not_in(there), _numbers.c.id > last[0] if last else true())
            .order_by(_numbers.c.id)
            .limit(batch)
            .with_for_update(skip_locked=True)
        )
        found = connection.execute(rows).all()
        keys = crypto.IdentityKeys(connection, keyring)
        fresh = []
        for row in found:
            try:
                digits = keys.unseal(row.identity_id, row.ciphertext, crypto.number_place(row.id))
            except crypto.Unreadable:
                continue
            blind = crypto.blind_index(keyring, digits)
            fresh.append({"blind": blind, "number_id": row.id, "key_version": keyring.current})
        insert_all_new(connection, _blinds, fresh)
        last[:] = [found[-1].id] if found else []
        return len(found)

    return work


def _finish(
    database: Database, keyring: Keyring, older: list[int], done: dict[str, int], now: datetime
) -> None:
    """Lets go of the versions that nothing needs any more: their hashes of numbers, and their mark as needed."""
    with database.write() as connection:
        free = [
            each.version for each in status(connection, keyring) if each.version in older and not each.needed
        ]
        connection.execute(delete(_blinds).where(_blinds.c.key_version.in_(free)))
        retired = connection.execute(
            update(_checks)
            .where(_checks.c.version.in_(free), _checks.c.retired_at.is_(None))
            .values(retired_at=now)
        ).rowcount
        if done or retired:
            body = {"to": keyring.current, "rewritten": done, "no_longer_needed": free}
            append(connection, keyring, HOUSE, Entry("keys.rotate", body=body), now)

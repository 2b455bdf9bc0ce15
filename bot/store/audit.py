"""The audit trail: one chain for each entity, each entry under a keyed hash of itself and of the one before.

An edit breaks the entry's own hash, a deletion or a swap the next one's, and a cut tail no longer fits the sealed head.
Triggers refuse UPDATE and DELETE besides; the hashes are what shows a hand that went past them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bot.store.crypto import IdentityKeys
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, AuditHead, core

HOUSE = "house"
"""The chain of what belongs to no entity."""
_entries = core(AuditEntry)
_heads = core(AuditHead)


@dataclass(frozen=True, slots=True)
class Entry:
    """What to write: ids, keys and dates in `body`; what is personal apart, sealed under the subject's own key."""

    act: str
    actor: str | None = None
    subject: str | None = None
    change: str | None = None
    body: dict[str, Any] | None = None
    personal: str | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """How many entries were read, and the first that does not fit: `chain`, `seq` and why."""

    count: int
    broken: tuple[str, int, str] | None = None


def append(connection: Connection, keyring: Keyring, chain: str, entry: Entry, now: datetime) -> int:
    """Adds an entry to a chain and returns its number. Locks the chain's head: call it last in the transaction."""
    head = connection.execute(
        select(_heads.c.seq, _heads.c.mac).where(_heads.c.chain == chain).with_for_update()
    ).one_or_none()
    seq, before = (head.seq + 1, head.mac) if head else (1, b"")
    personal = None
    if entry.personal is not None and entry.subject is not None:
        personal = IdentityKeys(connection, keyring).seal(
            entry.subject, entry.personal, f"audit_entries.personal:{chain}:{seq}"
        )
    values = {
        "chain": chain,
        "seq": seq,
        "at": now,
        "actor_id": entry.actor,
        "act": entry.act,
        "subject_id": entry.subject,
        "change_number": entry.change,
        "body": entry.body or {},
        "personal": personal,
        "key_version": keyring.current,
    }
    mac = _mac(keyring, values, before)
    connection.execute(insert(_entries).values(**values, mac=mac))
    seal = _seal(keyring, keyring.current, f"{chain} {seq}", mac)
    sealed = {"seq": seq, "mac": mac, "key_version": keyring.current, "seal": seal}
    if head:
        connection.execute(update(_heads).where(_heads.c.chain == chain).values(**sealed))
    else:
        connection.execute(insert(_heads).values(chain=chain, **sealed))
    return seq


def verify(connection: Connection, keyring: Keyring) -> Verified:
    """Reads every chain from its first entry to its head."""
    count = 0
    heads = {head.chain: head for head in connection.execute(select(_heads))}
    last: dict[str, tuple[int, bytes]] = {}
    for row in connection.execute(select(_entries).order_by(_entries.c.chain, _entries.c.seq)):
        seq, before = last.get(row.chain, (0, b""))
        fault = _fault(keyring, row, seq, before)
        if fault:
            return Verified(count, (row.chain, row.seq, fault))
        last[row.chain] = (row.seq, row.mac)
        count += 1
    for chain in sorted(heads.keys() | last.keys()):
        head, (seq, mac) = heads.get(chain), last.get(chain, (0, b""))
        if head is None or (head.seq, head.mac) != (seq, mac):
            return Verified(count, (chain, seq + 1, "entries are missing at the end"))
        if not hmac.compare_digest(head.seal, _seal(keyring, head.key_version, f"{chain} {seq}", mac)):
            return Verified(count, (chain, seq, "the head of the chain was altered"))
    return Verified(count)


def _fault(keyring: Keyring, row: Row[Any], seq: int, before: bytes) -> str | None:
    if row.seq != seq + 1:
        return "an entry before it is missing"
    values = {column.name: getattr(row, column.name) for column in _entries.c if column.name != "mac"}
    return (
        None
        if hmac.compare_digest(row.mac, _mac(keyring, values, before))
        else "it was altered, or the one before it"
    )


def _mac(keyring: Keyring, values: dict[str, Any], before: bytes) -> bytes:
    plain = {
        **values,
        "at": values["at"].isoformat(),
        "personal": values["personal"].hex() if values["personal"] else None,
    }
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hmac.new(
        keyring.key("audit", values["key_version"]), before + text.encode(), hashlib.sha256
    ).digest()


def _seal(keyring: Keyring, version: int, place: str, mac: bytes) -> bytes:
    return hmac.new(keyring.key("audit", version), f"head {place} ".encode() + mac, hashlib.sha256).digest()

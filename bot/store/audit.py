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
from bot.store.upsert import insert_new

HOUSE = "house"
"""The chain of what belongs to no entity."""
_entries = core(AuditEntry)
_heads = core(AuditHead)
# ten years of entries do not fit in memory
_ALL = select(_entries).order_by(_entries.c.chain, _entries.c.seq).execution_options(yield_per=1_000)


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
    last, before = _locked_head(connection, keyring, chain)
    seq = last + 1
    personal = None
    if entry.personal is not None:
        if entry.subject is None:
            raise ValueError("what is personal needs the person under whose key it is sealed")
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
    connection.execute(
        update(_heads).where(_heads.c.chain == chain).values(**_head(keyring, chain, seq, mac))
    )
    return seq


def _locked_head(connection: Connection, keyring: Keyring, chain: str) -> tuple[int, bytes]:
    """A chain's last number and hash, locked. A new chain has a head before its first entry, so that two first writers wait too."""
    locked = select(_heads.c.seq, _heads.c.mac).where(_heads.c.chain == chain).with_for_update()
    head = connection.execute(locked).one_or_none()
    if head is None:
        insert_new(connection, _heads, {"chain": chain, **_head(keyring, chain, 0, b"")})
        head = connection.execute(locked).one()
    return head.seq, head.mac


def _head(keyring: Keyring, chain: str, seq: int, mac: bytes) -> dict[str, Any]:
    seal = _seal(keyring, keyring.current, f"{chain} {seq}", mac)
    return {"seq": seq, "mac": mac, "key_version": keyring.current, "seal": seal}


def verify(connection: Connection, keyring: Keyring) -> Verified:
    """Reads every chain from its first entry to its head, on one snapshot: call it in `Database.read()`."""
    count = 0
    heads = {head.chain: head for head in connection.execute(select(_heads))}
    last: dict[str, tuple[int, bytes]] = {}
    with connection.execute(_ALL) as entries:
        for row in entries:
            fault = _fault(keyring, row, *last.get(row.chain, (0, b"")))
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

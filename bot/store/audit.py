"""The audit trail: one chain for each entity, each entry under a keyed hash of itself and of the one before.

An edit breaks the entry's own hash, a deletion or a swap the next one's, and a cut tail no longer fits the sealed head.
Triggers refuse UPDATE and DELETE besides; the hashes are what shows a hand that went past them. Against a hand that
holds the root key too there are signed anchors outside the database (`anchors`). How a chain is read again and what is
found: `chains`.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.store import anchors
from bot.store.anchors import Anchor, Signers
from bot.store.chains import Broken, Chains, Link, head_seal, link_mac
from bot.store.crypto import IdentityKeys
from bot.store.keys import Keyring
from bot.store.relations import principals
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
    broken: Broken | None = None


def append(connection: Connection, keyring: Keyring, chain: str, entry: Entry, now: datetime) -> int:
    """Adds an entry to a chain and returns its number. Locks the chain's head: call it last in the transaction.

    Whoever stands in for somebody there is named with him, whatever he does: both are answerable for those days.
    """
    body = dict(entry.body or {})
    if entry.actor is not None and chain != HOUSE:
        others = principals(connection, entry.actor, chain, now)
        body |= {"stands_in_for": list(others)} if others else {}
    last, before = _locked_head(connection, keyring, chain)
    seq = last + 1
    personal = None
    if entry.personal is not None:
        if entry.subject is None:
            raise ValueError("what is personal needs the person under whose key it is sealed")
        personal = IdentityKeys(connection, keyring).seal(
            entry.subject, entry.personal, personal_place(chain, seq)
        )
    values = {
        "chain": chain,
        "seq": seq,
        "at": now,
        "actor_id": entry.actor,
        "act": entry.act,
        "subject_id": entry.subject,
        "change_number": entry.change,
        "body": body,
        "personal": personal,
        "key_version": keyring.current,
    }
    mac = link_mac(keyring, values, before)
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
    seal = head_seal(keyring, keyring.current, chain, seq, mac)
    return {"seq": seq, "mac": mac, "key_version": keyring.current, "seal": seal}


def personal_place(chain: str, seq: int) -> str:
    """Where the personal part of an entry stands."""
    return f"audit_entries.personal:{chain}:{seq}"


def links(connection: Connection, *, chain: str | None = None, after: int = 0) -> Iterator[Link]:
    """The entries of all chains or one, in order, a thousand at a time in memory."""
    query = _ALL if chain is None else _ALL.where(_entries.c.chain == chain, _entries.c.seq > after)
    with connection.execute(query) as rows:
        for row in rows:
            values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented attribute
            yield Link(values, values.pop("mac"))


def verify(connection: Connection, keyring: Keyring, outside: Iterable[Anchor] = ()) -> Verified:
    """Reads every chain from its first entry to its head, on one snapshot: call it in `Database.read()`.

    `outside`: anchors from the file, whose signatures were seen to; those of the database are seen to here.
    """
    signers = Signers.of(keyring)
    inside = anchors.inside(connection)
    for anchor in inside:
        if not signers.signed(anchor):
            return Verified(
                0, (anchor.chain, anchor.seq, "its anchor in the database is not signed by this key")
            )
    chains = Chains(keyring, inside, outside)
    for link in links(connection):
        if broken := chains.read(link):
            return Verified(chains.count, broken)
    if broken := chains.ended():
        return Verified(chains.count, broken)
    heads = {head.chain: head for head in connection.execute(select(_heads))}
    for chain in sorted(heads.keys() | chains.ends.keys()):
        head, (seq, mac) = heads.get(chain), chains.end_of(chain)
        if head is None or (head.seq, head.mac) != (seq, mac):
            return Verified(chains.count, (chain, seq + 1, "entries are missing at the end"))
        if not hmac.compare_digest(head.seal, head_seal(keyring, head.key_version, chain, seq, mac)):
            return Verified(chains.count, (chain, seq, "the head of the chain was altered"))
    return Verified(chains.count)

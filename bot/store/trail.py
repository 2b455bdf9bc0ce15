"""The audit trail kept: anchored once a day, cut where it is older than it has to be, written to a file for an auditor.

Long reading happens in a reading transaction, so that nobody waits; what is written is short. A chain that does not
fit is never anchored or cut: AuditBroken says where.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, select

from bot.errors import AuditBroken, ConfigurationError
from bot.store import anchors
from bot.store.anchors import Anchor, AnchorFile, Outlet, Signers
from bot.store.audit import Verified, links, personal_place
from bot.store.chains import Chains, Link, link_mac, next_digest
from bot.store.crypto import IdentityKeys, Unreadable
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, AuditHead, core

FORMAT = "accessbot audit 1"
_entries = core(AuditEntry)
_heads = core(AuditHead)


@dataclass(frozen=True, slots=True)
class _Point:
    """A chain up to an entry."""

    seq: int = 0
    mac: bytes = b""
    digest: bytes = b""


def anchor(database: Database, keyring: Keyring, outlets: Sequence[Outlet], now: datetime) -> list[Anchor]:
    """Signs how far each chain went that moved since it was anchored last, and gives it to every outlet.

    Raises AuditBroken where a chain does not fit, OperatorError where an outlet does not take it; nothing counts as
    anchored then.
    """
    with database.read() as connection:
        fresh = [
            anchors.signed(keyring, Anchor(chain, point.seq, False, now, point.mac, point.digest, 0))
            for chain, point in _moved(connection, keyring)
        ]
    if fresh:
        with database.write() as connection:
            anchors.remember(connection, fresh)
            for outlet in outlets:
                outlet.publish(fresh, connection)
    return fresh


def _moved(connection: Connection, keyring: Keyring) -> Iterator[tuple[str, _Point]]:
    known: dict[str, Anchor] = {}
    for each in _own_anchors(connection, keyring):
        if each.chain not in known or known[each.chain].seq <= each.seq:
            known[each.chain] = each
    heads = {row.chain: row.seq for row in connection.execute(select(_heads.c.chain, _heads.c.seq))}
    for chain in sorted(heads.keys() | known.keys()):
        last, start = heads.get(chain, 0), _point(known.get(chain))
        if last < start.seq:
            raise _broken(chain, last + 1, "entries are missing at the end")
        if last > start.seq:
            yield chain, _followed(connection, keyring, chain, start, last)


def _own_anchors(connection: Connection, keyring: Keyring) -> list[Anchor]:
    signers, own = Signers.of(keyring), anchors.inside(connection)
    for each in own:
        if not signers.signed(each):
            raise _broken(each.chain, each.seq, "its anchor in the database is not signed by this key")
    return own


def _point(known: Anchor | None) -> _Point:
    return _Point(known.seq, known.mac, known.digest) if known else _Point()


def _followed(connection: Connection, keyring: Keyring, chain: str, start: _Point, last: int) -> _Point:
    """The point at `last`, read on from `start`."""
    seq, mac, digest = start.seq, start.mac, start.digest
    for link in links(connection, chain=chain, after=seq):
        if link.values["seq"] > last:
            break
        if link.values["seq"] != seq + 1 or link.mac != link_mac(keyring, link.values, mac):
            raise _broken(chain, link.values["seq"], "it was altered, or the one before it")
        seq, mac, digest = seq + 1, link.mac, next_digest(digest, link.values)
    if seq != last:
        raise _broken(chain, seq + 1, "entries are missing at the end")
    return _Point(seq, mac, digest)


def _broken(chain: str, seq: int, why: str) -> AuditBroken:
    return AuditBroken(f"The audit trail is broken at entry {seq} of chain '{chain}': {why}.")


def outside(connection: Connection, keyring: Keyring, file: Path | None) -> list[Anchor]:
    """The anchors of a file, to compare the database with; none where there is no file and none is due yet.

    Raises as `AnchorFile.read` does: also where the database knows of anchors and the file is gone.
    """
    if file is None or (not file.exists() and not anchors.inside(connection)):
        return []
    return AnchorFile(file).read(Signers.of(keyring))


# -- cut ------------------------------------------------------------------------------------------


def cut(
    database: Database, keyring: Keyring, outlets: Sequence[Outlet], before: datetime, now: datetime
) -> int:
    """Takes away the entries from before that instant, the last one of a chain excepted, and leaves a signed anchor.

    How many. Raises as `anchor` does.
    """
    with database.read() as connection:
        bases = {each.chain: each for each in _own_anchors(connection, keyring) if each.cut}
        points = []
        for chain, last in _old(connection, before):
            point = _followed(connection, keyring, chain, _point(bases.get(chain)), last)
            points.append(
                anchors.signed(keyring, Anchor(chain, point.seq, True, now, point.mac, point.digest, 0))
            )
    gone = 0
    for point_ in points:
        with database.write() as connection:
            anchors.remember(connection, [point_])
            for outlet in outlets:
                outlet.publish([point_], connection)
            old = delete(_entries).where(_entries.c.chain == point_.chain, _entries.c.seq <= point_.seq)
            gone += connection.execute(old).rowcount
    return gone


def _old(connection: Connection, before: datetime) -> list[tuple[str, int]]:
    """Chain → the last entry of its beginning in which all is older."""
    bounds = {
        row.chain: (row.first, row.last)
        for row in connection.execute(
            select(
                _entries.c.chain,
                func.min(_entries.c.seq).label("first"),
                func.max(_entries.c.seq).label("last"),
            ).group_by(_entries.c.chain)
        )
    }
    young = select(_entries.c.chain, func.min(_entries.c.seq).label("seq")).where(_entries.c.at >= before)
    youngest = {row.chain: row.seq for row in connection.execute(young.group_by(_entries.c.chain))}
    ends = {chain: youngest.get(chain, last) - 1 for chain, (_, last) in bounds.items()}
    return [(chain, end) for chain, end in sorted(ends.items()) if end >= bounds[chain][0]]


# -- a file for an auditor ------------------------------------------------------------------------


def export(
    connection: Connection,
    keyring: Keyring,
    now: datetime,
    *,
    chain: str | None = None,
    entity: str | None = None,
    personal: bool = False,
) -> Iterator[str]:
    """The lines of a file: a signed head, anchors, then the entries up to them. Anchor first: what came since stays out.

    Personal parts are in it as they are sealed, which nobody opens without the root key and the database; with
    `personal` also in plain, for people who were not erased. `entity`: the key by which people know the chain.
    """
    own = [each for each in _own_anchors(connection, keyring) if chain in {None, each.chain}]
    ends = {each.chain: each.seq for each in sorted(own, key=lambda each: each.seq)}
    head = {
        "format": FORMAT,
        "at": now.isoformat(),
        "chains": ends,
        "entity": entity,
        "key_version": keyring.current,
    }
    yield _line({**head, "signature": anchors.signature(keyring, _line(head).encode()).hex()})
    for each in own:
        yield anchors.to_text(each)
    keys = IdentityKeys(connection, keyring)
    for link in links(connection, chain=chain):
        if link.values["seq"] <= ends.get(link.values["chain"], 0):
            yield _line(_entry(link, keys if personal else None))


def _entry(link: Link, keys: IdentityKeys | None) -> dict[str, Any]:
    values, sealed = link.values, link.values["personal"]
    plain = {
        **values,
        "at": values["at"].isoformat(),
        "personal": sealed.hex() if sealed else None,
        "mac": link.mac.hex(),
    }
    if keys is not None and sealed:
        try:
            place = personal_place(values["chain"], values["seq"])
            plain["personal_in_plain"] = keys.unseal(values["subject_id"], sealed, place)
        except Unreadable:  # the person was erased
            plain["personal_in_plain"] = None
    return plain


def verify_file(
    file: Path, signers: Signers, keyring: Keyring | None, outside: Iterable[Anchor] = ()
) -> Verified:
    """Verifies an exported file, offline: with the root key each entry's keyed hash too, else by the anchors alone.

    Raises ConfigurationError for what is no such file, AuditBroken where its head or an anchor is not signed.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            return _verified(stream, file.name, signers, keyring, list(outside))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ConfigurationError(f"{file.name} cannot be read ({reason}): check the path.") from error


def _verified(
    lines: Iterable[str], name: str, signers: Signers, keyring: Keyring | None, outside: list[Anchor]
) -> Verified:
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (1, ""))
    ends = _head(first, name, signers)
    own: list[Anchor] = []
    chains: Chains | None = None
    for number, line in numbered:
        if (mark := anchors.from_text(line)) is not None and chains is None:
            if not signers.signed(mark):
                raise AuditBroken(f"Line {number} of {name}: an anchor that is not signed by this key.")
            own.append(mark)
            continue
        chains = chains or _begun(own, outside, ends, keyring)
        link = _link(line)
        if link is None:
            raise AuditBroken(f"Line {number} of {name} is no entry: it was altered.")
        if broken := chains.read(link):
            return Verified(chains.count, broken)
    chains = chains or _begun(own, outside, ends, keyring)
    if broken := chains.ended():
        return Verified(chains.count, broken)
    for chain in sorted(ends.keys() | chains.ends.keys()):
        seq, _ = chains.end_of(chain)
        if seq != ends.get(chain, 0) or chain not in {mark.chain for mark in own}:
            return Verified(
                chains.count, (chain, min(seq, ends.get(chain, 0)) + 1, "the end is not the anchored one")
            )
    return Verified(chains.count)


def _begun(own: list[Anchor], outside: list[Anchor], ends: dict[str, int], keyring: Keyring | None) -> Chains:
    # what was anchored outside after the export is not in the file
    return Chains(keyring, own, [mark for mark in outside if mark.seq <= ends.get(mark.chain, 0)])


def _head(line: str, name: str, signers: Signers) -> dict[str, int]:
    try:
        head = json.loads(line)
        signature, version = bytes.fromhex(head.pop("signature")), int(head["key_version"])
        ends = {str(chain): int(seq) for chain, seq in head["chains"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        head, signature, version, ends = {}, b"", 0, {}
    if head.get("format") != FORMAT:
        raise ConfigurationError(
            f"{name} is no export of an audit trail: make one with 'python -m bot audit export'."
        )
    if not signers.vouches(version, signature, _line(head).encode()):
        raise AuditBroken(
            f"Line 1 of {name} is not signed by this key: it was altered, or another key wrote it."
        )
    return ends


def _link(line: str) -> Link | None:
    try:
        plain = json.loads(line)
        values = {column.name: plain[column.name] for column in _entries.c if column.name != "mac"}
        values["at"] = datetime.fromisoformat(values["at"])
        values["personal"] = bytes.fromhex(values["personal"]) if values["personal"] else None
        return Link(values, bytes.fromhex(plain["mac"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

"""A chain of the audit trail, read again from its first entry: from the database, or from a file that was exported.

Each entry is looked at three times over: its number follows, its keyed hash covers it and the one before (with the
root key), and where an anchor stands, the entry is the one that was anchored. The digest is the same chain without a
key, so that somebody who has no root key can tell from the anchors alone whether an export is what stood there.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from bot.store.keys import Keyring

Broken = tuple[str, int, str]
"""The first entry that does not fit: chain, number, why."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: its columns but the keyed hash, and that."""

    values: dict[str, Any]
    mac: bytes


class Mark(Protocol):
    """An anchor, as a chain needs it."""

    @property
    def chain(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def mac(self) -> bytes: ...
    @property
    def digest(self) -> bytes: ...
    @property
    def cut(self) -> bool: ...


@dataclass(slots=True)
class _Position:
    seq: int = 0
    mac: bytes = b""
    digest: bytes = b""
    trusted: int = 0
    """Up to here an anchor vouches."""
    marks: list[Mark] = field(default_factory=list)
    """Those still ahead, the nearest last."""


class Chains:
    """All chains while they are read. `keyring` None: nobody here can compute the keyed hashes."""

    def __init__(
        self, keyring: Keyring | None, own: Iterable[Mark] = (), outside: Iterable[Mark] = ()
    ) -> None:
        """`own` marks stand beside the entries, and a chain begins after its own newest cut; `outside` ones are compared."""
        self._keyring = keyring
        self.count = 0
        self.ends: dict[str, _Position] = {}
        own = list(own)
        of: defaultdict[str, list[Mark]] = defaultdict(list)
        for mark in (*own, *outside):
            of[mark.chain].append(mark)
        for chain, each in of.items():
            self.ends[chain] = _start([mark for mark in own if mark.chain == chain and mark.cut], each)

    def end_of(self, chain: str) -> tuple[int, bytes]:
        """The last entry read of a chain: its number and keyed hash."""
        position = self.ends.get(chain, _Position())
        return position.seq, position.mac

    def read(self, link: Link) -> Broken | None:
        """The next entry; what is wrong with it, or with those before."""
        chain, seq = link.values["chain"], link.values["seq"]
        position = self.ends.setdefault(chain, _Position())
        if seq != position.seq + 1:
            return chain, seq, "an entry before it is missing"
        if self._keyring is not None:
            expected = link_mac(self._keyring, link.values, position.mac)
            if not hmac.compare_digest(link.mac, expected):
                return chain, seq, "it was altered, or the one before it"
        position.digest = next_digest(position.digest, link.values)
        position.seq, position.mac = seq, link.mac
        self.count += 1
        return _compare(chain, position)

    def ended(self) -> Broken | None:
        """After the last entry: an anchor that lies further on tells of entries that are gone."""
        for chain, position in sorted(self.ends.items()):
            if position.marks:
                mark = position.marks[0]
                return (
                    chain,
                    position.seq + 1,
                    f"entries up to {mark.seq} were anchored on {_day(mark)} and are gone",
                )
        return None


def _start(cuts: list[Mark], marks: list[Mark]) -> _Position:
    """A chain begins after its newest cut. What was anchored before that is gone with the entries."""
    cut = max(cuts, key=lambda mark: mark.seq, default=None)
    position = _Position(cut.seq, cut.mac, cut.digest, cut.seq) if cut else _Position()
    position.marks = sorted(
        (mark for mark in marks if mark.seq > position.seq), key=lambda mark: mark.seq, reverse=True
    )
    return position


def _compare(chain: str, position: _Position) -> Broken | None:
    while position.marks and position.marks[-1].seq == position.seq:
        mark = position.marks.pop()
        if (mark.mac, mark.digest) != (position.mac, position.digest):
            first = position.trusted + 1
            return (
                chain,
                first,
                f"entries {first} to {mark.seq} are not those that were anchored on {_day(mark)}",
            )
        position.trusted = position.seq
    return None


def _day(mark: Mark) -> str:
    return f"{mark.at:%Y-%m-%d}"


# -- what is hashed -------------------------------------------------------------------------------


def _text(values: dict[str, Any]) -> bytes:
    plain = {
        **values,
        "at": values["at"].isoformat(),
        "personal": values["personal"].hex() if values["personal"] else None,
    }
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def link_mac(keyring: Keyring, values: dict[str, Any], before: bytes) -> bytes:
    """The keyed hash of an entry over the one before, under the version that wrote it."""
    key = keyring.key("audit", values["key_version"])
    return hmac.new(key, before + _text(values), hashlib.sha256).digest()


def next_digest(before: bytes, values: dict[str, Any]) -> bytes:
    """The same without a key; personal parts go in as they are sealed, so that nothing can be guessed from it."""
    return hashlib.sha256(before + _text(values)).digest()


def head_seal(keyring: Keyring, version: int, chain: str, seq: int, mac: bytes) -> bytes:
    """The keyed hash of a chain's end."""
    return hmac.new(
        keyring.key("audit", version), f"head {chain} {seq} ".encode() + mac, hashlib.sha256
    ).digest()

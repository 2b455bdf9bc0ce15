"""What `register load` decides about each entry of a file, and what it writes down about it.

The file wrote something before (`origins` keeps a fingerprint of it); the register shows something now; the file wants
something. Where the register still shows what the file wrote, the file decides. Where it does not, somebody changed
it in chat since: then that is kept and reported, unless the operator forces the file's will.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select

from bot.access.rows import ORIGINS
from bot.store.keys import Keyring

Fields = Mapping[str, Any]
"""The columns of an entry that a file decides on, as JSON values."""


class Decision(Enum):
    """What happens to an entry."""

    ADD = "add"
    CHANGE = "change"
    LEAVE = "leave"
    KEEP = "keep"


@dataclass(slots=True)
class Tally:
    """How many entries of one kind were added, changed or found as they should be; the keys of those kept as in chat,
    and of those left out because what was done in chat stands in their way.
    """

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    kept: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


class Ledger:
    """The decisions of one load, with the rows to write, gathered so that each table is written in one statement."""

    def __init__(self, connection: Connection, keyring: Keyring, *, force: bool) -> None:
        self._connection, self._keyring, self._force = connection, keyring, force
        self.tallies: dict[str, Tally] = {}
        self._origins = {(row.kind, row.key): row for row in connection.execute(select(ORIGINS))}
        self._written: dict[tuple[str, str], dict[str, str]] = {}
        self._gone: set[tuple[str, str]] = set()
        self._rows: dict[Table, list[dict[str, Any]]] = {}

    def decide(
        self,
        kind: str,
        key: str,
        shown: Fields | None,
        wanted: Fields,
        *,
        was: str | None = None,
        blocked: bool = False,
    ) -> Decision:
        """What to do about an entry; counts it. `was` is the key under which the file wrote it before, if another;
        `blocked`: it cannot be written beside what the register holds.
        """
        decision = self._decision((kind, was or key), shown, wanted)
        tally = self.tallies.setdefault(kind, Tally())
        if blocked and decision in {Decision.ADD, Decision.CHANGE}:
            tally.blocked.append(key)
            return Decision.KEEP
        match decision:
            case Decision.ADD:
                tally.added += 1
            case Decision.CHANGE:
                tally.changed += 1
            case Decision.LEAVE:
                tally.unchanged += 1
            case Decision.KEEP:
                tally.kept.append(key)
        return decision

    def _decision(self, place: tuple[str, str], shown: Fields | None, wanted: Fields) -> Decision:
        if shown is None:
            return Decision.ADD
        if shown == wanted:
            return Decision.LEAVE
        return Decision.CHANGE if self.file_decides(*place, shown) else Decision.KEEP

    def file_decides(self, kind: str, key: str, shown: Fields) -> bool:
        """Whether the register still shows what the file wrote, or the operator forces the file's will."""
        origin = self._origins.get((kind, key))
        return self._force or (origin is not None and self._fits(origin.fingerprint, shown))

    def row_of(self, kind: str, key: str) -> str | None:
        """The row that the file wrote under this key before, whatever it is called by now."""
        origin = self._origins.get((kind, key))
        return str(origin.object_id) if origin is not None else None

    def wrote(self, kind: str, key: str, row: str, fields: Fields, *, was: str | None = None) -> None:
        """The register shows now what the file says: from here on a difference comes from the chat."""
        if was is not None and was != key:
            self._gone.add((kind, was))
        origin = self._origins.get((kind, key))
        fingerprint = self._fingerprint(fields, self._keyring.current)
        if origin is None or (origin.object_id, origin.fingerprint) != (row, fingerprint):
            self._written[kind, key] = {
                "kind": kind,
                "key": key,
                "object_id": row,
                "fingerprint": fingerprint,
            }

    def insert(self, table: Table, **values: Any) -> None:
        """A row to insert with the others of its table."""
        self._rows.setdefault(table, []).append(values)

    def flush(self, *tables: Table) -> None:
        """Writes the rows gathered for these tables, in this order."""
        for table in tables:
            if rows := self._rows.pop(table, None):
                self._connection.execute(insert(table), rows)

    def close(self) -> None:
        """Writes down what the file wrote."""
        stale = [place for place in (*self._gone, *self._written) if place in self._origins]
        for kind, key in stale:
            self._connection.execute(delete(ORIGINS).where(ORIGINS.c.kind == kind, ORIGINS.c.key == key))
        if self._written:
            self._connection.execute(insert(ORIGINS), list(self._written.values()))

    # a keyed hash, since the fields of a profile are names and addresses that would be guessed

    def _fingerprint(self, fields: Fields, version: int) -> str:
        text = json.dumps(fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        mac = hmac.new(self._keyring.key("blind", version), b"origin " + text.encode(), hashlib.sha256)
        return f"{version}:{mac.hexdigest()}"

    def _fits(self, fingerprint: str, fields: Fields) -> bool:
        version = int(fingerprint.partition(":")[0])
        if version not in self._keyring.versions_of("blind"):  # that key is gone: nobody can tell any more
            return False
        return hmac.compare_digest(fingerprint, self._fingerprint(fields, version))

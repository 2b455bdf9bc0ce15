"""One load of a register file: what its entries are compared with, and how what differs is written.

Everything is decided against one snapshot; new rows are gathered and inserted table by table, so that 5,000 people
take seconds. The audit's chains are written last, in one order, so that two loads cannot block each other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, update

from bot.access.registerledger import Fields, Ledger
from bot.access.registersnapshot import Snapshot
from bot.access.rows import AnyRow
from bot.store.audit import Entry, append
from bot.store.keys import Keyring


class Wards:
    """The subdivisions while a file is loaded: what they are called, where they hang, which of them are open."""

    def __init__(self, snapshot: Snapshot) -> None:
        rows = snapshot.subdivisions.values()
        self.names = {row.id: row.name for row in rows}
        self.parents = {row.id: row.parent_id for row in rows}
        self.open = {row.id for row in rows if row.closed_at is None}
        self._called: dict[str, str] = {}

    def known_as(self, subdivision: str, name: str) -> None:
        """The file calls it so, though it was renamed in chat."""
        self._called[subdivision] = name

    def called(self, subdivision: str | None) -> str | None:
        """What the file calls it."""
        return self._called.get(subdivision, self.names[subdivision]) if subdivision else None

    def written(self, subdivision: str, name: str, parent: str | None) -> None:
        """It stands in the register as in the file, and is open."""
        self.names[subdivision], self.parents[subdivision] = name, parent
        self.open.add(subdivision)

    def hangs_on(self, subdivision: str | None, top: str) -> bool:
        """Whether it is `top`, or hangs on it."""
        seen: set[str] = set()
        while subdivision and subdivision not in seen:
            if subdivision == top:
                return True
            seen.add(subdivision)
            subdivision = self.parents.get(subdivision)
        return False


class Load:
    """The register as it was, the ids of what is there by now, and what is to be written."""

    def __init__(
        self, connection: Connection, keyring: Keyring, snapshot: Snapshot, *, now: datetime, force: bool
    ) -> None:
        self.connection, self.keyring, self.now = connection, keyring, now
        self.ledger = Ledger(connection, keyring, force=force)
        self.was = snapshot
        self.audit: list[tuple[str, Entry]] = []
        self.entities = dict(snapshot.entity_keys)
        self.enterprises = dict(snapshot.enterprise_numbers)
        self.qualities = dict(snapshot.quality_keys)
        self.subdivisions: dict[tuple[str | None, str], str] = dict(snapshot.subdivision_names)
        self.wards = Wards(snapshot)
        self.identities = dict(snapshot.identity_keys)
        self.profiles = {place: row.id for place, row in snapshot.profile_of.items()}
        self.names = {row.id: (row.last_name, row.first_name) for row in snapshot.profiles.values()}
        self.accounts = {place: row.id for place, row in snapshot.account_of.items()}
        self.closed: set[str] = set()
        """Accounts that were deleted in chat and stay so."""
        self.mandates: defaultdict[str, list[AnyRow]] = defaultdict(list)
        for mandate in snapshot.mandates:
            self.mandates[mandate.identity_id].append(mandate)

    def ward(self, quality: str, name: str | None) -> str | None:
        """The open subdivision that the file calls so; None where it was closed in chat and stays so."""
        found = self.subdivisions[quality, name] if name else None
        return found if found in self.wards.open else None

    def ward_name(self, quality: str | None, subdivision: str | None) -> str | None:
        """What the file calls a subdivision; empty where the name is another one's by now. None for none."""
        name = self.wards.called(subdivision)
        return name if name is None or self.subdivisions.get((quality, name)) == subdivision else ""

    def change(self, table: Table, row: str, values: Mapping[str, Any]) -> None:
        """Changes one row that was there."""
        self.connection.execute(update(table).where(table.c.id == row).values(values))

    def note(self, act: str, chain: str, row: str, fields: Fields, *, subject: str | None = None) -> None:
        """An audit entry to write; with a `subject` the fields are personal and go under that identity's key."""
        if subject is None:
            self.audit.append((chain, Entry(f"load.{act}", body={"row": row, "now": dict(fields)})))
        else:
            personal = json.dumps(fields, sort_keys=True, ensure_ascii=False)
            entry = Entry(f"load.{act}", subject=subject, body={"row": row}, personal=personal)
            self.audit.append((chain, entry))

    def close(self) -> None:
        """Writes down what the file wrote, and the audit."""
        self.ledger.close()
        for chain, entry in sorted(self.audit, key=lambda each: each[0]):
            append(self.connection, self.keyring, chain, entry, self.now)

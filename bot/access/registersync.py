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
from bot.access.registersnapshot import AnyRow, Snapshot
from bot.store.audit import Entry, append
from bot.store.keys import Keyring


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
        self.subdivisions = dict(snapshot.subdivision_names)
        self.identities = dict(snapshot.identity_keys)
        self.profiles = {place: row.id for place, row in snapshot.profile_of.items()}
        self.names = {row.id: (row.last_name, row.first_name) for row in snapshot.profiles.values()}
        self.accounts = {place: row.id for place, row in snapshot.account_of.items()}
        self.closed: set[str] = set()
        """Accounts that were deleted in chat and stay so."""
        self.mandates: defaultdict[str, list[AnyRow]] = defaultdict(list)
        for mandate in snapshot.mandates:
            self.mandates[mandate.identity_id].append(mandate)

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

"""What the operator takes out, or erases: each is noted in the audit trail, and what is written is for his eyes only."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import select

from bot.access.erasure import Erased, refuse_blocked
from bot.access.erasure import erase as erase_identity
from bot.access.identities import by_key
from bot.access.privacy import what_is_stored
from bot.access.rows import ENTITIES
from bot.errors import ConfigurationError, OperatorError
from bot.store import privatefile, trail
from bot.store.anchors import Outlet
from bot.store.audit import HOUSE, Entry, append
from bot.store.database import Database
from bot.store.keys import Keyring


def about(database: Database, keyring: Keyring, person: str, now: datetime) -> str:
    """Everything about the person with this register key, as JSON text. Raises OperatorError."""
    with database.write() as connection:  # first the note, then what it tells of
        identity = by_key(connection, person)
        append(connection, keyring, HOUSE, Entry("privacy.export", subject=identity), now)
    with database.read() as connection:
        stored = what_is_stored(connection, keyring, identity)
    return json.dumps(stored, indent=2, ensure_ascii=False) + "\n"


def erase(
    database: Database, keyring: Keyring, person: str, now: datetime, today: date
) -> tuple[Erased, bool]:
    """Erases the person with this register key; whether the database's file is rid of him too. Raises OperatorError."""
    with database.write() as connection:
        identity = by_key(connection, person)
        refuse_blocked(connection, person, identity, today)
        erased = erase_identity(connection, keyring, identity, now=now, why="operator")
    return erased, database.scrub(whole=True)


def audit_trail(
    database: Database,
    keyring: Keyring,
    file: Path,
    outlets: Sequence[Outlet],
    now: datetime,
    *,
    entity: str | None = None,
    personal: bool = False,
) -> None:
    """Writes the trail, or an entity's chain, to a file, anchored first. Raises OperatorError."""
    chain = None
    if entity is not None:
        with database.read() as connection:
            chain = connection.execute(select(ENTITIES.c.id).where(ENTITIES.c.key == entity)).scalar()
        if chain is None:
            raise OperatorError(
                f"There is no entity '{entity}' in the register: see 'python -m bot register export'."
            )
    body = {"entity": chain, "personal": personal}
    with database.write() as connection:
        append(connection, keyring, HOUSE, Entry("audit.export", body=body), now)
    trail.anchor(database, keyring, outlets, now)
    with database.read() as connection:
        lines = trail.export(connection, keyring, now, chain=chain, entity=entity, personal=personal)
        save(file, (f"{line}\n" for line in lines))


def save(file: Path, pieces: Iterable[str]) -> None:
    """Writes a file for the operator's eyes only. Raises ConfigurationError, one line."""
    try:
        privatefile.write(file, pieces)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(f"{file} cannot be written ({reason}): choose another path.") from error

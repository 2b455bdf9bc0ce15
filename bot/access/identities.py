"""Identities and their national numbers as rows: made, found by the keyed index, changed with history.

The number is encrypted under the identity's own data key, so that destroying that key erases it everywhere
(`security.md`, "Privacy"). While the index's key turns, its hash is kept and looked up under every version at hand, so
that no number is given twice.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update

from bot.access.rows import BLINDS, IDENTITIES, NUMBERS
from bot.errors import OperatorError
from bot.store.crypto import IdentityKeys, blind_index, number_place, refuse_older
from bot.store.ids import new_id
from bot.store.keys import Keyring


def create(connection: Connection, keyring: Keyring, now: datetime, *, key: str | None = None) -> str:
    """A new identity with a data key; `key` is the register file's, people made in chat get one too. Its id."""
    identity = new_id()
    connection.execute(
        insert(IDENTITIES).values(id=identity, key=key or f"p-{identity}", created_at=now, erased_at=None)
    )
    IdentityKeys(connection, keyring).create(identity)
    return identity


def by_key(connection: Connection, person: str) -> str:
    """The identity with this register key. Raises OperatorError, one line."""
    query = select(IDENTITIES.c.id).where(IDENTITIES.c.key == person, IDENTITIES.c.erased_at.is_(None))
    identity = connection.execute(query).scalar()
    if identity is None:
        raise OperatorError(
            f"There is no person '{person}' in the register: see 'python -m bot register export'."
        )
    return str(identity)


def by_number(connection: Connection, keyring: Keyring, digits: str) -> str | None:
    """The identity that has, or had, this national number."""
    query = select(NUMBERS.c.identity_id).where(is_number(keyring, digits))
    return connection.execute(query).scalar()


def is_number(keyring: Keyring, digits: str) -> ColumnElement[bool]:
    """The condition that a row of `national_numbers` is this number, whichever version of the key its hash is under."""
    blinds = [blind_index(keyring, digits, version) for version in keyring.versions]
    return NUMBERS.c.id.in_(select(BLINDS.c.number_id).where(BLINDS.c.blind.in_(blinds)))


def number_row(connection: Connection, identity: str) -> str | None:
    """The id of the row with the identity's present number."""
    query = select(NUMBERS.c.id).where(NUMBERS.c.identity_id == identity, NUMBERS.c.until.is_(None))
    return connection.execute(query.order_by(NUMBERS.c.since.desc(), NUMBERS.c.id)).scalar()


def digits_of(connection: Connection, keyring: Keyring, row: str) -> str:
    """The 11 digits of a row of `national_numbers`. Raises Unreadable where the data key is destroyed."""
    found = connection.execute(
        select(NUMBERS.c.identity_id, NUMBERS.c.ciphertext).where(NUMBERS.c.id == row)
    ).one()
    return IdentityKeys(connection, keyring).unseal(found.identity_id, found.ciphertext, number_place(row))


def set_number(connection: Connection, keyring: Keyring, identity: str, digits: str, now: datetime) -> str:
    """Gives the identity this number from now on; the one before stays as history. The id of its row.

    A number that it had before is taken up again. The caller has seen that nobody else has it.
    """
    present = number_row(connection, identity)
    if present is not None and digits_of(connection, keyring, present) == digits:
        return present
    if present is not None:
        connection.execute(update(NUMBERS).where(NUMBERS.c.id == present).values(until=now))
    former = connection.execute(select(NUMBERS.c.id).where(is_number(keyring, digits))).scalar()
    if former is not None:
        connection.execute(update(NUMBERS).where(NUMBERS.c.id == former).values(since=now, until=None))
        return str(former)
    return add_number(connection, keyring, identity, digits, now)


def add_number(connection: Connection, keyring: Keyring, identity: str, digits: str, now: datetime) -> str:
    """The first number of an identity, or one that nobody ever had; the id of its row.

    Raises KeyMissing where a newer root key is in use: a hash under an old version alone could be given twice.
    """
    refuse_older(connection, keyring)
    row = new_id()
    connection.execute(
        insert(NUMBERS).values(
            id=row,
            identity_id=identity,
            ciphertext=IdentityKeys(connection, keyring).seal(identity, digits, number_place(row)),
            since=now,
            until=None,
        )
    )
    blinds = [
        {"blind": blind_index(keyring, digits, version), "number_id": row, "key_version": version}
        for version in keyring.versions
    ]
    connection.execute(insert(BLINDS), blinds)
    return row

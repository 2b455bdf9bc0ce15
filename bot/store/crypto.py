"""Encryption of columns: AES-256-GCM, with the place in the associated data, so that no value can be moved to another row.

A sealed value is: one byte of format, two of key version, twelve of nonce, the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, func, insert, select

from bot.errors import KeyMissing
from bot.store.keys import KEPT, SIZE, Keyring, Purpose
from bot.store.tables import DataKey, KeptKey, KeyCheck, NationalNumber, core
from bot.store.upsert import insert_new

FORMAT = 1
NONCE = 12
PROBE = b"accessbot"
_data_keys = core(DataKey)
_checks = core(KeyCheck)
_kept = core(KeptKey)


class Unreadable(Exception):
    """A sealed value that this key and place do not open: it was altered, moved, or its key is destroyed."""


def _seal(key: bytes, version: int, plain: bytes, place: str) -> bytes:
    head = bytes([FORMAT]) + version.to_bytes(2, "big")
    nonce = secrets.token_bytes(NONCE)
    return head + nonce + AESGCM(key).encrypt(nonce, plain, head + place.encode())


def _open(key: bytes, sealed: bytes, place: str) -> bytes:
    head, nonce, rest = sealed[:3], sealed[3 : 3 + NONCE], sealed[3 + NONCE :]
    try:
        return AESGCM(key).decrypt(nonce, rest, head + place.encode())
    except (InvalidTag, ValueError):
        raise Unreadable(place) from None


def seal(keyring: Keyring, purpose: Purpose, plain: bytes, place: str) -> bytes:
    """Encrypts under the current version; `place` names table, column and row."""
    return _seal(keyring.key(purpose), keyring.current, plain, place)


def unseal(keyring: Keyring, purpose: Purpose, sealed: bytes, place: str) -> bytes:
    """The inverse of `seal`, under the version that wrote it. Raises Unreadable or KeyMissing."""
    if len(sealed) < 3 + NONCE or sealed[0] != FORMAT:
        raise Unreadable(place)
    return _open(keyring.key(purpose, int.from_bytes(sealed[1:3], "big")), sealed, place)


def seal_json(keyring: Keyring, purpose: Purpose, value: Any, place: str) -> bytes:
    """A JSON value, encrypted."""
    return seal(
        keyring, purpose, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), place
    )


def unseal_json(keyring: Keyring, purpose: Purpose, sealed: bytes, place: str) -> Any:
    """The inverse of `seal_json`."""
    return json.loads(unseal(keyring, purpose, sealed, place))


def blind_index(keyring: Keyring, digits: str, version: int | None = None) -> bytes:
    """The keyed hash by which a national number is found again. An unkeyed one would fall in minutes."""
    return hmac.new(keyring.key("blind", version), digits.encode("ascii"), hashlib.sha256).digest()


class IdentityKeys:
    """The data keys of identities, each wrapped by the root's `field` key. Whoever's is destroyed can be read no more."""

    def __init__(self, connection: Connection, keyring: Keyring) -> None:
        self._connection = connection
        self._keyring = keyring
        self._fetched: dict[str, bytes] = {}

    def fetch(self, identities: Collection[str]) -> None:
        """Reads the keys of many in one statement; those fetched before are let go of."""
        query = select(_data_keys.c.identity_id, _data_keys.c.wrapped)
        rows = self._connection.execute(query.where(_data_keys.c.identity_id.in_(identities)))
        self._fetched = {row.identity_id: row.wrapped for row in rows}

    def create(self, identity: str) -> None:
        """A new data key for a new identity."""
        wrapped = seal(self._keyring, "field", secrets.token_bytes(SIZE), data_key_place(identity))
        self._connection.execute(insert(_data_keys).values(identity_id=identity, wrapped=wrapped))

    def destroy(self, identity: str) -> None:
        """From now on nothing sealed for this identity opens."""
        self._connection.execute(delete(_data_keys).where(_data_keys.c.identity_id == identity))

    def seal(self, identity: str, plain: str, place: str) -> bytes:
        """Encrypts under the identity's own key. Raises Unreadable where that was destroyed."""
        return _seal(self._key(identity), 0, plain.encode(), place)

    def unseal(self, identity: str, sealed: bytes, place: str) -> str:
        """The inverse of `seal`."""
        return _open(self._key(identity), sealed, place).decode()

    def _key(self, identity: str) -> bytes:
        wrapped = (
            self._fetched.get(identity)
            or self._connection.execute(
                select(_data_keys.c.wrapped).where(_data_keys.c.identity_id == identity)
            ).scalar()
        )
        if wrapped is None:
            raise Unreadable(data_key_place(identity))
        return unseal(self._keyring, "field", wrapped, data_key_place(identity))


def number_place(row: str) -> str:
    """Where a national number stands, for its associated data."""
    return f"{NationalNumber.__tablename__}.ciphertext:{row}"


def data_key_place(identity: str) -> str:
    """Where a data key stands."""
    return f"{DataKey.__tablename__}.wrapped:{identity}"


# -- keys that outlive their root -----------------------------------------------------------------


def house_key(connection: Connection, keyring: Keyring, name: str) -> bytes:
    """A key of the house that never turns, made at its first use; wrapped anew when the root turns."""
    present = select(_kept.c.wrapped).where(_kept.c.name == name)
    wrapped = connection.execute(present).scalar()
    if wrapped is None:
        fresh = seal(keyring, "field", secrets.token_bytes(SIZE), kept_place(name))
        insert_new(connection, _kept, {"name": name, "wrapped": fresh})
        wrapped = connection.execute(present).scalar_one()
    return unseal(keyring, "field", wrapped, kept_place(name))


def known_house_key(connection: Connection, keyring: Keyring, name: str) -> bytes | None:
    """The same for whoever only reads: None where it was never used."""
    wrapped = connection.execute(select(_kept.c.wrapped).where(_kept.c.name == name)).scalar()
    return None if wrapped is None else unseal(keyring, "field", wrapped, kept_place(name))


def keep_keys(connection: Connection, keyring: Keyring) -> None:
    """Wraps what outlives the older versions of the root key under the newest, before these are dropped."""
    for version in keyring.versions:
        for purpose in KEPT:
            if version != keyring.current:
                name = f"{purpose}/{version}"
                wrapped = seal(keyring, "field", keyring.key(purpose, version), kept_place(name))
                insert_new(connection, _kept, {"name": name, "wrapped": wrapped})


def kept_place(name: str) -> str:
    """Where a kept key stands."""
    return f"{KeptKey.__tablename__}.wrapped:{name}"


def _learn(connection: Connection, keyring: Keyring) -> None:
    purposes: dict[str, Purpose] = {purpose: purpose for purpose in KEPT}
    for row in connection.execute(select(_kept.c.name, _kept.c.wrapped)):
        kind, _, version = row.name.partition("/")
        if kind in purposes and int(version) not in keyring.versions:
            key = unseal(keyring, "field", row.wrapped, kept_place(row.name))
            keyring.keep(purposes[kind], int(version), key)


# -- is it the right key? -------------------------------------------------------------------------


def check_keyring(connection: Connection, keyring: Keyring, now: datetime) -> None:
    """Sees that the root key is the one that wrote the data, notes a version that is used for the first time, and gives
    the keyring the derived keys that outlived their version.

    Raises KeyMissing, one line, for a key that does not open what is there.
    """
    known = select(_checks.c.version).where(_checks.c.version == keyring.current)
    if connection.execute(known).first() is None:
        probe = seal(keyring, "field", PROBE, _probe_place(keyring.current))
        insert_new(connection, _checks, {"version": keyring.current, "probe": probe, "made_at": now})
    # after noting, never before: a process that starts at the same moment may note this version first, under another
    # key, between a look and the next; what a refused one noted is rolled back with its transaction
    _refuse_others(connection, keyring)
    _learn(connection, keyring)


def refuse_older(connection: Connection, keyring: Keyring) -> None:
    """Raises KeyMissing where a newer version is in use than this process has: what lasts would be written twice."""
    newest = connection.execute(select(func.max(_checks.c.version))).scalar()
    if newest is not None and newest > keyring.current:
        raise KeyMissing(
            f"Version {newest} of the root key is in use and this process only has version {keyring.current}: add its line to the key file and restart."
        )


def _refuse_others(connection: Connection, keyring: Keyring) -> None:
    for row in connection.execute(select(_checks)):
        if row.retired_at is not None and row.version not in keyring.versions:
            continue
        if row.version not in keyring.versions and row.version > keyring.current:
            refuse_older(connection, keyring)
        if row.version not in keyring.versions and keyring.current > row.version:
            raise KeyMissing(
                f"Version {row.version} of the root key is missing, and data is still written under it: put its line back into the key file, and run 'python -m bot keys rotate' before it is dropped."
            )
        if not _opens(keyring, row.version, row.probe):
            raise KeyMissing(
                f"The root key is not the one that wrote this database (version {row.version}): set the right key, or another ACCESSBOT_DATABASE_URL."
            )


def _opens(keyring: Keyring, version: int, probe: bytes) -> bool:
    try:
        return unseal(keyring, "field", probe, _probe_place(version)) == PROBE
    except Unreadable:
        return False


def _probe_place(version: int) -> str:
    return f"key_checks.probe:{version}"

"""Encryption of columns: AES-256-GCM, with the place in the associated data, so that no value can be moved to another row.

A sealed value is: one byte of format, two of key version, twelve of nonce, the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, delete, insert, select

from bot.errors import KeyMissing
from bot.store.keys import SIZE, Keyring, Purpose
from bot.store.tables import DataKey, KeyCheck, NationalNumber, core
from bot.store.upsert import insert_new

FORMAT = 1
NONCE = 12
PROBE = b"accessbot"
_data_keys = core(DataKey)
_checks = core(KeyCheck)


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

    def create(self, identity: str) -> None:
        """A new data key for a new identity."""
        wrapped = seal(self._keyring, "field", secrets.token_bytes(SIZE), f"data_keys.wrapped:{identity}")
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
        wrapped = self._connection.execute(
            select(_data_keys.c.wrapped).where(_data_keys.c.identity_id == identity)
        ).scalar()
        if wrapped is None:
            raise Unreadable(f"data_keys.wrapped:{identity}")
        return unseal(self._keyring, "field", wrapped, f"data_keys.wrapped:{identity}")


def number_place(row: str) -> str:
    """Where a national number stands, for its associated data."""
    return f"{NationalNumber.__tablename__}.ciphertext:{row}"


def check_keyring(connection: Connection, keyring: Keyring, now: datetime) -> None:
    """Sees that the root key is the one that wrote the data; notes a version that is used for the first time.

    Raises KeyMissing, one line, for a key that does not open what is there.
    """
    _refuse_others(keyring, known := _probes(connection))
    if keyring.current not in known:
        probe = seal(keyring, "field", PROBE, _probe_place(keyring.current))
        insert_new(connection, _checks, {"version": keyring.current, "probe": probe, "made_at": now})
        # again: a process that starts at the same moment may have noted this version first, under another key
        _refuse_others(keyring, _probes(connection))


def _refuse_others(keyring: Keyring, probes: dict[int, bytes]) -> None:
    for version, probe in probes.items():
        if not _opens(keyring, version, probe):
            raise KeyMissing(
                f"The root key is not the one that wrote this database (version {version}): set the right key, or another ACCESSBOT_DATABASE_URL."
            )


def _probes(connection: Connection) -> dict[int, bytes]:
    return {row.version: row.probe for row in connection.execute(select(_checks.c.version, _checks.c.probe))}


def _opens(keyring: Keyring, version: int, probe: bytes) -> bool:
    if version not in keyring.versions:
        return False
    try:
        return unseal(keyring, "field", probe, _probe_place(version)) == PROBE
    except Unreadable:
        return False


def _probe_place(version: int) -> str:
    return f"key_checks.probe:{version}"

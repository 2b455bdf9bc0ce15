"""Signed anchors: how far each chain of the audit trail went at an instant, kept outside the database.

Whoever holds the database and the root key could write a whole chain anew; an anchor that he cannot reach tells. It is
signed with Ed25519, under a key derived from the root, so that an auditor verifies it with the public key alone. Each
chain that moved gets a line of its own; the newest of each also stays in the database, so that the next one goes on
from there instead of reading ten years again.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from errno import ENOSPC
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, delete, insert, select

from bot.errors import AuditBroken, ConfigurationError
from bot.store.keys import Keyring
from bot.store.tables import AuditAnchor, core

PREFIX = "abp1"
_anchors = core(AuditAnchor)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Chain `chain` went up to entry `seq` at `at`; its keyed hash, and the digest of all up to it.

    With `cut`, retention took the entries up to `seq` away.
    """

    chain: str
    seq: int
    cut: bool
    at: datetime
    mac: bytes
    digest: bytes
    key_version: int
    signature: bytes = b""

    def signed_text(self) -> bytes:
        """What the signature covers."""
        return b"accessbot anchor\n" + _line({**_plain(self), "signature": None}).encode()


class Outlet(Protocol):
    """A place outside the database that takes anchors: a file; a mailbox."""

    def publish(self, anchors: Sequence[Anchor], connection: Connection) -> None:
        """Takes them for good, in the transaction that remembers them, or raises OperatorError. To take one twice does no harm."""
        ...


# -- signatures -----------------------------------------------------------------------------------


class Signers:
    """The public keys by which anchors are verified, by their version."""

    def __init__(self, keys: Mapping[int, Ed25519PublicKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def of(cls, keyring: Keyring) -> Signers:
        """Those of a root key and of its dropped versions."""
        versions = keyring.versions_of("anchor")
        return cls({version: _private(keyring.key("anchor", version)).public_key() for version in versions})

    @classmethod
    def parsed(cls, lines: Iterable[str]) -> Signers:
        """From the lines that `texts` gives. Raises ConfigurationError, one line."""
        keys = {}
        for line in lines:
            version, _, rest = line.strip().partition(":")
            prefix, _, text = rest.partition(":")
            try:
                raw = base64.urlsafe_b64decode(text.encode("ascii"))
                keys[int(version)] = Ed25519PublicKey.from_public_bytes(raw)
            except ValueError:
                prefix = ""
            if prefix != PREFIX:
                raise ConfigurationError(
                    f"'{line[:20]}' is no public key of anchors: copy a line of 'python -m bot audit key', such as 1:{PREFIX}:…"
                )
        return cls(keys)

    def texts(self) -> list[str]:
        """One line for each version."""
        return [
            f"{version}:{PREFIX}:{base64.urlsafe_b64encode(key.public_bytes_raw()).decode('ascii')}"
            for version, key in sorted(self._keys.items())
        ]

    def signed(self, anchor: Anchor) -> bool:
        """Whether the signature is one of these keys'."""
        return self.vouches(anchor.key_version, anchor.signature, anchor.signed_text())

    def vouches(self, version: int, signature: bytes, text: bytes) -> bool:
        """Whether the key of that version signed the text."""
        key = self._keys.get(version)
        if key is None:
            return False
        try:
            key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


def signed(keyring: Keyring, anchor: Anchor) -> Anchor:
    """The anchor with its signature, under the newest version."""
    unsigned = replace(anchor, key_version=keyring.current)
    return replace(unsigned, signature=signature(keyring, unsigned.signed_text()))


def signature(keyring: Keyring, text: bytes) -> bytes:
    """The newest version's signature of a text."""
    return _private(keyring.key("anchor")).sign(text)


@cache
def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


# -- in the database ------------------------------------------------------------------------------


def inside(connection: Connection) -> list[Anchor]:
    """Those that stand in the database: the newest of each chain, and what was cut."""
    rows = connection.execute(select(_anchors).order_by(_anchors.c.chain, _anchors.c.seq))
    return [Anchor(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented attribute


def remember(connection: Connection, anchors: Iterable[Anchor]) -> None:
    """Keeps the newest of a chain in place of the one before; of cuts too."""
    for anchor in anchors:
        older = (_anchors.c.chain == anchor.chain, _anchors.c.cut == anchor.cut, _anchors.c.seq <= anchor.seq)
        newer = (_anchors.c.chain == anchor.chain, _anchors.c.cut == anchor.cut, _anchors.c.seq > anchor.seq)
        # two processes may anchor at once: the one that read more stays
        if connection.execute(select(_anchors.c.seq).where(*newer)).first() is None:
            connection.execute(delete(_anchors).where(*older))
            connection.execute(insert(_anchors).values(**asdict(anchor)))


# -- in a file ------------------------------------------------------------------------------------


class AnchorFile:
    """A file of anchors, one a line, only ever added to. Best on a disk that the database's owner cannot write anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def publish(self, anchors: Sequence[Anchor], connection: Connection | None = None) -> None:
        """Adds them and waits for the disk. Raises ConfigurationError, one line."""
        text = "".join(f"{to_text(anchor)}\n" for anchor in anchors).encode()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                _mend(file)
                if os.write(file, text) != len(text):
                    raise OSError(ENOSPC, os.strerror(ENOSPC))
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise self._unwritable(error.strerror or type(error).__name__) from error

    def check(self, signers: Signers) -> int | None:
        """How many anchors are in it, all signed; None where the file is not made yet. Writes nothing.

        Raises ConfigurationError where it could not be added to, and as `read` does.
        """
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_APPEND))
        except FileNotFoundError:
            folder = next(each for each in self._path.absolute().parents if each.exists())
            if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
                raise self._unwritable(f"no file can be made in {folder}") from None
            return None
        except OSError as error:
            raise self._unwritable(error.strerror or type(error).__name__) from error
        return len(self.read(signers))

    def _unwritable(self, reason: str) -> ConfigurationError:
        return ConfigurationError(
            f"The anchors at {self._path} cannot be written ({reason}): check ACCESSBOT_AUDIT_ANCHORS."
        )

    def read(self, signers: Signers) -> list[Anchor]:
        """All of them. Raises AuditBroken for one that is not signed, ConfigurationError where there is no such file.

        A last line without its end was torn by a power cut and is passed over: what it said is said again.
        """
        try:
            *lines, _ = self._path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigurationError(
                f"The anchors at {self._path} cannot be read ({reason}): check the path."
            ) from error
        found = []
        for number, line in enumerate(lines, 1):
            anchor = from_text(line)
            if anchor is None or not signers.signed(anchor):
                raise AuditBroken(
                    f"Line {number} of the anchors at {self._path} is not signed by this key: it was altered, or another key wrote it."
                )
            found.append(anchor)
        return found


def _mend(file: int) -> None:
    """Takes away the end of a line that a power cut tore."""
    size = os.fstat(file).st_size
    whole = os.pread(file, size, 0).rfind(b"\n") + 1
    if whole < size:
        os.ftruncate(file, whole)


def to_text(anchor: Anchor) -> str:
    """One line of JSON."""
    return _line(_plain(anchor))


def from_text(line: str) -> Anchor | None:
    """The inverse of `to_text`; None for anything else."""
    try:
        plain = json.loads(line)
        return Anchor(
            chain=str(plain["chain"]),
            seq=int(plain["seq"]),
            cut=bool(plain["cut"]),
            at=datetime.fromisoformat(plain["at"]),
            mac=bytes.fromhex(plain["mac"]),
            digest=bytes.fromhex(plain["digest"]),
            key_version=int(plain["key_version"]),
            signature=bytes.fromhex(plain["signature"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _plain(anchor: Anchor) -> dict[str, Any]:
    plain: dict[str, Any] = asdict(anchor)
    hexed = {name: plain[name].hex() for name in ("mac", "digest", "signature")}
    return {**plain, "at": anchor.at.isoformat(), **hexed}


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

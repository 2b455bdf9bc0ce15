"""The root key and what is derived from it. The only module that sees key material; nothing here shows any.

A root key is 32 random bytes, written `abk1:` + base64url of the key and four bytes of checksum. A key file or variable
may hold several, one a line as `version:key`, the newest for writing, the others to read what was written before; a
line without a version is version 1. HKDF-SHA256 derives one key for each purpose, so that none stands for another
(`security.md`, "Keys"). A few derived keys outlive their root: they are kept in the database (`crypto.check_keyring`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import KeyMissing

Purpose = Literal["field", "blind", "audit", "anchor", "callback", "state", "webhook", "proof", "oidc"]
KEPT: tuple[Purpose, ...] = ("audit", "anchor", "callback", "blind")
"""What is needed after its version of the root key was dropped: to verify old entries and anchors of the audit trail, to
understand buttons of old messages, to tell whether the register still shows what a register file wrote."""
PREFIX = "abk1:"
SIZE = 32
NEWEST = 65_535
"""The highest version: a sealed value has two bytes for it."""
HOW = "make one with 'python -m bot keys new' and set ACCESSBOT_ROOT_KEY or ACCESSBOT_ROOT_KEY_FILE"


def new_root_key(version: int | None = None) -> str:
    """A new root key in its text form; with a version, as a line to add to the key file."""
    text = _text(secrets.token_bytes(SIZE))
    return text if version is None else f"{version}:{text}"


class Keyring:
    """All versions of the root key. `current` is the version that writes."""

    def __init__(self, roots: dict[int, bytes]) -> None:
        if not roots:
            raise KeyMissing(f"There is no root key: {HOW}.")
        self._roots = dict(roots)
        self._kept: dict[tuple[Purpose, int], bytes] = {}
        self.current = max(roots)

    @property
    def versions(self) -> tuple[int, ...]:
        """All versions at hand, oldest first."""
        return tuple(sorted(self._roots))

    def key(self, purpose: Purpose, version: int | None = None) -> bytes:
        """The 32 bytes of a purpose; raises KeyMissing for a version that is not at hand."""
        root = self._roots.get(version or self.current)
        if root is not None:
            return _derived(root, purpose)
        if (kept := self._kept.get((purpose, version or 0))) is not None:
            return kept
        raise KeyMissing(
            f"Version {version} of the root key is missing: data was written with it. Add its line to the key file."
        )

    def keep(self, purpose: Purpose, version: int, key: bytes) -> None:
        """From now on this derived key is at hand though its root may not be."""
        self._kept[purpose, version] = key

    def versions_of(self, purpose: Purpose) -> tuple[int, ...]:
        """The versions under which a key of this purpose is at hand, oldest first: with those that were kept."""
        return tuple(sorted({*self._roots, *(version for kept, version in self._kept if kept == purpose)}))

    def __repr__(self) -> str:
        return f"Keyring(versions={self.versions})"

    @classmethod
    def of(cls, text: str | None, file: Path | None = None) -> Keyring:
        """The keyring from the text of ACCESSBOT_ROOT_KEY, else from a file. Raises KeyMissing, one line each."""
        if text is None and file is not None:
            try:
                text = file.read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise KeyMissing(
                    f"The root key file {file} cannot be read ({type(error).__name__}): check ACCESSBOT_ROOT_KEY_FILE."
                ) from error
        if not text or not text.strip():
            raise KeyMissing(f"There is no root key: {HOW}.")
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        roots: dict[int, bytes] = {}
        for number, line in enumerate(lines, 1):
            version, key = _parsed(line, number)
            if version in roots:
                raise KeyMissing(
                    f"Version {version} of the root key stands twice (line {number}): a further one needs the next number, 'python -m bot keys new --version {version + 1}'."
                )
            roots[version] = key
        return cls(roots)


def _parsed(line: str, number: int) -> tuple[int, bytes]:
    version, colon, rest = line.partition(":")
    if not colon or not version.isdecimal():
        return 1, _bytes(line, number)
    if len(version) > len(str(NEWEST)) or not 0 < int(version) <= NEWEST:
        raise KeyMissing(
            f"The root key (line {number}) has a version that is not between 1 and {NEWEST}: count up from 1."
        )
    return int(version), _bytes(rest, number)


def _text(key: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(key + _checksum(key)).decode("ascii")


def _bytes(text: str, number: int) -> bytes:
    wrong = f"The root key (line {number}) is not whole: it starts with '{PREFIX}' and has {len(_text(bytes(SIZE)))} characters. Copy it again"
    try:
        raw = base64.urlsafe_b64decode(text.strip().removeprefix(PREFIX).encode("ascii"))
    except (ValueError, binascii.Error) as error:
        raise KeyMissing(f"{wrong}, or {HOW}.") from error
    key, checksum = raw[:SIZE], raw[SIZE:]
    if (
        not text.strip().startswith(PREFIX)
        or len(key) != SIZE
        or not hmac.compare_digest(checksum, _checksum(key))
    ):
        raise KeyMissing(f"{wrong}, or {HOW}.")
    return key


def _checksum(key: bytes) -> bytes:
    return hashlib.sha256(b"accessbot root key" + key).digest()[:4]


@cache
def _derived(root: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=SIZE, salt=None, info=f"accessbot {purpose}".encode()).derive(root)

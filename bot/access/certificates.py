"""Certificates as they are uploaded: what is in a file, and why it is not taken. Pure.

A certificate is public, its private key is nobody's to send: a file that bears one is told apart first (`bears_key`), so that its
message can go from the chat. X.509 is RFC 5280, PEM is RFC 7468. The file may come from anybody: sizes are bounded before it is
parsed, and whatever the parser says is one sentence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization

from bot.access.identifiers import contains_niss
from bot.access.periods import brussels_day
from bot.errors import Invalid
from bot.msg import m

MAX_BYTES = 16 * 1024
"""A certificate has one or two thousand bytes; a chain of them a few more."""
WARNED = (60, 30, 7)
"""Days before the end on which the managers are told."""
SHOWN = 160
"""Characters of a name that are shown."""
KEY_FILES = (".p12", ".pfx", ".key", ".jks", ".keystore", ".ppk", ".p8", ".pkcs12")
"""Names of files that hold private keys, whatever is in them."""
_PEM_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File")
_PEM = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----.+?-----END (?:X509 |TRUSTED )?CERTIFICATE-----",
    re.DOTALL,
)
_MALFORMED = (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm)
_JKS = b"\xfe\xed\xfe\xed"
_PKCS7_DATA = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
"""The object identifier 1.2.840.113549.1.7.1, with which a PKCS #12 file (RFC 7292) begins after its version."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. `fingerprint` is the SHA-256 of its DER form, 64 hexadecimal digits."""

    subject: str
    issuer: str
    begins: datetime
    ends: datetime
    fingerprint: str

    def state(self, now: datetime) -> str:
        """active, soon (within the first warning), to_come or expired."""
        return state_of(self.begins, self.ends, now)


def state_of(begins: datetime, ends: datetime, now: datetime) -> str:
    """The state of a certificate that is valid between these instants: active, soon, to_come, expired."""
    if ends <= now:
        return "expired"
    if begins > now:
        return "to_come"
    return "soon" if ends - now <= timedelta(days=WARNED[0]) else "active"


def grouped(fingerprint: str) -> str:
    """A fingerprint as programs show it: in pairs, in capitals."""
    return ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2)).upper()


def names_key(name: str) -> bool:
    """Whether a file of this name holds a private key."""
    return name.lower().endswith(KEY_FILES)


def bears_key(data: bytes) -> bool:
    """Whether there is a private key in the file: in PEM, in DER, or in a PKCS #12 or Java key store."""
    if _PEM_KEY.search(data) or data.startswith(_JKS):
        return True
    if data[:1] != b"\x30":
        return False
    if b"\x02\x01\x03" in data[:8] and _PKCS7_DATA in data[:40]:
        return True
    try:
        serialization.load_der_private_key(data, None)
    except TypeError:
        return True  # it takes a password
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def read_certificate(data: bytes, now: datetime) -> Certificate:
    """The one certificate in the file. Raises Invalid, with what is wrong and what is expected."""
    if len(data) > MAX_BYTES:
        raise Invalid(m("certificate.too_large", max=MAX_BYTES // 1024))
    if bears_key(data):
        raise Invalid(m("engine.key"))
    if (blocks := len(_PEM.findall(data))) > 1:
        raise Invalid(m("certificate.several", n=blocks))
    try:
        found = _parsed(data)
        read = Certificate(
            _shown(found.subject),
            _shown(found.issuer),
            found.not_valid_before_utc,
            found.not_valid_after_utc,
            found.fingerprint(hashes.SHA256()).hex(),
        )
    except _MALFORMED:
        raise Invalid(m("certificate.unreadable")) from None
    if bears_number(data, brussels_day(now)):
        raise Invalid(m("engine.card"))
    if read.ends <= now:
        raise Invalid(m("certificate.expired", day=brussels_day(read.ends)))
    return read


def bears_number(data: bytes, today: date) -> bool:
    """Whether a national number stands in the certificate's names, as it does in those of an identity card."""
    try:
        found = _parsed(data)
        names = [str(part.value) for name in (found.subject, found.issuer) for part in name]
    except _MALFORMED:
        return False
    return any(contains_niss(text, today=today) for text in names)


def _parsed(data: bytes) -> x509.Certificate:
    """Raises one of `_MALFORMED`."""
    blocks = _PEM.findall(data)
    return x509.load_pem_x509_certificate(blocks[0]) if blocks else x509.load_der_x509_certificate(data)


def _shown(name: x509.Name) -> str:
    """A distinguished name as one line, without what would not be seen or turns the line around."""
    line = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in name.rfc4514_string())
    line = " ".join(line.split())
    return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"

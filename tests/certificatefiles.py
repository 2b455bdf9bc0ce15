"""Certificates made for a test, with whatever is wrong in them. All of it is made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NISS = "79082399728"


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def certificate(
    name: str = "Chaman Midi", days: int = 365, since: int = -1, niss: str = ""
) -> x509.Certificate:
    """Good from `since` to `days` days after `NOW`; with `niss`, as on an identity card."""
    parts = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
    parts += [x509.NameAttribute(x509.NameOID.SERIAL_NUMBER, niss)] if niss else []
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Essai CA")])
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(parts))
        .issuer_name(issuer)
        .public_key(key().public_key())
        .serial_number(1000 + days)
        .not_valid_before(NOW + since * DAY)
        .not_valid_after(NOW + days * DAY)
        .sign(key(), hashes.SHA256())
    )


def der(name: str = "Chaman Midi", days: int = 365, since: int = -1, niss: str = "") -> bytes:
    return certificate(name, days, since, niss).public_bytes(Encoding.DER)


def pem(name: str = "Chaman Midi", days: int = 365, since: int = -1, niss: str = "") -> bytes:
    return certificate(name, days, since, niss).public_bytes(Encoding.PEM)


def private(encoding: Encoding = Encoding.PEM, password: bytes = b"") -> bytes:
    """The private key, locked with the password if there is one."""
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return key().private_bytes(encoding, PrivateFormat.PKCS8, lock)


def keystore(password: bytes = b"") -> bytes:
    """A PKCS #12 file with key and certificate."""
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"x", key(), certificate(), None, lock)

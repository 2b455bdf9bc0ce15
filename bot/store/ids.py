"""Opaque ids: 60 random bits in 12 letters and digits, so that nothing can be read or guessed from one."""

from __future__ import annotations

import base64
import secrets

LENGTH = 12


def new_id() -> str:
    """A new id: 12 characters of lower-case base32."""
    return base64.b32encode(secrets.token_bytes(8)).decode("ascii")[:LENGTH].lower()

"""Anchors by mail: laid in the outbox with what remembers them, so that each leaves the house once it counts.

A mailbox that the database's owner cannot empty keeps them as well as a file does. They hold chains, numbers and signatures, nobody's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.store import outbox
from bot.store.anchors import Anchor, to_text
from bot.store.keys import Keyring


@dataclass(frozen=True, slots=True)
class AnchorPost:
    """An outlet: a mail to this address. The marks of retention's cuts are not mailed: there is one a chain and day."""

    keyring: Keyring
    to: str

    def publish(self, anchors: Sequence[Anchor], connection: Connection) -> None:
        """Lays one mail for all of them."""
        newest = [anchor for anchor in anchors if not anchor.cut]
        if not newest:
            return
        lines = [to_text(anchor) for anchor in newest]
        at = max(anchor.at for anchor in newest)
        payload = {"anchors": lines, "to": self.to, "at": at.isoformat(), "chat": None}
        key = f"anchors:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:32]}"
        outbox.put(connection, self.keyring, key, chat_id=None, kind=outbox.LETTER, payload=payload, now=at)


@dataclass(frozen=True, slots=True)
class AnchorLetter:
    """What such a mail brings: the lines of a file of anchors."""

    to: str
    at: datetime
    lines: tuple[str, ...]


def read(payload: dict[str, Any]) -> AnchorLetter | None:
    """The anchors of a mail's payload; None where it is another mail."""
    if "anchors" not in payload:
        return None
    return AnchorLetter(payload["to"], datetime.fromisoformat(payload["at"]), tuple(payload["anchors"]))

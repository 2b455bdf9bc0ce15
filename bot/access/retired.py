"""User names and register keys of people who were erased: nobody else gets one of them, and nobody can read them.

Kept is a hash under a key of the house that never turns (`crypto.house_key`): a hash under the root could not be
made anew when the root turns, since the name is gone by then.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, select

from bot.access.rows import RETIRED
from bot.store.crypto import house_key, known_house_key
from bot.store.keys import Keyring
from bot.store.upsert import insert_all_new

USERNAME, PERSON = "username", "person"
"""What is retired: a user name, folded; a key of the register file."""
_KEY = "retired"
_BATCH = 500


def retire(connection: Connection, keyring: Keyring, kind: str, names: Iterable[str], now: datetime) -> None:
    """From now on nobody gets these names."""
    key = house_key(connection, keyring, _KEY)
    rows = [{"mac": _mac(key, kind, name), "kind": kind, "retired_at": now} for name in names]
    insert_all_new(connection, RETIRED, rows)


def among(connection: Connection, keyring: Keyring, kind: str, names: Iterable[str]) -> frozenset[str]:
    """Those of `names` that are retired."""
    key = known_house_key(connection, keyring, _KEY)
    if key is None:
        return frozenset()
    macs = {_mac(key, kind, name): name for name in names}
    asked, found = list(macs), set()
    for start in range(0, len(asked), _BATCH):  # SQLite takes so many parameters, not any number
        query = select(RETIRED.c.mac).where(RETIRED.c.mac.in_(asked[start : start + _BATCH]))
        found |= {macs[bytes(mac)] for mac in connection.execute(query).scalars()}
    return frozenset(found)


def _mac(key: bytes, kind: str, name: str) -> bytes:
    return hmac.new(key, f"{kind} {name}".encode(), hashlib.sha256).digest()

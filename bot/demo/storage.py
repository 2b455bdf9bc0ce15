"""Where the local Bot API keeps its state: one SQLite file, or nowhere (tests).

Values are JSON records by kind and key; files are blobs beside them. Writes of one operation are committed
together by `commit`. Imports nothing of ours.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

FILE_NAME = "telegram.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (id TEXT PRIMARY KEY, body BLOB NOT NULL);
"""


class Archive:
    """Records and blobs, in `folder` or in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        name = str(folder / FILE_NAME) if folder is not None else ":memory:"
        self._database = sqlite3.connect(name, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def put(self, kind: str, key: object, body: Any) -> None:
        """Keeps a record; None removes it."""
        if body is None:
            self._database.execute("DELETE FROM records WHERE kind = ? AND key = ?", (kind, str(key)))
        else:
            row = (kind, str(key), json.dumps(body, ensure_ascii=False))
            self._database.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", row)

    def all(self, kind: str) -> list[tuple[str, Any]]:
        """The records of a kind as (key, body)."""
        rows = self._database.execute("SELECT key, body FROM records WHERE kind = ?", (kind,))
        return [(key, json.loads(body)) for key, body in rows]

    def get(self, kind: str, key: object, default: Any = None) -> Any:
        """One record, or `default`."""
        row = self._database.execute(
            "SELECT body FROM records WHERE kind = ? AND key = ?", (kind, str(key))
        ).fetchone()
        return json.loads(row[0]) if row else default

    def put_blob(self, name: str, body: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (name, body))

    def blob(self, name: str) -> bytes | None:
        row = self._database.execute("SELECT body FROM blobs WHERE id = ?", (name,)).fetchone()
        return bytes(row[0]) if row else None

    def commit(self) -> None:
        self._database.commit()

    def wipe(self) -> None:
        """Forgets everything."""
        self._database.execute("DELETE FROM records")
        self._database.execute("DELETE FROM blobs")
        self._database.commit()

    def close(self) -> None:
        self._database.commit()
        self._database.close()

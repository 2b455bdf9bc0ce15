"""A file for the operator's eyes only: written whole or not at all, readable by the program's own user alone."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from bot.store.ids import new_id


def write(file: Path, pieces: Iterable[str]) -> None:
    """Writes the pieces one after the other, mode 0600. Raises OSError."""
    target = file.resolve()
    if target.exists() and not target.is_file():  # a pipe, a terminal
        with target.open("wb") as stream:
            stream.writelines(piece.encode() for piece in pieces)
        return
    beside = target.with_name(f".{target.name}.{new_id()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.writelines(piece.encode() for piece in pieces)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)

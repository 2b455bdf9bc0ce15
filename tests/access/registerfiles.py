"""A small register file, and what loads one, for tests of the register file."""

from __future__ import annotations

from pathlib import Path

import pytest
from bot.access.registerfile import load
from bot.access.rows import ENTITIES
from bot.errors import RegisterFileError
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import select, update
from tests.access.registers import NOW, TODAY

FUNCTION = "collaborator-specialist-physician"
BASE = """
format = 1
[[entity]]
key = "midi"
inami = "710999-11"
denomination = { fr = "Hôpitaux du Midi" }
[[entity.quality]]
key = "hospital"
subdivisions = ["Cardiologie"]
[[entity.quality]]
key = "health-care"
active = false
[[person]]
key = "peeters"
last_name = "Peeters"
first_name = "Jan"
niss = "79.08.23-997.28"
[[person]]
key = "claes"
last_name = "Claes"
first_name = "Mieke"
[[mandate]]
person = "claes"
entity = "midi"
role = "responsible"
[[account]]
person = "peeters"
entity = "midi"
quality = "hospital"
username = "jpeeters"
[[account.grant]]
application = "colindos"
starts_on = 2026-01-15
"""
ACCOUNT = '[[account]]\nperson = "claes"\nentity = "midi"\nquality = "hospital"\n'


class Loader:
    """Loads texts into a database."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path) -> None:
        self.database, self.keyring, self.file = database, keyring, folder / "register.toml"

    def __call__(self, text: str | bytes, **options: bool):
        self.file.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(self.database, self.keyring, self.file, today=TODAY, now=NOW, **options)

    def refused(self, text: str | bytes) -> list[str]:
        with pytest.raises(RegisterFileError) as caught:
            self(text)
        with self.database.read() as connection:
            assert connection.execute(select(ENTITIES)).all() == [], "something was loaded all the same"
        return str(caught.value).splitlines()

    def rows(self, table, **where):
        with self.database.read() as connection:
            query = select(table)
            for name, value in where.items():
                query = query.where(table.c[name] == value)
            return connection.execute(query).all()

    def change(self, table, **values) -> None:
        with self.database.write() as connection:
            connection.execute(update(table).values(**values))

"""Makes `chats-0001.json.gz`: a database with 500 open dialogues, filled by the first program that could be run.

It is not run by the tests, and cannot be by the program of today. To make the file anew:

    git archive 2d24f38 | tar -x -C FOLDER
    for each of fr nl de en: pybabel compile -i FOLDER/locales/fr/LC_MESSAGES/bot.po -o FOLDER/locales/fr/LC_MESSAGES/bot.mo
    PYTHONPATH=FOLDER .venv/bin/python tests/earlier/chats_of_0001.py tests/earlier/chats-0001.json.gz

Each chat is a manager who opened a dialogue and went on at random: buttons of his card, and things typed, in one of four
languages. Nothing is confirmed. Everything is invented; the root key is that of the tests.
"""

from __future__ import annotations

import base64
import gzip
import json
import sys
import tempfile
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import time_machine
from bot.access.rows import BINDINGS
from bot.conversations.engine import settle
from bot.conversations.model import Command, Press, State, Tap, Text
from bot.conversations.registry import ENGINE, FLOWS
from bot.counter import RegisterCounter
from bot.handlers.callbacks import Codes
from bot.handlers.mailroom import callback_keys
from bot.i18n import CatalogueReader
from bot.store import chats
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.schema import upgrade
from bot.turn import Incoming
from bot.turning import Turning, state_of
from sqlalchemy import MetaData, insert, select

from tests.access.registers import NOW, Register

CHATS = 500
FIRST = 7_000_000_001
LANGUAGES = ("fr", "nl", "de", "en")
OPENED = (
    "grant",
    "grant",
    "grant",
    "grant",
    "status",
    "status",
    "me",
    "entity",
    "portal",
    "language",
    "help",
    "privacy",
    "start",
)
TYPED = ("01.09.22-997.08", "79082399728", "Vermeulen", "Tom", "tom.vermeulen@example.org", "Peeters", "zdubois1", "Colindos", "Hospiliss",
         "25-02-2027", "Delcor7", "99", "Zzzzzzz", "31-04-2027")  # fmt: skip
RIGHT = {"entity": ("Midi", "Aube"), "person": ("01.09.22-997.08", "Peeters", "zdubois1"), "last_name": ("Vermeulen",), "first_name": ("Tom",),
         "email": ("tom.vermeulen@example.org",), "applications": ("Colindos", "Hospiliss"), "start": ("25-02-2027",), "end": ("25-03-2027",)}  # fmt: skip
"""Something right to type, by the step that is asked."""
ENDS = {"ok", "cancel", "home"}
"""Buttons that end a dialogue, which is to stay open."""


KEYRING = Keyring({1: bytes(range(32))})
CODES = Codes(callback_keys(KEYRING))


class Walker:
    """One chat, walked at random from its number."""

    def __init__(self, turning: Turning, number: int, updates: Any) -> None:
        self.turning, self.chat, self.updates = turning, FIRST + number, updates
        self.dice = Random(number)
        self.lang = LANGUAGES[number % 4]
        self.view = None
        self.rev = 1

    def does(self, event: Any) -> None:
        number = next(self.updates)
        handled = self.turning.handle(Incoming(number, self.chat, self.chat, event, lang=self.lang))
        if handled.card:
            self.view, self.rev = handled.card.view, handled.card.rev
            self.turning.shown(self.chat, handled.card.seq, number if handled.card.view else None)

    def buttons(self) -> list[Press]:
        rows = self.view.buttons() if self.view else ()
        return [button.action for button in rows if isinstance(button.action, Press)]

    def walks(self) -> None:
        self.does(Command("language", self.lang))
        self.does(Command(self.dice.choice(OPENED)))
        for _ in range(self.dice.randrange(16)):
            luck, step = self.dice.random(), self.stands()["step"]
            ways = [press for press in self.buttons() if press.verb not in ENDS]
            if luck < 0.6 and step in RIGHT:
                self.does(Text(self.dice.choice(RIGHT[step])))
            elif luck < 0.85 and ways:
                press = self.dice.choice([press for press in ways if press.verb == "a"] or ways)
                self.does(Tap(self.rev, press.verb, press.value))
            elif luck < 0.9:
                self.does(Command(self.dice.choice(("help", "status", "grant"))))
            elif ways and luck < 0.95:
                press = self.dice.choice(ways)
                self.does(Tap(self.rev, press.verb, press.value))
            else:
                self.does(Text(self.dice.choice(TYPED)))

    def stands(self) -> dict[str, Any]:
        """Where the chat stands, and its card."""
        database, keyring = self.turning.database, self.turning.keyring
        with database.read() as connection:
            row = chats.peek(connection, keyring, self.chat, NOW)
            assert row
            state: State = state_of(row)
            context = self.turning.context(connection, state, self.chat, self.lang)
            step = settle(FLOWS[state.top.flow], state.top, context).step if state.top else None
        return {
            "chat": self.chat,
            "lang": self.lang,
            "flow": state.top.flow if state.top else None,
            "step": step.key if step else None,
            "frames": [frame.to_json() for frame in state.frames],
            "codes": [CODES.encode(self.chat, self.rev, press) for press in self.buttons()],
        }


def dumped(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, as reflection reads them; bytes are {"b": base64}, days {"d": ISO}."""
    tables = {}
    with database.read() as connection:
        shape = MetaData()
        shape.reflect(connection)
        for table in shape.sorted_tables:
            if rows := [dict(row._mapping) for row in connection.execute(select(table))]:
                tables[table.name] = rows
    return tables


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    raise TypeError(type(value).__name__)


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(NOW, tick=False):
        database, keyring = Database(f"sqlite:///{folder}/earlier.db"), KEYRING
        upgrade(database)
        register = Register(database, keyring, Path(folder))
        bound = {"identity_id": register.person["delcourt"], "how": "invitation", "bound_at": NOW}
        with database.write() as connection:
            for chat in range(FIRST, FIRST + CHATS):
                connection.execute(
                    insert(BINDINGS).values(id=f"b{chat}", telegram_id=chat, chat_id=chat, **bound)
                )
        counter = RegisterCounter(keyring, delay=timedelta(minutes=20))
        turning, updates, stands = (
            Turning(database, keyring, ENGINE, counter, CatalogueReader),
            count(1000),
            [],
        )
        for number in range(CHATS):
            walker = Walker(turning, number, updates)
            walker.walks()
            stands.append(walker.stands())
        tables = dumped(database)
        database.close()
    tables.pop("alembic_version")
    tables.pop("updates", None)  # what was done long ago
    body = json.dumps({"chats": stands, "tables": tables}, default=plain, ensure_ascii=False).encode()
    target.write_bytes(gzip.compress(body, 9, mtime=0))
    print({name: len(rows) for name, rows in tables.items()}, target.stat().st_size)
    print(sorted({(stand["flow"], stand["step"]) for stand in stands}, key=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""500 dialogues that the first program left open go on under this one: on its database, with its states, its cards and their
buttons (`tests/earlier`), upgraded from the first schema. Four of five act on SQLite, the fifth on PostgreSQL.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from datetime import date, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import time_machine
from alembic import command
from bot.access.rows import CHANGES
from bot.access.sessions import SessionRules
from bot.conversations.frames import settle
from bot.conversations.model import Text
from bot.conversations.registry import ENGINE, FLOWS
from bot.counter import RegisterCounter
from bot.handlers.callbacks import Codes
from bot.handlers.mailroom import callback_keys
from bot.i18n import reader
from bot.store import audit, chats
from bot.store.database import Database
from bot.store.schema import _config, check_newest, upgrade
from bot.turn import Incoming
from bot.turning import Turning, language_of, state_of
from sqlalchemy import MetaData, func, select, text
from sqlalchemy.types import Boolean

from tests.conftest import NOW

FILE = Path(__file__).parent / "earlier" / "chats-0001.json.gz"
LATER = NOW + timedelta(days=1)
MOVED = {("portal", "number", "visit"), ("grant", None, "until")}
"""Flow, question then and question now, where they differ: the checklists of one visit are together now; and what is held
already, with an end, is prolonged to a day that is asked.
"""
TYPED = ("Peeters", "Colindos", "25-02-2027", "Vermeulen", "2", "mieke.claes@example.org", "Zzzzzzz")


@cache
def earlier() -> dict[str, Any]:
    """The chats as they stood, and all rows of the database."""
    return json.loads(gzip.decompress(FILE.read_bytes()), object_hook=_value)  # type: ignore[no-any-return]


def _value(found: dict[str, Any]) -> Any:
    match found:
        case {"b": str(coded), **rest} if not rest:
            return base64.b64decode(coded)
        case {"d": str(day), **rest} if not rest:
            return date.fromisoformat(day)
    return found


def filled(url: str) -> Database:
    """A database of the first schema with those rows."""
    database = Database(url)
    with database.rebuild() as connection:
        command.upgrade(_config(connection), "0001")
    shape = MetaData()
    with database.rebuild() as connection:
        shape.reflect(connection)
        if not database.sqlite:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        for name, rows in earlier()["tables"].items():
            table = shape.tables[name]
            truths = [column.name for column in table.c if isinstance(column.type, Boolean)]
            connection.execute(
                table.insert(), [row | {name: bool(row[name]) for name in truths} for row in rows]
            )
        if not database.sqlite:
            for table in shape.sorted_tables:
                for column in table.c:
                    place = text("SELECT pg_get_serial_sequence(:table, :column)")
                    sequence = connection.execute(
                        place, {"table": table.name, "column": column.name}
                    ).scalar()
                    if sequence:
                        most = connection.execute(select(func.coalesce(func.max(column), 1))).scalar()
                        connection.execute(text("SELECT setval(:it, :most)"), {"it": sequence, "most": most})
    return database


class Chat:
    """One of the chats, under the program of today."""

    def __init__(self, turning: Turning, known: dict[str, Any]) -> None:
        self.turning, self.known, self.id = turning, known, known["chat"]

    def state(self):
        """Its dialogues."""
        with self.turning.database.read() as connection:
            return state_of(self._row(connection))

    def stands(self):
        """Its dialogues, the step that is asked, and the card, which is drawn without a turn."""
        with self.turning.database.read() as connection:
            row = self._row(connection)
            state = state_of(row)
            context = self.turning.context(connection, state, self.id, language_of(state, row, ""))
            step = settle(FLOWS[state.top.flow], state.top, context).step if state.top else None
            return state, step.key if step else None, ENGINE.view(state, context)

    def _row(self, connection):
        row = chats.peek(connection, self.turning.keyring, self.id, LATER)
        assert row and row.state is not None
        return row

    def does(self, number, event):
        return self.turning.handle(Incoming(number, self.id, self.id, event, lang=self.known["lang"]))


def unfinished(state) -> set[str]:
    """The open dialogues, kept ones too, in which something is to be done."""
    return {frame.flow for frame in (*state.frames, *state.kept) if FLOWS[frame.flow].submit}


def test_five_hundred_dialogues_of_the_first_program_go_on_where_they_stood(empty_database_url, keyring):
    database = filled(empty_database_url)
    upgrade(database)
    check_newest(database)
    counter = RegisterCounter(keyring, delay=timedelta(minutes=20), sessions=SessionRules(locking=False))
    turning, codes = Turning(database, keyring, ENGINE, counter, reader), Codes(callback_keys(keyring))
    numbers, moved, came, left = count(100_000), Counter(), Counter(), Counter()
    with time_machine.travel(LATER, tick=False):
        for place, known in enumerate(earlier()["chats"]):
            if database.sqlite != bool(place % 5):
                continue  # the other database's
            chat = Chat(turning, known)
            before, step, card = chat.stands()
            assert [frame.flow for frame in before.frames] == [frame["flow"] for frame in known["frames"]]
            assert [dict(frame.answers) for frame in before.frames] == [
                frame["answers"] for frame in known["frames"]
            ]
            assert card is not None and card.rows, known
            if step != known["step"]:
                moved[known["flow"], known["step"], step] += 1
            if place % 2:
                event = codes.decode(chat.id, known["codes"][place % len(known["codes"])])
                assert event.rev == before.rev, "the card sent last counts"
            else:
                event = Text(TYPED[place // 2 % len(TYPED)])
            handled = chat.does(next(numbers), event)
            after, view = chat.state(), handled.card.view if handled.card else None
            assert view is not None, (known, event)
            answered = after != before or handled.toast is not None or view.error is not None
            assert answered, (known, event)
            came[
                "moved" if after.rev > before.rev else "told" if handled.toast or view.error else "shown"
            ] += 1
            for flow in unfinished(before) - unfinished(after):
                left[flow, getattr(event, "verb", "typed")] += 1
        with database.read() as connection:
            assert audit.verify(connection, keyring).broken is None
            assert connection.execute(select(func.count()).select_from(CHANGES)).scalar() == 0
    database.close()
    assert len(earlier()["chats"]) == 500
    assert set(moved) <= MOVED
    assert {flow for flow, how in left if how != "cancel"} <= {"language", "entity"}, (
        "their one answer ends them"
    )
    assert came.total() == (400 if database.sqlite else 100)
    assert came["moved"] > came.total() / 2 and came["told"] > came.total() / 20

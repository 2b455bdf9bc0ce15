"""The machine stops between any two statements of an act: what is on the disk then is what was there before the act.

Before each statement the files of an SQLite database are copied as they are, as a power cut would leave them; every copy is
opened as a process that starts again opens it. (PostgreSQL does the same by its own log; what it shows to others before the
commit is nothing.)
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bot.access.requests import (
    ActOnUsers,
    AssignFunction,
    ChangeEnd,
    CreateUser,
    Done,
    EndAccess,
    MarkDone,
    Request,
)
from bot.store.database import Database
from sqlalchemy import event
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import TODAY, Register, newcomer

FUNCTION = "collaborator-specialist-physician"


@pytest.fixture
def register(tmp_path, keyring):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path)
        database.close()


def at_the_portal(register: Register) -> Request:
    done = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital"))
    assert isinstance(done, Done), done
    return MarkDone(done.number)


ACTS: dict[str, tuple[str, Callable[[Register], Request]]] = {
    "give": ("delcourt", lambda register: register.grant("peeters", "colindos")),
    "give somebody new": (
        "delcourt",
        lambda register: register.welcome("hospiliss"),
    ),
    "create": ("delcourt", lambda register: CreateUser(register.quality["midi/hospital"], newcomer())),
    "end": ("delcourt", lambda register: EndAccess(register.account["peeters"], 1, ("hospiliss",))),
    "move an end": (
        "delcourt",
        lambda register: ChangeEnd(register.account["peeters"], 1, ("hospiliss",), ends_on=date(2027, 6, 30)),
    ),
    "assign": (
        "delcourt",
        lambda register: AssignFunction(register.account["peeters2"], 1, FUNCTION, TODAY),
    ),
    "delete two": (
        "delcourt",
        lambda register: ActOnUsers(
            "delete", ((register.account["peeters"], 1), (register.account["dubois"], 1)), reason="parti"
        ),
    ),
    "tick off": ("kaai", at_the_portal),
}


class Cuts:
    """Copies the database's files before each statement that goes to it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._file = Path(str(database.engine.url.database))
        self._folder = folder
        self.copies: list[Path] = []

    def __call__(self, *_: Any) -> None:
        place = self._folder / f"cut-{len(self.copies)}"
        place.mkdir()
        for suffix in ("", "-wal"):
            source = self._file.with_name(self._file.name + suffix)
            if source.exists():
                shutil.copyfile(source, place / f"register.db{suffix}")
        self.copies.append(place / "register.db")


def contents(file: Path) -> str:
    with sqlite3.connect(file) as connection:
        return "\n".join(connection.iterdump())


@pytest.mark.parametrize("name", ACTS)
def test_cut_off_between_any_two_statements_an_act_has_not_begun(
    register: Register, tmp_path: Path, name: str
):
    person, asks = ACTS[name]
    request = asks(register)
    cuts = Cuts(register.database, tmp_path)
    event.listen(register.database.engine, "before_cursor_execute", cuts)
    outcome = register.does(person, request)
    event.remove(register.database.engine, "before_cursor_execute", cuts)
    assert isinstance(outcome, Done), outcome
    cuts()
    *unfinished, finished = cuts.copies
    assert len(unfinished) > 8
    as_it_was = contents(unfinished[0])
    assert contents(finished) != as_it_was
    assert all(contents(copy) == as_it_was for copy in unfinished), "nothing of it is there"
    for copy in (unfinished[len(unfinished) // 2], unfinished[-1], finished):
        database = Database(f"sqlite:///{copy}")
        with database.read() as connection:
            check_invariants(connection, register.keyring)
        database.close()
    again = Database(f"sqlite:///{unfinished[-1]}")
    register.database, standing = again, register.database
    assert isinstance(register.does(person, request), Done), "and it can be done after the start"
    register.database = standing
    again.close()

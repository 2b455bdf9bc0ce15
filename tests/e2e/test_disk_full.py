"""The disk is full: a change is refused whole, whoever waits is told so, and once there is room again all goes on, without a repair.

The disk is a tmpfs of 4 MB with the SQLite file on it. Mounting takes root; elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from bot.access.requests import Done, Request
from bot.errors import DatabaseUnavailable
from bot.i18n import speaker
from bot.msg import m
from bot.store.database import Database
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import Register
from tests.e2e.world import crowd, plain, user, world

TOLD = plain(speaker("fr").plain(m("turn.away")))
PAGE = 4096
"""Bytes; a tmpfs and SQLite both deal in these."""


class Disk:
    """A small disk. `leaves` fills it up to so many free pages, `empties` takes the filling away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filling = folder / "filling"

    def leaves(self, pages: int) -> None:
        with self._filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(PAGE))
            except OSError:
                pass
        os.truncate(self._filling, max(0, self._filling.stat().st_size // PAGE - pages) * PAGE)

    def empties(self) -> None:
        self._filling.unlink(missing_ok=True)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode().strip() or error
        pytest.skip(f"a small disk cannot be mounted here: {said}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def contents(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return "\n".join(connection.iterdump())


def refusal(register: Register, act: Request) -> str:
    """What the database says; nothing where the act was done."""
    try:
        outcome = register.does("delcourt", act)
    except DatabaseUnavailable as full:
        return str(full)
    assert isinstance(outcome, Done), outcome
    return ""


def test_however_little_room_is_left_an_act_is_done_whole_or_not_at_all(disk, tmp_path, keyring):
    with databases.sqlite(disk.folder) as url:
        database = Database(url)
        register = Register(database, keyring, tmp_path)
        act = register.welcome("hospiliss")
        database.close()
        file, kept = Path(str(database.url.database)), tmp_path / "as-it-was.db"
        shutil.copyfile(file, kept)
        as_it_was = contents(kept)
        refused, tries = 0, range(0, 160, 7)
        for pages in tries:
            shutil.copyfile(kept, file)
            register.database = Database(url)
            register.database.check()
            disk.leaves(pages)
            said = refusal(register, act)
            if said:
                refused += 1
                assert "no room" in said
                assert contents(file) == as_it_was, "nothing of it is there"
                disk.empties()
                assert refusal(register, act) == "", "and then it can be done"
            disk.empties()
            with register.database.read() as connection:
                check_invariants(connection, keyring)
            register.database.close()
            assert contents(file) != as_it_was
    assert 2 < refused < len(tries) - 2


def test_whoever_acts_while_the_disk_is_full_is_told_and_his_act_is_done_once_when_there_is_room(
    disk, tmp_path
):
    with databases.sqlite(disk.folder) as url, world(url, tmp_path, crowd(2, 9)) as there:
        there.start()
        anne, bert = there.manager("m0000"), there.manager("m0001")
        anne.says("/grant")
        anne.expects("À qui ?")
        anne.says(user(3))
        anne.taps(anne.expects("Quelles applications ?"), "Colindos")
        anne.taps(anne.expects("Quelles applications ?", label="☑ Colindos"), "Suivant")
        recap = anne.expects("Récapitulatif")
        there.at_rest()
        before = there.register_as_it_is()
        assert there.database.scrub()
        disk.leaves(0)
        anne.taps(recap, "Confirmer")
        bert.says("/grant")
        assert TOLD in plain(anne.person.waits_for_toast("registre"))
        bert.expects(TOLD)
        assert there.register_as_it_is() == before
        disk.empties()
        anne.expects("Enregistré sous le n°")
        bert.expects("À qui ?")
        there.at_rest()
        assert there.held(user(3)) == [("grant", "colindos")]
        assert [seen.text for seen in bert.person.chat if TOLD in plain(seen.text)] == []
        there.stop()
        there.check()
    assert contents(Path(str(there.database.url.database)))

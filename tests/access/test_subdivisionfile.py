"""The register file after subdivisions were renamed, moved and closed in chat: kept, reported, never doubled."""

from __future__ import annotations

import pytest
from bot.access.registerfile import export
from bot.access.requests import CloseSubdivision, CreateSubdivision, Done, MoveSubdivision, RenameSubdivision
from bot.access.rows import ACCOUNTS, MANDATES, SUBDIVISIONS
from bot.store.database import Database
from sqlalchemy import select
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registerfiles import Loader
from tests.access.registers import NOW, REGISTER, Register
from tests.access.test_subdivisions import check_places, closing, does, place_of, ward

MORE = """
[[person]]
key = "wolfs"
last_name = "Wolfs"
first_name = "Ria"
[[account]]
person = "wolfs"
entity = "midi"
quality = "hospital"
username = "rwolfs01"
subdivision = "{ward}"
[[mandate]]
person = "wolfs"
entity = "midi"
role = "subdivision"
quality = "hospital"
subdivision = "{ward}"
"""


@pytest.fixture
def register(keyring, tmp_path):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        register = Register(database, keyring, tmp_path)
        yield register
        with database.read() as connection:
            check_invariants(connection, keyring)
            check_places(connection)
        database.close()


@pytest.fixture
def loads(register, keyring, tmp_path):
    return Loader(register.database, keyring, tmp_path)


def rename(register, old: str, new: str) -> None:
    row = ward(register, old)
    assert isinstance(register.does("delcourt", RenameSubdivision(row.id, row.version, new)), Done)


def names(register) -> set[str]:
    with register.database.read() as connection:
        open_ones = select(SUBDIVISIONS.c.name).where(SUBDIVISIONS.c.closed_at.is_(None))
        return set(connection.execute(open_ones).scalars())


def account(loads, username: str):
    [row] = loads.rows(ACCOUNTS, username=username)
    return row


def test_a_renamed_one_is_kept_and_takes_what_the_file_puts_into_it_under_its_old_name(register, loads):
    rename(register, "Cathétérisme", "Salle hybride")
    report = loads(REGISTER + MORE.format(ward="Cathétérisme"))
    assert report.kept == (("subdivision", "midi/hospital/Cathétérisme"),)
    assert names(register) == {"Cardiologie", "Pharmacie", "Salle hybride"}
    row = ward(register, "Salle hybride")
    new = account(loads, "rwolfs01")
    assert (new.subdivision_id, "hybride" in new.search) == (row.id, True)
    assert [each.subdivision_id for each in loads.rows(MANDATES, subdivision_id=row.id)] == [row.id]
    assert loads(REGISTER + MORE.format(ward="Cathétérisme")).changes == 0


def test_forced_it_has_its_old_name_again_and_its_users_are_found_by_it(register, loads):
    rename(register, "Cathétérisme", "Salle hybride")
    report = loads(REGISTER, force=True)
    assert (report.changes, report.kept) == (1, ())
    assert names(register) == {"Cardiologie", "Pharmacie", "Cathétérisme"}
    assert "catheterisme" in account(loads, "jpeeters").search
    assert loads(REGISTER).changes == 0


def test_a_moved_one_is_kept_where_it_hangs(register, loads):
    room, pharmacy = ward(register, "Cathétérisme"), ward(register, "Pharmacie")
    register.does("delcourt", MoveSubdivision(room.id, 1, pharmacy.id, 1))
    assert loads(REGISTER).kept == (("subdivision", "midi/hospital/Cathétérisme"),)
    assert ward(register, "Cathétérisme").parent_id == pharmacy.id
    loads(REGISTER, force=True)
    assert ward(register, "Cathétérisme").parent_id == ward(register, "Cardiologie").id


def test_a_closed_one_stays_closed_and_takes_nobody(register, loads):
    assert isinstance(does(register, "delcourt", closing(register, "Cardiologie", "Pharmacie")), Done)
    report = loads(REGISTER + MORE.format(ward="Cardiologie"))
    assert report.kept == (
        ("subdivision", "midi/hospital/Cardiologie"),
        ("subdivision", "midi/hospital/Cathétérisme"),
        ("account", "peeters@midi/hospital"),
        ("mandate", "claes as subdivision of midi/hospital/Cardiologie"),
    )
    assert any("wolfs as subdivision" in line for line in report.lines()), "the mandate is left out, and said"
    assert names(register) == {"Pharmacie"}
    assert account(loads, "rwolfs01").subdivision_id is None
    assert place_of(register, "peeters") == ward(register, "Pharmacie").id
    loads(REGISTER, force=True)
    assert names(register) == {"Cardiologie", "Pharmacie", "Cathétérisme"}


def test_the_name_of_a_closed_one_is_that_of_the_one_that_is_open(register, loads):
    assert isinstance(does(register, "delcourt", closing(register, "Cardiologie", "Pharmacie")), Done)
    made = CreateSubdivision(register.quality["midi/hospital"], "Cardiologie")
    assert isinstance(register.does("delcourt", made), Done)
    open_one = ward(register, "Cardiologie")
    assert open_one.closed_at is None
    report = loads(REGISTER + MORE.format(ward="Cardiologie"))
    assert account(loads, "rwolfs01").subdivision_id == open_one.id
    assert ("mandate", "claes as subdivision of midi/hospital/Cardiologie") not in report.kept
    assert {row.subdivision_id for row in loads.rows(MANDATES, role="subdivision", revoked_at=None)} == {
        open_one.id
    }


def test_nothing_comes_to_hang_on_itself(register, loads):
    """In chat Cardiologie is renamed and hung below Pharmacie; the file now wants Pharmacie below Cardiologie."""
    top, pharmacy = ward(register, "Cardiologie"), ward(register, "Pharmacie")
    register.does("delcourt", MoveSubdivision(top.id, 1, pharmacy.id, 1))
    rename(register, "Cardiologie", "Cœur")
    other = REGISTER.replace('"Pharmacie", {', '{ name = "Pharmacie", within = "Cardiologie" }, {')
    report = loads(other)
    assert ward(register, "Pharmacie").parent_id is None
    assert any("midi/hospital/Pharmacie" in line for line in report.lines())


def test_what_was_done_in_chat_goes_through_an_export(register, keyring, tmp_path):
    quality = register.quality["midi/hospital"]
    rename(register, "Pharmacie", "Apotheek 2")
    register.does("delcourt", CreateSubdivision(quality, "Revalidation", ward(register, "Apotheek 2").id))
    assert isinstance(does(register, "delcourt", closing(register, "Cardiologie", "Revalidation")), Done)
    register.does("delcourt", CreateSubdivision(quality, "Cardiologie"))
    text = export(register.database, keyring, now=NOW)
    loads = Loader(register.database, keyring, tmp_path)
    assert loads(text).changes == 0
    with databases.sqlite(tmp_path) as url:
        empty = Database(url)
        Loader(empty, keyring, tmp_path)(text)
        assert export(empty, keyring, now=NOW) == text
        empty.close()
    assert text.count('"Cardiologie"') == 1
    assert 'within = "Apotheek 2"' in text
    assert "Cathétérisme" not in text


def test_a_subdivision_closed_under_its_new_name_is_not_made_again(register, loads):
    rename(register, "Pharmacie", "Apotheek")
    row = ward(register, "Apotheek")
    assert isinstance(register.does("delcourt", CloseSubdivision(row.id, 2, 1)), Done)
    assert loads(REGISTER).kept == (
        ("subdivision", "midi/hospital/Pharmacie"),
        ("account", "peeters2@midi/hospital"),
    )
    assert names(register) == {"Cardiologie", "Cathétérisme"}

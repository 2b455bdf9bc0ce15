"""The register file: every fault has its sentence, a load is all or nothing, an export loads to the same."""

from __future__ import annotations

import copy
import json
import threading
import time
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bot.access import registerfile
from bot.access.periods import start_instant
from bot.access.registerfile import export, load
from bot.access.registersnapshot import hold
from bot.access.registerwriter import toml
from bot.access.requests import Done
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    DUE,
    ENTITIES,
    GRANTS,
    IDENTITIES,
    MANDATES,
    NUMBERS,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
)
from bot.errors import RegisterFileError
from bot.store.audit import verify
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register
from tests.strategies import card, niss_digits

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


@pytest.fixture
def loads(database: Database, keyring: Keyring, tmp_path: Path) -> Loader:
    return Loader(database, keyring, tmp_path)


@pytest.fixture
def lite(tmp_path: Path, keyring: Keyring):
    """On SQLite alone: what is refused before the database is written."""
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Loader(database, keyring, tmp_path)
        database.close()


# -- faults ---------------------------------------------------------------------------------------

PERSON = '[[person]]\nkey = "{key}"\nlast_name = "Maes"\nfirst_name = "Wout"\n'
MANDATE = '[[mandate]]\nperson = "peeters"\nentity = "midi"\n'
ACCOUNT = '[[account]]\nperson = "claes"\nentity = "midi"\nquality = "hospital"\n'
ASSIGNED = f'[[account.assignment]]\nfunction = "{FUNCTION}"\nstarts_on = 2026-01-15\n'
APPLICATION = '[[application]]\nkey = "qermid"\nname = "QERMID"\n'
FAULTS = {
    "not TOML": ("format = 1\nentity = [", "is not TOML: Invalid value (at end of document)"),
    "a line that is no TOML": (
        "format = 1\n\nnonsense\n",
        "is not TOML: Expected '=' after a key in a key/value pair (at line 3, column 9)",
    ),
    "no format": ("", "format: is missing: write 'format = 1' at the top"),
    "another format": ("format = 2", "format: this program reads format 1, not 2"),
    "an unknown table": (
        BASE + "[other]\n",
        "other: is not known here; known are format, entity, person, mandate, account, application, function",
    ),
    "an unknown key": (
        BASE.replace("active = false", "activ = false"),
        "entity[0].quality[1].activ ('midi'): is not known here; did you mean 'active'?",
    ),
    "a missing key": (
        BASE.replace('last_name = "Peeters"\n', ""),
        "person[0].last_name ('peeters'): is missing",
    ),
    "a text that is none": (BASE.replace('"jpeeters"', "3"), "account[0].username: needs a text in quotes"),
    "a flag that is none": (
        BASE.replace("active = false", 'active = "no"'),
        "entity[0].quality[1].active ('midi'): needs true or false, without quotes",
    ),
    "a day that is none": (
        BASE.replace("2026-01-15", '"15-01-2026"'),
        "account[0].grant[0].starts_on: needs a day such as 2026-11-24, without quotes",
    ),
    "a table that is no list": (
        BASE + "[application]\n",
        "application: needs to be a list: write [[…]] for a table",
    ),
    "a subdivision that is none": (
        BASE.replace('["Cardiologie"]', "[3]"),
        "entity[0].quality[0].subdivisions[0] ('midi'): needs to be a table",
    ),
    "no denomination": (
        BASE.replace('{ fr = "Hôpitaux du Midi" }', "{}"),
        "entity[0].denomination ('midi'): needs at least one entry",
    ),
    "a denomination in another language": (
        BASE.replace("{ fr =", "{ es ="),
        "entity[0].denomination.es ('midi'): is not one of fr, nl, de, en",
    ),
    "a key with a number in it": (
        BASE.replace('"claes"', '"79082399728"'),
        "person[1].key: must not hold anything like a national number",
    ),
    "a key with blanks": (
        BASE.replace('key = "claes"', 'key = "Mieke C"'),
        "person[1].key ('Mieke C'): needs 1 to 40 small letters, digits and hyphens, such as 'delcourt'",
    ),
    "a wrong INAMI number": (
        BASE.replace("710999-11", "710999-12"),
        "entity[0].inami ('midi'): This NIHDI number is not valid: at least one digit is wrong. Type it again, for example 710999-11.",
    ),
    "a wrong enterprise number": (
        BASE.replace("inami =", 'enterprise = "0200.000.044"\ninami ='),
        "entity[0].enterprise ('midi'): This enterprise number is not valid: at least one digit is wrong. Type it again, for example 0200.000.043.",
    ),
    "a wrong national number": (
        BASE.replace("79.08.23-997.28", "79.08.23-997.29"),
        "person[0].niss ('peeters'): This SSIN is not valid: at least one digit is wrong. Check it against the identity card and type it again (11 digits, for example 79.08.23-997.28).",
    ),
    "a wrong name": (
        BASE.replace('"Claes"', '"Cl4es"'),
        "person[1].last_name ('claes'): A name has no digits. Type the name alone, for example Van den Berghe.",
    ),
    "a wrong address": (
        BASE.replace('first_name = "Jan"', 'first_name = "Jan"\nemail = "jan"'),
        "person[0].email ('peeters'): An e-mail address has exactly one @ sign. For example: jan.peeters@example.org.",
    ),
    "a wrong user name": (
        BASE.replace('"jpeeters"', '"jp"'),
        "account[0].username: A username has at least 6 characters. For example: jpeeters.",
    ),
    "an unknown language": (
        BASE.replace('first_name = "Jan"', 'first_name = "Jan"\nlanguage = "en"'),
        "person[0].language ('peeters'): 'en' is not a known language of the portal; known are fr, nl, de",
    ),
    "an unknown role": (
        BASE.replace('"responsible"', '"boss"'),
        "mandate[0].role: 'boss' is not a known role; known are legal-representative, responsible, co-responsible, local, group, subdivision, auditor",
    ),
    "an unknown status": (
        BASE + 'status = "new"\n',
        "account[0].grant[0].status: is not known here; did you mean 'starts_on'?",
    ),
    "an unknown state of an account": (
        BASE.replace("username =", 'status = "deleted"\nusername ='),
        "account[0].status: 'deleted' is not a known status; known are active, blocked",
    ),
    "an unknown profession": (
        BASE.replace("username =", 'profession = "nurse"\nusername ='),
        "account[0].profession: 'nurse' is not a known profession; known are specialist-physician, hospital-pharmacist, collaborator",
    ),
    "an unknown delivery": (
        BASE.replace("inami =", 'delivery = "fax"\ninami ='),
        "entity[0].delivery ('midi'): 'fax' is not a known delivery; known are register, portal",
    ),
    "an unknown portal": (
        BASE.replace("inami =", 'portal = "newer"\ninami ='),
        "entity[0].portal ('midi'): 'newer' is not a known portal; known are old, new",
    ),
    "an unknown quality": (
        BASE.replace('key = "health-care"', 'key = "hotel"'),
        "entity[0].quality[1].key: 'hotel' is not a known quality; known are health-care, hospital",
    ),
    "a person twice": (
        BASE + PERSON.format(key="claes"),
        "person[2].key: 'claes' stands twice, first at person[1].key",
    ),
    "a day too far": (
        BASE + "ends_on = 9999-12-31\n",
        "account[0].grant[0].ends_on: needs a day from 1900 to 2199; what has no end gets none",
    ),
    "an application with an invisible character": (
        BASE + APPLICATION + 'description = { fr = "a\\u0000b" }\n',
        "application[0].description.fr: holds a character that cannot be shown",
    ),
    "an application that requires no known function": (
        BASE + APPLICATION + "requires_function = true\n",
        "application 'qermid': requires a function but names none",
    ),
    "an application without a name": (
        BASE + '[[application]]\nkey = "qermid"\n',
        "application[0]: name needs a text in at least one language",
    ),
    "a function for an unknown profession": (
        BASE + '[[function]]\nkey = "cook"\nlabel = { fr = "Coq" }\nresponsible = "chef"\n',
        "function[0]: responsible needs one of specialist-physician, hospital-pharmacist, collaborator",
    ),
    "an assignment that ends before it begins": (
        BASE + ASSIGNED + "ends_on = 2026-01-14\n",
        "account[0].assignment[0].ends_on: 2026-01-14 is before starts_on, 2026-01-15",
    ),
    "a grant that has an end and no start": (
        BASE.replace("starts_on = 2026-01-15", "ends_on = 2026-01-15"),
        "account[0].grant[0].starts_on: is missing",
    ),
    "an enterprise-wide mandate over one quality": (
        BASE
        + MANDATE.replace('entity = "midi"', 'enterprise = "0200.000.043"')
        + 'role = "group"\nquality = "hospital"\n',
        "mandate[1].enterprise: a mandate as 'group' needs entity instead",
    ),
    "a mandate over both": (
        BASE + MANDATE + 'enterprise = "0200.000.043"\nrole = "auditor"\n',
        "mandate[1]: has both entity and enterprise: needs one of them",
    ),
    "a national number where a key belongs": (
        BASE + MANDATE.replace("peeters", "79.08.24-997.25") + 'role = "auditor"\n',
        "mandate[1].person: there is no person '(a number)'",
    ),
    "a name of two lines": (
        BASE + MANDATE.replace("peeters", "x\\ny") + 'role = "auditor"\n',
        "mandate[1].person: there is no person 'x?y'",
    ),
    "brackets without end": (
        "a = " + "[" * 5000,
        "is not TOML: brackets within brackets, too deep",
    ),
    "an entity twice": (
        BASE + '[[entity]]\nkey = "midi"\ninami = "719998-33"\ndenomination = { fr = "M" }\n',
        "entity[1].key: 'midi' stands twice, first at entity[0].key",
    ),
    "an INAMI number twice": (
        BASE + '[[entity]]\nkey = "aube"\ninami = "71099911"\ndenomination = { fr = "A" }\n',
        "entity[1].inami: the same INAMI number as entity[0].inami",
    ),
    "a quality twice": (
        BASE.replace('"health-care"', '"hospital"'),
        "entity[0].quality[1].key: 'hospital' stands twice in this entity, first at entity[0].quality[0].key",
    ),
    "a subdivision twice": (
        BASE.replace('["Cardiologie"]', '["A", "A"]'),
        "entity[0].quality[0].subdivisions[1]: 'A' stands twice in this quality, first at entity[0].quality[0].subdivisions[0]",
    ),
    "a subdivision within none": (
        BASE.replace('["Cardiologie"]', '[{ name = "A", within = "B" }]'),
        "entity[0].quality[0].subdivisions[0].within: there is no subdivision 'B' before this one",
    ),
    "a national number twice": (
        BASE.replace('first_name = "Mieke"', 'first_name = "Mieke"\nniss = "79082399728"'),
        "person[1].niss: the same national number as person[0].niss",
    ),
    "a user name twice": (
        BASE + ACCOUNT + 'username = "JPeeters"\n',
        "account[1].username: username 'jpeeters' stands twice, first at account[0].username",
    ),
    "an account twice": (
        BASE + ACCOUNT.replace("claes", "peeters"),
        "account[1]: the same person has an account in the same quality at account[0]",
    ),
    "a mandate twice": (
        BASE + MANDATE.replace("peeters", "claes") + 'role = "responsible"\n',
        "mandate[1]: the same mandate stands at mandate[0]",
    ),
    "a person whom nobody knows": (
        BASE + PERSON.format(key="maes"),
        "person[2]: no entity knows 'maes': add a mandate or an account",
    ),
    "a profile of no entity": (
        BASE.replace(
            'first_name = "Mieke"',
            'first_name = "Mieke"\n[[person.profile]]\nentity = "aube"\nlast_name = "A"\nfirst_name = "B"',
        ),
        "person[1].profile[0].entity: there is no entity 'aube'",
    ),
    "a profile where nothing brings the person": (
        BASE.replace(
            'first_name = "Mieke"',
            'first_name = "Mieke"\n[[person.profile]]\nentity = "aube"\nlast_name = "A"\nfirst_name = "B"',
        )
        + '[[entity]]\nkey = "aube"\ninami = "719998-33"\ndenomination = { fr = "A" }\n',
        "person[1].profile[0].entity: nothing brings 'claes' to 'aube': add a mandate or an account there",
    ),
    "a profile twice": (
        BASE.replace(
            'first_name = "Mieke"',
            'first_name = "Mieke"'
            + '\n[[person.profile]]\nentity = "midi"\nlast_name = "A"\nfirst_name = "B"' * 2,
        ),
        "person[1].profile[1].entity: 'midi' stands twice for this person, first at person[1].profile[0].entity",
    ),
    "a mandate of nobody": (
        BASE.replace('person = "claes"', 'person = "maes"') + ACCOUNT,
        "mandate[0].person: there is no person 'maes'",
    ),
    "a mandate nowhere": (
        BASE.replace('entity = "midi"\nrole', 'entity = "aube"\nrole'),
        "mandate[0].entity: there is no entity 'aube'",
    ),
    "a mandate without place": (
        BASE.replace('entity = "midi"\nrole', "role"),
        "mandate[0]: needs either entity or enterprise",
    ),
    "a mandate over an unknown enterprise": (
        BASE.replace('entity = "midi"\nrole', 'enterprise = "0200.000.043"\nrole'),
        "mandate[0].enterprise: there is no entity of this enterprise",
    ),
    "a local mandate without quality": (
        BASE + MANDATE + 'role = "local"\n',
        "mandate[1].quality: is missing: a mandate as 'local' is over one quality",
    ),
    "a wide mandate with quality": (
        BASE + MANDATE + 'role = "auditor"\nquality = "hospital"\n',
        "mandate[1].quality: a mandate as 'auditor' is not over one quality",
    ),
    "a subdivision mandate without subdivision": (
        BASE + MANDATE + 'role = "subdivision"\nquality = "hospital"\n',
        "mandate[1].subdivision: is missing: a mandate as 'subdivision' is over one subdivision",
    ),
    "a mandate over an unknown quality": (
        BASE + MANDATE + 'role = "local"\nquality = "hotel"\n',
        "mandate[1].quality: entity 'midi' has no quality 'hotel'",
    ),
    "a mandate over an unknown subdivision": (
        BASE + MANDATE + 'role = "subdivision"\nquality = "hospital"\nsubdivision = "X"\n',
        "mandate[1].subdivision: quality 'hospital' of 'midi' has no subdivision 'X'",
    ),
    "a mandate that ends before it begins": (
        BASE + MANDATE + 'role = "auditor"\nsince = 2026-02-01\nuntil = 2026-01-31\n',
        "mandate[1].until: 2026-01-31 is before since, 2026-02-01",
    ),
    "an account of nobody": (
        BASE + ACCOUNT.replace("claes", "maes"),
        "account[1].person: there is no person 'maes'",
    ),
    "an account nowhere": (
        BASE + ACCOUNT.replace("midi", "aube"),
        "account[1].entity: there is no entity 'aube'",
    ),
    "an account in an unknown quality": (
        BASE + ACCOUNT.replace("hospital", "hotel"),
        "account[1].quality: entity 'midi' has no quality 'hotel'",
    ),
    "an account in an inactive quality": (
        BASE + ACCOUNT.replace("hospital", "health-care"),
        "account[1].quality: quality 'health-care' of 'midi' is not active",
    ),
    "an account in an unknown subdivision": (
        BASE + ACCOUNT + 'subdivision = "X"\n',
        "account[1].subdivision: quality 'hospital' of 'midi' has no subdivision 'X'",
    ),
    "an unknown application": (
        BASE.replace("colindos", "collindos"),
        "account[0].grant[0].application: there is no application 'collindos'",
    ),
    "an application that this quality lacks": (
        BASE.replace('key = "health-care"\nactive = false', 'key = "health-care"').replace(
            'quality = "hospital"\nusername', 'quality = "health-care"\nusername'
        ),
        "account[0].grant[0].application: 'colindos' is not offered to quality 'health-care'",
    ),
    "a grant that ends before it begins": (
        BASE + "ends_on = 2026-01-14\n",
        "account[0].grant[0].ends_on: 2026-01-14 is before starts_on, 2026-01-15",
    ),
    "two grants at once": (
        BASE + '[[account.grant]]\napplication = "colindos"\nstarts_on = 2026-05-01\n',
        "account[0].grant[1]: overlaps with account[0].grant[0]: the same application at the same time",
    ),
    "an unknown function": (
        BASE + ASSIGNED.replace(FUNCTION, "cook"),
        "account[0].assignment[0].function: there is no function 'cook'",
    ),
    "a function without its application": (
        BASE.replace("colindos", "hospiliss") + ASSIGNED,
        f"account[0].assignment[0].function: none of the account's applications uses '{FUNCTION}'; give one of colindos",
    ),
    "a physician with a collaborator's function": (
        BASE.replace("username =", 'profession = "specialist-physician"\nusername =') + ASSIGNED,
        "account[0].assignment[0].function: a specialist-physician must not have a collaborator's function",
    ),
    "a responsible without an account": (
        BASE + ASSIGNED + 'responsible = "claes"\n',
        "account[0].assignment[0].responsible: 'claes' has no account in this quality",
    ),
    "a responsible for himself": (
        BASE + ASSIGNED + 'responsible = "peeters"\n',
        "account[0].assignment[0].responsible: nobody is responsible for himself",
    ),
    "a responsible of another profession": (
        BASE + ASSIGNED + 'responsible = "claes"\n' + ACCOUNT,
        "account[0].assignment[0].responsible: 'claes' is not declared as specialist-physician",
    ),
    "an application of an unknown quality": (
        BASE + APPLICATION + 'qualities = ["hotel"]\n',
        "application 'qermid': there is no quality 'hotel'",
    ),
    "an application with a wrong field": (
        BASE + APPLICATION + "colour = 3\n",
        "application[0]: colour is not known here",
    ),
    "an application twice": (
        BASE + APPLICATION + APPLICATION.replace('"qermid"', '"Qermid"'),
        "application[1].key: 'qermid' stands twice, first at application[0].key",
    ),
    "a function without a label": (
        BASE + '[[function]]\nkey = "cook"\n',
        "function[0]: label needs a text in at least one language",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_has_its_sentence_and_nothing_is_loaded(lite, case):
    text, sentence = FAULTS[case]

    assert f"register.toml: {sentence}" in lite.refused(text)


def test_no_two_kinds_of_fault_have_the_same_sentence():
    sentences = [sentence for _, sentence in FAULTS.values()]

    assert len(set(sentences)) == len(sentences)


def test_all_faults_are_listed_at_once(lite):
    text = BASE.replace("colindos", "nothing").replace(
        'role = "responsible"', 'role = "local"'
    ) + PERSON.format(key="maes")

    assert lite.refused(text) == [
        "register.toml: person[2]: no entity knows 'maes': add a mandate or an account",
        "register.toml: mandate[0].quality: is missing: a mandate as 'local' is over one quality",
        "register.toml: account[0].grant[0].application: there is no application 'nothing'",
    ]


def test_an_instant_is_no_day(lite):
    text = BASE.replace("2026-01-15", "2026-01-15T10:00:00")

    assert lite.refused(text) == [
        "register.toml: account[0].grant[0].starts_on: needs a day such as 2026-11-24, without quotes"
    ]


def test_a_file_that_is_not_utf8_is_refused_with_the_line(lite):
    assert lite.refused(BASE.encode("latin-1")) == [
        "register.toml: line 6: is not UTF-8: save the file in that encoding"
    ]


def test_a_file_that_would_fill_the_memory_is_refused(lite, monkeypatch):
    monkeypatch.setattr(registerfile, "BYTES_MAX", 1 << 20)

    assert lite.refused(b"#" * (1 << 20) + b"#") == [
        "register.toml: is larger than 1 MB: load it in parts, the entities first"
    ]


def test_a_file_that_is_not_there_is_refused(lite, tmp_path):
    with pytest.raises(RegisterFileError, match=r"^none.toml: cannot be read: No such file or directory$"):
        load(lite.database, lite.keyring, tmp_path / "none.toml", today=TODAY, now=NOW)


def test_no_refusal_tells_a_national_number(lite):
    text = BASE.replace("79.08.23-997.28", "79.08.23-997.82") + PERSON.format(key="79082399728")

    assert not any(digits in "\n".join(lite.refused(text)) for digits in ("997.82", "99782", "79082399728"))


def test_a_file_may_not_contradict_what_the_register_holds(loads):
    loads(BASE)
    text = """
format = 1
[[entity]]
key = "aube"
inami = "710999-11"
denomination = { fr = "Aube" }
[[entity.quality]]
key = "hospital"
[[entity]]
key = "midi"
inami = "710999-11"
denomination = { fr = "Hôpitaux du Midi" }
[[entity.quality]]
key = "hospital"
active = false
[[person]]
key = "other"
last_name = "Other"
first_name = "One"
niss = "79.08.23-997.28"
[[account]]
person = "other"
entity = "aube"
quality = "hospital"
username = "jpeeters"
[[account]]
person = "claes"
entity = "aube"
quality = "hospital"
"""
    with pytest.raises(RegisterFileError) as caught:
        loads(text)

    assert [line.removeprefix("register.toml: ") for line in str(caught.value).splitlines()] == [
        "entity[1].inami: the same INAMI number as entity[0].inami",
        "entity[0].inami: entity 'midi' of the register has this INAMI number",
        "entity[1].quality[0].active: the quality still has 1 users in the register and cannot become inactive",
        "person[0].niss: person 'peeters' of the register has this national number",
        "account[0].username: username 'jpeeters' is in use in the register",
        "account[1].person: entity 'aube' does not know 'claes' yet: add [[person]] with the names",
    ]


# -- loading --------------------------------------------------------------------------------------


def test_the_example_loads_and_the_second_time_changes_nothing(loads):
    first = loads(REGISTER)
    second = loads(REGISTER)

    assert {kind: tally.added for kind, tally in first.tallies.items()} == {
        "entity": 3,
        "quality": 4,
        "subdivision": 3,
        "person": 11,
        "profile": 12,
        "account": 7,
        "grant": 2,
        "mandate": 7,
    }
    assert second.changes == 0
    assert second.kept == ()
    assert second.lines()[-1] == "nothing to change"


def test_the_file_that_an_operator_starts_from_loads_as_it_is(loads):
    text = (Path(__file__).parents[2] / "register.example.toml").read_text(encoding="utf-8")

    assert loads(text).tallies["entity"].added == text.count("[[entity]]")
    assert loads(text).changes == 0


def test_a_dry_run_says_what_it_would_do_and_does_nothing(loads):
    report = loads(REGISTER, dry_run=True)

    assert report.lines()[0] == "entity: 3 would be added"
    assert loads.rows(ENTITIES) == []


def test_a_changed_file_changes_the_register(loads):
    loads(BASE)
    changed = (
        BASE.replace("Hôpitaux du Midi", "Hôpital du Midi")
        .replace('last_name = "Peeters"', 'last_name = "Peeters-Maes"')
        .replace("jpeeters", "jpeeters2")
        .replace("starts_on = 2026-01-15", "starts_on = 2026-01-15\nends_on = 2026-12-31")
        .replace('role = "responsible"', 'role = "responsible"\nuntil = 2027-01-01')
        .replace("79.08.23-997.28", "79.48.23-997.17")
    )

    report = loads(changed)

    assert {kind: tally.changed for kind, tally in report.tallies.items() if tally.changed} == {
        "entity": 1,
        "person": 1,
        "profile": 1,
        "account": 1,
        "grant": 1,
        "mandate": 1,
    }
    [account] = loads.rows(ACCOUNTS)
    assert (account.username, account.search, account.version) == (
        "jpeeters2",
        " peeters maes jan jpeeters2",
        2,
    )
    assert loads.rows(GRANTS)[0].ends_on == date(2026, 12, 31)
    assert len(loads.rows(NUMBERS)) == 2
    assert loads(changed).changes == 0


def test_a_moved_start_moves_the_grant(loads):
    loads(BASE)
    loads(BASE.replace("2026-01-15", "2026-02-01"))

    [grant] = loads.rows(GRANTS)
    assert (grant.starts_on, grant.active_at) == (date(2026, 2, 1), start_instant(date(2026, 2, 1)))


def test_what_was_changed_in_chat_is_kept_and_reported_unless_forced(loads):
    loads(BASE)
    loads.change(GRANTS, revoked_at=NOW)
    loads.change(ACCOUNTS, status="blocked")
    loads.change(PROFILES, email="new@example.org")

    kept = loads(BASE)

    assert kept.changes == 0
    assert kept.kept == (
        ("profile", "peeters@midi"),
        ("profile", "claes@midi"),
        ("account", "peeters@midi/hospital"),
        ("grant", "peeters@midi/hospital/colindos/2026-01-15"),
    )
    assert (
        "account 'peeters@midi/hospital': changed in chat since, kept (--force overwrites it)" in kept.lines()
    )
    assert loads.rows(GRANTS)[0].revoked_at == NOW

    forced = loads(BASE, force=True)

    assert (forced.changes, forced.kept) == (4, ())
    assert loads.rows(GRANTS)[0].revoked_at is None
    assert loads(BASE).changes == 0


def given_in_chat(loads: Loader, starts_on: date, ends_on: date | None = None) -> None:
    """A grant of Colindos that no file wrote."""
    [account] = loads.rows(ACCOUNTS)
    with loads.database.write() as connection:
        connection.execute(
            insert(GRANTS).values(
                id="chat",
                account_id=account.id,
                application="colindos",
                starts_on=starts_on,
                ends_on=ends_on,
                recorded_at=NOW,
            )
        )


@pytest.mark.parametrize("force", [False, True])
def test_a_period_that_overlaps_with_one_given_in_chat_is_left_out(loads, force):
    ended = BASE + "ends_on = 2026-03-31\n"
    loads(ended)
    given_in_chat(loads, date(2026, 4, 1))

    report = loads(BASE, force=force)

    assert (report.changes, report.kept) == (0, ())
    assert report.blocked == (("grant", "peeters@midi/hospital/colindos/2026-01-15"),)
    assert "grant: 1 left out" in report.lines()
    assert {row.ends_on for row in loads.rows(GRANTS)} == {date(2026, 3, 31), None}
    assert loads(ended).changes == 0


def test_a_moved_boundary_between_two_periods_moves_both_at_once(loads):
    text = (
        BASE + 'ends_on = 2026-03-31\n[[account.grant]]\napplication = "colindos"\nstarts_on = 2026-04-01\n'
    )
    moved = text.replace("2026-03-31", "2026-05-31").replace("2026-04-01", "2026-06-01")
    loads(text)

    assert loads(moved).tallies["grant"].changed == 2
    assert loads(moved).changes == 0
    assert loads(text).tallies["grant"].changed == 2


def test_what_was_shortened_in_chat_blocks_what_the_file_puts_before_it(loads):
    loads(BASE)
    loads.change(GRANTS, starts_on=date(2026, 1, 10), ends_on=date(2026, 12, 31))
    report = loads(
        BASE + 'ends_on = 2026-02-28\n[[account.grant]]\napplication = "colindos"\nstarts_on = 2026-03-01\n'
    )

    assert report.changes == 0
    assert len(report.kept) == 1
    assert report.blocked == (("grant", "peeters@midi/hospital/colindos/2026-03-01"),)
    [grant] = loads.rows(GRANTS)
    assert (grant.starts_on, grant.ends_on) == (date(2026, 1, 10), date(2026, 12, 31))


def test_an_account_that_was_deleted_in_chat_gets_nothing_from_the_file(loads):
    loads(BASE)
    loads.change(ACCOUNTS, status="deleted")
    report = loads(BASE + '[[account.grant]]\napplication = "hospiliss"\nstarts_on = 2026-02-01\n')

    assert report.kept == (("account", "peeters@midi/hospital"),)
    assert report.blocked == (("grant", "peeters@midi/hospital/hospiliss/2026-02-01"),)
    assert len(loads.rows(GRANTS)) == 1


def test_a_quality_that_was_activated_in_chat_and_has_users_now_stays_so(loads):
    loads(BASE)
    loads.change(QUALITIES, active=True)
    with loads.database.write() as connection:
        [other] = connection.execute(select(QUALITIES.c.id).where(QUALITIES.c.key == "health-care")).scalars()
        connection.execute(update(ACCOUNTS).values(quality_id=other))

    assert ("quality", "midi/health-care") in loads(
        BASE.replace("colindos", "hospiliss").split("[[account]]")[0]
    ).kept


def test_what_an_entity_knew_of_somebody_who_is_gone_there_stays_as_it_was(loads):
    aube = '[[entity]]\nkey = "aube"\ninami = "719998-33"\ndenomination = { fr = "A" }\n[[entity.quality]]\nkey = "hospital"\n'
    loads(BASE + aube + ACCOUNT.replace("midi", "aube"))
    with loads.database.write() as connection:
        aube_id = connection.execute(select(ENTITIES.c.id).where(ENTITIES.c.key == "aube")).scalar_one()
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.entity_id == aube_id).values(status="deleted"))
    loads(BASE.replace('"Mieke"', '"Maria"'))

    names = {
        row.entity_id == aube_id: row.first_name for row in loads.rows(PROFILES) if row.last_name == "Claes"
    }
    assert names == {True: "Mieke", False: "Maria"}


def test_whoever_was_erased_gives_neither_key_nor_name_nor_number_back(loads):
    loads(BASE)
    loads.change(IDENTITIES, erased_at=NOW)
    text = BASE.replace('key = "claes"', 'key = "other"').replace('person = "claes"', 'person = "other"')

    with pytest.raises(RegisterFileError) as caught:
        loads(text)
    assert [line.removeprefix("register.toml: ") for line in str(caught.value).splitlines()] == [
        "person[0].niss: somebody who was erased has this national number",
        "person[0].key: 'peeters' was erased: choose another key",
        "account[0].username: username 'jpeeters' is in use in the register",
    ]


def test_a_subdivision_cannot_come_to_lie_within_itself(loads):
    loads(BASE.replace('["Cardiologie"]', '["A", { name = "B", within = "A" }]'))

    with pytest.raises(RegisterFileError, match=r"subdivisions\[0\].within: 'A' would lie within itself"):
        loads(BASE.replace('["Cardiologie"]', '[{ name = "A", within = "B" }]'))


def test_a_load_waits_for_who_writes_and_sees_what_he_wrote(loads):
    loads(BASE)
    reports = []
    with loads.database.write() as connection:
        connection.execute(update(ACCOUNTS).values(status="blocked"))
        running = threading.Thread(target=lambda: reports.append(loads(BASE, force=True)))
        running.start()
        running.join(0.5)
        assert running.is_alive(), "it did not wait"
    running.join(20)

    assert reports[0].tallies["account"].changed == 1
    assert loads.rows(ACCOUNTS)[0].status == "active"


def test_who_reads_is_not_held_up_by_a_load(loads):
    loads(BASE)
    with loads.database.write() as connection:
        hold(connection)
        assert len(loads.rows(ACCOUNTS)) == 1


def test_what_the_file_no_longer_names_stays(loads):
    loads(REGISTER)
    before = len(loads.rows(ACCOUNTS)), len(loads.rows(MANDATES))
    loads(BASE)

    assert (len(loads.rows(ACCOUNTS)), len(loads.rows(MANDATES))) == (before[0], before[1] + 1)


def test_a_small_file_may_refer_to_what_the_register_holds(loads):
    loads(BASE)

    report = loads(
        'format = 1\n[[mandate]]\nperson = "peeters"\nentity = "midi"\nrole = "local"\nquality = "hospital"\n'
    )

    assert report.tallies["mandate"].added == 1


def test_grants_of_a_file_count_from_their_first_day_and_an_end_to_come_is_due(loads):
    soon = TODAY + timedelta(days=3)
    loads(BASE.replace("2026-01-15", f"{soon}\nends_on = {soon}"))

    [grant] = loads.rows(GRANTS)
    assert grant.active_at == start_instant(soon)
    assert [row.at for row in loads.rows(DUE)] == [start_instant(soon + timedelta(days=1))]


def test_a_load_is_in_the_audit_and_the_chain_holds(loads):
    loads(REGISTER)

    with loads.database.read() as connection:
        report = verify(connection, loads.keyring)
    assert report.broken is None
    assert report.count == 3 + 4 + 3 + 12 + 7 + 2 + 7


def test_an_enterprise_wide_mandate_makes_the_person_known_everywhere(loads):
    text = BASE.replace("inami =", 'enterprise = "0200.000.043"\ninami =').replace(
        'entity = "midi"\nrole', 'enterprise = "0200.000.043"\nrole'
    )
    loads(text)

    [mandate] = loads.rows(MANDATES)
    assert (mandate.entity_id, mandate.enterprise_id) == (None, loads.rows(ENTITIES)[0].enterprise_id)
    assert len(loads.rows(PROFILES)) == 2


def test_loading_takes_as_long_as_the_file_is(lite):
    """Five times the people take about five times as long, not twenty-five times: 5,000 load in seconds."""

    def seconds(first: int, last: int) -> float:
        text = BASE + "".join(_person_with_an_access(number) for number in range(first, last))
        started = time.process_time()  # others may be at work beside it
        lite(text)
        return time.process_time() - started

    seconds(0, 50)  # what is done once
    few, many = seconds(50, 250), seconds(250, 1250)

    assert len(lite.rows(GRANTS)) == 1251
    assert many < 12 * few


def test_what_was_loaded_changes_nothing_the_second_time_however_many(lite):
    text = BASE + "".join(_person_with_an_access(number) for number in range(300))
    lite(text)

    assert lite(text).changes == 0


def _person_with_an_access(number: int) -> str:
    niss = niss_digits(date(1950, 1, 1) + timedelta(days=number))
    return (
        f'[[person]]\nkey = "p{number}"\nlast_name = "Maes"\nfirst_name = "Wout"\nniss = "{niss}"\n'
        f'[[account]]\nperson = "p{number}"\nentity = "midi"\nquality = "hospital"\nusername = "user{number:04d}"\n'
        '[[account.grant]]\napplication = "hospiliss"\nstarts_on = 2026-01-15\n'
    )


# -- exporting ------------------------------------------------------------------------------------


@st.composite
def registers(draw: st.DrawFn) -> str:
    """A register file with any of the things it may hold."""
    lines = ["format = 1"]
    names = draw(
        st.lists(
            st.sampled_from(["D'Hondt", "van der Berg", "Éloïse", "Maes", "Ødegård"]), min_size=3, max_size=3
        )
    )
    wards = draw(
        st.lists(st.sampled_from(["Cardiologie", 'A \\"B\\" \\\\ C', "Ünit 3", "Zaal"]), unique=True)
    )
    nested = [f'{{ name = "in {ward}", within = "{ward}" }}' for ward in wards[:1]]
    listed = ", ".join([*(f'"{ward}"' for ward in wards), *nested])
    for key, inami in (("midi", "710999-11"), ("aube", "719998-33")):
        lines += ["[[entity]]", f'key = "{key}"', f'inami = "{inami}"', 'enterprise = "0200.000.043"']
        lines += [f'denomination = {{ fr = "{draw(st.sampled_from(["Hôpital", "L’Aube"]))}", de = "Öst" }}']
        lines += [f'delivery = "{draw(st.sampled_from(["register", "portal"]))}"']
        lines += ["[[entity.quality]]", 'key = "hospital"', f"subdivisions = [{listed}]"]
    entities = [draw(st.sampled_from(["midi", "aube"])) for _ in names]
    for n, name in enumerate(names):
        lines += ["[[person]]", f'key = "p{n}"', f'last_name = "{name}"', 'first_name = "Jo"']
        if draw(st.booleans()):
            lines += [f'niss = "{card(niss_digits(date(1970, 1, 1 + n)))}"']
        if draw(st.booleans()):
            lines += [
                "[[person.profile]]",
                f'entity = "{entities[n]}"',
                'last_name = "Other"',
                'first_name = "Name"',
                'title = "Dr."',
            ]
    for n, entity in enumerate(entities):
        lines += ["[[account]]", f'person = "p{n}"', f'entity = "{entity}"', 'quality = "hospital"']
        if draw(st.booleans()):
            lines += [f'username = "user.000{n}"']
        if wards and draw(st.booleans()):
            lines += [f'subdivision = "in {wards[0]}"']
        lines += [f'status = "{draw(st.sampled_from(["active", "blocked"]))}"', 'profession = "collaborator"']
        lines += ["[[account.grant]]", 'application = "colindos"', "starts_on = 2026-01-01"]
        if draw(st.booleans()):
            lines += [
                "ends_on = 2026-06-30",
                "[[account.grant]]",
                'application = "colindos"',
                "starts_on = 2026-07-01",
            ]
        if draw(st.booleans()):
            lines += ["[[account.assignment]]", f'function = "{FUNCTION}"', "starts_on = 2026-07-01"]
    if draw(st.booleans()):
        lines += ["[[mandate]]", 'person = "p0"', 'enterprise = "0200.000.043"', 'role = "responsible"']
    if wards:
        lines += [
            "[[mandate]]",
            'person = "p1"',
            'entity = "midi"',
            'role = "subdivision"',
            'quality = "hospital"',
            f'subdivision = "{wards[-1]}"',
        ]
    if draw(st.booleans()):
        lines += [
            "[[application]]",
            'key = "extra"',
            'name = { fr = "Extra", nl = "Bij" }',
            'qualities = ["hospital"]',
            'aliases = ["X"]',
        ]
    return "\n".join(lines) + "\n"


@given(text=registers())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_an_export_loads_into_an_empty_register_and_exports_the_same_text(text, tmp_path, keyring):
    exports = []
    for _ in range(2):
        with databases.sqlite(tmp_path) as url:
            database = Database(url)
            loader = Loader(database, keyring, tmp_path)
            loader(text)
            assert loader(text).changes == 0
            exports.append(export(database, keyring, now=NOW))
            text = exports[-1]
            assert loader(text).changes == 0
            database.close()

    assert exports[0] == exports[1]


def test_an_export_holds_what_was_done_in_chat_and_not_what_is_over(loads):
    loads(REGISTER)
    loads.change(GRANTS, revoked_at=NOW)

    text = export(loads.database, loads.keyring, now=NOW)

    assert "[[account.grant]]" not in text
    assert 'niss = "79.08.23-997.28"' in text
    assert loads.rows(ASSIGNMENTS) == []
    assert len(loads.rows(QUALITIES)) == 4


def test_an_export_without_numbers_holds_none_and_keeps_those_of_the_register(loads):
    loads(REGISTER)
    text = export(loads.database, loads.keyring, numbers=False, now=NOW)

    assert "niss" not in text
    assert loads(text).changes == 0
    assert len(loads.rows(NUMBERS)) == 3


def test_an_export_is_in_the_audit_trail(loads):
    loads(REGISTER)
    export(loads.database, loads.keyring, now=NOW)
    export(loads.database, loads.keyring, numbers=False, now=NOW)

    entries = core(AuditEntry)
    rows = loads.rows(entries, act="register.export")
    assert [row.body for row in sorted(rows, key=lambda row: row.seq)] == [
        {"numbers": True},
        {"numbers": False},
    ]
    with loads.database.read() as connection:
        assert verify(connection, loads.keyring).broken is None


def test_what_was_done_in_chat_goes_through_an_export_into_an_empty_register(database, keyring, tmp_path):
    register = Register(database, keyring, tmp_path)
    for request in (
        register.welcome(
            "colindos",
            profession="collaborator-physician",
            function=FUNCTION,
            starts_on=TODAY,
            ends_on=TODAY + timedelta(days=30),
        ),
        register.grant("peeters", "colindos", profession="specialist-physician"),
        register.grant("peeters2", "hospiliss"),
    ):
        assert isinstance(register.does("delcourt", request), Done)
    with (
        database.write() as connection
    ):  # what a user may come to: deleted, in a ward that was closed, and answering for another
        ward = register.subdivision["Cardiologie"]
        connection.execute(update(SUBDIVISIONS).where(SUBDIVISIONS.c.id == ward).values(closed_at=NOW))
        connection.execute(update(ASSIGNMENTS).values(responsible_id=register.account["kaai"]))
        gone = ACCOUNTS.c.id == register.account["kaai"]
        connection.execute(update(ACCOUNTS).where(gone).values(status="deleted"))

    text = export(database, keyring, now=NOW)

    assert (
        Loader(database, keyring, tmp_path)(text).changes <= 2
    )  # the ward opens, and nobody answers any more
    another = databases.sqlite(tmp_path) if database.sqlite else databases.postgres()
    with another as url:
        empty = Database(url)
        Loader(empty, keyring, tmp_path)(text)
        assert export(empty, keyring, now=NOW) == text
        empty.close()
    assert "01.09.22-997.08" in text
    assert 'within = "Cardiologie"' in text


# -- whatever stands in the file ------------------------------------------------------------------


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(table or list, key) of everything in parsed TOML."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


STRANGE = ["79082399728", "", "x" * 500, "a\0b", "auditor", "group", "collaborator", True, -1, date(1900, 1, 1), date(2199, 12, 31), datetime(2026, 1, 1)]  # fmt: skip # noqa: DTZ001 - TOML has such


def _spoilt(data: dict[str, Any], random: Random) -> None:
    """Changes one thing: a value for another of the file, one missing, a table twice, another order."""
    inside, key = random.choice(list(_places(data)))
    values = [inside[key] for inside, key in _places(data) if not isinstance(inside[key], dict | list)]
    match random.randrange(4):
        case 0 if not isinstance(inside[key], dict | list):
            inside[key] = random.choice([*values, *STRANGE])
        case 1:
            del inside[key]
        case 2 if isinstance(inside, list):
            inside.append(copy.deepcopy(inside[key]))
        case 3 if isinstance(inside, list):
            random.shuffle(inside)


@pytest.mark.parametrize("found", ["a\0b", "x" * 500, "79082399728"])
def test_a_strange_format_is_one_clean_line(found, tmp_path, keyring):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        with pytest.raises(RegisterFileError) as refused:
            Loader(database, keyring, tmp_path)(f"format = {json.dumps(found)}\n")
        database.close()
    (line,) = str(refused.value).splitlines()
    assert line.isprintable()
    assert len(line) < 100
    assert "79082399728" not in line


@given(random=st.randoms(use_true_random=False))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_spoilt_file_is_refused_in_clean_lines_or_loads_for_good(random, tmp_path, keyring):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        loads = Loader(database, keyring, tmp_path)
        for _ in range(4):
            data = tomllib.loads(random.choice([REGISTER, BASE]))
            for _ in range(random.randrange(4)):
                _spoilt(data, random)
            text = toml(data)
            refused = ""
            try:
                loads(text, force=random.random() < 0.3)
            except RegisterFileError as error:
                refused = str(error)
            assert all(line.isprintable() and len(line) < 500 for line in refused.splitlines())
            assert "79082399728" not in refused
            assert refused or loads(text).changes == 0
        with database.read() as connection:
            check_invariants(connection, keyring)
        text = export(database, keyring, now=NOW)
        assert loads(text).changes == 0
        database.close()

"""The register file: every fault has its sentence, and nothing is loaded; whatever stands in a file, the lines are clean."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from bot.access import registerfile
from bot.access.registerfile import export, load
from bot.access.registerwriter import toml
from bot.errors import RegisterFileError
from bot.store.database import Database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registerfiles import ACCOUNT, BASE, FUNCTION, Loader
from tests.access.registers import NOW, REGISTER, TODAY

PERSON = '[[person]]\nkey = "{key}"\nlast_name = "Maes"\nfirst_name = "Wout"\n'
MANDATE = '[[mandate]]\nperson = "peeters"\nentity = "midi"\n'
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

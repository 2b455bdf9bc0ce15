"""Two houses that have everything twice: the same people in other names, and one object of each kind in each of them.

A house is a hospital whose rights live in the register and one whose rights live on the portal. What came into the database
with the second house is foreign to everybody of the first: its ids and its words are read from the rows, so that a new
table is taken in by itself.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.access import substituting
from bot.access.acts import perform
from bot.access.requests import (
    AppointDeputy,
    AssignFunction,
    Done,
    GrantAccess,
    KeepCertificate,
    LinkResponsible,
    SendMessage,
)
from bot.access.rows import CHANGES
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import Connection, select
from sqlmodel import SQLModel
from tests.access.registers import TODAY, Register
from tests.certificatefiles import pem

FUNCTION = "collaborator-specialist-physician"
PEOPLE = ("chief", "local", "group", "sub", "audi", "plain", "spec", "col", "dep", "kin", "bloc", "port")
OWN = ("Abbeloos", "Brackx", "Coudenys", "Dhondt", "Eeckhout", "Fierens", "Ghijsels", "Huyghe", "Isenbaert", "Joncheere", "Kerckx", "Loontjens")  # fmt: skip
THEIR = ("Mombaerts", "Nachtergaele", "Ooghe", "Pyfferoen", "Quaghebeur", "Rysselinck", "Smeyers", "Terryn", "Uyttendaele", "Vynckier", "Wuyts", "Zwaenepoel")  # fmt: skip
NOBODY = ("Mambourts", "Nochtirgoele", "Aughe", "Pafferuun", "Quoghibour", "Rassolunck", "Smoyirs", "Torrann", "Iyttondoele", "Vanckior", "Wiits", "Zwoinepaal")  # fmt: skip
"""Names that nobody bears, as long and as strange as those of the other house."""
NUMBERS = {"own": "79082399728", "their": "04061999842", "nobody": "01092299708"}
"""National numbers: made up, and with the right check digits."""
OTHER_HALF = "64111799810"
"""Of whoever is known to both houses."""


def inami(six: int) -> str:
    """A NIHII number with its check digits."""
    return f"{six}-{97 - six % 97:02d}"


def house(key: str, names: tuple[str, ...], six: int) -> str:
    """The register file's part of a house. Words that only it has end in its key."""
    word = key.capitalize()
    parts = []
    for place, delivery, number in ((key, "register", six), (f"{key}port", "portal", six + 1)):
        wards = f'subdivisions = ["Zaal{word}", "Gang{word}"]' if place == key else ""
        parts.append(
            f'[[entity]]\nkey = "{place}"\ninami = "{inami(number)}"\ndelivery = "{delivery}"\n'
            f'denomination = {{ fr = "Hôpital {place.capitalize()}" }}\n'
            f'[[entity.quality]]\nkey = "hospital"\n{wards}\n'
            f'[[entity.quality]]\nkey = "health-care"\nactive = {"true" if place == key else "false"}\n'
        )
    for role, last in zip(PEOPLE, names, strict=True):
        number = f'niss = "{NUMBERS[key]}"\n' if role == "plain" else ""
        parts.append(
            f'[[person]]\nkey = "{key}-{role}"\nlast_name = "{last}"\nfirst_name = "{last[:4]}a"\n{number}'
        )
    for role, office in (("chief", "responsible"), ("audi", "auditor")):
        parts.append(f'[[mandate]]\nperson = "{key}-{role}"\nentity = "{key}"\nrole = "{office}"\n')
    parts.append(f'[[mandate]]\nperson = "{key}-chief"\nentity = "{key}port"\nrole = "responsible"\n')
    for role, office, ward in (("local", "local", ""), ("group", "group", ""), ("sub", "subdivision", f"Zaal{word}")):  # fmt: skip
        more = f'subdivision = "{ward}"\n' if ward else ""
        parts.append(
            f'[[mandate]]\nperson = "{key}-{role}"\nentity = "{key}"\nrole = "{office}"\nquality = "hospital"\n{more}'
        )
    professions = {"spec": "specialist-physician", "col": "collaborator"}
    for role, last in zip(PEOPLE, names, strict=True):
        lines = [
            f'person = "{key}-{role}"\nentity = "{key + "port" * (role == "port")}"\nusername = "u{last.lower()[:7]}"',
            f'quality = "{"health-care" if role == "kin" else "hospital"}"',
            f'subdivision = "Zaal{word}"' if role in {"spec", "sub"} else "",
            f'profession = "{professions[role]}"' if role in professions else "",
            'status = "blocked"' if role == "bloc" else "",
        ]
        grant = '[[account.grant]]\napplication = "hospiliss"\nstarts_on = 2024-01-15\nends_on = 2026-12-09'
        parts.append("\n".join(["[[account]]", *filter(None, lines), grant if role == "plain" else "", ""]))
    return "\n".join(parts)


def both(key: str) -> str:
    """The account in a house of somebody who is known to both."""
    return (
        f'[[account]]\nperson = "twice"\nentity = "{key}"\nquality = "hospital"\nusername = "dubbel{key}"\n'
    )


def boss(key: str) -> str:
    """The mandate in a house of somebody who manages both, where a proof may be good for one of them only."""
    return f'[[mandate]]\nperson = "boss"\nentity = "{key}"\nrole = "co-responsible"\n'


BOSS = '[[person]]\nkey = "boss"\nlast_name = "Overkoepel"\nfirst_name = "Odile"\n'
HEAD = f'format = 1\n[[person]]\nkey = "twice"\nlast_name = "Tweemaal"\nfirst_name = "Toon"\nniss = "{OTHER_HALF}"\n'
FIRST = "\n".join((HEAD, BOSS, house("own", OWN, 710900), both("own"), boss("own")))
SECOND = "\n".join((FIRST, house("their", THEIR, 719900), both("their"), boss("their")))


def lived_in(register: Register, key: str) -> None:
    """What the chief of a house did so far: one act of each kind that leaves something with an id."""
    chief, entity = f"{key}-chief", register.entity[key]

    def account(role: str) -> str:
        return register.account[f"{key}-{role}"]

    file = base64.b64encode(pem(f"Chaman {key.capitalize()}huis")).decode()
    wishes = [
        AssignFunction(account("col"), 1, FUNCTION, TODAY),
        LinkResponsible(account("col"), 2, account("spec"), FUNCTION, TODAY),
        KeepCertificate(entity, file),
        GrantAccess(register.quality[f"{key}/hospital"], ("bvtc",), account=account("plain"), version=1),
        GrantAccess(register.quality[f"{key}port/hospital"], ("bvtc",), account=account("port"), version=1),
        SendMessage("access", entity, f"Vraag van {key}huis", "fr"),
    ]
    for wish in wishes:
        with register.work(chief) as work:
            done = perform(replace(work, desk=True), wish)
            assert isinstance(done, Done), (wish, done)
    with register.work(chief) as work:  # as `acts` does it, without the proof that its recap takes
        substituting.appoint_deputy(
            work, AppointDeputy(entity, account("dep"), TODAY, TODAY + timedelta(days=9))
        )


Rows = dict[str, list[dict[str, Any]]]


def rows_of(connection: Connection) -> Rows:
    """Everything that stands in the database, by table."""
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table))]
        for table in SQLModel.metadata.sorted_tables
    }


def words_in(value: Any) -> Iterator[str]:
    """The texts in a value of a row, JSON taken apart."""
    match value:
        case str():
            yield value
        case dict():
            for each in value.values():
                yield from words_in(each)
        case list():
            for each in value:
                yield from words_in(each)


def ids_in(rows: Rows) -> dict[str, list[str]]:
    """The texts by which a row is named, by table: the keys of tables that have one."""
    found: dict[str, list[str]] = {}
    for table in SQLModel.metadata.sorted_tables:
        columns = list(table.primary_key.columns)
        if len(columns) == 1 and not columns[0].foreign_keys:
            keys = [row[columns[0].name] for row in rows[table.name]]
            found[table.name] = [key for key in keys if isinstance(key, str)]
    return found


@dataclass
class Twins:
    """Both houses; `theirs` are the ids that only the second has, by table, and `secrets` its words."""

    register: Register
    theirs: dict[str, list[str]] = field(default_factory=dict)
    ours: dict[str, list[str]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    our_secrets: frozenset[str] = frozenset()

    @classmethod
    def built(cls, database: Database, keyring: Keyring, folder: Path) -> Twins:
        first = Register(database, keyring, folder, FIRST)
        lived_in(first, "own")
        with database.read() as connection:
            before = rows_of(connection)
        register = Register(database, keyring, folder, SECOND)
        lived_in(register, "their")
        with database.read() as connection:
            after = rows_of(connection)
        old = ids_in(before)
        theirs = {
            table: [key for key in keys if key not in old[table]] for table, keys in ids_in(after).items()
        }
        known, words = _words(before), _words(after)
        ids = {key for keys in ids_in(after).values() for key in keys}
        secrets = {word for word in words - known if len(word) > 4} - ids
        their_words = {word for name, rows in after.items() for word in _words({name: [r for r in rows if r not in before[name]]})}  # fmt: skip
        ours = {word for word in known - their_words if len(word) > 4} - ids
        return cls(register, theirs, old, frozenset(secrets), frozenset(ours))

    def changes(self, key: str) -> list[str]:
        """The numbers of the changes of a house, oldest first; the last is for the portal."""
        places = [self.register.entity[key], self.register.entity[f"{key}port"]]
        with self.register.database.read() as connection:
            query = select(CHANGES.c.number).where(CHANGES.c.entity_id.in_(places)).order_by(CHANGES.c.number)
            return list(connection.execute(query).scalars())


def _words(rows: Rows) -> set[str]:
    return {
        word for table in rows.values() for row in table for value in row.values() for word in words_in(value)
    }

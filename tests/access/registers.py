"""A small register to act on: three entities, managers of every kind, users in every state. All of it is made up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from bot.access import activation
from bot.access.acts import Work, perform
from bot.access.directory import RegisterDirectory
from bot.access.periods import brussels_day
from bot.access.requests import GrantAccess, NewUser, Outcome, Request
from bot.access.rows import ACCOUNTS, ENTITIES, IDENTITIES, PROFILES, QUALITIES, SUBDIVISIONS, catalogue_of
from bot.access.standing import Session
from bot.store import due
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import select
from tests.snapshots import load_once

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
NEW_NISS = "01092299708"
REGISTER = """
format = 1

[[entity]]
key = "midi"
inami = "710999-11"
enterprise = "0200.000.043"
denomination = { fr = "Hôpitaux du Midi", nl = "Ziekenhuizen van het Zuiden" }
[[entity.quality]]
key = "hospital"
subdivisions = ["Cardiologie", "Pharmacie", { name = "Cathétérisme", within = "Cardiologie" }]
[[entity.quality]]
key = "health-care"
active = false

[[entity]]
key = "aube"
inami = "719998-33"
denomination = { fr = "Clinique Sainte-Aube" }
[[entity.quality]]
key = "hospital"

[[entity]]
key = "quai"
inami = "720999-02"
denomination = { fr = "Hôpital du Quai" }
delivery = "portal"
[[entity.quality]]
key = "hospital"

[[person]]
key = "delcourt"
last_name = "Delcourt"
first_name = "Anne"
niss = "64.11.17-998.10"
[[person]]
key = "janssens"
last_name = "Janssens"
first_name = "Piet"
[[person]]
key = "claes"
last_name = "Claes"
first_name = "Mieke"
[[person]]
key = "groep"
last_name = "Groep"
first_name = "Greet"
[[person]]
key = "audi"
last_name = "Audi"
first_name = "Tor"
[[person]]
key = "kaai"
last_name = "Kaai"
first_name = "Karl"
[[person]]
key = "peeters"
last_name = "Peeters"
first_name = "Jan"
niss = "79.08.23-997.28"
email = "jan.peeters@example.org"
[[person]]
key = "peeters2"
last_name = "Peeters"
first_name = "Jan"
[[person]]
key = "dubois"
last_name = "Dubois"
first_name = "Zoé"
[[person]]
key = "lambert"
last_name = "Lambert"
first_name = "Émile"
[[person]]
key = "maes"
last_name = "Maes"
first_name = "Wout"
niss = "04.06.19-998.42"

[[mandate]]
person = "delcourt"
entity = "midi"
role = "co-responsible"
since = 2020-01-01
[[mandate]]
person = "delcourt"
entity = "aube"
role = "responsible"
[[mandate]]
person = "janssens"
entity = "midi"
role = "local"
quality = "hospital"
[[mandate]]
person = "claes"
entity = "midi"
role = "subdivision"
quality = "hospital"
subdivision = "Cardiologie"
[[mandate]]
person = "groep"
entity = "midi"
role = "group"
quality = "hospital"
[[mandate]]
person = "audi"
entity = "midi"
role = "auditor"
[[mandate]]
person = "kaai"
entity = "quai"
role = "responsible"

[[account]]
person = "delcourt"
entity = "midi"
quality = "hospital"
username = "adelcour"
[[account]]
person = "peeters"
entity = "midi"
quality = "hospital"
username = "jpeeters"
subdivision = "Cathétérisme"
profession = "specialist-physician"
[[account.grant]]
application = "hospiliss"
starts_on = 2024-01-15
[[account]]
person = "peeters2"
entity = "midi"
quality = "hospital"
username = "janpeete"
subdivision = "Pharmacie"
[[account]]
person = "dubois"
entity = "midi"
quality = "hospital"
username = "zdubois1"
profession = "collaborator"
[[account.grant]]
application = "colindos"
starts_on = 2026-03-12
ends_on = 2026-12-10
[[account]]
person = "lambert"
entity = "midi"
quality = "hospital"
username = "elambert"
status = "blocked"
[[account]]
person = "maes"
entity = "aube"
quality = "hospital"
username = "wmaes001"
[[account]]
person = "kaai"
entity = "quai"
quality = "hospital"
username = "kkaai001"
"""
"""Who is who: delcourt manages midi and aube, janssens the hospital quality of midi, claes its cardiology, groep the
same quality as a group manager, audi reads, kaai manages quai, whose rights live on the portal."""


class Register:
    """The sample register in a database, with its ids by key, and acts in the name of its people."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, text: str = REGISTER) -> None:
        self.database, self.keyring = database, keyring
        load_once(database, keyring, folder, text, today=TODAY, now=NOW)
        with database.read() as connection:
            self.catalogue = catalogue_of(connection)
            self.entity = {row.key: row.id for row in connection.execute(select(ENTITIES))}
            self.person = {row.key: row.id for row in connection.execute(select(IDENTITIES))}
            places = {value: key for key, value in self.entity.items()}
            self.quality = {
                f"{places[row.entity_id]}/{row.key}": row.id for row in connection.execute(select(QUALITIES))
            }
            self.subdivision = {row.name: row.id for row in connection.execute(select(SUBDIVISIONS))}
            people = select(ACCOUNTS.c.id, IDENTITIES.c.key).join(
                PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id
            )
            rows = connection.execute(people.join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id))
            self.account = {row.key: row.id for row in rows}

    def session(self, person: str, *scope: str) -> Session:
        """A session of the person, limited to these entities if any."""
        entities = frozenset(self.entity[key] for key in scope)
        return Session(self.person[person], entities or None)

    @contextmanager
    def work(self, person: str | None, *scope: str, now: datetime = NOW) -> Iterator[Work]:
        """The means of a turn, in a transaction of its own."""
        with self.database.write() as connection:
            session = self.session(person, *scope) if person else None
            yield Work(connection, self.keyring, session, 42, 42, now, brussels_day(now), self.catalogue)

    def does(self, person: str | None, request: Request, *scope: str, now: datetime = NOW) -> Outcome:
        """The person's request, performed."""
        with self.work(person, *scope, now=now) as work:
            return perform(work, request)

    @contextmanager
    def sees(self, person: str | None, *scope: str, now: datetime = NOW) -> Iterator[RegisterDirectory]:
        """The register as the person sees it."""
        with self.database.read() as connection:
            session = self.session(person, *scope) if person else None
            yield RegisterDirectory(
                connection, self.keyring, session, today=brussels_day(now), now=now, catalogue=self.catalogue
            )

    def grant(
        self, account: str, *applications: str, quality: str = "midi/hospital", **fields: object
    ) -> GrantAccess:
        """A request for a user who is there."""
        request = GrantAccess(self.quality[quality], applications, account=self.account[account])
        return replace(request, **fields)  # type: ignore[arg-type]

    def welcome(
        self,
        *applications: str,
        quality: str = "midi/hospital",
        user: NewUser | None = None,
        **fields: object,
    ) -> GrantAccess:
        """A request for somebody new."""
        request = GrantAccess(self.quality[quality], applications, user=user or newcomer())
        return replace(request, **fields)  # type: ignore[arg-type]


def newcomer(**fields: object) -> NewUser:
    """Tom Vermeulen, unless told otherwise."""
    user = NewUser("Vermeulen", "Tom", "tom.vermeulen@example.org", "tvermeul", "nl", niss=NEW_NISS)
    return replace(user, **fields)  # type: ignore[arg-type]


def rows(register: Register, table, **where: object) -> list:
    """The rows of a table that are so; items in their order."""
    with register.database.read() as connection:
        order = [table.c[name] for name in ("change_number", "position") if "position" in table.c]
        query = select(table).order_by(*order)
        for name, value in where.items():
            query = query.where(table.c[name] == value)
        return connection.execute(query).all()


def run_due(register: Register, now: datetime):
    """What is due by then, carried out as the worker does it; the notices."""
    with register.database.write() as connection:
        notices = [
            activation.run(connection, register.keyring, task.kind, task.data, now)
            for task in due.take(connection, now, limit=100)
            if due.done(connection, task.id, now)
        ]
    return [notice for notice in notices if notice]

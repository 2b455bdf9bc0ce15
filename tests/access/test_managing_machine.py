"""No sequence of appointments, replacements and ends takes anybody outside his scope, and nobody's mandate is his own doing.

Hypothesis plays people of every role over two entities on one SQLite database; a small model of the table says what each
act must come to. After each act the mandates of the register are those of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from bot.access import managing, substituting
from bot.access.mandates import office_of
from bot.access.requests import AppointDeputy, AppointManager, Done, EndDeputy, EndMandate
from bot.access.rows import ITEMS, MANDATES, SUBSTITUTIONS
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.keys import Keyring
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, select
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import REGISTER, TODAY, Register
from tests.access.test_managing import MORE

PEOPLE = (
    "wet",
    "hoofd",
    "delcourt",
    "janssens",
    "groep",
    "claes",
    "audi",
    "kaai",
    "peeters",
    "peeters2",
    "dubois",
    "maes",
)
ACCOUNTS = {
    "delcourt": ("midi", None),
    "peeters": ("midi", "Cathétérisme"),
    "peeters2": ("midi", "Pharmacie"),
    "dubois": ("midi", None),
    "maes": ("aube", None),
    "kaai": ("quai", None),
}
"""Who can be appointed: the users of each entity, with their subdivision."""
PLACES = (
    ("midi", None, None),
    ("midi", "hospital", None),
    ("midi", "hospital", "Cardiologie"),
    ("midi", "hospital", "Cathétérisme"),
    ("midi", "hospital", "Pharmacie"),
    ("aube", None, None),
    ("aube", "hospital", None),
)
WITHIN = {"Cathétérisme": ("Cardiologie", "Cathétérisme")}
SHAPE = {
    "responsible": 0, "co-responsible": 0, "auditor": 0, "local": 1, "co-local": 1, "group": 1, "subdivision": 2,
}  # fmt: skip
"""How narrow the place of each office is: entity, quality, subdivision."""
APPOINTS = {
    "legal-representative": {"responsible"},
    "responsible": {"co-responsible", "local", "co-local", "group", "subdivision", "auditor"},
    "co-responsible": {"local", "co-local", "group", "subdivision"},
    "local": {"co-local", "group", "subdivision"},
    "co-local": {"co-local", "group", "subdivision"},
    "subdivision": {"subdivision"},
}
"""`domain.md` 1.3, written down once more."""


@dataclass(frozen=True)
class Held:
    """A mandate of the model."""

    person: str
    office: str
    entity: str
    quality: str | None
    part: str | None

    def covers(self, entity: str, quality: str | None, part: str | None) -> bool:
        return (
            self.entity == entity
            and self.quality in {None, quality}
            and (self.part is None or self.part in WITHIN.get(part or "", (part,)))
        )


@dataclass(frozen=True)
class StandIn:
    """A substitution of the model."""

    principal: str
    deputy: str
    entity: str

    def keyed(self) -> tuple[tuple[str, str], ...]:
        return ("person", self.principal), ("person", self.deputy), ("entity", self.entity)


Request = AppointManager | EndMandate | AppointDeputy | EndDeputy
ACTS = {
    AppointManager: managing.appoint_manager,
    EndMandate: managing.end_mandate,
    AppointDeputy: substituting.appoint_deputy,
    EndDeputy: substituting.end_deputy,
}
START = {
    Held("wet", "legal-representative", "midi", None, None),
    Held("hoofd", "responsible", "midi", None, None),
    Held("delcourt", "co-responsible", "midi", None, None),
    Held("delcourt", "responsible", "aube", None, None),
    Held("janssens", "local", "midi", "hospital", None),
    Held("groep", "group", "midi", "hospital", None),
    Held("claes", "subdivision", "midi", "hospital", "Cardiologie"),
    Held("audi", "auditor", "midi", None, None),
    Held("kaai", "responsible", "quai", None, None),
}


Place = tuple[str, str | None, str | None]
FITTING = [
    (office, where)
    for office, narrow in SHAPE.items()
    for where in PLACES
    if narrow == sum(each is not None for each in where[1:])
]
BY = st.sampled_from(["hoofd", "delcourt", "janssens", "claes", "wet", "dubois"]) | st.sampled_from(PEOPLE)


class Managers(RuleBasedStateMachine):
    """All act today, so that whoever holds a mandate holds it now."""

    register: Register
    """One for all runs: each begins with the mandates that were loaded."""
    loaded: list[dict[str, object]]

    @initialize()
    def begin(self) -> None:
        self.database = self.register.database
        with self.database.write() as connection:
            connection.execute(delete(MANDATES))
            connection.execute(insert(MANDATES), self.loaded)
            connection.execute(delete(SUBSTITUTIONS))
        self.model = set(START)
        self.standins: set[StandIn] = set()

    def does(self, by: str, request: Request) -> bool:
        act = ACTS[type(request)]
        with self.register.work(by) as work:
            try:
                with work.connection.begin_nested():
                    return isinstance(act(work, request), Done)  # type: ignore[operator]
            except Refusal:
                return False

    def may(self, by: str, office: str, subject: str, where: Place) -> bool:
        return by != subject and any(
            held.person != subject and office in APPOINTS.get(held.office, ()) and held.covers(*where)
            for held in self.held_by(by)
        )

    def held_by(self, by: str) -> set[Held]:
        """His own, and those of whom he stands in for, in that entity."""
        lent = {
            held
            for held in self.model
            for standin in self.standins
            if standin == StandIn(held.person, by, held.entity) and held.office != "legal-representative"
        }
        return {held for held in self.model if held.person == by} | lent

    def sees(self, by: str, office: str, subject: str) -> bool:
        entity, part = ACCOUNTS[subject]
        mine = [held for held in self.held_by(by) if held.office != "legal-representative"]
        if any(held.covers(entity, "hospital", part) for held in mine):
            return True
        manages = {held.office for held in self.model if (held.person, held.entity) == (subject, entity)}
        return office == "responsible" and bool(manages - {"auditor"})

    @rule(by=BY, replaces=st.booleans(), at_random=st.integers(0, 2), data=st.data())
    def appoint(self, by: str, replaces: bool, at_random: int, data: st.DataObject) -> None:
        """One time in three anything at all, else something that the table allows him somewhere."""
        allowed = [
            (office, where, subject)
            for office, where in FITTING
            for subject in sorted(ACCOUNTS)
            if self.may(by, office, subject, where) and self.sees(by, office, subject)
        ]
        anything = st.tuples(
            st.sampled_from(sorted(SHAPE)), st.sampled_from(PLACES), st.sampled_from(sorted(ACCOUNTS))
        )
        drawn = st.sampled_from(allowed) if allowed and at_random else anything
        office, where, subject = data.draw(drawn)
        entity, quality, part = where
        old = min(
            (held for held in self.model if (held.office, held.entity, held.quality, held.part) == (office, *where)),
            key=lambda held: held.person,
            default=None,
        ) if replaces else None  # fmt: skip
        request = AppointManager(
            office,
            self.register.entity[entity],
            self.register.account[subject],
            TODAY,
            quality=self.register.quality[f"{entity}/{quality}"] if quality else None,
            subdivision=self.register.subdivision[part] if part else None,
            replaces=self.id_of(old) if old else None,
        )
        new = Held(subject, office, *where)
        twin = replace(new, office={"local": "co-local", "co-local": "local"}.get(office, office))
        expected = (
            SHAPE[office] == sum(each is not None for each in (quality, part))
            and ACCOUNTS[subject][0] == entity
            and self.may(by, office, subject, where)
            and (old is None or self.may(by, office, old.person, where))
            and self.sees(by, office, subject)
            and not ({new, twin} - {old}) & self.model
        )
        assert self.does(by, request) == expected, (by, office, subject, where, old)
        if expected:
            self.model = (self.model - {old}) | {new}

    @rule(by=BY, data=st.data())
    def end(self, by: str, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(sorted(self.model, key=str)))
        office = held.office if held.office in SHAPE else "responsible"
        request = EndMandate(self.id_of(held), office, self.register.entity[held.entity])
        others = [
            each
            for each in self.model
            if (each.office, each.entity) == ("responsible", held.entity) and each != held
        ]
        expected = (
            held.office in SHAPE
            and self.may(by, held.office, held.person, (held.entity, held.quality, held.part))
            and (held.office != "responsible" or bool(others))
        )
        assert self.does(by, request) == expected, (by, held)
        if expected:
            self.model -= {held}

    @rule(at_random=st.integers(0, 2), data=st.data())
    def stand_in(self, at_random: int, data: st.DataObject) -> None:
        """One time in three anybody for anybody, else somebody who may be asked."""
        pairs = [(by, subject) for by in PEOPLE for subject in sorted(ACCOUNTS)]
        fitting = [pair for pair in pairs if self.may_lend(*pair)]
        by, subject = data.draw(st.sampled_from(fitting if fitting and at_random else pairs))
        entity = ACCOUNTS[subject][0]
        request = AppointDeputy(self.register.entity[entity], self.register.account[subject], TODAY, TODAY)
        expected = self.may_lend(by, subject)
        assert self.does(by, request) == expected, (by, subject)
        if expected:
            self.standins.add(StandIn(by, subject, entity))

    def may_lend(self, by: str, subject: str) -> bool:
        entity, part = ACCOUNTS[subject]
        return (
            by != subject
            and any(
                held.person == by
                and held.office != "legal-representative"
                and held.covers(entity, "hospital", part)
                for held in self.model
            )
            and not any((each.principal, each.entity) == (by, entity) for each in self.standins)
        )

    @precondition(lambda self: bool(self.standins))
    @rule(by=BY, data=st.data())
    def stand_down(self, by: str, data: st.DataObject) -> None:
        standin = data.draw(st.sampled_from(sorted(self.standins, key=str)))
        expected = by in {standin.principal, standin.deputy} or any(
            self.may(by, held.office, held.person, (held.entity, held.quality, held.part))
            for held in self.model
            if (held.person, held.entity) == (standin.principal, standin.entity) and held.office in SHAPE
        )
        with self.database.read() as connection:
            rows = connection.execute(select(SUBSTITUTIONS).where(SUBSTITUTIONS.c.revoked_at.is_(None))).all()
        wanted = [getattr(self.register, name)[key] for name, key in standin.keyed()]
        row = next(row for row in rows if [row.principal_id, row.deputy_id, row.entity_id] == wanted)
        assert self.does(by, EndDeputy(row.id)) == expected, (by, standin)
        if expected:
            self.standins.remove(standin)

    def id_of(self, wanted: Held) -> str:
        return next(key for key, held in self.rows().items() if held == wanted)

    def rows(self) -> dict[str, Held]:
        person, entity, quality, part = (
            {value: key for key, value in names.items()}
            for names in (
                self.register.person, self.register.entity, self.register.quality, self.register.subdivision,
            )
        )  # fmt: skip
        with self.database.read() as connection:
            return {
                row.id: Held(
                    person[row.identity_id],
                    office_of(row),
                    entity[row.entity_id],
                    quality[row.quality_id].partition("/")[2] if row.quality_id else None,
                    part[row.subdivision_id] if row.subdivision_id else None,
                )
                for row in connection.execute(managing.MANDATE)
            }

    @invariant()
    def the_register_holds_what_the_model_holds(self) -> None:
        if hasattr(self, "model"):
            rows = self.rows()
            assert set(rows.values()) == self.model
            assert len(rows) == len(self.model), "a mandate twice"

    @invariant()
    def an_entity_that_had_a_responsible_has_one(self) -> None:
        if hasattr(self, "model"):
            assert {held.entity for held in self.model if held.office == "responsible"} == {
                "midi",
                "aube",
                "quai",
            }


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    folder = tmp_path_factory.mktemp("managers")
    with databases.sqlite(folder) as url:
        database = Database(url)
        yield Register(database, Keyring({1: bytes(range(32))}), folder, REGISTER + MORE)
        database.close()


def test_no_sequence_of_acts_takes_anybody_outside_his_scope(register: Register) -> None:
    with register.database.read() as connection:
        Managers.loaded = [dict(row._mapping) for row in connection.execute(select(MANDATES))]
    Managers.register = register
    assert len(Managers.loaded) == len(START)
    run_state_machine_as_test(
        Managers,
        settings=settings(
            max_examples=8,
            stateful_step_count=18,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)
        done = Counter(connection.execute(select(ITEMS.c.kind)).scalars())
    assert min(done["appoint-manager"], done["end-manager"], done["appoint-deputy"]) > 3, (
        f"most acts were refused: {done}"
    )

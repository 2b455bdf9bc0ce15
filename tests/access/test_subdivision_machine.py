"""No sequence of acts on subdivisions takes anybody out of his own branch, and nobody and nothing is left in a closed one.

Hypothesis plays people of every role over one quality's tree on SQLite; a small model of it says what each act must come
to. After each act the tree, its users and its mandates are those of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from bot.access.closing import close_subdivision
from bot.access.requests import (
    DEEPEST,
    CloseSubdivision,
    CreateSubdivision,
    Done,
    MoveSubdivision,
    RenameSubdivision,
)
from bot.access.rows import ACCOUNTS, ITEMS, MANDATES, SUBDIVISIONS
from bot.access.subdivisions import create_subdivision, move_subdivision, rename_subdivision
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.keys import Keyring
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, insert, select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import REGISTER, Register
from tests.access.test_subdivisions import check_places

SECOND = """
[[mandate]]
person = "dubois"
entity = "midi"
role = "subdivision"
quality = "hospital"
subdivision = "Pharmacie"
[[mandate]]
person = "janssens"
entity = "midi"
role = "subdivision"
quality = "hospital"
subdivision = "Cathétérisme"
"""
WHOLE = ("delcourt", "janssens")
"""They manage all of the quality; the others a branch, or only look, or nothing here."""
BRANCHES = {"claes": "Cardiologie", "dubois": "Pharmacie", "janssens": "Cathétérisme"}
"""One of them has the whole too, but may not end his own mandate."""
OTHERS = ("groep", "audi", "kaai", "peeters")
BY = st.sampled_from(["delcourt", *BRANCHES]) | st.sampled_from([*WHOLE, *BRANCHES, *OTHERS])
TREE = {"Cardiologie": None, "Cathétérisme": "Cardiologie", "Pharmacie": None}
LIES_IN = {"peeters": "Cathétérisme", "peeters2": "Pharmacie"}
ACTS: dict[type, Callable[..., object]] = {
    CreateSubdivision: create_subdivision,
    RenameSubdivision: rename_subdivision,
    MoveSubdivision: move_subdivision,
    CloseSubdivision: close_subdivision,
}


class Subdivisions(RuleBasedStateMachine):
    """The model calls each subdivision by the name that it was made under, whatever it is called since."""

    register: Register
    """One for all runs: each begins with the rows that were loaded."""
    loaded: dict[object, list[dict[str, object]]]

    @initialize()
    def begin(self) -> None:
        with self.register.database.write() as connection:
            connection.execute(update(ACCOUNTS).values(subdivision_id=None))
            connection.execute(delete(MANDATES))
            connection.execute(delete(SUBDIVISIONS))
            for table in (SUBDIVISIONS, MANDATES):
                rows = sorted(self.loaded[table], key=lambda row: row.get("parent_id") is not None)
                connection.execute(insert(table), rows)
            for person, ward in LIES_IN.items():
                own = ACCOUNTS.c.id == self.register.account[person]
                values = {"subdivision_id": self.register.subdivision[ward]}
                connection.execute(update(ACCOUNTS).where(own).values(values))
        self.tree, self.people, self.mandates = dict(TREE), dict(LIES_IN), dict(BRANCHES)
        self.ids = {name: self.register.subdivision[name] for name in TREE}
        self.versions = dict.fromkeys(TREE, 1)
        self.made = 0

    # -- the model --

    def path(self, ward: str | None) -> list[str]:
        found: list[str] = []
        while ward is not None:
            found.insert(0, ward)
            ward = self.tree[ward]
        return found

    def inside(self, top: str) -> set[str]:
        return {ward for ward in self.tree if top in self.path(ward)}

    def may(self, by: str, ward: str | None) -> bool:
        return by in WHOLE or self.mandates.get(by) in self.path(ward)

    def drawn(self, data: st.DataObject, by: str, *also: None) -> str | None:
        """Any one, most often of his own branch."""
        own = sorted(each for each in self.tree if self.mandates.get(by) in self.path(each))
        return data.draw(st.sampled_from([*own * 2, *sorted(self.tree), *also]))

    def does(self, by: str, request: object) -> bool:
        with self.register.work(by) as work:
            try:
                with work.connection.begin_nested():
                    return isinstance(ACTS[type(request)](work, request), Done)
            except Refusal:
                return False

    # -- the acts --

    @rule(by=BY, data=st.data())
    def create(self, by: str, data: st.DataObject) -> None:
        within = self.drawn(data, by, None)
        name = f"Unité {self.made}"
        place = self.ids[within] if within else None
        expected = self.may(by, within) and len(self.path(within)) < DEEPEST
        done = self.does(by, CreateSubdivision(self.register.quality["midi/hospital"], name, place))
        assert done == expected, (by, within)
        self.made += 1
        if expected:
            self.tree[name], self.versions[name] = within, 1
            with self.register.database.read() as connection:
                query = select(SUBDIVISIONS.c.id).where(SUBDIVISIONS.c.name == name)
                self.ids[name] = connection.execute(
                    query.where(SUBDIVISIONS.c.closed_at.is_(None))
                ).scalar_one()

    @rule(by=BY, data=st.data())
    def rename(self, by: str, data: st.DataObject) -> None:
        ward = self.drawn(data, by) if self.tree else None
        if ward is None:
            return
        self.made += 1
        request = RenameSubdivision(self.ids[ward], self.versions[ward], f"Salle {self.made}")
        assert self.does(by, request) == self.may(by, ward), (by, ward)
        self.versions[ward] += self.may(by, ward)

    @rule(by=BY, data=st.data())
    def move(self, by: str, data: st.DataObject) -> None:
        if self.tree:
            ward, to = self.drawn(data, by), self.drawn(data, by, None)
            assert ward
            self.moves(by, ward, to)

    @rule(by=st.sampled_from(sorted(BRANCHES)), data=st.data())
    def carry_away(self, by: str, data: st.DataObject) -> None:
        """Out of one's own branch, or into it."""
        own = sorted(each for each in self.tree if self.mandates.get(by) in self.path(each))
        others: list[str | None] = [None, *sorted(set(self.tree) - set(own))]
        if own:
            ward, to = data.draw(st.sampled_from(own)), data.draw(st.sampled_from(others))
            self.moves(by, to, ward) if to and data.draw(st.booleans()) else self.moves(by, ward, to)

    def moves(self, by: str, ward: str, to: str | None) -> None:
        branch = self.inside(ward)
        height = max(len(self.path(each)) for each in branch) - len(self.path(ward)) + 1
        expected = (
            all(self.may(by, each) for each in (ward, self.tree[ward], to))
            and to not in branch
            and to != self.tree[ward]
            and len(self.path(to)) + height <= DEEPEST
        )
        people = sum(place in branch for place in self.people.values())
        place = self.ids[to] if to else None
        done = self.does(by, MoveSubdivision(self.ids[ward], self.versions[ward], place, people))
        assert done == expected, (by, ward, to)
        if expected:
            self.tree[ward] = to
            self.versions[ward] += 1

    @rule(by=BY, data=st.data())
    def close(self, by: str, data: st.DataObject) -> None:
        if not self.tree:
            return
        ward, heir = self.drawn(data, by), self.drawn(data, by, None)
        assert ward
        branch = self.inside(ward)
        held = {person: place for person, place in self.mandates.items() if place in branch}
        moved = [person for person, place in self.people.items() if place in branch]
        expected = (
            self.may(by, ward)
            and by not in held
            and (not moved or (self.may(by, heir) and heir not in branch))
        )
        with self.register.database.read() as connection:
            query = select(MANDATES.c.id, MANDATES.c.subdivision_id).where(MANDATES.c.revoked_at.is_(None))
            ids = {self.ids[each] for each in branch}
            over = tuple(row.id for row in connection.execute(query) if row.subdivision_id in ids)
        request = CloseSubdivision(
            self.ids[ward],
            self.versions[ward],
            len(moved),
            tuple(self.ids[each] for each in branch - {ward}),
            over,
            self.ids[heir] if heir else None,
        )
        assert self.does(by, request) == expected, (by, ward, heir)
        if expected:
            self.people |= dict.fromkeys(moved, heir)
            self.mandates = {person: place for person, place in self.mandates.items() if person not in held}
            self.tree = {each: above for each, above in self.tree.items() if each not in branch}

    # -- what holds after each --

    @invariant()
    def the_register_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "tree"):
            return
        names = {value: key for key, value in self.ids.items()}
        with self.register.database.read() as connection:
            check_places(connection)
            open_ones = select(SUBDIVISIONS).where(SUBDIVISIONS.c.closed_at.is_(None))
            rows = connection.execute(open_ones).all()
            assert {names[row.id]: names.get(row.parent_id) for row in rows} == self.tree
            assert {names[row.id]: row.version for row in rows} == {
                name: self.versions[name] for name in self.tree
            }
            places = {row.id: row.subdivision_id for row in connection.execute(select(ACCOUNTS))}
            lie = {person: names.get(places[self.register.account[person]]) for person in LIES_IN}
            assert lie == self.people

    @invariant()
    def everybody_sees_his_own_branch(self) -> None:
        if not hasattr(self, "tree"):
            return
        for by in {*WHOLE, *BRANCHES}:
            with self.register.sees(by) as directory:
                cards = directory.branches(self.register.entity["midi"])
            seen = {card.id for card in cards if card.changeable}
            assert seen == {self.ids[ward] for ward in self.tree if self.may(by, ward)}, by


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    folder = tmp_path_factory.mktemp("subdivisions")
    with databases.sqlite(folder) as url:
        database = Database(url)
        yield Register(database, Keyring({1: bytes(range(32))}), folder, REGISTER + SECOND)
        database.close()


def test_no_sequence_of_acts_takes_anybody_out_of_his_branch(register: Register) -> None:
    with register.database.read() as connection:
        Subdivisions.loaded = {
            table: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in (SUBDIVISIONS, MANDATES)
        }
    Subdivisions.register = register
    run_state_machine_as_test(
        Subdivisions,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)
        done = Counter(connection.execute(select(ITEMS.c.kind)).scalars())
    kinds = ("create", "rename", "move", "close")
    assert min(done[f"{kind}-subdivision"] for kind in kinds) > 2, f"most acts were refused: {done}"

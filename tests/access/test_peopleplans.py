"""Whichever way is gone, people, near names and holdings are what a plain look at everybody gives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import product

import pytest
from bot.access import holdinglists, nearnames, userlists
from bot.access.directory import RegisterDirectory
from bot.access.reach import bounded
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS
from bot.access.views import Counts, FunctionCounts
from bot.store.database import Database
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA
from sqlalchemy import insert, select, update
from tests import databases
from tests.access.registers import NOW, TODAY, Register
from tests.access.test_userplans import FIRST, LAST, filled

COUNTED, SIZE = 7, 4
FUNCTIONS = ("collaborator-specialist-physician", "collaborator-hospital-pharmacist", "own-function")
VIEWERS = ("delcourt", "janssens", "claes")


@pytest.fixture
def register(database: Database, keyring, tmp_path, monkeypatch):
    for module in (userlists, holdinglists):
        monkeypatch.setattr(module, "COUNTED", COUNTED)
    monkeypatch.setattr(userlists, "STRIDE", 4)
    monkeypatch.setattr(holdinglists, "MANY", COUNTED + 1)
    monkeypatch.setattr(holdinglists, "FIRST", COUNTED + 3)
    register = filled(Register(database, keyring, tmp_path))
    with database.write() as connection:
        ward = ACCOUNTS.c.username.endswith("1") | ACCOUNTS.c.username.endswith("7")
        connection.execute(
            update(ACCOUNTS).where(ward).values(subdivision_id=register.subdivision["Cardiologie"])
        )
        connection.execute(insert(GRANTS), [_held(n, "application") for n in range(0, 70, 3)])
        connection.execute(insert(ASSIGNMENTS), [_held(n, "function") for n in range(0, 70, 2)])
    return register


def _held(n: int, kind: str) -> dict:
    """A holding in each of its states, some of them over."""
    key = "civars" if kind == "application" else FUNCTIONS[2 if n == 40 else n % 10 == 6]
    ends = {0: TODAY + timedelta(days=20), 1: TODAY - timedelta(days=1), 2: TODAY + timedelta(days=99)}
    active = {0: None, 1: NOW + timedelta(hours=1)}
    return {
        "id": f"{kind}{n}",
        "account_id": f"x{n:03d}",
        kind: key,
        "starts_on": TODAY - timedelta(days=9),
        "ends_on": ends.get(n % 5),
        "recorded_at": NOW,
        "active_at": active.get(n % 4, NOW - timedelta(days=3)),
        "revoked_at": NOW - timedelta(days=1) if n % 11 == 5 else None,
    }


# -- holdings -------------------------------------------------------------------------------------


def test_the_overview_and_its_lists_are_what_a_plain_look_gives(register):
    entity = register.entity["midi"]
    for person in ("delcourt", "claes"):
        with register.sees(person) as directory:
            held = plainly_held(directory, entity)
            for what, (key, kind) in product(
                ("active", "pending", "to_do", "ending", "live"),
                (
                    ("", ""),
                    ("", "function"),
                    ("hospiliss", ""),
                    ("civars", "application"),
                    (FUNCTIONS[0], ""),
                ),
            ):
                meant = [
                    row[1:] for row in held
                    if what in row[0] and key in {"", row[3]} and kind in {"", row[2]}
                ]  # fmt: skip
                pages = -(-min(len(meant), COUNTED) // SIZE)
                for page in sorted({0, max(0, pages - 1), pages + 1}):
                    listing = directory.listed(entity, what, key=key, kind=kind, page=page, size=SIZE)
                    assert listing.total == min(len(meant), COUNTED + 1)
                    assert listing.page == max(0, min(page, pages - 1))
                    found = [(line.person.id, line.holding.kind, line.holding.key) for line in listing.items]
                    assert found == meant[listing.page * SIZE :][:SIZE], (person, what, key, kind, page)
            assert directory.counts(entity) == Counts(
                people=_few(len(plain_people(directory, entity))),
                active=_few(sum("active" in row[0] for row in held)),
                pending=_few(sum("pending" in row[0] for row in held)),
                ending=_few(sum("ending" in row[0] for row in held)),
            )
            exercised = [(row[1], row[3]) for row in held if row[2] == "function"]
            each = {key: len({who for who, other in exercised if other == key}) for _, key in exercised}
            assert directory.function_counts(entity) == FunctionCounts(
                _few(len({who for who, _ in exercised})),
                tuple((key, _few(number)) for key, number in sorted(each.items())),
            )


def _few(number: int) -> int:
    return min(number, COUNTED + 1)


def plain_people(directory: RegisterDirectory, entity: str) -> list:
    rows = directory._connection.execute(
        select(ACCOUNTS).where(directory._reach.within(entity, Act.VIEW_STATUS))
    )
    return sorted((row for row in rows if row.status != "deleted"), key=lambda row: (row.sort_key, row.id))


def plainly_held(directory: RegisterDirectory, entity: str) -> list[tuple[set[str], str, str, str]]:
    """The states of what is not over, whose it is, its kind and key; in the order of lists."""
    found = []
    for person in plain_people(directory, entity):
        for kind, table in (("application", GRANTS), ("function", ASSIGNMENTS)):
            rows = directory._connection.execute(select(table).where(table.c.account_id == person.id)).all()
            for row in sorted(rows, key=lambda row: (getattr(row, kind), row.starts_on, row.id)):
                states = _states(row) - (
                    {"active", "pending", "ending"} if person.status == "blocked" else set()
                )
                if states:
                    found.append((states, person.id, kind, getattr(row, kind)))
    return found


def _states(row) -> set[str]:
    if (row.revoked_at and row.revoked_at <= NOW) or (row.ends_on and row.ends_on < TODAY):
        return set()
    if row.active_at is None:
        return {"live", "to_do"}
    if row.active_at > NOW:
        return {"live", "pending"}
    ending = row.ends_on and row.ends_on <= TODAY + timedelta(days=30)
    return {"live", "active"} | ({"ending"} if ending else set())


# -- people ---------------------------------------------------------------------------------------


def test_people_are_what_a_plain_look_gives(register):
    room = register.quality["midi/hospital"]
    texts = ("", "v", "van", "vana jan", "jan", "claes emi", "x", "kelder", "jans kelder", "vmaes28")
    for person in ("delcourt", "claes"):
        with register.sees(person) as directory:
            everybody = plain_people(directory, register.entity["midi"])
            grants = directory._connection.execute(select(GRANTS)).all()
            held = {(row.account_id, row.application) for row in grants if _states(row)}
            for find, holding in product(texts, ("", "hospiliss", "colindos")):
                meant = [
                    row.id for row in everybody
                    if all(f" {word}" in row.search for word in find.split())
                    and (not holding or (row.id, holding) in held)
                ]  # fmt: skip
                pages = -(-min(len(meant), COUNTED) // SIZE)
                for page in sorted({0, max(0, pages - 1), pages + 3}):
                    listing = directory.people(room, find=find, holding=holding, page=page, size=SIZE)
                    assert listing.total == min(len(meant), COUNTED + 1)
                    assert listing.page == max(0, min(page, pages - 1))
                    found = [each.id for each in listing.items]
                    assert found == meant[listing.page * SIZE :][:SIZE], (person, find, holding, page)


# -- near names -----------------------------------------------------------------------------------

SIGNS = st.sampled_from("abejnsvx1")
TYPED = st.lists(
    st.sampled_from([*" ".join((*LAST, "claes", *FIRST)).lower().replace("é", "e").split(), "jvana1"]),
    min_size=1,
    max_size=3,
)


@st.composite
def mistyped(draw) -> str:
    """Words of names, with an error in some of them."""
    words = []
    for word in draw(TYPED):
        at, sign = draw(st.integers(0, len(word) - 1)), draw(SIGNS)
        errors = (
            word,
            word[:at] + word[at + 1 :],
            word[:at] + sign + word[at:],
            word[:at] + sign + word[at + 1 :],
        )
        words.append(draw(st.sampled_from(errors)) or word)
    return " ".join(words)


@pytest.fixture
def names(keyring, tmp_path):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield filled(Register(database, keyring, tmp_path))
        database.close()


def plainly_near(typed: str, rows: Sequence) -> list[tuple[float, str]]:
    """As each account was compared, before there were many."""
    words = typed.split()
    scored = []
    for row in rows:
        best = [max(fuzz.ratio(word, own) for own in row.search.split()) for word in words]
        if sum(best) / len(best) >= nearnames.NEAR and min(best) >= nearnames.NEAR_WORD:
            far = not any(f" {word[0]}" in row.search for word in words)
            scored.append((-sum(best) / len(best), far, row.sort_key, row.id))
    return [(-score, account) for score, _, _, account in sorted(scored)]


@pytest.mark.parametrize("person", VIEWERS)
def test_in_a_quality_of_ordinary_size_the_nearest_are_the_nearest_of_all(names, person):
    room = names.quality["midi/hospital"]
    with names.sees(person) as directory:
        rows = plain_people(directory, names.entity["midi"])

        @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(mistyped())
        def nearest(typed: str) -> None:
            found = directory.alike(room, typed, limit=5)
            assert [each.id for each in found] == [account for _, account in plainly_near(typed, rows)[:5]]

        nearest()


def test_in_a_large_one_whoever_is_one_error_away_is_among_the_nearest(names, monkeypatch):
    monkeypatch.setattr(nearnames, "ALL", 5)
    room = names.quality["midi/hospital"]
    with names.sees("delcourt") as directory:
        rows = plain_people(directory, names.entity["midi"])
        searches = {row.id: row.search.split() for row in rows}

        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @example("clase")
        @example("emi jansn")
        @example("vaan akn")
        @given(mistyped())
        def nearest(typed: str) -> None:
            everybody = {account: score for score, account in plainly_near(typed, rows)}
            found = [everybody[each.id] for each in directory.alike(room, typed, limit=5)]
            assert found == sorted(found, reverse=True)
            sure = [
                score for account, score in everybody.items()
                if all(any(OSA.distance(word, own) <= 1 for own in searches[account]) for word in typed.split())
            ]  # fmt: skip
            assert all(
                one >= other for one, other in zip(found, sorted(sure, reverse=True)[:5], strict=False)
            )
            assert len(found) >= min(5, len(sure))

        nearest()


def test_what_is_no_name_is_near_nobody(names, monkeypatch):
    monkeypatch.setattr(nearnames, "ALL", 5)
    with names.sees("delcourt") as directory:
        for typed in ("", " ", "%", "x" * 40, "a b c d e f g h i j"):
            assert directory.alike(names.quality["midi/hospital"], typed) == ()


def test_a_large_quality_forgives_on_both_databases(register, monkeypatch):
    monkeypatch.setattr(nearnames, "ALL", 5)
    for person, typed in (("delcourt", "Clase Emi"), ("janssens", "jansn"), ("claes", "clase")):
        with register.sees(person) as directory:
            room = register.quality["midi/hospital"]
            rows = plain_people(directory, register.entity["midi"])
            near = [account for _, account in plainly_near(typed.lower(), rows)]
            found = [each.id for each in directory.alike(room, typed)]
            assert found
            assert set(found) <= set(near)


@pytest.mark.parametrize("person", [*VIEWERS, "groep", "audi", "kaai"])
def test_the_scope_of_a_statement_that_is_built_once_is_the_scope(register, person):
    with register.sees(person) as directory:
        reach, sizes = directory._reach, set()
        for entity, act in product(register.entity.values(), (Act.LIST_USERS, Act.EXPORT_USERS)):
            plain = set(_ids(directory, select(ACCOUNTS.c.id).where(reach.within(entity, act))))
            once = select(ACCOUNTS.c.id).where(bounded(ACCOUNTS.c))
            assert set(_ids(directory, once, reach.bounds(entity, act))) == plain
            sizes.add(len(plain))
        assert len(sizes) > 1, "nothing is told apart"


def _ids(directory, query, values=None):
    return directory._connection.execute(query, values or {}).scalars()

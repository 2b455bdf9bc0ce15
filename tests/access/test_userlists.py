"""The list of an entity's users: each filter, the pages, the scope; on both databases."""

from __future__ import annotations

import itertools

import pytest
from bot.access.rows import ACCOUNT_WORDS, ACCOUNTS, sort_key
from bot.access.userparts import between
from bot.access.views import COUNTED, UserFilter
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import column, insert, select, update
from tests.access.registers import NOW, Register


@pytest.fixture
def register(database, keyring, tmp_path) -> Register:
    return Register(database, keyring, tmp_path)


def listed(register, *, who="delcourt", entity="midi", **wanted) -> list[str]:
    with register.sees(who) as directory:
        page = directory.users(register.entity[entity], UserFilter(**wanted), size=20)
    homonyms = {"janpeete": 1, "jpeeters": 0}  # told apart by their ids, which are drawn
    names = [person.username for person in page.items]
    return sorted(
        names, key=lambda name: (names.index(name) if name not in homonyms else 9, homonyms.get(name, 0))
    )


def test_each_filter_finds_its_people_and_together_those_of_all(register):
    assert listed(register) == ["adelcour", "zdubois1", "elambert", "jpeeters", "janpeete"]
    cases = {
        ("last", "peet"): ["jpeeters", "janpeete"],
        ("first", "émi"): ["elambert"],
        ("username", "JAN"): ["janpeete"],
        ("text", "jan peet"): ["jpeeters", "janpeete"],
        ("text", "pharm"): ["janpeete"],
        ("type", "user"): ["adelcour", "zdubois1", "elambert", "jpeeters", "janpeete"],
        ("type", "technical"): [],
        ("status", "blocked"): ["elambert"],
        ("application", "colindos"): ["zdubois1"],
        ("application", "hospiliss"): ["jpeeters"],
        ("function", "collaborator-hospital-pharmacist"): [],
        ("ending", True): ["zdubois1"],
        ("subdivision", register.subdivision["Cardiologie"]): ["jpeeters"],  # what hangs on it too
        ("account", register.account["peeters2"]): ["janpeete"],
    }
    found = {case: listed(register, **{case[0]: case[1]}) for case in cases}
    assert found == cases
    for (one, some), (other, more) in itertools.combinations(cases.items(), 2):
        if one[0] != other[0]:
            both = listed(register, **{one[0]: one[1], other[0]: other[1]})
            assert both == [each for each in some if each in more], (one, other)


def test_what_lies_outside_of_the_mandate_is_not_listed(register):
    assert listed(register, who="claes") == ["jpeeters"]  # cardiology, and what hangs on it
    assert listed(register, who="claes", text="janpeete") == []
    assert listed(register, who="janssens") == listed(register)
    assert listed(register, who="kaai") == []
    assert listed(register, who=None) == []


def crowd(register, number: int) -> None:
    """As many more users of midi, by one statement each for profiles and accounts."""
    rows = [
        {"n": n, "last": f"Naam{n:05d}", "first": "Jan" if n % 2 else "Piet", "id": f"x{n:07d}"}
        for n in range(number)
    ]
    with register.database.write() as connection:
        some = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.username == "jpeeters")).one()
        for table, values in (
            ("identities", identity_row),
            ("profiles", profile_row),
            ("accounts", account_row),
        ):
            target = register_table(table)
            connection.execute(insert(target), [values(row, some, register) for row in rows])


def register_table(name):
    from sqlmodel import SQLModel

    return SQLModel.metadata.tables[name]


def identity_row(row, some, register):
    return {"id": row["id"], "key": row["id"], "created_at": NOW}


def profile_row(row, some, register):
    order = {"sort_key": sort_key(row["last"], row["first"]), "search": f" {row['last'].lower()}"}
    return {
        "id": row["id"], "identity_id": row["id"], "entity_id": register.entity["midi"],
        "last_name": row["last"], "first_name": row["first"], "language": "fr",
        "created_at": NOW, "changed_at": NOW, "version": 1, **order,
    }  # fmt: skip


def account_row(row, some, register):
    search = f" {row['last'].lower()} {row['first'].lower()}"
    return {
        "id": row["id"], "profile_id": row["id"], "entity_id": register.entity["midi"],
        "quality_id": some.quality_id, "status": "active", "type": "user",
        "sort_key": sort_key(row["last"], row["first"]), "search": search,
        "created_at": NOW, "changed_at": NOW, "version": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("more", "counted"), [(40, True), (COUNTED + 40, False)])
def test_pages_go_on_and_back_over_everybody_once(register, more, counted):
    crowd(register, more)
    with register.sees("delcourt") as directory:
        entity = register.entity["midi"]
        page = directory.users(entity, UserFilter(first="jan"), size=10)
        assert (page.total, page.place) == (more // 2 + 2, 0)
        page = directory.users(entity, UserFilter(), size=10)
        assert page.total == (more + 5 if counted else COUNTED + 1)
        assert (page.place, page.more) == (0 if counted else None, (False, True))
        seen, pages = [person.id for person in page.items], [page]
        while page.more[1] and len(pages) < 5:
            page = directory.users(entity, UserFilter(), after=page.items[-1].id, size=10)
            seen += [person.id for person in page.items]
            pages.append(page)
        assert len(set(seen)) == len(seen) == min(50, more + 5)
        back = directory.users(entity, UserFilter(), before=pages[-1].items[0].id, size=10)
        assert back == pages[-2]
        first = directory.users(entity, UserFilter(), before=pages[1].items[0].id, size=10)
        assert first == pages[0]


def test_a_page_goes_on_from_somebody_who_no_longer_matches(register):
    with register.sees("delcourt") as directory:
        after = directory.users(register.entity["midi"], UserFilter(), size=2).items[-1].id
    with register.database.write() as connection:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == after).values(status="deleted"))
    with register.sees("delcourt") as directory:
        page = directory.users(register.entity["midi"], UserFilter(), after=after, size=1)
        assert [person.username for person in page.items] == ["elambert"]
        last = directory.users(register.entity["midi"], UserFilter(last="lam"), after=page.items[-1].id)
        assert [person.username for person in last.items] == ["elambert"]


def test_the_words_follow_whatever_is_written(register):
    def words(account):
        with register.database.read() as connection:
            query = select(ACCOUNT_WORDS.c.word).where(ACCOUNT_WORDS.c.account_id == account)
            return set(connection.execute(query).scalars())

    account = register.account["peeters"]
    assert words(account) == {"peeters", "jan", "jpeeters", "catheterisme"}
    with register.database.write() as connection:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(search=" de boer de"))
    assert words(account) == {"de", "boer"}
    with register.database.write() as connection:
        connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account).values(search=""))
    assert words(account) == set()


FOLDED = st.text("0159abyz", min_size=1, max_size=4)


@given(FOLDED, FOLDED)
def test_a_beginning_is_a_range(beginning, word):
    import sqlite3

    clause = between(column("word"), beginning).compile(compile_kwargs={"literal_binds": True})
    row = sqlite3.connect(":memory:").execute(f"SELECT {str(clause).replace('word', repr(word))}").fetchone()
    assert bool(row[0]) is word.startswith(beginning)

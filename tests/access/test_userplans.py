"""Whatever index leads, the list of users is the one that a plain look at every account gives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from bot.access import userlists
from bot.access.rows import ACCOUNTS, GRANTS, sort_key
from bot.access.userlists import UserLists
from bot.access.userparts import LIVING
from bot.access.views import UserFilter
from bot.store.database import Database
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from tests import databases
from tests.access.registers import NOW, TODAY, Register
from tests.access.test_userlists import identity_row, profile_row, register_table

LAST = ("Van Aken", "Van den Bo", "Vana", "Jansen", "Maes", "Claes")
FIRST = ("Jan", "Janna", "Vana", "Émi")
WORDS = ("v", "va", "van", "vana", "jan", "jans", "emi", "ma", "claes", "x", "kelder")
COUNTED = 7


@pytest.fixture
def register(keyring, tmp_path, monkeypatch):
    monkeypatch.setattr(userlists, "COUNTED", COUNTED)
    monkeypatch.setattr(userlists, "STRIDE", 4)
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield filled(Register(database, keyring, tmp_path))
        database.close()


def filled(register: Register) -> Register:
    people = [
        {"n": n, "last": LAST[n % 6], "first": FIRST[n * 7 % 11 % 4], "id": f"x{n:03d}"} for n in range(70)
    ]
    with register.database.write() as connection:
        some = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.username == "janpeete")).one()
        for table, row in (("identities", identity_row), ("profiles", profile_row)):
            connection.execute(insert(register_table(table)), [row(each, some, register) for each in people])
        connection.execute(
            insert(ACCOUNTS), [account(each, some.quality_id, register.entity["midi"]) for each in people]
        )
        held = [(each["id"], name) for each in people for name in applications(each["n"])]
        connection.execute(insert(GRANTS), [grant(*each, n) for n, each in enumerate(held)])
    return register


def account(row, quality: str, entity: str) -> dict:
    n, username = row["n"], f"{row['first'].lower()[:1]}{row['last'].lower().replace(' ', '')[:4]}{row['n']}"
    words = f" {row['last'].lower()} {row['first'].lower().replace('é', 'e')} {username}"
    return {
        "id": row["id"], "profile_id": row["id"], "entity_id": entity, "quality_id": quality,
        "status": ("active", "active", "active", "blocked", "deleted")[n % 5], "type": ("user", "technical")[n % 9 == 4],
        "username": username, "username_fold": username, "sort_key": sort_key(row["last"], row["first"]),
        "search": words + (" kelder" if n % 3 else ""), "created_at": NOW, "changed_at": NOW, "version": 1,
    }  # fmt: skip


def applications(n: int) -> tuple[str, ...]:
    return ("hospiliss",) * (n % 2) + ("hospiliss",) * (n % 8 == 1) + ("colindos",) * (n % 23 == 5)


def grant(account: str, application: str, n: int) -> dict:
    days = {"starts_on": TODAY, "recorded_at": NOW, "active_at": NOW}
    return {"id": f"g{n}", "account_id": account, "application": application, **days}


def plainly(rows, held: set[tuple[str, str]], wanted: UserFilter) -> list[str]:
    """The filter as one would say it."""

    def fits(row) -> bool:
        words = row.search.split()
        return (
            all(any(word.startswith(typed) for word in words) for typed in wanted.text.split())
            and (row.username_fold or "").startswith(wanted.username)
            and (not wanted.first or f"00{wanted.first}" in row.sort_key)
            and row.sort_key.startswith(wanted.last)
            and row.status in ((wanted.status,) if wanted.status else LIVING)
            and wanted.type in {"", row.type}
            and (not wanted.application or (row.id, wanted.application) in held)
        )

    return [row.id for row in sorted(rows, key=lambda row: (row.sort_key, row.id)) if fits(row)]


FILTERS = st.builds(
    UserFilter,
    text=st.lists(st.sampled_from(WORDS), max_size=2).map(" ".join),
    username=st.sampled_from(("", "", "", "j", "jvana", "vmaes")),
    first=st.sampled_from(("", "", "", "jan", "v")),
    last=st.sampled_from(("", "", "", "van", "jansen")),
    status=st.sampled_from(("", "", "", "blocked", "deleted")),
    type=st.sampled_from(("", "", "", "user", "technical")),
    application=st.sampled_from(("", "", "", "hospiliss", "colindos")),
)


def test_the_pages_are_what_a_plain_look_at_everybody_gives(register):
    entity = register.entity["midi"]
    with register.sees("delcourt") as directory:
        lists: UserLists = directory._users
        rows = directory._connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.entity_id == entity)).all()
        grants = directory._connection.execute(select(GRANTS.c.account_id, GRANTS.c.application)).all()
        held, ways = {(row.account_id, row.application) for row in grants}, set()

        @settings(max_examples=25, deadline=None)
        @example(UserFilter(application="hospiliss"), 4)  # some hold it twice
        @example(UserFilter(text="van"), 4)  # a word, and the beginning of others
        @example(UserFilter(text="v jan"), 4)
        @given(FILTERS, st.integers(min_value=4, max_value=12))
        def pages_are_right(wanted: UserFilter, size: int) -> None:
            expected = plainly(rows, held, wanted)
            page = lists.page(entity, wanted, size=size)
            assert page.total == min(len(expected), COUNTED + 1)
            pages = [page]
            while page.more[1]:
                page = lists.page(entity, wanted, after=page.items[-1].id, size=size)
                pages.append(page)
            assert [person.id for page in pages for person in page.items] == expected
            for earlier, later in pairwise(pages[-3:]):
                assert lists.page(entity, wanted, before=later.items[0].id, size=size) == earlier
            ways.add((page.total > COUNTED, bool(wanted.text), bool(wanted.application)))

        pages_are_right()
        assert {way[0] for way in ways} == {True, False}

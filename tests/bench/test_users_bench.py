"""A list of users answers as fast for many as for few: page, search and filters, on both databases, as ratios in one run.

`make bench` (ACCESSBOT_BENCH_USERS=100000) takes the times of the figure; the suite counts the steps that it takes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pytest
from bot.access.directory import RegisterDirectory
from bot.access.rows import sort_key
from bot.access.views import COUNTED, UserFilter
from bot.store import tables
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import core
from sqlalchemy import Connection, insert, select, text
from tests import databases
from tests.access.registers import NOW, TODAY, Register

Ask = Callable[[], object]
FEW = 100
SOME = 9_000
STEPS = 60_000
"""Each of `SOME` looked at costs more."""
FIGURE, LIMIT = 2.0, 3.0
"""The figure, and where the run fails: beside other work the times of a few milliseconds waver by as much."""
ROUNDS = 41
LAST = ("peeters", "claes", "maes", "jacobs", "mertens", "willems", "lambert", "dubois", "dupont", "simon")
FIRST = ("jan", "piet", "an", "marie", "luc", "sofie", "tom", "eva")


def filled(connection: Connection, register: Register, entity: str, number: int) -> None:
    """As many users more in one entity: in rows of one statement each."""
    place = register.entity[entity]
    quality = register.quality[f"{entity}/hospital"]
    people, profiles, accounts, grants = [], [], [], []
    for n in range(number):
        key, account = f"{entity}{n:07d}", f"a{entity}{n:07d}"
        last, first = f"{LAST[n % 10]} {_letters(n // 10)}", FIRST[n % 8]
        names = {"sort_key": sort_key(last, first), "search": f" {last} {first}"}
        common = {"created_at": NOW, "changed_at": NOW, "version": 1, "entity_id": place}
        people.append({"id": key, "key": key, "created_at": NOW})
        profiles.append(
            {"id": key, "identity_id": key, "last_name": last, "first_name": first, "language": "nl"}
            | names
            | common
        )
        username = f"u{entity}{n:06d}"
        own = {"id": account, "profile_id": key, "quality_id": quality, "type": "user"}
        own |= {"status": "blocked" if n % 500 == 7 else "active", "username": username}
        own |= {"username_fold": username, "sort_key": names["sort_key"]}
        accounts.append(own | {"search": f"{names['search']} {username}"} | common)
        ends = TODAY + timedelta(days=9) if n % 1000 == 3 else None
        application = "colindos" if n % 400 == 5 else "hospiliss"
        grants.append(
            {
                "id": account,
                "account_id": account,
                "application": application,
                "starts_on": TODAY,
                "ends_on": ends,
                "recorded_at": NOW,
                "active_at": NOW,
            }
        )
    for model, rows in (
        (tables.Identity, people),
        (tables.Profile, profiles),
        (tables.Account, accounts),
        (tables.Grant, grants),
    ):
        connection.execute(insert(core(model)), rows)


def _letters(number: int) -> str:
    """A word for a number, so that names sort and are searched as names are."""
    word = ""
    for _ in range(4):
        number, digit = divmod(number, 26)
        word += chr(ord("a") + digit)
    return word


QUESTIONS: dict[str, UserFilter] = {
    "a page": UserFilter(),
    "a search": UserFilter(text="peeters cdaa"),
    "a search that many match": UserFilter(text="jan"),
    "a search that nobody matches": UserFilter(text="zzzz"),
    "last name": UserFilter(last="claes b"),
    "first name": UserFilter(first="sofie"),
    "user name": UserFilter(username="uaube00001"),
    "blocked": UserFilter(status="blocked"),
    "deleted": UserFilter(status="deleted"),
    "a rare application": UserFilter(application="colindos"),
    "a frequent application": UserFilter(application="hospiliss"),
    "ending soon": UserFilter(ending=True),
    "name and application": UserFilter(last="dubois", application="colindos"),
    "technical users": UserFilter(type="technical"),
}


def ways(directory: RegisterDirectory, few: str, many: str, number: int) -> Iterator[tuple[str, Ask, Ask]]:
    """Each question as it is asked of few and of many."""
    for name, wanted in QUESTIONS.items():
        yield name, partial(directory.users, few, wanted), partial(directory.users, many, wanted)
    accounts = core(tables.Account)
    order = select(accounts.c.id).where(accounts.c.entity_id == many).order_by(accounts.c.sort_key)
    deep = directory._connection.execute(order.offset(number * 9 // 10).limit(1)).scalar_one()
    there = partial(directory.users, many, UserFilter(), after=deep)
    yield "a page far down", partial(directory.users, few, UserFilter()), there


@pytest.mark.skipif("ACCESSBOT_BENCH_USERS" not in os.environ, reason="minutes: `make bench` runs it")
@pytest.mark.timeout(1200)
def test_many_users_are_listed_as_fast_as_few(database: Database, keyring: Keyring, tmp_path, capsys) -> None:
    register = Register(database, keyring, tmp_path)
    number = int(os.environ["ACCESSBOT_BENCH_USERS"])
    with database.write() as connection:
        filled(connection, register, "aube", FEW)
    with database.write() as connection:
        filled(connection, register, "midi", number)
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    ratios = {}
    with register.sees("delcourt") as directory:
        few, many = register.entity["aube"], register.entity["midi"]
        for name, here, there in ways(directory, few, many, number):
            ratios[name] = alternately(here, there)
        assert directory.users(many, UserFilter()).total == COUNTED + 1
    with capsys.disabled():
        print(f"\n  {database.url.get_backend_name()}, {number} users: ratio to {FEW} (ms each)")
        for name, (one, other) in ratios.items():
            over = "above the figure" if other > FIGURE * one else ""
            print(f"    {name:30} {other / one:5.2f}   ({one * 1e3:6.2f} {other * 1e3:6.2f})  {over}")
    slow = {name: round(other / one, 2) for name, (one, other) in ratios.items() if other > LIMIT * one}
    assert slow == {}


def alternately(one: Ask, other: Ask) -> tuple[float, float]:
    """The median time of each, asked in turns: what else the machine does falls on both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for ask, taken in zip((one, other), times, strict=True):
            begin = time.perf_counter()
            ask()
            taken.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def test_the_work_for_a_list_does_not_grow_with_the_users(keyring: Keyring, tmp_path) -> None:
    """In steps of SQLite's machine, which are the same at every run. What is counted to 1,000 costs what it costs."""
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        register = Register(database, keyring, tmp_path)
        with database.write() as connection:
            filled(connection, register, "aube", FEW)
            filled(connection, register, "midi", SOME)
        with register.sees("delcourt") as directory:
            few, many = register.entity["aube"], register.entity["midi"]
            work = {name: steps(directory, there) for name, _, there in ways(directory, few, many, SOME)}
        database.close()
    print(f"\n  steps with {SOME} users: {work}")
    assert {name: taken for name, taken in work.items() if taken > STEPS} == {}


def steps(directory: RegisterDirectory, ask: Ask) -> int:
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 100
        return 0

    raw = directory._connection.connection.dbapi_connection
    raw.set_progress_handler(count, 100)
    ask()
    raw.set_progress_handler(None, 0)
    return taken

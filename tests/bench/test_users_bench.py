"""A list of users answers as fast for many as for few: page, search and filters, on both databases, as ratios in one run.

The suite makes thousands of users, `make bench` (ACCESSBOT_BENCH_USERS=100000) the hundred thousand of the figure.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from bot.access.rows import sort_key
from bot.access.views import COUNTED, UserFilter
from bot.store import tables
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import core
from sqlalchemy import Connection, insert, select, text
from tests.access.registers import NOW, TODAY, Register

FEW = 100
MANY = int(os.environ.get("ACCESSBOT_BENCH_USERS", "20000"))
LIMIT = 2.0
ROUNDS = 15
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


def median(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        ask()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


@pytest.mark.timeout(300)
def test_many_users_are_listed_as_fast_as_few(database: Database, keyring: Keyring, tmp_path, capsys) -> None:
    register = Register(database, keyring, tmp_path)
    with database.write() as connection:
        filled(connection, register, "aube", FEW)
    begin = time.perf_counter()
    with database.write() as connection:
        filled(connection, register, "midi", MANY)
    took = time.perf_counter() - begin
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    ratios = {}
    with register.sees("delcourt") as directory:
        few, many = register.entity["aube"], register.entity["midi"]
        ways = {name: (wanted, "") for name, wanted in QUESTIONS.items()}
        accounts = core(tables.Account)
        middle = select(accounts.c.id).where(accounts.c.entity_id == many).order_by(accounts.c.sort_key)
        deep = directory._connection.execute(middle.offset(MANY * 9 // 10).limit(1)).scalar()
        ways["a page far down"] = (UserFilter(), deep)
        for name, (wanted, after) in ways.items():
            here = median(lambda w=wanted: directory.users(few, w))
            there = median(lambda w=wanted, a=after: directory.users(many, w, after=a))
            ratios[name] = (here, there)
        assert directory.users(many, UserFilter()).total == COUNTED + 1
    with capsys.disabled():
        kind = database.url.get_backend_name()
        print(f"\n  {kind}: {MANY} users written in {took:.1f} s; ms with {FEW}, with {MANY}, ratio")
        for name, (here, there) in ratios.items():
            print(f"    {name:30} {here * 1e3:7.2f} {there * 1e3:7.2f} {there / here:6.2f}")
    slow = {name: round(there / here, 2) for name, (here, there) in ratios.items() if there > LIMIT * here}
    assert slow == {}

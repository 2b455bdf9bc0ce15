"""A manager's screens answer as fast for many users as for few: on both databases, as ratios in one run.

`make bench` (ACCESSBOT_BENCH_USERS=100000) takes the times of the figure; the suite counts the steps that each takes.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bot.access import holdinglists, nearnames, userlists, waiting
from bot.access.directory import RegisterDirectory
from bot.access.rows import ENTITIES
from bot.access.views import COUNTED, UserFilter
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import event, text, update
from tests import databases
from tests.access.registers import Register
from tests.bench.crowd import Ask, filled, questions

FEW = 100
SOME, MORE = 3_000, 9_000
COUNTED_HERE = 50
STEPS, GROWTH = 12_000, 1.5
"""Of SQLite's machine: what takes fewer is few; what takes more may grow so much from `SOME` to `MORE`, which is three times."""
FIGURE, LIMIT = 2.0, 2.5
"""The figure, and where the run fails: beside other work the times of a few milliseconds waver by as much."""
ROUNDS = 41
Clock = Callable[[], float]


@pytest.mark.skipif("ACCESSBOT_BENCH_USERS" not in os.environ, reason="minutes: `make bench` runs it")
@pytest.mark.timeout(2400)
def test_many_users_are_asked_about_as_fast_as_few(
    database: Database, keyring: Keyring, tmp_path, capsys
) -> None:
    register = Register(database, keyring, tmp_path)
    number = int(os.environ["ACCESSBOT_BENCH_USERS"])
    with database.write() as connection:
        filled(connection, register, "aube", FEW)
    with database.write() as connection:
        filled(connection, register, "midi", number)
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    ratios, cost = {}, {}
    with register.sees("delcourt") as directory:
        clock = processor(directory)
        for name, here, there in questions(anew(directory), register, "aube", "midi"):
            ratios[name] = alternately(here, there, clock)
            cost[name] = steps(directory, there) if database.sqlite else blocks(database, there)
        assert directory.users(register.entity["midi"], UserFilter()).total == COUNTED + 1
    with capsys.disabled():
        what = "steps" if database.sqlite else "blocks"
        print(f"\n  {database.url.get_backend_name()}, {number} users: ratio to {FEW} (ms each), {what}")
        for name, (one, other) in ratios.items():
            over = "above the figure" if other > FIGURE * one else ""
            print(
                f"    {name:33} {other / one:5.2f}   ({one * 1e3:6.2f} {other * 1e3:6.2f})  {cost[name]:7}  {over}"
            )
    slow = {name: round(other / one, 2) for name, (one, other) in ratios.items() if other > LIMIT * one}
    assert slow == {}


def anew(directory: RegisterDirectory) -> Callable[[], RegisterDirectory]:
    """Directories for the same person that have read nothing so far, as each turn has one."""
    own = (directory._connection, directory._keyring, directory._session)
    moment = {"today": directory._today, "now": directory._now, "catalogue": directory._catalogue}
    return lambda: RegisterDirectory(*own, **moment)


def alternately(one: Ask, other: Ask, clock: Clock) -> tuple[float, float]:
    """The median time of each, asked in turns: what else the machine does falls on both."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for ask, taken in zip((one, other), times, strict=True):
            begin = clock()
            ask()
            taken.append(clock() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def processor(directory: RegisterDirectory) -> Clock:
    """The seconds of the processor, of this process and of the one of the server that answers it (Linux tells them)."""
    if directory._connection.dialect.name == "sqlite":
        return time.process_time
    server = directory._connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    spent = Path(f"/proc/{server}/schedstat")
    return lambda: time.process_time() + int(spent.read_text().split()[0]) / 1e9


def blocks(database: Database, ask: Ask) -> int:
    """The blocks that PostgreSQL reads for a question, from memory or from the disk."""
    read = [0]

    def explained(connection, cursor, statement, parameters, *_) -> None:
        with connection.connection.dbapi_connection.cursor() as further:
            further.execute(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement}", parameters)
            plan = further.fetchone()[0][0]["Plan"]
        read[0] += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    event.listen(database.engine, "before_cursor_execute", explained)
    try:
        ask()
    finally:
        event.remove(database.engine, "before_cursor_execute", explained)
    return read[0]


def test_the_work_for_a_screen_does_not_grow_with_the_users(keyring: Keyring, tmp_path, monkeypatch) -> None:
    """In steps of SQLite's machine, which are the same at every run; as managers of the whole, of a quality, of a part.
    What is counted is counted to `COUNTED_HERE`, so that `SOME` are as many as 100,000 are to 1,000.
    """
    monkeypatch.setattr(userlists, "COUNTED", COUNTED_HERE)
    monkeypatch.setattr(waiting, "COUNTED", COUNTED_HERE)
    holding = {"COUNTED": COUNTED_HERE, "MANY": COUNTED_HERE + 1, "FIRST": COUNTED_HERE * 5 // 4}
    for name, value in holding.items():
        monkeypatch.setattr(holdinglists, name, value)
    for name in ("ALL", "SOME", "LOOKED_AT"):
        monkeypatch.setattr(nearnames, name, getattr(nearnames, name) // 20)
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        register = Register(database, keyring, tmp_path)
        with database.write() as connection:
            filled(connection, register, "aube", FEW)
            filled(connection, register, "midi", SOME)
            connection.execute(update(ENTITIES).values(delivery="portal"))  # asks for more than the register
        before = work(register)
        with database.write() as connection:
            filled(connection, register, "midi", MORE, since=SOME)
        after = work(register)
        database.close()
    grown = {name: (before[name], taken) for name, taken in after.items() if grows(before[name], taken)}
    print(f"\n  steps with {SOME} and {MORE} users: {grown}")
    assert grown == {}


def grows(before: int, after: int) -> bool:
    return after > max(STEPS, before * GROWTH)


def work(register: Register) -> dict[tuple[str, str], int]:
    """The steps that each question takes, by who asks and what."""
    found = {}
    for person in ("delcourt", "janssens", "claes"):
        with register.sees(person) as directory:
            for name, _, ask in questions(anew(directory), register, "aube", "midi"):
                found[person, name] = steps(directory, ask)
    return found


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

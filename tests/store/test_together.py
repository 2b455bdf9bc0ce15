"""Several processes at once: whoever loses a race waits, or is told; nothing is done twice and nobody fails half-way."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.errors import KeyMissing
from bot.store import audit, chats, crypto, due
from bot.store.counters import next_number
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.leases import LEASE
from bot.store.schema import check_newest

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def race(count: int, work: Callable[[int], None]) -> list[Exception]:
    """Starts `work(0)`, `work(1)` … at the same moment, each in a thread; what they raised."""
    raised: list[Exception] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_twenty_people_at_once_get_twenty_numbers_in_a_row(database: Database) -> None:
    numbers: list[str] = []

    def work(_: int) -> None:
        with database.write() as connection:
            numbers.append(next_number(connection, 2026))

    assert race(20, work) == []
    assert sorted(numbers) == [f"2026-{number:06d}" for number in range(1, 21)]


def test_the_first_two_acts_of_a_new_entity_both_stand_in_its_chain(
    database: Database, keyring: Keyring
) -> None:
    def work(_: int) -> None:
        with database.write() as connection:
            audit.append(connection, keyring, "midi", audit.Entry("grant"), NOW)

    assert race(6, work) == []
    with database.read() as connection:
        assert audit.verify(connection, keyring) == audit.Verified(6)


def test_an_act_during_a_verification_does_not_look_like_a_fault(
    database: Database, keyring: Keyring
) -> None:
    with database.write() as connection:
        audit.append(connection, keyring, "midi", audit.Entry("grant"), NOW)
    with database.read() as connection:
        assert audit.verify(connection, keyring) == audit.Verified(1)
        with database.write() as other:
            audit.append(other, keyring, "midi", audit.Entry("grant"), NOW)
        assert audit.verify(connection, keyring) == audit.Verified(1)


def test_two_processes_with_one_key_start_together(database: Database, keyring: Keyring) -> None:
    def work(_: int) -> None:
        with database.write() as connection:
            crypto.check_keyring(connection, keyring, NOW)

    assert race(6, work) == []


def test_of_two_processes_with_different_keys_one_is_refused(database: Database) -> None:
    def work(number: int) -> None:
        with database.write() as connection:
            crypto.check_keyring(connection, Keyring({1: bytes([number]) * 32}), NOW)

    raised = race(2, work)
    assert [type(error) for error in raised] == [KeyMissing]


def test_the_first_two_updates_of_a_new_chat_wait_for_each_other(
    database: Database, keyring: Keyring
) -> None:
    def work(number: int) -> None:
        with database.write() as connection:
            row = chats.load(connection, keyring, 7, 7, NOW)
            seen = row.state["seen"] if row.version else []
            chats.save(
                connection,
                keyring,
                row,
                {"rev": row.version + 2, "seen": [*seen, number]},
                rev=row.version + 2,
                lang="fr",
                mode="edit",
                message_id=None,
                now=NOW,
                keep=HOUR,
            )

    assert race(8, work) == []
    with database.read() as connection:
        row = chats.peek(connection, keyring, 7, NOW)
    assert row is not None
    assert (sorted(row.state["seen"]), row.version) == (list(range(8)), 8)


def test_two_workers_never_have_the_same_task(database: Database) -> None:
    with database.write() as connection:
        for number in range(20):
            due.put(connection, f"end:{number}", "end", NOW, {"row": str(number)})
    taken: list[str] = []

    def work(_: int) -> None:
        for _ in range(4):
            with database.write() as connection:
                taken.extend(task.key for task in due.take(connection, NOW, limit=2))

    assert race(5, work) == []
    with database.write() as connection:
        taken.extend(task.key for task in due.take(connection, NOW, limit=20))
    assert sorted(taken) == sorted(f"end:{number}" for number in range(20))


def test_a_task_moved_while_a_worker_had_it_is_left_to_its_new_time(database: Database) -> None:
    with database.write() as connection:
        due.put(connection, "activate", "activate", NOW, {"v": 1})
        (task,) = due.take(connection, NOW, limit=1)
    with database.write() as connection:
        due.put(connection, "activate", "activate", NOW + HOUR, {"v": 2})
    with database.write() as connection:
        assert not due.done(connection, task.id, NOW)
        assert due.take(connection, NOW + LEASE * 2, limit=1) == []
        (again,) = due.take(connection, NOW + HOUR, limit=1)
        assert (again.data, again.attempts) == ({"v": 2}, 0)
        assert due.done(connection, again.id, NOW + HOUR)


def test_two_processes_that_are_started_together_both_find_the_newest_schema(empty_database_url: str) -> None:
    script = "import sys; from bot.store.database import Database; from bot.store.schema import upgrade; upgrade(Database(sys.argv[1]))"
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, empty_database_url],
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ended = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0], ended
    database = Database(empty_database_url)
    check_newest(database)
    database.close()

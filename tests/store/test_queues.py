"""Nothing that came in, must go out, or is due gets lost or is done twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from bot.store import due, inbox, outbox
from bot.store.counters import next_number
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.leases import LEASE
from sqlalchemy import text

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def together(work: Callable[[], None], count: int) -> None:
    """Runs `work` in several threads at once; a failure in one fails the test."""
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# -- numbers --------------------------------------------------------------------------------------


def test_change_numbers_have_no_gaps_under_concurrency(database: Database) -> None:
    seen: list[str] = []

    def work() -> None:
        for _ in range(5):
            with database.write() as connection:
                seen.append(next_number(connection, 2026))

    together(work, 6)
    assert sorted(seen) == [f"2026-{number:06d}" for number in range(1, 31)]


def test_a_number_that_was_rolled_back_is_given_again(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            next_number(connection, 2026)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.write() as connection:
        assert next_number(connection, 2026) == "2026-000001"
        assert next_number(connection, 2027) == "2027-000001"


# -- inbox ----------------------------------------------------------------------------------------


def test_an_update_is_kept_once_and_worked_in_order_within_its_lane(
    database: Database, keyring: Keyring
) -> None:
    with database.write() as connection:
        assert inbox.keep(connection, keyring, [(12, 1, {"b": 2}), (11, 1, {"a": 1}), (13, 2, {})], NOW) == 3
        assert inbox.keep(connection, keyring, [(11, 1, {"other": 1})], NOW) == 0
        assert inbox.open_lanes(connection) == [1, 2]
        assert inbox.next_in(connection, keyring, 1) == inbox.Waiting(11, {"a": 1}, 0)
        assert inbox.mark_done(connection, 11, NOW)
        assert inbox.next_in(connection, keyring, 1) == inbox.Waiting(12, {"b": 2}, 0)


def test_an_update_counts_as_done_exactly_once(database: Database, keyring: Keyring) -> None:
    with database.write() as connection:
        inbox.keep(connection, keyring, [(11, 1, {})], NOW)
    wins: list[bool] = []

    def work() -> None:
        with database.write() as connection:
            wins.append(inbox.mark_done(connection, 11, NOW))

    together(work, 5)
    assert sorted(wins) == [False, False, False, False, True]


def test_an_update_that_came_by_webhook_is_remembered_too(database: Database, keyring: Keyring) -> None:
    with database.write() as connection:
        assert inbox.mark_done(connection, 99, NOW)
        assert not inbox.mark_done(connection, 99, NOW)
        assert inbox.keep(connection, keyring, [(99, 1, {})], NOW) == 0
        assert inbox.open_lanes(connection) == []


def test_attempts_are_counted_before_they_are_made_and_a_hopeless_update_leaves_its_lane(
    database: Database, keyring: Keyring
) -> None:
    with database.write() as connection:
        inbox.keep(connection, keyring, [(11, 1, {"n": "79.08.23-997.28"}), (12, 1, {})], NOW)
    for attempt in range(1, 6):
        with database.write() as connection:
            assert inbox.count_attempt(connection, 11) == attempt
    with database.write() as connection:
        inbox.set_aside(connection, 11, error="ValueError in grant", reference="4F2A", now=NOW)
        assert inbox.count_attempt(connection, 11) == 0
        waiting = inbox.next_in(connection, keyring, 1)
        assert waiting is not None
        assert waiting.update_id == 12
        assert connection.execute(text("SELECT body FROM updates WHERE update_id = 11")).scalar() is None


def test_ids_are_forgotten_after_their_time_and_open_updates_never(
    database: Database, keyring: Keyring
) -> None:
    with database.write() as connection:
        inbox.keep(connection, keyring, [(11, 1, {}), (12, 1, {})], NOW - timedelta(days=9))
        inbox.mark_done(connection, 11, NOW)
        assert inbox.prune(connection, NOW - timedelta(days=8)) == 1
        assert inbox.open_lanes(connection) == [1]


def test_a_body_moved_to_another_update_cannot_be_read(database: Database, keyring: Keyring) -> None:
    with database.write() as connection:
        inbox.keep(connection, keyring, [(11, 1, {"a": 1}), (12, 2, {})], NOW)
        connection.execute(
            text(
                "UPDATE updates SET body = (SELECT body FROM updates WHERE update_id = 11) WHERE update_id = 12"
            )
        )
        waiting = inbox.next_in(connection, keyring, 2)
    assert waiting == inbox.Waiting(12, None, 0)


# -- outbox ---------------------------------------------------------------------------------------


def put(database: Database, keyring: Keyring, key: str, **fields: object) -> bool:
    row: dict[str, object] = {"chat_id": 7, "kind": "message", "payload": {"key": key}, "now": NOW, **fields}
    with database.write() as connection:
        return outbox.put(connection, keyring, key, **row)  # type: ignore[arg-type]


def test_a_message_is_written_once_for_its_key(database: Database, keyring: Keyring) -> None:
    assert put(database, keyring, "receipt:1")
    assert not put(database, keyring, "receipt:1")
    with database.write() as connection:
        (mail,) = outbox.take(connection, keyring, NOW, limit=10)
        assert (mail.payload, mail.attempts) == ({"key": "receipt:1"}, 0)
        outbox.sent(connection, mail.id, 5, NOW)
        assert not outbox.waiting_for(connection, 7)


def test_two_workers_never_have_the_same_row(database: Database, keyring: Keyring) -> None:
    for number in range(20):
        put(database, keyring, f"m{number}", chat_id=number)
    taken: list[int] = []

    def work() -> None:
        for _ in range(4):
            with database.write() as connection:
                taken.extend(mail.id for mail in outbox.take(connection, keyring, NOW, limit=2))

    together(work, 5)
    with database.write() as connection:
        taken.extend(mail.id for mail in outbox.take(connection, keyring, NOW, limit=20))
    assert len(taken) == 20
    assert len(set(taken)) == 20


def test_a_row_lent_to_a_process_that_died_is_taken_by_the_next(database: Database, keyring: Keyring) -> None:
    put(database, keyring, "m")
    with database.write() as connection:
        assert len(outbox.take(connection, keyring, NOW, limit=1)) == 1
    with database.write() as connection:
        assert outbox.take(connection, keyring, NOW + LEASE / 2, limit=1) == []
        (again,) = outbox.take(connection, keyring, NOW + LEASE + MINUTE, limit=1)
        assert again.attempts == 1


def test_nothing_is_tried_before_it_may_be(database: Database, keyring: Keyring) -> None:
    put(database, keyring, "m")
    with database.write() as connection:
        (mail,) = outbox.take(connection, keyring, NOW, limit=1)
        outbox.later(connection, mail.id, NOW + MINUTE)
        assert outbox.take(connection, keyring, NOW + MINUTE / 2, limit=1) == []
        assert len(outbox.take(connection, keyring, NOW + MINUTE, limit=1)) == 1


def test_what_is_urgent_goes_first(database: Database, keyring: Keyring) -> None:
    put(database, keyring, "notice")
    put(database, keyring, "number", kind="delete", urgency=outbox.FIRST)
    with database.write() as connection:
        kinds = [mail.kind for mail in outbox.take(connection, keyring, NOW, limit=5)]
    assert kinds == ["delete", "message"]


def test_a_row_that_ended_stays_ended(database: Database, keyring: Keyring) -> None:
    put(database, keyring, "m")
    with database.write() as connection:
        (mail,) = outbox.take(connection, keyring, NOW, limit=1)
        outbox.ended(connection, mail.id, "blocked", NOW)
        outbox.later(connection, mail.id, NOW)
        assert outbox.take(connection, keyring, NOW + LEASE + MINUTE, limit=1) == []


# -- due ------------------------------------------------------------------------------------------


def test_what_is_due_comes_in_order_and_not_before_its_time(database: Database) -> None:
    with database.write() as connection:
        due.put(connection, "b", "activate", NOW - MINUTE, {"item": "b"})
        due.put(connection, "a", "activate", NOW - 2 * MINUTE, {"item": "a"})
        due.put(connection, "c", "activate", NOW + MINUTE, {"item": "c"})
        assert [task.key for task in due.take(connection, NOW, limit=9)] == ["a", "b"]


def test_a_task_is_done_once(database: Database) -> None:
    with database.write() as connection:
        due.put(connection, "a", "activate", NOW, {})
        (task,) = due.take(connection, NOW, limit=9)
        assert due.done(connection, task.id, NOW)
        assert not due.done(connection, task.id, NOW)
        due.put(connection, "a", "activate", NOW + MINUTE, {})
        assert due.take(connection, NOW + LEASE + 2 * MINUTE, limit=9) == []


def test_a_task_can_be_moved_and_cancelled_while_it_is_open(database: Database) -> None:
    with database.write() as connection:
        due.put(connection, "a", "activate", NOW, {"v": 1})
        due.put(connection, "a", "activate", NOW + MINUTE, {"v": 2})
        assert due.take(connection, NOW, limit=9) == []
        (task,) = due.take(connection, NOW + MINUTE, limit=9)
        assert task.data == {"v": 2}
        due.cancel(connection, "a")
        assert not due.done(connection, task.id, NOW)


def test_a_task_that_failed_comes_again(database: Database) -> None:
    with database.write() as connection:
        due.put(connection, "a", "activate", NOW, {})
        (task,) = due.take(connection, NOW, limit=9)
        due.later(connection, task.id, NOW + MINUTE, "ValueError")
        (again,) = due.take(connection, NOW + MINUTE, limit=9)
        assert again.attempts == 1

"""What goes wrong with a database is one line that says what to do; what a transaction promises holds on both."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from socket import socket

import psycopg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from bot.errors import DatabaseUnavailable
from bot.store import database as module
from bot.store import schema
from bot.store.database import Database, session
from bot.store.tables import DataKey, Identity, core
from sqlalchemy import func, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError
from tests import databases

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PEOPLE = core(Identity)
KEYS = core(DataKey)


def add(database: Database, key: str) -> None:
    with database.write() as connection:
        connection.execute(insert(PEOPLE).values(id=key, key=key, created_at=NOW))


def one_line(error: pytest.ExceptionInfo[DatabaseUnavailable], says: str) -> None:
    assert says in str(error.value)
    assert "\n" not in str(error.value)


# -- an operator's mistakes, and bad days ---------------------------------------------------------


def test_a_file_of_another_kind_is_not_taken_for_a_database(tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_bytes(b"Dear colleague, " * 100)
    database = Database(f"sqlite:///{tmp_path}/letter.db")
    with pytest.raises(DatabaseUnavailable) as caught:
        database.check()
    one_line(caught, "is a file of another kind")
    assert (tmp_path / "letter.db").read_bytes().startswith(b"Dear colleague")


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(DatabaseUnavailable) as caught:
        Database(f"sqlite:///{tmp_path}/taken/data/accessbot.db")
    one_line(caught, "check the file and its folder")


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_register_in_memory_is_refused(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Database(url)
    one_line(caught, "would be lost")


def test_the_file_and_its_side_files_are_for_the_program_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/data/accessbot.db")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").iterdir()}
    database.close()
    assert modes == {"accessbot.db": 0o600, "accessbot.db-wal": 0o600, "accessbot.db-shm": 0o600}


def test_a_file_that_another_process_holds_for_too_long_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_MS", 50)
    url = f"sqlite:///{tmp_path}/accessbot.db"
    first, second = Database(url), Database(url)
    with first.write(), pytest.raises(DatabaseUnavailable) as caught, second.write():
        pass
    one_line(caught, "try again")
    first.close()
    second.close()


def test_a_full_disk_refuses_the_change_whole_and_needs_no_repair(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/accessbot.db"
    database = Database(url)
    schema.upgrade(database)
    add(database, "before")

    def fill() -> None:
        with database.write() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            rows = [{"id": f"p{number}", "key": f"p{number}", "created_at": NOW} for number in range(10_000)]
            connection.execute(insert(PEOPLE), rows)

    with pytest.raises(DatabaseUnavailable) as caught:
        fill()
    one_line(caught, "no room left")
    database.close()
    database = Database(url)
    with database.read() as connection:
        assert connection.execute(select(PEOPLE.c.id)).scalars().all() == ["before"]
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    add(database, "after")
    database.close()


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_server_that_ends_the_line_is_noticed_and_found_again(database: Database) -> None:
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def cut_off() -> None:
        with database.write() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            with psycopg.connect(address, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", (backend,))
            connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable) as caught:
        cut_off()
    one_line(caught, "does not answer")
    database.check()


@pytest.mark.postgres
def test_a_server_notices_within_a_minute_that_the_programs_machine_vanished() -> None:
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with databases.own_server() as server:
        server.stop()
        server.start(port=port)
        try:
            database = Database(
                make_url(server.url).set(host="127.0.0.1", port=port, query={}).render_as_string(False)
            )
            with pytest.raises(ZeroDivisionError), database.write():
                raise ZeroDivisionError  # a transaction that is rolled back takes nothing of it back
            with database.read() as connection:
                measures = [
                    int(connection.scalar(text(f"SHOW tcp_keepalives_{name}")))
                    for name in ("idle", "interval", "count")
                ]
            database.close()
        finally:
            server.stop()
    idle, interval, count = measures
    assert 0 < idle + interval * count <= 60


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_deadlock_ends_in_a_transaction_that_can_be_done_again(database: Database) -> None:
    add(database, "a")
    add(database, "b")
    both_hold_one = threading.Barrier(2)
    raised: list[Exception] = []

    def work(first: str, second: str) -> None:
        try:
            with database.write() as connection:
                lock = select(PEOPLE.c.id).with_for_update()
                connection.execute(lock.where(PEOPLE.c.id == first))
                both_hold_one.wait()
                connection.execute(lock.where(PEOPLE.c.id == second))
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(error) for error in raised] == [DatabaseUnavailable]
    assert "try again" in str(raised[0])


def test_a_fault_of_the_statement_is_not_blamed_on_the_database(database: Database) -> None:
    with pytest.raises(DBAPIError), database.write() as connection:
        connection.execute(text("SELECT nothing FROM nowhere"))


# -- transactions ---------------------------------------------------------------------------------


def test_a_reading_transaction_sees_one_moment(database: Database) -> None:
    add(database, "a")
    count = select(func.count()).select_from(PEOPLE)
    with database.read() as connection:
        assert connection.execute(count).scalar() == 1
        add(database, "b")
        assert connection.execute(count).scalar() == 1
    with database.read() as connection:
        assert connection.execute(count).scalar() == 2


def test_a_reading_transaction_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"), database.read() as connection:
        connection.execute(insert(PEOPLE).values(id="a", key="a", created_at=NOW))
    add(database, "a")


def test_a_session_that_fails_takes_the_whole_transaction_with_it(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(PEOPLE).values(id="a", key="a", created_at=NOW))
            with session(connection) as orm:
                orm.add(Identity(id="b", key="b", created_at=NOW))
                orm.flush()
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert connection.execute(select(PEOPLE.c.id)).all() == []


def rebuild_people(connection: sa.Connection, statement: str | None = None) -> None:
    operations = Operations(MigrationContext.configure(connection))
    with operations.batch_alter_table("identities", recreate="auto") as batch:
        batch.alter_column("key", type_=sa.String(200), existing_type=sa.String())
    if statement:
        connection.execute(text(statement))


def test_a_migration_may_make_a_table_anew_to_which_others_point(database: Database) -> None:
    add(database, "a")
    with database.write() as connection:
        connection.execute(insert(KEYS).values(identity_id="a", wrapped=b"key"))
    with database.rebuild() as connection:
        rebuild_people(connection)
    with database.read() as connection:
        assert connection.execute(select(KEYS.c.identity_id)).scalars().all() == ["a"]
    with pytest.raises(DBAPIError), database.write() as connection:
        connection.execute(insert(KEYS).values(identity_id="nobody", wrapped=b"key"))


def test_a_migration_that_leaves_a_row_pointing_nowhere_is_undone(database: Database) -> None:
    add(database, "a")
    with database.write() as connection:
        connection.execute(insert(KEYS).values(identity_id="a", wrapped=b"key"))
    with pytest.raises((RuntimeError, DBAPIError)), database.rebuild() as connection:
        rebuild_people(connection, "DELETE FROM identities")
    with database.read() as connection:
        assert connection.execute(select(PEOPLE.c.id)).scalars().all() == ["a"]

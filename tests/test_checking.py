"""`check`, as a process against a real database and a real (local) Bot API: one line for each thing, all tried."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bot.demo.testing import RunningServer, running_server
from bot.store.database import Database
from bot.store.keys import new_root_key
from bot.store.tables import KeyCheck
from sqlalchemy import select

from tests import databases, forked

ROOT = Path(__file__).resolve().parent.parent
OK = ("Configuration: ok", "Root key: ok (version 1)", "Database: ok (SQLite, schema newest)")
DEAD = "http://127.0.0.1:9"
NO_ANSWER = (
    "Telegram: Telegram does not answer as it should: check the network and ACCESSBOT_TELEGRAM_API_URL."
)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def environment(tmp_path: Path, server: RunningServer) -> dict[str, str]:
    with databases.sqlite(tmp_path) as made:
        file = Path(made.removeprefix("sqlite:///")).rename(tmp_path / "a.db")
    return {
        "ACCESSBOT_DATABASE_URL": f"sqlite:///{file}",
        "ACCESSBOT_ROOT_KEY": new_root_key(),
        "ACCESSBOT_TELEGRAM_TOKEN": server.token,
        "ACCESSBOT_TELEGRAM_API_URL": server.url,
    }


def checks(environment: dict[str, str], **variables: str) -> tuple[int, list[str], str]:
    """Exit code, the lines and what stands on stderr."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSBOT_")}
    done = forked.runs(["check"], {**inherited, **environment, **variables})
    output, error = done.stdout.decode(), done.stderr.decode()
    lines = output.splitlines()
    assert len(lines) == 4
    assert "Traceback" not in error
    said = output + error
    for secret in ("ACCESSBOT_ROOT_KEY", "ACCESSBOT_TELEGRAM_TOKEN"):
        if value := {**environment, **variables}[secret]:
            assert value not in said
    return done.returncode, lines, error


def test_all_in_order_is_four_lines_and_nothing_is_written(environment, tmp_path):
    before = (tmp_path / "a.db").read_bytes()

    code, lines, error = checks(environment)

    assert (code, error) == (0, "")
    assert lines[:3] == list(OK)
    assert lines[3].startswith("Telegram: ok (@")
    database = Database(environment["ACCESSBOT_DATABASE_URL"])
    with database.read() as connection:
        assert connection.execute(select(KeyCheck)).all() == []
    database.close()
    assert (tmp_path / "a.db").read_bytes() == before


def test_on_postgresql(environment):
    with databases.postgres() as url:
        _, lines, _ = checks(environment, ACCESSBOT_DATABASE_URL=url)

    assert lines[1:3] == ["Root key: ok (version 1)", "Database: ok (PostgreSQL, schema newest)"]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ACCESSBOT_TELEGRAM_TOKEN": "4200000043:another-token"}, "Telegram does not know this token"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": ""}, "There is no token: set ACCESSBOT_TELEGRAM_TOKEN"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "4200000043:torn\ntoken"}, "The token is not whole"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "torn/../token"}, "The token is not whole"),
        ({"ACCESSBOT_TELEGRAM_API_URL": DEAD}, "Telegram does not answer as it should"),
        ({"ACCESSBOT_TELEGRAM_API_URL": "telegram.org"}, "ACCESSBOT_TELEGRAM_API_URL is not an address"),
        ({"ACCESSBOT_TELEGRAM_API_URL": "http://x:port"}, "ACCESSBOT_TELEGRAM_API_URL is not an address"),
    ],
)
def test_what_is_wrong_with_telegram_is_one_line(environment, variables, sentence):
    code, lines, error = checks(environment, **variables)

    assert code == 1
    assert lines[:3] == list(OK)
    assert lines[3].startswith(f"Telegram: {sentence}")
    assert error == "Not in order: Telegram.\n"


def test_a_server_that_is_no_bot_api_does_not_answer_as_it_should(environment, server):
    _, lines, _ = checks(environment, ACCESSBOT_TELEGRAM_API_URL=f"{server.url}/elsewhere")

    assert lines[3] == NO_ANSWER


def test_all_is_tried_whatever_fails_before(environment, tmp_path):
    code, lines, error = checks(
        environment,
        ACCESSBOT_UPDATES="pigeon",
        ACCESSBOT_ROOT_KEY="abk1:torn",
        ACCESSBOT_DATABASE_URL=f"sqlite:///{tmp_path / 'none' / 'b.db'}",
        ACCESSBOT_TELEGRAM_API_URL=DEAD,
    )

    assert code == 1
    assert lines[0].startswith("Configuration: ACCESSBOT_UPDATES: ")
    assert lines[1].startswith("Root key: The root key (line 1) is not whole")
    assert lines[2].startswith("Database: There is none yet at ")
    assert lines[2].endswith("make it with 'python -m bot db upgrade'.")
    assert lines[3] == NO_ANSWER
    assert error == "Not in order: Configuration, Root key, Database, Telegram.\n"
    assert not (tmp_path / "none").exists(), "the check made something"


def test_a_webhook_without_an_address_is_a_fault_of_the_configuration(environment):
    _, lines, _ = checks(environment, ACCESSBOT_UPDATES="webhook")

    assert lines[0].startswith("Configuration: A webhook needs an address")
    assert lines[1:3] == list(OK[1:])


def test_a_root_key_that_did_not_write_this_database(environment):
    assert forked.runs(["keys", "status"], {**os.environ, **environment}).returncode == 0
    assert checks(environment)[0] == 0

    _, lines, _ = checks(environment, ACCESSBOT_ROOT_KEY=new_root_key())

    assert lines[1].startswith("Root key: The root key is not the one that wrote this database (version 1)")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("postgresql://u:hidden@127.0.0.1:9/x", "does not answer: check that it runs"),
        ("nonsense", "ACCESSBOT_DATABASE_URL is not an address"),
        ("sqlite://", "ACCESSBOT_DATABASE_URL names no file"),
    ],
)
def test_a_database_that_cannot_be_asked(environment, address, sentence):
    _, lines, _ = checks(environment, ACCESSBOT_DATABASE_URL=address)

    assert lines[1] == "Root key: ok (version 1, not compared with the database)"
    assert lines[2].startswith("Database: ")
    assert sentence in lines[2]
    assert "hidden" not in lines[2]


def test_a_database_without_a_schema_says_how_to_make_it(environment, tmp_path):
    with databases.sqlite(tmp_path, empty=True) as url:
        Database(url).check()  # makes the file
        _, lines, _ = checks(environment, ACCESSBOT_DATABASE_URL=url)

    assert "run 'python -m bot db upgrade'" in lines[2]


def test_a_file_that_is_no_database(environment, tmp_path):
    (tmp_path / "other.db").write_text("a text, and long enough to be seen as one" * 50)

    _, lines, _ = checks(environment, ACCESSBOT_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")

    assert "is a file of another kind" in lines[2]

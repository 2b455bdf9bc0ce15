"""The operator's commands, as a process: what they print, where, and their exit codes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from bot import clock
from bot.demo.testing import running_server
from bot.handlers.myself import NO_ANSWER, WRONG_TOKEN
from bot.store import crypto, facts
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.store.tables import Identity
from sqlalchemy import insert, text

from tests import databases, forked

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Operator:
    """Runs commands with an environment of his own."""

    environment: dict[str, str]

    def runs(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSBOT_")}
        done = forked.runs(arguments, {**inherited, **self.environment, **variables})
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """With a root key and a database at the newest schema."""
    with databases.sqlite(tmp_path) as url:
        return Operator({"ACCESSBOT_DATABASE_URL": url, "ACCESSBOT_ROOT_KEY": new_root_key()})


def test_a_new_key_and_a_new_database_are_made_by_a_command_each(tmp_path: Path) -> None:
    operator = Operator({"ACCESSBOT_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'a.db'}"})
    operator.environment["ACCESSBOT_ROOT_KEY"] = operator.runs("keys", "new").stdout.strip()
    assert operator.runs("db", "upgrade").returncode == 0
    assert operator.runs("keys", "status").returncode == 0


@pytest.fixture
def delcourt(operator: Operator) -> Operator:
    database = Database(operator.environment["ACCESSBOT_DATABASE_URL"])
    with database.write() as connection:
        connection.execute(insert(Identity).values(id="i1", key="delcourt", created_at=clock.now()))
        crypto.IdentityKeys(connection, Keyring.of(operator.environment["ACCESSBOT_ROOT_KEY"])).create("i1")
    database.close()
    return operator


def one_line(text_: str) -> bool:
    return text_.strip().count("\n") == 0 and "Traceback" not in text_


def test_an_invitation_ends_in_the_code_alone_and_the_trail_tells_of_it(delcourt: Operator) -> None:
    invited = delcourt.runs("invite", "delcourt", "--lang", "nl")
    assert invited.returncode == 0
    _, why, code = invited.stdout.splitlines()
    assert len(code) == 22
    assert why.startswith(
        "There is no link, since the bot's username is not known before it has run. There is no token"
    )
    assert delcourt.runs("unbind", "delcourt").stdout == "Ended of delcourt: 1 open code.\n"
    assert delcourt.runs("unbind", "delcourt").stdout == "delcourt had nothing open: nothing to end.\n"
    assert delcourt.runs("audit", "verify").stdout.strip() == "3 entries, none broken."


def test_an_invitation_has_the_link_of_the_bot_that_ran_or_that_telegram_names(delcourt: Operator) -> None:
    def invited(**variables: str) -> list[str]:
        done = delcourt.runs("invite", "delcourt", **variables)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    with running_server() as server:
        telegram = {"ACCESSBOT_TELEGRAM_TOKEN": server.token, "ACCESSBOT_TELEGRAM_API_URL": server.url}
        _, link, code = invited(**telegram)
        assert link == f"https://t.me/accessbot_demo_bot?start={code}"
        telegram["ACCESSBOT_TELEGRAM_TOKEN"] = "4200000099:somebody-elses"
        assert WRONG_TOKEN in invited(**telegram)[1]
    database = Database(delcourt.environment["ACCESSBOT_DATABASE_URL"])
    with database.write() as connection:
        facts.remember_bot(connection, 42, "an_older_bot")
        facts.remember_bot(connection, 4200000043, "the_hospital_bot")
    database.close()
    _, link, code = invited()
    assert link == f"https://t.me/the_hospital_bot?start={code}"
    telegram = {
        "ACCESSBOT_TELEGRAM_TOKEN": "4200000043:anew",
        "ACCESSBOT_TELEGRAM_API_URL": "http://127.0.0.1:9",
    }
    assert invited(**telegram)[1].startswith("https://t.me/the_hospital_bot?start=")
    telegram["ACCESSBOT_TELEGRAM_TOKEN"] = "42:another-bot"
    assert NO_ANSWER in invited(**telegram)[1]


def test_a_broken_trail_is_exit_1_and_the_first_broken_entry(delcourt: Operator) -> None:
    delcourt.runs("invite", "delcourt")
    database = Database(delcourt.environment["ACCESSBOT_DATABASE_URL"])
    with database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit_entries SET act = 'nothing'"))
    database.close()
    verified = delcourt.runs("audit", "verify")
    assert (verified.returncode, verified.stdout) == (1, "")
    assert "entry 1 of chain 'house'" in verified.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (("invite", "nobody"), {}, "no person 'nobody'"),
        (("keys", "status"), {"ACCESSBOT_ROOT_KEY": ""}, "keys new"),
        (("keys", "status"), {"ACCESSBOT_ROOT_KEY": "abk1:wrong"}, "not whole"),
        (
            ("keys", "status"),
            {"ACCESSBOT_ROOT_KEY": "", "ACCESSBOT_ROOT_KEY_FILE": "no-such-file"},
            "no-such-file",
        ),
        (
            ("audit", "verify"),
            {"ACCESSBOT_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"},
            "does not answer",
        ),
        (("db", "upgrade"), {"ACCESSBOT_UPDATES": "pigeon"}, "ACCESSBOT_UPDATES"),
        (("db", "upgrade"), {"ACCESSBOT_ACTIVATION_DELAY": "soon"}, "ACCESSBOT_ACTIVATION_DELAY"),
    ],
)
def test_an_operators_mistake_is_one_line_that_says_what_to_do(
    operator: Operator, arguments: tuple[str, ...], variables: dict[str, str], sentence: str
) -> None:
    done = operator.runs(*arguments, **variables)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert one_line(done.stderr)
    assert "secret" not in done.stderr


def test_another_root_key_is_refused(operator: Operator) -> None:
    assert operator.runs("keys", "status").returncode == 0
    other = operator.runs("keys", "new").stdout.strip()
    done = operator.runs("keys", "status", ACCESSBOT_ROOT_KEY=other)
    assert done.returncode == 1
    assert "not the one that wrote this database" in done.stderr
    assert other not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("audit", "verify"),
        ("audit", "export", "trail"),
        ("audit", "key"),
        ("invite", "delcourt"),
        ("unbind", "delcourt"),
        ("keys", "status"),
        ("keys", "rotate"),
        ("register", "export"),
        ("privacy", "export", "delcourt"),
        ("privacy", "scrub"),
    ],
)
def test_a_mistyped_path_is_told_of_and_makes_no_register(
    operator: Operator, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "mistyped" / "new.db"
    done = operator.runs(*arguments, ACCESSBOT_DATABASE_URL=f"sqlite:///{file}")
    assert (done.returncode, done.stdout) == (1, "")
    assert f"There is none yet at {file}: check ACCESSBOT_DATABASE_URL" in done.stderr
    assert one_line(done.stderr)
    assert not file.parent.exists()


def test_wrong_usage_is_exit_2(operator: Operator) -> None:
    assert operator.runs("nonsense").returncode == 2
    assert operator.runs("invite").returncode == 2
    assert operator.runs("invite", "delcourt", "--lang", "xx").returncode == 2


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({}, "ACCESSBOT_TELEGRAM_TOKEN"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "half a token"}, "The token is not whole"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "1:a", "ACCESSBOT_TELEGRAM_API_URL": "nowhere"}, "is not an address"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "1:a", "ACCESSBOT_ROOT_KEY": ""}, "There is no root key"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "1:a", "ACCESSBOT_UPDATES": "webhook"}, "ACCESSBOT_PUBLIC_URL"),
        ({"ACCESSBOT_TELEGRAM_TOKEN": "1:a", "ACCESSBOT_UPDATES": "pigeon"}, "ACCESSBOT_UPDATES"),
        (
            {
                "ACCESSBOT_TELEGRAM_TOKEN": "1:a",
                "ACCESSBOT_DATABASE_URL": "postgresql://u:secret@127.0.0.1:9/x",
            },
            "does not answer",
        ),
    ],
)
def test_run_without_what_it_needs_is_one_line_and_exit_1(operator, variables, says):
    result = operator.runs("run", **variables)
    assert (result.returncode, result.stdout) == (1, "")
    assert says in result.stderr
    assert one_line(result.stderr)
    assert "secret" not in result.stderr


def test_a_token_that_telegram_does_not_know_ends_the_run_in_one_line(operator):
    with running_server() as server:
        result = operator.runs(
            "run",
            ACCESSBOT_TELEGRAM_TOKEN="4200000099:somebody-elses",
            ACCESSBOT_TELEGRAM_API_URL=server.url,
            ACCESSBOT_LOG_LEVEL="error",
        )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"{WRONG_TOKEN}\n"


def test_run_tells_of_a_variable_that_it_does_not_know(operator):
    result = operator.runs("run", ACCESSBOT_SESION_IDLE="60")
    assert result.stderr.splitlines()[0].endswith("did you mean ACCESSBOT_SESSION_IDLE?")
    assert result.stderr.splitlines()[1].startswith("There is no token")


def test_an_address_that_cannot_be_listened_at_is_one_line(operator):
    with running_server() as server:
        result = operator.runs(
            "run",
            ACCESSBOT_TELEGRAM_TOKEN=server.token,
            ACCESSBOT_TELEGRAM_API_URL=server.url,
            ACCESSBOT_UPDATES="webhook",
            ACCESSBOT_PUBLIC_URL="https://access.example.org",
            ACCESSBOT_LISTEN=server.url.removeprefix("http://"),
        )
    assert result.returncode == 1
    assert "cannot be listened at" in result.stderr
    assert one_line(result.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_ends_cleanly_on_a_signal_and_leaves_the_bots_name_for_the_links(delcourt, number):
    operator = delcourt
    with running_server() as server:
        environment = {
            **os.environ,
            **operator.environment,
            "ACCESSBOT_TELEGRAM_TOKEN": server.token,
            "ACCESSBOT_TELEGRAM_API_URL": server.url,
        }
        bot = subprocess.Popen(
            [sys.executable, "-u", "-m", "bot", "run"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert bot.stdout is not None
        assert bot.stdout.readline() == "@accessbot_demo_bot runs by long polling. Ctrl+C ends it.\n"
        bot.send_signal(number)
        _, complaints = bot.communicate(timeout=20)
    assert (bot.returncode, complaints) == (0, "")
    assert "https://t.me/accessbot_demo_bot?start=" in operator.runs("invite", "delcourt").stdout

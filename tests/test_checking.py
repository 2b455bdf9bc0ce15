"""`check`, as a process against a real database and a real (local) Bot API: one line for each thing, all tried."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from bot.demo.identity import IdentityProvider
from bot.demo.testing import RunningServer, running_server
from bot.store.database import Database
from bot.store.keys import new_root_key
from bot.store.tables import KeyCheck
from sqlalchemy import select

from tests import databases, forked
from tests.mailserver import mail_server
from tests.web.test_binding import serving

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


def checks(environment: dict[str, str], *, further: int = 0, **variables: str) -> tuple[int, list[str], str]:
    """Exit code, the lines (four, and so many `further` ones) and what stands on stderr."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ACCESSBOT_")}
    done = forked.runs(["check"], {**inherited, **environment, **variables})
    output, error = done.stdout.decode(), done.stderr.decode()
    lines = output.splitlines()
    assert len(lines) == 4 + further
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
    assert lines[2].endswith("or make it with 'python -m bot register load FILE'.")
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

    assert "The database is empty: fill it with 'python -m bot register load FILE'" in lines[2]


def test_a_file_that_is_no_database(environment, tmp_path):
    (tmp_path / "other.db").write_text("a text, and long enough to be seen as one" * 50)

    _, lines, _ = checks(environment, ACCESSBOT_DATABASE_URL=f"sqlite:///{tmp_path / 'other.db'}")

    assert "is a file of another kind" in lines[2]


# -- what else is configured ------------------------------------------------------------------------


def test_a_variable_that_is_no_setting_is_a_line_and_no_fault(environment):
    code, lines, _ = checks(environment, further=1, ACCESSBOT_SESION_IDLE="60")

    assert code == 0
    assert lines[1].startswith("Unknown variable: ACCESSBOT_SESION_IDLE is no setting")
    assert lines[1].endswith("did you mean ACCESSBOT_SESSION_IDLE?")


def test_a_mail_server_is_logged_in_at_and_sent_nothing(environment):
    mail = {"ACCESSBOT_SMTP_HOST": "127.0.0.1", "ACCESSBOT_SMTP_FROM": "no-reply@hospital.example"}
    with mail_server() as server:
        mail |= {"ACCESSBOT_SMTP_PORT": str(server.port), "ACCESSBOT_SMTP_SECURITY": "none"}
        code, lines, _ = checks(environment, further=1, **mail)
        assert (code, lines[4]) == (0, f"Mail: ok (127.0.0.1:{server.port}, none)")
        assert server.taken == []
        starttls = mail | {"ACCESSBOT_SMTP_SECURITY": "starttls"}
        _, lines, _ = checks(environment, further=1, **starttls)
        assert lines[4].startswith(f"Mail: The mail server at 127.0.0.1:{server.port} cannot be used (SMTP")
    code, lines, error = checks(environment, further=1, **mail)

    assert lines[4].endswith("check ACCESSBOT_SMTP_HOST, _PORT, _SECURITY.")
    assert (code, error) == (1, "Not in order: Mail.\n")


def test_a_mail_server_whose_certificate_is_not_trusted_is_told_of_without_the_password(environment):
    with mail_server(security="tls") as server:
        mail = {
            "ACCESSBOT_SMTP_HOST": "127.0.0.1",
            "ACCESSBOT_SMTP_PORT": str(server.port),
            "ACCESSBOT_SMTP_FROM": "no-reply@hospital.example",
            "ACCESSBOT_SMTP_SECURITY": "tls",
            "ACCESSBOT_SMTP_USER": "accessbot",
            "ACCESSBOT_SMTP_PASSWORD": "kanarie zingt",
        }
        _, lines, error = checks(environment, further=1, **mail)

    assert lines[4].startswith(f"Mail: The mail server at 127.0.0.1:{server.port} cannot be used (")
    assert lines[4].endswith("_SECURITY, _USER and _PASSWORD.")
    assert "kanarie" not in "".join(lines) + error


def test_mail_without_a_sender_says_what_to_set(environment):
    _, lines, _ = checks(environment, further=1, ACCESSBOT_SMTP_HOST="127.0.0.1")

    assert lines[4].startswith("Mail: Mail needs a sender: set ACCESSBOT_SMTP_FROM")


def test_an_identity_provider_is_asked_who_it_is(environment):
    with serving(lambda issuer: IdentityProvider(issuer, ())) as provider:
        oidc = {
            "ACCESSBOT_PUBLIC_URL": "https://access.example.org",
            "ACCESSBOT_OIDC_ISSUER": provider.issuer,
            "ACCESSBOT_OIDC_CLIENT_ID": "hospital",
            "ACCESSBOT_OIDC_CLIENT_SECRET": "a-secret-of-the-tests",
            "ACCESSBOT_OIDC_ACR": "level500",
        }
        code, lines, _ = checks(environment, further=1, **oidc)
        assert (code, lines[4]) == (0, f"Identity provider: ok ({provider.issuer})")
        _, lines, _ = checks(environment, further=1, **oidc | {"ACCESSBOT_OIDC_CLIENT_SECRET": ""})
        assert "set ACCESSBOT_OIDC_CLIENT_SECRET too" in lines[4]
        provider.fault = "other_issuer"
        _, lines, _ = checks(environment, further=1, **oidc)
        assert "it calls itself otherwise than ACCESSBOT_OIDC_ISSUER" in lines[4]
    code, lines, error = checks(environment, further=1, **oidc)

    assert lines[4].endswith("check the network and ACCESSBOT_OIDC_ISSUER.")
    assert (code, error) == (1, "Not in order: Identity provider.\n")


def test_the_place_of_the_anchors_is_tried_and_not_made(environment, tmp_path):
    file = tmp_path / "elsewhere" / "anchors.jsonl"
    anchors = {"ACCESSBOT_AUDIT_ANCHORS": str(file)}
    code, lines, _ = checks(environment, further=1, **anchors)
    assert (code, lines[4]) == (0, f"Anchors: ok ({file}, not made yet)")
    assert not file.parent.exists()

    run = {**os.environ, **environment, **anchors}
    assert forked.runs(["register", "load", "register.example.toml"], run).returncode == 0
    assert forked.runs(["audit", "anchor"], run).returncode == 0
    before = file.read_bytes()
    _, lines, _ = checks(environment, further=1, **anchors)
    assert lines[4] == f"Anchors: ok ({file}, {len(before.splitlines())} signed)"
    assert file.read_bytes() == before

    file.write_bytes(before.replace(b'"seq":', b'"seq":9', 1))
    _, lines, _ = checks(environment, further=1, **anchors)
    assert "is not signed by this key" in lines[4]
    _, lines, _ = checks(environment, further=1, ACCESSBOT_AUDIT_ANCHORS=str(tmp_path))
    assert "cannot be written (Is a directory): check ACCESSBOT_AUDIT_ANCHORS." in lines[4]
    _, lines, _ = checks(environment, further=1, ACCESSBOT_AUDIT_ANCHORS=str(file / "below"))
    assert "cannot be written (Not a directory)" in lines[4]
    _, lines, _ = checks(environment, further=1, ACCESSBOT_AUDIT_ANCHOR_MAIL="audit@hospital.example")
    assert "set ACCESSBOT_SMTP_HOST" in lines[4]

"""Keys, audit and privacy as the operator meets them: what the commands print, and how they end."""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from bot.app import chores
from bot.cli import main
from bot.postman import Postman
from bot.settings import Settings
from bot.smtp import Server
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import text

from tests.access.registers import REGISTER
from tests.mailserver import mail_server
from tests.test_cli import one_line

REAL = (
    REGISTER.split('[[person]]\nkey = "janssens"')[0]
    + """
[[mandate]]
person = "delcourt"
entity = "midi"
role = "responsible"
[[account]]
person = "delcourt"
entity = "midi"
quality = "hospital"
username = "adelcour"
"""
)


@dataclass
class Ran:
    returncode: int
    stdout: str
    stderr: str


@dataclass
class Operator:
    """Runs commands in this process, which spares its start; `test_cli` shows that they do as processes too."""

    environment: dict[str, str]
    patch: pytest.MonkeyPatch
    printed: pytest.CaptureFixture[str]

    def runs(self, *arguments: str, **variables: str) -> Ran:
        self.printed.readouterr()
        with self.patch.context() as patch:
            for name, value in {**self.environment, **variables}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["bot", *arguments])
            with pytest.raises(SystemExit) as ended:
                main()
        gc.collect()  # a process that ends lets go of its database
        return Ran(int(ended.value.code or 0), *self.printed.readouterr())


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the key file and the database that the first operator makes: the others begin with a copy."""
    return tmp_path_factory.mktemp("begun")


@pytest.fixture
def operator(
    begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    """With a key file, a small register and a place for anchors."""
    keys = tmp_path / "keys"
    environment = {
        "ACCESSBOT_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'a.db'}",
        "ACCESSBOT_ROOT_KEY_FILE": str(keys),
        "ACCESSBOT_AUDIT_ANCHORS": str(tmp_path / "elsewhere" / "anchors.jsonl"),
    }
    operator = Operator(environment, monkeypatch, capsys)
    if (begun / "keys").exists():
        shutil.copytree(begun, tmp_path, dirs_exist_ok=True)
        return operator
    keys.write_text(operator.runs("keys", "new").stdout)
    (tmp_path / "register.toml").write_text(REAL, encoding="utf-8")
    assert operator.runs("db", "upgrade").returncode == 0
    loaded = operator.runs("register", "load", str(tmp_path / "register.toml"))
    assert loaded.returncode == 0, loaded.stderr
    shutil.copytree(tmp_path, begun, dirs_exist_ok=True)
    return operator


def fine(operator: Operator, *arguments: str, **variables: str) -> str:
    done = operator.runs(*arguments, **variables)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def failed(operator: Operator, *arguments: str, **variables: str) -> str:
    done = operator.runs(*arguments, **variables)
    assert done.returncode == 1
    assert one_line(done.stderr)
    return done.stderr.strip()


def test_a_root_key_is_turned_from_the_first_line_to_the_last(operator: Operator, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    old = keys.read_text()
    new = fine(operator, "keys", "new", "--version", "2")
    assert new.startswith("2:abk1:")
    keys.write_text(old + new)
    assert "Version 1 is still needed" in fine(operator, "keys", "status")
    keys.write_text(new)
    assert "put its line back" in failed(operator, "keys", "status")
    keys.write_text(old + new)
    assert "Version 1 is no longer needed" in fine(operator, "keys", "rotate")
    assert fine(operator, "keys", "rotate").startswith("Nothing to write anew.")
    keys.write_text(new)
    assert fine(operator, "keys", "status").startswith("Version 1 was dropped.\nVersion 2 writes.")
    assert "none broken" in fine(operator, "audit", "verify")
    assert "64.11.17-998.10" in fine(operator, "register", "export")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("{one}{one}", "stands twice"),
        ("0:{one}", "between 1 and 65535"),
        ("70000:{one}", "between 1 and 65535"),
        ("2:nonsense", "not whole"),
    ],
)
def test_a_key_file_that_cannot_be_is_one_line(
    operator: Operator, tmp_path: Path, lines: str, sentence: str
) -> None:
    keys = tmp_path / "keys"
    one = keys.read_text()
    keys.write_text(lines.format(one=one))
    said = failed(operator, "keys", "status")
    assert sentence in said
    assert one.strip() not in said


def test_the_trail_is_anchored_and_compared_with_its_anchors(operator: Operator, tmp_path: Path) -> None:
    assert "none broken" in fine(operator, "audit", "verify")
    assert fine(operator, "audit", "anchor").startswith("3 chains anchored in ")
    assert fine(operator, "audit", "anchor").startswith("0 chains anchored in ")
    assert "compared with 3 anchors, none broken" in fine(operator, "audit", "verify")
    database = Database(operator.environment["ACCESSBOT_DATABASE_URL"])
    with database.write() as connection:
        for statement in (
            "DROP TRIGGER audit_no_delete",
            "DELETE FROM audit_entries",
            "DELETE FROM audit_heads",
            "DELETE FROM audit_anchors",
        ):
            connection.execute(text(statement))
    database.close()
    assert "none broken" in fine(operator, "audit", "verify", ACCESSBOT_AUDIT_ANCHORS="")
    said = failed(operator, "audit", "verify")
    assert "broken at entry 1 of chain" in said and "are gone" in said


def test_anchors_that_went_are_missed(operator: Operator, tmp_path: Path) -> None:
    fine(operator, "audit", "anchor")
    (tmp_path / "elsewhere" / "anchors.jsonl").unlink()
    assert "cannot be read" in failed(operator, "audit", "verify")
    assert "ACCESSBOT_AUDIT_ANCHORS" in failed(operator, "audit", "anchor", ACCESSBOT_AUDIT_ANCHORS="")


def test_anchors_go_by_mail_and_what_is_attached_verifies_an_export_offline(
    operator: Operator, tmp_path: Path
) -> None:
    with mail_server() as served:
        mail = {
            "ACCESSBOT_AUDIT_ANCHORS": "",
            "ACCESSBOT_AUDIT_ANCHOR_MAIL": "audit@hospital.example",
            "ACCESSBOT_SMTP_HOST": "127.0.0.1",
            "ACCESSBOT_SMTP_FROM": "no-reply@hospital.example",
        }
        said = fine(operator, "audit", "anchor", **mail)
        assert said == "3 chains anchored by mail to audit@hospital.example.\n"
        file, anchors = tmp_path / "trail.jsonl", tmp_path / "anchors.jsonl"
        fine(operator, "audit", "export", str(file), **mail)
        database = Database(operator.environment["ACCESSBOT_DATABASE_URL"])
        keyring = Keyring.of(None, tmp_path / "keys")
        server = Server("127.0.0.1", served.port, "none", "no-reply@hospital.example", timeout=5)
        postman = Postman(database, keyring, server, sender="no-reply@hospital.example", pages="")
        while asyncio.run(postman.once()):
            pass
        database.close()
    first, second = served.taken  # an export anchors what has come since, its own entry among it
    assert served.to == ["audit@hospital.example"] * 2
    assert str(first["Subject"]).startswith("Audit trail: 3 chains anchored, ")
    attached = [part for each in (first, second) for part in each.iter_attachments()]
    assert all(part.get_filename().endswith("Z.jsonl") for part in attached)
    anchors.write_bytes(b"".join(part.get_content() for part in attached))
    public = fine(operator, "audit", "key").strip()
    alone = {
        "ACCESSBOT_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x",
        "ACCESSBOT_ROOT_KEY_FILE": "",
        "ACCESSBOT_AUDIT_ANCHORS": "",
    }
    verify = ("audit", "verify", "--file", str(file), "--public-key", public, "--anchors", str(anchors))
    assert "compared with 4 anchors, none broken" in fine(operator, *verify, **alone)
    assert "compared with 4 anchors, none broken" in fine(
        operator, "audit", "verify", "--anchors", str(anchors)
    )
    anchors.write_text(anchors.read_text().replace('"seq":', '"seq":1', 1))
    assert "is not signed by this key" in failed(operator, *verify, **alone)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"ACCESSBOT_AUDIT_ANCHOR_MAIL": "audit@hospital.example"}, "set ACCESSBOT_SMTP_HOST"),
        ({"ACCESSBOT_AUDIT_ANCHOR_MAIL": "the auditor"}, "write one e-mail address"),
    ],
)
def test_an_address_that_cannot_take_anchors_is_one_line(
    operator: Operator, variables: dict[str, str], sentence: str
) -> None:
    assert sentence in failed(operator, "audit", "anchor", **variables)


def test_an_export_verifies_without_the_database_and_without_the_root_key(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "trail.jsonl"
    fine(operator, "audit", "export", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Delcourt" not in file.read_text()
    offline = {"ACCESSBOT_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"}
    assert "none broken" in fine(operator, "audit", "verify", "--file", str(file), **offline)
    public = fine(operator, "audit", "key").strip()
    alone = {**offline, "ACCESSBOT_ROOT_KEY_FILE": "", "ACCESSBOT_AUDIT_ANCHORS": ""}
    assert "none broken" in fine(
        operator, "audit", "verify", "--file", str(file), "--public-key", public, **alone
    )
    file.write_text(file.read_text().replace('"act":"load.account"', '"act":"load.nothing"'))
    assert "broken at entry" in failed(
        operator, "audit", "verify", "--file", str(file), "--public-key", public, **alone
    )
    fine(operator, "audit", "export", str(file), "--entity", "midi", "--personal")
    assert "Delcourt" in file.read_text()
    assert "no entity 'mars'" in failed(operator, "audit", "export", str(file), "--entity", "mars")
    assert operator.runs("audit", "verify", "--public-key", public).returncode == 2


def test_what_is_stored_about_a_person_and_its_end(operator: Operator, tmp_path: Path) -> None:
    stored = json.loads(fine(operator, "privacy", "export", "delcourt"))
    assert stored["profiles"][0]["accounts"][0]["username"] == "adelcour"
    output = tmp_path / "about.json"
    assert fine(operator, "privacy", "export", "delcourt", "--output", str(output)) == ""
    assert (output.stat().st_mode & 0o777, json.loads(output.read_text())["person"]) == (
        0o600,
        stored["person"],
    )
    assert "add --yes" in failed(operator, "privacy", "erase", "delcourt")
    assert "only responsible access manager of 'midi'" in failed(
        operator, "privacy", "erase", "delcourt", "--yes"
    )
    database = Database(operator.environment["ACCESSBOT_DATABASE_URL"])
    with database.write() as connection:
        connection.execute(text("UPDATE mandates SET role = 'auditor'"))
    database.close()
    assert fine(operator, "privacy", "erase", "delcourt", "--yes").startswith("Erased, with 1 account")
    assert "no person 'delcourt'" in failed(operator, "privacy", "export", "delcourt")
    assert "none broken" in fine(operator, "audit", "verify")
    assert fine(operator, "privacy", "scrub") == "Done.\n"
    for file in (tmp_path / "data").iterdir():
        assert b"elcour" not in file.read_bytes()


def test_the_running_bot_keeps_and_anchors_once_a_day(tmp_path: Path) -> None:
    settings = Settings(audit_anchors=tmp_path / "anchors", audit_anchor_hours=12)
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    keeping, anchoring = chores(settings, database, Keyring({1: bytes(32)}))
    assert [(each.name, each.every.total_seconds() / 3600) for each in (keeping, anchoring)] == [
        ("retention", 24),
        ("anchor", 12),
    ]
    assert [each.name for each in chores(Settings(), database, Keyring({1: bytes(32)}))] == ["retention"]
    database.close()

"""`register load` and `register export`, as a process: what they print, where, their exit codes."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from alembic import command
from bot.store.database import Database
from bot.store.schema import _config

from tests import databases, forked
from tests.access.registers import REGISTER

ROOT = Path(__file__).resolve().parent.parent


class Operator:
    """Runs the register's commands on a database of his own."""

    def __init__(self, folder: Path, name: str = "a") -> None:
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if key[:10] != "ACCESSBOT_"}
        self.environment["ACCESSBOT_DATABASE_URL"] = f"sqlite:///{folder / f'{name}.db'}"
        self.environment["ACCESSBOT_ROOT_KEY"] = self.runs("keys", "new").stdout.decode().strip()

    def runs(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return forked.runs(arguments, self.environment)

    def loads(self, text: str | bytes, *options: str) -> list[str]:
        done = self.runs("register", "load", str(self.file(text)), *options)
        assert (done.returncode, done.stderr) == (0, b"")
        return done.stdout.decode().splitlines()

    def refused(self, text: str | bytes) -> list[str]:
        done = self.runs("register", "load", str(self.file(text)))
        assert (done.returncode, done.stdout) == (1, b"")
        return done.stderr.decode().splitlines()

    def file(self, text: str | bytes) -> Path:
        file = self.folder / "register.toml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    operator = Operator(tmp_path_factory.mktemp("operator"))
    operator.loads(REGISTER)
    return operator


def test_a_load_says_what_it_would_do_then_did_and_then_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    operator = Operator(tmp_path)

    assert operator.loads(REGISTER, "--dry-run")[0] == "entity: 3 would be added"
    assert [file.name for file in tmp_path.iterdir()] == ["register.toml"], "a dry run made something"
    assert operator.loads(REGISTER)[0] == "entity: 3 added"
    again = operator.loads(REGISTER)
    assert (again[0], again[-1]) == ("entity: 3 unchanged", "nothing to change")
    assert operator.runs("invite", "delcourt").returncode == 0


def test_an_export_is_a_file_that_loads_and_exports_to_the_same_bytes(
    operator: Operator, tmp_path: Path
) -> None:
    exported = operator.runs("register", "export").stdout
    other = Operator(tmp_path)
    other.loads(exported)

    assert b'niss = "79.08.23-997.28"' in exported
    assert "Hôpitaux du Midi".encode() in exported
    assert other.runs("register", "export").stdout == exported


def test_an_export_into_a_file_is_for_the_operators_eyes_only_and_can_leave_the_numbers_out(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "out.toml"
    file.write_text("before", encoding="utf-8")
    file.chmod(0o644)
    done = operator.runs("register", "export", "--output", str(file), "--without-niss")

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "niss" not in file.read_text(encoding="utf-8")
    assert "nothing to change" in operator.loads(file.read_bytes())
    assert list(tmp_path.iterdir()) == [file], "something was left beside it"


def test_an_export_that_cannot_be_written_is_one_line(operator: Operator, tmp_path: Path) -> None:
    for target in (tmp_path, tmp_path / "none" / "out.toml"):
        done = operator.runs("register", "export", "--output", str(target))
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.decode().count("\n") == 1
        assert "cannot be written" in done.stderr.decode()


def test_several_faults_are_a_line_each_and_the_twentieth_is_the_last(operator: Operator) -> None:
    mandates = '[[mandate]]\nperson = "delcourt"\nrole = "boss"\n' * 23

    lines = operator.refused(f"format = 1\n{mandates}")

    assert len(lines) == 21
    assert lines[0].startswith("register.toml: mandate[0].role: 'boss' is not a known role")
    assert lines[-1] == "and 3 more"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.toml", "none.toml: cannot be read: No such file"),
        (".", ".: is a folder: name the register file in it"),
    ],
)
def test_what_is_no_file_is_one_line_and_makes_no_database(tmp_path: Path, name: str, sentence: str) -> None:
    operator = Operator(tmp_path)
    done = operator.runs("register", "load", name)

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().startswith(sentence)
    assert done.stderr.decode().count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
def test_an_empty_database_of_postgresql_is_made_on_the_way(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    with databases.postgres(empty=True) as url:
        operator.environment["ACCESSBOT_DATABASE_URL"] = url
        assert operator.loads(REGISTER, "--dry-run")[0] == "entity: 3 would be added"
        assert "The database is empty" in operator.runs("register", "export").stderr.decode()
        assert operator.loads(REGISTER)[0] == "entity: 3 added"


def test_a_database_of_an_older_schema_is_left_to_whoever_runs_it(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    database = Database(operator.environment["ACCESSBOT_DATABASE_URL"])
    with database.rebuild() as connection:
        command.upgrade(_config(connection), "0014")
    database.close()

    (line,) = operator.refused(REGISTER)
    assert line.startswith("The database has schema '0014'")
    assert line.endswith("run 'python -m bot db upgrade'.")
    assert operator.runs("db", "upgrade").returncode == 0
    assert operator.loads(REGISTER)[0] == "entity: 3 added"


def test_another_root_key_loads_nothing(operator: Operator) -> None:
    right = operator.environment["ACCESSBOT_ROOT_KEY"]
    try:
        operator.environment["ACCESSBOT_ROOT_KEY"] = operator.runs("keys", "new").stdout.decode().strip()
        assert "not the one that wrote this database" in operator.refused(REGISTER)[0]
    finally:
        operator.environment["ACCESSBOT_ROOT_KEY"] = right

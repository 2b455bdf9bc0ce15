"""What the README says to do works as it stands there, and what it says to tap is what the buttons say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

from bot.access.catalogue import builtin
from bot.cli import app
from bot.conversations.registry import ENGINE
from bot.demo.testing import running_server
from bot.sample import register_file
from bot.trial import GUESTS
from typer.main import get_command

from tests.texts import entries

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """What stands under a heading, up to the next of its kind."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_commands_of_run_it_with_telegram_work_on_a_fresh_machine(tmp_path: Path) -> None:
    """Those that need neither the network nor this machine's set-up, one after the other, in a folder that knows nothing."""
    (block,) = re.findall(r"```\n(.*?)```", section("Run it with Telegram"), re.DOTALL)
    lines = [line for line in block.splitlines() if not line.startswith("make ")]
    shutil.copy(ROOT / "register.example.toml", tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tmp_path / ".venv" / "bin" / "python").chmod(0o755)
    with running_server() as server:
        said = subprocess.run(
            ["sh", "-eu", "-c", "\n".join(lines).replace("123456:…", server.token)],
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("ACCESSBOT_")},
                "ACCESSBOT_TELEGRAM_API_URL": server.url,
                "PYTHONPATH": str(ROOT),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    assert (said.returncode, said.stderr) == (0, "")
    *before, link, code = said.stdout.splitlines()
    assert link == f"https://t.me/accessbot_demo_bot?start={code}"
    assert any(line.startswith("entity: ") and line.endswith(" added") for line in before)
    assert [line for line in before if ": ok" in line] == [
        "Configuration: ok",
        "Root key: ok (version 1)",
        "Database: ok (SQLite, schema newest)",
        "Telegram: ok (@accessbot_demo_bot)",
    ]
    assert (tmp_path / "data" / "accessbot.db").is_file()


def test_the_three_minutes_tap_what_the_buttons_say() -> None:
    bold = re.findall(r"\*\*(.+?)\*\*", section("Try it: three minutes, no account needed"))
    labels = {form for forms in entries("en").values() for form in forms}
    names = {f"{guest.first_name} {guest.last_name}" for guest in GUESTS}
    names |= set(re.findall(r'\ben = "([^"]+)"', register_file(date(2026, 11, 24))))
    names |= {application.name for application in builtin().applications if isinstance(application.name, str)}
    assert len(bold) >= 9
    assert [words for words in bold if words not in labels | names] == []


def test_each_command_of_the_chat_stands_once_and_is_one() -> None:
    table = section("What it does").split("\nNot there yet")[0]
    commands = [
        name
        for line in table.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`/(\w+)`", line.split("|")[1])
    ]
    assert sorted(commands) == sorted(set(commands))
    assert set(commands) - set(ENGINE.flows) == set()


def test_each_command_of_the_operator_is_named() -> None:
    table = section("The operator's commands").split("\n###")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    quoted = [each for row in rows for each in re.findall(r"`([^`]+)`", row)]
    named = [re.match(r"[a-z ]*[a-z]", each).group() for each in quoted]
    known = [
        f"{name} {sub}".strip()
        for name, command in get_command(app).commands.items()
        for sub in getattr(command, "commands", [""])
    ]
    assert sorted(named) == sorted(known)

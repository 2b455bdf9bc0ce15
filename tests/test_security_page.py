"""docs/security.md names tests: each of them exists, and what is called done has one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text("utf-8")
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$", re.MULTILINE)


def rows() -> list[tuple[str, str, list[str]]]:
    return [
        (number, state.strip(), re.findall(r"`([^`]+)`", shown))
        for number, _, state, shown in ROW.findall(PAGE)
    ]


def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_test_that_the_page_names_exists():
    named = [name.partition("::") for name in re.findall(r"`(tests/[^`]+::[^`]+)`", PAGE)]
    assert len(named) > len(rows())
    assert [f"{file}::{name}" for file, _, name in named if name not in functions_of(file)] == []


def test_what_is_done_or_partly_done_is_shown_by_a_test_and_each_requirement_stands_once():
    states = {number: state.split(":", 1)[0].split()[0] for number, state, _ in rows()}
    assert len(states) == len(rows()) >= 50
    assert {"done"} < set(states.values()) <= {"done", "partly", "open"}
    assert [number for number, state, shown in rows() if not shown and not state.startswith("open")] == []

"""The log: what may stand in a line, and what never does."""

from __future__ import annotations

import json
import logging

import pytest
import structlog
from bot import logs
from bot.settings import Settings

NISS = "79.08.23-997.28"
TOKEN = "4200000043:AAH-not-a-real-token-of-anybody-000"


@pytest.fixture(autouse=True)
def as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_holds_the_event_its_level_and_the_facts_on_the_list(capsys, frozen):
    logs.configure(Settings(log_format="json"))
    structlog.get_logger().warning("update_failed", update_id=700000001, attempt=2, error="KeyError")
    assert said(capsys) == [
        {
            "event": "update_failed",
            "level": "warning",
            "timestamp": frozen.isoformat(timespec="milliseconds"),
            "update_id": 700000001,
            "attempt": 2,
            "error": "KeyError",
        }
    ]


def test_a_fact_that_is_not_on_the_list_is_left_out(capsys):
    logs.configure(Settings(log_format="json"))
    structlog.get_logger().info("turn_done", name="Peeters", text="Colindos", body={"niss": NISS})
    (line,) = said(capsys)
    assert set(line) == {"event", "level", "timestamp"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"the number {NISS} is wrong", "the number … is wrong"),
        ("79082399728", "…"),
        ("79 08 23 997 28", "…"),
        (f"https://host/bot{TOKEN}/getMe", "https://host/bot…/getMe"),
        ("connection refused", "connection refused"),
        ({"niss": NISS}, "dict"),
    ],
)
def test_a_permitted_fact_carries_no_number_of_a_person_and_no_token(capsys, given, kept):
    logs.configure(Settings(log_format="json"))
    structlog.get_logger().error("call_failed", reason=given)
    (line,) = said(capsys)
    assert line["reason"] == kept


def test_a_sentence_where_a_word_belongs_is_not_written(capsys):
    logs.configure(Settings(log_format="json"))
    structlog.get_logger().error(f"Peeters Jan asked for {NISS}")
    (line,) = said(capsys)
    assert line["event"] == "unnamed"


def test_of_a_library_only_its_name_and_its_error_are_written(capsys):
    logs.configure(Settings(log_format="json"))
    fault = ValueError(NISS)
    logging.getLogger("some.library").error("POST https://host/bot%s/getMe", TOKEN, exc_info=fault)
    logging.getLogger("some.library").info("chatter")
    (line,) = said(capsys)
    assert {name: line[name] for name in ("event", "level", "library", "error")} == {
        "event": "library_said",
        "level": "error",
        "library": "some.library",
        "error": "ValueError",
    }
    assert not {"message", "exc_info"} & set(line)


def test_the_level_is_the_operators(capsys):
    logs.configure(Settings(log_format="json", log_level="error"))
    structlog.get_logger().warning("database_away")
    assert said(capsys) == []


def test_a_console_line_is_for_people(capsys):
    logs.configure(Settings())
    structlog.get_logger().warning("database_away", reason="it does not answer")
    line = capsys.readouterr().err
    assert "database_away" in line
    assert "it does not answer" in line

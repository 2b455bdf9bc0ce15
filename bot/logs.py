"""What the program writes about itself: one line an event, on stderr, and nothing that a person said or is called.

An event is a word of ours, and its facts are on a list: whatever is not on it is left out, so a careless line cannot carry
a name, a national number or a token to a file. Lines of libraries are kept to who spoke and how loudly, since their text
may hold an address, a statement or a body. May import: `clock`, `settings`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot import clock
from bot.settings import Settings

FACTS = frozenset(
    [
        "attempt", "chats", "delay", "error", "kind", "library", "mail", "method", "mode", "reason",
        "reference", "retry_after", "task", "trouble", "update_id",
    ]
)  # fmt: skip
"""What an event may say about itself. A new fact is added here on purpose, after a thought about what it may hold."""
_OWN = frozenset(["event", "level", "timestamp"])
_EVENT = re.compile(r"[a-z][a-z_]{2,60}")
_LONG_NUMBER = re.compile(r"\d(?:[-_./  –]?\d){9,}")
_TOKEN = re.compile(r"\d{6,}:[\w-]{20,}")
_MASK = "…"


def configure(settings: Settings) -> None:
    """Sets up structlog and the standard library's logging, for the whole process."""
    level = getattr(logging, settings.log_level.upper())
    colours = sys.stderr.isatty()
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=colours, sort_keys=True)
    )
    structlog.configure(
        processors=[structlog.processors.add_log_level, _moment, permitted, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Libraries()]
    root.setLevel(logging.WARNING)


def _moment(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = clock.now().isoformat(timespec="milliseconds")
    return event


def permitted(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The event with the facts that are on the list, and nothing in them that looks like a number of a person or a token."""
    kept: MutableMapping[str, Any] = {
        name: value if name in _OWN else _scrubbed(value)
        for name, value in event.items()
        if name in FACTS | _OWN
    }
    if not _EVENT.fullmatch(str(event.get("event", ""))):
        kept["event"] = "unnamed"  # a sentence where a word belongs may hold anything
    return dict(kept)


def _scrubbed(value: object) -> object:
    """Numbers and truths as they are; text without long numbers and tokens; of anything else, its type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _LONG_NUMBER.sub(_MASK, _TOKEN.sub(_MASK, value))
    return type(value).__name__


class _Libraries(logging.Handler):
    """Takes in what libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        facts = {"library": record.name}
        if record.exc_info and record.exc_info[0] is not None:
            facts["error"] = record.exc_info[0].__name__
        structlog.get_logger().log(record.levelno, "library_said", **facts)

"""The catalogues as the tests read them: every text in every language, and a message for each key with something in each gap."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from string import Formatter

from babel.messages.pofile import read_po
from bot.i18n import LOCALES
from bot.msg import Msg, Param, m

DAYS = frozenset(["date", "day", "earliest", "latest", "start", "end", "since", "today"])
"""Gaps that take a day; `due` and `time` take a time, `n` and other counts a number."""
TIMES = frozenset(["due", "time"])
NUMBERS = frozenset(["n", "at", "of", "count", "max", "min", "length", "limit", "page", "pages"])


@cache
def entries(lang: str) -> Mapping[str, tuple[str, ...]]:
    """Key → text, or its two plural forms."""
    with (LOCALES / lang / "LC_MESSAGES" / "bot.po").open("rb") as file:
        found = read_po(file, locale=lang)
    return {
        entry.id if isinstance(entry.id, str) else entry.id[0]: (
            (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)
        )
        for entry in found
        if entry.id
    }


def texts(lang: str) -> list[tuple[str, str]]:
    """Key and text, each plural form by itself."""
    return [(key, form) for key, forms in entries(lang).items() for form in forms]


def gaps(text: str) -> tuple[str, ...]:
    """The names of the gaps in a text."""
    return tuple(dict.fromkeys(name for _, name, _, _ in Formatter().parse(text) if name))


def message(key: str, filling: str = "Peeters Jan") -> Msg:
    """The message `key` with every gap filled."""

    def value(name: str) -> Param:
        if name in TIMES:
            return datetime(2026, 11, 24, 13, 32, tzinfo=UTC)
        if name in NUMBERS:
            return 1234
        return date(2027, 4, 30) if name in DAYS else filling

    return m(key, **{name: value(name) for name in gaps(" ".join(entries("fr")[key]))})

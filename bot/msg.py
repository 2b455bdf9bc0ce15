"""What can be said, before it is said: message keys with parameters, never text.

The lowest module of all: rules (`access`), dialogues (`conversations`) and the edge (`handlers`)
share it, and it imports nothing of ours. `i18n.Speaker` turns a `Say` into text in one language.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, TypeAlias

LANGUAGES = ("fr", "nl", "de", "en")
"""The languages, in the order in which texts of the register fall back."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A text of the register in up to four languages, such as an entity's denomination."""

    fr: str = ""
    nl: str = ""
    de: str = ""
    en: str = ""

    def in_language(self, lang: str) -> str:
        """The text in `lang`, else the first there is, in the order fr, nl, de, en."""
        return getattr(self, lang, "") or self.fr or self.nl or self.de or self.en


@dataclass(frozen=True, slots=True)
class Msg:
    """A message of the catalogues: its key, and parameters for its `{names}`.

    A parameter `n` chooses the plural form. Parameters are a sorted tuple of pairs, so that equal
    messages are equal and hashable; `m()` makes them.
    """

    key: str
    params: tuple[tuple[str, Param], ...] = ()

    def param(self, name: str) -> Param | None:
        """The parameter called `name`, or None."""
        return next((value for key, value in self.params if key == name), None)


Say: TypeAlias = "Msg | Texts | str"
"""Anything that can be shown. A plain `str` is a text of the register or of a person, never ours."""

Param: TypeAlias = "str | int | date | datetime | Msg | Texts | tuple[Say, ...]"
"""A `date` reads dd-mm-yyyy, a `datetime` (aware) reads HH:MM in Brussels, an `int` has the language's
separators, a tuple reads as a list joined by commas; a `str` is shown as it is."""


def m(key: str, /, **params: Param) -> Msg:
    """The message `key` with its parameters."""
    if not params:
        return _plain(key)
    return Msg(key, tuple(sorted(params.items())) if len(params) > 1 else tuple(params.items()))


@cache
def _plain(key: str) -> Msg:
    return Msg(key)  # most messages, again and again: the keys are those of the catalogues


def to_json(value: Any) -> Any:
    """A `Say` or a parameter as JSON values; `from_json` brings it back."""
    match value:
        case Msg(key, params):
            return {"m": key, "p": {name: to_json(param) for name, param in params}}
        case Texts(fr, nl, de, en):
            return {"t": [fr, nl, de, en]}
        case datetime():
            return {"i": value.isoformat()}
        case date():
            return {"d": value.isoformat()}
        case tuple():
            return {"l": [to_json(item) for item in value]}
        case _:
            return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    match value:
        case {"m": key, "p": params}:
            return Msg(key, tuple(sorted((name, from_json(param)) for name, param in params.items())))
        case {"t": [fr, nl, de, en]}:
            return Texts(fr, nl, de, en)
        case {"i": text}:
            return datetime.fromisoformat(text)
        case {"d": text}:
            return date.fromisoformat(text)
        case {"l": items}:
            return tuple(from_json(item) for item in items)
        case _:
            return value

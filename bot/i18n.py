"""Msg → text, in one language: catalogues, plurals, dates, lists.

The catalogues are gettext `.mo` files, compiled by make from `locales/<lang>/LC_MESSAGES/bot.po`; a msgid is a
key such as `grant.person.ask`. A missing key or parameter is a fault of ours and raises: it never reaches
a person as an empty line.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from datetime import date, datetime
from functools import cache
from html import escape
from pathlib import Path

from babel.numbers import format_decimal
from babel.support import Translations

from bot.clock import BRUSSELS
from bot.errors import ConfigurationError
from bot.msg import LANGUAGES, Msg, Say, Texts

_HERE = Path(__file__).resolve().parent
LOCALES = next(
    (path for path in (_HERE.parent / "locales", _HERE / "locales") if path.is_dir()),
    _HERE.parent / "locales",
)
DOMAIN = "bot"


class MissingText(KeyError):
    """A key that a catalogue does not have: a defect, found by the tests."""


@cache
def catalogue(lang: str) -> gettext.NullTranslations:
    """The compiled catalogue of `lang`.

    Raises ConfigurationError where the `.mo` file was not compiled.
    """
    translations = Translations.load(str(LOCALES), [lang], DOMAIN)
    if not isinstance(translations, Translations):
        raise ConfigurationError(f"The catalogue of '{lang}' is not compiled: run 'make setup'.")
    return translations


class Speaker:
    """Says things in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGUAGES else "en"
        self._catalogue = catalogue(self.lang)

    def plain(self, say: Say) -> str:
        """Plain text: for button labels, toasts, command descriptions."""
        return self._say(say, str)

    def html(self, say: Say) -> str:
        """HTML as Telegram takes it: the catalogue's own markup stays, everything from the register or a person is escaped."""
        return self._say(say, _escape)

    def template(self, msg: Msg) -> str:
        """The catalogue's text with its `{names}` unfilled."""
        count = msg.param("n")
        if isinstance(count, int):
            text = self._catalogue.ngettext(msg.key, msg.key, count)
        else:
            text = self._catalogue.gettext(msg.key)
        if text == msg.key:
            raise MissingText(f"{self.lang}: {msg.key}")
        return text

    def _say(self, say: Say, quote: Callable[[str], str]) -> str:
        if isinstance(say, str):
            return quote(say)
        if isinstance(say, Texts):
            return quote(say.in_language(self.lang))
        return self.template(say).format_map({name: self._param(value, quote) for name, value in say.params})

    def _param(self, value: object, quote: Callable[[str], str]) -> str:
        match value:
            case str() | Msg() | Texts():
                return self._say(value, quote)
            case datetime():
                return value.astimezone(BRUSSELS).strftime("%H:%M")
            case date():
                return f"{value:%d-%m-}{value.year:04d}"
            case int():
                return format_decimal(value, locale=f"{self.lang}_BE" if self.lang != "en" else "en_GB")
            case tuple():
                return ", ".join(self._param(item, quote) for item in value)
        raise TypeError(f"no way to say a {type(value).__name__}")


def _escape(text: str) -> str:
    return escape(text, quote=False)


@cache
def speaker(lang: str) -> Speaker:
    """The speaker of `lang`; an unknown language speaks English."""
    return Speaker(lang)


class CatalogueReader:
    """The dialogues' `Reader`: how a label reads in the chat's language, and in the others, to understand it typed."""

    def __init__(self, lang: str) -> None:
        self._own = speaker(lang)
        self._all = (self._own, *(speaker(other) for other in LANGUAGES if other != lang))

    def label(self, say: Say) -> str:
        """The text in the chat's language."""
        return self._own.plain(say)

    def labels(self, say: Say) -> tuple[str, ...]:
        """The text in the chat's language first, then in the others."""
        return tuple(dict.fromkeys(each.plain(say) for each in self._all))


@cache
def reader(lang: str) -> CatalogueReader:
    """The reader of a language; there are four."""
    return CatalogueReader(lang)

"""A pseudo-locale: catalogues whose every letter is moved to a private alphabet, one code unit for one.

Drawn with them, a screen shows at once which letters came from no catalogue. Gaps and markup stay as they are; texts
of the register are moved to a second alphabet, so that what is left in plain letters is a name, or what somebody typed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from bot import i18n
from bot.conversations.model import View
from bot.msg import LANGUAGES, Msg, Say, Texts

CATALOGUE, REGISTER = 0xE000, 0xF000
"""Where the two alphabets begin, in Unicode's private area."""
_KEPT = re.compile(r"\{[^}]*\}|<[^>]*>|&\w+;")
_WORD = re.compile(r"[^\W\d_\ue000-\uf8ff]+(?:['’][^\W\d_\ue000-\uf8ff]+)*…?")


@cache
def moved(text: str, to: int) -> str:
    """`text` with its letters in a private alphabet; gaps, markup, digits and signs stay."""
    pieces, at = [], 0
    for kept in _KEPT.finditer(text):
        pieces += [_letters(text[at : kept.start()], to), kept[0]]
        at = kept.end()
    return "".join([*pieces, _letters(text[at:], to)])


def back(text: str) -> str:
    """`text` with its moved letters where they were, to tell what is wrong."""
    return "".join(
        chr(ord(char) - (REGISTER if ord(char) >= REGISTER else CATALOGUE))
        if "\ue000" <= char <= "\uf8ff"
        else char
        for char in text
    )


def _letters(text: str, to: int) -> str:
    return "".join(
        chr(to + ord(char)) if unicodedata.category(char).startswith("L") and ord(char) < 0x800 else char
        for char in text
    )


def words(text: str) -> Iterator[str]:
    """The words of `text` in plain letters; a word cut short ends in an ellipsis."""
    for found in _WORD.finditer(text):
        yield found[0]


def strays(text: str, known: frozenset[str]) -> list[str]:
    """The words in plain letters that are not among the `known`, nor the beginning of one."""
    return [
        word
        for word in words(text)
        if word.removesuffix("…") not in known
        and not (word.endswith("…") and any(each.startswith(word[:-1]) for each in known))
    ]


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """All words that these texts may bring to a screen."""
    return frozenset(word.removesuffix("…") for text in texts for word in words(text))


def with_register_moved(view: View, register: frozenset[Texts]) -> View:
    """The view with texts of the register in the second alphabet; a text that the register does not have stays."""

    def change(say: object) -> object:
        match say:
            case Texts() if say in register:
                return Texts(*(moved(each, REGISTER) for each in (say.fr, say.nl, say.de, say.en)))
            case Msg(key, params):
                return Msg(key, tuple((name, change(value)) for name, value in params))  # type: ignore[misc]
            case tuple():
                return tuple(change(item) for item in say)
        return say

    return mapped(view, change)  # type: ignore[arg-type]


def mapped(view: View, change: Callable[[Say | None], Say | None]) -> View:
    """The view with everything said in it changed."""

    def every(items: tuple[Say, ...]) -> tuple[Say, ...]:
        return tuple(new for item in items if (new := change(item)) is not None)

    return replace(
        view,
        title=change(view.title),
        subject=change(view.subject),
        error=change(view.error),
        notes=every(view.notes),
        body=every(view.body),
        facts=tuple((change(label), change(value)) for label, value in view.facts),
        after=every(view.after),
        rows=tuple(tuple(replace(button, label=change(button.label)) for button in row) for row in view.rows),
    )


@contextmanager
def spoken(folder: Path) -> Iterator[None]:
    """Every speaker speaks pseudo until the block ends; the catalogues are compiled into `folder`."""
    real = i18n.LOCALES
    for lang in LANGUAGES:
        with (real / lang / "LC_MESSAGES" / "bot.po").open("rb") as file:
            catalogue = read_po(file, locale=lang)
        for entry in catalogue:
            if entry.id:
                entry.string = (
                    moved(entry.string, CATALOGUE)
                    if isinstance(entry.string, str)
                    else tuple(moved(form, CATALOGUE) for form in entry.string)
                )
        place = folder / lang / "LC_MESSAGES"
        place.mkdir(parents=True)
        with (place / "bot.mo").open("wb") as file:
            write_mo(file, catalogue)
    try:
        _speak_from(folder)
        yield
    finally:
        _speak_from(real)


def _speak_from(folder: Path) -> None:
    i18n.LOCALES = folder
    for cached in (i18n.catalogue, i18n.speaker, i18n.reader):
        cached.cache_clear()

"""What typed text means among options: a number, a label, the beginning of one, or nearly one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz

NEARLY, NEARLY_WORD = 80, 60
"""How alike, of 100, a text with typing errors must be: as a whole, and each of its words."""
_MARKS = re.compile(r"[^\w\s@.+-]", re.UNICODE)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """A text without case, accents, ornaments and double spaces, to compare."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(_MARKS.sub(" ", plain).split())


@dataclass(frozen=True, slots=True)
class Found:
    """Which options a text can mean, best first; `sure` when the first may be taken without asking."""

    places: tuple[int, ...]
    sure: bool


def match(text: str, options: Sequence[Sequence[str]]) -> Found:
    """Match `text` against options, each with all its readings.

    A number is the option's place, counted from 1. A label, or the beginning of exactly one, is sure; a text with a
    typing error is sure when only one option is near.
    """
    said = fold(text)
    number = said.rstrip(".")
    if number.isdecimal() and len(number) < 4 and 1 <= int(number) <= len(options):
        return Found((int(number) - 1,), sure=True)
    if not said:
        return Found((), sure=False)
    folded = [[fold(reading) for reading in readings] for readings in options]
    same = tuple(place for place, readings in enumerate(folded) if said in readings)
    if same:
        return Found(same, sure=len(same) == 1)
    parts = tuple(
        place for place, readings in enumerate(folded) if any(_begins(said, reading) for reading in readings)
    )
    if parts:
        return Found(parts, sure=len(parts) == 1)
    return _nearly(said, folded)


def _begins(said: str, reading: str) -> bool:
    """Whether each word said begins a word of the reading, in any order."""
    words = reading.split()
    return all(any(word.startswith(part) for word in words) for part in said.split())


def _nearly(said: str, folded: Sequence[Sequence[str]]) -> Found:
    """The options that were meant with a typing error: every word said must be like one of the option's, or its beginning.

    So a sentence around a label ("all but Colindos") is not taken for the label.
    """
    if len(said) < 4:
        return Found((), sure=False)
    scored = [
        (max(_likeness(said, reading) for reading in readings), place)
        for place, readings in enumerate(folded)
    ]
    near = sorted((-score, place) for score, place in scored if score >= NEARLY)[:6]
    return Found(tuple(place for _, place in near), sure=len(near) == 1)


def _likeness(said: str, reading: str) -> float:
    """How alike, of 100: as a whole, or word by word; 0 where a word has nothing like it."""
    parts, words = said.split(), reading.split()
    best = [max((_word(part, word) for word in words), default=0.0) for part in parts]
    by_words = sum(best) / len(best) if min(best) >= NEARLY_WORD else 0.0
    # a word too many may be a "not"
    return max(fuzz.ratio(said, reading), by_words) if len(parts) <= len(words) else by_words


def _word(part: str, word: str) -> float:
    return max(fuzz.ratio(part, word), fuzz.ratio(part, word[: len(part) + 1]))

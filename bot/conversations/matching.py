"""What typed text means among options: a number, a label, the beginning of one, or nearly one. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process, utils

NEARLY = 82
"""RapidFuzz's score from which a typing error is forgiven."""
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
    if len(said) < 4:
        return Found((), sure=False)
    readings = [(place, reading) for place, all_of in enumerate(folded) for reading in all_of]
    hits = process.extract(
        said,
        [reading for _, reading in readings],
        scorer=fuzz.WRatio,
        processor=utils.default_process,
        score_cutoff=NEARLY,
        limit=6,
    )
    places = tuple(dict.fromkeys(readings[index][0] for _, _, index in hits))
    return Found(places, sure=len(places) == 1)

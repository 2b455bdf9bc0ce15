"""The numbers of the field: NISS and BIS, INAMI, enterprise and establishment unit: parse, explain, format, mask.

Rules and weaknesses of the library: domain.md 4.1 to 4.5. `stdnum.be.vat` serves for the enterprise number.
`stdnum.be.ssn` does not serve: it reads the clock to choose the century, and lets impossible days, the counters
000 and 999 and future births pass; the tests compare with it wherever it is right.
May import: the standard library, stdnum, `bot.msg`, `bot.errors`.

A parser takes what a person typed, raises Invalid with the sentence for him, and never puts a digit of a
national number in that sentence, nor in a repr: both reach logs and chats.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from stdnum.be import vat
from stdnum.exceptions import ValidationError

from bot.errors import Invalid
from bot.msg import Msg, m

_SEPARATORS = frozenset(
    ".·•・．。,;:_/⁄∕／\\|'’‘`´ʼ+*()[]\N{MINUS SIGN}\N{FULLWIDTH COMMA}\N{HYPHENATION POINT}"
)
_NISS_LABEL = re.compile(
    r"^\W*(?:niss|insz|enss|ssin|nn|rrn|bis)\b(?:[\s:.=#-]|n[°ºro]*(?=[\s.:\d]))*", re.IGNORECASE
)
_KBO_LABEL = re.compile(
    r"^\W*(?:be|bce|kbo|zdu|cbe|tva|btw|mwst|vat)\b[\s:.-]*(?:be)?|^\s*be(?=[\s.\d(])", re.IGNORECASE
)


def _is_separator(char: str) -> bool:
    # Zs: every kind of space; Pd: every kind of dash; Cf: what cannot be seen
    return char in _SEPARATORS or char.isspace() or unicodedata.category(char) in {"Zs", "Pd", "Cf"}


def _digits(text: str) -> tuple[str, int]:
    """The digits of `text` in ASCII, whatever script they are typed in, and how many other signs there are."""
    digits, others = [], 0
    for char in text:
        value = unicodedata.decimal(char, None)
        if value is not None:
            digits.append(str(value))
        elif not _is_separator(char):
            others += 1
    return "".join(digits), others


def _only_digits(text: str, letters: Msg) -> str:
    digits, others = _digits(text)
    if others:
        raise Invalid(letters)
    return digits


# ── NISS ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Niss:
    """A national register or BIS number; shown masked by repr, str and format."""

    digits: str = field(repr=False)
    """The 11 digits: for the encrypted column and the keyed index, nothing else."""

    def __post_init__(self) -> None:
        if not (len(self.digits) == 11 and self.digits.isascii() and self.digits.isdigit()):
            raise ValueError("a NISS has 11 digits")

    @property
    def masked(self) -> str:
        """Only the check digits: ••.••.••-•••.28."""
        return f"••.••.••-•••.{self.digits[9:]}"

    @property
    def formatted(self) -> str:
        """As on the identity card: 79.08.23-997.28. Only where the whole number must be read."""
        d = self.digits
        return f"{d[:2]}.{d[2:4]}.{d[4:6]}-{d[6:9]}.{d[9:]}"

    @property
    def is_bis(self) -> bool:
        """A number of the BIS register: the month is raised by 20 or 40."""
        return int(self.digits[2:4]) >= 20

    def __repr__(self) -> str:
        return f"Niss({self.masked})"

    def __str__(self) -> str:
        return self.masked


def parse_niss(text: str, *, today: date) -> Niss:
    """The NISS in `text`, with any separators, any decimal digits, and with or without the word NISS before it.

    Raises Invalid with the first of: `niss.letters`, `niss.length`, `niss.month`, `niss.date`, `niss.counter`,
    `niss.check`, `niss.future`.
    """
    digits = _only_digits(_NISS_LABEL.sub("", text), m("niss.letters"))
    if len(digits) != 11:
        raise Invalid(m("niss.length", count=len(digits)))
    if fault := _niss_fault(digits, today):
        raise Invalid(m(fault))
    return Niss(digits)


def _niss_fault(digits: str, today: date) -> str | None:
    """The key of what is wrong with 11 digits, or None.

    The check digits tell the century: they are 97 − (nine digits mod 97), with a 2 before the nine digits for
    births from 2000 on. As 2·10⁹ mod 97 is 68 and not 0, no number is valid in both.
    """
    year, raw_month, day, counter = int(digits[:2]), int(digits[2:4]), int(digits[4:6]), int(digits[6:9])
    month = next((raw_month - added for added in (0, 20, 40) if 0 <= raw_month - added <= 12), None)
    if month is None:
        return "niss.month"
    if not any(_exists(century + year, month, day) for century in (1900, 2000)):
        return "niss.date"
    if counter in {0, 999}:
        return "niss.counter"
    century = _century(digits)
    if century is None:
        return "niss.check"
    if not _exists(century + year, month, day):
        return "niss.date"
    if _is_future(century + year, month, day, today):
        return "niss.future"
    return None


def _century(digits: str) -> int | None:
    check = int(digits[9:])
    if 97 - int(digits[:9]) % 97 == check:
        return 1900
    if 97 - int("2" + digits[:9]) % 97 == check:
        return 2000
    return None


def _exists(year: int, month: int, day: int) -> bool:
    # month or day 00: not known when the number was given, or the counters of that day had run out; in the
    # latter case the last digit of the day counts on, so any day stands with month 00
    if month == 0:
        return day <= 31
    return day <= calendar.monthrange(year, month)[1]


def _is_future(year: int, month: int, day: int, today: date) -> bool:
    # what is not known is taken as early as possible: (2026, 0, 0) comes before any day of 2026
    return (year, month, day if month else 0) > (today.year, today.month, today.day)


# ── NISS in free text ──────────────────────────────────────────────────────────────────────────────────────────

_CARD = re.compile(r"(?<!\d)\d{2}[. /]\d{2}[. /]\d{2}\s?[- ./–—]\s?\d{2,4}\s?[. /-]\s?\d{1,3}(?!\d)")
_OTHER_NUMBER = re.compile(r"\s*(?:\d{4}-\d{6}|\+[\d\s./()-]+|[01]\d{3}[. ]\d{3}[. ]\d{3})\s*")
"""A change's number (2026-000123), an international telephone number, an enterprise number."""
_BETWEEN = 3
"""At most so many separators between two digits of one number."""


def find_niss_spans(text: str, *, today: date) -> tuple[tuple[int, int], ...]:
    """Where valid numbers stand in `text`: (start, end) of each, in order, with the separators inside.

    A number is 11 digits that make up whole groups of digits ("79.08.23-997.28", "790823 99728"), or that stand
    inside one longer group (a digit too many at either end).
    """
    spans: list[tuple[int, int]] = []
    for run in _runs(text):
        position = 0
        while position + 11 <= len(run):
            window = run[position : position + 11]
            digits = "".join(str(unicodedata.decimal(text[index])) for index in window)
            if _stands_alone(text, run, position) and _niss_fault(digits, today) is None:
                spans.append((window[0], window[-1] + 1))
                position += 11
            else:
                position += 1
    return tuple(spans)


def contains_niss(text: str, *, today: date) -> bool:
    """Whether a valid number stands anywhere in `text`."""
    return bool(find_niss_spans(text, today=today))


def looks_like_niss(text: str) -> bool:
    """Whether the person evidently meant to type a NISS, right or not: for the right sentence, and for deletion."""
    folded = unicodedata.normalize("NFKC", text)
    if _OTHER_NUMBER.fullmatch(folded):
        return False
    digits, others = _digits(_NISS_LABEL.sub("", folded))
    # two letters among the digits are O for 0 or l for 1; 8 digits are a date or an INAMI number, 15 a list
    return (9 <= len(digits) <= 14 and others <= 2) or bool(_CARD.search(folded))


def _runs(text: str) -> list[list[int]]:
    """The positions of digits, a list for each stretch of digits with only separators between them."""
    runs: list[list[int]] = [[]]
    for index, char in enumerate(text):
        if unicodedata.decimal(char, None) is not None:
            if runs[-1] and index - runs[-1][-1] > _BETWEEN + 1:
                runs.append([])
            runs[-1].append(index)
        elif not _is_separator(char):
            runs.append([])
    return runs


def _stands_alone(text: str, run: list[int], position: int) -> bool:
    first, last = run[position], run[position + 10]
    # +32 470 12 34 56: a Belgian telephone number has 11 digits as well
    if text[max(first - 1, 0) : first + 2] == "+32":
        return False
    if last - first == 10:  # within one group of digits
        return True
    before = position == 0 or run[position - 1] < first - 1
    after = position + 11 == len(run) or run[position + 11] > last + 1
    return before and after


# ── INAMI ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Professional:
    """An INAMI number of a professional: 11 digits, of which the first 8 never change."""

    digits: str
    note: Msg | None = None
    """Something to check: the check digits follow a rule that no official text confirms."""

    @property
    def base(self) -> str:
        """The 8 digits that identify the person; the first 6 alone do not (domain.md 4.2)."""
        return self.digits[:8]


def parse_nihii_institution(text: str) -> str:
    """An institution's INAMI number as 8 digits; 11 digits that end in 000 are the same number.

    Raises Invalid with `nihii.letters`, `nihii.length` or `nihii.check`.
    """
    digits = _only_digits(text, m("nihii.letters"))
    if len(digits) == 11 and digits.endswith("000"):
        digits = digits[:8]
    if len(digits) != 8:
        raise Invalid(m("nihii.length", count=len(digits)))
    if not _nihii_check(digits, 97):
        raise Invalid(m("nihii.check"))
    return digits


def parse_nihii_professional(text: str) -> Professional:
    """A professional's INAMI number. Modulus 97 or 89 is right, 83 or 79 is right with a note (domain.md 4.2).

    Raises Invalid with `nihii.letters`, `nihii.professional_length` or `nihii.check`.
    """
    digits = _only_digits(text, m("nihii.letters"))
    if len(digits) != 11:
        raise Invalid(m("nihii.professional_length", count=len(digits)))
    if _nihii_check(digits, 97) or _nihii_check(digits, 89):
        return Professional(digits)
    if _nihii_check(digits, 83) or _nihii_check(digits, 79):
        return Professional(digits, note=m("nihii.unconfirmed"))
    raise Invalid(m("nihii.check"))


def _nihii_check(digits: str, modulus: int) -> bool:
    return modulus - int(digits[:6]) % modulus == int(digits[6:8])


def format_nihii_institution(digits: str) -> str:
    """710999-11."""
    return f"{digits[:6]}-{digits[6:]}"


def format_nihii_professional(digits: str) -> str:
    """1-99998-16-004."""
    return f"{digits[0]}-{digits[1:6]}-{digits[6:8]}-{digits[8:]}"


# ── enterprise and establishment unit ──────────────────────────────────────────────────────────────────────────


def parse_enterprise_number(text: str) -> str:
    """An enterprise number as 10 digits; "BE" before it and the old form of 9 digits are taken.

    Raises Invalid with `enterprise.letters`, `.length`, `.establishment` (first digit 2 to 9) or `.check`.
    """
    digits = _only_digits(_KBO_LABEL.sub("", text), m("enterprise.letters"))
    digits = digits.zfill(10) if len(digits) == 9 else digits
    if len(digits) != 10:
        raise Invalid(m("enterprise.length", count=len(digits)))
    if digits[0] not in "01":
        raise Invalid(m("enterprise.establishment"))
    try:
        return str(vat.validate(digits))
    except ValidationError:
        raise Invalid(m("enterprise.check")) from None


def parse_establishment_number(text: str) -> str:
    """An establishment unit's number as 10 digits, the first of them 2 to 8.

    Raises Invalid with `establishment.letters`, `.length`, `.enterprise` (first digit 0 or 1) or `.check`.
    """
    digits = _only_digits(text, m("establishment.letters"))
    if len(digits) != 10:
        raise Invalid(m("establishment.length", count=len(digits)))
    if digits[0] in "01":
        raise Invalid(m("establishment.enterprise"))
    if digits[0] == "9" or 97 - int(digits[:8]) % 97 != int(digits[8:]):
        raise Invalid(m("establishment.check"))
    return digits


def format_enterprise_number(digits: str) -> str:
    """0200.000.043."""
    return f"{digits[:4]}.{digits[4:7]}.{digits[7:]}"


def format_establishment_number(digits: str) -> str:
    """2.147.812.701."""
    return f"{digits[0]}.{digits[1:4]}.{digits[4:7]}.{digits[7:]}"

"""A day as people write it, in four languages at once: "25.2.", "lundi", "3. März 2027", "in 2 weeks".

The languages are read together, since a German may write to a French bot; no word means two things in them, except
the weekdays in two letters, for which the language decides.
Day comes before month, always (domain.md, trap 9); where the month is a word the order is free.
May import: the standard library, `bot.msg`, `bot.errors`; `today` is a parameter. `periods` re-exports `read_day`.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from datetime import date, timedelta

from bot.errors import Invalid
from bot.msg import m

YEARS = (2000, 2099)
"""Years that a typed date may have; narrower rules are in `periods`."""

_MONTHS = (
    "janvier januari januar january janner jan janv",
    "fevrier februari februar february feber feb fev fevr febr",
    "mars maart marz maerz march mar mrt mrz",
    "avril april avr apr",
    "mai mei may",
    "juin juni june jun",
    "juillet juli july juil jul",
    "aout augustus august aug aou",
    "septembre september sept sep",
    "octobre oktober october oct okt",
    "novembre november nov",
    "decembre december dezember dec dez",
)
_WEEKDAYS = (
    "lundi maandag montag monday mon lun",
    "mardi dinsdag dienstag tuesday tue tues",
    "mercredi woensdag mittwoch wednesday wed mer",
    "jeudi donderdag donnerstag thursday thu thurs jeu",
    "vendredi vrijdag freitag friday fri ven",
    "samedi zaterdag samstag sonnabend saturday sat sam",
    "dimanche zondag sonntag sunday sun dim",
)
_SHORT_WEEKDAYS = {
    "fr": "lu ma me je ve sa di",
    "nl": "ma di wo do vr za zo",
    "de": "mo di mi do fr sa so",
    "en": "mo tu we th fr sa su",
}
"""The only words that need to know the language: "ma" is Monday in Dutch and Tuesday in French."""
_OFFSETS = {
    -1: ("hier", "gisteren", "gestern", "yesterday"),
    0: ("aujourd hui", "aujourdhui", "vandaag", "heute", "today"),
    1: ("demain", "morgen", "tomorrow"),
    2: (
        "apres demain",
        "overmorgen",
        "ubermorgen",
        "uebermorgen",
        "day after tomorrow",
        "the day after tomorrow",
    ),
}
_UNITS = {
    "day": "jour jours j dag dagen tag tage tagen day days",
    "week": "semaine semaines week weken woche wochen weeks",
    "month": "mois maand maanden monat monate monaten month months",
    "year": "an ans annee jaar jahr jahre jahren year years",
}
_ONE = frozenset({"un", "une", "een", "ein", "eine", "einem", "einer", "a", "one"})
_LEAD = re.compile(
    r"^(?:(?:des|a partir|a|partir|du|de|le|la|au|jusqu|jusque|vanaf|van|op|tot|met|en|ab|am|an|vom|den|der|dem|bis|zum|zur|from|on|starting|since|"
    r"until|till|the|as|of|depuis|sinds|seit|this|ce|deze|diesen|dieser|next|prochain|volgende|komende|nachste|nachsten|"
    r"nachster|kommenden|kommende|coming)\s+)+"
)
_TRAIL = re.compile(r"\s+(?:prochain|prochaine|next|aan|an)$")
_IN = re.compile(r"^(?:\+\s*|(?:in|dans|over|binnen|within|d ici)\s+)(\d{1,4}|[a-z]+)\s*([a-z]*)$")


def _index(rows: tuple[str, ...]) -> dict[str, int]:
    return {word: number for number, row in enumerate(rows) for word in row.split()}


_MONTH_OF = {word: number + 1 for word, number in _index(_MONTHS).items()}
_WEEKDAY_OF = _index(_WEEKDAYS)
_WEEKDAYS_IN = {lang: _WEEKDAY_OF | _index(tuple(row.split())) for lang, row in _SHORT_WEEKDAYS.items()}
_OFFSET_OF = {word: offset for offset, words in _OFFSETS.items() for word in words}
_UNIT_OF = {word: unit for unit, row in _UNITS.items() for word in row.split()}
_MONTH = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_NUMBER = r"\d{1,9}"
_SEP = r"\s*[./\-,\s]\s*"

_ISO = re.compile(rf"^(\d{{4}}){_SEP}(\d{{1,2}}){_SEP}(\d{{1,2}})$")
_NUMERIC = re.compile(rf"^(\d{{1,3}}){_SEP}(\d{{1,3}})(?:{_SEP}({_NUMBER}))?[./\-,\s]*$")
_COMPACT = re.compile(r"^(\d{2})(\d{2})(\d{4}|\d{2})$")
_NAMED = re.compile(
    rf"^(\d{{1,3}})(?:er|re|e|ste|de|st|nd|rd|th)?[.\s-]*(?:of\s+)?({_MONTH})(?:[.,\s/-]*({_NUMBER}))?[.\s]*$"
)
_NAMED_FIRST = re.compile(
    rf"^({_MONTH})[.\s]+(\d{{1,2}})(?:st|nd|rd|th)?(?:(?:\s*,\s*|\s+)({_NUMBER}))?[.\s]*$"
)


def read_day(text: str, *, today: date, lang: str | None = None) -> date:
    """The day that `text` means, seen from `today`; `lang` tells weekdays in two letters apart.

    A day without a year is the next one to come, today included; a weekday is the next one, today excluded.
    Raises Invalid with one of `date.not_understood`, `.two_digit_year`, `.year`, `.month`, `.day`,
    `.not_in_month`, `.not_leap` or `.weekday`.
    """
    words = _LEAD.sub("", _folded(text) + " ").strip()
    weekdays = _WEEKDAYS_IN.get(lang or "", _WEEKDAY_OF)
    day = (
        _relative(words, today, weekdays) or _absolute(words, today) or _after_weekday(words, today, weekdays)
    )
    if day is None:
        raise Invalid(m("date.not_understood", example=_example(today)))
    return day


def _folded(text: str) -> str:
    """Lower case, no accents, apostrophes as spaces, one kind of dash and space, ASCII digits."""
    chars = []
    for char in unicodedata.normalize("NFKD", text.casefold()):
        category = unicodedata.category(char)
        if (digit := unicodedata.decimal(char, None)) is not None:
            chars.append(str(digit))
        elif category == "Pd" or char == "\N{MINUS SIGN}":
            chars.append("-")
        elif char in "/\N{FRACTION SLASH}\N{DIVISION SLASH}":
            chars.append("/")
        elif char.isspace() or char in "'’‘`´":
            chars.append(" ")
        elif category not in {"Mn", "Cf"}:
            chars.append(char)
    return " ".join("".join(chars).split())


def _relative(words: str, today: date, weekdays: dict[str, int]) -> date | None:
    plain = _TRAIL.sub("", words.rstrip(" .,")).replace("-", " ").strip()
    if plain in _OFFSET_OF:
        return today + timedelta(days=_OFFSET_OF[plain])
    if plain in weekdays:
        return today + timedelta(days=(weekdays[plain] - today.weekday() - 1) % 7 + 1)
    if match := _IN.match(words.rstrip(" .")):
        number, unit = match.groups()
        count = 1 if number in _ONE else int(number) if number.isdigit() else None
        if count is not None and (unit in _UNIT_OF or (unit == "" and words.startswith("+"))):
            return _later(today, count, _UNIT_OF.get(unit, "day"))
    return None


def _later(today: date, count: int, unit: str) -> date:
    match unit:
        case "day":
            day = today + timedelta(days=count)
        case "week":
            day = today + timedelta(weeks=count)
        case _:
            months = today.month - 1 + (count if unit == "month" else 12 * count)
            year, month = today.year + months // 12, months % 12 + 1
            _check_year(year, today)
            day = date(year, month, min(today.day, calendar.monthrange(year, month)[1]))
    _check_year(day.year, today)
    return day


def _after_weekday(words: str, today: date, weekdays: dict[str, int]) -> date | None:
    """Such as "lundi 30 novembre": a weekday that contradicts its date is told, not ignored."""
    weekday, _, rest = words.partition(" ")
    number = weekdays.get(weekday.rstrip(".,"))
    if number is None or not (day := _absolute(_LEAD.sub("", rest.strip(" ,") + " ").strip(), today)):
        return None
    if day.weekday() != number:
        raise Invalid(m("date.weekday", date=day))
    return day


def _absolute(words: str, today: date) -> date | None:
    if match := _ISO.match(words):
        year, month, day = match.groups()
        return _day(day, month, year, today)
    if match := _NUMERIC.match(words):
        day, month, year = match.groups()
        return _day(day, month, year, today)
    if match := _COMPACT.match(words):
        day, month, year = match.groups()
        if len(year) == 4 and not YEARS[0] <= int(year) <= YEARS[1]:  # 20270225
            return _day(words[6:], words[4:6], words[:4], today)
        return _day(day, month, year, today)
    if match := _NAMED.match(words):
        day, name, year = match.groups()
        return _day(day, str(_MONTH_OF[name]), year, today)
    if match := _NAMED_FIRST.match(words):
        name, day, year = match.groups()
        return _day(day, str(_MONTH_OF[name]), year, today)
    return None


def _day(day_text: str, month_text: str, year_text: str | None, today: date) -> date:
    day, month = int(day_text), int(month_text)
    if not 1 <= month <= 12:
        raise Invalid(m("date.month", month=month, example=_example(today)))
    if not 1 <= day <= 31:
        raise Invalid(m("date.day", day=day, example=_example(today)))
    if year_text is None:
        return _coming(day, month, today)
    if len(year_text) != 4:
        raise Invalid(m("date.two_digit_year", example=_example(today)))
    year = int(year_text)
    _check_year(year, today)
    return _exact(day, month, year, today)


def _check_year(year: int, today: date) -> None:
    if not YEARS[0] <= year <= YEARS[1]:
        # as texts: 2 000 is no year
        raise Invalid(m("date.year", first=str(YEARS[0]), last=str(YEARS[1]), example=_example(today)))


def _exact(day: int, month: int, year: int, today: date) -> date:
    last = calendar.monthrange(year, month)[1]
    if day <= last:
        return date(year, month, day)
    if (day, month) == (29, 2):
        raise Invalid(m("date.not_leap", year=str(year), example=date(year, 2, 28)))
    sample = date(year, month, last)
    example = sample if sample >= today else _coming(calendar.monthrange(2027, month)[1], month, today)
    raise Invalid(m("date.not_in_month", day=day, month=m(f"month.{month}"), example=example))


def _coming(day: int, month: int, today: date) -> date:
    """The next such day, today included; 29 February waits for its leap year, at most eight years."""
    for year in range(today.year, today.year + 9):
        if day <= calendar.monthrange(year, month)[1] and (found := date(year, month, day)) >= today:
            return found
    return _exact(day, month, today.year + 1, today)


def _example(today: date) -> date:
    return _coming(25, 2, today)

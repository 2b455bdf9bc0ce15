"""Hypothesis strategies that several tests share. All people and numbers are made up.

National numbers have the day counter 997 or 998, which an ordinary day never reaches (domain.md 4.5).
"""

from datetime import date, timedelta

from hypothesis import strategies as st

TODAY = date(2026, 11, 24)

SEPARATORS = [
    ".",
    "-",
    "/",
    " ",
    "\N{NO-BREAK SPACE}",
    "\N{EN DASH}",
    "\N{MINUS SIGN}",
    "'",
    "\N{NARROW NO-BREAK SPACE}",
]
DIGIT_SETS = [
    "".join(chr(ord(zero) + value) for value in range(10))
    for zero in ("0", "\N{FULLWIDTH DIGIT ZERO}", "\N{ARABIC-INDIC DIGIT ZERO}", "\N{DEVANAGARI DIGIT ZERO}")
]


def niss_digits(day: date, counter: int = 997, added: int = 0) -> str:
    """The number for a birth on `day`; `added` 20 or 40 makes a BIS number."""
    nine = f"{day.year % 100:02d}{day.month + added:02d}{day.day:02d}{counter:03d}"
    check = 97 - int(nine if day.year < 2000 else "2" + nine) % 97
    return f"{nine}{check:02d}"


def card(digits: str) -> str:
    """As on the identity card."""
    return f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-{digits[6:9]}.{digits[9:]}"


births = st.dates(date(1900, 1, 1), TODAY)
days = st.dates(date(2000, 1, 1), date(2090, 12, 31))
valid_niss = st.builds(niss_digits, births, st.sampled_from([997, 998]), st.sampled_from([0, 20, 40]))
future_niss = st.builds(
    niss_digits, st.dates(TODAY + timedelta(days=1), date(2099, 12, 31)), st.sampled_from([997, 998])
)


@st.composite
def typed(draw: st.DrawFn, digits: st.SearchStrategy[str] = valid_niss) -> tuple[str, str]:
    """(digits, the same as somebody types them: any script, separators at any place)."""
    number = draw(digits)
    script = draw(st.sampled_from(DIGIT_SETS))
    parts = []
    for digit in number:
        parts += [draw(st.sampled_from(["", "", "", *SEPARATORS])), script[int(digit)]]
    return number, "".join(parts)

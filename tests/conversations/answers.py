"""What the walk says at every question: answers that are right somewhere, each kind of wrong one, commands in the middle."""

from __future__ import annotations

CODE = "A" * 22
VALID = (
    "01.09.22-997.08",
    "79082399728",
    "Vermeulen",
    "tom.vermeulen@example.org",
    "claes",
    "maes",
    "Colindos",
    "25-02-2027",
    "2026-000001",
    CODE,
)
WRONG = {
    "a number with a wrong digit": "79082499728",
    "a number too short": "7908239972",
    "a number with letters": "790823-997-2A",
    "a number without a day": "79023199728",
    "a number without a month": "79153099728",
    "a number of the future": "26123199889",
    "a number with a counter that is never given": "79.08.23-999.26",
    "a day that no month has": "42-01-2027",
    "a day that this month has not": "31-04-2027",
    "a leap day of another year": "29-02-2027",
    "a month that is none": "11-13-2027",
    "a year in two digits": "01-01-27",
    "a year out of bounds": "01-01-1850",
    "another day of the week": "montag 25-11-2026",
    "a day long ago": "01-01-2026",
    "a day too far": "01-01-2040",
    "a day before the start": "23-11-2026",
    "nobody's name": "Zzzzzzz",
    "nearly a name": "Peetres",
    "a name of two people": "Peeters",
    "somebody blocked": "Lambert",
    "a digit in a name": "Delcor7",
    "a sign that no name has": "<b>&",
    "nothing": " ",
    "an invisible character": "\u202eabc",
    "another alphabet": "Иванов",
    "two alphabets mixed": "Pеeters",
    "a name too long": "a" * 90,
    "a place in the list that is none": "99",
    "the beginning of two": "hosp",
    "an address without a domain": "x@",
    "an address with a wrong domain": "x@-y.",
    "an address with two signs": "x@y@example.org",
    "an address with a space": "x y@example.org",
    "an address with two alphabets": "tom@exаmple.org",
    "an address with a sign too many": "x..y@example.org",
    "an address too long": "x" * 250 + "@example.org",
    "a user name too short": "jp",
    "a user name too long": "j" * 70,
    "a user name that is taken": "mclaes01",
    "an unusual user name": "Jan.Peeters",
    "a change that there is not": "2026-999999",
}
COMMANDS = (
    "help",
    "status",
    "privacy",
    "language",
    "home",
    "grant",
    "cancel",
    "back",
    "nonsense",
    "users",
    "managers",
    "start",
)
"""Said in the middle of any dialogue."""

NEW = ("01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org")
"""Somebody new: the number, the name, the first name, the address."""

"""The fields of a user account that can be corrected, and what each of them takes (`domain.md` 1.5). Pure.

Dialogues read a typed answer with it, and the act reads it again. May import: the pure modules of `access`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from bot.access.catalogue import Declared
from bot.access.credentials import UsernamePolicy, check_username
from bot.access.identifiers import parse_niss
from bot.access.names import parse_email, parse_name, parse_title
from bot.errors import Invalid
from bot.msg import m

OF_THE_PROFILE = ("last_name", "first_name", "title", "language", "email", "local_email")
"""What the entity knows of the person: the same for his accounts in all its qualities."""
NUMBER = "niss"
"""The national number: the person's, not the account's; in full nowhere but where it is typed."""
SHARED = frozenset({*OF_THE_PROFILE, NUMBER})
"""What shows on all accounts of the person in the entity."""
FIELDS = (*OF_THE_PROFILE, NUMBER, "username", "profession")
OF_HUMANS = frozenset({"first_name", "title", "profession", NUMBER})
"""What a technical user has not."""
OPTIONAL = frozenset({"title", "local_email"})
"""May be left empty."""
WAYS_IN = frozenset({"email", "local_email", "username", NUMBER})
"""What a password and its link hang on, and what an identity provider says who somebody is by."""
LANGUAGES = ("fr", "nl", "de")
"""The portal's choice for a user (`domain.md` 1.5)."""
_TEXTS: dict[str, Callable[[str], str]] = {
    "last_name": parse_name,
    "first_name": parse_name,
    "title": parse_title,
    "email": parse_email,
    "local_email": parse_email,
}


def read_field(field: str, text: str, usernames: UsernamePolicy, today: date) -> str:
    """The field's normal form; empty for one that is left out. Raises Invalid. `today`: no number is of the future."""
    if not text and field in OPTIONAL:
        return ""
    match field:
        case "niss":
            return parse_niss(text, today=today).digits
        case "username":
            return check_username(text, usernames)
        case "language":
            return _one_of(text, LANGUAGES, "act.language_gone")
        case "profession":
            return _one_of(text, tuple(Declared), "act.profession_gone")
        case _:
            return _TEXTS[field](text)


def _one_of(text: str, values: tuple[str, ...], otherwise: str) -> str:
    if text not in values:
        raise Invalid(m(otherwise))
    return str(text)

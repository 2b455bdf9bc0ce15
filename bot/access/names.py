"""Names of people and e-mail addresses: what is taken, how it is sorted and searched, how it is shown.

Names stay as people write them (domain.md, trap 24); what cannot be part of one is refused, above all what only
looks like a letter (security.md, lookalikes). May import: the standard library, `bot.msg`, `bot.errors`.
"""

from __future__ import annotations

import re
import unicodedata

from bot.errors import Invalid
from bot.msg import m

NAME_MAX = 64
TITLE_MAX = 16
EMAIL_MAX = 254
"""RFC 5321, 4.5.3.1.3; the part before the @ has at most 64."""

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼʻ`´′＇", "'"))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–−－", "-"))
_PUNCTUATION = frozenset(" -'.")
PLACE_MAX = 60
_PLACE_SIGNS = frozenset(" -'.,&/+()°")
# letters that Unicode does not take apart
_FOLDED = str.maketrans(
    {
        "ø": "o",
        "œ": "oe",
        "æ": "ae",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ı": "i",
        "ħ": "h",
        "ŋ": "n",
        "ŧ": "t",
        "ə": "e",
        "ĸ": "k",
    }
)

_OTHER_LETTERS = frozenset({"ø", "œ", "æ", "ł", "đ", "ð", "þ", "ı", "ħ", "ŋ", "ŧ", "ə", "ĳ", "ss"})  # ss: ß

# ── names ──────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_name(text: str) -> str:
    """A last or first name in NFC, with plain apostrophes, hyphens and single spaces.

    Raises Invalid with the first of `name.invisible`, `name.empty`, `name.too_long`, `name.digits`,
    `name.lookalike`, `name.script`, `name.signs`.
    """
    name = _tidy(text)
    if not name:
        raise Invalid(m("name.empty"))
    if len(name) > NAME_MAX:
        raise Invalid(m("name.too_long", max=NAME_MAX))
    _check_letters(name)
    return name


def parse_title(text: str) -> str:
    """A title such as "Dr." or "Prof. dr."; same refusals, with `title.too_long`."""
    title = _tidy(text)
    if not title:
        raise Invalid(m("name.empty"))
    if len(title) > TITLE_MAX:
        raise Invalid(m("title.too_long", max=TITLE_MAX))
    _check_letters(title)
    return title


def parse_place(text: str) -> str:
    """The name of a part of an organisation, such as "Unité 3 (soins intensifs)"; digits and a few signs may stand in it.

    Raises Invalid with `name.invisible`, `name.lookalike`, or `place.empty`, `place.too_long`, `place.script`, `place.signs`.
    """
    name = _tidy(text)
    if not name:
        raise Invalid(m("place.empty"))
    if len(name) > PLACE_MAX:
        raise Invalid(m("place.too_long", max=PLACE_MAX))
    letters = [char for char in name if unicodedata.category(char).startswith("L")]
    latin = [char for char in letters if _is_latin(char)]
    if len(latin) < len(letters):
        raise Invalid(m("name.lookalike") if latin else m("place.script"))
    signs = [
        char
        for index, char in enumerate(name)
        if not (char in _PLACE_SIGNS or (char.isascii() and char.isdigit()) or _may_stand(name, index))
    ]
    if signs or not any(char in latin or char.isdigit() for char in name):
        raise Invalid(m("place.signs", sign=signs[0] if signs else name[0]))
    return name


def _tidy(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(char) in {"Cc", "Cf", "Co", "Cn", "Cs"} for char in text):
        raise Invalid(m("name.invisible"))
    return text.translate(_APOSTROPHES).translate(_DASHES)


def _check_letters(name: str) -> None:
    if any(char.isdigit() or unicodedata.category(char) in {"Nd", "Nl", "No"} for char in name):
        raise Invalid(m("name.digits"))
    letters = [char for char in name if unicodedata.category(char).startswith("L")]
    latin = [char for char in letters if _is_latin(char)]
    if len(latin) < len(letters):
        raise Invalid(m("name.lookalike") if latin else m("name.script"))
    signs = [char for index, char in enumerate(name) if not _may_stand(name, index)]
    if signs or not letters:
        raise Invalid(m("name.signs", sign=signs[0] if signs else name[0]))


def _is_latin(char: str) -> bool:
    """A letter in use: a to z with or without marks, or one of the few others; no phonetic, styled or wide twin."""
    if unicodedata.category(char) not in {"Lu", "Ll"}:
        return False
    # canonical decomposition only: the compatible one would turn every twin into its letter
    return unicodedata.normalize("NFD", char)[0].isascii() or char.casefold() in _OTHER_LETTERS


def _may_stand(name: str, index: int) -> bool:
    char = name[index]
    if char in _PUNCTUATION or _is_latin(char):
        return True
    # a mark that no single letter has, such as m̂: one, right after a letter
    return unicodedata.category(char) == "Mn" and index > 0 and _is_latin(name[index - 1])


def display_name(last_name: str, first_name: str) -> str:
    """Peeters Jan; a person may have one name only."""
    return f"{last_name} {first_name}".strip()


def fold(text: str) -> str:
    """The key by which names are sorted and searched: ASCII, lower case, single spaces; the same on every database.

    "D'Hondt" and "Dhondt" fold alike, a hyphen counts as a space. A text without Latin letters folds to itself,
    case folded, rather than to nothing.
    """
    # taken apart twice: lower case can bring forth what can be taken apart again
    apart = text.translate(_APOSTROPHES).translate(_DASHES)
    for _ in range(2):
        apart = unicodedata.normalize("NFKD", apart).casefold()
    spaced = "".join(
        " " if char in "-_/.,;·" or char.isspace() else char for char in apart.translate(_FOLDED)
    )
    plain = " ".join(
        "".join(char for char in spaced if char.isascii() and (char.isalnum() or char == " ")).split()
    )
    return plain or " ".join(unicodedata.normalize("NFKD", apart).split())


def tokens(text: str) -> tuple[str, ...]:
    """The folded words of `text`, for matching parts of a name."""
    return tuple(fold(text).split())


# ── e-mail ─────────────────────────────────────────────────────────────────────────────────────────────────────

_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def parse_email(text: str) -> str:
    """An e-mail address in NFC, its domain in lower case; international domains are taken.

    Raises Invalid with `email.at`, `email.space`, `email.domain`, `email.lookalike`, `email.too_long` or
    `email.invalid`. Whether the mailbox exists is not known.
    """
    address = unicodedata.normalize("NFC", text).strip()
    if any(char.isspace() for char in address):
        raise Invalid(m("email.space"))
    if any(unicodedata.category(char).startswith("C") for char in address):
        raise Invalid(m("email.invalid"))
    if address.count("@") != 1:
        raise Invalid(m("email.at"))
    if len(address.encode()) > EMAIL_MAX:
        raise Invalid(m("email.too_long", max=EMAIL_MAX))
    local, domain = address.split("@")
    if not _LOCAL.fullmatch(local) or len(local.encode()) > 64:
        raise Invalid(m("email.invalid"))
    _check_domain(domain)
    return f"{local}@{domain.lower()}"


def _check_domain(domain: str) -> None:
    labels = domain.split(".")
    if (
        len(labels) < 2
        or not all(_LABEL.fullmatch(label) for label in labels)
        or labels[-1].isdecimal()
        or len(labels[-1]) < 2
    ):
        raise Invalid(m("email.domain"))
    for label in labels:
        letters = [char for char in label if char.isalpha()]
        # a label in one foreign script is a name; one that mixes scripts is a disguise
        if 0 < sum(map(_is_latin, letters)) < len(letters):
            raise Invalid(m("email.lookalike"))
    try:
        domain.encode("idna")
    except UnicodeError:
        raise Invalid(m("email.domain")) from None

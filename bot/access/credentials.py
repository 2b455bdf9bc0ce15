"""User names and passwords: what a policy takes, user names to propose, and answers that look like a password.

The portal's own rules are not published; they are settings here, with the traces that were found as defaults
(domain.md 1.5, traps 15 and 16). Never is a password asked for in a chat: `check_password` serves the private
page, `looks_like_password` the deletion of what somebody types all the same.
May import: the standard library, zxcvbn, `bot.msg`, `bot.errors`, `bot.access.names`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import count, pairwise

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from bot.access.names import fold, tokens
from bot.errors import Invalid
from bot.msg import Msg, m

# ── user names ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class UsernamePolicy:
    """What a user name may be; `proposed` is the length of those we propose."""

    shortest: int = 6
    longest: int = 32
    proposed: int = 8
    signs: str = "._-"
    """Allowed besides letters a to z and digits."""


def check_username(text: str, policy: UsernamePolicy) -> str:
    """The user name in lower case, which is how it is unique.

    Raises Invalid with the first of `username.signs`, `username.too_short`, `username.too_long`,
    `username.number` (a user name must not hold a national number, right or mistyped).
    """
    name = unicodedata.normalize("NFC", text).strip()
    for char in name:
        if not (char.isascii() and char.isalnum()) and char not in policy.signs:
            raise Invalid(
                m("username.space") if char.isspace() else m("username.signs", signs=" ".join(policy.signs))
            )
    if len(name) < policy.shortest:
        raise Invalid(m("username.too_short", min=policy.shortest))
    if len(name) > policy.longest:
        raise Invalid(m("username.too_long", max=policy.longest))
    if sum(char.isdigit() for char in name) >= 9:
        raise Invalid(m("username.number"))
    return name.lower()


def username_warning(name: str, policy: UsernamePolicy) -> Msg | None:
    """A word of caution for a user name that the portal might not take: it decides itself."""
    usual = re.fullmatch(rf"[a-z][a-z0-9]{{{policy.proposed - 1}}}", name)
    return None if usual else m("username.unusual", length=policy.proposed)


def propose_usernames(first_name: str, last_name: str, policy: UsernamePolicy) -> Iterator[str]:
    """Distinct candidates of exactly `policy.proposed` characters a–z, 0–9, a letter first; the most natural first.

    Ten million of them for 8 characters. Digits only count on: no part of a date or number of the person.
    """
    first, last = _letters(first_name), _letters(last_name)
    size = policy.proposed
    natural = [first[:taken] + last[: size - taken] for taken in range(1, size)] + [
        last[:taken] + first[: size - taken] for taken in range(1, size)
    ]
    if first and last:
        yield from dict.fromkeys(name for name in natural if len(name) == size)
    stem = first[:1] + last
    stem = stem if len(stem) >= size - 1 else first + last or "user"
    for number in count(1):
        digits = str(number).zfill(max(size - len(stem), 1))
        if len(digits) >= size:
            return
        yield stem[: size - len(digits)] + digits


def _letters(name: str) -> str:
    return "".join(char for char in fold(name) if char.isascii() and char.isalpha())


# ── passwords ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """Length counts most; 128 is a limit against overload, not for people."""

    shortest: int = 12
    longest: int = 128
    different: int = 6
    """How many different characters there must be."""


_COMMON = (
    "password",
    "motdepasse",
    "wachtwoord",
    "kennwort",
    "passwort",
    "welkom",
    "bienvenue",
    "willkommen",
    "welcome",
    "azerty",
    "qwerty",
    "qwertz",
)
_SEQUENCES = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "azertyuiopqsdfghjklmwxcvbn",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
)


_STRONG = 3
"""Of zxcvbn's scores 0 to 4: from 3 on some 10^8 guesses are needed, too many for a page that locks after five."""
_READ = 72
"""Characters that zxcvbn looks at; its time grows fast beyond."""


def check_password(
    text: str,
    policy: PasswordPolicy,
    *,
    username: str,
    names: Iterable[str] = (),
    around: Iterable[str] = (),
) -> None:
    """Raises Invalid with the first of `password.too_short`, `.too_long`, `.invisible`, `.personal`, `.common`, `.simple`.

    `names` are the person's own and may not occur at all; `around` are those of his organisation, which alone do not make a
    password.
    """
    password = unicodedata.normalize("NFKC", text)
    if len(password) < policy.shortest:
        raise Invalid(m("password.too_short", min=policy.shortest))
    if len(password) > policy.longest:
        raise Invalid(m("password.too_long", max=policy.longest))
    if any(unicodedata.category(char).startswith("C") for char in password):
        raise Invalid(m("password.invisible"))
    folded = password.casefold()
    own = own_words(username, names)
    if any(word in folded or word in fold(password) for word in own):
        raise Invalid(m("password.personal"))
    if _is_common(folded):
        raise Invalid(m("password.common"))
    near = tuple(word for name in around for word in tokens(name) if len(word) >= 4)
    if len(set(folded)) < policy.different or _mostly_known(fold(password), (*_COMMON, *near)):
        raise Invalid(m("password.simple"))
    if zxcvbn(password[:_READ], [*own, *near], max_length=_READ)["score"] < _STRONG:
        raise Invalid(m("password.simple"))


def own_words(username: str, names: Iterable[str]) -> tuple[str, ...]:
    """What of a person may not occur in his password, folded. Short particles (de, van) would forbid too much."""
    words = [username.casefold(), *(token for name in names for token in tokens(name) if len(token) >= 4)]
    return tuple(dict.fromkeys(word for word in words if word))


@cache
def _common_passwords() -> frozenset[str]:
    """The 30,000 most common ones of published leaks, as zxcvbn ships them."""
    return frozenset(FREQUENCY_LISTS["passwords"])


def _is_common(folded: str) -> bool:
    """Whether it is on the list, also with spaces, or with digits and signs put before or after it."""
    bare = "".join(char for char in folded if not char.isspace())
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", bare)
    return not {folded, bare, core}.isdisjoint(_common_passwords())


def _mostly_known(folded: str, words: Iterable[str]) -> bool:
    """Whether less than half is left when well-known words and rows of keys are taken out."""
    rest = folded
    for word in words:
        rest = rest.replace(word, "")
    for sequence in _SEQUENCES:
        for row in (sequence, sequence[::-1]):
            for length in range(len(row), 3, -1):
                for start in range(len(row) - length + 1):
                    rest = rest.replace(row[start : start + length], "")
    return len(rest) * 2 < len(folded)


_SAID = re.compile(
    r"\b(?:mot[ _-]?de[ _-]?passe|mdp|pass[ _-]?word|passwd|pwd|pw|wachtwoord|ww|kennwort|passwort)\b"
    # after a colon anything; after "is" only what no sentence goes on with
    r"(?:\s*(?:est|is|ist|lautet)?\s*[:=]\s*\S{4,}|\s+(?:est|is|ist|lautet)\s+(?=\S*[\d!#$%&*?^~+=])\S{6,})",
    re.IGNORECASE,
)
_STRONG_SIGNS = frozenset("!#$%&*?^~+=<>{}[]|\\@€£§")


def looks_like_password(text: str) -> bool:
    """Whether an answer is most likely a password. Careful: names, dates, numbers, addresses, codes are none.

    Taken for one: "mot de passe : …"; one word of 8 to 19 characters with a capital, a small letter, a digit and
    a sign of `!#$%…`; or as mixed without a sign, like aK8dPq2x.
    """
    word = text.strip()
    if _SAID.search(word):
        return True
    if (
        not 8 <= len(word) <= 19
        or any(char.isspace() for char in word)
        or re.search(r"@[\w-]+\.\w|://", word)
    ):
        return False
    if not (any(map(str.isupper, word)) and any(map(str.islower, word)) and any(map(str.isdecimal, word))):
        return False
    kinds = [
        "A" if char.isupper() else "a" if char.islower() else "0" if char.isdecimal() else "."
        for char in word
    ]
    turns = sum(one != other for one, other in pairwise(kinds))
    return any(char in _STRONG_SIGNS for char in word) or (turns >= 4 and "." not in kinds)

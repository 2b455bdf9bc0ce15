"""Accounts whose name is nearly what was typed, best first.

In a quality with at most `ALL` accounts in scope, each is compared with what was typed. In a larger one, the words of the
entity that come into question are found first: every word that is one typing error away (a letter too many, too few,
another one, two swapped), by looking each of them up, and words that begin like the typed one. The people who bear them
are compared as in a small one. So the answer is the same, but for words with several errors of which one is in the first
half, and for typed words that are all frequent and stand together in nobody's last and first name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import islice, product
from string import ascii_lowercase, digits
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.process import extract
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)

from bot.access.names import tokens
from bot.access.reach import Reach, bounded
from bot.access.rights import Act
from bot.access.rows import ACCOUNT_WORDS, ACCOUNTS, AnyRow
from bot.access.userparts import HIDDEN, LIVING, NAMES, WORDS, end_of, hidden, in_quality

NEAR, NEAR_WORD = 78, 60
"""How alike, of 100, the words of a mistyped name must be: on average, and each."""
ALL = 2000
"""So many accounts are compared one by one."""
SOME, LOOKED_AT, KEPT = 600, 1600, 100
"""Of more, so many at most; where all that was typed is frequent, so many are looked at, and so many of a word compared."""
SAME_HEAD, HEAD_OF = 150, 5
"""So many words that begin like a typed one are looked at, where that has so many letters."""
ASKED, LONGEST, BEST = 4, 24, 8
"""People are looked for by so many typed words, of so many letters; for each by so many words of the entity."""
AT_ONCE, COMBINATIONS, MOST_WORDS = 3, 24, 6
"""As the beginning of a name: so many words of the entity for each typed one, so many names, of so many words."""
Words = dict[str, list[str]]

_COMPARED = select(ACCOUNTS.c.id, ACCOUNTS.c.search, ACCOUNTS.c.sort_key)
_EACH = {
    "sqlite": "json_each(:{0}) AS {0}",
    "postgresql": "json_array_elements_text(CAST(:{0} AS json)) AS {0}(value)",
}
_WORDS = """
WITH RECURSIVE beginning(head, word, number) AS (
  SELECT heads.value, (
    SELECT min(word) FROM account_words
    WHERE entity_id = :entity AND word >= heads.value AND word < heads.value || 'zzzzzzzz'
  ), 1 FROM {heads}
  UNION ALL
  SELECT head, (
    SELECT min(further.word) FROM account_words AS further
    WHERE further.entity_id = :entity AND further.word > beginning.word AND further.word < head || 'zzzzzzzz'
  ), number + 1 FROM beginning WHERE beginning.word IS NOT NULL AND number < :most
)
SELECT word FROM beginning WHERE word IS NOT NULL
UNION SELECT typed.value FROM {typed}
WHERE (SELECT 1 FROM account_words WHERE entity_id = :entity AND word = typed.value LIMIT 1) IS NOT NULL
"""
"""The words of the entity among `typed`, and those that begin like one of `heads`, each found from the one before, however
many people bear it.
"""
WORDS_OF = {
    dialect: text(_WORDS.format(heads=each.format("heads"), typed=each.format("typed")))
    for dialect, each in _EACH.items()
}


class NearNames:
    """The accounts in the reach of a session, by names as they might be meant."""

    def __init__(self, connection: Connection, reach: Reach) -> None:
        self._connection, self._reach = connection, reach

    def alike(self, entity: str, quality: str, find: str, limit: int) -> list[str]:
        """The ids of the accounts of the quality whose name is nearly `find`, at most `limit`, best first."""
        words = tokens(find)
        if not words:
            return []
        small = self._small(entity, quality)
        if small is not None:
            rows = self._connection.execute(
                _COMPARED.where(small, in_quality(self._reach, entity, quality, hidden(self._connection)))
            )
            return ranked(words, rows, limit)
        return ranked(words, self._candidates(entity, quality, words, limit), limit)

    def _small(self, entity: str, quality: str) -> ColumnElement[bool] | None:
        """The quality, or the scope, if it has no more than `ALL` accounts."""
        places = [ACCOUNTS.c.quality_id == quality, self._reach.narrow(entity, Act.LIST_USERS)]
        narrow = [each for each in places if each is not None]
        beyond = [
            select(literal(1))
            .where(each, ACCOUNTS.c.status != "deleted")
            .limit(1)
            .offset(ALL)
            .scalar_subquery()
            for each in narrow
        ]
        found = self._connection.execute(select(*beyond)).one()
        return next((each for each, more in zip(narrow, found, strict=True) if more is None), None)

    # -- of many ------------------------------------------------------------------------------

    def _candidates(self, entity: str, quality: str, words: Sequence[str], limit: int) -> list[AnyRow]:
        asked = sorted({word for word in words if len(word) <= LONGEST}, key=lambda word: (-len(word), word))
        near = self._near(entity, asked[:ASKED])
        if not near:
            return []
        shape, values = self._bearers(entity, near, limit)
        names = list(_beginnings(words, near)) if 1 < len(words) <= MOST_WORDS else []
        for place, name in enumerate(names):
            values |= {f"from{place}": name, f"below{place}": end_of(name) or f"{name}zzzzzzzz"}
        query = _query(shape, len(names), self._connection.dialect.name == "sqlite")
        values |= {**self._reach.bounds(entity, Act.LIST_USERS), "quality": quality, "some": SOME}
        rows = self._connection.execute(query, values)
        return list({row.id: row for row in rows}.values())

    def _near(self, entity: str, typed: Sequence[str]) -> Words:
        """The words of the entity that may be meant by each, if any, the most alike first."""
        variants = set[str]().union(*map(one_error, typed))
        heads = [word[: (len(word) + 1) // 2] for word in typed if len(word) >= HEAD_OF]
        place = {"entity": entity, "heads": json.dumps(heads), "typed": json.dumps([*variants])}
        query = WORDS_OF[self._connection.dialect.name]
        found = self._connection.execute(query, {**place, "most": SAME_HEAD}).scalars().all()
        found = sorted(found)  # of two equally alike, the first of the alphabet
        near = {
            word: [
                one for one, *_ in extract(word, found, scorer=fuzz.ratio, score_cutoff=NEAR_WORD, limit=BEST)
            ]
            for word in typed
        }
        return {word: those for word, those in near.items() if those}

    def _bearers(self, entity: str, near: Words, limit: int) -> tuple[Shape, dict[str, Any]]:
        """How those are looked for who bear one of the words for that typed word whose words are rarest, with its values.
        Where they are frequent, so many of each word are looked at, by name, and only who bears a word for the others too is
        compared.
        """
        typed, few = self._rarest(entity, near)
        lead, others = near[typed], [words[:AT_ONCE] for word, words in near.items() if word != typed]
        if few:
            return None, {"lead": lead}
        values: dict[str, Any] = {f"lead{place}": word for place, word in enumerate(lead)}
        for place, words in enumerate(others):
            values |= {f"other{place}_{number}": f"% {word}%" for number, word in enumerate(words)}
        values |= {"looked_at": LOOKED_AT // len(lead), "kept": KEPT if others else limit}
        return (len(lead), tuple(map(len, others))), values

    def _rarest(self, entity: str, near: Words) -> tuple[str, bool]:
        """The typed word whose words the fewest people bear, and whether they are few."""
        values = {f"words{place}": words for place, words in enumerate(near.values())}
        query = _counts(len(near))
        numbers = list(self._connection.execute(query, {**values, "entity": entity, "most": SOME + 1}).one())
        least = min(numbers)
        return list(near)[numbers.index(least)], least <= SOME


# -- statements, built once for a shape: to build one takes longer than to be answered ------------------

Shape = tuple[int, tuple[int, ...]] | None
"""How many words lead, and how many there are for each other typed word; None where those who bear the lead are few."""


@cache
def _counts(number: int) -> Select[Any]:
    """How many entries the words for each typed word have, up to `most`."""
    counts = []
    for place in range(number):
        here = ACCOUNT_WORDS.c.entity_id == bindparam("entity")
        words = ACCOUNT_WORDS.c.word.in_(bindparam(f"words{place}", expanding=True))
        some = select(literal(1)).where(here, words).limit(bindparam("most", type_=Integer)).subquery()
        counts.append(select(func.count()).select_from(some).scalar_subquery())
    return select(*counts)


@lru_cache(256)
def _query(shape: Shape, names: int, sqlite: bool) -> Executable:
    """Who bears the words, and whose last and first name begin with one of so many names."""
    columns = (WORDS.id.label("id"), WORDS.search, WORDS.sort_key)
    here = ACCOUNT_WORDS.c.entity_id == bindparam("entity")
    parts: list[Select[Any]] = []
    if shape is None:
        lead = ACCOUNT_WORDS.c.word.in_(bindparam("lead", expanding=True))
        parts.append(select(*columns).where(here, lead, _scope(WORDS)))
    else:
        parts += (_frequent(place, shape[1]) for place in range(shape[0]))
    if names:
        key, one = ACCOUNTS.c.sort_key, ACCOUNTS.c.entity_id == bindparam("entity")
        ranges = [
            and_(one, key >= bindparam(f"from{place}"), key < bindparam(f"below{place}"))
            for place in range(names)
        ]
        query = _COMPARED.where(or_(*ranges), _scope(HIDDEN if sqlite else ACCOUNTS.c))
        parts.append(select(query.limit(bindparam("some", type_=Integer)).subquery()))
    return union_all(*parts) if len(parts) > 1 else parts[0]


def _frequent(place: int, others: tuple[int, ...]) -> Select[Any]:
    """Some of those who bear a frequent word, by name; who bears a word for each other typed word too, if there are any."""
    mine = (
        ACCOUNT_WORDS.c.entity_id == bindparam("entity"),
        ACCOUNT_WORDS.c.word == bindparam(f"lead{place}"),
    )
    query = select(*(WORDS.__dict__[name] for name in ("id", *NAMES))).where(*mine)
    query = query.order_by(WORDS.sort_key, WORDS.id)
    kept = bindparam("kept", type_=Integer)
    if not others:
        some = query.where(_scope(WORDS)).limit(kept).subquery()
        return select(some.c.account_id.label("id"), some.c.search, some.c.sort_key)
    some = query.limit(bindparam("looked_at", type_=Integer)).subquery()
    both = [
        or_(*(some.c.search.like(bindparam(f"other{one}_{number}")) for number in range(words)))
        for one, words in enumerate(others)
    ]
    found = (
        select(some.c.account_id.label("id"), some.c.search, some.c.sort_key)
        .where(*both, _scope(some.c))
        .limit(kept)
    )
    return select(found.subquery())


def _scope(columns: Any) -> ColumnElement[bool]:
    return and_(bounded(columns), columns.quality_id == bindparam("quality"), columns.status.in_(LIVING))


def _beginnings(words: Sequence[str], near: Words) -> Iterator[str]:
    """The beginnings of last and first names that the words may mean, in the order typed or with the first name before."""
    meant = [near.get(word, [word])[:AT_ONCE] for word in words]
    return iter(dict.fromkeys(islice(_names(meant), COMBINATIONS)))


def _names(meant: Sequence[Sequence[str]]) -> Iterator[str]:
    """The beginnings of sort keys that the words make, the likeliest words first."""
    for words in product(*meant):
        for at in range(1, len(words)):
            first, second = "0".join(words[:at]), "0".join(words[at:])
            yield f"{first}00{second}"
            yield f"{second}00{first}"


def one_error(word: str) -> set[str]:
    """The word itself, and all that one typing error makes of it, or that it may have been made of."""
    letters = ascii_lowercase + (digits if any(sign in digits for sign in word) else "")
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {word}
    for before, after in halves:
        found.update(before + letter + after for letter in letters)
        if after:
            found.add(before + after[1:])
            found.update(before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            found.add(before + after[1] + after[0] + after[2:])
    return found - {""}


def ranked(words: Sequence[str], rows: Iterable[AnyRow], limit: int) -> list[str]:
    """The ids of the most alike; among equals those first that have a word with the same first letter, then by name."""
    heads = {f" {word[0]}" for word in words}
    scored = (
        (-score, not any(head in row.search for head in heads), row.sort_key, row.id)
        for row in rows
        if (score := likeness(words, row.search))
    )
    return [account for *_, account in sorted(scored)[:limit]]


def likeness(words: Sequence[str], search: str) -> float:
    """How alike, of 100; 0 where a word has nothing like it among the words of the account."""
    own = search.split()
    total = 0.0
    for word in words:
        best = max((fuzz.ratio(word, each, score_cutoff=NEAR_WORD) for each in own), default=0.0)
        if best < NEAR_WORD:
            return 0.0
        total += best
    mean = total / len(words)
    return mean if mean >= NEAR else 0.0

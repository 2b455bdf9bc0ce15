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
from itertools import islice, product
from string import ascii_lowercase, digits
from typing import Any

from rapidfuzz import fuzz
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)

from bot.access.names import tokens
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNT_WORDS, ACCOUNTS
from bot.access.userparts import NAMES, WORDS, Test, between, hidden, in_quality

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
AnyRow = Row[*tuple[Any, ...]]
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
        scope = self._in(entity, quality)
        small = self._small(entity, quality)
        if small is not None:
            rows = self._connection.execute(_COMPARED.where(small, scope(hidden(self._connection))))
            return ranked(words, rows, limit)
        return ranked(words, self._candidates(entity, scope, words, limit), limit)

    def _in(self, entity: str, quality: str) -> Test:
        return lambda columns: in_quality(self._reach, entity, quality, columns)

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

    def _candidates(self, entity: str, scope: Test, words: Sequence[str], limit: int) -> list[AnyRow]:
        asked = sorted({word for word in words if len(word) <= LONGEST}, key=lambda word: (-len(word), word))
        near = self._near(entity, asked[:ASKED])
        if not near:
            return []
        names = self._named(entity, scope, words, near) if 1 < len(words) <= MOST_WORDS else []
        parts = [*self._bearers(entity, scope, near, limit), *names]
        rows = self._connection.execute(union_all(*parts) if len(parts) > 1 else parts[0])
        return list({row.id: row for row in rows}.values())

    def _near(self, entity: str, typed: Sequence[str]) -> Words:
        """The words of the entity that may be meant by each, if any, the most alike first."""
        variants = set[str]().union(*map(one_error, typed))
        heads = [word[: (len(word) + 1) // 2] for word in typed if len(word) >= HEAD_OF]
        place = {"entity": entity, "heads": json.dumps(heads), "typed": json.dumps(sorted(variants))}
        query = WORDS_OF[self._connection.dialect.name]
        found = self._connection.execute(query, {**place, "most": SAME_HEAD}).scalars().all()
        scored = {
            word: sorted((-fuzz.ratio(word, each, score_cutoff=NEAR_WORD), each) for each in found)
            for word in typed
        }
        near = {word: [each for score, each in those if score][:BEST] for word, those in scored.items()}
        return {word: those for word, those in near.items() if those}

    def _bearers(self, entity: str, scope: Test, near: Words, limit: int) -> list[Select[Any]]:
        """Who bears one of the words for that typed word whose words are rarest. Where they are frequent, so many of each
        word are looked at, by name, and only who bears a word for the others too is compared.
        """
        columns = [WORDS.id.label("id"), WORDS.search, WORDS.sort_key]
        here = ACCOUNT_WORDS.c.entity_id == entity
        typed, few = self._rarest(entity, near)
        lead, others = near[typed], [words[:AT_ONCE] for word, words in near.items() if word != typed]
        if few:
            return [select(*columns).where(here, ACCOUNT_WORDS.c.word.in_(lead), scope(WORDS))]
        parts = []
        for word in lead:
            query = select(*columns).where(here, ACCOUNT_WORDS.c.word == word)
            query = query.order_by(WORDS.sort_key, WORDS.id)
            if not others:
                some = query.where(scope(WORDS)).limit(limit).subquery()
                parts.append(select(some))
                continue
            further = (WORDS.__dict__[name] for name in NAMES if name not in {"search", "sort_key"})
            some = query.add_columns(*further).limit(LOOKED_AT // len(lead)).subquery()
            both = [or_(*(some.c.search.contains(f" {one}") for one in words)) for words in others]
            both.append(scope(some.c))
            kept = select(some.c.id, some.c.search, some.c.sort_key).where(*both).limit(KEPT).subquery()
            parts.append(select(kept))
        return parts

    def _rarest(self, entity: str, near: Words) -> tuple[str, bool]:
        """The typed word whose words the fewest people bear, and whether they are few."""
        entries = [
            select(literal(1))
            .where(ACCOUNT_WORDS.c.entity_id == entity, ACCOUNT_WORDS.c.word.in_(words))
            .limit(SOME + 1)
            .subquery()
            for words in near.values()
        ]
        counts = [select(func.count()).select_from(each).scalar_subquery() for each in entries]
        numbers = list(self._connection.execute(select(*counts)).one())
        least = min(numbers)
        return list(near)[numbers.index(least)], least <= SOME

    def _named(self, entity: str, scope: Test, words: Sequence[str], near: Words) -> list[Select[Any]]:
        """Whose last and first name begin with the words, in the order typed or with the first name before."""
        meant = [near.get(word, [word])[:AT_ONCE] for word in words]
        keys = dict.fromkeys(islice(_names(meant), COMBINATIONS))
        here = ACCOUNTS.c.entity_id == entity
        ranges = [and_(here, between(ACCOUNTS.c.sort_key, key)) for key in keys]
        some = _COMPARED.where(or_(*ranges), scope(hidden(self._connection))).limit(SOME).subquery()
        return [select(some)]


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

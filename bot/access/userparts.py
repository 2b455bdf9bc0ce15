"""A filter of the users' list as conditions, each with the index that answers it: what `userlists` chooses from.

A condition is written for any table that has the columns of the accounts: the accounts themselves, the same hidden from
the indexes of SQLite, a stretch of them in a subquery, or the words, which carry copies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, exists, func, or_, select, union_all

from bot.access.holdings import ENDING, TABLES, is_live, key_of
from bot.access.names import tokens
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNT_WORDS, ACCOUNTS, ASSIGNMENTS, GRANTS, sort_key
from bot.access.views import UserFilter

NAMES = (
    "entity_id",
    "quality_id",
    "subdivision_id",
    "status",
    "type",
    "sort_key",
    "search",
    "username_fold",
)
"""What a list asks of an account, besides its id."""
HIDDEN = SimpleNamespace(
    id=ACCOUNTS.c.id, **{name: func.coalesce(ACCOUNTS.c[name], "") for name in (*NAMES, "profession")}
)
"""The accounts' columns so that SQLite, which keeps no figures about its data, takes none of their indexes."""


def hidden(connection: Connection) -> Any:
    """The accounts' columns for conditions that are not to lead: PostgreSQL knows by itself what is rare."""
    return HIDDEN if connection.dialect.name == "sqlite" else ACCOUNTS.c


WORDS = SimpleNamespace(id=ACCOUNT_WORDS.c.account_id, **{name: ACCOUNT_WORDS.c[name] for name in NAMES})
LOOKED_UP = 4
"""So many words of a text are looked up; the others are tested."""
LIVING = ("active", "blocked")
"""The states of accounts that a list shows unless it is asked for another."""
Test = Callable[[Any], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Part:
    """One condition: `test` for one account, `narrow` as an index answers it, if one does, in `source`: the words, a
    table of holdings, or the accounts for None. `wider`: what the index answers is still to be tested. `ordered`: it is
    a stretch of the names. `word`: the beginning of a word that the words are asked for. `further`: what an entry of `source` must
    meet besides, and no index tells.
    """

    test: Test
    narrow: ColumnElement[bool] | None = None
    source: Any = None
    wider: bool = False
    ordered: bool = False
    word: str = ""
    further: ColumnElement[bool] | None = None


def parts_of(
    entity: str, wanted: UserFilter, inside: frozenset[str], now: datetime, today: date
) -> Iterator[Part]:
    """The conditions, those that narrow most first; `inside`: the subdivision asked for and what hangs on it."""
    if wanted.account:
        yield Part(lambda c: c.id == wanted.account, ACCOUNTS.c.id == wanted.account)
    yield from text_parts(entity, wanted.text)
    if wanted.username and (typed := tokens(wanted.username)):
        name = wanted.username.lower().strip()
        yield _through(entity, typed[0], lambda c: c.username_fold.startswith(name, autoescape=True))
    if wanted.first and (typed := tokens(wanted.first)):
        first = "00" + sort_key(wanted.first)
        yield _through(entity, typed[0], lambda c: c.sort_key.contains(first, autoescape=True))
    if wanted.last:
        key = sort_key(wanted.last)
        range_ = and_(ACCOUNTS.c.entity_id == entity, between(ACCOUNTS.c.sort_key, key))
        yield Part(lambda c: c.sort_key.startswith(key, autoescape=True), range_, ordered=True)
    if wanted.ending:
        yield _ending(now, today)
    if wanted.function:
        yield holding_part(ASSIGNMENTS, wanted.function, now, today)
    if wanted.application:
        yield holding_part(GRANTS, wanted.application, now, today)
    if wanted.subdivision:
        yield Part(lambda c: c.subdivision_id.in_(inside), ACCOUNTS.c.subdivision_id.in_(inside))
    if wanted.type:
        kind = and_(ACCOUNTS.c.entity_id == entity, ACCOUNTS.c.type == wanted.type)
        yield Part(lambda c: c.type == wanted.type, kind)
    states = (wanted.status,) if wanted.status else LIVING
    narrowed = wanted.account or wanted.text or wanted.username or wanted.first or wanted.last
    state = and_(ACCOUNTS.c.entity_id == entity, ACCOUNTS.c.status.in_(states))
    yield Part(lambda c: c.status.in_(states), state if wanted.status or not narrowed else None)


def text_parts(entity: str, text: str) -> Iterator[Part]:
    """That words of the account begin as each word of the text, the longest first; the index is asked for some of them."""
    for place, word in enumerate(sorted(set(tokens(text)), key=lambda word: (-len(word), word))):
        part = word_part(entity, word)
        yield part if place < LOOKED_UP else replace(part, narrow=None)


def word_part(entity: str, word: str) -> Part:
    """That a word of the account begins so; `word` is folded."""
    narrow = and_(ACCOUNT_WORDS.c.entity_id == entity, between(ACCOUNT_WORDS.c.word, word))
    return Part(lambda c: c.search.contains(f" {word}", autoescape=True), narrow, ACCOUNT_WORDS, word=word)


def _through(entity: str, word: str, test: Test) -> Part:
    return Part(test, word_part(entity, word).narrow, ACCOUNT_WORDS, wider=True, word=word)


def quality_part(quality: str) -> Part:
    """The accounts of a quality that are not deleted."""

    def test(columns: Any) -> ColumnElement[bool]:
        return and_(columns.quality_id == quality, columns.status.in_(LIVING))

    return Part(test, ACCOUNTS.c.quality_id == quality, wider=True)


def in_quality(reach: Reach, entity: str, quality: str, columns: Any) -> ColumnElement[bool]:
    """That an account of the quality lies in scope for lists and is not deleted."""
    return and_(reach.within(entity, Act.LIST_USERS, columns), quality_part(quality).test(columns))


def profession_part(quality: str, professions: Collection[str]) -> Part:
    """The active accounts of a quality with one of these professions. The words do not know them: there one looks."""

    def test(columns: Any) -> ColumnElement[bool]:
        if hasattr(columns, "profession"):
            here: ColumnElement[bool] = columns.profession.in_(professions)
        else:
            own = ACCOUNTS.alias("own")
            here = exists(select(own.c.id).where(own.c.id == columns.id, own.c.profession.in_(professions)))
        return and_(here, columns.status == "active")

    narrow = and_(ACCOUNTS.c.quality_id == quality, ACCOUNTS.c.profession.in_(professions))
    return Part(test, narrow, wider=True)


def scope_part(test: Test, narrow: ColumnElement[bool] | None) -> Part:
    """That an account lies in the scope of who asks; `narrow`: the qualities and subdivisions that it is made of."""
    return Part(test, narrow, wider=True)


def holding_part(table: Table, key: str, now: datetime, today: date) -> Part:
    """The accounts that hold this application, or function, now or later."""
    narrow = and_(key_of(table) == key, is_live(table, now, today))
    return Part(lambda c: _has(table, c, narrow), narrow, table)


def exercising_part(functions: Sequence[str], condition: ColumnElement[bool]) -> Part:
    """The accounts that exercise one of these functions, where its assignment meets the condition."""
    narrow = ASSIGNMENTS.c.function.in_(functions)
    return Part(
        lambda c: _has(ASSIGNMENTS, c, and_(narrow, condition)), narrow, ASSIGNMENTS, further=condition
    )


def living_part(entity: str) -> Part:
    """The accounts of the entity that are not deleted."""
    narrow = and_(ACCOUNTS.c.entity_id == entity, ACCOUNTS.c.status.in_(LIVING))
    return Part(lambda c: c.status.in_(LIVING), narrow)


def _ending(now: datetime, today: date) -> Part:
    soon = [
        and_(is_live(table, now, today), table.c.ends_on <= today + ENDING, table.c.ends_on >= today)
        for table in TABLES
    ]
    both = union_all(
        *(select(table.c.account_id).where(each) for table, each in zip(TABLES, soon, strict=True))
    )
    found = both.subquery("soon")
    return Part(
        lambda c: or_(*(_has(table, c, each) for table, each in zip(TABLES, soon, strict=True))),
        found.c.account_id.is_not(None),
        found,
    )


def _has(table: Table, columns: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    own = select(table.c.id).where(table.c.account_id == columns.id, condition)
    return exists(own.correlate(columns.id.table))


def between(column: ColumnElement[str], beginning: str, *, longer: bool = False) -> ColumnElement[bool]:
    """That a folded text begins so, and is `longer`, as a range that an index answers under every collation."""
    above = end_of(beginning)
    below = column > beginning if longer else column >= beginning
    return and_(below, column < above) if above else below


def end_of(beginning: str) -> str:
    """The least text above all that begin so: digits come before letters. Empty where there is none."""
    head = beginning.rstrip("z")
    return head[:-1] + ("a" if head[-1] == "9" else chr(ord(head[-1]) + 1)) if head else ""

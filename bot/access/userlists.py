"""The users of an entity as a list: narrowed, sorted by name, paged by keyset; as fast for many users as for few.

Two statements, of which one is enough for most lists. The first takes what matches in whatever order the narrowest index
brings it, and stops one above `COUNTED`; where that is all there is, it sorts and counts those few and gives the page. Only
where more match than are counted, the second walks along the names from the page's neighbour on: what is that frequent is
met often on the way. SQLite keeps no figures about its data, so it is told which index is the narrow one: all other
conditions are written so that it cannot take theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.sql.visitors import replacement_traverse

from bot.access.holdings import ENDING, TABLES, key_of
from bot.access.names import display_name, tokens
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import (
    ACCOUNT_WORDS,
    ACCOUNTS,
    ASSIGNMENTS,
    GRANTS,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
    sort_key,
)
from bot.access.rows import below as hanging_on
from bot.access.views import COUNTED, PersonRef, SubdivisionRef, UserFilter, UserPage

AnyRow = Row[*tuple[Any, ...]]
PEOPLE = ACCOUNTS.join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id).join(
    SUBDIVISIONS, SUBDIVISIONS.c.id == ACCOUNTS.c.subdivision_id, isouter=True
)
PERSON = (
    ACCOUNTS.c.id,
    ACCOUNTS.c.entity_id,
    ACCOUNTS.c.quality_id,
    ACCOUNTS.c.subdivision_id,
    ACCOUNTS.c.username,
    ACCOUNTS.c.status,
    ACCOUNTS.c.profession,
    ACCOUNTS.c.version,
    PROFILES.c.last_name,
    PROFILES.c.first_name,
    SUBDIVISIONS.c.name.label("subdivision"),
)
_THESE = select(*PERSON).select_from(PEOPLE)
_KEY = select(ACCOUNTS.c.sort_key).where(ACCOUNTS.c.id == bindparam("account"))
_OPEN = (
    select(SUBDIVISIONS)
    .join(QUALITIES, QUALITIES.c.id == SUBDIVISIONS.c.quality_id)
    .where(QUALITIES.c.entity_id == bindparam("entity"))
    .order_by(SUBDIVISIONS.c.sort_key, SUBDIVISIONS.c.id)
)
LIVING = ("active", "blocked")
"""The states of accounts that a list shows unless it is asked for another."""


def person_ref(row: AnyRow, masked: str = "") -> PersonRef:
    """A row with the columns of `PERSON`."""
    return PersonRef(
        id=row.id,
        quality=row.quality_id,
        name=display_name(row.last_name, row.first_name),
        username=row.username or "",
        subdivision=row.subdivision or "",
        status=row.status,
        profession=row.profession or "",
        masked=masked,
        version=row.version,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One condition: `plain` as it is tested for one account, `narrow` as an index answers it, if one does, `source` the
    table with that index if it is another. `wider`: what the index answers is still to be tested.
    """

    plain: ColumnElement[bool]
    narrow: ColumnElement[bool] | None = None
    source: Any = None
    wider: bool = False


class UserLists:
    """The users in the reach of a session, at one moment."""

    def __init__(self, connection: Connection, reach: Reach, today: date, now: datetime) -> None:
        self._connection, self._reach, self._today, self._now = connection, reach, today, now
        self._sqlite = connection.dialect.name == "sqlite"

    def page(
        self, entity: str, wanted: UserFilter, *, after: str = "", before: str = "", size: int = 6
    ) -> UserPage:
        """The page that follows the account `after`, or precedes `before`; the first without either."""
        scope = self._reach.within(entity, Act.LIST_USERS)
        parts = list(self._parts(entity, wanted))
        found = self._narrowest(entity, scope, parts).limit(COUNTED + 1).subquery("found")
        if page := self._counted(found, after, before, size):
            return page
        plain = [scope, *(part.plain for part in parts)]
        return self._walked(entity, plain, after, before, size)

    def every(self, entity: str, wanted: UserFilter, *, limit: int) -> tuple[str, ...]:
        """The ids of all that match, by name, at most `limit`."""
        scope = self._reach.within(entity, Act.EXPORT_USERS)
        plain = [scope, *(part.plain for part in self._parts(entity, wanted))]
        query = select(ACCOUNTS.c.id).where(*plain).order_by(ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
        return tuple(self._connection.execute(query.limit(limit)).scalars())

    # -- those that can be counted ------------------------------------------------------------

    def _counted(self, found: Any, after: str, before: str, size: int) -> UserPage | None:
        """A page of a list that is counted to its end; None where more match than that."""
        order = (found.c.sort_key, found.c.id)
        numbered = select(
            found.c.id,
            func.row_number().over(order_by=order).label("number"),
            func.count().over().label("total"),
            found.c.sort_key,
        ).subquery("numbered")
        place = (numbered.c.sort_key, numbered.c.id)
        query = select(numbered.c.id, numbered.c.number, numbered.c.total)
        rows = self._beside(query, place, after, before, size)
        if not rows and (after or before):  # whoever stood there is gone
            rows = self._beside(query, place, "", "", size)
        if not rows:
            return UserPage()
        total, first = rows[0].total, rows[0].number - 1
        if total > COUNTED:
            return None
        more = (first > 0, first + len(rows) < total)
        return UserPage(self._people([row.id for row in rows]), total, first, more)

    def _beside(
        self, query: Select[Any], order: tuple[Any, Any], after: str, before: str, size: int
    ) -> list[AnyRow]:
        """The rows after, or before, an account, in order; its key counts, whether it still matches or not."""
        down = [column.desc() for column in order]
        key = (
            self._connection.execute(_KEY, {"account": after or before}).scalar() if after or before else None
        )
        if key is None:
            return list(self._connection.execute(query.order_by(*order).limit(size)))
        here = tuple_(literal(key), literal(after or before))
        if after:
            return list(
                self._connection.execute(query.where(tuple_(*order) > here).order_by(*order).limit(size))
            )
        rows = self._connection.execute(query.where(tuple_(*order) < here).order_by(*down).limit(size))
        return list(reversed(rows.all()))

    # -- those that are too many to count -----------------------------------------------------

    def _walked(
        self, entity: str, plain: list[ColumnElement[bool]], after: str, before: str, size: int
    ) -> UserPage:
        query = select(ACCOUNTS.c.id).where(
            ACCOUNTS.c.entity_id == entity, *(self._tested(each) for each in plain)
        )
        order = (ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
        rows = self._beside(query, order, after, before, size + 1)
        if not rows:
            rows, after, before = self._beside(query, order, "", "", size + 1), "", ""
        ids = [row.id for row in rows]
        further = len(ids) > size
        kept = ids[-size:] if before and not after else ids[:size]
        more = (further, True) if before and not after else (bool(after), further)
        return UserPage(self._people(kept), COUNTED + 1, None, more)

    def _people(self, ids: list[str]) -> tuple[PersonRef, ...]:
        rows = self._connection.execute(_THESE.where(ACCOUNTS.c.id.in_(ids))) if ids else ()
        refs = {row.id: person_ref(row) for row in rows}
        return tuple(refs[each] for each in ids if each in refs)

    # -- conditions ---------------------------------------------------------------------------

    def _narrowest(self, entity: str, scope: ColumnElement[bool], parts: list[_Part]) -> Select[Any]:
        """What matches, through the index of the first condition that has one."""
        driver = next((part for part in parts if part.narrow is not None), None)
        base = select(ACCOUNTS.c.id, ACCOUNTS.c.sort_key)
        if driver is None or (driver.source in TABLES and self._is_small(entity)):
            return base.where(scope, *(part.plain for part in parts))
        rest = [self._tested(part.plain) for part in parts if part is not driver or part.wider]
        assert driver.narrow is not None
        if driver.source is None:
            return base.where(driver.narrow, self._tested(scope), *rest)
        joined = base.select_from(driver.source.join(ACCOUNTS, ACCOUNTS.c.id == driver.source.c.account_id))
        return joined.where(driver.narrow, self._tested(scope), *rest).distinct()

    def _is_small(self, entity: str) -> bool:
        """Whether looking at each of its users costs less than at everybody's accesses."""
        some = select(ACCOUNTS.c.id).where(ACCOUNTS.c.entity_id == entity).limit(COUNTED + 1).subquery()
        return self._connection.execute(select(func.count()).select_from(some)).scalar_one() <= COUNTED

    def _tested(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """The same condition, for SQLite without the use of an index of the accounts."""
        if not self._sqlite:
            return condition

        def hidden(element: Any, **_: Any) -> Any:
            if getattr(element, "table", None) is ACCOUNTS and element.name != "id":
                return func.coalesce(element, "")
            return None

        return replacement_traverse(condition, {}, hidden)

    def _parts(self, entity: str, wanted: UserFilter) -> Iterator[_Part]:
        """The conditions, those that narrow most first."""
        if wanted.account:
            yield _Part(ACCOUNTS.c.id == wanted.account, ACCOUNTS.c.id == wanted.account)
        words = sorted(set(tokens(wanted.text)), key=len, reverse=True)
        yield from (self._word(entity, word) for word in words)
        if wanted.username and (typed := tokens(wanted.username)):
            begins = ACCOUNTS.c.username_fold.startswith(wanted.username.lower().strip(), autoescape=True)
            yield replace(self._word(entity, typed[0]), plain=begins, wider=True)
        if wanted.first and (typed := tokens(wanted.first)):
            begins = ACCOUNTS.c.sort_key.contains("00" + sort_key(wanted.first), autoescape=True)
            yield replace(self._word(entity, typed[0]), plain=begins, wider=True)
        if wanted.last:
            key = sort_key(wanted.last)
            yield _Part(
                ACCOUNTS.c.sort_key.startswith(key, autoescape=True),
                and_(ACCOUNTS.c.entity_id == entity, between(ACCOUNTS.c.sort_key, key)),
            )
        if wanted.ending:
            yield self._ending()
        if wanted.function:
            yield self._holding(ASSIGNMENTS, wanted.function)
        if wanted.application:
            yield self._holding(GRANTS, wanted.application)
        if wanted.subdivision:
            inside = ACCOUNTS.c.subdivision_id.in_(self._inside(entity, wanted.subdivision))
            yield _Part(inside, inside)
        if wanted.type:
            kind = ACCOUNTS.c.type == wanted.type
            yield _Part(kind, and_(ACCOUNTS.c.entity_id == entity, kind))
        states = (wanted.status,) if wanted.status else LIVING
        state = ACCOUNTS.c.status.in_(states)
        yield _Part(state, and_(ACCOUNTS.c.entity_id == entity, state))

    @staticmethod
    def _word(entity: str, word: str) -> _Part:
        narrow = and_(ACCOUNT_WORDS.c.entity_id == entity, between(ACCOUNT_WORDS.c.word, word))
        return _Part(ACCOUNTS.c.search.contains(f" {word}", autoescape=True), narrow, ACCOUNT_WORDS)

    def _holding(self, table: Any, key: str) -> _Part:
        narrow = and_(key_of(table) == key, self._lives(table))
        return _Part(_has(table, narrow), narrow, table)

    def _ending(self) -> _Part:
        soon = [
            and_(self._lives(table), table.c.ends_on <= self._today + ENDING, table.c.ends_on >= self._today)
            for table in TABLES
        ]
        plain = or_(*(_has(table, each) for table, each in zip(TABLES, soon, strict=True)))
        both = (
            select(GRANTS.c.account_id)
            .where(soon[0])
            .union(select(ASSIGNMENTS.c.account_id).where(soon[1]))
            .subquery("soon")
        )
        return _Part(plain, both.c.account_id.is_not(None), both)

    def _lives(self, table: Any) -> ColumnElement[bool]:
        return and_(
            or_(table.c.revoked_at.is_(None), table.c.revoked_at > self._now),
            or_(table.c.ends_on.is_(None), table.c.ends_on >= self._today),
        )

    def _inside(self, entity: str, top: str) -> frozenset[str]:
        rows = self._connection.execute(_OPEN, {"entity": entity})
        return hanging_on({row.id: row.parent_id for row in rows}, [top])

    # -- subdivisions -------------------------------------------------------------------------

    def subdivisions(self, entity: str, act: Act) -> tuple[SubdivisionRef, ...]:
        """Those that are open and in scope for `act`, each below the one it hangs on."""
        rows = {row.id: row for row in self._connection.execute(_OPEN, {"entity": entity})}
        held = self._reach.held(entity, act)
        whole = {mandate.quality for mandate in held if mandate.subdivision is None}
        tops = {mandate.subdivision for mandate in held if mandate.subdivision}
        branches = hanging_on({row.id: row.parent_id for row in rows.values()}, tops) if tops else frozenset()
        found = []
        for row in rows.values():
            if row.closed_at is None and (None in whole or row.quality_id in whole or row.id in branches):
                names = [rows[each].name for each in _branch(rows, row.id)]
                found.append(
                    SubdivisionRef(row.id, row.quality_id, row.name, " › ".join(names), row.parent_id or "")
                )
        return tuple(sorted(found, key=lambda each: [sort_key(name) for name in each.path.split(" › ")]))


def _branch(rows: dict[str, AnyRow], subdivision: str) -> list[str]:
    path = [subdivision]
    while (parent := rows[path[0]].parent_id) and parent not in path:
        path.insert(0, parent)
    return path


def _has(table: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    own = select(table.c.id).where(table.c.account_id == ACCOUNTS.c.id, condition)
    return exists(own.correlate(ACCOUNTS))


def between(column: ColumnElement[str], beginning: str) -> ColumnElement[bool]:
    """That a folded text begins so, as a range that an index answers under every collation: digits, then letters."""
    head = beginning.rstrip("z")
    above = head[:-1] + ("a" if head[-1] == "9" else chr(ord(head[-1]) + 1)) if head else ""
    return and_(column >= beginning, column < above) if above else column >= beginning

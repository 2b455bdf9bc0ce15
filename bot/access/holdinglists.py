"""Who holds what in an entity, as counts and as lists by name; as fast for many users as for few.

There are two ways to the holdings of an entity: from its accounts, or from the holdings themselves by an index (what is to
come, what ends, one application). Of an entity with few accounts, each is looked at. Else both ways are gone in turns, each
time four times as far, until one is at its end or has found one more than `COUNTED`. A page of what is so frequent comes
from a walk along the names: it is met soon. What is frequent in other entities and rare in a large one takes long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    ScalarSelect,
    Select,
    Subquery,
    Table,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    union,
    union_all,
)

from bot.access.holdings import (
    ENDING,
    MOVED,
    TABLES,
    WITHHELD,
    among,
    columns,
    is_in,
    is_live,
    key_of,
    kind_of,
    withheld,
)
from bot.access.reach import Reach, bounded
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, PROFILES, SUBDIVISIONS, AnyRow
from bot.access.userlists import PEOPLE, PERSON, last_page, person_ref
from bot.access.userparts import LIVING
from bot.access.views import COUNTED, Counts, EntityRef, FunctionCounts, Holding, Line, Listing

MANY = COUNTED + 1
FIRST = MANY * 5 // 4
"""How far either way is gone at first."""
_COUNTS = ("active", "pending", "ending")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for: the state, the application or function if one is meant, and in which tables."""

    entity: str
    what: str
    key: str = ""
    tables: tuple[Table, ...] = TABLES


class HoldingLists:
    """What `RegisterDirectory` answers about holdings, within the session's scope."""

    _connection: Connection
    _reach: Reach
    _now: datetime
    _today: date

    if TYPE_CHECKING:

        def entity(self, entity: str) -> EntityRef | None: ...
        def to_do(self, entity: str) -> int: ...
        def own_total(self, entity: str) -> int: ...
        def holdings(
            self, rows: Sequence[AnyRow], entity: EntityRef, now: datetime
        ) -> tuple[Holding, ...]: ...

    def counts(self, entity: str) -> Counts:
        """The overview of one entity, as far as it is in scope; each number exact up to COUNTED, else COUNTED + 1."""
        if not self._reach.held(entity, Act.VIEW_STATUS):
            return Counts()
        ways = {
            what: self._looked_at(_Asked(entity, what), FIRST, from_accounts=what == "active")
            for what in _COUNTS
        }
        numbers = iter(self._connection.execute(select(*chain.from_iterable(ways.values()))).one())
        counted = {what: [next(numbers) for _ in way] for what, way in ways.items()}
        people = counted["active"][1]  # the accounts that were looked at
        totals = {
            what: found if found > COUNTED or max(looked_at) < FIRST else self._raced(_Asked(entity, what))[0]
            for what, (found, *looked_at) in counted.items()
        }
        return Counts(
            people=min(people, MANY), to_do=self.to_do(entity), own=self.own_total(entity), **totals
        )

    def listed(
        self, entity: str, what: str, *, key: str = "", kind: str = "", page: int = 0, size: int = 6
    ) -> Listing[Line[Holding]]:
        """People with a holding that is `what`: active, pending, to_do, ending or live; of this key and kind if given."""
        if not self._reach.held(entity, Act.VIEW_STATUS):
            return Listing((), 0, 0, size)
        asked = _Asked(entity, what, key, tuple(table for table in TABLES if kind in {"", kind_of(table)}))
        total, from_accounts = self._raced(asked)
        if total > COUNTED:
            page = last_page(page, total, size)
            rows = self._walked(asked, page, size)
        else:
            rows, total, page = self._page(self._rows(asked, from_accounts=from_accounts), page, size)
        ref = self.entity(entity)
        held = self.holdings(rows, ref, self._now) if ref else ()
        lines = tuple(Line(person_ref(row), each) for row, each in zip(rows, held, strict=True))
        return Listing(lines, total, page, size)

    def function_counts(self, entity: str) -> FunctionCounts:
        """How many people of the entity, in scope, exercise functions, now or as recorded for later; exact up to COUNTED."""
        if not self._reach.held(entity, Act.VIEW_STATUS):
            return FunctionCounts()
        if self._people(entity) <= COUNTED:
            return self._functions_of_few(entity)
        keys = sorted(filter(None, self._connection.execute(_EXERCISED).scalars()))
        if not keys:
            return FunctionCounts()
        values = self._reach.bounds(entity, Act.VIEW_STATUS)
        values |= {"now": self._now, "today": self._today, "most": MANY}
        values |= {f"function{place}": key for place, key in enumerate(keys)}
        each, once = _function_counts(len(keys))
        numbers = self._connection.execute(each, values).one()
        people = max(numbers)
        if people <= COUNTED:
            people = min(self._connection.execute(once, values).scalar_one(), MANY)
        return FunctionCounts(
            people, tuple((key, number) for key, number in zip(keys, numbers, strict=True) if number)
        )

    # -- the overview -------------------------------------------------------------------------

    def _people(self, entity: str) -> int:
        """The accounts of the entity in scope that are not deleted, up to one above COUNTED."""
        some = select(ACCOUNTS.c.id).where(*self._here(entity)).limit(MANY)
        return self._connection.execute(select(_number(some.subquery()))).scalar_one()

    def _functions_of_few(self, entity: str) -> FunctionCounts:
        way = self._way(_Asked(entity, "live"), ASSIGNMENTS, from_accounts=True)
        number = func.count(ASSIGNMENTS.c.account_id.distinct())
        each = way.with_only_columns(ASSIGNMENTS.c.function, number).group_by(ASSIGNMENTS.c.function)
        rows = self._connection.execute(each.order_by(ASSIGNMENTS.c.function)).all()
        people = self._connection.execute(way.with_only_columns(number)).scalar_one()
        return FunctionCounts(people, tuple((row[0], row[1]) for row in rows))

    @property
    def _sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    # -- the two ways -------------------------------------------------------------------------

    def _opaque(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        """The condition so that SQLite, which keeps no figures about its data, takes no index for it."""
        return case((condition, 1)) == 1 if self._sqlite else condition

    def _living(self, entity: str) -> ColumnElement[bool]:
        """The accounts of the entity in scope that are not deleted."""
        return self._opaque(and_(self._reach.within(entity, Act.VIEW_STATUS), ACCOUNTS.c.status != "deleted"))

    def _here(self, entity: str) -> tuple[ColumnElement[bool], ...]:
        """The same as an index answers it, with what it leaves open."""
        scope = self._reach.narrow(entity, Act.VIEW_STATUS)
        if scope is None:
            return (ACCOUNTS.c.entity_id == entity, ACCOUNTS.c.status.in_(LIVING))
        return (scope, self._living(entity))

    def _lead(self, asked: _Asked, table: Table) -> ColumnElement[bool]:
        """The holdings that come into question, as an index answers it; all of them where none does."""
        match asked.what:
            case "pending":
                return table.c.active_at > self._now
            case "ending":
                return table.c.ends_on.between(self._today, self._today + ENDING)
            case "to_do":
                ids = union(select(table.c.id).where(table.c.active_at.is_(None)), MOVED)
                return among(table.c.id, ids, sqlite=self._sqlite)
            case _:
                return key_of(table) == asked.key if asked.key else true()

    def _wanted(self, asked: _Asked, table: Table) -> list[ColumnElement[bool]]:
        """The conditions for a holding itself; none without a state and a key."""
        wanted = [is_in(table, asked.what, self._now, self._today)] if asked.what else []
        if asked.key:
            wanted.append(key_of(table) == asked.key)
        return [self._opaque(each) for each in wanted]

    def _open(self, asked: _Asked, holder: Any = ACCOUNTS.c) -> list[ColumnElement[bool]]:
        """The conditions for who holds it."""
        return [self._opaque(~withheld(holder, sqlite=self._sqlite))] if asked.what in WITHHELD else []

    def _way(self, asked: _Asked, table: Table, *, from_accounts: bool) -> Select[Any]:
        """The holdings of one table that are meant; without a state, all of them."""
        own: ColumnElement[str] = table.c.account_id
        if from_accounts:
            source: FromClause = ACCOUNTS.join(table, own == ACCOUNTS.c.id)
            leads = self._here(asked.entity)
        else:
            if self._sqlite:  # or it might begin with the accounts after all
                own = func.coalesce(own, "")
            source = table.join(ACCOUNTS, ACCOUNTS.c.id == own)
            leads = (self._lead(asked, table), self._living(asked.entity))
        return (
            select(literal(1))
            .select_from(source)
            .where(*leads, *self._wanted(asked, table), *self._open(asked))
        )

    # -- how many -----------------------------------------------------------------------------

    def _raced(self, asked: _Asked) -> tuple[int, bool]:
        """How many, and which way was at its end, or had found enough, first: both are gone in turns, ever further."""
        indexed = bool(asked.key) or asked.what not in {"active", "live"} or len(asked.tables) == 1
        most = FIRST
        while True:
            for from_accounts in (not indexed, indexed):
                way = self._looked_at(asked, most, from_accounts=from_accounts)
                found, *looked_at = self._connection.execute(select(*way)).one()
                if found > COUNTED or max(looked_at) < most:
                    return found, from_accounts
            most *= 4

    def _looked_at(self, asked: _Asked, most: int, *, from_accounts: bool) -> list[ScalarSelect[int]]:
        """How many are found among so many of one way, and how many these are."""
        return self._of_accounts(asked, most) if from_accounts else self._of_holdings(asked, most)

    def _of_accounts(self, asked: _Asked, most: int) -> list[ScalarSelect[int]]:
        """How many holdings the first accounts have, and how many these are."""
        here = select(ACCOUNTS.c.id, ACCOUNTS.c.status).where(*self._here(asked.entity))
        some = [here.limit(most).subquery() for _ in (*asked.tables, "all")]
        held = [
            select(literal(1))
            .select_from(each.join(table, table.c.account_id == each.c.id))
            .where(*self._wanted(asked, table), *self._open(asked, each.c))
            for each, table in zip(some, asked.tables, strict=False)
        ]
        return [_number(_first(held)), _number(some[-1])]

    def _of_holdings(self, asked: _Asked, most: int) -> list[ScalarSelect[int]]:
        """How many of the first holdings are in scope, and how many these are, for each table."""
        some = [
            select(table.c.account_id)
            .where(self._lead(asked, table), *self._wanted(asked, table))
            .limit(most)
            .subquery()
            for table in asked.tables
        ]
        held = [
            select(literal(1))
            .select_from(each.join(ACCOUNTS, ACCOUNTS.c.id == each.c.account_id))
            .where(self._living(asked.entity), *self._open(asked))
            for each in some
        ]
        return [_number(_first(held)), *map(_number, some)]

    # -- pages --------------------------------------------------------------------------------

    def _rows(self, asked: _Asked, *, from_accounts: bool) -> Subquery:
        """The holdings with their people."""
        return union_all(
            *(
                self._way(asked, table, from_accounts=from_accounts)
                .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
                .join(SUBDIVISIONS, SUBDIVISIONS.c.id == ACCOUNTS.c.subdivision_id, isouter=True)
                .with_only_columns(*PERSON, ACCOUNTS.c.sort_key, *columns(table))
                for table in asked.tables
            )
        ).subquery("found")

    def _page(self, found: Subquery, page: int, size: int) -> tuple[list[AnyRow], int, int]:
        """One page of them, how many there are, and which page it is: the last where there are fewer."""
        query = select(found, func.count().over().label("total")).order_by(*_order(found)).limit(size)
        page = last_page(page, MANY, size)
        rows = self._connection.execute(query.offset(page * size)).all()
        if not rows and page:
            first = self._connection.execute(query).all()
            page = last_page(page, first[0].total if first else 0, size)
            rows = self._connection.execute(query.offset(page * size)).all()
        return list(rows), min(rows[0].total, MANY) if rows else 0, page

    def _walked(self, asked: _Asked, page: int, size: int) -> list[AnyRow]:
        """A page of what is frequent: along the names, until so many people are met."""
        held = []
        for table in asked.tables:
            own = select(literal(1)).where(table.c.account_id == ACCOUNTS.c.id, *self._wanted(asked, table))
            # one by one: with EXISTS, PostgreSQL may gather the holders of all entities first
            held.append(own.limit(1).correlate(ACCOUNTS).scalar_subquery().is_not(None))
        ids = (
            select(ACCOUNTS.c.id.label("id"))
            .where(
                ACCOUNTS.c.entity_id == asked.entity,
                self._living(asked.entity),
                *self._open(asked),
                or_(*held),
            )
            .order_by(ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
            .limit((page + 1) * size)
            .cte("people")
        )
        parts = [
            select(*PERSON, ACCOUNTS.c.sort_key, *columns(table))
            .select_from(PEOPLE.join(table, table.c.account_id == ACCOUNTS.c.id))
            .where(ACCOUNTS.c.id.in_(select(ids.c.id)), *self._wanted(asked, table))
            for table in asked.tables
        ]
        found = union_all(*parts).subquery("found")
        query = select(found).order_by(*_order(found)).limit(size).offset(page * size)
        return list(self._connection.execute(query))


def _first(parts: Sequence[Select[Any]]) -> Subquery:
    """As many of all of them together as are counted."""
    return (union_all(*parts) if len(parts) > 1 else parts[0]).limit(MANY).subquery()


def _number(some: FromClause) -> ScalarSelect[int]:
    return select(func.count()).select_from(some).scalar_subquery()


def _order(found: Subquery) -> tuple[ColumnElement[Any], ...]:
    return (found.c.sort_key, found.c.id, found.c.kind, found.c.key, found.c.starts_on, found.c.row)


def _functions() -> Subquery:
    """The functions that anybody exercises or exercised, each found from the one before."""
    first = select(func.min(ASSIGNMENTS.c.function).label("function")).cte("functions", recursive=True)
    further = ASSIGNMENTS.alias("further")
    after = select(func.min(further.c.function)).where(further.c.function > first.c.function)
    step = select(after.scalar_subquery()).where(first.c.function.is_not(None))
    return select(first.union_all(step)).subquery()


_EXERCISED = select(_functions().c.function)


@cache
def _function_counts(number: int) -> tuple[Select[Any], Select[Any]]:
    """How many people exercise each of so many functions, and how many any of them, up to `most` for each: statements that are
    built once, with the scope as parameters.
    """
    living = and_(bounded(ACCOUNTS.c), ACCOUNTS.c.status != "deleted")
    live = is_live(ASSIGNMENTS, bindparam("now"), bindparam("today"))
    found = []
    for place in range(number):
        here = select(literal(1)).where(ACCOUNTS.c.id == ASSIGNMENTS.c.account_id, living)
        some = select(ASSIGNMENTS.c.account_id).where(
            ASSIGNMENTS.c.function == bindparam(f"function{place}"),
            live,
            # one by one: joined, PostgreSQL may go through all accounts in the order of their ids
            here.limit(1).correlate(ASSIGNMENTS).scalar_subquery().is_not(None),
        )
        found.append(some.distinct().limit(bindparam("most", type_=Integer)).subquery())
    once = union(*(select(each) for each in found)).subquery("once")
    numbers: list[ColumnElement[Any]] = [_number(each) for each in found]
    return select(*numbers), select(_number(once))

"""The users of an entity as a list: narrowed, sorted by name, paged by keyset; as fast for many users as for few.

First each condition that has an index is counted in it, up to one above `COUNTED`, and the rarest leads. Where it has no
more than are counted, those few are tested, sorted and counted, and that is all. Where every condition is frequent, the
total comes from as many entries of one index as it takes to see that there are more, and the page from a walk along the
names from its neighbour on: what is frequent is met soon. Only a word can be frequent and yet all in one place ("van", among
the names): its entries stand in the order of the names themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from bot.access.names import display_name
from bot.access.reach import Reach
from bot.access.rights import Act
from bot.access.rows import ACCOUNT_WORDS, ACCOUNTS, PROFILES, QUALITIES, SUBDIVISIONS, AnyRow, sort_key
from bot.access.rows import below as hanging_on
from bot.access.userparts import WORDS, Part, Test, between, hidden, in_quality, parts_of, scope_part
from bot.access.views import COUNTED, Listing, PersonRef, SubdivisionRef, UserFilter, UserPage

Keys = tuple[ColumnElement[Any], ColumnElement[Any]]
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
_THESE = select(*PERSON).select_from(PEOPLE).where(ACCOUNTS.c.id.in_(bindparam("ids", expanding=True)))
_KEY = select(ACCOUNTS.c.sort_key).where(ACCOUNTS.c.id == bindparam("account"))
_OPEN = (
    select(SUBDIVISIONS)
    .join(QUALITIES, QUALITIES.c.id == SUBDIVISIONS.c.quality_id)
    .where(QUALITIES.c.entity_id == bindparam("entity"))
    .order_by(SUBDIVISIONS.c.sort_key, SUBDIVISIONS.c.id)
)
SHORT, STRIDE = 2, 500
"""For the beginning of a word as short as this, so many names are walked before all its entries are taken."""


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
class _Asked:
    """A list as it is asked for: its conditions, the scope of who asks among them; `along` are the accounts that are
    walked by name where nothing is rare.
    """

    entity: str
    parts: tuple[Part, ...]
    along: ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class _Place:
    """The neighbour of a page in the order of names; `back`: the page precedes it."""

    key: str
    account: str
    back: bool


class UserLists:
    """The users in the reach of a session, at one moment."""

    def __init__(self, connection: Connection, reach: Reach, today: date, now: datetime) -> None:
        self._connection, self._reach, self._today, self._now = connection, reach, today, now
        self._hidden = hidden(connection)

    def page(
        self, entity: str, wanted: UserFilter, *, after: str = "", before: str = "", size: int = 6
    ) -> UserPage:
        """The page that follows the account `after`, or precedes `before`; the first without either."""
        asked = self._asked(entity, self._parts(entity, wanted))
        place = self._place(after, before)
        leader, few = self._rarest(asked.parts)
        if not few:
            total = self._total(asked, leader)
            if total > COUNTED:
                return self._walked(asked, leader, place, size)
            if not total:
                return UserPage()
        return self._counted(asked, leader, place, size)

    def numbered(
        self,
        entity: str,
        parts: Iterable[Part],
        along: ColumnElement[bool],
        page: int,
        size: int,
        act: Act = Act.LIST_USERS,
    ) -> Listing[PersonRef]:
        """A page by its number, the last one where there are fewer; none after those that are counted."""
        asked = self._asked(entity, parts, along, act)
        leader, few = self._rarest(asked.parts)
        if not few:
            total = self._total(asked, leader)
            if total > COUNTED:
                page = last_page(page, total, size)
                ids = self._next(asked, leader, None, (page + 1) * size)
                return Listing(self.people(ids[page * size :]), total, page, size)
            if not total:
                return Listing((), 0, 0, size)
        query, keys = self._numbers(asked, leader)
        query = query.order_by(*keys).limit(size)
        page = max(0, page)
        rows = self._connection.execute(query.offset(page * size)).all()
        if not rows and page:
            first = self._connection.execute(query).all()
            page = last_page(page, first[0].total if first else 0, size)
            rows = self._connection.execute(query.offset(page * size)).all() if page else first
        people = self.people([row.id for row in rows])
        return Listing(people, rows[0].total if rows else 0, page, size)

    def in_quality(self, entity: str, quality: str) -> ColumnElement[bool]:
        """The condition for the quality's accounts in scope that are not deleted; it leads nowhere by an index."""
        return in_quality(self._reach, entity, quality, self._hidden)

    def every(self, entity: str, wanted: UserFilter, *, limit: int) -> tuple[str, ...]:
        """The ids of all that match, by name, at most `limit`."""
        plain = [part.test(ACCOUNTS.c) for part in self._parts(entity, wanted)]
        scope = self._reach.within(entity, Act.EXPORT_USERS)
        query = select(ACCOUNTS.c.id).where(scope, *plain).order_by(ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
        return tuple(self._connection.execute(query.limit(limit)).scalars())

    def _parts(self, entity: str, wanted: UserFilter) -> Iterator[Part]:
        inside = self._inside(entity, wanted.subdivision) if wanted.subdivision else frozenset()
        return parts_of(entity, wanted, inside, self._now, self._today)

    def _asked(
        self,
        entity: str,
        parts: Iterable[Part],
        along: ColumnElement[bool] | None = None,
        act: Act = Act.LIST_USERS,
    ) -> _Asked:
        scope = scope_part(self._scope(entity, act), self._reach.narrow(entity, act))
        return _Asked(entity, (*parts, scope), ACCOUNTS.c.entity_id == entity if along is None else along)

    def _scope(self, entity: str, act: Act) -> Test:
        return lambda columns: self._reach.within(entity, act, columns)

    # -- which index leads --------------------------------------------------------------------

    def _rarest(self, parts: tuple[Part, ...]) -> tuple[Part, bool]:
        """The condition whose index has the fewest entries, the first of equals; and whether they are known to be few."""
        leaders = [part for part in parts if part.narrow is not None]
        if len(leaders) == 1:
            return leaders[0], False
        some = [
            select(literal(1))
            .select_from(ACCOUNTS if part.source is None else part.source)
            .where(cast("ColumnElement[bool]", part.narrow))
            .limit(COUNTED + 1)
            .subquery()
            for part in leaders
        ]
        counts = [select(func.count()).select_from(each).scalar_subquery() for each in some]
        numbers = self._connection.execute(select(*counts)).one()
        least = min(numbers)
        return leaders[list(numbers).index(least)], least <= COUNTED

    def _found(self, asked: _Asked, leader: Part) -> Select[Any]:
        """What matches, as the leader's index brings it: an account as often as it stands there."""
        assert leader.narrow is not None
        return self._tested(asked, leader).where(leader.narrow)

    def _tested(self, asked: _Asked, leader: Part) -> Select[Any]:
        """The same, of all the entries of the leader's source."""
        tests = [part.test for part in asked.parts if part is not leader or part.wider]
        further = [] if leader.further is None else [leader.further]
        if leader.source is ACCOUNT_WORDS:
            base = select(WORDS.id.label("id"), WORDS.sort_key)
            return base.where(*further, *(test(WORDS) for test in tests))
        base = select(ACCOUNTS.c.id, ACCOUNTS.c.sort_key)
        if leader.source is not None:
            base = base.select_from(leader.source.join(ACCOUNTS, ACCOUNTS.c.id == leader.source.c.account_id))
        return base.where(*further, *(test(self._hidden) for test in tests))

    def _total(self, asked: _Asked, leader: Part) -> int:
        """How many match: COUNTED + 1 for more, 0 for none; of those between at least as many."""
        limit = COUNTED + 1
        found = self._found(asked, leader)
        if len(leader.word) > SHORT:  # no account stands twice under one and the same word
            some = found.add_columns(ACCOUNT_WORDS.c.word).limit(limit).subquery()
            counts = select(func.count(), func.min(some.c.word), func.max(some.c.word))
            entries, first, last = self._connection.execute(counts).one()
            if entries < limit or first == last:
                return int(entries)
        while True:
            some = found.limit(limit).subquery()
            apart = some.c.id if leader.source is None else some.c.id.distinct()
            entries, total = self._connection.execute(select(func.count(), func.count(apart))).one()
            if total > COUNTED or entries < limit:
                return min(total, COUNTED + 1)
            limit *= 4

    # -- those that can be counted ------------------------------------------------------------

    def _counted(self, asked: _Asked, leader: Part, place: _Place | None, size: int) -> UserPage:
        """A page of a list that is counted to its end."""
        query, keys = self._numbers(asked, leader)
        rows = self._beside(query, keys, place, size)
        if not rows and place:  # whoever stood there is gone
            rows = self._beside(query, keys, None, size)
        if not rows:
            return UserPage()
        total, first = rows[0].total, rows[0].number - 1
        more = (first > 0, first + len(rows) < total)
        return UserPage(self.people([row.id for row in rows]), total, first, more)

    def _numbers(self, asked: _Asked, leader: Part) -> tuple[Select[Any], Keys]:
        """All that match with their numbers, from 1, and how many there are; and by what they are sorted."""
        found = self._found(asked, leader)
        once = (found if leader.source is None else found.distinct()).subquery("once")
        order = (once.c.sort_key, once.c.id)
        numbered = select(
            once.c.id,
            func.row_number().over(order_by=order).label("number"),
            func.count().over().label("total"),
            once.c.sort_key,
        ).subquery("numbered")
        return select(numbered.c.id, numbered.c.number, numbered.c.total), (
            numbered.c.sort_key,
            numbered.c.id,
        )

    def _place(self, after: str, before: str) -> _Place | None:
        """Where a page begins: its neighbour counts, whether it still matches or not; None for the first page."""
        if not (after or before):
            return None
        key = self._connection.execute(_KEY, {"account": after or before}).scalar()
        return None if key is None else _Place(key, after or before, back=not after)

    def _beside(self, query: Select[Any], keys: Keys, place: _Place | None, size: int) -> list[AnyRow]:
        """The rows after, or before, a place, in order."""
        rows = list(self._connection.execute(_from(query, keys, place).limit(size)))
        return rows[::-1] if place and place.back else rows

    # -- those that are too many to count -----------------------------------------------------

    def _walked(self, asked: _Asked, leader: Part, place: _Place | None, size: int) -> UserPage:
        ids = self._next(asked, leader, place, size + 1)
        if not ids:
            ids, place = self._next(asked, leader, None, size + 1), None
        further, back = len(ids) > size, place is not None and place.back
        kept = ids[-size:] if back else ids[:size]
        more = (further, True) if back else (place is not None, further)
        return UserPage(self.people(kept), COUNTED + 1, None, more)

    def _next(self, asked: _Asked, leader: Part, place: _Place | None, size: int) -> list[str]:
        """The ids on from a place: a word has its entries in order; all others are met soon along the names."""
        if len(leader.word) > SHORT:
            return self._entries(asked, leader, place, size)
        here = [asked.along]
        here += [part.narrow for part in asked.parts if part.ordered and part.narrow is not None]
        keys = (ACCOUNTS.c.sort_key, ACCOUNTS.c.id)
        stop: list[ColumnElement[bool]] = []
        if leader.word:
            last = self._connection.execute(
                _from(select(*keys).where(*here), keys, place).limit(1).offset(STRIDE)
            ).first()
            if last is not None:
                end = tuple_(literal(last.sort_key), literal(last.id))
                stop = [tuple_(*keys) > end if place and place.back else tuple_(*keys) < end]
        tests = [part.test(self._hidden) for part in asked.parts]
        query = select(ACCOUNTS.c.id).where(*here, *stop, *tests)
        ids = [row.id for row in self._beside(query, keys, place, size)]
        return ids if len(ids) == size or not stop else self._entries(asked, leader, place, size)

    def _entries(self, asked: _Asked, leader: Part, place: _Place | None, size: int) -> list[str]:
        """Those of the word itself as they stand, and those of the words that begin so, sorted; an account has several."""
        keys, limit, word = (WORDS.sort_key, WORDS.id), size, ACCOUNT_WORDS.c.word
        ranges = (word == leader.word, between(word, leader.word, longer=True))
        found = self._tested(asked, leader).where(ACCOUNT_WORDS.c.entity_id == asked.entity)
        while True:
            parts = [_from(found.where(each), keys, place).limit(limit) for each in ranges]
            both = union_all(*(select(each.subquery()) for each in parts)).subquery("both")
            rows = self._beside(select(both), (both.c.sort_key, both.c.id), place, limit)
            ids = list(dict.fromkeys(row.id for row in rows))
            if len(ids) >= size or len(rows) < limit:
                return ids[-size:] if place and place.back else ids[:size]
            limit *= 4

    def people(self, ids: Sequence[str]) -> tuple[PersonRef, ...]:
        """These accounts, in this order."""
        rows = self._connection.execute(_THESE, {"ids": ids}) if ids else ()
        refs = {row.id: person_ref(row) for row in rows}
        return tuple(refs[each] for each in ids if each in refs)

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


def last_page(page: int, total: int, size: int) -> int:
    """The page asked for, or the last one there is."""
    return max(0, min(page, -(-min(total, COUNTED) // size) - 1))


def _branch(rows: dict[str, AnyRow], subdivision: str) -> list[str]:
    path = [subdivision]
    while (parent := rows[path[0]].parent_id) and parent not in path:
        path.insert(0, parent)
    return path


def _from(query: Select[Any], keys: Keys, place: _Place | None) -> Select[Any]:
    """On in the order of names from a place, or back from it; from the beginning for None."""
    if place is None:
        return query.order_by(*keys)
    here = tuple_(literal(place.key), literal(place.account))
    if place.back:
        return query.where(tuple_(*keys) < here).order_by(*(key.desc() for key in keys))
    return query.where(tuple_(*keys) > here).order_by(*keys)

"""Subdivisions of a quality: made, renamed, hung elsewhere; closing one is `closing`.

Whoever manages a branch acts in his own branch (`domain.md` 1.3): where a subdivision hangs is decided by the right over the
one above it, so that nobody carries his branch elsewhere. All of one quality is decided by one at a time, under the lock of
its row; names are told apart by how they read, not how they are written, in the whole quality, because lists and the register
file call a subdivision by its name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from bot.access.names import fold, parse_place
from bot.access.requests import DEEPEST, CreateSubdivision, Done, MoveSubdivision, RenameSubdivision
from bot.access.requests import Conflict as Meanwhile
from bot.access.rights import Act, Target
from bot.access.rows import (
    ACCOUNTS,
    ENTITIES,
    ITEMS,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
    AnyRow,
    account_order,
    below,
    branch,
    sort_key,
)
from bot.access.work import (
    CREATE_WARD,
    MOVE_WARD,
    NOT_ALLOWED,
    RENAME_WARD,
    WARD_KINDS,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import Invalid, NotAllowed, Refusal
from bot.msg import Msg, m
from bot.store.ids import new_id

TRIES = 5
_QUALITY = (
    select(
        QUALITIES.c.id,
        QUALITIES.c.active,
        QUALITIES.c.entity_id,
        ENTITIES.c.enterprise_id,
        ENTITIES.c.delivery,
    )
    .join(ENTITIES, ENTITIES.c.id == QUALITIES.c.entity_id)
    .where(QUALITIES.c.id == bindparam("quality"))
)
_OF = select(SUBDIVISIONS.c.quality_id).where(SUBDIVISIONS.c.id == bindparam("subdivision"))


@dataclass(frozen=True, slots=True)
class Tree:
    """A quality with all its subdivisions, closed ones too, as nobody else can change them until the transaction ends."""

    place: AnyRow
    rows: dict[str, AnyRow]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do on the portal."""
        return bool(self.place.delivery != "portal")

    def path(self, subdivision: str | None) -> tuple[str, ...]:
        """From the topmost down to this one; empty for None."""
        found: list[str] = []
        while subdivision is not None and subdivision not in found:
            found.insert(0, subdivision)
            subdivision = self.rows[subdivision].parent_id
        return tuple(found)

    def target(self, subdivision: str | None, person: str | None = None) -> Target:
        """What an act there touches."""
        place = self.place
        return Target(place.entity_id, place.id, self.path(subdivision), place.enterprise_id, person)

    def below(self, subdivision: str) -> frozenset[str]:
        """It and all that hangs on it, closed ones too."""
        return below({row.id: row.parent_id for row in self.rows.values()}, [subdivision])

    def under(self, subdivision: str) -> tuple[str, ...]:
        """It and the open ones that hang on it, each after the one above it."""
        inside = self.below(subdivision)
        still = [each for each in inside if self.rows[each].closed_at is None or each == subdivision]
        return tuple(sorted(still, key=lambda each: (len(self.path(each)), self.rows[each].sort_key, each)))

    def name(self, subdivision: str | None) -> str:
        """The name, empty for None."""
        return self.rows[subdivision].name if subdivision else ""


def create_subdivision(work: Work, request: CreateSubdivision) -> Done:
    """Makes it. Raises Refusal, with the step to ask again where another answer helps."""
    may(work, request.quality, request.within)
    tree = locked(work, request.quality)
    if not tree.place.active:
        raise Declined(m("act.quality_inactive"), "quality")
    _open_above(work, tree, request.within)
    _deep(tree, request.within, 1)
    name = _name(tree, request.name)
    made = new_id()
    values = {"name": name, "sort_key": sort_key(name), "parent_id": request.within, "version": 1}
    work.connection.execute(insert(SUBDIVISIONS).values(id=made, quality_id=tree.place.id, **values))
    after = {"within": request.within, "above": tree.name(request.within)}
    return recorded(work, tree, CREATE_WARD, made, name, None, after, version=1)


def rename_subdivision(work: Work, request: RenameSubdivision) -> Done | Meanwhile:
    """Gives it another name, by which its users are found from then on. Raises Refusal."""
    quality = quality_of(work, request.subdivision)
    may(work, quality, request.subdivision)
    tree = held(work, quality, request.subdivision, deep=False)
    row = still_open(work, tree, request.subdivision, tree.path(request.subdivision))
    if row.version != request.version:
        return Meanwhile(differences(work, row, request.version), row.version)
    name = _name(tree, request.name, row)
    version = changed(work, row, name=name, sort_key=sort_key(name))
    _found_by(work, row.id, name)
    return recorded(
        work, tree, RENAME_WARD, row.id, name, {"name": row.name}, {"name": name}, version=version
    )


def move_subdivision(work: Work, request: MoveSubdivision) -> Done | Meanwhile:
    """Hangs it elsewhere, with all that hangs on it. Raises Refusal."""
    quality = quality_of(work, request.subdivision)
    may(work, quality, request.subdivision)
    tree = locked(work, quality)
    row = still_open(work, tree, request.subdivision, tree.path(request.subdivision)[:-1])
    _open_above(work, tree, request.within)
    if row.version != request.version:
        return Meanwhile(differences(work, row, request.version), row.version)
    parts = tree.under(row.id)
    people = len(living(work, parts))
    if people != request.people:
        return Meanwhile((m("act.changed.ward_people", n=people),), row.version)
    if request.within == row.parent_id:
        raise Declined(m("act.ward.there"), "within")
    if request.within in parts:
        raise Declined(m("act.ward.itself"), "within")
    height = max(len(tree.path(each)) for each in parts) - len(tree.path(row.id)) + 1
    _deep(tree, request.within, height)
    version = changed(work, row, parent_id=request.within)
    before = {"within": row.parent_id, "above": tree.name(row.parent_id)}
    after = {"within": request.within, "above": tree.name(request.within), "people": people}
    return recorded(work, tree, MOVE_WARD, row.id, row.name, before, after, version=version)


# -- what is checked ------------------------------------------------------------------------------


def quality_of(work: Work, subdivision: str) -> str:
    quality = work.connection.execute(_OF, {"subdivision": subdivision}).scalar()
    if quality is None:
        raise NotAllowed(NOT_ALLOWED)
    return str(quality)


def may(work: Work, quality: str, subdivision: str | None) -> None:
    """Raises NotAllowed before anything is locked, or said, that is not the actor's."""
    place = work.connection.execute(_QUALITY, {"quality": quality}).one_or_none()
    if place is None:
        raise NotAllowed(NOT_ALLOWED)
    path = branch(work.connection, subdivision)
    work.require(Act.MANAGE_SUBDIVISIONS, Target(place.entity_id, place.id, path, place.enterprise_id))


def locked(work: Work, quality: str) -> Tree:
    """The quality and its subdivisions. Users and changes can be added meanwhile, no subdivision can."""
    held = work.connection.execute(
        _QUALITY.with_for_update(of=QUALITIES, key_share=True), {"quality": quality}
    ).one()
    rows = work.connection.execute(
        select(SUBDIVISIONS)
        .where(SUBDIVISIONS.c.quality_id == quality)
        .order_by(SUBDIVISIONS.c.id)
        .with_for_update(key_share=True)
    )
    return Tree(held, {row.id: row for row in rows})


def still_open(work: Work, tree: Tree, subdivision: str, path: Sequence[str]) -> AnyRow:
    """The subdivision, where it hangs now; raises NotAllowed where that is not the actor's, Declined where it is closed."""
    place = tree.place
    work.require(Act.MANAGE_SUBDIVISIONS, Target(place.entity_id, place.id, tuple(path), place.enterprise_id))
    row = tree.rows[subdivision]
    if row.closed_at is not None:
        raise Declined(m("act.ward.closed"), "ward")
    return row


def _open_above(work: Work, tree: Tree, within: str | None) -> None:
    """Raises NotAllowed where the one above is not the actor's to hang something on, Declined where it is closed."""
    if within is not None and within not in tree.rows:
        raise NotAllowed(NOT_ALLOWED)
    work.require(Act.MANAGE_SUBDIVISIONS, tree.target(within))
    if within is not None and tree.rows[within].closed_at is not None:
        raise Declined(m("act.users.ward_closed"), "within")


def _deep(tree: Tree, within: str | None, height: int) -> None:
    if len(tree.path(within)) + height > DEEPEST:
        raise Declined(m("act.ward.too_deep", most=DEEPEST), "within")


def _name(tree: Tree, text: str, own: AnyRow | None = None) -> str:
    """The name in its normal form, which no other open subdivision of the quality reads like."""
    try:
        name = parse_place(text)
    except Invalid as invalid:
        raise Declined(invalid.msg, "name") from None
    if own is not None and name == own.name:
        raise Declined(m("act.ward.same"), "name")
    for row in tree.rows.values():
        if row.closed_at is None and fold(row.name) == fold(name) and (own is None or row.id != own.id):
            raise Declined(m("act.ward.taken", name=row.name), "name")
    return name


def differences(work: Work, row: AnyRow, seen: int) -> tuple[Msg, ...]:
    """What happened to the subdivision itself since version `seen`; never empty."""
    query = (
        select(ITEMS.c.kind, ITEMS.c.key, ITEMS.c.change_number, ITEMS.c.after)
        .where(ITEMS.c.object_id == row.id, ITEMS.c.kind.in_(WARD_KINDS))
        .order_by(ITEMS.c.change_number)
    )
    said = {RENAME_WARD: "act.changed.ward_renamed", MOVE_WARD: "act.changed.ward_moved"}
    found = [
        m(said[item.kind], name=item.key, number=item.change_number)
        for item in work.connection.execute(query)
        if item.kind in said and item.after.get("account_version", 0) > seen
    ]
    return tuple(found) or (m("act.changed.other"),)


# -- the users in it ------------------------------------------------------------------------------


def branch_of(work: Work, quality: str, subdivision: str) -> frozenset[str]:
    """The subdivision and all that hangs on it, closed ones too."""
    query = select(SUBDIVISIONS.c.id, SUBDIVISIONS.c.parent_id).where(SUBDIVISIONS.c.quality_id == quality)
    return below({row.id: row.parent_id for row in work.connection.execute(query)}, [subdivision])


def held(work: Work, quality: str, top: str, *, deep: bool) -> Tree:
    """The tree, locked after the users in `top` (`deep`: in what hangs on it too), as everywhere.

    Who comes in between the two is not locked: then both are let go of, and tried again. Raises Refusal where that does not end.
    """
    for _ in range(TRIES):
        savepoint = work.connection.begin_nested()
        inside = branch_of(work, quality, top) if deep else frozenset({top})
        seen = _in(work, inside, lock=True)
        tree = locked(work, quality)
        inside = tree.below(top) if deep else inside
        if _in(work, inside, lock=False) <= seen:
            savepoint.commit()
            return tree
        savepoint.rollback()
    raise Refusal(m("act.ward.busy"))


def _in(work: Work, subdivisions: frozenset[str], *, lock: bool) -> set[str]:
    query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.subdivision_id.in_(subdivisions)).order_by(ACCOUNTS.c.id)
    return set(work.connection.execute(query.with_for_update() if lock else query).scalars())


def living(work: Work, subdivisions: Iterable[str]) -> Sequence[AnyRow]:
    """The accounts in these that are not deleted, by id."""
    query = (
        select(ACCOUNTS, PROFILES.c.identity_id, PROFILES.c.last_name, PROFILES.c.first_name)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(ACCOUNTS.c.subdivision_id.in_(list(subdivisions)), ACCOUNTS.c.status != "deleted")
    )
    return work.connection.execute(query.order_by(ACCOUNTS.c.id)).all()


def _found_by(work: Work, subdivision: str, name: str) -> None:
    """Its users are found by the new name: those that were deleted too, for they keep their place."""
    query = (
        select(ACCOUNTS.c.id, ACCOUNTS.c.username, PROFILES.c.last_name, PROFILES.c.first_name)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(ACCOUNTS.c.subdivision_id == subdivision)
        .order_by(ACCOUNTS.c.id)
    )
    words = [
        {"own": row.id, "words": account_order(row.last_name, row.first_name, row.username, name)["search"]}
        for row in work.connection.execute(query)
    ]
    if words:
        change = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("own")).values(search=bindparam("words"))
        work.connection.execute(change, words)


# -- what is written ------------------------------------------------------------------------------


def changed(work: Work, row: AnyRow, **values: Any) -> int:
    """Writes these columns of the subdivision; its version then."""
    version: int = row.version + 1
    change = update(SUBDIVISIONS).where(SUBDIVISIONS.c.id == row.id)
    work.connection.execute(change.values(version=version, **values))
    return version


def recorded(
    work: Work,
    tree: Tree,
    kind: str,
    subdivision: str,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any],
    *,
    version: int,
) -> Done:
    """One change with one item, done at once; on the portal it is still to be done there too."""
    entity = tree.place.entity_id
    number = open_change(work, kind, entity, tree.place.id)
    items = [Item(kind, None, subdivision, None, name, before, after, settled=tree.settled)]
    add_items(work, number, items, version=version)
    audited(work, entity, number, items)
    return Done(number, work.now if tree.settled else None)

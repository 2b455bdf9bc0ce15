"""Closing a subdivision with all that hangs on it: its users go elsewhere, the mandates over it end, its name is free again.

Nothing is lost: the rows stay for the history, who was deleted keeps his place. What the manager saw (how many users, which
parts, which mandates) must still be so; where it is not, he is told and decides again. Nobody's own mandate ends so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import select, update

from bot.access import managing
from bot.access.mandates import place_of
from bot.access.offices import OFFICES
from bot.access.requests import MOST_MOVED, CloseSubdivision, Done
from bot.access.requests import Conflict as Meanwhile
from bot.access.rights import Act, require
from bot.access.rows import ACCOUNTS, ENTITIES, AnyRow, account_order
from bot.access.standing import others_may
from bot.access.subdivisions import Tree, changed, differences, held, living, may, quality_of, still_open
from bot.access.work import (
    CHANGE_USER,
    CLOSE_WARD,
    NOT_ALLOWED,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import NotAllowed, Refusal
from bot.msg import Msg, m

_OFFICE = "subdivision"


def close_subdivision(work: Work, request: CloseSubdivision) -> Done | Meanwhile:
    """Closes it. Raises Refusal, with the step to ask again where another answer helps."""
    quality = quality_of(work, request.subdivision)
    may(work, quality, request.subdivision)
    tree = held(work, quality, request.subdivision, deep=True)
    row = still_open(work, tree, request.subdivision, tree.path(request.subdivision))
    inside = tree.under(row.id)
    entity = work.connection.execute(select(ENTITIES).where(ENTITIES.c.id == tree.place.entity_id)).one()
    over = [each for each in managing.mandates_there(work, entity) if each.subdivision_id in inside]
    for mandate in over:
        work.require(OFFICES[_OFFICE].act, place_of(work.connection, mandate, entity.enterprise_id))
    people = living(work, inside)
    if row.version != request.version:
        return Meanwhile(differences(work, row, request.version), row.version)
    if said := tuple(_otherwise(request, inside[1:], over, len(people))):
        return Meanwhile(said, row.version)
    if len(people) > MOST_MOVED:
        raise Refusal(m("act.ward.too_many", most=MOST_MOVED))
    heir = _heir(work, tree, request, inside) if people else None
    _may_move(work, tree, people, heir)
    return _write(work, tree, entity, inside, people, over, heir)


def _otherwise(
    request: CloseSubdivision, parts: Sequence[str], over: Sequence[AnyRow], people: int
) -> Iterator[Msg]:
    """What is not as the manager saw it."""
    if set(request.parts) != set(parts):
        yield m("act.changed.ward_parts", n=len(parts))
    if set(request.mandates) != {each.id for each in over}:
        yield m("act.changed.ward_mandates", n=len(over))
    if request.people != people:
        yield m("act.changed.ward_people", n=people)


def _heir(work: Work, tree: Tree, request: CloseSubdivision, inside: Sequence[str]) -> str | None:
    """The subdivision that takes the users."""
    heir = request.heir
    if heir is None:
        return None
    if heir not in tree.rows:
        raise NotAllowed(NOT_ALLOWED)
    if heir in inside or tree.rows[heir].closed_at is not None:
        work.require(Act.CHANGE_USER, tree.target(heir))
        raise Declined(m("act.users.ward_closed"), "heir")
    return heir


def _may_move(work: Work, tree: Tree, people: Sequence[AnyRow], heir: str | None) -> None:
    """Raises NotAllowed unless the actor may change each of them, where they are and where they go."""
    mandates, actor = work.mandates(), work.actor.identity
    for row in people:
        here = tree.target(row.subdivision_id, row.identity_id)
        for place in (here, replace(here, subdivisions=tree.path(heir))):
            target = place
            if row.identity_id == actor:
                only = not others_may(work.connection, Act.CHANGE_USER, place, actor=actor, today=work.today)
                target = replace(place, only_manager=only)
            require(mandates, Act.CHANGE_USER, target, actor=actor, today=work.today)


# -- what is written ------------------------------------------------------------------------------


def _write(
    work: Work,
    tree: Tree,
    entity: AnyRow,
    inside: Sequence[str],
    people: Sequence[AnyRow],
    over: Sequence[AnyRow],
    heir: str | None,
) -> Done:
    """One change; on the portal the end of each mandate, and what only concerns the register, are changes of their own."""
    ended = [(managing.write_end(work, entity, managing.Ending(row, _OFFICE, None)), 0) for row in over]
    moved = [(_moved(work, tree, row, heir), row.version + 1) for row in people]
    closed = [_closed(work, tree, each, people, heir) for each in inside]
    parts = [[*closed, *ended, *moved]] if tree.settled else [closed, *([each] for each in ended), moved]
    numbers = [_change(work, tree, part) for part in parts if part]
    return Done(numbers[0], work.now if tree.settled else None)


def _change(work: Work, tree: Tree, part: Sequence[tuple[Item, int]]) -> str:
    items = [item for item, _ in part]
    kind = "move-users" if items[0].kind == CHANGE_USER else items[0].kind
    number = open_change(work, kind, tree.place.entity_id, tree.place.id)
    add_items(work, number, items, version=[version for _, version in part])
    audited(work, tree.place.entity_id, number, items)
    return number


def _closed(
    work: Work, tree: Tree, subdivision: str, people: Sequence[AnyRow], heir: str | None
) -> tuple[Item, int]:
    row = tree.rows[subdivision]
    version = changed(work, row, closed_at=work.now)
    number = sum(each.subdivision_id == subdivision for each in people)
    before = {"within": row.parent_id, "above": tree.name(row.parent_id)}
    after = {"closed_at": work.now.isoformat(), "people": number}
    after |= {"heir": heir, "above": tree.name(heir)} if number else {}
    item = Item(CLOSE_WARD, None, subdivision, None, row.name, before, after, settled=tree.settled)
    return item, version


def _moved(work: Work, tree: Tree, row: AnyRow, heir: str | None) -> Item:
    order = account_order(row.last_name, row.first_name, row.username, tree.name(heir) or None)
    values = {"subdivision_id": heir, "version": row.version + 1, "changed_at": work.now, **order}
    work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(values))
    before, after = {"subdivision": row.subdivision_id}, {"subdivision": heir}
    # on the portal it is a part of closing the subdivision, whose checklist says where they go
    return Item(CHANGE_USER, row.id, row.id, row.identity_id, None, before, after, settled=True)

"""ChangeUser of the declared profession: nothing is left that cannot stay with the new one.

A physician or a pharmacist exercises no collaborator's function (`domain.md`, trap 6), so what is held of these ends in the
same change; a collaborator needs one for some applications, so these end, or the function is given from today. What the
manager was not shown never ends: without his word the change is refused whole. Whoever was answered for by this person is
told apart anew each time (`leaders`), so that no link is touched here.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.access import due, ground
from bot.access.catalogue import Declared
from bot.access.differences import differences
from bot.access.ending import Live, live, stop
from bot.access.functions import write_function
from bot.access.ground import APPLICATION, FUNCTION, Span
from bot.access.hierarchy import end_with_functions
from bot.access.periods import Period
from bot.access.requests import ChangeUser, Conflict, Done
from bot.access.rights import Act
from bot.access.rows import AnyRow
from bot.access.userchange import ONE, checked_value, require_change, write_field
from bot.access.work import NOT_ALLOWED, Declined, Item, Work, add_items, audited, open_change
from bot.errors import NotAllowed
from bot.msg import m


def change_profession(work: Work, request: ChangeUser) -> Done | Conflict:
    """Declares it, with what ends or begins along with it; raises Refusal, with the step to ask again where that helps."""
    row = work.connection.execute(ONE, {"account": request.account}).one_or_none()
    if row is None or row.status == "deleted":
        raise NotAllowed(NOT_ALLOWED)
    require_change(work, row)
    if request.version != row.version:
        return Conflict(differences(work.connection, work.catalogue, row.id, request.version), row.version)
    value = checked_value(work, row, request)
    lost = _lost(work, row, value, live(work, row.id), request)
    gives = request.function if lost and not request.ends else None
    stopped = lost if request.ends else ()
    number = open_change(work, "change-user", row.entity_id, row.quality_id)
    settled = row.delivery != "portal"
    items: list[Item] = [write_field(work, row, (row,), "profession", value, settled=settled)]
    items += [stop(work, row, each, None) for each in stopped]
    functions = [each.span.key for each in stopped if each.span.kind == FUNCTION]
    items += end_with_functions(work, row, functions, None)
    if gives:
        items.append(write_function(work, row, gives, Period(work.today), number))
    if stopped and settled:
        due.revoked(work.connection, number, work.now)
    add_items(work, number, items, version=row.version + 1)
    audited(work, row.entity_id, number, items)
    return Done(number, (items[-1].due or work.now) if settled else None, row.id)


def _lost(work: Work, row: AnyRow, new: str, held: Sequence[Live], request: ChangeUser) -> tuple[Live, ...]:
    """What cannot stay as it is. Raises Declined where neither its end nor a function that keeps it was asked for, and
    NotAllowed where that is not the actor's to do.
    """
    spans = [each.span for each in held]
    things = ground.unfit(work.catalogue, row.profession, new, spans, work.today)
    if not things:
        return ()
    functions = any(kind == FUNCTION for kind, _ in things)
    if request.ends:
        require_change(work, row, Act.END_FUNCTION if functions else Act.END_ACCESS)
    elif functions:
        raise Declined(m("act.function_held"), "profession")
    elif request.function is None or new != Declared.COLLABORATOR:
        raise Declined(m("act.function_needed"), "profession")
    else:
        _keeps(work, row, new, spans, request.function)
    return tuple(each for each in held if each.span.thing in set(things))


def _keeps(work: Work, row: AnyRow, new: str, spans: Sequence[Span], function: str) -> None:
    """Raises Declined where the function is none, or does not keep all that is held; NotAllowed where it is not the actor's
    to give.
    """
    require_change(work, row, Act.ASSIGN_FUNCTION)
    known = next((each for each in work.catalogue.functions if each.key == function), None)
    if row.status == "blocked":
        raise Declined(m("act.blocked"), "person")
    if known is None or any((span.kind, span.key) == (FUNCTION, function) for span in spans):
        raise Declined(m("act.function_gone"), "along")
    with_it = [*spans, Span(FUNCTION, function, work.today)]
    if lost := ground.unfit(work.catalogue, row.profession, new, with_it, work.today):
        names = tuple(work.catalogue.application(key).name for kind, key in lost if kind == APPLICATION)
        raise Declined(m("act.end.ground", what=names), "along")

"""AssignFunction: a function with its days, checked again under the transaction. How one ends: `ending`.

The same function is never held twice at a time; a physician or a pharmacist has none of a collaborator's (`domain.md`,
trap 6).
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import bindparam, insert, select, update

from bot.access import due
from bot.access.catalogue import Declared, Function
from bot.access.differences import differences
from bot.access.periods import Period, check_end, check_start, due_instant
from bot.access.requests import AssignFunction, Conflict, Done
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, ENTITIES, PROFILES, AnyRow
from bot.access.userchange import require_change
from bot.access.work import (
    ASSIGNMENT,
    CHANGE_USER,
    NOT_ALLOWED,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import Invalid, NotAllowed
from bot.msg import m
from bot.store.ids import new_id

_ACCOUNT = (
    select(
        ACCOUNTS.c.id,
        ACCOUNTS.c.entity_id,
        ACCOUNTS.c.quality_id,
        ACCOUNTS.c.subdivision_id,
        ACCOUNTS.c.profession,
        ACCOUNTS.c.type,
        ACCOUNTS.c.status,
        ACCOUNTS.c.version,
        PROFILES.c.identity_id,
        ENTITIES.c.enterprise_id,
        ENTITIES.c.delivery,
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
    .where(ACCOUNTS.c.id == bindparam("account"))
    .with_for_update(of=ACCOUNTS)
)


def assign_function(work: Work, request: AssignFunction) -> Done | Conflict:
    """Writes the assignment; raises Refusal, with the step to ask again where another answer helps."""
    row = account_of(work, request.account, Act.ASSIGN_FUNCTION)
    if row.status == "blocked":
        raise Declined(m("act.blocked"), "person")
    if request.version != row.version:
        return conflict_of(work, row, request.version)
    function = _function(work, row, request.function)
    check_days(work, request.starts_on, request.ends_on)
    period = Period(request.starts_on, request.ends_on)
    for other in assigned(work, row.id, request.function):
        if Period(other.starts_on, other.ends_on).overlaps(period):
            raise Declined(m("act.function_overlap", since=other.starts_on), "start")
    number = open_change(work, "assignment", row.entity_id, row.quality_id)
    portal = row.delivery == "portal"
    made = write_function(work, row, request.function, period, number)
    items = []
    declared = Declared.COLLABORATOR.value if function.responsible else None
    if declared and row.profession != declared:
        before, after = {"profession": row.profession}, {"profession": declared}
        items.append(
            Item(CHANGE_USER, row.id, row.id, row.identity_id, None, before, after, settled=not portal)
        )
        work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(profession=declared))
    return noted(work, row, number, [*items, made])


def write_function(work: Work, row: AnyRow, function: str, period: Period, number: str) -> Item:
    """Writes the assignment of `function` to the account `row`, with what is due for it; its item of the change `number`."""
    effective = None
    if row.delivery != "portal":
        effective = due_instant(period.starts_on, work.now, work.activation_delay)
        due.activation(work.connection, number, effective)
    made = new_id()
    work.connection.execute(
        insert(ASSIGNMENTS).values(
            id=made,
            account_id=row.id,
            function=function,
            starts_on=period.starts_on,
            ends_on=period.ends_on,
            recorded_at=work.now,
            active_at=effective,
            change_number=number,
        )
    )
    if period.ends_on is not None:
        due.end(work.connection, ASSIGNMENT, made, period.ends_on)
    days = days_of(period.starts_on, period.ends_on)
    return Item(ASSIGNMENT, row.id, made, row.identity_id, function, None, days, effective)


# -- what it needs -------------------------------------------------------------------------------


def account_of(work: Work, account: str, act: Act) -> AnyRow:
    row = work.connection.execute(_ACCOUNT, {"account": account}).one_or_none()
    if row is None or row.status == "deleted":
        raise NotAllowed(NOT_ALLOWED)
    require_change(work, row, act)
    return row


def conflict_of(work: Work, row: AnyRow, seen: int) -> Conflict:
    return Conflict(differences(work.connection, work.catalogue, row.id, seen), row.version)


def _function(work: Work, row: AnyRow, key: str) -> Function:
    function = next((each for each in work.catalogue.functions if each.key == key), None)
    if function is None or row.type == "technical":
        raise Declined(m("act.function_gone"), "function")
    if function.responsible and row.profession not in {None, Declared.COLLABORATOR}:
        raise Declined(m("act.function_not_wanted"), "function")
    return function


def check_days(work: Work, starts_on: date, ends_on: date | None) -> None:
    try:
        check_start(starts_on, today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "start") from None
    if ends_on is None:
        return
    try:
        check_end(ends_on, starts_on=starts_on, today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "end") from None


def assigned(work: Work, account: str, function: str | None = None) -> list[AnyRow]:
    """The account's assignments that are not over (of this function)."""
    query = select(ASSIGNMENTS).where(
        ASSIGNMENTS.c.account_id == account,
        ASSIGNMENTS.c.revoked_at.is_(None),
        ASSIGNMENTS.c.ends_on.is_(None) | (ASSIGNMENTS.c.ends_on >= work.today),
    )
    if function is not None:
        query = query.where(ASSIGNMENTS.c.function == function)
    return list(work.connection.execute(query.order_by(ASSIGNMENTS.c.starts_on, ASSIGNMENTS.c.id)))


def days_of(starts_on: date, ends_on: date | None) -> dict[str, str | None]:
    return {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat() if ends_on else None}


def noted(work: Work, row: AnyRow, number: str, items: list[Item]) -> Done:
    version = row.version + 1
    changed = {"version": version, "changed_at": work.now}
    work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(changed))
    add_items(work, number, items, version=version)
    audited(work, row.entity_id, number, items)
    return Done(number, items[-1].due, row.id)

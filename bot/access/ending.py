"""EndAccess and ChangeEnd: what is held ends now, on a day, later, or not at all; everything checked again first.

*Now* means now: a revocation is an instant. What would leave an access without the function that it needs is refused
whole, and so is what an older view of the account asks for. Where the rights live on the portal, the register holds
what is wanted and the change stays to do until it is ticked off; what never reached the portal is not to do there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, bindparam, select, update

from bot.access import due, ground, sessions
from bot.access.differences import differences
from bot.access.ground import Span, Thing
from bot.access.hierarchy import end_with_functions
from bot.access.insider import judged
from bot.access.oneself import acts_of
from bot.access.parked import remind_again, seen_there, unknown_there
from bot.access.periods import check_end, due_instant, end_instant
from bot.access.requests import ChangeEnd, Conflict, Done, EndAccess
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, ENTITIES, GRANTS, ITEMS, PROFILES, AnyRow
from bot.access.standing import target_of
from bot.access.work import (
    APPLICATION,
    ASSIGNMENT,
    BLOCK_USER,
    END_ASSIGNMENT,
    END_GRANT,
    FUNCTION,
    GRANT,
    NOT_ALLOWED,
    REACTIVATE_USER,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
    withdraw,
)
from bot.errors import Invalid, NotAllowed
from bot.msg import Say, m

_ACCOUNT = (
    select(
        ACCOUNTS.c.id,
        ACCOUNTS.c.entity_id,
        ACCOUNTS.c.quality_id,
        ACCOUNTS.c.subdivision_id,
        ACCOUNTS.c.profession,
        ACCOUNTS.c.status,
        ACCOUNTS.c.version,
        PROFILES.c.identity_id,
        ENTITIES.c.delivery,
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
    .where(ACCOUNTS.c.id == bindparam("account"), ACCOUNTS.c.status != "deleted")
    .with_for_update(of=ACCOUNTS)
)
_TABLES: dict[str, tuple[Table, str, str]] = {
    APPLICATION: (GRANTS, "application", GRANT),
    FUNCTION: (ASSIGNMENTS, "function", ASSIGNMENT),
}
_ENDS = {GRANT: END_GRANT, ASSIGNMENT: END_ASSIGNMENT}
_BECOMES = {"blocked": ("active", BLOCK_USER), "active": ("blocked", REACTIVATE_USER)}


@dataclass(frozen=True, slots=True)
class Live:
    """A grant or an assignment that is not over."""

    row: str
    span: Span
    active_at: datetime | None

    @property
    def kind(self) -> str:
        """The kind of its items."""
        return _TABLES[self.span.kind][2]


def live(work: Work, account: str) -> tuple[Live, ...]:
    """All that the account holds or will hold, oldest first; for a new end, and for whoever gives more."""
    found: list[Live] = []
    for kind, (table, column, _) in _TABLES.items():
        query = select(
            table.c.id, table.c[column].label("key"), table.c.starts_on, table.c.ends_on, table.c.active_at
        ).where(
            table.c.account_id == account,
            table.c.revoked_at.is_(None),
            table.c.ends_on.is_(None) | (table.c.ends_on >= work.today),
        )
        rows = work.connection.execute(query.order_by(table.c.starts_on, table.c.id))
        found += [
            Live(row.id, Span(kind, row.key, row.starts_on, row.ends_on), row.active_at) for row in rows
        ]
    return tuple(found)


# -- ending ---------------------------------------------------------------------------------------


def end_access(work: Work, request: EndAccess) -> Done | Conflict:
    """Ends what is asked; raises Refusal, with the step to ask again where another answer helps."""
    account = _account(work, request)
    if request.version not in {None, account.version}:
        return _conflict(work, account, request.version)
    things = _things(request)
    held = live(work, account.id)
    chosen = [each for each in held if each.span.thing in things]
    if things - {each.span.thing for each in chosen}:
        raise Declined(m("act.end.gone"), "what")
    if request.ends_on is not None:
        _checked(request.ends_on, work.today, "when")
    status = _status(account, request.becomes)
    stopped = [each for each in chosen if sooner(each.span, request.ends_on)]
    if not stopped and status is None:
        raise Declined(m("act.end.nothing"), "when" if things else "what")
    spans = [each.span for each in held]
    _keeps_ground(work, account, spans, ground.ended(spans, things, request.ends_on), "what")
    number = open_change(work, "end", account.entity_id, account.quality_id)
    items = [stop(work, account, each, request.ends_on) for each in stopped]
    items += end_with_functions(work, account, request.functions, request.ends_on)
    if status:
        items.append(becomes(work, account.id, account.identity_id, *status, delivery=account.delivery))
    revokes = any(item.after and item.after.get("revoked") for item in items)
    done = _write(work, account, number, items, becomes=request.becomes, revokes=revokes)
    later = request.ends_on if any(item.after and "revoked" in item.after for item in items) else None
    return replace(done, due=end_instant(later)) if later else done


def sooner(span: Span, ends_on: date | None) -> bool:
    """Whether it ends sooner by this than it would by itself."""
    return ends_on is None or span.ends_on is None or span.ends_on > ends_on


def stop(work: Work, account: AnyRow, each: Live, ends_on: date | None) -> Item:
    """One access ends: at once, or where it has not begun by that day; else its last day is noted.

    `account` has the columns id, identity_id and delivery. What waits about this access is withdrawn.
    """
    table = _TABLES[each.span.kind][0]
    at_once = ends_on is None or each.span.starts_on > ends_on
    values: dict[str, Any] = {"revoked_at": work.now} if at_once else {"ends_on": ends_on}
    work.connection.execute(update(table).where(table.c.id == each.row).values(values))
    _withdraw(work, each.row, whole=at_once)
    if not at_once and ends_on is not None:
        due.end(work.connection, each.kind, each.row, ends_on)
    tried = seen_there(work.connection, ITEMS.c.object_id == each.row)
    after = {"starts_on": each.span.starts_on.isoformat()}
    after |= {"ends_on": (work.today if at_once or ends_on is None else ends_on).isoformat()}
    return Item(
        kind=_ENDS[each.kind],
        account=account.id,
        object=each.row,
        subject=account.identity_id,
        key=each.span.key,
        before=_days(each.span),
        after={**after, "revoked": at_once},
        # what was never done on the portal need not be undone there
        settled=account.delivery != "portal" or (at_once and each.active_at is None and not tried),
    )


def _withdraw(work: Work, row: str, *, whole: bool) -> None:
    """What is recorded about this access and has not come about yet will not: all of it, or its earlier ends only."""
    kinds = (GRANT, ASSIGNMENT, END_GRANT, END_ASSIGNMENT) if whole else (END_GRANT, END_ASSIGNMENT)
    withdraw(work, ITEMS.c.object_id == row, ITEMS.c.kind.in_(kinds))


def withdraw_about(work: Work, account: str, kinds: Collection[str]) -> frozenset[str]:
    """Withdraws what of these kinds waits about the account; the kinds of what was still to do on the portal."""
    mine = (ITEMS.c.account_id == account, ITEMS.c.kind.in_(kinds), ITEMS.c.delivery == "recorded")
    return frozenset(row.kind for row in withdraw(work, *mine) if row.due_at is None)


def _status(account: AnyRow, becomes: str) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
    """The item's kind, before and after for an account to block or to reactivate; None where that changes nothing."""
    if becomes not in _BECOMES or account.status == becomes:
        return None
    before, kind = _BECOMES[becomes]
    return kind, {"status": before}, {"status": becomes}


def becomes(
    work: Work,
    account: str,
    identity: str,
    kind: str,
    before: dict[str, Any],
    after: dict[str, Any],
    *,
    delivery: str,
) -> Item:
    """The account is blocked, or active again; the opposite that still waits for the portal is withdrawn with it.

    One that the portal does not know need not be blocked there, nor be made active again (`parked`).
    """
    opposite = REACTIVATE_USER if kind == BLOCK_USER else BLOCK_USER
    settled = opposite in withdraw_about(work, account, (opposite,)) or delivery != "portal"
    unknown = unknown_there(work.connection, account, lock=True)
    if unknown and kind == REACTIVATE_USER:
        remind_again(work, account)
    settled = settled or unknown
    return Item(kind, account, account, identity, None, before, after, settled=settled)


# -- another end ----------------------------------------------------------------------------------


def change_end(work: Work, request: ChangeEnd) -> Done | Conflict:
    """Moves the ends; raises Refusal, with the step to ask again where another answer helps."""
    account = _account(work, request)
    if request.version not in {None, account.version}:
        return _conflict(work, account, request.version)
    things = _things(request)
    held = live(work, account.id)
    chosen = [each for each in held if each.span.thing in things]
    if not chosen or things - {each.span.thing for each in chosen}:
        raise Declined(m("act.end.gone"), "what")
    moved = list(_moved(work, chosen, request.ends_on))
    if not moved:
        raise Declined(m("act.end.same"), "when")
    if account.status == "blocked" and any(sooner(new, old.span.ends_on) for old, new in moved):
        raise Declined(m("act.blocked"), "person")
    spans = [each.span for each in held]
    news = {old.row: new for old, new in moved}
    _keeps_ground(work, account, spans, [news.get(each.row, each.span) for each in held], "with")
    number = open_change(work, "change", account.entity_id, account.quality_id)
    items = [_move(work, account, old, new) for old, new in moved]
    return _write(work, account, number, items)


def _moved(work: Work, chosen: Sequence[Live], ends_on: date | None) -> Iterator[tuple[Live, Span]]:
    """Each access with its new days. Of several periods of one thing only the last is moved: they never overlap."""
    last = {each.span.thing: each for each in chosen}
    for each in last.values():
        if ends_on is not None:
            _checked(ends_on, max(work.today, each.span.starts_on), "when", today=work.today)
        if ends_on != each.span.ends_on:
            yield each, replace(each.span, ends_on=ends_on)


def _move(work: Work, account: AnyRow, old: Live, new: Span) -> Item:
    table = _TABLES[old.span.kind][0]
    portal = account.delivery == "portal" and old.active_at is not None
    if not portal:  # there the old end holds until the new one is done (`handover.EFFECTS`)
        work.connection.execute(update(table).where(table.c.id == old.row).values(ends_on=new.ends_on))
    _withdraw(work, old.row, whole=False)
    if new.ends_on is not None and not portal:
        due.end(work.connection, old.kind, old.row, new.ends_on)
    instant = due_instant(work.today, work.now, work.activation_delay)
    effective = None if account.delivery == "portal" else instant
    return Item(
        old.kind,
        account.id,
        old.row,
        account.identity_id,
        old.span.key,
        _days(old.span),
        _days(new),
        effective,
    )


# -- what both do ---------------------------------------------------------------------------------


def _account(work: Work, request: EndAccess | ChangeEnd) -> AnyRow:
    """The account, locked; raises NotAllowed unless the actor may do all that here, to this person, today."""
    row = work.connection.execute(_ACCOUNT, {"account": request.account}).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    acts = acts_of(request)
    place = target_of(work.connection, row.entity_id, row.quality_id, row.subdivision_id)
    target = judged(work, acts, replace(place, person=row.identity_id))
    for act in acts:
        work.require(act, target)
    return row


def _conflict(work: Work, account: AnyRow, seen: int | None) -> Conflict:
    said = differences(work.connection, work.catalogue, account.id, seen or 0)
    return Conflict(said, account.version)


def _things(request: EndAccess | ChangeEnd) -> set[Thing]:
    return {(APPLICATION, key) for key in request.applications} | {
        (FUNCTION, key) for key in request.functions
    }


def _checked(ends_on: date, starts_on: date, step: str, *, today: date | None = None) -> None:
    try:
        check_end(ends_on, starts_on=starts_on, today=today or starts_on)
    except Invalid as invalid:
        raise Declined(invalid.msg, step) from None


def _keeps_ground(
    work: Work, account: AnyRow, before: Sequence[Span], after: Sequence[Span], step: str
) -> None:
    """Raises Declined where an application would be left without the function that it needs."""
    was = ground.groundless(work.catalogue, account.profession, before, work.today)
    will = ground.groundless(work.catalogue, account.profession, after, work.today)
    if lost := ground.losing(was, will):
        names: tuple[Say, ...] = tuple(work.catalogue.application(key).name for key in lost)
        raise Declined(m("act.end.ground", what=names), step)


def _write(
    work: Work,
    account: AnyRow,
    number: str,
    items: Sequence[Item],
    *,
    becomes: str = "",
    revokes: bool = False,
) -> Done:
    version = account.version + 1
    changed: dict[str, Any] = {"version": version, "changed_at": work.now}
    changed |= {"status": becomes, "status_reason": None} if becomes else {}
    work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(changed))
    if becomes == "blocked":
        sessions.end_all(
            work.connection, account.identity_id, work.now, "blocked", reaching=account.entity_id
        )
    add_items(work, number, items, version=version)
    instants = sorted({item.due for item in items if item.due})
    for instant in instants:
        due.activation(work.connection, number, instant)
    if revokes and account.delivery != "portal":
        due.revoked(work.connection, number, work.now)
    audited(work, account.entity_id, number, items)
    return Done(number, instants[-1] if instants else None, account.id)


def _days(span: Span) -> dict[str, str | None]:
    return {
        "starts_on": span.starts_on.isoformat(),
        "ends_on": span.ends_on.isoformat() if span.ends_on else None,
    }

"""The hand-over to the portal: carried out there, confirmed to work, or found not to work and to do anew.

What a change means is done in the register when it is recorded, except what would claim more than the portal knows: that
waits in the item and is done by its row in `EFFECTS` when somebody says *Fait*. From then on the delay counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, select, update

from bot.access import due, qualities
from bot.access.parked import block_after_all, parked
from bot.access.periods import due_instant
from bot.access.requests import PROBLEMS, Done, MarkDone, Verify
from bot.access.rights import Act, Target
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    CHANGES,
    ENTITIES,
    GRANTS,
    ITEMS,
    PROFILES,
    RESPONSIBILITIES,
    AnyRow,
    branch,
)
from bot.access.work import (
    ACTIVATE_QUALITY,
    ASSIGNMENT,
    END_GRANT,
    GRANT,
    LINK,
    NOT_ALLOWED,
    WARD_KINDS,
    Work,
    at_once,
)
from bot.errors import NotAllowed, Refusal
from bot.msg import m
from bot.store import audit

TABLES: Mapping[str, Table] = {GRANT: GRANTS, ASSIGNMENT: ASSIGNMENTS, LINK: RESPONSIBILITIES}


# -- done -----------------------------------------------------------------------------------------


def mark_done(work: Work, request: MarkDone) -> Done:
    """The manager has done the changes on the portal: from now on the delay counts. Doing it twice changes nothing.

    Raises NotAllowed for a change that does not exist, or lies outside the mandate.
    """
    numbers = dict.fromkeys((request.number, *request.more))
    outcomes = [_done(work, number, request.item) for number in sorted(numbers)]
    if len(outcomes) == 1:
        return outcomes[0]
    dues = [outcome.due for outcome in outcomes]
    return Done(request.number, max(filter(None, dues)) if None not in dues else None)


def _done(work: Work, number: str, item: str | None) -> Done:
    change, items = _change(work, number)
    wanted = [each for each in items if item in {None, each.id}]
    if not wanted:
        raise NotAllowed(NOT_ALLOWED)
    waiting = [each for each in wanted if waits(each)]
    shut = parked(work.connection, {each.account_id for each in waiting if each.account_id})
    later = [day for each in waiting if (day := last_day(each.kind, each.after)) and day > work.today]
    if later:
        raise Refusal(m("portal.not_before", number=number, day=max(later)))
    instants = {each.id: _deliver(work, each) for each in waiting}
    for instant in sorted({instant for instant in instants.values() if instant > work.now}):
        due.activation(work.connection, number, instant)
    if any(each.kind in TABLES for each in waiting):
        due.reminder(work.connection, due.CHECK, number, max(instants.values()))
    for each in waiting:
        body = {"item": each.id, "due": instants[each.id].isoformat()}
        entry = audit.Entry("delivered", work.actor.identity, each.subject_id, number, body)
        audit.append(work.connection, work.keyring, change.entity_id, entry, work.now)
    for account in sorted(shut):
        block_after_all(work, account)
    known = [instants.get(each.id, each.due_at or each.active_at) for each in items]
    whole = all(instant is not None for instant in known)
    return Done(number, max(filter(None, known)) if whole else None, items[0].account_id or "")


def last_day(kind: str, after: Mapping[str, Any] | None) -> date | None:
    """The day on whose evening an application is to be unticked on the portal, which has no end date for it."""
    return _day((after or {}).get("ends_on")) if kind == END_GRANT and not at_once(after) else None


def _change(work: Work, number: str) -> tuple[AnyRow, Sequence[AnyRow]]:
    """A change of a portal's entity that the actor may hand over, its items locked."""
    items_of(work.connection, number)
    return read(work, number)


def read(work: Work, number: str) -> tuple[AnyRow, Sequence[AnyRow]]:
    """The same, for looking only. Raises NotAllowed."""
    query = (
        select(CHANGES.c.entity_id, CHANGES.c.quality_id, ENTITIES.c.delivery, ENTITIES.c.enterprise_id)
        .join(ENTITIES, ENTITIES.c.id == CHANGES.c.entity_id)
        .where(CHANGES.c.number == number)
    )
    change = work.connection.execute(query).one_or_none()
    items = work.connection.execute(_items(number)).all()
    if change is None or not items or change.delivery != "portal":
        raise NotAllowed(NOT_ALLOWED)
    wards = {item.object_id for item in items if item.kind in WARD_KINDS}
    for ward in wards:
        _require(work, change, None, None, ward)
    for account, subject in {(item.account_id, item.subject_id) for item in items if not wards}:
        _require(work, change, account, subject)
    return change, items


def _require(
    work: Work, change: AnyRow, account: str | None, subject: str | None, ward: str | None = None
) -> None:
    """Raises NotAllowed unless the actor hands over there; what concerns no account and no subdivision (`ward`), for the quality
    or entity as a whole.
    """
    path = branch(work.connection, ward)
    quality = change.quality_id
    if account is not None:
        query = (
            select(ACCOUNTS.c.subdivision_id, ACCOUNTS.c.quality_id, PROFILES.c.identity_id)
            .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
            .where(ACCOUNTS.c.id == account)
        )
        row = work.connection.execute(query).one()
        path, subject = branch(work.connection, row.subdivision_id), row.identity_id
        quality = row.quality_id  # a change about several users may be of several qualities
    target = Target(change.entity_id, quality, path, change.enterprise_id, subject)
    work.require(Act.HAND_OVER, target)


def items_of(connection: Connection, number: str) -> Sequence[AnyRow]:
    """The items of a change that were not undone, locked."""
    return connection.execute(_items(number).with_for_update()).all()


def _items(number: str) -> Select[Any]:
    query = select(ITEMS).where(ITEMS.c.change_number == number, ITEMS.c.undone_at.is_(None))
    return query.order_by(ITEMS.c.position)


def waits(item: AnyRow) -> bool:
    """Whether the item is still to be carried out on the portal."""
    return bool(item.delivery == "recorded" and item.due_at is None)


def _deliver(work: Work, item: AnyRow) -> datetime:
    """The item is on the portal; when it takes effect. A user's data does at once, an access after the delay."""
    effect = EFFECTS.get(item.kind)
    instant = effect(work, item) if effect else work.now
    values: dict[str, object] = {
        "delivery": "delivered",
        "delivered_at": work.now,
        "delivered_by": work.actor.identity,
        "problem": None,
    }
    values |= {"due_at": instant, "version": item.version + 1}
    if instant <= work.now:
        values |= {"delivery": "active", "active_at": work.now}
    work.connection.execute(update(ITEMS).where(ITEMS.c.id == item.id).values(values))
    return instant


def _takes_effect(work: Work, item: AnyRow) -> datetime:
    """A grant or an assignment counts from its start, after the delay; other days of one that is held hold from now on."""
    table = TABLES[item.kind]
    instant = due_instant(_starts_anew(item) or work.today, work.now, work.activation_delay)
    mine = table.c.id == item.object_id
    if item.before is not None and not _overtaken(work.connection, item):
        days = _days(item.after)
        work.connection.execute(update(table).where(mine).values(days))
        if days["ends_on"] is not None:
            due.end(work.connection, item.kind, item.object_id, days["ends_on"])
    active_at = work.connection.execute(select(table.c.active_at).where(mine)).scalar()
    if active_at is None or active_at > instant:
        work.connection.execute(update(table).where(mine).values(active_at=instant))
    return instant


def _overtaken(connection: Connection, item: AnyRow) -> bool:
    """Whether a later change of the same thing was carried out first."""
    later = select(ITEMS.c.id).where(
        ITEMS.c.account_id == item.account_id,
        ITEMS.c.object_id == item.object_id,
        ITEMS.c.change_number > item.change_number,
        ITEMS.c.delivered_at.is_not(None),
    )
    return connection.execute(later.limit(1)).first() is not None


def _starts_anew(item: AnyRow) -> date | None:
    """The start that the item brings, None where only the end moved."""
    before, after = (item.before or {}).get("starts_on"), item.after["starts_on"]
    return None if before == after else _day(after)


def _days(held: Mapping[str, Any]) -> dict[str, date | None]:
    return {name: _day(held[name]) for name in ("starts_on", "ends_on")}


def _day(iso: str | None) -> date | None:
    return date.fromisoformat(iso) if iso else None


Effect = Callable[[Work, AnyRow], datetime]
"""What a kind of item does in the register when it is done on the portal; the instant from which it holds."""
EFFECTS: dict[str, Effect] = {
    GRANT: _takes_effect,
    ASSIGNMENT: _takes_effect,
    LINK: _takes_effect,
    ACTIVATE_QUALITY: qualities.takes_effect,
}
"""By the kind of item; what is not here has been done when it was recorded, and holds at once."""


# -- does it work? --------------------------------------------------------------------------------


def verify(work: Work, request: Verify) -> Done:
    """Somebody has tried it: it works, or it is to do anew. What was not done yet cannot be tried.

    Raises NotAllowed for a change that does not exist or lies outside the mandate, Refusal where it is not on the portal yet.
    """
    change, items = _change(work, request.number)
    if any(item.delivered_at is None or item.due_at is None or item.due_at > work.now for item in items):
        raise Refusal(m("verify.too_early"))
    if request.problem is not None and request.problem not in PROBLEMS:
        raise Refusal(m("verify.no_word"))
    body: dict[str, Any]
    if request.problem is None:
        items = [item for item in items if item.delivery != "verified"]
        values = {"delivery": "verified", "verified_at": work.now, "verified_by": work.actor.identity}
        body = {"items": [item.id for item in items]}
    else:
        values = dict.fromkeys(
            ("due_at", "delivered_at", "delivered_by", "active_at", "verified_at", "verified_by")
        )
        values |= {"delivery": "recorded", "problem": request.problem}
        body = {"items": [item.id for item in items], "problem": request.problem}
    for item in items:
        fresh = {**values, "version": item.version + 1}
        if request.problem is None and item.active_at is None:
            fresh["active_at"] = item.due_at
        work.connection.execute(update(ITEMS).where(ITEMS.c.id == item.id).values(fresh))
        table = TABLES.get(item.kind)
        if request.problem is not None and item.kind == ACTIVATE_QUALITY:
            qualities.taken_back(work, item)
        if request.problem is not None and table is not None:
            back = {"active_at": None} if item.before is None else _days(item.before)
            if back and not _overtaken(work.connection, item):
                work.connection.execute(update(table).where(table.c.id == item.object_id).values(back))
    if items:
        entry = audit.Entry(
            "failed" if request.problem else "verified",
            work.actor.identity,
            items[0].subject_id,
            request.number,
            body,
        )
        audit.append(work.connection, work.keyring, change.entity_id, entry, work.now)
    return Done(request.number, account=items[0].account_id or "" if items else "")

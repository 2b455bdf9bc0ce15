"""GrantAccess: everything checked again under the transaction, then everything written, once.

What was possible when the card was drawn may not be now: mandates end, accounts get blocked, two managers meet on one
person. So the rights, the place, the account's version, the catalogue, the profession, the days and what is held
already are read anew; only then the first row is written (architecture.md, rule 8).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Table, bindparam, insert, select, update

from bot.access import due, newcomers, waiting, wayin
from bot.access.catalogue import Application, Declared, Profession
from bot.access.differences import differences
from bot.access.ending import becomes, live
from bot.access.grounding import Give, keeps, within
from bot.access.insider import judged
from bot.access.newcomers import Newcomer
from bot.access.oneself import acts_of
from bot.access.periods import Period, check_end, check_start, due_instant
from bot.access.places import Place, own_subdivision, place_of
from bot.access.requests import Conflict, Done, GrantAccess
from bot.access.rights import MandateScope, Target, require
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, PROFILES, branch
from bot.access.work import (
    ASSIGNMENT,
    CHANGE_USER,
    CREATE_USER,
    GRANT,
    NOT_ALLOWED,
    REACTIVATE_USER,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import Invalid, NotAllowed
from bot.msg import Say, m
from bot.store.ids import new_id


@dataclass(frozen=True, slots=True)
class Holder:
    """The account that gets the access, as it stands; `account` is empty for somebody new."""

    account: str = ""
    identity: str | None = None
    subdivision: str | None = None
    profession: str | None = None
    version: int = 0
    blocked: bool = False


_HOLDER = (
    select(
        ACCOUNTS.c.id.label("account"),
        PROFILES.c.identity_id.label("identity"),
        ACCOUNTS.c.subdivision_id.label("subdivision"),
        ACCOUNTS.c.profession,
        ACCOUNTS.c.version,
        ACCOUNTS.c.status,
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .where(ACCOUNTS.c.id == bindparam("account"), ACCOUNTS.c.quality_id == bindparam("quality"))
    .with_for_update(of=ACCOUNTS)
)
_TABLES: dict[str, tuple[Table, str]] = {
    GRANT: (GRANTS, "application"),
    ASSIGNMENT: (ASSIGNMENTS, "function"),
}


def grant_access(work: Work, request: GrantAccess) -> Done | Conflict:
    """Gives the access; raises Refusal, with the step to ask again where another answer helps."""
    mandates = work.mandates()
    place = place_of(work, mandates, request.quality)
    newcomer: Newcomer | None = None
    if request.user:
        holder = Holder(subdivision=own_subdivision(work.connection, mandates, place, work.today))
        _require(work, mandates, place, holder, request)  # before anything is said about the person
        newcomer = newcomers.checked(work, request.user, place.entity, place.quality)
        holder = replace(holder, identity=newcomer.identity)
        _require(work, mandates, place, holder, request)
    else:
        holder = _holder(work, request)
        _require(work, mandates, place, holder, request)
        if holder.blocked and not request.reactivate:
            raise Declined(m("act.blocked"), "person")
        if request.version is not None and request.version != holder.version:
            said = differences(work.connection, work.catalogue, holder.account, request.version)
            return Conflict(said, holder.version)
    declared = _profession(work, request, place, holder)
    held = live(work, holder.account)
    keeps(work, holder.profession, declared, held)
    gives = within(work, declared, held, tuple(_gives(work, request, holder)))
    if place.delivery == "portal":
        renewed = waiting.renewals(work.connection, [give.row for give in gives if give.row])
        gives = tuple(
            give
            for give in gives
            if give.row not in renewed or renewed[give.row].ends_on != give.period.ends_on
        )
    if not gives:
        raise Declined(m("act.nothing_new"), "applications")
    return _write(work, place, holder, newcomer, declared, gives)


# -- where, who, may he ---------------------------------------------------------------------------


def _holder(work: Work, request: GrantAccess) -> Holder:
    bound = {"account": request.account, "quality": request.quality}
    row = work.connection.execute(_HOLDER, bound).one_or_none()
    if row is None or row.status == "deleted":
        raise NotAllowed(NOT_ALLOWED)
    return Holder(
        row.account,
        row.identity,
        row.subdivision,
        row.profession,
        row.version,
        blocked=row.status == "blocked",
    )


def _require(
    work: Work, mandates: Sequence[MandateScope], place: Place, holder: Holder, request: GrantAccess
) -> None:
    """Raises NotAllowed unless the actor may do all that the request means, here and to this person, today."""
    actor = work.actor.identity
    path = branch(work.connection, holder.subdivision)
    target = Target(place.entity, place.quality, path, place.enterprise, holder.identity)
    acts = acts_of(request, blocked=holder.blocked)
    target = judged(work, acts, target)
    for act in acts:
        require(mandates, act, target, actor=actor, today=work.today)


# -- what the catalogue and the profession demand -------------------------------------------------


def _profession(work: Work, request: GrantAccess, place: Place, holder: Holder) -> str | None:
    """The profession to record; raises Declined where applications, profession and function do not fit.

    A physician or a hospital pharmacist must not get a collaborator's function, a collaborator must (`domain.md`,
    trap 6).
    """
    chosen = _applications(work, request, place)
    held = {row.key for row in _live(work, ASSIGNMENT, holder.account)}
    if request.profession is not None:
        if request.profession not in set(Profession):
            raise Declined(m("act.profession_gone"), "profession")
        profession: Profession | None = Profession(request.profession)
    else:
        profession = Profession.of(holder.profession, held)
    needs = any(application.requires_function for application in chosen)
    if needs and profession is None:
        raise Declined(m("act.profession_needed"), "profession")
    expected = profession.function if profession and needs else None
    if expected and not all(
        expected in application.functions for application in chosen if application.requires_function
    ):
        raise Declined(m("act.function_unfit"), "profession")
    if request.function not in {None, expected}:
        raise Declined(m("act.function_not_wanted"), "profession")
    if expected and request.function is None and expected not in held:
        raise Declined(m("act.function_needed"), "profession")
    declared = profession.declared.value if profession else holder.profession
    if held and declared not in {None, Declared.COLLABORATOR}:
        raise Declined(m("act.function_held"), "profession")
    return declared


def _applications(work: Work, request: GrantAccess, place: Place) -> list[Application]:
    offered = {application.key: application for application in work.catalogue.applications_of(place.key)}
    if not request.applications or not set(request.applications) <= offered.keys():
        raise Declined(m("act.application_gone"), "applications")
    return [offered[key] for key in dict.fromkeys(request.applications)]


# -- what is held, and what is to be given --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Held:
    row: str
    key: str
    period: Period


def _live(work: Work, kind: str, account: str) -> list[_Held]:
    """The account's grants or assignments that are not over."""
    if not account:
        return []
    table, key = _TABLES[kind]
    query = select(table.c.id, table.c[key].label("key"), table.c.starts_on, table.c.ends_on).where(
        table.c.account_id == account,
        table.c.revoked_at.is_(None),
        table.c.ends_on.is_(None) | (table.c.ends_on >= work.today),
    )
    rows = work.connection.execute(query.order_by(table.c.starts_on, table.c.id))
    return [_Held(row.id, row.key, Period(row.starts_on, row.ends_on)) for row in rows]


def _gives(work: Work, request: GrantAccess, holder: Holder) -> Iterator[Give]:
    """What is missing of the request: new rows and longer ones; what is held already is left out."""
    period = _period(work, request)
    held = _live(work, GRANT, holder.account)
    for key in dict.fromkeys(request.applications):
        name = work.catalogue.application(key).name
        yield from _give(GRANT, key, name, period, [each for each in held if each.key == key], work.today)
    if request.function:
        label = work.catalogue.function(request.function).label
        own = [each for each in _live(work, ASSIGNMENT, holder.account) if each.key == request.function]
        yield from _give(ASSIGNMENT, request.function, label, period, own, work.today)


def _period(work: Work, request: GrantAccess) -> Period:
    if request.starts_on is None and (request.function or request.ends_on):
        raise Declined(m("act.start_needed"), "start")
    starts_on = request.starts_on or work.today
    try:
        check_start(starts_on, today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "start") from None
    if request.ends_on is not None:
        try:
            check_end(request.ends_on, starts_on=starts_on, today=work.today)
        except Invalid as invalid:
            raise Declined(invalid.msg, "end") from None
    return Period(starts_on, request.ends_on)


def _give(
    kind: str, key: str, name: Say, period: Period, held: Sequence[_Held], today: date
) -> Iterator[Give]:
    touched = [each for each in held if each.period.overlaps(period)]
    if not touched:
        yield Give(kind, key, period)
        return
    if len(touched) > 1:
        raise Declined(m("act.periods_overlap", what=name), "start")
    old = touched[0].period
    # what has begun stays begun; giving never shortens
    starts_on = old.starts_on if old.starts_on <= today else min(old.starts_on, period.starts_on)
    ends_on = None if None in {old.ends_on, period.ends_on} else max(old.ends_on, period.ends_on)  # type: ignore[type-var]
    longer = Period(starts_on, ends_on)
    if longer != old:
        yield Give(kind, key, longer, touched[0].row, old)


# -- writing --------------------------------------------------------------------------------------


def _write(
    work: Work,
    place: Place,
    holder: Holder,
    newcomer: Newcomer | None,
    declared: str | None,
    gives: Sequence[Give],
) -> Done:
    portal = place.delivery == "portal"
    number = open_change(work, "grant", place.entity, place.quality)
    items: list[Item] = []
    if newcomer:
        made = newcomers.make(
            work, newcomer, place.entity, place.quality, subdivision=holder.subdivision, profession=declared
        )
        holder = replace(holder, account=made.account, identity=made.identity, profession=declared)
        after = {"quality": place.quality, "subdivision": holder.subdivision, "profession": declared}
        personal = newcomer.described()
        items.append(
            Item(
                CREATE_USER,
                made.account,
                made.account,
                made.identity,
                after=after,
                settled=not portal,
                personal=personal,
            )
        )
    assert holder.identity is not None
    if holder.blocked:
        change = (REACTIVATE_USER, {"status": "blocked"}, {"status": "active"})
        items.append(becomes(work, holder.account, holder.identity, *change, delivery=place.delivery))
    if declared != holder.profession:
        before, after = {"profession": holder.profession}, {"profession": declared}
        items.append(
            Item(
                CHANGE_USER,
                holder.account,
                holder.account,
                holder.identity,
                None,
                before,
                after,
                settled=not portal,
            )
        )
    items += [_given(work, give, holder.account, holder.identity, number, portal=portal) for give in gives]
    version = holder.version + 1
    changed = {"version": version, "changed_at": work.now, "profession": declared}
    changed |= {"status": "active", "status_reason": None} if holder.blocked else {}
    work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == holder.account).values(changed))
    add_items(work, number, items, version=version)
    instants = sorted({item.due for item in items if item.due})
    for instant in instants:
        due.activation(work.connection, number, instant)
    audited(work, place.entity, number, items)
    mailed = newcomer is not None and wayin.welcome(work, holder.account)
    return Done(number, instants[-1] if instants else None, holder.account, mailed=mailed)


def _given(work: Work, give: Give, account: str, identity: str, number: str, *, portal: bool) -> Item:
    """Writes one grant or assignment, and the end that will come; its item."""
    table, column = _TABLES[give.kind]
    effective = None if portal else _due(work, give)
    starts_on, ends_on = give.period.starts_on, give.period.ends_on
    if give.old is None:
        row = new_id()
        work.connection.execute(
            insert(table).values(
                {
                    "id": row,
                    "account_id": account,
                    column: give.key,
                    "starts_on": starts_on,
                    "ends_on": ends_on,
                    "recorded_at": work.now,
                    "active_at": effective,
                    "change_number": number,
                }
            )
        )
    elif portal:
        row = give.row  # the old days hold until it is done there (`handover.EFFECTS`)
    else:
        row = give.row
        values: dict[str, date | datetime | None] = {"starts_on": starts_on, "ends_on": ends_on}
        if effective is not None and starts_on != give.old.starts_on:
            values["active_at"] = effective
        work.connection.execute(update(table).where(table.c.id == row).values(values))
    if ends_on is not None and not (portal and give.old):
        due.end(work.connection, give.kind, row, ends_on)
    return Item(give.kind, account, row, identity, give.key, _days(give.old), _days(give.period), effective)


def _due(work: Work, give: Give) -> datetime:
    """When it takes effect: a longer access that has begun, after the delay; else as the start says."""
    begun = give.old is not None and give.old.starts_on == give.period.starts_on
    return due_instant(work.today if begun else give.period.starts_on, work.now, work.activation_delay)


def _days(period: Period | None) -> dict[str, str | None] | None:
    if period is None:
        return None
    return {
        "starts_on": period.starts_on.isoformat(),
        "ends_on": period.ends_on.isoformat() if period.ends_on else None,
    }

"""Linking a collaborator to the physician or pharmacist who answers for him, ending a link, moving its end.

Whoever answers has an active account of the same quality and the profession that the function asks for; nobody answers for
himself. With a function its links end, and with an account those of both sides; where the responsible is only blocked they
stay and do not count (`leaders`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, bindparam, insert, or_, select, update

from bot.access import due
from bot.access.functions import account_of, assigned, check_days, conflict_of, days_of, noted
from bot.access.leaders import LINKED, led_functions, not_over
from bot.access.periods import Period, check_end, due_instant
from bot.access.requests import ChangeLink, Conflict, Done, LinkResponsible
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ITEMS, PROFILES, RESPONSIBILITIES, AnyRow
from bot.access.work import LINK, NOT_ALLOWED, UNLINK, Declined, Item, Work, open_change, withdraw
from bot.errors import Invalid, NotAllowed
from bot.msg import m
from bot.store.ids import new_id

_LEADER = (
    select(
        ACCOUNTS.c.id, ACCOUNTS.c.quality_id, ACCOUNTS.c.status, ACCOUNTS.c.profession, PROFILES.c.identity_id
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .where(ACCOUNTS.c.id == bindparam("account"))
)


def link_responsible(work: Work, request: LinkResponsible) -> Done | Conflict:
    """Writes the link; raises Refusal, with the step to ask again where another answer helps."""
    both = ACCOUNTS.c.id.in_({request.account, request.responsible})
    work.connection.execute(select(ACCOUNTS.c.id).where(both).order_by(ACCOUNTS.c.id).with_for_update())
    row = account_of(work, request.account, Act.LINK_RESPONSIBLE)
    if row.status == "blocked":
        raise Declined(m("act.blocked"), "person")
    if request.version != row.version:
        return conflict_of(work, row, request.version)
    check_days(work, request.starts_on, request.ends_on)
    _exercises(work, row, request)
    leader = _leader(work, row, request.responsible, request.function)
    period = Period(request.starts_on, request.ends_on)
    _not_twice(work, row.id, leader.id, request.function, period)
    number = open_change(work, LINK, row.entity_id, row.quality_id)
    effective = None
    if row.delivery != "portal":
        effective = due_instant(request.starts_on, work.now, work.activation_delay)
        due.activation(work.connection, number, effective)
    made = new_id()
    work.connection.execute(
        insert(RESPONSIBILITIES).values(
            id=made,
            account_id=row.id,
            responsible_id=leader.id,
            function=request.function,
            starts_on=request.starts_on,
            ends_on=request.ends_on,
            recorded_at=work.now,
            active_at=effective,
            change_number=number,
        )
    )
    if request.ends_on is not None:
        due.end(work.connection, LINK, made, request.ends_on)
    after = {**days_of(request.starts_on, request.ends_on), "responsible": leader.id}
    item = Item(LINK, row.id, made, row.identity_id, request.function, None, after, effective)
    return noted(work, row, number, [item])


def change_link(work: Work, request: ChangeLink) -> Done | Conflict:
    """Ends the link, now or on a day, or lets it last longer; raises Refusal."""
    row = account_of(work, request.account, Act.LINK_RESPONSIBLE)
    if request.version != row.version:
        return conflict_of(work, row, request.version)
    mine = (RESPONSIBILITIES.c.id == request.link) & (RESPONSIBILITIES.c.account_id == row.id)
    link = next(iter(_links(work, mine)), None)
    if link is None:
        raise Declined(m("act.link.gone"), "link")
    if not request.now:
        _checked(work, link, request.ends_on)
    portal = row.delivery == "portal"
    if request.now or _shorter(link, request.ends_on):
        number = open_change(work, UNLINK, row.entity_id, row.quality_id)
        return noted(work, row, number, [_stop(work, row, link, request.ends_on, portal=portal)])
    leader = _leader(work, row, link.responsible_id, link.function)
    period = Period(link.starts_on, request.ends_on)
    _not_twice(work, row.id, leader.id, link.function, period, but=link.id)
    number = open_change(work, LINK, row.entity_id, row.quality_id)
    return noted(work, row, number, [_longer(work, row, link, request.ends_on, number, portal=portal)])


# -- with a function, with an account ---------------------------------------------------------------


def end_with_functions(
    work: Work, account: AnyRow, functions: Iterable[str], ends_on: date | None
) -> list[Item]:
    """The links of functions that end, now or on that day: whoever exercises nothing has nobody to answer for him."""
    keys = tuple(functions)
    if not keys:
        return []
    of = (RESPONSIBILITIES.c.account_id == account.id) & RESPONSIBILITIES.c.function.in_(keys)
    portal = account.delivery == "portal"
    return [
        _stop(work, account, link, ends_on, portal=portal)
        for link in _links(work, of)
        if ends_on is None or _shorter(link, ends_on)
    ]


def end_with_account(work: Work, account: AnyRow) -> list[Item]:
    """Every link of an account that is deleted: those above it, and those of the people whom it answered for."""
    of = or_(RESPONSIBILITIES.c.account_id == account.id, RESPONSIBILITIES.c.responsible_id == account.id)
    # the portal's user goes with his links
    return [_stop(work, account, link, None, portal=False) for link in _links(work, of)]


# -- what it needs --------------------------------------------------------------------------------


def _exercises(work: Work, row: AnyRow, request: LinkResponsible) -> None:
    """Raises Declined unless the collaborator exercises the function on the first day."""
    if request.function not in led_functions(work.catalogue):
        raise Declined(m("act.link.no_function"), "function")
    held = assigned(work, row.id, request.function)
    if not held:
        raise Declined(m("act.link.no_function"), "function")
    if not any(
        each.starts_on <= request.starts_on and (each.ends_on is None or request.starts_on <= each.ends_on)
        for each in held
    ):
        raise Declined(m("act.link.outside", since=held[0].starts_on), "start")


def _leader(work: Work, row: AnyRow, responsible: str, function: str) -> AnyRow:
    """Who is to answer, where he can: NotAllowed for whom the actor does not see."""
    leader = work.connection.execute(_LEADER, {"account": responsible}).one_or_none()
    if leader is None or leader.quality_id != row.quality_id or leader.status == "deleted":
        raise NotAllowed(NOT_ALLOWED)
    if leader.identity_id == row.identity_id:
        raise Declined(m("act.link.oneself"), "responsible")
    if leader.status != "active":
        raise Declined(m("act.link.blocked"), "responsible")
    wanted = led_functions(work.catalogue).get(function)
    if leader.profession != wanted:
        raise Declined(m("act.link.not_fitting"), "responsible")
    return leader


def _not_twice(work: Work, account: str, leader: str, function: str, period: Period, but: str = "") -> None:
    query = select(LINKED).where(
        LINKED.c.account_id == account,
        LINKED.c.responsible_id == leader,
        LINKED.c.function == function,
        LINKED.c.id != but,
        not_over(work.today),
    )
    for other in work.connection.execute(query).all():
        if Period(other.starts_on, other.ends_on).overlaps(period):
            raise Declined(m("act.link.overlap", since=other.starts_on), "until" if but else "start")


def _checked(work: Work, link: AnyRow, ends_on: date | None) -> None:
    if ends_on == link.ends_on:
        raise Declined(m("act.end.same"), "until")
    if ends_on is None:
        return
    try:
        check_end(ends_on, starts_on=max(link.starts_on, work.today), today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "until") from None


def _links(work: Work, of: ColumnElement[bool]) -> list[AnyRow]:
    """The links that are not over, locked."""
    query = select(RESPONSIBILITIES).where(
        of,
        RESPONSIBILITIES.c.revoked_at.is_(None),
        or_(RESPONSIBILITIES.c.ends_on.is_(None), RESPONSIBILITIES.c.ends_on >= work.today),
    )
    return list(work.connection.execute(query.order_by(RESPONSIBILITIES.c.id).with_for_update()).all())


def _shorter(link: AnyRow, ends_on: date | None) -> bool:
    return ends_on is not None and (link.ends_on is None or ends_on < link.ends_on)


# -- what is written ------------------------------------------------------------------------------


def _stop(work: Work, account: AnyRow, link: AnyRow, ends_on: date | None, *, portal: bool) -> Item:
    """The link ends: at once, or where it has not begun by that day; else its last day is noted."""
    at_once = ends_on is None or link.starts_on > ends_on
    values: dict[str, Any] = {"revoked_at": work.now} if at_once else {"ends_on": ends_on}
    work.connection.execute(update(RESPONSIBILITIES).where(RESPONSIBILITIES.c.id == link.id).values(values))
    _withdraw(work, link.id, whole=at_once)
    if ends_on is not None and not at_once:
        due.end(work.connection, LINK, link.id, ends_on)
    last = work.today if at_once or ends_on is None else ends_on
    return Item(
        UNLINK,
        account.id,
        link.id,
        account.identity_id,
        link.function,
        before=days_of(link.starts_on, link.ends_on),
        after={**days_of(link.starts_on, last), "responsible": link.responsible_id, "revoked": at_once},
        # what was never done on the portal need not be undone there
        settled=not portal or (at_once and link.active_at is None),
    )


def _longer(
    work: Work, row: AnyRow, link: AnyRow, ends_on: date | None, number: str, *, portal: bool
) -> Item:
    if not portal or link.active_at is None:  # there the old end holds until the new one is done
        values = {"ends_on": ends_on}
        work.connection.execute(
            update(RESPONSIBILITIES).where(RESPONSIBILITIES.c.id == link.id).values(values)
        )
        if ends_on is not None:
            due.end(work.connection, LINK, link.id, ends_on)
    _withdraw(work, link.id, whole=False)
    effective = None
    if not portal:
        effective = due_instant(work.today, work.now, work.activation_delay)
        due.activation(work.connection, number, effective)
    after = {**days_of(link.starts_on, ends_on), "responsible": link.responsible_id}
    before = days_of(link.starts_on, link.ends_on)
    return Item(LINK, row.id, link.id, row.identity_id, link.function, before, after, effective)


def _withdraw(work: Work, link: str, *, whole: bool) -> None:
    """What is recorded about this link and has not come about yet will not: all of it, or its earlier ends only."""
    kinds = (LINK, UNLINK) if whole else (UNLINK,)
    withdraw(work, ITEMS.c.object_id == link, ITEMS.c.kind.in_(kinds))

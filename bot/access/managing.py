"""Appointing, replacing and ending managers: the rights of `rights.MATRIX` read anew, then everything written, once.

Whoever is appointed is a user of the entity whom the actor may see; nobody appoints, replaces or ends himself, and an entity
that has a responsible keeps one. The appointed person is let in for this entity alone, as far as the actor may let him in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import insert, or_, select, update

from bot.access import letters, sessions, wayin
from bot.access.mandates import MANDATE, office_of, place_of, reaching
from bot.access.offices import AT_CSAM, OFFICES, ON_PORTAL, Office
from bot.access.periods import latest_day
from bot.access.places import stays_open
from bot.access.requests import AppointManager, Done, EndMandate, InviteUser
from bot.access.rights import Act, Role, Target, allowed
from bot.access.rows import ACCOUNTS, ENTITIES, MANDATES, PROFILES, QUALITIES, SUBDIVISIONS, AnyRow, branch
from bot.access.work import (
    APPOINT,
    END_MANAGER,
    NOT_ALLOWED,
    REPLACE,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import NotAllowed, Refusal
from bot.msg import m
from bot.store.ids import new_id

DAY = timedelta(days=1)


class Held(NamedTuple):
    """What of a mandate tells whether somebody is there on each day."""

    id: str
    role: str
    entity_id: str | None
    since: date | None
    until: date | None


@dataclass(frozen=True, slots=True)
class Ending:
    """A mandate to end, its office, and until when it is to count; None is now."""

    row: AnyRow
    office: str
    until: date | None


def appoint_manager(work: Work, request: AppointManager) -> Done:
    """Appoints the person, ends whom he replaces, and lets him in. Raises Refusal."""
    office, entity = OFFICES[request.office], _entity(work, request.entity)
    place = _place(work, office, entity, request)
    person = _person(work, office, entity, request.account)
    if request.subdivision is not None and not stays_open(work.connection, request.subdivision):
        raise Declined(m("act.users.ward_closed"), "part")
    work.require(office.act, replace(place, person=person.identity_id))
    if person.status == "blocked":
        raise Declined(m("act.blocked"), "person")
    _check_days(work, request)
    there = mandates_there(work, entity)
    ending = _replaced(work, entity, there, request)
    if (
        ending
        and office.role is Role.RESPONSIBLE
        and not _goes_on([*there, _to_be(request)], ending, work.today)
    ):
        raise Declined(m("act.manager.heir_until"), "until")
    _not_twice(there, request, person.identity_id, ending)
    number = open_change(work, APPOINT, entity.id, request.quality)
    items = [_appointed(work, entity, request, person)]  # the change is about him
    if ending:  # elsewhere the two are one thing to do
        items.append(replace(write_end(work, entity, ending), settled=True))
    add_items(work, number, items, version=0)
    done = _let_in(work, request)
    audited(work, entity.id, number, items)
    return replace(done, number=number)


def end_mandate(work: Work, request: EndMandate) -> Done:
    """Ends the mandate, now or at the end of a day. Raises Refusal, for the last responsible too."""
    entity = _entity(work, request.entity)
    there = mandates_there(work, entity)
    row = next((row for row in there if row.id == request.mandate), None)
    if row is None or office_of(row) != request.office:
        raise NotAllowed(NOT_ALLOWED)
    work.require(OFFICES[request.office].act, place_of(work.connection, row, entity.enterprise_id))
    if request.on and not max(work.today, row.since or work.today) <= request.on:
        raise Declined(m("act.manager.too_early"), "day")
    if request.on and row.until and request.on > row.until:
        raise Declined(m("act.manager.only_shorter", day=row.until), "day")
    ending = Ending(row, request.office, request.on)
    if row.role == Role.RESPONSIBLE and not _goes_on(there, ending, work.today):
        raise Refusal(m("act.manager.last"))
    number = open_change(work, END_MANAGER, entity.id, row.quality_id)
    items = [write_end(work, entity, ending)]
    add_items(work, number, items, version=0)
    audited(work, entity.id, number, items)
    return Done(number, account=items[0].account or "")


# -- who, where, when -----------------------------------------------------------------------------


def _entity(work: Work, entity: str) -> AnyRow:
    """The entity, if the actor has something to do with it."""
    row = work.connection.execute(select(ENTITIES).where(ENTITIES.c.id == entity)).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    work.require(Act.READ_ENTITY, Target(row.id, enterprise=row.enterprise_id))
    return row


def _place(work: Work, office: Office, entity: AnyRow, request: AppointManager) -> Target:
    """The place as the office wants it: no wider, no narrower, active, and of this entity."""
    if (request.quality is not None) != office.quality or (
        request.subdivision is not None
    ) != office.subdivision:
        raise NotAllowed(NOT_ALLOWED)
    if request.quality is not None:
        query = select(QUALITIES.c.entity_id, QUALITIES.c.active).where(QUALITIES.c.id == request.quality)
        quality = work.connection.execute(query).one_or_none()
        if quality is None or quality.entity_id != entity.id or not quality.active:
            raise NotAllowed(NOT_ALLOWED)
    if request.subdivision is not None:
        part = select(SUBDIVISIONS.c.quality_id).where(
            SUBDIVISIONS.c.id == request.subdivision, SUBDIVISIONS.c.closed_at.is_(None)
        )
        if work.connection.execute(part).scalar() != request.quality:
            raise NotAllowed(NOT_ALLOWED)
    path = branch(work.connection, request.subdivision)
    return Target(entity.id, request.quality, path, entity.enterprise_id)


def user_there(work: Work, entity: AnyRow, account: str) -> tuple[AnyRow, Target]:
    """A user of the entity, locked, and what he is to the rights. Raises NotAllowed for any other."""
    work.connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == account).with_for_update())
    row = letters.addressee(work.connection, account)
    if row is None or row.entity_id != entity.id:
        raise NotAllowed(NOT_ALLOWED)
    path = branch(work.connection, row.subdivision_id)
    return row, Target(row.entity_id, row.quality_id, path, row.enterprise_id, row.identity_id)


def _person(work: Work, office: Office, entity: AnyRow, account: str) -> AnyRow:
    """The user to be appointed, whom the actor must be able to see; a responsible may come from among the managers."""
    row, user = user_there(work, entity, account)
    seen = allowed(work.mandates(), Act.LIST_USERS, user, actor=work.actor.identity, today=work.today)
    if not seen and office.role is Role.RESPONSIBLE:
        there = wayin.managing(work.connection, row, work.today)
        held = {each.role for each in there if each.identity_id == row.identity_id}
        seen = bool(held - {Role.AUDITOR.value})
    if not seen:
        raise NotAllowed(NOT_ALLOWED)
    return row


def _check_days(work: Work, request: AppointManager) -> None:
    last = latest_day(work.today)
    if not work.today <= request.since <= last:
        raise Declined(m("act.manager.since", earliest=work.today, latest=last), "since")
    if request.until is not None and not request.since <= request.until <= last:
        raise Declined(m("act.manager.until", earliest=request.since, latest=last), "until")


def mandates_there(work: Work, entity: AnyRow) -> list[AnyRow]:
    """The mandates that reach into the entity, locked: of two who end the last two responsibles, the second is refused."""
    query = MANDATE.where(reaching(entity.id, entity.enterprise_id, work.today)).order_by(MANDATES.c.id)
    return list(work.connection.execute(query.with_for_update(of=MANDATES)).all())


def _not_twice(there: list[AnyRow], request: AppointManager, identity: str, ending: Ending | None) -> None:
    for row in there:
        if ending and row.id == ending.row.id:
            continue
        same = (row.identity_id, row.role, row.quality_id, row.subdivision_id) == (
            identity, OFFICES[request.office].role, request.quality, request.subdivision,
        )  # fmt: skip
        apart = (row.until is not None and row.until < request.since) or (
            row.since is not None and request.until is not None and request.until < row.since
        )
        if same and not apart:
            raise Declined(m("act.manager.already"), "person")


def _replaced(work: Work, entity: AnyRow, there: list[AnyRow], request: AppointManager) -> Ending | None:
    """Whom the new one replaces: of the same office and place, and to be ended by the actor."""
    if request.replaces is None:
        return None
    row = next((row for row in there if row.id == request.replaces), None)
    place = (request.office, entity.id, request.quality, request.subdivision)
    if row is None or (office_of(row), row.entity_id, row.quality_id, row.subdivision_id) != place:
        raise NotAllowed(NOT_ALLOWED)
    work.require(OFFICES[request.office].act, place_of(work.connection, row, entity.enterprise_id))
    until = request.since - DAY
    if until < work.today or (row.since is not None and row.since > until):
        return Ending(row, request.office, None)
    return Ending(row, request.office, min(until, row.until or until))


def _to_be(request: AppointManager) -> Held:
    """The mandate that the request will give, as `_goes_on` sees it."""
    return Held("", OFFICES[request.office].role.value, request.entity, request.since, request.until)


def _goes_on(there: Sequence[AnyRow | Held], ending: Ending, today: date) -> bool:
    """Whether other responsibles, over the same place or a wider one, are there on each day that this one leaves."""
    others = [
        row
        for row in there
        if row.id != ending.row.id
        and row.role == Role.RESPONSIBLE
        and row.entity_id in {None, ending.row.entity_id}
    ]
    day = max(ending.until + DAY if ending.until else today, ending.row.since or today)
    last = ending.row.until or date.max
    while day <= last:
        reach = [row.until or date.max for row in others if (row.since or day) <= day]
        furthest = max(reach, default=date.min)
        if furthest < day:
            return False
        if furthest == date.max:
            return True
        day = furthest + DAY
    return True


# -- what is written ------------------------------------------------------------------------------


def _appointed(work: Work, entity: AnyRow, request: AppointManager, person: AnyRow) -> Item:
    mandate = new_id()
    work.connection.execute(
        insert(MANDATES).values(
            id=mandate,
            identity_id=person.identity_id,
            role=OFFICES[request.office].role.value,
            entity_id=entity.id,
            quality_id=request.quality,
            subdivision_id=request.subdivision,
            since=request.since,
            until=request.until,
            recorded_at=work.now,
        )
    )
    after = {**_days(request.since, request.until), "subdivision": request.subdivision}
    return Item(
        REPLACE if request.replaces else APPOINT,
        request.account,
        mandate,
        person.identity_id,
        request.office,
        after=after,
        settled=_settled(entity, request.office),
    )


def write_end(work: Work, entity: AnyRow, ending: Ending) -> Item:
    """Ends it, with the person's sessions of the entity where it is over at once."""
    row = ending.row
    values = {"until": ending.until} if ending.until else {"revoked_at": work.now}
    work.connection.execute(update(MANDATES).where(MANDATES.c.id == row.id).values(**values))
    if ending.until is None:
        sessions.end_all(work.connection, row.identity_id, work.now, "mandate", reaching=entity.id)
    account = work.connection.execute(
        select(ACCOUNTS.c.id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(PROFILES.c.identity_id == row.identity_id, ACCOUNTS.c.entity_id == entity.id)
        .where(or_(PROFILES.c.erased_at.is_(None)), ACCOUNTS.c.status != "deleted")
        .order_by(ACCOUNTS.c.id)
    ).scalar()
    return Item(
        END_MANAGER,
        account,
        row.id,
        row.identity_id,
        ending.office,
        before=_days(row.since, row.until),
        after=_days(row.since, ending.until or work.today),
        settled=account is None or _settled(entity, ending.office),
    )


def _settled(entity: AnyRow, office: str) -> bool:
    """Whether nothing is left to do elsewhere: only of an entity of the portal are managers appointed outside of here."""
    return entity.delivery != "portal" or office not in AT_CSAM | ON_PORTAL


def _days(since: date | None, until: date | None) -> dict[str, str | None]:
    return {
        "starts_on": since.isoformat() if since else None,
        "ends_on": until.isoformat() if until else None,
    }


def _let_in(work: Work, request: AppointManager) -> Done:
    """Lets the appointed person in for this entity; not where somebody else would have to (`wayin`)."""
    try:
        return wayin.invite_user(work, InviteUser(request.account, mail=request.mail))
    except NotAllowed:
        return Done(account=request.account)

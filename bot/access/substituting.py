"""Deputies: a manager lets somebody stand in for him in one entity, between two days; either, or his own appointer, ends it.

The deputy holds nothing himself. Whenever mandates are read, those of the manager count for him too, as they are at that
moment (`standing.mandates_of`): what the manager loses, the deputy loses, and what nobody may do to himself his deputy may
not do to him (`rights`). Nobody passes on what he holds for another. Whoever stands in is named with him in the audit.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.access import sessions
from bot.access.managing import user_there
from bot.access.mandates import MANDATE, office_of, place_of, reaching
from bot.access.names import display_name
from bot.access.offices import OFFICES
from bot.access.periods import Period, latest_day
from bot.access.reach import Reach
from bot.access.requests import AppointDeputy, Done, EndDeputy
from bot.access.rights import Act, MandateScope, Target, allowed, mandates_for
from bot.access.rows import ENTITIES, MANDATES, PROFILES, SUBSTITUTIONS, AnyRow
from bot.access.standing import Session
from bot.access.views import DeputyRef
from bot.access.work import (
    DEPUTY,
    END_DEPUTY,
    NOT_ALLOWED,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import NotAllowed
from bot.msg import m
from bot.store.ids import new_id

LONGEST = timedelta(days=366)
"""A deputy is for a time: whoever is needed for longer is appointed himself."""


def appoint_deputy(work: Work, request: AppointDeputy) -> Done:
    """Lets somebody stand in for the actor. Raises Refusal, with the step to ask again where another answer helps."""
    entity = work.connection.execute(select(ENTITIES).where(ENTITIES.c.id == request.entity)).one_or_none()
    own = tuple(mandate for mandate in work.mandates() if mandate.principal is None)
    if entity is None or not _manages(own, entity, work.today):
        raise NotAllowed(NOT_ALLOWED)
    person = _person(work, own, entity, request.account)
    if person.identity_id == work.actor.identity:
        raise NotAllowed(m("rights.own_mandate"))
    if person.status == "blocked":
        raise Declined(m("act.blocked"), "person")
    _check_days(work, request)
    _not_two(work, request)
    number = open_change(work, DEPUTY, entity.id, None)
    made = new_id()
    work.connection.execute(
        insert(SUBSTITUTIONS).values(
            id=made,
            principal_id=work.actor.identity,
            deputy_id=person.identity_id,
            account_id=person.id,
            entity_id=entity.id,
            since=request.since,
            until=request.until,
            recorded_at=work.now,
        )
    )
    after = {**_days(request.since, request.until), "principal": work.actor.identity}
    items = [Item(DEPUTY, person.id, made, person.identity_id, after=after, settled=True)]
    add_items(work, number, items, version=0)
    audited(work, entity.id, number, items)
    return Done(number, account=person.id)


def end_deputy(work: Work, request: EndDeputy) -> Done:
    """Ends it at once; raises NotAllowed unless the actor is one of the two, or could end what the manager holds."""
    query = select(SUBSTITUTIONS).where(
        SUBSTITUTIONS.c.id == request.substitution,
        SUBSTITUTIONS.c.revoked_at.is_(None),
        SUBSTITUTIONS.c.until >= work.today,
    )
    row = work.connection.execute(query.with_for_update()).one_or_none()
    if row is None or not may_end(work.connection, work.mandates(), work.actor, row, work.today):
        raise NotAllowed(NOT_ALLOWED)
    mine = SUBSTITUTIONS.c.id == row.id
    number = open_change(work, END_DEPUTY, row.entity_id, None)
    before = _days(row.since, row.until)
    after = {**_days(row.since, max(row.since, work.today)), "principal": row.principal_id}
    items = [Item(END_DEPUTY, row.account_id, row.id, row.deputy_id, None, before, after, settled=True)]
    add_items(work, number, items, version=0)
    work.connection.execute(update(SUBSTITUTIONS).where(mine).values(revoked_at=work.now))
    if row.deputy_id != work.actor.identity:
        sessions.end_all(work.connection, row.deputy_id, work.now, "mandate", reaching=row.entity_id)
    audited(work, row.entity_id, number, items)
    return Done(number, account=row.account_id)


def may_end(
    connection: Connection, mandates: tuple[MandateScope, ...], actor: Session, row: AnyRow, today: date
) -> bool:
    """The manager, his deputy, or whoever could end one of the manager's mandates there."""
    if not actor.covers(row.entity_id):
        return False
    if actor.identity in {row.principal_id, row.deputy_id}:
        return True
    enterprise = connection.execute(
        select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == row.entity_id)
    ).scalar()
    held = MANDATE.where(
        MANDATES.c.identity_id == row.principal_id, reaching(row.entity_id, enterprise, today)
    )
    for mandate in connection.execute(held).all():
        office = OFFICES.get(office_of(mandate))
        place = place_of(connection, mandate, enterprise)
        if office and allowed(mandates, office.act, place, actor=actor.identity, today=today):
            return True
    return False


# -- what it needs --------------------------------------------------------------------------------


def _manages(own: tuple[MandateScope, ...], entity: AnyRow, today: date) -> bool:
    here = Target(entity.id, enterprise=entity.enterprise_id)
    return any(mandate.covers_entity(here) for mandate in mandates_for(own, Act.APPOINT_DEPUTY, today=today))


def _person(work: Work, own: tuple[MandateScope, ...], entity: AnyRow, account: str) -> AnyRow:
    """A user of the entity whom the manager sees by what he holds himself."""
    row, user = user_there(work, entity, account)
    if not allowed(own, Act.LIST_USERS, user, actor=work.actor.identity, today=work.today):
        raise NotAllowed(NOT_ALLOWED)
    return row


def _check_days(work: Work, request: AppointDeputy) -> None:
    last = latest_day(work.today)
    if not work.today <= request.since <= last:
        raise Declined(m("act.manager.since", earliest=work.today, latest=last), "since")
    if not request.since <= request.until <= request.since + LONGEST:
        latest = request.since + LONGEST
        raise Declined(m("act.manager.until", earliest=request.since, latest=latest), "until")


def _not_two(work: Work, request: AppointDeputy) -> None:
    """One deputy at a time: with two, nobody would know who acts."""
    query = select(SUBSTITUTIONS).where(
        SUBSTITUTIONS.c.principal_id == work.actor.identity,
        SUBSTITUTIONS.c.entity_id == request.entity,
        SUBSTITUTIONS.c.until >= work.today,
        SUBSTITUTIONS.c.revoked_at.is_(None),
    )
    wanted = Period(request.since, request.until)
    for other in work.connection.execute(query).all():
        if Period(other.since, other.until).overlaps(wanted):
            raise Declined(m("act.deputy.already", since=other.since, until=other.until), "since")


def _days(since: date, until: date) -> dict[str, str]:
    return {"starts_on": since.isoformat(), "ends_on": until.isoformat()}


# -- how it is seen -------------------------------------------------------------------------------

_PRINCIPAL, _DEPUTY = PROFILES.alias("principal"), PROFILES.alias("deputy")


class Deputies:
    """What `RegisterDirectory` answers about substitutions that are not over."""

    _connection: Connection
    _session: Session | None
    _reach: Reach
    _today: date

    def deputies(self, entity: str) -> tuple[DeputyRef, ...]:
        """Who stands in for whom in the entity, now or later."""
        if self._session is None or not self._reach.held(entity, Act.READ_ENTITY):
            return ()
        return self._deputies(SUBSTITUTIONS.c.entity_id == entity)

    def standing_in(self) -> tuple[DeputyRef, ...]:
        """For whom the actor stands in today, and who for him, within his session."""
        if self._session is None:
            return ()
        me = self._session.identity
        both = (SUBSTITUTIONS.c.deputy_id == me) | (SUBSTITUTIONS.c.principal_id == me)
        found = self._deputies(both & (SUBSTITUTIONS.c.since <= self._today))
        return tuple(each for each in found if self._reach.held(each.entity, Act.READ_ENTITY))

    def _deputies(self, which: Any) -> tuple[DeputyRef, ...]:
        assert self._session

        def known(profiles: Any, identity: Any) -> Any:
            here = profiles.c.entity_id == SUBSTITUTIONS.c.entity_id
            return (profiles.c.identity_id == identity) & here & profiles.c.erased_at.is_(None)

        query = (
            select(
                SUBSTITUTIONS,
                _PRINCIPAL.c.last_name, _PRINCIPAL.c.first_name,
                _DEPUTY.c.last_name.label("deputy_last"), _DEPUTY.c.first_name.label("deputy_first"),
            )
            .join(_PRINCIPAL, known(_PRINCIPAL, SUBSTITUTIONS.c.principal_id), isouter=True)
            .join(_DEPUTY, known(_DEPUTY, SUBSTITUTIONS.c.deputy_id), isouter=True)
            .where(which, SUBSTITUTIONS.c.revoked_at.is_(None), SUBSTITUTIONS.c.until >= self._today)
            .order_by(SUBSTITUTIONS.c.since, SUBSTITUTIONS.c.id)
        )  # fmt: skip
        return tuple(self._deputy(row) for row in self._connection.execute(query).all())

    def _deputy(self, row: AnyRow) -> DeputyRef:
        assert self._session
        me = self._session.identity
        return DeputyRef(
            id=row.id,
            entity=row.entity_id,
            principal=display_name(row.last_name, row.first_name) if row.last_name else "",
            deputy=display_name(row.deputy_last, row.deputy_first) if row.deputy_last else "",
            since=row.since,
            until=row.until,
            begun=row.since <= self._today,
            mine={row.principal_id: "principal", row.deputy_id: "deputy"}.get(me, ""),
            endable=may_end(self._connection, self._reach.mandates, self._session, row, self._today),
        )

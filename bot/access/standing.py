"""Who speaks, and what he may do today: the session that a proof opened, and the mandates within its scope.

A person who is known but has no session that counts is locked out: nothing of the register is in his scope until he
proves to be there. An invitation opens only the entity that issued it (`security.md`, "A binding has a scope"): mandates elsewhere do not
count in that session, and an enterprise-wide mandate shrinks to the entities of the scope.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, or_, select

from bot.access.rights import Act, MandateScope, Role, Target, allowed
from bot.access.rows import ACCOUNTS, BINDINGS, ENTITIES, MANDATES, PROFILES, SUBSTITUTIONS, AnyRow, branch
from bot.access.sessions import SessionRules, open_of


@dataclass(frozen=True, slots=True)
class Session:
    """An identity as it is proved; `scope` the entities that the proof is good for, None for all.

    `locked`: known by the binding, but without a session that counts; then the scope is empty. `id` is the session's,
    empty where sessions are not kept.
    """

    identity: str
    scope: frozenset[str] | None = None
    locked: bool = False
    id: str = ""
    binding: str = ""

    def covers(self, entity: str) -> bool:
        """Whether the proof is good for that entity."""
        return self.scope is None or entity in self.scope


_BOUND = select(BINDINGS.c.id, BINDINGS.c.identity_id, BINDINGS.c.scope_entity_id).where(
    BINDINGS.c.telegram_id == bindparam("telegram_id"), BINDINGS.c.ended_at.is_(None)
)
_NAME = (
    select(PROFILES.c.first_name, PROFILES.c.last_name, PROFILES.c.entity_id)
    .where(PROFILES.c.identity_id == bindparam("identity"), PROFILES.c.erased_at.is_(None))
    .order_by(PROFILES.c.created_at, PROFILES.c.id)
)
_HELD = select(
    MANDATES.c.role,
    MANDATES.c.enterprise_id,
    MANDATES.c.entity_id,
    MANDATES.c.quality_id,
    MANDATES.c.subdivision_id,
    MANDATES.c.since,
    MANDATES.c.until,
).where(MANDATES.c.identity_id == bindparam("identity"), MANDATES.c.revoked_at.is_(None))
_FOR_OTHERS = (
    select(
        *_HELD.selected_columns,
        SUBSTITUTIONS.c.principal_id,
        SUBSTITUTIONS.c.entity_id.label("place"),
        SUBSTITUTIONS.c.since.label("first"),
        SUBSTITUTIONS.c.until.label("last"),
    )
    .join(SUBSTITUTIONS, SUBSTITUTIONS.c.principal_id == MANDATES.c.identity_id)
    .join(ENTITIES, ENTITIES.c.id == SUBSTITUTIONS.c.entity_id)
    .join(ACCOUNTS, ACCOUNTS.c.id == SUBSTITUTIONS.c.account_id)
    .where(
        SUBSTITUTIONS.c.deputy_id == bindparam("identity"),
        SUBSTITUTIONS.c.revoked_at.is_(None),
        ACCOUNTS.c.status == "active",
        MANDATES.c.revoked_at.is_(None),
        MANDATES.c.role.not_in((Role.LEGAL_REPRESENTATIVE, Role.USER)),
        or_(
            MANDATES.c.entity_id == SUBSTITUTIONS.c.entity_id,
            MANDATES.c.entity_id.is_(None) & (MANDATES.c.enterprise_id == ENTITIES.c.enterprise_id),
        ),
    )
)
"""The mandates, as they are now, of those for whom the person stands in; whatever becomes of them becomes of these."""


def session_of(
    connection: Connection, telegram_id: int, now: datetime, rules: SessionRules
) -> Session | None:
    """The session of a Telegram account, or None for a stranger."""
    bound = connection.execute(_BOUND, {"telegram_id": telegram_id}).one_or_none()
    if bound is None:
        return None
    if not rules.locking:
        return Session(bound.identity_id, _scope_of(bound.scope_entity_id), binding=bound.id)
    opened = open_of(connection, bound.id, now, rules)
    if opened is None:
        return Session(bound.identity_id, frozenset(), locked=True, binding=bound.id)
    return Session(bound.identity_id, _scope_of(opened.scope_entity_id), id=opened.id, binding=bound.id)


def _scope_of(entity: str | None) -> frozenset[str] | None:
    return frozenset({entity}) if entity else None


def name_of(connection: Connection, session: Session) -> str:
    """How to address the person: the name that an entity of the scope knows, or nothing."""
    rows = connection.execute(_NAME, {"identity": session.identity})
    known = next((row for row in rows if session.covers(row.entity_id)), None)
    return f"{known.first_name} {known.last_name}".strip() if known else ""


def chats_of(connection: Connection, identity: str) -> tuple[int, ...]:
    """Where the person can be told something: the chats of his open bindings."""
    query = (
        select(BINDINGS.c.chat_id)
        .where(BINDINGS.c.identity_id == identity, BINDINGS.c.ended_at.is_(None))
        .order_by(BINDINGS.c.bound_at, BINDINGS.c.id)
    )
    return tuple(dict.fromkeys(connection.execute(query).scalars()))


def told(connection: Connection, identity: str, entity: str, today: date) -> tuple[int, ...]:
    """The same, and the chats of whoever stands in for the person in that entity today."""
    query = select(SUBSTITUTIONS.c.deputy_id).where(
        SUBSTITUTIONS.c.principal_id == identity,
        SUBSTITUTIONS.c.entity_id == entity,
        SUBSTITUTIONS.c.since <= today,
        SUBSTITUTIONS.c.until >= today,
        SUBSTITUTIONS.c.revoked_at.is_(None),
    )
    people = [identity, *connection.execute(query.order_by(SUBSTITUTIONS.c.id)).scalars()]
    return tuple(dict.fromkeys(chat for person in people for chat in chats_of(connection, person)))


def mandates_of(connection: Connection, session: Session) -> tuple[MandateScope, ...]:
    """The mandates of the person that count in this session, and those of the people for whom he stands in; their days
    are still to be checked by `rights`.
    """
    held = [_scope(row) for row in connection.execute(_HELD, {"identity": session.identity})]
    held += [_for_another(row) for row in connection.execute(_FOR_OTHERS, {"identity": session.identity})]
    if session.scope is None:
        return tuple(held)
    local = [mandate for mandate in held if mandate.entity in session.scope]
    wide = [mandate for mandate in held if mandate.entity is None]
    if wide:
        query = select(ENTITIES.c.id, ENTITIES.c.enterprise_id).where(ENTITIES.c.id.in_(session.scope))
        for row in connection.execute(query).all():
            local += [
                replace(mandate, entity=row.id) for mandate in wide if mandate.enterprise == row.enterprise_id
            ]
    return tuple(local)


def _scope(row: AnyRow) -> MandateScope:
    return MandateScope(
        role=Role(row.role),
        entity=row.entity_id,
        quality=row.quality_id,
        subdivision=row.subdivision_id,
        enterprise=row.enterprise_id,
        since=row.since,
        until=row.until,
    )


def _for_another(row: AnyRow) -> MandateScope:
    """A mandate of somebody else, in the one entity, on the days that it and the substitution have in common."""
    since = max(row.since, row.first) if row.since else row.first
    until = min(row.until, row.last) if row.until else row.last
    his = replace(_scope(row), entity=row.place, enterprise=None, since=since, until=until)
    return replace(his, principal=row.principal_id)


def target_of(
    connection: Connection, entity: str, quality: str | None, subdivision: str | None = None
) -> Target:
    """What an act touches there, without the person."""
    query = select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == entity)
    enterprise = connection.execute(query).scalar()
    return Target(entity, quality, branch(connection, subdivision), enterprise)


def others_may(connection: Connection, act: Act, target: Target, *, actor: str, today: date) -> bool:
    """Whether somebody else could do it: then nobody does it to himself (`security.md`, *insider*)."""
    query = (
        select(*_HELD.selected_columns, MANDATES.c.identity_id)
        .where(MANDATES.c.revoked_at.is_(None), MANDATES.c.identity_id != actor)
        .where(
            or_(
                MANDATES.c.entity_id == target.entity,
                MANDATES.c.entity_id.is_(None) & (MANDATES.c.enterprise_id == target.enterprise),
            )
        )
    )
    return any(
        allowed([_scope(row)], act, target, actor=row.identity_id, today=today)
        for row in connection.execute(query).all()
    )

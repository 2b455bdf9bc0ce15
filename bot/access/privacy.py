"""What is stored about a person, as data that a person can read: for the operator, an entity, or the person himself.

An entity sees its own profile and what happened there, nothing that another one knows. Others who appear beside the
person (who made a change) are not named: it is his data, not theirs. Of what he proves himself by it says that it is
there and since when: the password's hash, the app's secret and the hashes of codes, links and keys are nobody's to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, or_, select, true

from bot.access.identifiers import Niss
from bot.access.identities import digits_of
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    ATTEMPTS,
    AUTHENTICATORS,
    BINDINGS,
    CHANGES,
    ENTERPRISES,
    ENTITIES,
    GRANTS,
    IDENTITIES,
    INVITATIONS,
    ITEMS,
    MANDATES,
    NUMBERS,
    PASSWORDS,
    PROFILES,
    QUALITIES,
    RECOVERY_CODES,
    RESPONSIBILITIES,
    SESSIONS,
    STEP_UPS,
    SUBDIVISIONS,
    SUBSTITUTIONS,
    TICKETS,
    VISITS,
    AnyRow,
)
from bot.store.audit import personal_place
from bot.store.crypto import IdentityKeys, Unreadable
from bot.store.keys import Keyring
from bot.store.mail import Chat
from bot.store.tables import AuditEntry, core

Scope = frozenset[str] | None
"""The entities whose knowledge is shown, by id; None for all."""
_entries, _chats = core(AuditEntry), core(Chat)


def what_is_stored(
    connection: Connection, keyring: Keyring, identity: str, scope: Scope = None
) -> dict[str, Any]:
    """Everything about an identity, as JSON values. Within a scope national numbers are masked, and what belongs to no
    entity (the Telegram account, invitations) is left out unless it was made for one of these.
    """
    places = {row.id: row.key for row in connection.execute(select(ENTITIES.c.id, ENTITIES.c.key))}
    shown = {key: value for key, value in places.items() if scope is None or key in scope}
    about: dict[str, Any] = {
        "person": _person(connection, keyring, identity, whole=scope is None),
        "profiles": _profiles(connection, identity, shown),
        "mandates": _mandates(connection, identity, shown, whole=scope is None),
        "substitutions": _substitutions(connection, identity, shown),
        "telegram": _bindings(connection, identity, shown, whole=scope is None),
        "invitations": _invitations(connection, identity, shown, whole=scope is None),
        "apps": _apps(connection, identity, shown, whole=scope is None),
        "sessions": _sessions(connection, identity, shown, whole=scope is None),
        "links": _links(connection, identity, shown, whole=scope is None),
        "changes": _changes(connection, identity, shown),
        "audit": _audit(connection, keyring, identity, shown, whole=scope is None),
    }
    if scope is None:
        about["chats"] = _own_chats(connection, identity)
        about["visits"] = _visits(connection, identity, shown)
        about["counted"] = _counted(connection, identity)
    return about


def _person(connection: Connection, keyring: Keyring, identity: str, *, whole: bool) -> dict[str, Any]:
    row = connection.execute(select(IDENTITIES).where(IDENTITIES.c.id == identity)).one()
    # those that were replaced stand before the one that counts, also where all came in one load
    order = (NUMBERS.c.since, NUMBERS.c.until.is_(None), NUMBERS.c.until, NUMBERS.c.id)
    numbers = select(NUMBERS).where(NUMBERS.c.identity_id == identity).order_by(*order)
    shown = []
    for number in connection.execute(numbers).all():
        digits = Niss(digits_of(connection, keyring, number.id))
        niss = digits.formatted if whole else digits.masked
        shown.append({"national_number": niss, "since": _said(number.since), "until": _said(number.until)})
    own = {"created_at": _said(row.created_at), "erased_at": _said(row.erased_at), "national_numbers": shown}
    return {"id": identity, "key": row.key, **own} if whole else own


# -- what entities know ---------------------------------------------------------------------------

_PROFILE = [
    "last_name",
    "first_name",
    "title",
    "language",
    "email",
    "local_email",
    "staff_number",
    "created_at",
    "changed_at",
    "erased_at",
]
_ACCOUNT = ["username", "type", "status", "status_reason", "profession", "created_at", "changed_at"]
_GRANT = ["application", "starts_on", "ends_on", "revoked_at", "recorded_at", "active_at"]
_ASSIGNMENT = ["function", "starts_on", "ends_on", "revoked_at", "recorded_at", "active_at"]
_MANDATE = ["role", "since", "until", "revoked_at", "recorded_at"]


def _profiles(connection: Connection, identity: str, places: dict[str, str]) -> list[dict[str, Any]]:
    query = select(PROFILES).where(PROFILES.c.identity_id == identity).order_by(PROFILES.c.created_at)
    return [
        {"entity": places[row.entity_id], **_of(row, _PROFILE), "accounts": _accounts(connection, row.id)}
        for row in connection.execute(query).all()
        if row.entity_id in places
    ]


def _accounts(connection: Connection, profile: str) -> list[dict[str, Any]]:
    query = (
        select(ACCOUNTS, QUALITIES.c.key.label("quality"), SUBDIVISIONS.c.name.label("subdivision"))
        .join(QUALITIES, QUALITIES.c.id == ACCOUNTS.c.quality_id)
        .join(SUBDIVISIONS, SUBDIVISIONS.c.id == ACCOUNTS.c.subdivision_id, isouter=True)
        .where(ACCOUNTS.c.profile_id == profile)
    )
    return [
        {
            "quality": row.quality,
            "subdivision": row.subdivision,
            **_of(row, _ACCOUNT),
            "password": _password(connection, row.id),
            "applications": _held(connection, GRANTS, row.id, _GRANT),
            "functions": _held(connection, ASSIGNMENTS, row.id, _ASSIGNMENT),
            "under_a_responsible": _held(connection, RESPONSIBILITIES, row.id, _ASSIGNMENT),
            "responsible_for": _held(connection, RESPONSIBILITIES, row.id, _ASSIGNMENT, by="responsible_id"),
        }
        for row in connection.execute(query.order_by(ACCOUNTS.c.created_at)).all()
    ]


def _password(connection: Connection, account: str) -> dict[str, Any] | None:
    row = connection.execute(select(PASSWORDS).where(PASSWORDS.c.account_id == account)).one_or_none()
    return None if row is None else _of(row, ("set_at", "failures", "locked_until"))


def _held(
    connection: Connection, table: Table, account: str, names: Sequence[str], *, by: str = "account_id"
) -> list[dict[str, Any]]:
    query = select(table).where(table.c[by] == account).order_by(table.c.starts_on, table.c.id)
    return [_of(row, names) for row in connection.execute(query)]


def _mandates(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    query = (
        select(MANDATES, ENTERPRISES.c.number, QUALITIES.c.key.label("quality"))
        .join(ENTERPRISES, ENTERPRISES.c.id == MANDATES.c.enterprise_id, isouter=True)
        .join(QUALITIES, QUALITIES.c.id == MANDATES.c.quality_id, isouter=True)
        .where(MANDATES.c.identity_id == identity)
        .order_by(MANDATES.c.recorded_at, MANDATES.c.id)
    )
    return [
        {
            "entity": places.get(row.entity_id),
            "enterprise": row.number,
            "quality": row.quality,
            **_of(row, _MANDATE),
        }
        for row in connection.execute(query)
        if row.entity_id in places or (row.entity_id is None and whole)
    ]


def _substitutions(connection: Connection, identity: str, places: dict[str, str]) -> list[dict[str, Any]]:
    his = or_(SUBSTITUTIONS.c.deputy_id == identity, SUBSTITUTIONS.c.principal_id == identity)
    query = select(SUBSTITUTIONS).where(his, SUBSTITUTIONS.c.entity_id.in_(places))
    names = ("since", "until", "revoked_at", "recorded_at")
    return [
        {"entity": places[row.entity_id], "as_deputy": row.deputy_id == identity, **_of(row, names)}
        for row in connection.execute(query.order_by(SUBSTITUTIONS.c.recorded_at, SUBSTITUTIONS.c.id))
    ]


# -- how he comes in ------------------------------------------------------------------------------


def _bindings(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    names = ("telegram_id", "chat_id", "how", "bound_at", "ended_at")
    rows = _scoped(connection, BINDINGS, "bound_at", identity, places, whole=whole)
    return [{"entity": places.get(row.scope_entity_id), **_of(row, names)} for row in rows]


def _invitations(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    names = ("lang", "made_at", "expires_at", "used_at", "used_by")
    rows = _scoped(connection, INVITATIONS, "made_at", identity, places, whole=whole)
    return [{"entity": places.get(row.scope_entity_id), **_of(row, names)} for row in rows]


def _apps(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    names = ("made_at", "confirmed_at", "failures", "locked_until", "ended_at")
    found = []
    for row in _scoped(connection, AUTHENTICATORS, "made_at", identity, places, whole=whole):
        codes = select(RECOVERY_CODES.c.used_at).where(RECOVERY_CODES.c.authenticator_id == row.id)
        used = connection.execute(codes.order_by(RECOVERY_CODES.c.used_at)).scalars().all()
        said = {"entity": places.get(row.scope_entity_id), **_of(row, names)}
        said["recovery_codes_left"] = used.count(None)
        said["recovery_codes_used_at"] = [_said(at) for at in used if at is not None]
        found.append(said)
    return found


def _sessions(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    names = ("how", "opened_at", "used_at", "ended_at", "ended_why")
    found = []
    for row in _scoped(connection, SESSIONS, "opened_at", identity, places, whole=whole):
        proofs = select(STEP_UPS).where(STEP_UPS.c.session_id == row.id).order_by(STEP_UPS.c.made_at)
        again = [_of(proof, ("how", "made_at", "used_at")) for proof in connection.execute(proofs)]
        found.append({"entity": places.get(row.scope_entity_id), **_of(row, names), "proved_again": again})
    return found


def _links(
    connection: Connection, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    query = select(TICKETS).where(_own_link(identity, places, whole=whole))
    names = ("purpose", "made_at", "expires_at", "used_at")
    return [_of(row, names) for row in connection.execute(query.order_by(TICKETS.c.made_at, TICKETS.c.id))]


def _own_link(identity: str, places: dict[str, str], *, whole: bool) -> ColumnElement[bool]:
    accounts = (
        select(ACCOUNTS.c.id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(PROFILES.c.identity_id == identity, ACCOUNTS.c.entity_id.in_(places))
    )
    personal = or_(TICKETS.c.identity_id == identity, TICKETS.c.telegram_id.in_(_telegrams(identity)))
    of_account = TICKETS.c.account_id.in_(accounts)
    return or_(of_account, personal) if whole else of_account


def _telegrams(identity: str) -> Select[tuple[int]]:
    """The Telegram accounts that stand for the person now."""
    return select(BINDINGS.c.telegram_id).where(
        BINDINGS.c.identity_id == identity, BINDINGS.c.ended_at.is_(None)
    )


def _visits(connection: Connection, identity: str, places: dict[str, str]) -> list[dict[str, Any]]:
    links = select(TICKETS.c.id).where(_own_link(identity, places, whole=True))
    own = or_(VISITS.c.telegram_id.in_(_telegrams(identity)), VISITS.c.ticket_id.in_(links))
    names = ("telegram_id", "lang", "opened_at", "expires_at", "ended_at")
    query = select(VISITS).where(own).order_by(VISITS.c.opened_at, VISITS.c.id)
    return [_of(row, names) for row in connection.execute(query)]


def _counted(connection: Connection, identity: str) -> list[dict[str, Any]]:
    """What was counted so that it is not done too often: trying to log in, looking up a number."""
    known = [identity, *map(str, connection.execute(_telegrams(identity)).scalars())]
    query = select(ATTEMPTS).where(ATTEMPTS.c.who.in_(known)).order_by(ATTEMPTS.c.at, ATTEMPTS.c.id)
    return [_of(row, ("what", "at")) for row in connection.execute(query)]


def _scoped(
    connection: Connection, table: Table, since: str, identity: str, places: dict[str, str], *, whole: bool
) -> Sequence[AnyRow]:
    """The person's rows, oldest first by the column `since`: all of them, or those that were made for one of these entities."""
    here = true() if whole else table.c.scope_entity_id.in_(places)
    query = select(table).where(table.c.identity_id == identity, here)
    return connection.execute(query.order_by(table.c[since], table.c.id)).all()


def _own_chats(connection: Connection, identity: str) -> list[dict[str, Any]]:
    own = select(BINDINGS.c.chat_id).where(BINDINGS.c.identity_id == identity, BINDINGS.c.ended_at.is_(None))
    query = select(_chats).where(_chats.c.chat_id.in_(own)).order_by(_chats.c.chat_id)
    return [
        {
            "chat_id": row.chat_id,
            "language": row.lang,
            "open_dialogue_until": _said(row.state_expires_at) if row.state is not None else None,
            "last_used_at": _said(row.updated_at),
        }
        for row in connection.execute(query)
    ]


# -- what happened --------------------------------------------------------------------------------


def _changes(connection: Connection, identity: str, places: dict[str, str]) -> list[dict[str, Any]]:
    about = select(ITEMS.c.change_number).where(ITEMS.c.subject_id == identity)
    mine = or_(CHANGES.c.number.in_(about), CHANGES.c.author_id == identity)
    query = select(CHANGES).where(mine, CHANGES.c.entity_id.in_(places)).order_by(CHANGES.c.number)
    found = []
    for row in connection.execute(query).all():
        items = select(ITEMS).where(ITEMS.c.change_number == row.number, ITEMS.c.subject_id == identity)
        said = {
            "number": row.number,
            "entity": places[row.entity_id],
            "at": _said(row.recorded_at),
            "made_by_this_person": row.author_id == identity,
            "about_oneself_being_alone": row.own,
            "about_this_person": [
                _of(item, ("kind", "key", "before", "after", "delivery", "due_at", "active_at", "undone_at"))
                for item in connection.execute(items.order_by(ITEMS.c.position))
            ],
        }
        found.append(said)
    return found


def _audit(
    connection: Connection, keyring: Keyring, identity: str, places: dict[str, str], *, whole: bool
) -> list[dict[str, Any]]:
    his = or_(_entries.c.subject_id == identity, _entries.c.actor_id == identity)
    here = true() if whole else _entries.c.chain.in_(places)
    query = select(_entries).where(his, here).order_by(_entries.c.at, _entries.c.chain, _entries.c.seq)
    keys = IdentityKeys(connection, keyring)
    found = []
    for row in connection.execute(query).all():
        about = row.subject_id == identity
        said = {
            "chain": places.get(row.chain, row.chain),
            "entry": row.seq,
            "at": _said(row.at),
            "act": row.act,
            "done_by_this_person": row.actor_id == identity,
            "about_this_person": about,
        }
        if about and row.personal is not None:
            try:
                said["personal"] = keys.unseal(identity, row.personal, personal_place(row.chain, row.seq))
            except Unreadable:
                said["personal"] = None
        found.append(said)
    return found


def _of(row: AnyRow, names: Sequence[str]) -> dict[str, Any]:
    return {name: _said(getattr(row, name)) for name in names}


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value

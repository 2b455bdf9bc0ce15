"""A person erased: the data key destroyed, every name gone from every table, what he held ended; the audit stays valid.

What stays are ids without a name: the history of accounts and changes, and the audit's entries, whose personal parts
nobody can open any more. `TABLES` says for each table what erasing does to it; a test sees that none is forgotten.

One entity can be left without the others (`forget_profile`): each is a controller of its own (`domain.md` 5.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, Table, delete, or_, select, update

from bot.access import contact, entrances, retired
from bot.access.identities import digits_of
from bot.access.rights import Role
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    BINDINGS,
    BLINDS,
    CHANGES,
    ENTERPRISES,
    ENTITIES,
    GRANTS,
    IDENTITIES,
    INVITATIONS,
    ITEMS,
    MANDATES,
    NUMBERS,
    ORIGINS,
    PROFILES,
    RESPONSIBILITIES,
    SUBSTITUTIONS,
)
from bot.errors import OperatorError
from bot.store import audit, chats, inbox, outbox
from bot.store.crypto import IdentityKeys, Unreadable
from bot.store.keys import Keyring

NOBODY = "—"
"""Stands where a name stood: the same in every language."""
IDS = "ids, days and words of the catalogue: no person"
TABLES: Mapping[str, str] = {
    "account_words": "deleted by the database itself as the account's words are blanked",
    "accounts": "ended; user name, words, profession and place blanked, the user name retired",
    "applications": IDS,
    "assignments": "ended",
    "attempts": "the person's own deleted, in whichever way he was counted",
    "audit_anchors": IDS,
    "audit_entries": "stays: ids, and personal parts under the key that is destroyed",
    "audit_heads": IDS,
    "authenticators": "deleted",
    "bindings": "deleted",
    "certificates": IDS,
    "change_items": "stays: ids; what is still to come is undone",
    "changes": "stays: ids; the author's chat blanked",
    "chats": "the person's own deleted; open dialogues that speak of the person wiped",
    "counters": IDS,
    "data_keys": "deleted: the key is destroyed",
    "due": IDS,
    "enterprises": IDS,
    "entities": IDS,
    "facts": IDS,
    "functions": IDS,
    "grants": "ended",
    "identities": "stays, with a neutral key and the instant; a key from a register file retired",
    "invitations": "deleted",
    "kept_keys": IDS,
    "key_checks": IDS,
    "mandates": "ended",
    "national_numbers": "deleted",
    "number_blinds": "deleted",
    "origins": "deleted",
    "outbox": "the person's own deleted; others are sealed, and blanked once delivered",
    "passwords": "deleted",
    "profiles": "blanked",
    "qualities": IDS,
    "recovery_codes": "deleted",
    "responsibilities": "ended",
    "retired_names": "keyed hashes, under a key of the house",
    "seen": "hashes of what may not come twice: no person",
    "sessions": "deleted",
    "step_ups": "deleted",
    "subdivisions": IDS,
    "substitutions": "ended",
    "tickets": "deleted",
    "updates": "the person's own lose body and lane; others are sealed, and blanked once handled",
    "visits": "the person's own deleted; what others keep is sealed, and blanked when their minutes are over",
}


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of each kind ended."""

    accounts: int
    holdings: int
    mandates: int
    bindings: int


def erase(
    connection: Connection,
    keyring: Keyring,
    identity: str,
    *,
    now: datetime,
    why: str,
    actor: str | None = None,
) -> Erased:
    """Erases an identity in the caller's transaction, which ends with the audit entry. `why`: a word for the audit.

    Locks in the order of a turn: chats, register, audit. The caller has seen that nobody needs the person (`blocker`).
    """
    profiles = _profiles(connection, identity, lock=False)
    chats.wipe(connection, keyring, _speaks_of(connection, keyring, identity, profiles))
    # key_share: who holds an account and writes a change about the person need not wait, or each would wait for the other
    person = select(IDENTITIES.c.id).where(IDENTITIES.c.id == identity)
    connection.execute(person.with_for_update(key_share=True))
    profiles = _profiles(connection, identity, lock=True)
    bindings = _unbind(connection, identity)
    accounts, holdings = _forget(connection, keyring, profiles, now)
    mandates = _end(connection, MANDATES, MANDATES.c.identity_id == identity, now)
    stands = or_(SUBSTITUTIONS.c.deputy_id == identity, SUBSTITUTIONS.c.principal_id == identity)
    _end(connection, SUBSTITUTIONS, stands, now)
    numbers = select(NUMBERS.c.id).where(NUMBERS.c.identity_id == identity)
    connection.execute(delete(BLINDS).where(BLINDS.c.number_id.in_(numbers)))
    connection.execute(delete(NUMBERS).where(NUMBERS.c.identity_id == identity))
    _rename(connection, keyring, identity, now)
    IdentityKeys(connection, keyring).destroy(identity)
    erased = Erased(accounts, holdings, mandates, bindings)
    body = {"why": why, "accounts": accounts, "holdings": holdings, "mandates": mandates}
    entry = audit.Entry("privacy.erase", actor=actor, subject=identity, body=body)
    audit.append(connection, keyring, audit.HOUSE, entry, now)
    return erased


def _profiles(connection: Connection, identity: str, *, lock: bool) -> list[str]:
    """The person's profiles; locked, nobody can give one of them a further account (`newcomers.checked`)."""
    query = select(PROFILES.c.id).where(PROFILES.c.identity_id == identity).order_by(PROFILES.c.id)
    return list(connection.execute(query.with_for_update(key_share=True) if lock else query).scalars())


def forget_profile(connection: Connection, keyring: Keyring, profile: str, *, now: datetime) -> None:
    """What one entity knew of a person who left it; the person stays, for the other entities."""
    row = connection.execute(
        select(PROFILES.c.identity_id, PROFILES.c.entity_id, IDENTITIES.c.key, ENTITIES.c.key.label("place"))
        .join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id)
        .join(ENTITIES, ENTITIES.c.id == PROFILES.c.entity_id)
        .where(PROFILES.c.id == profile)
    ).one()
    _close(connection, row.identity_id, row.entity_id, now)
    entrances.forget_scope(connection, row.identity_id, row.entity_id)
    _forget(connection, keyring, [profile], now)
    _forget_origins(connection, f"{row.key}@{row.place}")
    entry = audit.Entry("privacy.forget", subject=row.identity_id, body={"profile": profile})
    audit.append(connection, keyring, row.entity_id, entry, now)


def blocker(connection: Connection, identity: str, today: date) -> str | None:
    """The place whose only responsible manager this is, by its key or number; None where nothing stands against erasing."""
    held = select(MANDATES).where(MANDATES.c.role == Role.RESPONSIBLE, MANDATES.c.revoked_at.is_(None))
    running = [row for row in connection.execute(held) if row.until is None or row.until >= today]
    others = [row for row in running if row.identity_id != identity and (row.since or today) <= today]
    enterprise_of = {row.id: row for row in connection.execute(select(ENTITIES))}
    for row in running:
        if row.identity_id != identity:
            continue
        enterprise = row.enterprise_id or enterprise_of[row.entity_id].enterprise_id
        same = any(
            (row.entity_id is not None and other.entity_id == row.entity_id)
            or (other.entity_id is None and other.enterprise_id == enterprise)
            for other in others
        )
        if not same:
            number = select(ENTERPRISES.c.number).where(ENTERPRISES.c.id == row.enterprise_id)
            place = enterprise_of[row.entity_id].key if row.entity_id else connection.execute(number).scalar()
            return str(place)
    return None


def refuse_blocked(connection: Connection, person: str, identity: str, today: date) -> None:
    """Raises OperatorError, one line, where the person cannot go yet."""
    place = blocker(connection, identity, today)
    if place is not None:
        raise OperatorError(
            f"'{person}' is the only responsible access manager of '{place}': appoint another one first, then erase."
        )


# -- what is his own ------------------------------------------------------------------------------


def _unbind(connection: Connection, identity: str) -> int:
    own = select(BINDINGS).where(BINDINGS.c.identity_id == identity)
    # locked: who opens a session meanwhile has done so before its sessions go, or finds no binding any more
    rows = connection.execute(own.order_by(BINDINGS.c.id).with_for_update()).all()
    bound = BINDINGS.c.telegram_id.in_({row.telegram_id for row in rows})
    elsewhere = select(BINDINGS.c.telegram_id).where(bound, BINDINGS.c.identity_id != identity)
    # a phone that stands for somebody else by now is his
    kept = set(connection.execute(elsewhere).scalars())
    places = {row.chat_id for row in rows if row.telegram_id not in kept}
    chats.forget(connection, places)
    inbox.forget(connection, places)
    outbox.forget(connection, places)
    contact.forget(connection, identity)
    telegrams = {row.telegram_id for row in rows}
    connection.execute(
        update(INVITATIONS).where(INVITATIONS.c.used_by.in_(telegrams - kept)).values(used_by=None)
    )
    connection.execute(delete(INVITATIONS).where(INVITATIONS.c.identity_id == identity))
    entrances.forget_person(connection, identity, telegrams - kept)
    connection.execute(delete(BINDINGS).where(BINDINGS.c.identity_id == identity))
    connection.execute(update(CHANGES).where(CHANGES.c.author_id == identity).values(chat_id=None))
    return sum(row.ended_at is None for row in rows)


def _close(connection: Connection, identity: str, entity: str, now: datetime) -> None:
    """The ways into the chat that are good for this entity alone: its bindings and open invitations end, its cards show no names."""
    his = (BINDINGS.c.identity_id == identity, BINDINGS.c.scope_entity_id == entity)
    query = select(BINDINGS.c.chat_id).where(*his, BINDINGS.c.ended_at.is_(None))
    for chat in sorted(set(connection.execute(query).scalars())):
        chats.redraw(connection, chat, now)
    connection.execute(update(BINDINGS).where(*his, BINDINGS.c.ended_at.is_(None)).values(ended_at=now))
    waiting = (INVITATIONS.c.used_at.is_(None), INVITATIONS.c.expires_at > now)
    codes = (INVITATIONS.c.identity_id == identity, INVITATIONS.c.scope_entity_id == entity)
    connection.execute(update(INVITATIONS).where(*codes, *waiting).values(expires_at=now))


def _rename(connection: Connection, keyring: Keyring, identity: str, now: datetime) -> None:
    key = connection.execute(select(IDENTITIES.c.key).where(IDENTITIES.c.id == identity)).scalar_one()
    neutral = f"p-{identity}"
    if key != neutral:
        retired.retire(connection, keyring, retired.PERSON, [key], now)
    _forget_origins(connection, key)
    connection.execute(
        update(IDENTITIES).where(IDENTITIES.c.id == identity).values(key=neutral, erased_at=now)
    )


def _forget_origins(connection: Connection, person: str) -> None:
    """What a register file wrote about a person, or with `person@entity` about him there."""
    starts = [f"{person}@", f"{person} as "] if "@" not in person else [f"{person}/"]
    like = [ORIGINS.c.key.startswith(start, autoescape=True) for start in starts]
    connection.execute(delete(ORIGINS).where(or_(ORIGINS.c.key == person, *like), ORIGINS.c.kind.in_(_KINDS)))


_KINDS = ("person", "profile", "account", "grant", "assignment", "mandate")


# -- what entities know ---------------------------------------------------------------------------


def _forget(
    connection: Connection, keyring: Keyring, profiles: Sequence[str], now: datetime
) -> tuple[int, int]:
    """Ends and blanks the accounts of profiles, and the profiles; how many accounts and holdings ended."""
    found = select(ACCOUNTS).where(ACCOUNTS.c.profile_id.in_(profiles)).order_by(ACCOUNTS.c.id)
    accounts = connection.execute(found.with_for_update()).all()
    ids = [row.id for row in accounts]
    entrances.forget_accounts(connection, ids)
    ended = sum(_end(connection, table, table.c.account_id.in_(ids), now) for table in (GRANTS, ASSIGNMENTS))
    both = or_(RESPONSIBILITIES.c.account_id.in_(ids), RESPONSIBILITIES.c.responsible_id.in_(ids))
    _end(connection, RESPONSIBILITIES, both, now)
    coming = (ITEMS.c.account_id.in_(ids), ITEMS.c.undone_at.is_(None))
    waits = ITEMS.c.delivery.in_(("recorded", "delivered"))
    connection.execute(update(ITEMS).where(*coming, waits).values(undone_at=now))
    names = {row.username_fold for row in accounts if row.username_fold}
    retired.retire(connection, keyring, retired.USERNAME, names, now)
    connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id.in_(ids)).values(_BLANK_ACCOUNT))
    living = (ACCOUNTS.c.id.in_(ids), ACCOUNTS.c.status != "deleted")
    connection.execute(update(ACCOUNTS).where(*living).values(status="deleted", changed_at=now))
    connection.execute(
        update(PROFILES)
        .where(PROFILES.c.id.in_(profiles), PROFILES.c.erased_at.is_(None))
        .values(**_BLANK_PROFILE, erased_at=now)
    )
    return sum(row.status != "deleted" for row in accounts), ended


_BLANK_ACCOUNT = {
    "username": None,
    "username_fold": None,
    "status_reason": None,
    "profession": None,
    "subdivision_id": None,
    "sort_key": "",
    "search": "",
    "version": ACCOUNTS.c.version + 1,
}
_BLANK_PROFILE = {
    "last_name": NOBODY,
    "first_name": "",
    "title": None,
    "email": None,
    "local_email": None,
    "staff_number": None,
    "sort_key": "",
    "search": "",
    "version": PROFILES.c.version + 1,
}


def _end(connection: Connection, table: Table, of: object, now: datetime) -> int:
    ending = update(table).where(of, table.c.revoked_at.is_(None))  # type: ignore[arg-type]
    return connection.execute(ending.values(revoked_at=now)).rowcount


# -- open dialogues of others ---------------------------------------------------------------------


_APART = dict.fromkeys(map(ord, " \t\u00a0\u202f.-/_"))
"""What may stand between the digits of a number."""


@dataclass(frozen=True, slots=True)
class _Mentions:
    """Whether a text speaks of the person: by an id, a number, a user name or an address, or by both names."""

    marks: frozenset[str]
    names: frozenset[tuple[str, str]]
    numbers: frozenset[str]

    def __call__(self, text: str) -> bool:
        text = text.casefold()
        together = text.translate(_APART)  # a number may stand as it was typed
        return (
            any(mark in text for mark in self.marks)
            or any(number in together for number in self.numbers)
            or any(all(part in text for part in pair if part) for pair in self.names)
        )


def _speaks_of(connection: Connection, keyring: Keyring, identity: str, profiles: Sequence[str]) -> _Mentions:
    known = connection.execute(select(PROFILES).where(PROFILES.c.id.in_(profiles))).all()
    accounts = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.profile_id.in_(profiles))).all()
    marks = {identity, *profiles, *(row.id for row in accounts)}
    marks |= {row.username_fold for row in accounts if row.username_fold}
    marks |= {address.casefold() for row in known for address in (row.email, row.local_email) if address}
    numbers: set[str] = set()
    for row in connection.execute(select(NUMBERS.c.id).where(NUMBERS.c.identity_id == identity)).scalars():
        try:
            numbers.add(digits_of(connection, keyring, row))
        except Unreadable:
            continue
    names = {(row.last_name.casefold(), row.first_name.casefold()) for row in known if row.erased_at is None}
    return _Mentions(frozenset(marks), frozenset(names), frozenset(numbers))

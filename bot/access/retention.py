"""What may no longer be kept: done once a day by the worker, by settings (`domain.md` 5.2, `architecture.md`).

- Invitations that were used or ran out, bindings and sessions that ended, proofs that no longer count, after their time.
- What an entity knows of somebody who left it, a year after his last account, access or mandate there ended.
- The person, once no entity knows him any more.
- Entries of the audit trail, after ten years, leaving a signed anchor.

Open dialogues, updates and messages have shorter times and are tidied every hour (`worker.tidy`), and so
are links, visits and counts of the private pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Row, delete, or_, select

from bot.access import entrances, erasure
from bot.access.periods import brussels_day, end_instant
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    BINDINGS,
    ENTITIES,
    GRANTS,
    IDENTITIES,
    INVITATIONS,
    MANDATES,
    PROFILES,
)
from bot.store import trail
from bot.store.anchors import Outlet
from bot.store.database import Database
from bot.store.keys import Keyring

AnyRow = Row[*tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Periods:
    """How long what is over is kept."""

    invitations: timedelta = timedelta(days=30)
    bindings: timedelta = timedelta(days=365)
    sessions: timedelta = timedelta(days=30)
    """Sessions that ended, and apps that were replaced: no setting, the audit trail tells of each for years."""
    departed: timedelta = timedelta(days=365)
    audit_years: int = 10


@dataclass(frozen=True, slots=True)
class Kept:
    """How many of each went."""

    invitations: int
    bindings: int
    sessions: int
    proofs: int
    profiles: int
    people: int
    entries: int


def apply(
    database: Database, keyring: Keyring, periods: Periods, now: datetime, outlets: Sequence[Outlet] = ()
) -> Kept:
    """Lets go of everything whose time is over. May be killed, and done by two at once."""
    with database.write() as connection:
        invitations = _invitations(connection, now - periods.invitations)
        bindings = _bindings(connection, now - periods.bindings)
        ended, proofs = entrances.let_go(connection, now - periods.sessions)
    profiles = people = 0
    with database.read() as connection:
        left = _left(connection, now, periods.departed)
    for profile in left:
        with database.write() as connection:
            # again, under the lock: somebody may have come back since
            if _profile_left(connection, profile, now, periods.departed, lock=True):
                erasure.forget_profile(connection, keyring, profile, now=now)
                profiles += 1
    with database.read() as connection:
        unknown = _unknown(connection, now, periods.departed)
    for identity in unknown:
        with database.write() as connection:
            if identity in _unknown(connection, now, periods.departed, identity):
                erasure.erase(connection, keyring, identity, now=now, why="retention")
                people += 1
    entries = trail.cut(database, keyring, outlets, _years_before(now, periods.audit_years), now)
    database.scrub()
    return Kept(invitations, bindings, ended, proofs, profiles, people, entries)


def _years_before(now: datetime, years: int) -> datetime:
    day = now.astimezone(UTC)
    return day.replace(year=day.year - years, day=min(day.day, 28 if day.month == 2 else day.day))


def _invitations(connection: Connection, before: datetime) -> int:
    over = or_(INVITATIONS.c.used_at < before, INVITATIONS.c.expires_at < before)
    return connection.execute(delete(INVITATIONS).where(over)).rowcount


def _bindings(connection: Connection, before: datetime) -> int:
    ended = list(connection.execute(select(BINDINGS.c.id).where(BINDINGS.c.ended_at < before)).scalars())
    entrances.let_go_of_bindings(connection, ended)
    return connection.execute(delete(BINDINGS).where(BINDINGS.c.id.in_(ended))).rowcount


# -- who left an entity ---------------------------------------------------------------------------


def _left(connection: Connection, now: datetime, departed: timedelta) -> list[str]:
    """Profiles whose person left the entity long enough ago."""
    lives = select(ACCOUNTS.c.profile_id).where(ACCOUNTS.c.status == "active")  # most: asked about at once
    old = select(PROFILES.c.id).where(
        PROFILES.c.erased_at.is_(None),
        PROFILES.c.changed_at < now - departed,
        PROFILES.c.id.not_in(lives),
    )
    found = connection.execute(old.order_by(PROFILES.c.id)).scalars().all()
    return [profile for profile in found if _profile_left(connection, profile, now, departed)]


def _profile_left(
    connection: Connection, profile: str, now: datetime, departed: timedelta, *, lock: bool = False
) -> bool:
    query = (
        select(PROFILES, ENTITIES.c.enterprise_id)
        .join(ENTITIES, ENTITIES.c.id == PROFILES.c.entity_id)
        .where(PROFILES.c.id == profile, PROFILES.c.erased_at.is_(None))
    )
    own = select(ACCOUNTS).where(ACCOUNTS.c.profile_id == profile).order_by(ACCOUNTS.c.id)
    if lock:
        query, own = query.with_for_update(of=PROFILES, key_share=True), own.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        return False
    accounts = connection.execute(own).all()
    ends = [row.changed_at, *(_account_end(connection, account, now) for account in accounts)]
    here = or_(
        MANDATES.c.entity_id == row.entity_id,
        MANDATES.c.entity_id.is_(None) & (MANDATES.c.enterprise_id == row.enterprise_id),
    )
    mandates = select(MANDATES).where(MANDATES.c.identity_id == row.identity_id, here)
    ends += [_end(mandate.until, mandate.revoked_at, now) for mandate in connection.execute(mandates)]
    return all(end is not None and end < now - departed for end in ends)


def _account_end(connection: Connection, account: AnyRow, now: datetime) -> datetime | None:
    """When it ended; None while it lives. One that is blocked ends with the last thing it holds."""
    if account.status == "deleted":
        return account.changed_at  # type: ignore[no-any-return]
    if account.status != "blocked":
        return None
    last: datetime = account.changed_at
    for table in (GRANTS, ASSIGNMENTS):
        for row in connection.execute(select(table).where(table.c.account_id == account.id)):
            end = _end(row.ends_on, row.revoked_at, now)
            if end is None:
                return None
            last = max(last, end)
    return last


def _end(until: date | None, revoked_at: datetime | None, now: datetime) -> datetime | None:
    """When a period was over; None while it is not, or is still to come."""
    ends = [end for end in (end_instant(until) if until else None, revoked_at) if end is not None]
    first = min(ends, default=None)
    return first if first is not None and first <= now else None


# -- whom nobody knows any more -------------------------------------------------------------------


def _unknown(
    connection: Connection, now: datetime, departed: timedelta, identity: str | None = None
) -> list[str]:
    """Identities that no entity knows, without a mandate that runs or is to come."""
    known = select(PROFILES.c.identity_id).where(PROFILES.c.erased_at.is_(None))
    today = brussels_day(now)
    runs = or_(MANDATES.c.until.is_(None), MANDATES.c.until >= today - departed)
    recent = or_(MANDATES.c.revoked_at.is_(None), MANDATES.c.revoked_at >= now - departed)
    manages = select(MANDATES.c.identity_id).where(runs, recent)
    query = select(IDENTITIES.c.id).where(
        IDENTITIES.c.erased_at.is_(None),
        IDENTITIES.c.created_at < now - departed,
        IDENTITIES.c.id.not_in(known),
        IDENTITIES.c.id.not_in(manages),
    )
    if identity is not None:
        query = query.where(IDENTITIES.c.id == identity).with_for_update(key_share=True)
    return list(connection.execute(query.order_by(IDENTITIES.c.id)).scalars())

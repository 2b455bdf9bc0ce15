"""The national number of a user, noted or corrected after he was made (`domain.md`, trap 11): may be missing at first, and changes.

A wrong number goes with its keyed index, so that whoever it belongs to can be a user; one that was the person's own (BIS, then
NISS) stays as history, and still leads to him. Who proves himself at an identity provider comes in by it: so nobody changes the
number of somebody whom another entity knows too, and nothing is ever merged. One sentence refuses both that and a number that
leads to somebody elsewhere, so that it tells of neither.
"""

from __future__ import annotations

from sqlalchemy import delete, or_, select, update

from bot.access import identities
from bot.access.identifiers import Niss
from bot.access.requests import ChangeUser
from bot.access.rows import ACCOUNTS, BLINDS, IDENTITIES, MANDATES, NUMBERS, PROFILES, AnyRow
from bot.access.work import Declined, Work
from bot.msg import m

STEP = "niss"


def locked(work: Work, account: str) -> None:
    """Locks the account's person, so that two entities, or an erasure, wait for each other. Before all other locks, as erasing does."""
    query = (
        select(IDENTITIES.c.id)
        .join(PROFILES, PROFILES.c.identity_id == IDENTITIES.c.id)
        .join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id)
        .where(ACCOUNTS.c.id == account)
    )
    work.connection.execute(query.with_for_update(of=IDENTITIES, key_share=True))


def masked_now(work: Work, row: AnyRow) -> str:
    """What of the present number is shown; empty where there is none."""
    number = identities.number_row(work.connection, row.identity_id)
    return Niss(identities.digits_of(work.connection, work.keyring, number)).masked if number else ""


def check(work: Work, row: AnyRow, digits: str) -> None:
    """Raises Declined unless this number can be the person's."""
    number = identities.number_row(work.connection, row.identity_id)
    if number and identities.digits_of(work.connection, work.keyring, number) == digits:
        raise Declined(m("act.user.same"), STEP)
    owner = identities.by_number(work.connection, work.keyring, digits)
    if owner not in {None, row.identity_id} and _known_here(work, str(owner), row.entity_id):
        raise Declined(m("act.number.known"), STEP)
    if owner not in {None, row.identity_id} or _known_elsewhere(work, row):
        raise Declined(m("act.number.refused"), STEP)


def _known_here(work: Work, identity: str, entity: str) -> bool:
    query = select(PROFILES.c.id).where(
        PROFILES.c.identity_id == identity, PROFILES.c.entity_id == entity, PROFILES.c.erased_at.is_(None)
    )
    return work.connection.execute(query).first() is not None


def _known_elsewhere(work: Work, row: AnyRow) -> bool:
    """Whether another entity knows the person, or he manages something outside of this one, now or later."""
    profile = select(PROFILES.c.id).where(
        PROFILES.c.identity_id == row.identity_id,
        PROFILES.c.entity_id != row.entity_id,
        PROFILES.c.erased_at.is_(None),
    )
    mandate = select(MANDATES.c.id).where(
        MANDATES.c.identity_id == row.identity_id,
        MANDATES.c.revoked_at.is_(None),
        or_(MANDATES.c.until.is_(None), MANDATES.c.until >= work.today),
        or_(
            MANDATES.c.entity_id != row.entity_id,
            MANDATES.c.entity_id.is_(None) & MANDATES.c.enterprise_id.is_distinct_from(row.enterprise_id),
        ),
    )
    return any(work.connection.execute(query.limit(1)).first() for query in (profile, mandate))


def write(work: Work, row: AnyRow, request: ChangeUser, digits: str) -> None:
    """Gives the person this number; the one before goes, or stays as history where it was his own."""
    old = identities.number_row(work.connection, row.identity_id)
    if old is not None and not request.was_own:
        work.connection.execute(delete(BLINDS).where(BLINDS.c.number_id == old))
        work.connection.execute(delete(NUMBERS).where(NUMBERS.c.id == old))
    identities.set_number(work.connection, work.keyring, row.identity_id, digits, work.now)
    profile = update(PROFILES).where(PROFILES.c.id == row.profile_id)
    work.connection.execute(profile.values(changed_at=work.now, version=PROFILES.c.version + 1))

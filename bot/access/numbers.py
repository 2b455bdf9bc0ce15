"""The national number that a manager types on the portal: opened on a private page for a change that is still to do, never in the chat.

Only where the portal asks for it (somebody is added there, appointed in CSAM, or his number corrected), only for whoever hands that change over, each time
with an entry in the audit trail and counted like a look-up by number.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import select

from bot.access import handover, stepup, visits
from bot.access.identifiers import Niss
from bot.access.identities import digits_of, number_row
from bot.access.names import display_name
from bot.access.rows import PROFILES, AnyRow
from bot.access.userfields import NUMBER
from bot.access.work import APPOINT, CHANGE_USER, CREATE_USER, NOT_ALLOWED, REPLACE, Work
from bot.errors import NotAllowed, Refusal
from bot.msg import m
from bot.store.audit import Entry, append

TYPED = frozenset({CREATE_USER, APPOINT, REPLACE})
"""The kinds of items for which the portal asks for the number; it is also what a correction of the number itself brings."""
LINK = "number"
"""The purpose of a one-time link to it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose number it is, for the page: masked, and in full only once."""

    change: str
    name: str
    masked: str
    entity: str
    identity: str
    row: str
    digits: str = field(default="", repr=False)


def wanted(work: Work, change: str) -> Wanted:
    """What a change on the portal asks for. Raises NotAllowed for a change that is not there or not the actor's to hand over,
    Refusal where nothing waits or no number is known.
    """
    row, items = handover.read(work, change)
    item = next((each for each in items if _typed(each) and handover.waits(each)), None)
    if item is None or item.subject_id is None:
        raise Refusal(m("web.number.nothing"))
    number = number_row(work.connection, item.subject_id)
    if number is None:
        raise Refusal(m("web.number.unknown"))
    query = select(PROFILES.c.last_name, PROFILES.c.first_name).where(
        PROFILES.c.identity_id == item.subject_id, PROFILES.c.entity_id == row.entity_id
    )
    known = work.connection.execute(query.where(PROFILES.c.erased_at.is_(None))).first()
    if known is None:
        raise NotAllowed(NOT_ALLOWED)
    masked = Niss(digits_of(work.connection, work.keyring, number)).masked
    name = display_name(known.last_name, known.first_name)
    return Wanted(change, name, masked, row.entity_id, item.subject_id, number)


def _typed(item: AnyRow) -> bool:
    return item.kind in TYPED or (item.kind == CHANGE_USER and item.key == NUMBER)


def opened(work: Work, change: str, visit: str) -> Wanted:
    """The same with all digits, once a visit. Raises as `wanted`, and Refusal where it was opened already, or too often."""
    found = wanted(work, change)
    until = work.now + timedelta(days=1)
    if not visits.first_time(work.connection, LINK, f"{visit}:{change}", until):
        raise Refusal(m("web.number.once"))
    if not stepup.look_up(work.connection, work.actor, work.now):
        raise Refusal(m("web.number.often"))
    _note(work, found, "open-number")
    return replace(found, digits=digits_of(work.connection, work.keyring, found.row))


def link_to(work: Work, change: str) -> str:
    """A one-time link's token for another browser, good for some minutes and as long as the actor's session. Raises as `wanted`."""
    found = wanted(work, change)
    _note(work, found, "link-number")
    return visits.make_link(
        work.connection,
        LINK,
        now=work.now,
        identity=work.actor.identity,
        telegram_id=work.telegram_id,
        data={"change": change},
    )


def _note(work: Work, found: Wanted, act: str) -> None:
    entry = Entry(act, work.actor.identity, found.identity, found.change)
    append(work.connection, work.keyring, found.entity, entry, work.now)

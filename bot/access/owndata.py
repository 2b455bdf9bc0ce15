"""What a person changes of his own data: the addresses that one entity knows, and the language. Never a name or a number.

The profile belongs to one entity, so does the change. An address decides who gets the next mailed link, so changing one
takes a fresh proof (`rights.Act.OWN_ADDRESS`): else a borrowed telephone would be enough to keep the account.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Row, select, update

from bot.access.names import parse_email
from bot.access.newcomers import LANGUAGES
from bot.access.requests import ADDRESSES, ChangeOwn, Done, claim_of
from bot.access.rights import require
from bot.access.rows import ACCOUNTS, ENTITIES, PROFILES
from bot.access.standing import target_of
from bot.access.work import CHANGE_USER, NOT_ALLOWED, Declined, Item, Work, add_items, audited, open_change
from bot.errors import Invalid, NotAllowed, Refusal
from bot.msg import m

LANGUAGE = "language"
OPTIONAL = frozenset({"local_email"})
"""What may be left empty."""
_OWN = (
    select(
        ACCOUNTS.c.id, ACCOUNTS.c.entity_id, ACCOUNTS.c.quality_id, ACCOUNTS.c.subdivision_id, ACCOUNTS.c.status,
        ACCOUNTS.c.version, ACCOUNTS.c.profile_id, PROFILES.c.identity_id, PROFILES.c.email, PROFILES.c.local_email,
        PROFILES.c.language, ENTITIES.c.delivery,
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
)  # fmt: skip


def change_own(work: Work, request: ChangeOwn) -> Done:
    """Writes the new value, as a numbered change of its own. Raises Refusal for anybody else's account."""
    row = _own(work, request)
    value = _checked(request)
    before = getattr(row, request.field) or ""
    if value == before:
        raise Declined(m("mydata.same"), request.field)
    profile = {request.field: value or None, "changed_at": work.now, "version": PROFILES.c.version + 1}
    work.connection.execute(update(PROFILES).where(PROFILES.c.id == row.profile_id).values(profile))
    version = row.version + 1
    account = {"changed_at": work.now, "version": version}
    work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(account))
    number = open_change(work, "own-data", row.entity_id, row.quality_id)
    open_words = (
        request.field == LANGUAGE
    )  # an address is personal: the audit keeps it under the person's key
    item = Item(
        CHANGE_USER,
        row.id,
        row.id,
        row.identity_id,
        before={LANGUAGE: before} if open_words else {"field": request.field},
        after={LANGUAGE: value} if open_words else {"field": request.field},
        settled=True,
        personal=None if open_words else json.dumps({request.field: [before, value]}, ensure_ascii=False),
    )
    add_items(work, number, [item], version=version)
    audited(work, row.entity_id, number, [item])
    return Done(number, account=row.id)


def _own(work: Work, request: ChangeOwn) -> Row[*tuple[Any, ...]]:
    query = _OWN.where(ACCOUNTS.c.id == request.account, ACCOUNTS.c.status != "deleted")
    row = work.connection.execute(query.with_for_update(of=ACCOUNTS)).one_or_none()
    if row is None or not work.actor.covers(row.entity_id):
        raise NotAllowed(NOT_ALLOWED)
    claim = claim_of(request)
    assert claim is not None
    place = target_of(work.connection, row.entity_id, row.quality_id, row.subdivision_id)
    target = replace(place, person=row.identity_id)
    require(work.mandates(), claim.act, target, actor=work.actor.identity, today=work.today)
    if row.status == "blocked":
        raise Refusal(m("act.blocked"))
    return row


def _checked(request: ChangeOwn) -> str:
    """The value as it is kept. Raises Declined, or NotAllowed for a field that nobody changes for himself."""
    if request.field == LANGUAGE:
        if request.value not in LANGUAGES:
            raise Declined(m("act.language_gone"), request.field)
        return request.value
    if request.field not in ADDRESSES:
        raise NotAllowed(NOT_ALLOWED)
    if not request.value and request.field in OPTIONAL:
        return ""
    try:
        return parse_email(request.value)
    except Invalid as invalid:
        raise Declined(invalid.msg, request.field) from None

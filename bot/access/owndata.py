"""What a person changes of his own data: the addresses that one entity knows, and the language. Never a name or a number.

The profile belongs to one entity, so does the change. An address decides who gets the next mailed link, so changing one
takes a fresh proof (`rights.Act.OWN_ADDRESS`): else a borrowed telephone would be enough to keep the account.
"""

from __future__ import annotations

from dataclasses import replace

from bot.access.claims import claim_of
from bot.access.requests import ADDRESSES, ChangeOwn, Done
from bot.access.rows import AnyRow
from bot.access.standing import target_of
from bot.access.userchange import ONE, accounts_of, record_field
from bot.access.userfields import read_field
from bot.access.work import NOT_ALLOWED, Declined, Work, open_change
from bot.errors import Invalid, NotAllowed, Refusal
from bot.msg import m

OWN = ADDRESSES | {"language"}
"""What is one's own to change."""


def change_own(work: Work, request: ChangeOwn) -> Done:
    """Writes the new value, as a numbered change of its own. Raises Refusal for anybody else's account.

    At an entity of the portal it is settled too: one's own data there one changes there oneself, no manager has to.
    """
    row = _own(work, request)
    try:
        value = read_field(request.field, request.value, work.usernames, work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, request.field) from None
    if value == (getattr(row, request.field) or ""):
        raise Declined(m("act.user.same"), request.field)
    number = open_change(work, "own-data", row.entity_id, row.quality_id)
    record_field(work, number, row, accounts_of(work, row), request.field, value, settled=True)
    return Done(number, account=row.id)


def _own(work: Work, request: ChangeOwn) -> AnyRow:
    """The actor's own account. Raises NotAllowed for any other, and for a field that is nobody's own."""
    row = work.connection.execute(ONE, {"account": request.account}).one_or_none()
    if (
        row is None
        or row.status == "deleted"
        or request.field not in OWN
        or not work.actor.covers(row.entity_id)
    ):
        raise NotAllowed(NOT_ALLOWED)
    claim = claim_of(request)
    assert claim is not None
    place = target_of(work.connection, row.entity_id, row.quality_id, row.subdivision_id)
    target = replace(place, person=row.identity_id)
    work.require(claim.act, target)
    if row.status == "blocked":
        raise Refusal(m("act.blocked"))
    return row

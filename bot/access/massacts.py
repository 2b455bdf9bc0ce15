"""One act on several users at once: end their applications, block, reactivate, move, delete. For all of them, or for none.

Everything is checked again under the transaction, account by account, in the order of their ids, so that two who meet on
the same people wait for each other. A deletion is soft: the account stays with its history, and all that its person holds
through it ends in the same instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select, update

from bot.access import due, hierarchy, sessions
from bot.access.claims import ON_USERS
from bot.access.ending import Live, live, sooner, stop, withdraw_about
from bot.access.insider import judged
from bot.access.names import display_name
from bot.access.parked import remind_again, seen_there, unknown_there
from bot.access.periods import check_end, end_instant
from bot.access.requests import ActOnUsers, Done
from bot.access.rights import Target, require
from bot.access.rows import ACCOUNTS, ENTITIES, ITEMS, PROFILES, SUBDIVISIONS, AnyRow, account_order, branch
from bot.access.work import (
    APPLICATION,
    BLOCK_USER,
    CHANGE_USER,
    CREATE_USER,
    DELETE_USER,
    END_ASSIGNMENT,
    END_GRANT,
    NOT_ALLOWED,
    REACTIVATE_USER,
    UNLINK,
    Declined,
    Item,
    Work,
    add_items,
    audited,
    open_change,
)
from bot.errors import Invalid, NotAllowed
from bot.msg import m

MOST = 200
_STATES = {"block": ("active", "blocked"), "reactivate": ("blocked", "active")}
_REVOKES = {"end", "block", "delete"}
_SHUTS = {"block": "blocked", "delete": "deleted"}
"""Acts that end the person's sessions of the entity too, and what is noted with these."""
_OVERTAKES = {
    "block": (REACTIVATE_USER,),
    "reactivate": (BLOCK_USER,),
    "delete": (CREATE_USER, CHANGE_USER, BLOCK_USER, REACTIVATE_USER, END_GRANT, END_ASSIGNMENT, UNLINK),
}
"""What need not be done any more where it still waits. Where the first of it never reached the portal, nor need the act."""
_ENDS = frozenset({END_GRANT, END_ASSIGNMENT, UNLINK})
_KINDS = {"block": BLOCK_USER, "reactivate": REACTIVATE_USER, "move": CHANGE_USER, "delete": DELETE_USER}


@dataclass(frozen=True, slots=True)
class _Ward:
    """The subdivision to move to, or none."""

    id: str | None
    quality: str | None
    name: str | None
    path: tuple[str, ...]


def act_on_users(work: Work, request: ActOnUsers) -> Done:
    """Does it to all of them, as one change (on the portal one for each).

    Raises Refusal, and Declined where another choice of people helps.
    """
    rows = _locked(work, request)
    ward = _ward(work, request) if request.act == "move" else None
    _require(work, request, rows, ward)
    seen = dict(request.accounts)
    changed = [row for row in rows if row.version != seen[row.id] or not _fits(work, request, row)]
    if changed:
        who = tuple(display_name(row.last_name, row.first_name) for row in changed)
        raise Declined(m("act.users.changed", who=who), "people")
    if request.act == "end" and request.ends_on is not None:
        rows = _lasting(work, rows, request.ends_on)
    # on the portal each person has a checklist of his own
    parts = [[row] for row in rows] if rows[0].delivery == "portal" else [rows]
    done = [_write(work, request, part, ward) for part in parts]
    return replace(done[0], more=tuple(each.number for each in done[1:]))


def _locked(work: Work, request: ActOnUsers) -> Sequence[AnyRow]:
    """The accounts, all of one entity; NotAllowed where one is missing, as if it were not there at all."""
    ids = {account for account, _ in request.accounts}
    if not ids or len(ids) > MOST or request.act not in ON_USERS:
        raise NotAllowed(NOT_ALLOWED)
    query = (
        select(
            ACCOUNTS,
            PROFILES.c.identity_id,
            PROFILES.c.last_name,
            PROFILES.c.first_name,
            ENTITIES.c.enterprise_id,
            ENTITIES.c.delivery,
        )
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
        .where(ACCOUNTS.c.id.in_(ids))
        .order_by(ACCOUNTS.c.id)
        .with_for_update(of=ACCOUNTS)
    )
    rows = work.connection.execute(query).all()
    if len(rows) != len(ids) or len({row.entity_id for row in rows}) != 1:
        raise NotAllowed(NOT_ALLOWED)
    return rows


def _ward(work: Work, request: ActOnUsers) -> _Ward:
    if request.subdivision is None:
        return _Ward(None, None, None, ())
    query = select(SUBDIVISIONS).where(SUBDIVISIONS.c.id == request.subdivision)
    row = work.connection.execute(query.with_for_update(read=True)).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    if row.closed_at is not None:
        raise Declined(m("act.users.ward_closed"), "subdivision")
    return _Ward(row.id, row.quality_id, row.name, branch(work.connection, row.id))


def _require(work: Work, request: ActOnUsers, rows: Sequence[AnyRow], ward: _Ward | None) -> None:
    """Raises NotAllowed unless the actor may do this to each of them, where they are and where they go."""
    mandates, actor, act = work.mandates(), work.actor.identity, ON_USERS[request.act]
    for row in rows:
        path = branch(work.connection, row.subdivision_id)
        here = Target(row.entity_id, row.quality_id, path, row.enterprise_id, row.identity_id)
        places = [here] if ward is None else [here, replace(here, subdivisions=ward.path)]
        for place in places:
            require(mandates, act, judged(work, [act], place), actor=actor, today=work.today)
        if ward is not None and ward.quality not in {None, row.quality_id}:
            raise Declined(m("act.users.other_quality"), "subdivision")


def _fits(work: Work, request: ActOnUsers, row: AnyRow) -> bool:
    """Whether the act means anything for this account as it is now."""
    match request.act:
        case "block" | "reactivate":
            return bool(row.status == _STATES[request.act][0])
        case "end":
            return row.status != "deleted" and bool(_applications(work, row.id))
        case _:
            return bool(row.status != "deleted")


def _lasting(work: Work, rows: Sequence[AnyRow], last: date) -> Sequence[AnyRow]:
    """Those with an application that goes on beyond the day. Raises Declined for a day that cannot be, or for nobody."""
    try:
        check_end(last, starts_on=last, today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "when") from None
    found = [row for row in rows if any(sooner(held.span, last) for held in _applications(work, row.id))]
    if not found:
        raise Declined(m("act.users.end_sooner", day=last), "when")
    return found


# -- writing --------------------------------------------------------------------------------------


def _write(work: Work, request: ActOnUsers, rows: Sequence[AnyRow], ward: _Ward | None) -> Done:
    """One change, its items account by account; what takes an access away is written, and audited, first."""
    rooms = {row.quality_id for row in rows}
    quality = rooms.pop() if len(rooms) == 1 else None
    number = open_change(work, f"{request.act}-users", rows[0].entity_id, quality)
    items: list[tuple[Item, int]] = []
    for row in rows:
        ends = list(_ends(work, request, row))
        there = any(not item.settled for item in ends)
        own = [*ends, *_state(work, request, row, ward, there=there)]
        items += [(item, row.version + 1) for item in own]
        values = {"version": row.version + 1, "changed_at": work.now, **_changed(request, row, ward)}
        work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(values))
        if request.act in _SHUTS:
            sessions.end_all(
                work.connection, row.identity_id, work.now, _SHUTS[request.act], reaching=row.entity_id
            )
    items.sort(key=lambda each: each[0].kind not in {END_GRANT, END_ASSIGNMENT})
    add_items(work, number, [item for item, _ in items], version=[version for _, version in items])
    revoked = [(item.after or {}).get("revoked") for item, _ in items]
    at_once = request.ends_on is None or any(revoked)
    if request.act in _REVOKES and at_once and rows[0].delivery != "portal":
        due.revoked(work.connection, number, work.now)
    audited(work, rows[0].entity_id, number, [item for item, _ in items])
    later = request.ends_on if False in revoked else None
    return Done(number, end_instant(later) if later else None, rows[0].id)


def _changed(request: ActOnUsers, row: AnyRow, ward: _Ward | None) -> dict[str, Any]:
    """The columns of the account that become others."""
    match request.act:
        case "block":
            return {"status": "blocked", "status_reason": request.reason or None}
        case "reactivate":
            return {"status": "active", "status_reason": None}
        case "delete":
            return {"status": "deleted", "status_reason": request.reason or None}
        case "move":
            assert ward is not None
            order = account_order(row.last_name, row.first_name, row.username, ward.name)
            return {"subdivision_id": ward.id, **order}
        case _:
            return {}


def _state(
    work: Work, request: ActOnUsers, row: AnyRow, ward: _Ward | None, *, there: bool
) -> Iterator[Item]:
    """What happens to the account itself. `there`: the portal knows it by what it holds."""
    if request.act not in _KINDS:
        return
    before: dict[str, Any] = {"status": row.status}
    after: dict[str, Any] = {"status": _changed(request, row, ward).get("status")}
    if ward is not None:
        before, after = {"subdivision": row.subdivision_id}, {"subdivision": ward.id}
    overtakes = _OVERTAKES.get(request.act, ())
    unseen = withdraw_about(work, row.id, overtakes) if overtakes else frozenset()
    # the portal's subdivisions are not ours
    never = bool(unseen & {*overtakes[:1]}) and not there and not unseen & _ENDS
    if never and request.act == "delete":
        never = not seen_there(work.connection, ITEMS.c.account_id == row.id)
    unknown = request.act in _STATES and unknown_there(work.connection, row.id, lock=True)
    if unknown and request.act == "reactivate":
        remind_again(work, row.id)
    settled = row.delivery != "portal" or ward is not None or never or unknown
    yield Item(
        _KINDS[request.act],
        row.id,
        row.id,
        row.identity_id,
        None,
        before,
        after,
        settled=settled,
        personal=request.reason or None,
    )


def _ends(work: Work, request: ActOnUsers, row: AnyRow) -> Iterator[Item]:
    """Ends what is to end, and says so: the applications, and with the account the functions too."""
    if request.act == "end":
        for held in _applications(work, row.id):
            if sooner(held.span, request.ends_on):
                yield stop(work, row, held, request.ends_on)
    if request.act == "delete":
        for held in live(work, row.id):
            yield stop(work, row, held, None)
        yield from hierarchy.end_with_account(work, row)


def _applications(work: Work, account: str) -> list[Live]:
    """The applications of the account that are not over, those to come too."""
    return [held for held in live(work, account) if held.span.kind == APPLICATION]

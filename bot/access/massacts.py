"""One act on several users at once: end their applications, block, reactivate, move, delete. For all of them, or for none.

Everything is checked again under the transaction, account by account, in the order of their ids, so that two who meet on
the same people wait for each other. A deletion is soft: the account stays with its history, and all that its person holds
through it ends in the same instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Table, or_, select, update

from bot.access import due, hierarchy, sessions
from bot.access.insider import judged
from bot.access.names import display_name
from bot.access.periods import check_end, end_instant
from bot.access.requests import ON_USERS, ActOnUsers, Done
from bot.access.rights import Target, require
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    ENTITIES,
    GRANTS,
    PROFILES,
    SUBDIVISIONS,
    account_order,
    branch,
)
from bot.access.work import (
    BLOCK_USER,
    CHANGE_USER,
    DELETE_USER,
    END_ASSIGNMENT,
    END_GRANT,
    NOT_ALLOWED,
    REACTIVATE_USER,
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
AnyRow = Row[*tuple[Any, ...]]
_HOLDINGS: tuple[tuple[str, Table, str], ...] = (
    (END_GRANT, GRANTS, "application"),
    (END_ASSIGNMENT, ASSIGNMENTS, "function"),
)
_STATES = {"block": ("active", "blocked"), "reactivate": ("blocked", "active")}
_REVOKES = {"end", "block", "delete"}
_SHUTS = {"block": "blocked", "delete": "deleted"}
"""Acts that end the person's sessions of the entity too, and what is noted with these."""
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
        rows = _lasting(work, request, rows, request.ends_on)
    # on the portal each person has a checklist of his own
    parts = [[row] for row in rows] if rows[0].delivery == "portal" else [rows]
    done = [_write(work, request, part, ward) for part in parts]
    return done[0]


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
            return row.status != "deleted" and bool(_running(work, GRANTS, row.id))
        case _:
            return bool(row.status != "deleted")


def _lasting(work: Work, request: ActOnUsers, rows: Sequence[AnyRow], last: date) -> Sequence[AnyRow]:
    """Those with an application that goes on beyond the day. Raises Declined for a day that cannot be, or for nobody."""
    try:
        check_end(last, starts_on=last, today=work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, "when") from None
    found = [row for row in rows if any(_stops(request, held) for held in _running(work, GRANTS, row.id))]
    if not found:
        raise Declined(m("act.users.end_sooner", day=last), "when")
    return found


# -- writing --------------------------------------------------------------------------------------


def _write(work: Work, request: ActOnUsers, rows: Sequence[AnyRow], ward: _Ward | None) -> Done:
    """One change, its items account by account; what takes an access away is written, and audited, first."""
    rooms = {row.quality_id for row in rows}
    quality = rooms.pop() if len(rooms) == 1 else None
    number = open_change(work, f"{request.act}-users", rows[0].entity_id, quality)
    instants: list[datetime] = []
    items: list[tuple[Item, int]] = []
    for row in rows:
        own = [*_ends(work, request, row), *_state(request, row, ward)]
        items += [(item, row.version + 1) for item in own]
        instants += [item.due for item in own if item.due]
        values = {"version": row.version + 1, "changed_at": work.now, **_changed(request, row, ward)}
        work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == row.id).values(values))
        if request.act in _SHUTS:
            sessions.end_all(
                work.connection, row.identity_id, work.now, _SHUTS[request.act], reaching=row.entity_id
            )
    items.sort(key=lambda each: each[0].kind not in {END_GRANT, END_ASSIGNMENT})
    add_items(work, number, [item for item, _ in items], version=[version for _, version in items])
    for instant in sorted(set(instants)):
        due.activation(work.connection, number, instant)
    at_once = request.ends_on is None or any("revoked_at" in (item.after or {}) for item, _ in items)
    if request.act in _REVOKES and at_once and rows[0].delivery != "portal":
        due.revoked(work.connection, number, work.now)
    audited(work, rows[0].entity_id, number, [item for item, _ in items])
    return Done(number, max(instants, default=None), rows[0].id)


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


def _state(request: ActOnUsers, row: AnyRow, ward: _Ward | None) -> Iterator[Item]:
    """What happens to the account itself."""
    if request.act not in _KINDS:
        return
    before: dict[str, Any] = {"status": row.status}
    after: dict[str, Any] = {"status": _changed(request, row, ward).get("status")}
    if ward is not None:
        before, after = {"subdivision": row.subdivision_id}, {"subdivision": ward.id}
    settled = row.delivery != "portal" or ward is not None  # the portal's subdivisions are not ours
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
    if request.act not in {"end", "delete"}:
        return
    for kind, table, column in _HOLDINGS if request.act == "delete" else _HOLDINGS[:1]:
        for held in _running(work, table, row.id):
            if request.act == "delete" or _stops(request, held):
                yield _ended(work, request, row, kind, table, column, held)
    if request.act == "delete":
        yield from hierarchy.end_with_account(work, row)


def _ended(
    work: Work, request: ActOnUsers, row: AnyRow, kind: str, table: Table, column: str, held: AnyRow
) -> Item:
    last = request.ends_on
    if last is not None and held.starts_on > last:
        last = None  # it would only begin afterwards
    values: dict[str, Any] = {"revoked_at": work.now} if last is None else {"ends_on": last}
    work.connection.execute(update(table).where(table.c.id == held.id).values(values))
    if last is not None:
        due.end(work.connection, kind.removeprefix("end-"), held.id, last)
    before = {"starts_on": held.starts_on.isoformat(), "ends_on": _iso(held.ends_on)}
    after = {"revoked_at": work.now.isoformat()} if last is None else {"ends_on": _iso(last)}
    portal = row.delivery == "portal"
    return Item(
        kind,
        row.id,
        held.id,
        row.identity_id,
        getattr(held, column),
        before,
        {**before, **after},
        due=None if last is None or portal else end_instant(last),
        settled=not portal and last is None,
    )


def _stops(request: ActOnUsers, held: AnyRow) -> bool:
    """Whether this ends sooner than it would by itself."""
    return request.ends_on is None or held.ends_on is None or bool(held.ends_on > request.ends_on)


def _running(work: Work, table: Table, account: str) -> Sequence[AnyRow]:
    """The grants or assignments of the account that are not over, those to come too."""
    query = select(table).where(
        table.c.account_id == account,
        table.c.revoked_at.is_(None),
        or_(table.c.ends_on.is_(None), table.c.ends_on >= work.today),
    )
    return work.connection.execute(query.order_by(table.c.starts_on, table.c.id)).all()


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

"""ChangeUser: one field of a user account, corrected, with what stood there before in the audit.

Names, language and addresses belong to the profile, which all accounts of the person in the entity share: whoever changes
them must manage all of these accounts. What a password hangs on (the addresses, the user name) of somebody who manages
here is changed only by somebody who could have appointed him: else a small manager would have a larger one's link mailed
to himself (`wayin`). The national number has rules of its own (`numberchange`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.access import numberchange, retired, wayin
from bot.access.differences import differences
from bot.access.identifiers import Niss
from bot.access.insider import judged
from bot.access.requests import ChangeUser, Conflict, Done
from bot.access.rights import Act, Target
from bot.access.rows import (
    ACCOUNTS,
    ENTITIES,
    PROFILES,
    SUBDIVISIONS,
    AnyRow,
    account_order,
    branch,
    profile_order,
)
from bot.access.userfields import FIELDS, NUMBER, OF_THE_PROFILE, SHARED, WAYS_IN, read_field
from bot.access.work import CHANGE_USER, NOT_ALLOWED, Declined, Item, Work, add_items, audited, open_change
from bot.errors import Invalid, NotAllowed
from bot.msg import m

_ACCOUNT = (
    select(
        ACCOUNTS.c.id,
        ACCOUNTS.c.entity_id,
        ACCOUNTS.c.quality_id,
        ACCOUNTS.c.subdivision_id,
        ACCOUNTS.c.profile_id,
        ACCOUNTS.c.username,
        ACCOUNTS.c.profession,
        ACCOUNTS.c.status,
        ACCOUNTS.c.type,
        ACCOUNTS.c.version,
        PROFILES.c.identity_id,
        *(PROFILES.c[field] for field in OF_THE_PROFILE),
        ENTITIES.c.enterprise_id,
        ENTITIES.c.delivery,
        SUBDIVISIONS.c.name.label("ward"),
    )
    .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
    .join(ENTITIES, ENTITIES.c.id == ACCOUNTS.c.entity_id)
    .join(SUBDIVISIONS, SUBDIVISIONS.c.id == ACCOUNTS.c.subdivision_id, isouter=True)
)
ONE = _ACCOUNT.where(ACCOUNTS.c.id == bindparam("account")).with_for_update(of=[PROFILES, ACCOUNTS])
"""The account with its profile, locked."""
_ALL = (
    _ACCOUNT.where(ACCOUNTS.c.profile_id == bindparam("profile"), ACCOUNTS.c.status != "deleted")
    .order_by(ACCOUNTS.c.id)
    .with_for_update(of=ACCOUNTS)
)


def change_user(work: Work, request: ChangeUser) -> Done | Conflict:
    """Changes the field; raises Refusal, with the step to ask again where another answer helps."""
    if request.field == NUMBER:
        numberchange.locked(work, request.account)
    row = work.connection.execute(ONE, {"account": request.account}).one_or_none()
    if row is None or row.status == "deleted" or request.field not in FIELDS:
        raise NotAllowed(NOT_ALLOWED)
    if request.field == NUMBER and row.type == "technical":
        raise NotAllowed(NOT_ALLOWED)
    require_change(work, row)
    shared = _shared(work, row, request.field)
    if request.field in WAYS_IN:
        wayin.require_above(work, row, m("act.user.manager"))
    if request.version != row.version:
        return Conflict(differences(work.connection, work.catalogue, row.id, request.version), row.version)
    value = checked_value(work, row, request)
    number = open_change(work, "change-user", row.entity_id, row.quality_id)
    settled = row.delivery != "portal"
    if request.field == NUMBER:
        _record_number(work, number, row, shared, request, value)
    else:
        record_field(work, number, row, shared, request.field, value, settled=settled)
    return Done(number, work.now if settled else None, row.id)


# -- may he, and what ---------------------------------------------------------------------------------


def require_change(work: Work, row: AnyRow, act: Act = Act.CHANGE_USER) -> None:
    """Raises NotAllowed unless the actor may do `act` to this account today; to his own where nobody else could."""
    path = branch(work.connection, row.subdivision_id)
    target = Target(row.entity_id, row.quality_id, path, row.enterprise_id, row.identity_id)
    work.require(act, judged(work, [act], target))


def _shared(work: Work, row: AnyRow, field: str) -> Sequence[AnyRow]:
    """The accounts that the change shows on; raises NotAllowed where one of them is not the actor's to change."""
    if field not in SHARED:
        return (row,)
    accounts = accounts_of(work, row)
    for other in accounts:
        try:
            require_change(work, other)
        except NotAllowed:
            raise NotAllowed(m("act.user.elsewhere")) from None
    return accounts


def accounts_of(work: Work, row: AnyRow) -> Sequence[AnyRow]:
    """All accounts that show the profile of `row`, locked."""
    return work.connection.execute(_ALL, {"profile": row.profile_id}).all()


def checked_value(work: Work, row: AnyRow, request: ChangeUser) -> str:
    """The value as it is kept; raises Declined at the field's step."""
    try:
        value = read_field(request.field, request.value, work.usernames, work.today)
    except Invalid as invalid:
        raise Declined(invalid.msg, request.field) from None
    if request.field == NUMBER:
        numberchange.check(work, row, value)
        return value
    if value == (getattr(row, request.field) or ""):
        raise Declined(m("act.user.same"), request.field)
    if request.field == "username" and is_taken(work, value):
        raise Declined(m("act.username_taken"), "username")
    return value


def is_taken(work: Work, username: str) -> bool:
    """Whether an account anywhere bears this user name, or bore it before an erasure."""
    fold = username.lower()
    taken = select(ACCOUNTS.c.id).where(ACCOUNTS.c.username_fold == fold)
    return work.connection.execute(taken).first() is not None or bool(
        retired.among(work.connection, work.keyring, retired.USERNAME, [fold])
    )


# -- writing --------------------------------------------------------------------------------------


def _record_number(
    work: Work, number: str, row: AnyRow, shared: Sequence[AnyRow], request: ChangeUser, digits: str
) -> None:
    """The national number, in the person's identity; what is kept of it in the change shows two digits, as everywhere."""
    shows = {"before": numberchange.masked_now(work, row), "after": Niss(digits).masked}
    numberchange.write(work, row, request, digits)
    for account in shared:
        newer = {"version": account.version + 1, "changed_at": work.now}
        work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(newer))
    item = Item(
        CHANGE_USER,
        row.id,
        row.id,
        row.identity_id,
        key=NUMBER,
        settled=row.delivery != "portal",
        personal=json.dumps(shows, ensure_ascii=False),
    )
    add_items(work, number, [item], version=row.version + 1)
    audited(work, row.entity_id, number, [item])


def record_field(
    work: Work, number: str, row: AnyRow, shared: Sequence[AnyRow], field: str, value: str, *, settled: bool
) -> None:
    """Writes the field to `row`'s account or profile and to the change `number`; `shared` are the accounts that show it."""
    item = write_field(work, row, shared, field, value, settled=settled)
    add_items(work, number, [item], version=row.version + 1)
    audited(work, row.entity_id, number, [item])


def write_field(
    work: Work, row: AnyRow, shared: Sequence[AnyRow], field: str, value: str, *, settled: bool
) -> Item:
    """Writes the field; its item."""
    before = getattr(row, field) or ""
    _write(work, row, shared, field, value)
    return Item(
        CHANGE_USER,
        row.id,
        row.id,
        row.identity_id,
        key=field,
        before={"profession": before} if field == "profession" else None,
        after={"profession": value} if field == "profession" else None,
        settled=settled,
        personal=json.dumps({"before": before, "after": value}, ensure_ascii=False),
    )


def _write(work: Work, row: AnyRow, shared: Sequence[AnyRow], field: str, value: str) -> None:
    profile = {name: getattr(row, name) for name in OF_THE_PROFILE}
    if field in OF_THE_PROFILE:
        profile[field] = value or None
        names = (profile["last_name"], profile["first_name"])
        values = {field: profile[field], "changed_at": work.now, "version": PROFILES.c.version + 1}
        where = PROFILES.c.id == row.profile_id
        work.connection.execute(update(PROFILES).where(where).values(**values, **profile_order(*names)))
    for account in shared:
        username = value if field == "username" else account.username
        changed: dict[str, Any] = {"version": account.version + 1, "changed_at": work.now}
        changed |= account_order(profile["last_name"], profile["first_name"], username, account.ward)
        if field == "username":
            changed |= {"username": value, "username_fold": value.lower()}
        if field == "profession":
            changed |= {"profession": value}
        work.connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(**changed))

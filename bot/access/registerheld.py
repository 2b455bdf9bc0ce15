"""Grants, functions and mandates of a register file: what has a period, compared and written.

A file knows a period by its start. Where the start itself is moved in the file, the period that it overlaps in the
register is the one that is meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Table

from bot.access import due, sessions
from bot.access.periods import Period, brussels_day, end_instant, start_instant
from bot.access.registerchecks import mandate_key
from bot.access.registerledger import Decision, Fields
from bot.access.registerpeople import place_of
from bot.access.registerschema import AccountTable, AssignmentTable, GrantTable, MandateTable
from bot.access.registersync import Load
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, MANDATES, AnyRow
from bot.access.work import ASSIGNMENT, GRANT
from bot.store.audit import HOUSE, Entry
from bot.store.ids import new_id

T = TypeVar("T", GrantTable | AssignmentTable, MandateTable)


def held(load: Load, account: AccountTable) -> None:
    """What an account holds: applications and functions."""
    identity, entity, profile, quality = place_of(load, account)
    row = load.accounts[profile, quality]
    key = f"{account.person}@{account.entity}/{account.quality}"
    written: list[dict[str, Any]] = []
    for kind, table, name, given, shown in (
        (GRANT, GRANTS, "application", account.grant, load.was.grants[row]),
        (ASSIGNMENT, ASSIGNMENTS, "function", account.assignment, load.was.assignments[row]),
    ):
        for each in dict.fromkeys(getattr(entry, name) for entry in given):
            wanted = [entry for entry in given if getattr(entry, name) == each]
            there = [entry for entry in shown if getattr(entry, name) == each]
            pairs = list(_paired(wanted, there, "starts_on", "ends_on"))
            blocked = _in_the_way(load, kind, table, f"{key}/{each}", pairs, there)
            for number, (entry, old) in enumerate(pairs):
                fields = _holding_fields(entry)
                if _holding(
                    load,
                    kind,
                    table,
                    f"{key}/{each}",
                    account,
                    row,
                    {name: each},
                    entry,
                    old,
                    fields,
                    blocked=row in load.closed or number in blocked,
                ):
                    written.append({name: each, **fields, **_by_account(load, account, entry)})
    if written:
        load.audit.append(
            (entity, Entry("load.access", subject=identity, body={"row": row, "held": written}))
        )
        if (old := load.was.accounts.get(row)) is not None:
            load.change(ACCOUNTS, row, {"version": old.version + 1, "changed_at": load.now})


def _in_the_way(
    load: Load,
    kind: str,
    table: Table,
    base: str,
    pairs: Sequence[tuple[GrantTable | AssignmentTable, AnyRow | None]],
    there: Sequence[AnyRow],
) -> set[int]:
    """The entries, by their place in `pairs`, that would share a day with a period which the file cannot change: one that
    it does not name, or that was changed in chat since. No two periods of the same thing may overlap.
    """
    stands = {row.id: Period(row.starts_on, row.ends_on) for row in there if row.revoked_at is None}
    free: dict[int, AnyRow | None] = {}
    for number, (entry, old) in enumerate(pairs):
        if old is None:
            free[number] = None
        elif (shown := _shown_holding(load, table, old)) and (
            shown == _holding_fields(entry)
            or load.ledger.file_decides(kind, f"{base}/{old.starts_on}", shown)
        ):
            free[number] = old
    fixed = [period for row, period in stands.items() if row not in {old.id for old in free.values() if old}]
    blocked: set[int] = set()
    found = True
    while found:  # what cannot be moved stands in the way of others in its turn
        found = False
        for number in free.keys() - blocked:
            entry, old = pairs[number]
            if any(overlap(Period(entry.starts_on, entry.ends_on), period) for period in fixed):
                blocked.add(number)
                found = True
                fixed += [stands[old.id]] if old is not None and old.id in stands else []
    return blocked


def _holding_fields(entry: GrantTable | AssignmentTable) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "starts_on": entry.starts_on.isoformat(),
        "ends_on": entry.ends_on.isoformat() if entry.ends_on else None,
        "revoked": False,
    }
    if isinstance(entry, AssignmentTable):
        fields["responsible"] = entry.responsible
    return fields


def _holding(
    load: Load,
    kind: str,
    table: Table,
    base: str,
    owner: AccountTable,
    account: str,
    what: dict[str, str],
    entry: GrantTable | AssignmentTable,
    old: AnyRow | None,
    fields: dict[str, Any],
    *,
    blocked: bool,
) -> bool:
    """One grant or assignment; whether it was written."""
    key = f"{base}/{entry.starts_on}"
    was = f"{base}/{old.starts_on}" if old is not None else key
    identifier = old.id if old is not None else new_id()
    decision = load.ledger.decide(
        kind,
        key,
        _shown_holding(load, table, old),
        fields,
        was=was,
        blocked=blocked,
    )
    values: dict[str, Any] = {"starts_on": entry.starts_on, "ends_on": entry.ends_on, "revoked_at": None}
    if isinstance(entry, AssignmentTable):
        values["responsible_id"] = _responsible(load, owner, entry.responsible)
    active_at = start_instant(entry.starts_on)
    if decision is Decision.ADD:
        load.ledger.insert(
            table,
            id=identifier,
            account_id=account,
            recorded_at=load.now,
            active_at=active_at,
            **what,
            **values,
        )
    elif decision is Decision.CHANGE and old is not None:
        moved = {"active_at": active_at} if old.starts_on != entry.starts_on or old.active_at is None else {}
        load.change(table, identifier, {**values, **moved})
    if decision is not Decision.KEEP:
        load.ledger.wrote(kind, key, identifier, fields, was=was)
    written = decision in {Decision.ADD, Decision.CHANGE}
    if written and entry.ends_on is not None and end_instant(entry.ends_on) > load.now:
        due.end(load.connection, kind, identifier, entry.ends_on)
    return written


def _shown_holding(load: Load, table: Table, row: AnyRow | None) -> Fields | None:
    if row is None:
        return None
    fields = {
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "revoked": row.revoked_at is not None,
    }
    if table is ASSIGNMENTS:
        responsible = load.was.accounts.get(row.responsible_id)
        fields["responsible"] = load.was.account_key(responsible)[0] if responsible is not None else None
    return fields


def _responsible(load: Load, account: AccountTable, person: str | None) -> str | None:
    """The account of the responsible person in the same quality."""
    if person is None:
        return None
    _, entity, _, quality = place_of(load, account)
    responsible = load.profiles[load.identities[person], entity]
    return str(load.accounts[responsible, quality])


def _by_account(
    load: Load, account: AccountTable, entry: GrantTable | AssignmentTable
) -> dict[str, str | None]:
    """For the audit, which outlives people: the responsible person by the account, not by a key that may be a name."""
    if isinstance(entry, GrantTable):
        return {}
    return {"responsible": _responsible(load, account, entry.responsible)}


def mandates(load: Load, tables: Sequence[MandateTable]) -> None:
    """All mandates of a file."""
    for base, wanted in _grouped(tables).items():
        _mandates(load, base, wanted)


def _mandates(load: Load, base: tuple[str | None, ...], wanted: Sequence[MandateTable]) -> None:
    """The mandates of one person in one role over one place."""
    identity = load.identities[str(base[0])]
    there = [row for row in load.mandates[identity] if _mandate_base(load, row) == base]
    for mandate, old in _paired(wanted, there, "since", "until"):
        _mandate(load, base, identity, mandate, old)


def _mandate_base(load: Load, row: AnyRow) -> tuple[str | None, ...]:
    was = load.was
    return (
        was.identities[row.identity_id].key,
        row.role,
        was.entities[row.entity_id].key if row.entity_id else None,
        was.enterprise_number(row.enterprise_id),
        was.qualities[row.quality_id].key if row.quality_id else None,
        load.ward_name(row.quality_id, row.subdivision_id),
    )


def _mandate_name(base: tuple[str | None, ...], since: date | None) -> str:
    """Such as: claes as local since 2020-01-01 of midi/hospital"""
    person, role, entity, enterprise, quality, subdivision = base
    place = "/".join(part for part in (entity, quality, subdivision) if part) or f"enterprise {enterprise}"
    return f"{person} as {role}{f' since {since}' if since else ''} of {place}"


def _mandate(
    load: Load, base: tuple[str | None, ...], identity: str, mandate: MandateTable, old: AnyRow | None
) -> None:
    key = _mandate_name(base, mandate.since)
    was = _mandate_name(base, old.since) if old is not None else key
    wanted = _mandate_fields(mandate.since, mandate.until, revoked=False)
    shown = (
        _mandate_fields(old.since, old.until, revoked=old.revoked_at is not None) if old is not None else None
    )
    entity = load.entities[mandate.entity] if mandate.entity else None
    quality = load.qualities[entity, mandate.quality] if entity and mandate.quality else None
    ward = load.ward(quality, mandate.subdivision) if quality else None
    closed = mandate.subdivision is not None and ward is None  # nobody manages what was closed in chat
    decision = load.ledger.decide("mandate", key, shown, wanted, was=was, blocked=closed)
    identifier = old.id if old is not None else new_id()
    values = {"since": mandate.since, "until": mandate.until, "revoked_at": None, "recorded_at": load.now}
    if decision is Decision.ADD:
        load.ledger.insert(
            MANDATES,
            id=identifier,
            identity_id=identity,
            role=mandate.role,
            enterprise_id=load.enterprises[mandate.enterprise] if mandate.enterprise else None,
            entity_id=entity,
            quality_id=quality,
            subdivision_id=ward,
            **values,
        )
    elif decision is Decision.CHANGE:
        load.change(MANDATES, identifier, values)
        if mandate.until and mandate.until < brussels_day(load.now):
            sessions.end_all(load.connection, identity, load.now, "mandate ended", reaching=entity)
    if decision in {Decision.ADD, Decision.CHANGE}:
        body = {"row": identifier, "role": mandate.role, "now": wanted}
        load.audit.append((entity or HOUSE, Entry("load.mandate", subject=identity, body=body)))
    if decision is not Decision.KEEP:
        load.ledger.wrote("mandate", key, identifier, wanted, was=was)


def _mandate_fields(since: date | None, until: date | None, *, revoked: bool) -> dict[str, Any]:
    return {
        "since": since.isoformat() if since else None,
        "until": until.isoformat() if until else None,
        "revoked": revoked,
    }


def _grouped(tables: Sequence[MandateTable]) -> dict[tuple[str | None, ...], list[MandateTable]]:
    groups: dict[tuple[str | None, ...], list[MandateTable]] = {}
    for mandate in tables:
        groups.setdefault(mandate_key(mandate), []).append(mandate)
    return groups


def _paired(
    wanted: Sequence[T], there: Sequence[AnyRow], start: str, end: str
) -> Iterator[tuple[T, AnyRow | None]]:
    """Each entry of the file with the row that it is about: the same start, else an overlapping period."""

    def period(entry: T | AnyRow) -> Period:
        return Period(getattr(entry, start) or date.min, getattr(entry, end))

    # of two rows with one start the one that was not revoked is meant
    free = {row.id: row for row in sorted(there, key=lambda row: row.revoked_at is None)}
    same = {getattr(row, start): row for row in free.values()}
    exact = {
        number: same[getattr(entry, start)]
        for number, entry in enumerate(wanted)
        if getattr(entry, start) in same
    }
    for row in exact.values():
        free.pop(row.id, None)
    for number, entry in enumerate(wanted):
        pair = exact.get(number)
        if pair is None:
            overlapping = (
                each
                for each in free.values()
                if each.revoked_at is None and overlap(period(each), period(entry))
            )
            pair = next(overlapping, None)
            if pair is not None:
                del free[pair.id]
        yield entry, pair


def overlap(one: Period, other: Period) -> bool:
    """Whether two periods share a day; a start that is not known lies before every day."""
    return one.starts_on <= (other.ends_on or date.max) and other.starts_on <= (one.ends_on or date.max)

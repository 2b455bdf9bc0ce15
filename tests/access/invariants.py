"""What must hold of the register at every moment, whatever was done to it, repeated or cut short."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, groupby

from bot.access.periods import Period
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, CHANGES, GRANTS, ITEMS, NUMBERS, ORIGINS, PROFILES
from bot.store.audit import verify
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from sqlalchemy import Connection, select

KINDS = {"grant": (GRANTS, "application"), "assignment": (ASSIGNMENTS, "function")}


def check_invariants(connection: Connection, keyring: Keyring) -> None:
    """Fails with the first thing that is not as it must be."""
    _numbers_have_no_gaps(connection)
    _nothing_is_given_twice(connection)
    _everything_given_has_its_change_or_its_file(connection)
    _every_item_has_its_audit_entry(connection)
    _what_is_active_says_since_when(connection)
    _nobody_is_there_twice(connection)
    _whoever_acted_on_himself_is_marked_in_both_places(connection)
    report = verify(connection, keyring)
    assert report.broken is None, report.broken


def _numbers_have_no_gaps(connection: Connection) -> None:
    numbers = sorted(connection.execute(select(CHANGES.c.number)).scalars())
    for year, group in groupby(numbers, key=lambda number: number[:4]):
        assert list(group) == [
            f"{year}-{count + 1:06d}" for count in range(sum(n.startswith(year) for n in numbers))
        ]
    items = set(connection.execute(select(ITEMS.c.change_number)).scalars())
    assert items == set(numbers), "a change without items"


def _nothing_is_given_twice(connection: Connection) -> None:
    for table, key in KINDS.values():
        rows = connection.execute(select(table).where(table.c.revoked_at.is_(None))).all()
        for one, other in combinations(rows, 2):
            if (one.account_id, getattr(one, key)) == (other.account_id, getattr(other, key)):
                assert not Period(one.starts_on, one.ends_on).overlaps(Period(other.starts_on, other.ends_on))


def _everything_given_has_its_change_or_its_file(connection: Connection) -> None:
    files = set(connection.execute(select(ORIGINS.c.object_id)).scalars())
    husks = select(PROFILES.c.id).where(PROFILES.c.erased_at.is_not(None))
    erased = set(connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.profile_id.in_(husks))).scalars())
    for kind, (table, _) in KINDS.items():
        items = {
            (row.change_number, row.object_id)
            for row in connection.execute(select(ITEMS).where(ITEMS.c.kind == kind))
        }
        for row in connection.execute(select(table).where(table.c.account_id.not_in(erased))):
            assert row.id in files or (row.change_number, row.id) in items, f"a {kind} from nowhere"


def _every_item_has_its_audit_entry(connection: Connection) -> None:
    entries = core(AuditEntry)
    written = Counter(
        (row.change_number, row.act, row.body["object"])
        for row in connection.execute(select(entries).where(entries.c.change_number.is_not(None)))
        if "object" in row.body
    )
    items = Counter((row.change_number, row.kind, row.object_id) for row in connection.execute(select(ITEMS)))
    assert written == items


def _what_is_active_says_since_when(connection: Connection) -> None:
    for item in connection.execute(select(ITEMS)):
        assert (item.active_at is not None) == (item.delivery in {"active", "verified"})
        if item.kind in KINDS and item.delivery != "recorded":
            table, _ = KINDS[item.kind]
            held = connection.execute(
                select(table.c.active_at).where(table.c.id == item.object_id)
            ).scalar_one()
            assert held is not None
            assert item.due_at is not None


def _whoever_acted_on_himself_is_marked_in_both_places(connection: Connection) -> None:
    entries = core(AuditEntry)
    written = connection.execute(select(entries).where(entries.c.change_number.is_not(None))).all()
    marked = [row for row in written if row.body.get("own")]
    assert all(row.actor_id == row.subject_id for row in marked)
    assert {row.change_number for row in marked} == set(
        connection.execute(select(CHANGES.c.number).where(CHANGES.c.own)).scalars()
    )


def _nobody_is_there_twice(connection: Connection) -> None:
    accounts = connection.execute(select(ACCOUNTS.c.profile_id, ACCOUNTS.c.quality_id)).all()
    assert len(set(accounts)) == len(accounts)
    living = select(PROFILES.c.identity_id, PROFILES.c.entity_id).where(PROFILES.c.erased_at.is_(None))
    profiles = connection.execute(living).all()
    assert len(set(profiles)) == len(profiles)
    names = [name for name in connection.execute(select(ACCOUNTS.c.username_fold)).scalars() if name]
    assert len(set(names)) == len(names)
    present = (
        connection.execute(select(NUMBERS.c.identity_id).where(NUMBERS.c.until.is_(None))).scalars().all()
    )
    assert len(set(present)) == len(present)

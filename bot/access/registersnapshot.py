"""The register as `register load` and `register export` need it: read whole, in a dozen statements, by its keys.

A file of 5,000 people is compared with what is there in memory; asking the database for each of them would take
minutes instead of seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Table, select, text

from bot.access.registerchecks import AccountKey, Known, KnownQuality
from bot.access.rows import (
    ACCOUNTS,
    APPLICATIONS,
    ASSIGNMENTS,
    BLINDS,
    ENTERPRISES,
    ENTITIES,
    FUNCTIONS,
    GRANTS,
    IDENTITIES,
    MANDATES,
    NUMBERS,
    ORIGINS,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
    AnyRow,
)
from bot.store.crypto import blind_index
from bot.store.database import BUSY_MS
from bot.store.keys import Keyring

HELD = (
    APPLICATIONS,
    FUNCTIONS,
    ENTERPRISES,
    ENTITIES,
    QUALITIES,
    SUBDIVISIONS,
    IDENTITIES,
    NUMBERS,
    BLINDS,
    PROFILES,
    ACCOUNTS,
    GRANTS,
    ASSIGNMENTS,
    MANDATES,
    ORIGINS,
)
FileDecides = Callable[[str, str, Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Gone:
    """Names of a file that people bore who were erased: register keys, and user names in lower case."""

    people: frozenset[str] = frozenset()
    usernames: frozenset[str] = frozenset()


def hold(connection: Connection) -> None:
    """Keeps others from writing the register until the transaction ends, parents before children as they write it too.

    On SQLite the writing transaction does that already. Whoever reads is not held up.
    """
    if connection.dialect.name == "postgresql":
        tables = ", ".join(table.name for table in HELD)
        connection.execute(text(f"SET LOCAL lock_timeout = {BUSY_MS}"))
        connection.execute(text(f"LOCK TABLE {tables} IN EXCLUSIVE MODE"))


class Snapshot:
    """Every row of the register that a file can speak of."""

    def __init__(self, connection: Connection) -> None:
        def rows(table: Table) -> list[AnyRow]:
            return list(connection.execute(select(table).order_by(*table.primary_key.columns)))

        self.applications = {row.key: row for row in rows(APPLICATIONS)}
        self.functions = {row.key: row for row in rows(FUNCTIONS)}
        self.enterprises = {row.id: row for row in rows(ENTERPRISES)}
        self.entities = {row.id: row for row in rows(ENTITIES)}
        self.qualities = {row.id: row for row in rows(QUALITIES)}
        self.subdivisions = {row.id: row for row in rows(SUBDIVISIONS)}
        everybody = rows(IDENTITIES)
        self.identities = {row.id: row for row in everybody if row.erased_at is None}
        self.erased = frozenset(row.key for row in everybody if row.erased_at is not None)
        profiles = (row for row in rows(PROFILES) if row.erased_at is None)
        self.profiles = {row.id: row for row in profiles if row.identity_id in self.identities}
        accounts = rows(ACCOUNTS)
        self.accounts = {row.id: row for row in accounts if row.profile_id in self.profiles}
        self.usernames = {row.username_fold: row.id for row in accounts if row.username_fold}
        self.mandates = [row for row in rows(MANDATES) if row.identity_id in self.identities]
        self.grants = _by_account(rows(GRANTS))
        self.assignments = _by_account(rows(ASSIGNMENTS))
        self._numbers = rows(NUMBERS)
        self._blinds = {row.blind: row for row in rows(BLINDS)}
        self.number_of = {row.identity_id: row for row in self._numbers if row.until is None}
        self.entity_keys = {row.key: row.id for row in self.entities.values()}
        self.identity_keys = {row.key: row.id for row in self.identities.values()}
        self.enterprise_numbers = {row.number: row.id for row in self.enterprises.values() if row.number}
        self.quality_keys = {(row.entity_id, row.key): row.id for row in self.qualities.values()}
        # of one name one is open at the most; it comes after those that are closed
        self._wards = sorted(self.subdivisions.values(), key=lambda row: row.closed_at is None)
        self.subdivision_names = {(row.quality_id, row.name): row.id for row in self._wards}
        self.profile_of = {(row.identity_id, row.entity_id): row for row in self.profiles.values()}
        self.accounts_of: defaultdict[str, list[AnyRow]] = defaultdict(list)
        for account in self.accounts.values():
            self.accounts_of[account.profile_id].append(account)
        self.account_of = {(row.profile_id, row.quality_id): row for row in self.accounts.values()}

    def account_key(self, account: AnyRow) -> AccountKey:
        """Person, entity and quality by their keys."""
        profile = self.profiles[account.profile_id]
        person, entity = self.identities[profile.identity_id].key, self.entities[account.entity_id].key
        return person, entity, self.qualities[account.quality_id].key

    def enterprise_number(self, enterprise: str | None) -> str | None:
        """The CBE number of an enterprise, if it is known."""
        return self.enterprises[enterprise].number if enterprise else None

    def living(self) -> frozenset[tuple[str, str]]:
        """(person, entity) by their keys, where an account or a mandate brings the person. Elsewhere a profile is history."""
        of_enterprise: defaultdict[str | None, list[str]] = defaultdict(list)
        for entity in self.entities.values():
            of_enterprise[entity.enterprise_id].append(entity.key)
        found = {self.account_key(row)[:2] for row in self.accounts.values() if row.status != "deleted"}
        for row in self.mandates:
            places = [self.entities[row.entity_id].key] if row.entity_id else of_enterprise[row.enterprise_id]
            if row.revoked_at is None:
                found |= {(self.identities[row.identity_id].key, place) for place in places}
        return frozenset(found)

    @cached_property
    def used_subdivisions(self) -> frozenset[str]:
        """Those in which an account lies, or over which somebody has a mandate."""
        accounts = {row.subdivision_id for row in self.accounts.values() if row.status != "deleted"}
        return frozenset(accounts | {row.subdivision_id for row in self.mandates if row.revoked_at is None})

    def owners(self, keyring: Keyring, numbers: Iterable[str]) -> dict[str, str]:
        """National number → the identity that has or had it, for those of `numbers` that are known."""
        whose = {row.id: row.identity_id for row in self._numbers}
        owner = {blind: whose[row.number_id] for blind, row in self._blinds.items()}
        found: dict[str, str] = {}
        for digits in numbers:
            blinds = (blind_index(keyring, digits, version) for version in keyring.versions)
            identity = next((owner[blind] for blind in blinds if blind in owner), None)
            if identity is not None:
                found[digits] = identity
        return found

    def has_number(self, keyring: Keyring, identity: str, digits: str) -> bool:
        """Whether this is the identity's present number."""
        row = self.number_of.get(identity)
        blinds = (self._blinds.get(blind_index(keyring, digits, version)) for version in keyring.versions)
        return row is not None and any(blind and blind.number_id == row.id for blind in blinds)

    def known(self, owners: dict[str, str], file_decides: FileDecides, gone: Gone = Gone()) -> Known:
        """What a file may refer to, and must not contradict; `file_decides` tells of a kind, a key and what is shown
        whether the file may change it; `gone` the names of the file that people bore who were erased.
        """
        users: dict[str, int] = defaultdict(int)
        for account in self.accounts.values():
            users[account.quality_id] += account.status != "deleted"
        names: dict[str, dict[str, str | None]] = defaultdict(dict)
        for each in self._wards:
            parent = self.subdivisions[each.parent_id].name if each.parent_id else None
            names[each.quality_id][each.name] = parent
        entities: dict[str, dict[str, KnownQuality]] = {row.key: {} for row in self.entities.values()}
        for quality in self.qualities.values():
            entity = self.entities[quality.entity_id].key
            shown = {"number": quality.number, "active": quality.active}
            closes = file_decides("quality", f"{entity}/{quality.key}", shown)
            known = KnownQuality(quality.active, names[quality.id], users[quality.id] if closes else 0)
            entities[entity][quality.key] = known
        accounts = {self.account_key(row): row for row in self.accounts.values()}
        return Known(
            entities=entities,
            enterprise_of={
                row.key: self.enterprise_number(row.enterprise_id) for row in self.entities.values()
            },
            inami={row.inami: row.key for row in self.entities.values()},
            people=frozenset(self.identity_keys),
            profiles=frozenset(
                (self.identities[row.identity_id].key, self.entities[row.entity_id].key)
                for row in self.profiles.values()
            ),
            numbers={
                digits: self.identities[identity].key if identity in self.identities else ""
                for digits, identity in owners.items()
            },
            erased=self.erased | gone.people,
            usernames=dict.fromkeys(gone.usernames, ("", "", ""))
            | {
                name: self.account_key(self.accounts[row]) if row in self.accounts else ("", "", "")
                for name, row in self.usernames.items()
            },
            accounts={
                key: frozenset(grant.application for grant in self.grants[row.id] if grant.revoked_at is None)
                for key, row in accounts.items()
            },
            professions={key: row.profession or "" for key, row in accounts.items()},
        )


def _by_account(rows: Iterable[AnyRow]) -> defaultdict[str, list[AnyRow]]:
    by_account: defaultdict[str, list[AnyRow]] = defaultdict(list)
    for row in rows:
        by_account[row.account_id].append(row)
    return by_account

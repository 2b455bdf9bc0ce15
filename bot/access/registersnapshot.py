"""The register as `register load` and `register export` need it: read whole, in a dozen statements, by its keys.

A file of 5,000 people is compared with what is there in memory; asking the database for each of them would take
minutes instead of seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, Table, select

from bot.access.registerchecks import AccountKey, Known, KnownQuality
from bot.access.rows import (
    ACCOUNTS,
    APPLICATIONS,
    ASSIGNMENTS,
    ENTERPRISES,
    ENTITIES,
    FUNCTIONS,
    GRANTS,
    IDENTITIES,
    MANDATES,
    NUMBERS,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
)
from bot.store.crypto import blind_index
from bot.store.keys import Keyring

AnyRow = Row[*tuple[Any, ...]]


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
        self.identities = {row.id: row for row in rows(IDENTITIES) if row.erased_at is None}
        self.profiles = {row.id: row for row in rows(PROFILES) if row.identity_id in self.identities}
        self.accounts = {row.id: row for row in rows(ACCOUNTS) if row.profile_id in self.profiles}
        self.mandates = [row for row in rows(MANDATES) if row.identity_id in self.identities]
        self.grants = _by_account(rows(GRANTS))
        self.assignments = _by_account(rows(ASSIGNMENTS))
        self._numbers = rows(NUMBERS)
        self.number_of = {row.identity_id: row for row in self._numbers if row.until is None}
        self.entity_keys = {row.key: row.id for row in self.entities.values()}
        self.identity_keys = {row.key: row.id for row in self.identities.values()}
        self.enterprise_numbers = {row.number: row.id for row in self.enterprises.values() if row.number}
        self.quality_keys = {(row.entity_id, row.key): row.id for row in self.qualities.values()}
        self.subdivision_names = {(row.quality_id, row.name): row.id for row in self.subdivisions.values()}
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

    def owners(self, keyring: Keyring, numbers: Iterable[str]) -> dict[str, str]:
        """National number → the identity that has or had it, for those of `numbers` that are known."""
        owner = {row.blind: row.identity_id for row in self._numbers}
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
        return row is not None and row.blind == blind_index(keyring, digits, row.key_version)

    def known(self, owners: dict[str, str]) -> Known:
        """What a file may refer to, and must not contradict."""
        users: dict[str, int] = defaultdict(int)
        for account in self.accounts.values():
            users[account.quality_id] += account.status != "deleted"
        names: dict[str, set[str]] = defaultdict(set)
        for subdivision in self.subdivisions.values():
            names[subdivision.quality_id].add(subdivision.name)
        entities: dict[str, dict[str, KnownQuality]] = {row.key: {} for row in self.entities.values()}
        for quality in self.qualities.values():
            known = KnownQuality(quality.active, frozenset(names[quality.id]), users[quality.id])
            entities[self.entities[quality.entity_id].key][quality.key] = known
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
                digits: self.identities[identity].key if identity in self.identities else "(erased)"
                for digits, identity in owners.items()
            },
            usernames={row.username_fold: key for key, row in accounts.items() if row.username_fold},
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

"""People of a register file: identities with their numbers, what each entity knows of them, their user accounts."""

from __future__ import annotations

from bot.access import identities
from bot.access.registerchecks import brought
from bot.access.registerledger import Decision
from bot.access.registerschema import AccountTable, KnownAs, PersonTable, RegisterTables
from bot.access.registersync import Load
from bot.access.rows import ACCOUNTS, PROFILES, account_order, profile_order
from bot.store.audit import HOUSE, Entry
from bot.store.ids import new_id


def person(load: Load, person: PersonTable) -> None:
    """An identity with its national number."""
    identity = load.identities.get(person.key)
    if identity is None:
        identity = identities.create(load.connection, load.keyring, load.now, key=person.key)
        load.identities[person.key] = identity
        load.ledger.decide("person", person.key, None, {})
        number = (
            identities.add_number(load.connection, load.keyring, identity, person.niss, load.now)
            if person.niss
            else None
        )
        load.ledger.wrote("person", person.key, identity, {"number": number})
        return
    present = load.was.number_of.get(identity)
    shown = {"number": present.id if present else None}
    same = person.niss is None or load.was.has_number(load.keyring, identity, person.niss)
    wanted = shown if same else {"number": "new"}
    decision = load.ledger.decide("person", person.key, shown, wanted)
    if decision is Decision.CHANGE and person.niss:
        wanted = {
            "number": identities.set_number(load.connection, load.keyring, identity, person.niss, load.now)
        }
        load.audit.append((HOUSE, Entry("load.person", subject=identity, body=wanted)))
    if decision is not Decision.KEEP:
        load.ledger.wrote("person", person.key, identity, wanted)


def known_to(load: Load, tables: RegisterTables) -> None:
    """A profile for each entity that a mandate or an account, of the file or of the register, brings a person of the file to.

    What an entity knows of somebody who has nothing there any more is history: only a profile of the file touches it.
    """
    people = {person.key: person for person in tables.person}
    position = {key: number for number, key in enumerate(people)}
    was = {row.key: load.was.enterprise_number(row.enterprise_id) for row in load.was.entities.values()}
    enterprise_of = {**was, **{entity.key: entity.enterprise for entity in tables.entity}}
    profiles = ((person.key, profile.entity) for person in tables.person for profile in person.profile)
    pairs = (*brought(tables, enterprise_of), *profiles, *load.was.living())
    own = {pair for pair in pairs if pair[0] in people}
    for key, place in sorted(own, key=lambda pair: (position[pair[0]], pair[1])):
        _profile(load, key, place, people[key].known_to(place))


def _profile(load: Load, person: str, entity: str, known: KnownAs) -> None:
    identity, place = load.identities[person], load.entities[entity]
    row = load.was.profile_of.get((identity, place))
    wanted = {name: getattr(known, name) for name in KnownAs.model_fields}
    shown = {name: getattr(row, name) for name in KnownAs.model_fields} if row else None
    key = f"{person}@{entity}"
    decision = load.ledger.decide("profile", key, shown, wanted)
    identifier = row.id if row else new_id()
    values = {**wanted, "changed_at": load.now, **profile_order(known.last_name, known.first_name)}
    if decision is Decision.ADD:
        load.profiles[identity, place] = identifier
        load.ledger.insert(
            PROFILES,
            id=identifier,
            identity_id=identity,
            entity_id=place,
            created_at=load.now,
            version=1,
            **values,
        )
    elif decision is Decision.CHANGE and row is not None:
        load.change(PROFILES, identifier, {**values, "version": row.version + 1})
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.names[identifier] = (known.last_name, known.first_name)
        load.note("profile", place, identifier, wanted, subject=identity)
    if decision is Decision.CHANGE:
        _reordered(load, identifier)
    if decision is not Decision.KEEP:
        load.ledger.wrote("profile", key, identifier, wanted)


def _reordered(load: Load, profile: str) -> None:
    """The accounts of a profile are listed under its new name."""
    for account in load.was.accounts_of[profile]:
        ward = load.wards.names[account.subdivision_id] if account.subdivision_id else None
        load.change(ACCOUNTS, account.id, account_order(*load.names[profile], account.username, ward))


def place_of(load: Load, account: AccountTable) -> tuple[str, str, str, str]:
    """The identity, entity, profile and quality of an account of the file."""
    identity, entity = load.identities[account.person], load.entities[account.entity]
    return identity, entity, load.profiles[identity, entity], load.qualities[entity, account.quality]


def account(load: Load, account: AccountTable) -> None:
    """A user account, without what it holds."""
    identity, entity, profile, quality = place_of(load, account)
    row = load.was.account_of.get((profile, quality))
    fields = ("username", "status", "status_reason", "subdivision", "profession")
    wanted = {name: getattr(account, name) for name in fields}
    shown = None
    if row is not None:
        shown = {
            **{name: getattr(row, name) for name in fields if name != "subdivision"},
            "subdivision": load.ward_name(row.quality_id, row.subdivision_id),
        }
    key = f"{account.person}@{account.entity}/{account.quality}"
    decision = load.ledger.decide("account", key, shown, wanted)
    identifier = row.id if row else new_id()
    ward = load.ward(quality, account.subdivision)
    values = {
        "username": account.username,
        "username_fold": account.username.lower() if account.username else None,
        "status": account.status,
        "status_reason": account.status_reason,
        "profession": account.profession,
        "subdivision_id": ward,
        "changed_at": load.now,
        **account_order(*load.names[profile], account.username, load.wards.names[ward] if ward else None),
    }
    if decision is Decision.ADD:
        load.accounts[profile, quality] = identifier
        load.ledger.insert(
            ACCOUNTS,
            id=identifier,
            profile_id=profile,
            entity_id=entity,
            quality_id=quality,
            type="user",
            created_at=load.now,
            version=1,
            **values,
        )
    elif decision is Decision.CHANGE and row is not None:
        load.change(ACCOUNTS, identifier, {**values, "version": row.version + 1})
    elif decision is Decision.KEEP and row is not None and row.status == "deleted":
        load.closed.add(row.id)
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.note("account", entity, identifier, wanted, subject=identity)
    if decision is not Decision.KEEP:
        load.ledger.wrote("account", key, identifier, wanted)

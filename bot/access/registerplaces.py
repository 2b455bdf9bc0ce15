"""Applications, functions, entities, qualities and subdivisions of a register file, compared and written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from bot.access.catalogue import Catalogue, application_table, function_table
from bot.access.registerledger import Decision, Fields
from bot.access.registerschema import EntityTable, QualityTable, RegisterTables, SubdivisionTable
from bot.access.registersync import Load
from bot.access.rows import (
    ACCOUNTS,
    APPLICATIONS,
    ENTERPRISES,
    ENTITIES,
    FUNCTIONS,
    QUALITIES,
    SUBDIVISIONS,
    AnyRow,
    account_order,
    search_words,
    sort_key,
)
from bot.msg import Texts
from bot.store.audit import HOUSE
from bot.store.ids import new_id


def catalogue(load: Load, tables: RegisterTables, offered: Catalogue) -> None:
    """The operator's functions and applications, as the catalogue has read them."""
    bodies = {
        ("function", FUNCTIONS): [
            function_table(offered.function(each["key"].lower())) for each in tables.function
        ],
        ("application", APPLICATIONS): [
            application_table(offered.application(each["key"].lower())) for each in tables.application
        ],
    }
    shown = {"function": load.was.functions, "application": load.was.applications}
    for (kind, table), entries in bodies.items():
        for body in entries:
            key = body["key"]
            row = shown[kind].get(key)
            decision = load.ledger.decide(kind, key, row.body if row else None, body)
            if decision is Decision.ADD:
                load.ledger.insert(table, key=key, body=body)
            elif decision is Decision.CHANGE:
                load.connection.execute(update(table).where(table.c.key == key).values(body=body))
            if decision is not Decision.KEEP:
                load.ledger.wrote(kind, key, key, body)
            if decision in {Decision.ADD, Decision.CHANGE}:
                load.note(kind, HOUSE, key, body)
        load.ledger.flush(table)


def entity(load: Load, entity: EntityTable) -> None:
    """An entity with its qualities and their subdivisions."""
    row = load.was.entities.get(load.entities.get(entity.key, ""))
    wanted = {
        "inami": entity.inami,
        "enterprise": entity.enterprise,
        "created": entity.created.isoformat() if entity.created else None,
        "denomination": dict(entity.denomination),
        "delivery": entity.delivery,
        "portal": entity.portal,
    }
    decision = load.ledger.decide("entity", entity.key, _shown_entity(load, row), wanted)
    identifier = row.id if row else new_id()
    name = Texts(**entity.denomination)
    values = {
        "key": entity.key,
        "inami": entity.inami,
        "enterprise_id": _enterprise(load, entity.enterprise),
        "created_on": entity.created,
        "denomination": dict(entity.denomination),
        "delivery": entity.delivery,
        "portal": entity.portal,
        "sort_key": sort_key(name.in_language("fr")),
        "search": search_words(*entity.denomination.values(), entity.inami),
    }
    if decision is Decision.ADD:
        load.entities[entity.key] = identifier
        load.ledger.insert(ENTITIES, id=identifier, **values)
    elif decision is Decision.CHANGE:
        load.ledger.flush(ENTERPRISES)
        load.change(ENTITIES, identifier, values)
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.note("entity", identifier, identifier, wanted)
    if decision is not Decision.KEEP:
        load.ledger.wrote("entity", entity.key, identifier, wanted)
    for quality in entity.quality:
        _quality(load, entity.key, identifier, quality)


def _shown_entity(load: Load, row: AnyRow | None) -> Fields | None:
    if row is None:
        return None
    return {
        "inami": row.inami,
        "enterprise": load.was.enterprise_number(row.enterprise_id),
        "created": row.created_on.isoformat() if row.created_on else None,
        "denomination": row.denomination,
        "delivery": row.delivery,
        "portal": row.portal,
    }


def _enterprise(load: Load, number: str | None) -> str | None:
    if number is None:
        return None
    identifier = load.enterprises.get(number)
    if identifier is None:
        identifier = load.enterprises[number] = new_id()
        load.ledger.insert(ENTERPRISES, id=identifier, number=number)
    return str(identifier)


def _quality(load: Load, entity_key: str, entity: str, quality: QualityTable) -> None:
    key = f"{entity_key}/{quality.key}"
    row = load.was.qualities.get(load.qualities.get((entity, quality.key), ""))
    wanted = {"number": quality.number, "active": quality.active}
    shown = {"number": row.number, "active": row.active} if row else None
    decision = load.ledger.decide("quality", key, shown, wanted)
    identifier = row.id if row else new_id()
    if decision is Decision.ADD:
        load.qualities[entity, quality.key] = identifier
        activated = load.now if quality.active else None
        load.ledger.insert(
            QUALITIES, id=identifier, entity_id=entity, key=quality.key, activated_at=activated, **wanted
        )
    elif decision is Decision.CHANGE and row is not None:
        activated = (row.activated_at or load.now) if quality.active else None
        load.change(QUALITIES, identifier, {**wanted, "activated_at": activated})
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.note("quality", entity, identifier, wanted)
    if decision is not Decision.KEEP:
        load.ledger.wrote("quality", key, identifier, wanted)
    listed = {each.name for each in quality.subdivisions}
    for subdivision in quality.subdivisions:
        row = _ward(load, f"{key}/{subdivision.name}", identifier, subdivision.name, listed)
        _subdivision(load, key, entity, identifier, subdivision, row)


def _ward(load: Load, key: str, quality: str, name: str, listed: set[str]) -> AnyRow | None:
    """The subdivision of this name; else the one that the file wrote under it and that was renamed in chat since."""
    if found := load.was.subdivisions.get(load.subdivisions.get((quality, name), "")):
        return found
    row = load.was.subdivisions.get(load.ledger.row_of("subdivision", key) or "")
    return row if row is not None and row.quality_id == quality and row.name not in listed else None


def _subdivision(
    load: Load, place: str, entity: str, quality: str, table: SubdivisionTable, row: AnyRow | None
) -> None:
    name, within = table.name, table.within
    key = f"{place}/{name}"
    wanted: dict[str, Any] = {"within": within, "closed": False}
    shown: dict[str, Any] | None = None
    if row is not None:
        shown = {"within": load.wards.called(row.parent_id), "closed": row.closed_at is not None}
        shown |= {"name": row.name} if row.name != name else {}
    identifier = row.id if row else new_id()
    parent_id = load.ward(quality, within)
    circle = load.wards.hangs_on(parent_id, identifier)
    decision = load.ledger.decide("subdivision", key, shown, wanted, blocked=circle)
    values = {"name": name, "parent_id": parent_id, "sort_key": sort_key(name), "closed_at": None}
    load.subdivisions[quality, name] = identifier
    if decision is Decision.ADD:
        load.ledger.insert(SUBDIVISIONS, id=identifier, quality_id=quality, version=1, **values)
    elif decision is Decision.CHANGE and row is not None:
        load.ledger.flush(SUBDIVISIONS)
        load.change(SUBDIVISIONS, identifier, {**values, "version": row.version + 1})
        if row.name != name:
            _found_by(load, identifier, name)
    elif row is not None and row.name != name:
        load.wards.known_as(identifier, name)
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.wards.written(identifier, name, parent_id)
        load.note("subdivision", entity, identifier, {**wanted, "name": name})
    if decision is not Decision.KEEP:
        load.ledger.wrote("subdivision", key, identifier, wanted)


def _found_by(load: Load, subdivision: str, name: str) -> None:
    """The accounts in it are found by the name that it has again."""
    for account in load.was.accounts.values():
        if account.subdivision_id == subdivision:
            names = load.names[account.profile_id]
            load.change(ACCOUNTS, account.id, account_order(*names, account.username, name))

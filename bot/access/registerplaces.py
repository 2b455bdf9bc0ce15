"""Applications, functions, entities, qualities and subdivisions of a register file, compared and written."""

from __future__ import annotations

from sqlalchemy import update

from bot.access.catalogue import Catalogue, application_table, function_table
from bot.access.registerledger import Decision, Fields
from bot.access.registerschema import EntityTable, QualityTable, RegisterTables
from bot.access.registersnapshot import AnyRow
from bot.access.registersync import Load
from bot.access.rows import (
    APPLICATIONS,
    ENTERPRISES,
    ENTITIES,
    FUNCTIONS,
    QUALITIES,
    SUBDIVISIONS,
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
    for subdivision in quality.subdivisions:
        _subdivision(load, key, entity, identifier, subdivision.name, subdivision.within)


def _subdivision(load: Load, place: str, entity: str, quality: str, name: str, within: str | None) -> None:
    key = f"{place}/{name}"
    row = load.was.subdivisions.get(load.subdivisions.get((quality, name), ""))
    wanted = {"within": within, "closed": False}
    shown = None
    if row is not None:
        parent = load.was.subdivisions[row.parent_id].name if row.parent_id else None
        shown = {"within": parent, "closed": row.closed_at is not None}
    decision = load.ledger.decide("subdivision", key, shown, wanted)
    identifier = row.id if row else new_id()
    parent_id = load.subdivisions[quality, within] if within else None
    values = {"parent_id": parent_id, "sort_key": sort_key(name), "closed_at": None}
    if decision is Decision.ADD:
        load.subdivisions[quality, name] = identifier
        load.ledger.insert(SUBDIVISIONS, id=identifier, quality_id=quality, name=name, **values)
    elif decision is Decision.CHANGE:
        load.ledger.flush(SUBDIVISIONS)
        load.change(SUBDIVISIONS, identifier, values)
    if decision in {Decision.ADD, Decision.CHANGE}:
        load.note("subdivision", entity, identifier, {**wanted, "name": name})
    if decision is not Decision.KEEP:
        load.ledger.wrote("subdivision", key, identifier, wanted)

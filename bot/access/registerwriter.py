"""The register written as a register file, the same text for the same content.

Keys stand in the order of `registerschema`, entries in the order of their keys. Deleted accounts and revoked grants and
mandates are history and stay out; so do a person's other entities where nothing is left but history.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from bot.access.catalogue import application_table, function_table, read_application, read_function
from bot.access.identifiers import Niss, format_enterprise_number, format_nihii_institution
from bot.access.registerschema import FORMAT, KnownAs
from bot.access.registersnapshot import Snapshot
from bot.access.rows import AnyRow
from bot.msg import LANGUAGES
from bot.store.crypto import IdentityKeys, number_place
from bot.store.keys import Keyring

Table = Mapping[str, Any]


def written(connection: Connection, keyring: Keyring, *, numbers: bool) -> str:
    """The whole register as TOML; `numbers`: with the national numbers, in plain."""
    was = Snapshot(connection)
    tables = {
        "entity": _entities(was),
        "person": _people(was, _numbers(connection, keyring, was) if numbers else {}),
        "mandate": _mandates(was),
        "account": _accounts(was),
        "function": [_function(row) for _, row in sorted(was.functions.items())],
        "application": [_application(row) for _, row in sorted(was.applications.items())],
    }
    return toml({"format": FORMAT, **tables})


# -- the entries ----------------------------------------------------------------------------------


def _function(row: AnyRow) -> Table:
    return function_table(read_function(row.body, f"function '{row.key}'"))


def _application(row: AnyRow) -> Table:
    return application_table(read_application(row.body, f"application '{row.key}'"))


def _entities(was: Snapshot) -> list[Table]:
    return [
        {
            "key": row.key,
            "inami": format_nihii_institution(row.inami),
            "enterprise": _enterprise(was, row.enterprise_id),
            "created": row.created_on,
            "denomination": {lang: row.denomination[lang] for lang in LANGUAGES if lang in row.denomination},
            "delivery": row.delivery,
            "portal": row.portal,
            "quality": _qualities(was, row.id),
        }
        for row in sorted(was.entities.values(), key=lambda row: row.key)
    ]


def _enterprise(was: Snapshot, enterprise: str | None) -> str | None:
    number = was.enterprise_number(enterprise)
    return format_enterprise_number(number) if number else None


def _qualities(was: Snapshot, entity: str) -> list[Table]:
    own = [row for row in was.qualities.values() if row.entity_id == entity]
    return [
        {
            "key": row.key,
            "number": format_nihii_institution(row.number) if row.number else None,
            "active": row.active,
            "subdivisions": list(_subdivisions(was, row.id, None)),
        }
        for row in sorted(own, key=lambda row: row.key)
    ]


def _subdivisions(was: Snapshot, quality: str, parent: str | None) -> Iterator[str | Table]:
    """By name, each one followed by those within it. A closed one stays where somebody or something still lies in it."""
    rows = [row for row in was.subdivisions.values() if row.quality_id == quality and row.parent_id == parent]
    for row in sorted(rows, key=lambda row: (row.sort_key, row.name)):
        if was.subdivision_names[quality, row.name] != row.id:
            continue  # closed, and the name is another one's by now
        within = list(_subdivisions(was, quality, row.id))
        if row.closed_at is None or within or row.id in was.used_subdivisions:
            yield {"name": row.name, "within": was.subdivisions[parent].name} if parent else row.name
            yield from within


def _numbers(connection: Connection, keyring: Keyring, was: Snapshot) -> dict[str, str]:
    """Identity → national number in plain, as on the identity card."""
    keys = IdentityKeys(connection, keyring)
    return {
        identity: Niss(keys.unseal(identity, row.ciphertext, number_place(row.id))).formatted
        for identity, row in was.number_of.items()
        if identity in was.identities
    }


def _people(was: Snapshot, numbers: Mapping[str, str]) -> list[Table]:
    entities: defaultdict[str, set[str]] = defaultdict(set)
    for person, entity in was.living():
        entities[person].add(entity)
    people: list[Table] = []
    for identity in sorted(was.identities.values(), key=lambda row: row.key):
        profiles = {
            entity: {name: getattr(row, name) for name in KnownAs.model_fields}
            for entity in sorted(entities[identity.key])
            if (row := was.profile_of.get((identity.id, was.entity_keys[entity])))
        }
        if not profiles:
            continue
        first = profiles[min(profiles)]
        other = [
            {"entity": entity, **profiles[entity]} for entity in sorted(profiles) if profiles[entity] != first
        ]
        people.append({"key": identity.key, "niss": numbers.get(identity.id), **first, "profile": other})
    return people


def _mandates(was: Snapshot) -> list[Table]:
    entries = [
        {
            "person": was.identities[row.identity_id].key,
            "role": row.role,
            "entity": was.entities[row.entity_id].key if row.entity_id else None,
            "enterprise": _enterprise(was, row.enterprise_id) if row.entity_id is None else None,
            "quality": was.qualities[row.quality_id].key if row.quality_id else None,
            "subdivision": was.subdivisions[row.subdivision_id].name if row.subdivision_id else None,
            "since": row.since,
            "until": row.until,
        }
        for row in was.mandates
        if row.revoked_at is None
    ]
    return sorted(entries, key=lambda entry: [str(value or "") for value in entry.values()])


def _accounts(was: Snapshot) -> list[Table]:
    entries: list[dict[str, Any]] = []
    for row in was.accounts.values():
        if row.status == "deleted":
            continue
        person, entity, quality = was.account_key(row)
        entries.append(
            {
                "person": person,
                "entity": entity,
                "quality": quality,
                "username": row.username,
                "status": row.status,
                "status_reason": row.status_reason,
                "subdivision": was.subdivisions[row.subdivision_id].name if row.subdivision_id else None,
                "profession": row.profession,
                "grant": [
                    _held(was, each, "application") for each in _live(was.grants[row.id], "application")
                ],
                "assignment": [
                    _held(was, each, "function") for each in _live(was.assignments[row.id], "function")
                ],
            }
        )
    return sorted(entries, key=lambda entry: (entry["person"], entry["entity"], entry["quality"]))


def _live(rows: Sequence[AnyRow], name: str) -> list[AnyRow]:
    live = [row for row in rows if row.revoked_at is None]
    return sorted(live, key=lambda row: (getattr(row, name), row.starts_on))


def _held(was: Snapshot, row: AnyRow, name: str) -> Table:
    held = {name: getattr(row, name), "starts_on": row.starts_on, "ends_on": row.ends_on}
    responsible = was.accounts.get(row.responsible_id) if name == "function" else None
    if responsible is None or responsible.status == "deleted":
        return held
    return held | {"responsible": was.account_key(responsible)[0]}


# -- TOML -----------------------------------------------------------------------------------------


def toml(data: Table) -> str:
    """TOML of plain values and lists of tables. Raises TypeError for what TOML does not know."""
    plain = {key: value for key, value in data.items() if not _is_tables(value) and value not in (None, [])}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for name, entries in data.items():
        for entry in entries if _is_tables(entries) else ():
            lines += ["", *_table(name, entry)]
    return "\n".join(lines) + "\n"


def _table(path: str, entry: Table) -> Iterator[str]:
    """A table of an array, then the tables within it."""
    indent = "  " * path.count(".")
    yield f"{indent}[[{path}]]"
    nested = {key: value for key, value in entry.items() if _is_tables(value) and key != "subdivisions"}
    for key, value in entry.items():
        if key not in nested and value not in (None, []):
            yield f"{indent}{key} = {_value(value)}"
    for key, entries in nested.items():
        for each in entries:
            yield ""
            yield from _table(f"{path}.{key}", each)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) for each in value)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case date():
            return value.isoformat()
        case str():
            return _text(value)
        case Mapping():
            inside = ", ".join(f"{key} = {_value(each)}" for key, each in value.items() if each is not None)
            return f"{{ {inside} }}" if inside else "{}"
        case list():
            return f"[{', '.join(_value(each) for each in value)}]"
    raise TypeError(f"no TOML for {type(value).__name__}")


def _text(text: str) -> str:
    # JSON's escapes are TOML's for all but the one control character that JSON leaves as it is
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

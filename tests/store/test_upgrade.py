"""A database that was filled under an older schema goes on under the newest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alembic import command
from bot.access import identities
from bot.store import audit, crypto
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.schema import _config, check_newest, upgrade
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MICROSECONDS = int(NOW.timestamp() * 1_000_000)
NISS = "79082399728"


@pytest.fixture
def filled(empty_database_url: str, keyring: Keyring) -> Database:
    """As 0001 left it: a person with a number and a profile, an entry of the trail, a message long delivered."""
    database = Database(empty_database_url)
    with database.rebuild() as connection:
        command.upgrade(_config(connection), "0001")
    with database.write() as connection:

        def put(table: str, **values: object) -> None:
            names = ", ".join(values)
            slots = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({slots})"), values)

        put("identities", id="i", key="peeters", created_at=MICROSECONDS)
        put("entities", id="e", key="midi", inami="71099911", denomination="{}", delivery="register",
            portal="old", sort_key="midi", search="")  # fmt: skip
        keys = crypto.IdentityKeys(connection, keyring)
        keys.create("i")
        put("national_numbers", id="n", identity_id="i", key_version=1, since=MICROSECONDS,
            ciphertext=keys.seal("i", NISS, crypto.number_place("n")),
            blind=crypto.blind_index(keyring, NISS))  # fmt: skip
        put("profiles", id="p", identity_id="i", entity_id="e", last_name="Peeters", first_name="Jan",
            language="nl", sort_key="peeters00jan", search=" peeters jan", created_at=MICROSECONDS,
            changed_at=MICROSECONDS, version=1)  # fmt: skip
        put("outbox", key="k", chat_id=7, kind="message", payload=b"Peeters", silent=False, urgency=5,
            not_before=MICROSECONDS, attempts=1, ended_at=MICROSECONDS)  # fmt: skip
        audit.append(connection, keyring, "e", audit.Entry("grant", subject="i", personal="Peeters Jan"), NOW)
    return database


def test_a_filled_database_goes_on_under_the_newest_schema(filled: Database, keyring: Keyring) -> None:
    upgrade(filled)
    check_newest(filled)
    with filled.read() as connection:
        assert identities.by_number(connection, keyring, NISS) == "i"
        assert identities.digits_of(connection, keyring, "n") == NISS
        assert audit.verify(connection, keyring) == audit.Verified(1)
        assert connection.execute(text("SELECT last_name, erased_at FROM profiles")).all() == [
            ("Peeters", None)
        ]
        assert connection.execute(text("SELECT length(payload) FROM outbox")).scalar() == 0
    with filled.write() as connection:
        audit.append(connection, keyring, "e", audit.Entry("grant"), NOW)
    filled.close()


def test_what_the_older_schema_refused_is_refused_still(filled: Database, keyring: Keyring) -> None:
    upgrade(filled)
    for statement in ("UPDATE audit_entries SET act = 'x'", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="append-only"), filled.write() as connection:
            connection.execute(text(statement))
    columns = "created_on, denomination, delivery, portal, sort_key, search"
    with filled.write() as connection:
        connection.execute(
            text(
                f"INSERT INTO entities (id, key, inami, {columns}) SELECT 'e2', 'aube', '71999833', {columns} FROM entities"
            )
        )
    for row in ("'q', identity_id, 'e2', 'xx'", "'q', identity_id, entity_id, 'nl'"):
        with pytest.raises(IntegrityError), filled.write() as connection:
            connection.execute(
                text(
                    f"INSERT INTO profiles (id, identity_id, entity_id, language, {REST}) SELECT {row}, {REST} FROM profiles"
                )
            )
    filled.close()


REST = "last_name, first_name, sort_key, search, created_at, changed_at, version"

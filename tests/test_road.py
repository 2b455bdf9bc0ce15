"""The road without its last mile: from an invitation to a durable grant, through the real register, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count

import pytest
from bot.access import invitations
from bot.access.identifiers import parse_niss
from bot.access.identities import add_number
from bot.access.names import fold
from bot.conversations.model import Command
from bot.conversations.registry import ENGINE
from bot.counter import RegisterCounter
from bot.i18n import CatalogueReader
from bot.store import audit, crypto, outbox
from bot.store.database import Database, session
from bot.store.keys import Keyring
from bot.store.tables import Account, Entity, EntityQuality, Identity, Mandate, Profile
from bot.turning import Turning
from sqlalchemy import text

from tests.test_turning import Chat

MANAGER, STRANGER = 11, 12


def seed(database: Database, keyring: Keyring, now: datetime) -> str:
    """Two entities; Delcourt manages one of them, Peeters is a physician there. Returns an invitation's code."""
    with database.write() as connection, session(connection) as orm:
        for key, inami, name in (
            ("midi", "71099911", "Hôpitaux du Midi"),
            ("aube", "71999833", "Clinique Sainte-Aube"),
        ):
            orm.add(
                Entity(
                    id=key,
                    key=key,
                    inami=inami,
                    denomination={"fr": name},
                    sort_key=fold(name),
                    search=fold(name),
                )
            )
            orm.flush()
            orm.add(EntityQuality(id=f"{key}-h", entity_id=key, key="hospital", number=inami, active=True))
        for person, last, first, niss in (
            ("delcourt", "Delcourt", "Anne", "64.11.17-998.10"),
            ("peeters", "Peeters", "Jan", "79.08.23-997.28"),
        ):
            orm.add(Identity(id=person, key=person, created_at=now))
            orm.flush()
            crypto.IdentityKeys(connection, keyring).create(person)
            digits = parse_niss(niss, today=date(2026, 11, 24)).digits
            add_number(connection, keyring, person, digits, now)
            key = fold(f"{last} {first}")
            orm.add(
                Profile(
                    id=f"{person}-p",
                    identity_id=person,
                    entity_id="midi",
                    last_name=last,
                    first_name=first,
                    language="fr",
                    sort_key=key,
                    search=key,
                    created_at=now,
                    changed_at=now,
                )
            )
            orm.flush()
        orm.add(
            Account(
                id="peeters-a",
                profile_id="peeters-p",
                entity_id="midi",
                quality_id="midi-h",
                username="jpeeters",
                username_fold="jpeeters",
                profession="specialist-physician",
                sort_key="peeters jan",
                search="peeters jan jpeeters",
                created_at=now,
                changed_at=now,
            )
        )
        orm.add(Mandate(identity_id="delcourt", role="co-responsible", entity_id="midi", recorded_at=now))
        orm.flush()
        return invitations.invite(connection, keyring, "delcourt", now)


@pytest.fixture
def manager(database: Database, keyring: Keyring, frozen: datetime) -> Chat:
    code = seed(database, keyring, frozen)
    counter = RegisterCounter(keyring, delay=timedelta(minutes=20))
    chat = Chat(Turning(database, keyring, ENGINE, counter, CatalogueReader), counter, telegram_id=MANAGER)  # type: ignore[arg-type]
    chat.does(Command("start", code))
    chat.taps("Français", "J'ai lu")
    assert "Bonjour Anne Delcourt." in chat.sees()
    return chat


def rows(chat: Chat, query: str) -> list[tuple[object, ...]]:
    with chat.turning.database.read() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def verified(chat: Chat) -> bool:
    with chat.turning.database.read() as connection:
        result = audit.verify(connection, chat.turning.keyring)
    return result.broken is None and result.count > 0


def test_a_known_physician_gets_access_and_the_trail_tells_of_it(manager: Chat) -> None:
    manager.does(Command("grant"))
    manager.taps("Peeters Jan", "Colindos", "Suivant", "Confirmer")
    assert rows(manager, "SELECT account_id, application, change_number FROM grants") == [
        ("peeters-a", "colindos", "2026-000001")
    ]
    assert verified(manager)
    manager.says("2026-1")
    assert "devrait être actif à 10:20" in manager.sees()


def test_a_new_collaborator_gets_an_account_the_application_and_the_function(manager: Chat) -> None:
    manager.does(Command("grant"))
    for words in ("01.09.22-997.80", "01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org"):
        manager.says(words, message_id=77)
    manager.taps("Colindos", "Suivant", "Collaborateur pharmacien", "Aujourd'hui", "Confirmer")
    assert rows(manager, "SELECT function FROM assignments") == [("collaborator-hospital-pharmacist",)]
    assert rows(manager, "SELECT username, profession FROM accounts WHERE username <> 'jpeeters'") == [
        ("tvermeul", "collaborator")
    ]
    assert verified(manager)
    everything = [
        row
        for table in ("chats", "outbox", "updates", "audit_entries", "change_items", "profiles")
        for row in rows(manager, f"SELECT * FROM {table}")
    ]
    assert not [row for row in everything if "01092299708" in repr(row)]


def test_an_entity_outside_the_mandate_is_never_offered(manager: Chat) -> None:
    manager.does(Command("grant"))
    assert "Hôpitaux du Midi" in manager.sees()
    assert "Sainte-Aube" not in manager.sees()
    manager.does(Command("grant", "aube"))
    assert "Sainte-Aube" not in manager.sees()


def test_the_code_works_once(manager: Chat, keyring: Keyring) -> None:
    other = Chat(manager.turning, manager.counter, telegram_id=STRANGER, numbers=count(9000))
    other.does(Command("grant"))
    assert "réservé aux gestionnaires" in other.sees()
    assert rows(manager, "SELECT count(*) FROM bindings WHERE ended_at IS NULL") == [(1,)]
    with manager.turning.database.write() as connection:
        kinds = [
            mail.kind
            for mail in outbox.take(
                connection, keyring, datetime.fromisoformat("2026-11-24T09:00:00+00:00"), limit=9
            )
        ]
    assert kinds == []

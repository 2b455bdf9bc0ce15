"""The store keeps its promises on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from bot.errors import DatabaseUnavailable, KeyMissing
from bot.store import audit, crypto, mail
from bot.store.database import Database, session
from bot.store.ids import new_id
from bot.store.keys import Keyring, new_root_key
from bot.store.schema import check_newest, upgrade
from bot.store.tables import AuditEntry, AuditHead, Entity, Grant, Identity, NationalNumber, NumberBlind
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from sqlalchemy import delete, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import SQLModel

NISS = "79082399728"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def identity(database: Database, keyring: Keyring) -> str:
    with database.write() as connection:
        key = new_id()
        connection.execute(insert(Identity).values(id=key, key=f"p-{key}", created_at=NOW))
        crypto.IdentityKeys(connection, keyring).create(key)
    return key


# -- schema ---------------------------------------------------------------------------------------


def test_the_migrations_make_exactly_the_tables_of_the_code(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    upgrade(database)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    check_newest(database)
    database.close()


def test_an_old_schema_is_one_line_that_says_what_to_do(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(DatabaseUnavailable, match="db upgrade"):
        check_newest(database)
    database.close()


def test_two_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        database = Database(empty_database_url)
        try:
            upgrade(database)
        except BaseException as error:
            failures.append(error)
        finally:
            database.close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("url", ["postgresql://nobody:secret@127.0.0.1:1/none", "nonsense", "oracle://x"])
def test_a_database_that_does_not_answer_is_one_line_without_its_password(url: str) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        Database(url).check()
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "ACCESSBOT_DATABASE_URL" in str(caught.value)


def test_sqlite_keeps_what_was_committed_through_a_power_cut(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a' / 'b.db'}")
    with database.read() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    database.close()


# -- transactions and constraints -----------------------------------------------------------------


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(Identity).values(id="a", key="a", created_at=NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert connection.execute(select(Identity.id)).all() == []


def test_an_orm_session_shares_the_transaction(database: Database) -> None:
    with database.write() as connection, session(connection) as orm:
        orm.add(Identity(id="a", key="a", created_at=NOW))
        orm.flush()
        assert connection.execute(select(Identity.created_at)).scalar_one() == NOW
    with database.read() as connection:
        assert connection.execute(select(Identity.id)).scalar_one() == "a"


def test_a_period_cannot_end_before_it_starts(database: Database) -> None:
    with pytest.raises(IntegrityError, match=r"ends_on_order|CHECK|FOREIGN"), database.write() as connection:
        connection.execute(
            insert(Grant).values(
                id="g",
                account_id="x",
                application="colindos",
                starts_on=date(2026, 2, 1),
                ends_on=date(2026, 1, 1),
                recorded_at=NOW,
            )
        )


def test_a_column_of_words_takes_its_own_words_only(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(
            insert(Entity).values(
                id="e",
                key="e",
                inami="71099911",
                denomination={},
                delivery="fax",
                portal="old",
                sort_key="e",
                search="",
            )
        )


def test_one_open_binding_for_a_telegram_account(database: Database, keyring: Keyring) -> None:
    person = identity(database, keyring)
    table = SQLModel.metadata.tables["bindings"]
    row = {
        "identity_id": person,
        "telegram_id": 5_000_000_001,
        "chat_id": 5_000_000_001,
        "how": "invitation",
        "bound_at": NOW,
    }
    with database.write() as connection:
        connection.execute(insert(table).values(id="b1", ended_at=NOW, **row))
        connection.execute(insert(table).values(id="b2", **row))
    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(table).values(id="b3", **row))


# -- keys and encryption --------------------------------------------------------------------------


def test_a_root_key_survives_its_text_form() -> None:
    text_form = new_root_key()
    assert Keyring.of(text_form).key("field") == Keyring.of(f"1:{text_form}").key("field")
    assert text_form not in repr(Keyring.of(text_form))


@pytest.mark.parametrize(
    "broken", [None, "", "abk1:xxxx", "secret", "abk1:" + "A" * 48, "x:abk1:" + "A" * 48]
)
def test_a_missing_or_broken_key_is_one_line(broken: str | None) -> None:
    with pytest.raises(KeyMissing) as caught:
        Keyring.of(broken)
    assert "\n" not in str(caught.value)
    assert "keys new" in str(caught.value)


def test_a_key_file_that_cannot_be_read_says_which(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="no-such-file"):
        Keyring.of(None, tmp_path / "no-such-file")


def test_a_wrong_root_key_is_refused_before_anything_is_read(database: Database, keyring: Keyring) -> None:
    with database.write() as connection:
        crypto.check_keyring(connection, keyring, NOW)
        crypto.check_keyring(connection, keyring, NOW)
    with pytest.raises(KeyMissing, match="not the one"), database.write() as connection:
        crypto.check_keyring(connection, Keyring({1: bytes(32)}), NOW)


def test_a_sealed_value_opens_in_its_place_only(keyring: Keyring) -> None:
    sealed = crypto.seal(keyring, "state", b"plain", "chats.state:1")
    assert crypto.unseal(keyring, "state", sealed, "chats.state:1") == b"plain"
    for purpose, value, place in (
        ("state", sealed, "chats.state:2"),
        ("field", sealed, "chats.state:1"),
        ("state", sealed[:-1] + bytes([sealed[-1] ^ 1]), "chats.state:1"),
        ("state", b"", "chats.state:1"),
    ):
        with pytest.raises(crypto.Unreadable):
            crypto.unseal(keyring, purpose, value, place)  # type: ignore[arg-type]


def test_what_is_sealed_is_aes_256_in_galois_counter_mode_with_a_new_nonce_each_time(
    keyring: Keyring,
) -> None:
    """Opened here by the cipher itself, from the layout that `crypto` documents."""
    place, plain = "chats.state:1", b"plain text of some length"
    sealed, again = (crypto.seal(keyring, "state", plain, place) for _ in range(2))
    head, nonce, cipher, tag = sealed[:3], sealed[3:15], sealed[15:-16], sealed[-16:]
    key = keyring.key("state")
    assert len(key) * 8 == 256
    opening = Cipher(algorithms.AES(key), modes.GCM(nonce, tag)).decryptor()
    opening.authenticate_additional_data(head + place.encode())
    assert opening.update(cipher) + opening.finalize() == plain
    assert nonce != again[3:15]
    assert cipher != again[15:-16]


def test_what_an_older_key_wrote_is_read_while_that_key_is_there() -> None:
    old = Keyring({1: bytes(range(32))})
    sealed = crypto.seal(old, "state", b"plain", "x")
    both = Keyring({1: bytes(range(32)), 2: bytes(32)})
    assert crypto.unseal(both, "state", sealed, "x") == b"plain"
    with pytest.raises(KeyMissing, match="Version 1"):
        crypto.unseal(Keyring({2: bytes(32)}), "state", sealed, "x")


def test_a_person_whose_key_is_destroyed_can_be_read_no_more(database: Database, keyring: Keyring) -> None:
    person = identity(database, keyring)
    with database.write() as connection:
        keys = crypto.IdentityKeys(connection, keyring)
        sealed = keys.seal(person, NISS, "place")
        assert keys.unseal(person, sealed, "place") == NISS
        keys.destroy(person)
        with pytest.raises(crypto.Unreadable):
            keys.unseal(person, sealed, "place")


def test_no_national_number_stands_plain_in_the_database(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    person = identity(database, keyring)
    with database.write() as connection:
        row = new_id()
        sealed = crypto.IdentityKeys(connection, keyring).seal(person, NISS, crypto.number_place(row))
        connection.execute(
            insert(NationalNumber).values(
                id=row,
                identity_id=person,
                ciphertext=sealed,
                since=NOW,
            )
        )
        blind = {"blind": crypto.blind_index(keyring, NISS), "number_id": row, "key_version": 1}
        connection.execute(insert(NumberBlind).values(**blind))
        state = crypto.seal_json(keyring, "state", {"person": {"niss": NISS}}, "chats.state:7")
        connection.execute(
            insert(mail.Chat).values(
                chat_id=7,
                telegram_id=7,
                state=state,
                updated_at=NOW,
                rev=1,
                version=0,
                card_want=0,
                card_mode="new",
                card_shown=0,
                card_attempts=0,
            )
        )
    with database.read() as connection:
        everything = [
            bytes(repr(tuple(row)), "utf-8")
            for name in inspect(connection).get_table_names()
            for row in connection.execute(text(f"SELECT * FROM {name}"))
        ]
        assert len(everything) >= 4
        found = connection.execute(
            select(NationalNumber.identity_id)
            .join(NumberBlind, NumberBlind.number_id == NationalNumber.id)
            .where(NumberBlind.blind == crypto.blind_index(keyring, NISS))
        ).scalar_one()
    assert found == person
    everything += [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert not [1 for blob in everything if NISS.encode() in blob]


# -- audit ----------------------------------------------------------------------------------------


@pytest.fixture
def audited(database: Database, keyring: Keyring) -> Database:
    person = identity(database, keyring)
    with database.write() as connection:
        for number in range(1, 6):
            for chain in ("midi", "aube"):
                entry = audit.Entry(
                    "grant",
                    actor=person,
                    subject=person,
                    change=f"2026-{number:06d}",
                    body={"application": "colindos"},
                    personal="Peeters Jan",
                )
                assert audit.append(connection, keyring, chain, entry, NOW) == number
    return database


def verified(database: Database, keyring: Keyring) -> audit.Verified:
    with database.read() as connection:
        return audit.verify(connection, keyring)


def disarmed(database: Database, *statements: object) -> None:
    """What a hand with all rights could do: take the triggers off, and write."""
    off = (
        ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
        if database.sqlite
        else ["DROP TRIGGER audit_append_only ON audit_entries"]
    )
    with database.write() as connection:
        for statement in off:
            connection.execute(text(statement))
        for change in statements:
            connection.execute(change)  # type: ignore[call-overload]


def test_a_whole_chain_verifies(audited: Database, keyring: Keyring) -> None:
    assert verified(audited, keyring) == audit.Verified(10)


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET act = 'x'", "DELETE FROM audit_entries"])
def test_the_database_itself_refuses_to_change_the_trail(
    audited: Database, keyring: Keyring, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="append-only"), audited.write() as connection:
        connection.execute(text(statement))
    assert verified(audited, keyring).broken is None


def test_an_edited_entry_is_found(audited: Database, keyring: Keyring) -> None:
    disarmed(
        audited,
        update(AuditEntry)
        .where(AuditEntry.chain == "midi", AuditEntry.seq == 3)
        .values(body={"application": "hospiliss"}),
    )
    assert verified(audited, keyring).broken == ("midi", 3, "it was altered, or the one before it")


def test_a_deleted_entry_is_found(audited: Database, keyring: Keyring) -> None:
    disarmed(audited, delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq == 3))
    assert verified(audited, keyring).broken == ("midi", 4, "an entry before it is missing")


def test_a_cut_tail_is_found(audited: Database, keyring: Keyring) -> None:
    disarmed(audited, delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq > 3))
    assert verified(audited, keyring).broken == ("midi", 4, "entries are missing at the end")


def test_a_cut_tail_with_a_head_made_to_fit_is_found(audited: Database, keyring: Keyring) -> None:
    with audited.read() as connection:
        mac = connection.execute(
            select(AuditEntry.mac).where(AuditEntry.chain == "midi", AuditEntry.seq == 3)
        ).scalar_one()
    disarmed(
        audited,
        delete(AuditEntry).where(AuditEntry.chain == "midi", AuditEntry.seq > 3),
        update(AuditHead).where(AuditHead.chain == "midi").values(seq=3, mac=mac),
    )
    assert verified(audited, keyring).broken == ("midi", 3, "the head of the chain was altered")


def test_a_chain_that_vanished_with_its_entries_is_found_by_its_head(
    audited: Database, keyring: Keyring
) -> None:
    disarmed(audited, delete(AuditEntry).where(AuditEntry.chain == "midi"))
    assert verified(audited, keyring).broken == ("midi", 1, "entries are missing at the end")


def test_writers_of_one_chain_wait_for_each_other(database: Database, keyring: Keyring) -> None:
    def write() -> None:
        for _ in range(5):
            with database.write() as connection:
                audit.append(connection, keyring, "midi", audit.Entry("status"), NOW)

    with database.write() as connection:
        audit.append(connection, keyring, "midi", audit.Entry("status"), NOW)
    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verified(database, keyring) == audit.Verified(21)

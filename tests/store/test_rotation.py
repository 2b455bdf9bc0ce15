"""The root key turns while the bot works: nothing is lost, nobody is there twice, and the old key can go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from bot.access import identities, proofs, visits
from bot.access.credentials import PasswordPolicy
from bot.access.registerfile import load
from bot.access.requests import Done
from bot.access.rows import ACCOUNTS, BLINDS, IDENTITIES, NUMBERS
from bot.conversations.model import Door
from bot.errors import KeyMissing
from bot.handlers.callbacks import Codes
from bot.handlers.mailroom import callback_keys
from bot.store import audit, chats, crypto, inbox, outbox, rotation
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.types import Blob
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlmodel import SQLModel
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NEW_NISS, NOW, REGISTER, TODAY, Register, newcomer

ONE, TWO = bytes(range(32)), bytes(range(1, 33))
OLD, BOTH, NEW = Keyring({1: ONE}), Keyring({1: ONE, 2: TWO}), Keyring({2: TWO})
PEETERS = "79082399728"
DAY = timedelta(days=1)
PASSWORD = "Zonnebloem-47-trompet"
VALID = ("62050599892", "85073099734", "91021499624")


def ring(*versions: int) -> Keyring:
    """A fresh keyring: one learns from the database it is checked against."""
    return Keyring({version: {1: ONE, 2: TWO}[version] for version in versions})


def started(database: Database, keyring: Keyring) -> Keyring:
    """As a process starts with this keyring."""
    with database.write() as connection:
        crypto.check_keyring(connection, keyring, NOW)
    return keyring


def turned(database: Database, **options: object) -> dict[str, int]:
    return rotation.rotate(database, started(database, ring(1, 2)), lambda: NOW, **options)  # type: ignore[arg-type]


def said(database: Database, keyring: Keyring) -> list[str]:
    with database.read() as connection:
        return [each.line() for each in rotation.status(connection, keyring)]


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Register:
    """Written under version 1: a register, a dialogue, an update and a message that wait, one that was delivered."""
    register = Register(database, started(database, ring(1)), tmp_path)
    written(database, register.keyring, 7)
    return register


def written(database: Database, keyring: Keyring, chat: int) -> None:
    with database.write() as connection:
        row = chats.load(connection, keyring, chat, chat, NOW)
        state = {"rev": 2, "answers": {"person": "Peeters"}}
        chats.save(
            connection, keyring, row, state, rev=2, lang="nl", mode="edit", message_id=None, now=NOW, keep=DAY
        )
        inbox.keep(connection, keyring, [(chat, chat, {"text": "Peeters"})], NOW)
        for key in ("open", "over"):
            outbox.put(
                connection,
                keyring,
                f"{key}:{chat}",
                chat_id=chat,
                kind="message",
                payload={"to": key},
                now=NOW,
            )
        over = outbox.take(connection, keyring, NOW, limit=9, chat_id=chat)[1]
        outbox.sent(connection, over.id, 1, NOW)


def everything_is_read(database: Database, keyring: Keyring, chat: int = 7) -> None:
    with database.read() as connection:
        row = chats.peek(connection, keyring, chat, NOW)
        assert row is not None and row.state["answers"] == {"person": "Peeters"}
        waiting = inbox.next_in(connection, keyring, chat)
        assert waiting is not None and waiting.body == {"text": "Peeters"}
        person = identities.by_number(connection, keyring, PEETERS)
        assert person is not None
        number = identities.number_row(connection, person)
        assert number is not None and identities.digits_of(connection, keyring, number) == PEETERS
        assert audit.verify(connection, keyring).broken is None
    with database.write() as connection:
        (mail,) = outbox.take(connection, keyring, NOW + DAY, limit=9, chat_id=chat)
        assert mail.payload == {"to": "open"}
        outbox.later(connection, mail.id, NOW)


def test_after_turning_the_old_key_can_go(filled: Register) -> None:
    database = filled.database
    assert said(database, ring(1)) == [
        "Version 1 writes. Under it: 11 data keys, 1 dialogue, 1 update, 1 message, 3 national numbers."
    ]
    done = turned(database)
    assert done == {"data key": 11, "dialogue": 1, "update": 1, "message": 1, "national number": 3}
    assert said(database, ring(1, 2)) == [
        "Version 1 is no longer needed: its line may be dropped from the key file.",
        "Version 2 writes. Under it: 4 kept keys, 11 data keys, 1 dialogue, 1 update, 1 message, 3 national numbers.",
    ]
    everything_is_read(database, started(database, ring(1, 2)))
    everything_is_read(database, started(database, ring(2)))
    assert said(database, ring(2))[0] == "Version 1 was dropped."


def test_a_visit_and_what_people_prove_themselves_by_outlive_the_old_key(filled: Register) -> None:
    database, person, account = filled.database, filled.person["peeters"], filled.account["peeters"]
    with database.write() as connection:
        proofs.set_password(connection, filled.keyring, account, PASSWORD, PasswordPolicy(), NOW)
        waiting = proofs.enrol(connection, filled.keyring, person, None, NOW)
        code = pyotp.TOTP(waiting.secret).at(NOW)
        codes = proofs.confirm(connection, filled.keyring, person, code, NOW)
        token = visits.make_link(connection, "log-in", now=NOW, identity=person)
        key = visits.enter(connection, now=NOW)
        visit = visits.visit(connection, filled.keyring, key, NOW)
        assert codes is not None and visit is not None
        visits.keep(connection, filled.keyring, visit.id, lang="fr", data={"step": 2})
        username = connection.execute(
            select(ACCOUNTS.c.username).where(ACCOUNTS.c.id == account)
        ).scalar_one()
    assert turned(database)["visit"] == 1
    last = started(database, ring(2))
    with database.write() as connection:
        again = visits.visit(connection, last, key, NOW)
        assert again is not None and again.data == {"step": 2}
        assert visits.link(connection, token, NOW) is not None
        assert proofs.try_password(connection, last, username, PASSWORD, NOW) is not None
        later = NOW + timedelta(minutes=1)
        for answer in (pyotp.TOTP(waiting.secret).at(later), codes[0]):
            assert proofs.try_code(connection, last, person, answer, later) is not None


def test_no_sealed_column_is_forgotten() -> None:
    """Each column of bytes is turned, or it is said here why it need not be."""
    under_data_keys = {
        "national_numbers.ciphertext",
        "audit_entries.personal",
        "passwords.hash",
        "authenticators.secret",
    }
    never_turned = {
        "audit_entries.mac", "audit_heads.mac", "audit_heads.seal", "audit_anchors.mac", "audit_anchors.digest",
        "audit_anchors.signature", "key_checks.probe", "number_blinds.blind", "retired_names.mac",
    }  # fmt: skip
    turned = {f"{sealed.column.table.name}.{sealed.column.name}" for sealed in rotation.SEALED}
    there = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Blob)
    }
    assert there == turned | under_data_keys | never_turned


def test_turning_again_changes_nothing(filled: Register) -> None:
    turned(filled.database)
    with filled.database.read() as connection:
        before = connection.execute(select(crypto._data_keys)).all()
        heads = audit.verify(connection, ring(1, 2)).count
    assert turned(filled.database) == {}
    with filled.database.read() as connection:
        assert connection.execute(select(crypto._data_keys)).all() == before
        assert audit.verify(connection, ring(1, 2)).count == heads


def test_a_key_that_is_still_needed_is_missed_in_one_line(filled: Register) -> None:
    started(filled.database, ring(1, 2))
    with pytest.raises(KeyMissing, match=r"Version 1 .* is missing.*keys rotate") as caught:
        started(filled.database, ring(2))
    assert "\n" not in str(caught.value)
    with pytest.raises(KeyMissing, match="Version 2"):
        started(filled.database, ring(1))


def test_another_key_under_the_number_of_a_dropped_one_is_refused(filled: Register) -> None:
    turned(filled.database)
    with pytest.raises(KeyMissing, match="not the one"):
        started(filled.database, Keyring({1: bytes(32), 2: TWO}))


class Killed(Exception):
    pass


@pytest.mark.parametrize("batch", [1, 4])
def test_a_kill_between_any_two_batches_loses_nothing(filled: Register, batch: int) -> None:
    database, survived, alive = filled.database, 0, True

    def between() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    while alive:
        left = survived
        try:
            turned(database, batch=batch, between=between)
            alive = False
        except Killed:
            survived += 1
            everything_is_read(database, started(database, ring(1, 2)))
            assert "still needed" in said(database, ring(1, 2))[0]
    assert survived > 6
    everything_is_read(database, started(database, ring(2)))


def test_while_the_key_turns_no_number_is_given_twice(filled: Register) -> None:
    database = filled.database
    both = started(database, ring(1, 2))
    with database.write() as connection:
        assert identities.by_number(connection, both, PEETERS) == filled.person["peeters"]
    # a newcomer under both versions: found by whoever has only one of them
    filled.keyring = both
    assert isinstance(filled.does("delcourt", filled.welcome("hospiliss")), Done)
    with database.read() as connection:
        assert identities.by_number(connection, ring(1), NEW_NISS) == identities.by_number(
            connection, both, NEW_NISS
        )
    # a process that was not started anew writes no number that the others would not see
    filled.keyring = ring(1)
    other = replace(newcomer(niss="62050599892"), username="other001")
    with pytest.raises(KeyMissing, match="Version 2"):
        filled.does("delcourt", filled.welcome("hospiliss", user=other))
    filled.keyring = both
    turned(database)
    again = replace(newcomer(), username="other002")
    outcome = filled.does("delcourt", filled.welcome("hospiliss", user=again))
    assert not isinstance(outcome, Done), "the same number in the same quality"
    with database.read() as connection:
        numbers = connection.execute(select(func.count()).select_from(NUMBERS)).scalar()
        assert connection.execute(select(func.count()).select_from(BLINDS)).scalar() == numbers == 4
        check_invariants(connection, both)


def test_turning_beside_turns_and_acts(filled: Register) -> None:
    """Chats write their state, managers make users, and the rotation goes round and round."""
    database, stop = filled.database, threading.Event()
    raised: list[Exception] = []
    keyring = started(database, ring(1, 2))

    def chat(number: int) -> None:
        try:
            for rev in range(3, 15):
                with database.write() as connection:
                    row = chats.load(connection, keyring, number, number, NOW)
                    seen = (row.state or {}).get("seen", [])
                    state = {"rev": rev, "seen": [*seen, rev]}
                    chats.save(
                        connection,
                        keyring,
                        row,
                        state,
                        rev=rev,
                        lang="fr",
                        mode="edit",
                        message_id=None,
                        now=NOW,
                        keep=DAY,
                    )
        except Exception as error:
            raised.append(error)

    def manage() -> None:
        try:
            filled.keyring = keyring
            for number, niss in enumerate((NEW_NISS, *VALID)):
                user = replace(newcomer(), niss=niss, username=f"person{number}")
                filled.does("delcourt", filled.welcome("hospiliss", user=user))
        except Exception as error:
            raised.append(error)

    def turn() -> None:
        try:
            while not stop.is_set():
                turned(database, batch=2)
        except Exception as error:
            raised.append(error)

    workers = [threading.Thread(target=chat, args=(number,)) for number in range(20, 23)]
    workers.append(threading.Thread(target=manage))
    turner = threading.Thread(target=turn)
    for thread in (*workers, turner):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    turner.join()
    assert raised == []
    turned(database)
    last = started(database, ring(2))
    with database.read() as connection:
        for number in range(20, 23):
            row = chats.peek(connection, last, number, NOW)
            assert row is not None and row.state["seen"] == list(range(3, 15))
        check_invariants(connection, last)
    everything_is_read(database, last)


def test_what_outlives_its_key(filled: Register, tmp_path: Path) -> None:
    """Old entries verify, old buttons are understood, and a file still knows what it wrote."""
    database = filled.database
    code = Codes(callback_keys(ring(1))).encode(7, 1, Door("status", "2026-000123"))
    turned(database)
    last = started(database, ring(2))
    with database.read() as connection:
        whole = audit.verify(connection, last)
    assert whole.broken is None and whole.count > 20
    assert Codes(callback_keys(last)).decode(7, code).name == "status"  # type: ignore[union-attr]
    file = tmp_path / "again.toml"
    file.write_text(REGISTER.replace("jan.peeters@example.org", "jan@example.org"), encoding="utf-8")
    report = load(database, last, file, today=TODAY, now=NOW)
    assert report.tallies["profile"].changed == 1
    assert report.tallies["profile"].kept == []


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(["turn", "kill", "chat", "user", "again"]), min_size=2, max_size=9))
def test_any_order_of_turning_killing_and_acting_keeps_everything(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("rotation")
    with databases.sqlite(folder) as url:
        database = Database(url)
        register = Register(database, started(database, ring(1)), folder)
        register.keyring = started(database, ring(1, 2))
        numbers, chats_ = iter(("01092299708", "62050599892", "85073099734")), iter(range(30, 60))
        made: list[int] = []

        def kill() -> Iterator[None]:
            yield
            yield
            raise Killed

        for step in steps:
            match step:
                case "turn":
                    turned(database, batch=3)
                case "kill":
                    fuse = kill()
                    with pytest.raises(Killed):
                        turned(database, batch=3, between=lambda fuse=fuse: next(fuse))
                case "chat":
                    made.append(next(chats_))
                    written(database, register.keyring, made[-1])
                case "user":
                    niss = next(numbers, None)
                    user = newcomer(niss=niss, username=f"user{niss or len(made)}")
                    register.does("delcourt", register.welcome("hospiliss", user=user))
                case "again":
                    register.does("delcourt", register.welcome("hospiliss", user=newcomer(niss=PEETERS)))
        turned(database)
        last = started(database, ring(2))
        for chat in made:
            everything_is_read(database, last, chat)
        with database.read() as connection:
            check_invariants(connection, last)
            people = connection.execute(select(func.count()).select_from(IDENTITIES)).scalar()
            keys = connection.execute(select(func.count()).select_from(crypto._data_keys)).scalar()
            assert people == keys
        database.close()

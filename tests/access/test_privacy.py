"""What is stored about a person can be read, and erased: for good, everywhere, and the audit trail still verifies."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
from bot.access import erasure, identities, invitations, proofs, report, retention, sessions, visits
from bot.access.credentials import PasswordPolicy
from bot.access.erasure import TABLES
from bot.access.identifiers import Niss
from bot.access.privacy import what_is_stored
from bot.access.registerfile import load
from bot.access.requests import Done
from bot.access.retention import Periods
from bot.access.rows import (
    ACCOUNTS,
    ATTEMPTS,
    AUTHENTICATORS,
    BINDINGS,
    CHANGES,
    GRANTS,
    IDENTITIES,
    INVITATIONS,
    ITEMS,
    MANDATES,
    PASSWORDS,
    PROFILES,
    RECOVERY_CODES,
    RESPONSIBILITIES,
    SESSIONS,
    STEP_UPS,
    SUBSTITUTIONS,
    TICKETS,
    VISITS,
)
from bot.access.sessions import SessionRules
from bot.access.standing import session_of
from bot.errors import OperatorError, RegisterFileError
from bot.store import chats, crypto, inbox, outbox
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import Connection, Row, Table, func, insert, inspect, select, text, update
from sqlmodel import SQLModel
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register, newcomer
from tests.store.test_together import race

NISS, OLD_NISS = "62050599892", "85073099734"
PASSWORD, LOCKING = "Zonnebloem-47-trompet", SessionRules(locking=True)
TELEGRAM, MANAGER, DAY = 7_700_000_123, 7_700_000_456, timedelta(days=1)
CANARY = f"""
[[person]]
key = "canary-odilon"
last_name = "Canariseau"
first_name = "Odilon"
title = "Dr. C."
niss = "{OLD_NISS}"
email = "odilon.canariseau@example.org"
staff_number = "STAFF-4711"
[[mandate]]
person = "canary-odilon"
entity = "midi"
role = "auditor"
[[mandate]]
person = "canary-odilon"
entity = "aube"
role = "auditor"
[[account]]
person = "canary-odilon"
entity = "midi"
quality = "hospital"
username = "ocanaris"
status_reason = "Canariseau asked"
[[account.grant]]
application = "hospiliss"
starts_on = 2024-01-15
[[account.grant]]
application = "colindos"
starts_on = 2024-02-01
ends_on = 2024-03-01
[[account.assignment]]
function = "collaborator-hospital-pharmacist"
starts_on = 2024-02-01
ends_on = 2024-03-01
"""
CANARIES = (
    "canaris", "odilon", "canary-", "staff-4711", "dr. c.", NISS, OLD_NISS, str(TELEGRAM),
)  # fmt: skip


@pytest.fixture
def register(database: Database, keyring: Keyring, tmp_path: Path):
    """Odilon Canariseau has left traces in every table there is."""
    register = Register(database, keyring, tmp_path, REGISTER.replace('status = "blocked"\n', "") + CANARY)
    register.person["odilon"] = register.person["canary-odilon"]
    with database.write() as connection:
        identities.set_number(connection, keyring, register.person["odilon"], NISS, NOW)
        code = invitations.invite(connection, keyring, "canary-odilon", NOW)
        joined = invitations.redeem(
            connection, keyring, code, telegram_id=TELEGRAM, chat_id=TELEGRAM, now=NOW
        )
        invitations.invite(connection, keyring, "canary-odilon", NOW)
        proves(register, connection, joined.binding)
        for chat, answers in (
            (TELEGRAM, {"lang": "fr"}),
            (MANAGER, {"last_name": "Canariseau", "first_name": "Odilon"}),
            (MANAGER + 1, {"account": register.account["canary-odilon"]}),
            (MANAGER + 2, {"last_name": "Peeters", "first_name": "Odilon"}),
            (MANAGER + 3, {"typed": Niss(NISS).formatted}),
        ):
            row = chats.load(connection, keyring, chat, chat, NOW)
            state = {"rev": 2, "answers": answers}
            chats.save(
                connection,
                keyring,
                row,
                state,
                rev=2,
                lang="fr",
                mode="edit",
                message_id=None,
                now=NOW,
                keep=DAY,
            )
        inbox.keep(connection, keyring, [(1, TELEGRAM, {"text": "Canariseau"})], NOW)
        for key, chat in (("his", TELEGRAM), ("delivered", MANAGER)):
            outbox.put(
                connection,
                keyring,
                key,
                chat_id=chat,
                kind="message",
                payload={"text": "Canariseau"},
                now=NOW,
            )
        (mail,) = outbox.take(connection, keyring, NOW, limit=1, chat_id=MANAGER)
        outbox.sent(connection, mail.id, 1, NOW)
    grant = register.grant("canary-odilon", "colindos", profession="specialist-physician", version=1)
    done = register.does("delcourt", grant)
    assert isinstance(done, Done)
    with database.write() as connection:
        link = {"id": "answers", "function": "collaborator-specialist-physician", "starts_on": TODAY}
        link |= {"responsible_id": register.account["peeters"], "recorded_at": NOW}
        connection.execute(
            insert(RESPONSIBILITIES).values(account_id=register.account["canary-odilon"], **link)
        )
        stands = {"deputy_id": register.person["canary-odilon"], "principal_id": register.person["delcourt"]}
        stands |= {"account_id": register.account["canary-odilon"], "entity_id": register.entity["midi"]}
        stands |= {"since": TODAY, "until": TODAY, "recorded_at": NOW}
        connection.execute(insert(SUBSTITUTIONS).values(id="stands-in", **stands))
        signed = CHANGES.c.number == done.number
        connection.execute(
            update(CHANGES).where(signed).values(author_id=register.person["odilon"], chat_id=TELEGRAM)
        )
    return register


def proves(register: Register, connection: Connection, binding: str) -> None:
    """He has a password, an app with one recovery code used, a session with a step-up, a link and two visits."""
    keyring, person, account = (
        register.keyring, register.person["odilon"], register.account["canary-odilon"],
    )  # fmt: skip
    proofs.set_password(connection, keyring, account, PASSWORD, PasswordPolicy(), NOW)
    for scope in (None, register.entity["midi"]):
        waiting = proofs.enrol(connection, keyring, person, scope, NOW)
        codes = proofs.confirm(connection, keyring, person, pyotp.TOTP(waiting.secret).at(NOW), NOW)
    assert codes is not None
    assert proofs.try_code(connection, keyring, person, codes[0], NOW) is not None
    for scope, how in ((register.entity["midi"], "password"), (None, "totp")):
        session = sessions.open_session(connection, binding, how=how, scope=scope, now=NOW, rules=LOCKING)
    sessions.stepped_up(connection, session, "d1", "totp", NOW)
    token = visits.make_link(connection, "password", now=NOW, account=account)
    visits.make_link(connection, "log-in", now=NOW, identity=person)
    followed = visits.link(connection, token, NOW)
    assert followed is not None
    for ticket, telegram in ((followed.id, None), (None, TELEGRAM)):
        key = visits.enter(connection, now=NOW, ticket=ticket, telegram_id=telegram)
        visit = visits.visit(connection, keyring, key, NOW)
        assert visit is not None
        visits.keep(connection, keyring, visit.id, lang="fr", data={"name": "Canariseau"})
    visits.count(connection, "log-in", str(TELEGRAM), NOW, DAY)
    visits.first_time(connection, "init", "a start", NOW + DAY)


def everything(database: Database) -> list[tuple[str, str]]:
    """Every row of every table, as text, in lower case."""
    with database.read() as connection:
        return [
            (name, repr(tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row)).lower())
            for name in inspect(connection).get_table_names()
            for row in connection.execute(text(f"SELECT * FROM {name}"))
        ]


def erase(register: Register, person: str = "canary-odilon"):
    return report.erase(register.database, register.keyring, person, NOW, TODAY)


# -- erasure --------------------------------------------------------------------------------------


def test_before_he_is_erased_the_canaries_sing(register):
    found = {table for table, row in everything(register.database) if any(each in row for each in CANARIES)}
    assert {
        "profiles",
        "accounts",
        "identities",
        "bindings",
        "chats",
        "updates",
        "outbox",
        "origins",
    } <= found


def test_after_he_is_erased_nothing_tells_of_him(register, tmp_path):
    erased, scrubbed = erase(register)
    assert (erased.accounts, erased.mandates, erased.bindings, scrubbed) == (1, 2, 1, True)
    assert [
        (table, row) for table, row in everything(register.database) if any(each in row for each in CANARIES)
    ] == []
    if register.database.sqlite:
        files = {path.name: path.read_bytes().lower() for path in tmp_path.glob("test-*.db*")}
        assert files
        assert [
            name for name, content in files.items() if any(each.encode() in content for each in CANARIES)
        ] == []
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


Keys = set[tuple[object, ...]]


def traces(database: Database, identity: str) -> dict[str, Keys]:
    """The rows that hang on a person, by their keys: what holds his id or his Telegram account, or refers to such a row."""
    tables, found = SQLModel.metadata.tables, {"identities": {(identity,)}}
    marks = {identity, TELEGRAM, str(TELEGRAM)}
    with database.read() as connection:
        rows = {name: connection.execute(select(table)).all() for name, table in tables.items()}

    def his(table: Table, row: Row) -> bool:
        refers = any(
            (row._mapping[column.name],) in found.get(link.column.table.name, set())
            for column in table.columns
            for link in column.foreign_keys
        )
        return refers or bool(marks & {cell for cell in row if isinstance(cell, int | str)})

    size = 0
    while size != (size := sum(map(len, found.values()))):
        for name, table in tables.items():
            found[name] = found.get(name, set()) | {
                key_of(table, row) for row in rows[name] if his(table, row)
            }
    return {name: keys for name, keys in found.items() if keys}


def key_of(table: Table, row: Row) -> tuple[object, ...]:
    return tuple(row._mapping[column.name] for column in table.primary_key.columns)


def test_no_table_is_forgotten(register):
    """Each table is named, none that knows a person is said to know none, and what is said to be deleted is."""
    assert set(TABLES) == set(SQLModel.metadata.tables), "say in erasure.TABLES what erasing does to it"
    before = traces(register.database, register.person["odilon"])
    said = {name: words for name, words in TABLES.items() if words != erasure.IDS}
    assert set(before) | UNLINKED >= set(said), "the fixture leaves no trace in these"
    assert set(before) <= set(said), "these know a person"
    erase(register)
    with register.database.read() as connection:
        left = {
            name
            for name, keys in before.items()
            for table in [SQLModel.metadata.tables[name]]
            if keys & {key_of(table, row) for row in connection.execute(select(table))}
        }
    deleted = {name for name, words in said.items() if "deleted" in re.split("[;:, ]", words.split(";")[0])}
    assert {"sessions", "passwords", "attempts", "visits", "outbox", "data_keys"} <= deleted
    assert deleted & left == set()


UNLINKED = {"origins", "retired_names", "seen"}
"""What knows a person by no id: a file's keys (the canaries see those), and hashes."""


def test_everything_he_held_has_ended(register):
    erase(register)
    person = register.person["odilon"]
    with register.database.read() as connection:
        own = select(ACCOUNTS.c.id).join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        accounts = list(connection.execute(own.where(PROFILES.c.identity_id == person)).scalars())
        assert accounts
        running = select(GRANTS).where(GRANTS.c.account_id.in_(accounts), GRANTS.c.revoked_at.is_(None))
        assert connection.execute(running).all() == []
        coming = select(ITEMS).where(ITEMS.c.account_id.in_(accounts), ITEMS.c.undone_at.is_(None))
        assert [row for row in connection.execute(coming) if row.delivery in {"recorded", "delivered"}] == []
        mandates = select(MANDATES.c.revoked_at).where(MANDATES.c.identity_id == person)
        assert None not in connection.execute(mandates).scalars().all()
        assert session_of(connection, TELEGRAM, NOW, SessionRules()) is None
        assert connection.execute(select(BINDINGS).where(BINDINGS.c.identity_id == person)).all() == []
        assert connection.execute(select(INVITATIONS).where(INVITATIONS.c.identity_id == person)).all() == []
        keys = crypto.IdentityKeys(connection, register.keyring)
        with pytest.raises(crypto.Unreadable):
            keys.unseal(person, b"", "anywhere")


def test_he_can_prove_himself_no_more_and_others_can(register):
    keyring = register.keyring
    with register.database.write() as connection:
        proofs.set_password(connection, keyring, register.account["peeters"], PASSWORD, PasswordPolicy(), NOW)
        mine = visits.enter(connection, now=NOW, telegram_id=MANAGER)
        visits.count(connection, "log-in", str(MANAGER), NOW, DAY)
    erase(register)
    with register.database.write() as connection:
        assert proofs.try_password(connection, keyring, "ocanaris", PASSWORD, NOW) is None
        assert not proofs.enrolled(connection, register.person["odilon"])
        assert not proofs.can_return(connection, register.person["odilon"])
        assert sessions.listed(connection, register.person["odilon"]) == ()
        assert visits.counted(connection, "log-in", str(TELEGRAM), NOW, DAY) == 0
        assert proofs.can_return(connection, register.person["peeters"])
        assert visits.visit(connection, keyring, mine, NOW) is not None
        assert visits.counted(connection, "log-in", str(MANAGER), NOW, DAY) == 1


def test_open_dialogues_about_him_are_wiped_and_others_stay(register):
    erase(register)
    with register.database.read() as connection:
        states = [
            chats.peek(connection, register.keyring, MANAGER + number, NOW).state for number in range(4)
        ]
        assert chats.peek(connection, register.keyring, TELEGRAM, NOW) is None
    assert [state.get("answers") for state in states] == [
        None,
        None,
        {"last_name": "Peeters", "first_name": "Odilon"},
        None,
    ]


def test_lists_and_changes_go_on_without_his_name(register):
    erase(register)
    with register.sees("delcourt") as directory:
        card = directory.person(register.account["canary-odilon"])
        assert card is None or card.ref.name == erasure.NOBODY
        assert [line for line in directory.recent_changes() if "Canariseau" in repr(line)] == []


def test_nobody_gets_his_user_name_or_his_key_and_his_number_is_free_again(register, tmp_path):
    erase(register)
    with register.sees("delcourt") as directory:
        assert not directory.username_free("OCanaris")
        assert directory.username_free("ocanaris2")
    taken = register.does("delcourt", register.welcome("hospiliss", user=newcomer(username="ocanaris")))
    assert not isinstance(taken, Done)
    again = register.does("delcourt", register.welcome("hospiliss", user=newcomer(niss=NISS)))
    assert isinstance(again, Done), "he comes back, as somebody new"
    file = tmp_path / "old.toml"
    file.write_text(REGISTER + CANARY, encoding="utf-8")
    with pytest.raises(RegisterFileError) as refused:
        load(register.database, register.keyring, file, today=TODAY, now=NOW)
    assert "'canary-odilon' was erased" in str(refused.value)
    assert "username 'ocanaris' is in use" in str(refused.value)


def test_who_alone_is_responsible_cannot_go_yet(register):
    with pytest.raises(OperatorError, match="'kaai' is the only responsible access manager of 'quai'"):
        erase(register, "kaai")
    with register.database.write() as connection:
        row = connection.execute(
            select(MANDATES).where(MANDATES.c.identity_id == register.person["kaai"])
        ).one()
        values = {**row._mapping, "id": "second", "identity_id": register.person["audi"]}
        connection.execute(MANDATES.insert().values(**values))
    assert erase(register, "kaai")[0].mandates == 1


@pytest.mark.parametrize("person", ["nobody", "canary-odilon"])
def test_somebody_who_is_not_there_or_no_longer_is_one_line(register, person):
    erase(register)
    with pytest.raises(OperatorError, match=f"no person '{person}'"):
        erase(register, person)


def test_a_phone_that_stands_for_somebody_else_by_now_keeps_its_chat(register):
    with register.database.write() as connection:
        invitations.unbind(connection, register.keyring, "canary-odilon", NOW)
        code = invitations.invite(connection, register.keyring, "claes", NOW)
        invitations.redeem(
            connection, register.keyring, code, telegram_id=TELEGRAM, chat_id=TELEGRAM, now=NOW
        )
    erase(register)
    with register.database.read() as connection:
        assert chats.peek(connection, register.keyring, TELEGRAM, NOW) is not None
        assert session_of(connection, TELEGRAM, NOW, SessionRules()).identity == register.person["claes"]


def test_an_act_beside_an_erasure_leaves_no_name_behind(register):
    """Another manager gives him something, or makes him a user elsewhere, at the moment in which he is erased."""
    wanted = (
        register.grant("canary-odilon", "civars", profession="specialist-physician"),
        register.welcome("civars", quality="aube/hospital", user=newcomer(niss=NISS, username="newodilo")),
    )

    def work(number: int) -> None:
        if number < 2:
            register.does("delcourt", wanted[number])
        else:
            erase(register)

    assert race(3, work) == []
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)
        husks = select(PROFILES.c.id).where(PROFILES.c.erased_at.is_not(None))
        accounts = select(ACCOUNTS).where(ACCOUNTS.c.profile_id.in_(husks))
        assert {row.status for row in connection.execute(accounts)} == {"deleted"}
        assert {row.search for row in connection.execute(accounts)} == {""}
        gone = select(PROFILES).where(PROFILES.c.identity_id == register.person["odilon"])
        assert {row.last_name for row in connection.execute(gone)} == {erasure.NOBODY}


# -- what is stored -------------------------------------------------------------------------------


def test_the_operator_reads_everything_and_the_trail_tells_of_it(register):
    stored = json.loads(report.about(register.database, register.keyring, "canary-odilon", NOW))
    assert stored["person"]["key"] == "canary-odilon"
    assert [each["national_number"] for each in stored["person"]["national_numbers"]] == [
        "85.07.30-997.34",
        "62.05.05-998.92",
    ]
    assert sorted(each["entity"] for each in stored["profiles"]) == ["aube", "midi"]
    midi = next(each for each in stored["profiles"] if each["entity"] == "midi")
    assert (midi["email"], midi["accounts"][0]["username"]) == ("odilon.canariseau@example.org", "ocanaris")
    assert midi["accounts"][0]["applications"][0]["application"] == "hospiliss"
    assert [each["telegram_id"] for each in stored["telegram"]] == [TELEGRAM]
    assert len(stored["invitations"]) == 2
    assert "privacy.export" in [each["act"] for each in stored["audit"]]
    assert any("Canariseau" in (each.get("personal") or "") for each in stored["audit"])


def test_it_says_what_he_proves_himself_by_and_never_the_proof(register):
    with register.database.read() as connection:
        stored = what_is_stored(connection, register.keyring, register.person["odilon"])
        hashes = [
            each
            for column in (RECOVERY_CODES.c.code_hash, TICKETS.c.token_hash, VISITS.c.key_hash)
            for each in connection.execute(select(column)).scalars()
        ]
    said, at = json.dumps(stored), NOW.isoformat()
    midi = next(each for each in stored["profiles"] if each["entity"] == "midi")
    assert midi["accounts"][0]["password"] == {"set_at": at, "failures": 0, "locked_until": None}
    apps = [(each["entity"], each["confirmed_at"], each["recovery_codes_left"]) for each in stored["apps"]]
    assert sorted(apps, key=str) == [("midi", at, 9), (None, at, 10)]
    ended = [(each["how"], each["ended_why"], len(each["proved_again"])) for each in stored["sessions"]]
    assert sorted(ended) == [("password", "replaced", 0), ("totp", None, 1)]
    assert sorted(each["purpose"] for each in stored["links"]) == ["log-in", "password"]
    assert sorted(each["telegram_id"] or 0 for each in stored["visits"]) == [0, TELEGRAM]
    assert stored["counted"] == [{"what": "log-in", "at": at}]
    assert len(hashes) == 24
    for secret in (*hashes, PASSWORD, "argon2", "secret", "hash"):
        assert secret not in said, secret


def test_an_entity_sees_the_proofs_for_itself_alone(register):
    with register.database.read() as connection:
        stored = what_is_stored(
            connection,
            register.keyring,
            register.person["odilon"],
            frozenset({register.entity["midi"]}),
        )
        elsewhere = what_is_stored(
            connection,
            register.keyring,
            register.person["odilon"],
            frozenset({register.entity["aube"]}),
        )
    assert [each["entity"] for each in stored["apps"]] == ["midi"]
    assert [each["how"] for each in stored["sessions"]] == ["password"]
    assert [each["purpose"] for each in stored["links"]] == ["password"]
    assert {"visits", "counted"} & set(stored) == set()
    assert (elsewhere["apps"], elsewhere["sessions"], elsewhere["links"]) == ([], [], [])


def test_an_entity_sees_its_own_alone(register):
    with register.database.write() as connection:
        connection.execute(
            update(PROFILES)
            .where(
                PROFILES.c.identity_id == register.person["odilon"],
                PROFILES.c.entity_id == register.entity["aube"],
            )
            .values(email="secret@aube.example", last_name="Aubeson")
        )
    with register.database.read() as connection:
        scope = frozenset({register.entity["midi"]})
        stored = what_is_stored(connection, register.keyring, register.person["odilon"], scope)
    said = json.dumps(stored)
    assert [each["entity"] for each in stored["profiles"]] == ["midi"]
    assert [each["entity"] for each in stored["mandates"]] == ["midi"]
    for secret in ("aube", "Aubeson", NISS, "62.05.05", str(TELEGRAM), "house"):
        assert secret not in said, secret


# -- retention ------------------------------------------------------------------------------------


def kept(register: Register, now, **periods) -> retention.Kept:
    return retention.apply(register.database, register.keyring, Periods(**periods), now)


def test_nobody_who_is_there_goes_however_old(register):
    found = kept(register, NOW + 3000 * DAY)
    assert (found.profiles, found.people, found.entries) == (0, 0, 0)
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def leaves(register: Register, person: str, entity: str, when) -> None:
    """Everything of the person in an entity ends at that instant."""
    with register.database.write() as connection:
        profiles = select(PROFILES.c.id).where(
            PROFILES.c.identity_id == register.person[person], PROFILES.c.entity_id == register.entity[entity]
        )
        own = ACCOUNTS.c.profile_id.in_(profiles)
        connection.execute(update(ACCOUNTS).where(own).values(status="deleted", changed_at=when))
        mandates = (
            MANDATES.c.identity_id == register.person[person],
            MANDATES.c.entity_id == register.entity[entity],
        )
        connection.execute(update(MANDATES).where(*mandates).values(revoked_at=when))


def test_an_entity_forgets_who_left_it_a_year_ago_and_others_do_not(register):
    leaves(register, "odilon", "midi", NOW)
    assert kept(register, NOW + 364 * DAY).profiles == 0
    found = kept(register, NOW + 366 * DAY)
    assert (found.profiles, found.people) == (1, 0)
    with register.database.read() as connection:
        rows = connection.execute(
            select(PROFILES).where(PROFILES.c.identity_id == register.person["odilon"])
        ).all()
        names = {row.entity_id: row.last_name for row in rows}
        assert names == {register.entity["midi"]: erasure.NOBODY, register.entity["aube"]: "Canariseau"}
        check_invariants(connection, register.keyring)
    assert kept(register, NOW + 366 * DAY).profiles == 0, "once"


def test_whom_no_entity_knows_any_more_is_erased(register):
    for entity in ("midi", "aube"):
        leaves(register, "odilon", entity, NOW)
    found = kept(register, NOW + 366 * DAY)
    assert (found.profiles, found.people) == (2, 1)
    found_rows = [
        row for table, row in everything(register.database) if any(each in row for each in CANARIES)
    ]
    assert found_rows == []
    with register.database.read() as connection:
        erased = select(IDENTITIES.c.erased_at).where(IDENTITIES.c.id == register.person["odilon"])
        assert connection.execute(erased).scalar() is not None
        check_invariants(connection, register.keyring)


def test_somebody_blocked_lives_as_long_as_he_holds_something(register):
    later = NOW + 800 * DAY
    with register.database.write() as connection:
        # dubois has colindos until 10 December 2026, lambert holds nothing: he left when he was blocked
        both = ACCOUNTS.c.id.in_((register.account["dubois"], register.account["lambert"]))
        connection.execute(update(ACCOUNTS).where(both).values(status="blocked", changed_at=NOW))
    found = kept(register, NOW + 367 * DAY)
    assert (found.profiles, found.people) == (1, 1)
    assert names(register, "lambert") == {erasure.NOBODY}
    found = kept(register, later)
    assert (found.profiles, found.people) == (1, 1)
    assert names(register, "dubois") == {erasure.NOBODY}


def names(register: Register, person: str) -> set[str]:
    with register.database.read() as connection:
        known = select(PROFILES.c.last_name).where(PROFILES.c.identity_id == register.person[person])
        return set(connection.execute(known).scalars())


def test_who_comes_back_after_a_year_is_known_anew(register):
    leaves(register, "odilon", "midi", NOW)
    later = NOW + 366 * DAY
    kept(register, later)
    user = newcomer(niss=NISS, last_name="Canariseau", first_name="Odilon", username="odicanar")
    outcome = register.does("delcourt", register.welcome("hospiliss", user=user), now=later)
    assert isinstance(outcome, Done)
    with register.database.read() as connection:
        card = what_is_stored(connection, register.keyring, register.person["odilon"])
        assert [each["last_name"] for each in card["profiles"] if each["entity"] == "midi"] == [
            erasure.NOBODY,
            "Canariseau",
        ]
        check_invariants(connection, register.keyring)


def test_used_codes_and_ended_bindings_go_after_their_time(register):
    with register.database.write() as connection:
        invitations.unbind(connection, register.keyring, "canary-odilon", NOW)
    assert kept(register, NOW + 29 * DAY).invitations == 0
    assert kept(register, NOW + 32 * DAY).invitations == 2
    assert kept(register, NOW + 364 * DAY).bindings == 0
    assert kept(register, NOW + 366 * DAY).bindings == 1


def rows(register: Register, table: Table) -> int:
    with register.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_an_entity_that_forgets_forgets_what_was_proved_for_it_alone(register):
    leaves(register, "odilon", "midi", NOW)
    kept(register, NOW + 366 * DAY, sessions=1000 * DAY)
    with register.database.read() as connection:
        assert connection.execute(select(AUTHENTICATORS.c.scope_entity_id)).scalars().all() == [None]
        assert connection.execute(select(SESSIONS.c.how)).scalars().all() == ["totp"]
        assert connection.execute(select(TICKETS.c.purpose)).scalars().all() == ["log-in"]
    assert (rows(register, PASSWORDS), rows(register, RECOVERY_CODES)) == (0, 10)


def test_an_entity_that_forgets_closes_the_ways_in_that_were_good_for_it_alone(register):
    """The others stay: the entity that knows him still is asked, and not this one."""
    person = register.person["odilon"]
    when = NOW + 366 * DAY
    with register.database.write() as connection:
        for entity, number in (("midi", 8101), ("aube", 8102)):
            scope = register.entity[entity]
            invitations.bind(connection, person, scope, number, number, NOW)
            invitations.invite(connection, register.keyring, "canary-odilon", when, scope=scope)
    leaves(register, "odilon", "midi", NOW)
    kept(register, when, sessions=1000 * DAY)
    with register.database.read() as connection:
        open_ones = select(BINDINGS.c.telegram_id).where(BINDINGS.c.ended_at.is_(None))
        assert sorted(connection.execute(open_ones).scalars()) == [8102, TELEGRAM]
        waiting = select(INVITATIONS.c.scope_entity_id).where(
            INVITATIONS.c.used_at.is_(None), INVITATIONS.c.expires_at > when
        )
        assert connection.execute(waiting).scalars().all() == [register.entity["aube"]]


def test_sessions_go_thirty_days_after_their_end_and_open_ones_stay(register):
    assert kept(register, NOW + 29 * DAY).sessions == 0
    assert kept(register, NOW + 31 * DAY).sessions == 1
    assert rows(register, SESSIONS) == 1
    assert rows(register, STEP_UPS) == 0, "they are good for minutes, however long the session lasts"


def test_sessions_go_with_their_binding(register):
    with register.database.write() as connection:
        connection.execute(update(BINDINGS).values(ended_at=NOW))
    found = kept(register, NOW + 366 * DAY, sessions=1000 * DAY)
    assert (found.bindings, rows(register, SESSIONS), rows(register, STEP_UPS)) == (1, 0, 0)


def test_proofs_that_no_longer_count_go_and_those_that_do_stay(register):
    person = register.person["odilon"]
    with register.database.write() as connection:
        proofs.enrol(connection, register.keyring, person, None, NOW)
    assert kept(register, NOW + 29 * DAY).proofs == 0
    assert kept(register, NOW + 31 * DAY).proofs == 1, "an app that was never set up"
    with register.database.write() as connection:
        proofs.forget_authenticators(connection, person, NOW + 31 * DAY)
        mine = ACCOUNTS.c.id == register.account["canary-odilon"]
        connection.execute(update(ACCOUNTS).where(mine).values(status="deleted"))
    assert kept(register, NOW + 32 * DAY).proofs == 1, "the password of a deleted account, at once"
    assert rows(register, RECOVERY_CODES) == 20
    assert kept(register, NOW + 62 * DAY).proofs == 2
    assert (rows(register, PASSWORDS), rows(register, RECOVERY_CODES)) == (0, 0)


def test_what_is_over_within_minutes_is_tidied_within_days(register):
    with register.database.write() as connection:
        visits.prune(connection, NOW + timedelta(hours=1), 8 * DAY)
        assert set(connection.execute(select(VISITS.c.data)).scalars()) == {None}, "what it kept, at once"
    assert (rows(register, VISITS), rows(register, TICKETS), rows(register, ATTEMPTS)) == (2, 2, 1)
    with register.database.write() as connection:
        visits.prune(connection, NOW + 9 * DAY, 8 * DAY)
    assert (rows(register, VISITS), rows(register, TICKETS), rows(register, ATTEMPTS)) == (0, 0, 0)

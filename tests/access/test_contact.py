"""Messages to the help desk: who may write about what, what a mail says, and what its writer sees of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from bot import clock
from bot.access import contact, erasure
from bot.access.acts import perform
from bot.access.requests import Done, Refused, SendMessage
from bot.access.rows import PROFILES
from bot.postman import Postman
from bot.smtp import Server
from bot.store.mail import Outgoing
from bot.store.tables import core
from sqlalchemy import select, update
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, Register
from tests.mailserver import mail_server

OUTBOX = core(Outgoing)
DESK = "help@hospital.example"
TEXT = "La date de fin de jpeeters\nest fausse."


@pytest.fixture
def register(database, keyring, tmp_path, monkeypatch) -> Register:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return Register(database, keyring, tmp_path)


def writes(register, by="delcourt", *scope, entity="midi", desk=True, now=NOW, **fields):
    request = SendMessage("access", register.entity.get(entity, entity), TEXT, "fr")
    with register.work(by, *scope, now=now) as work:
        return perform(replace(work, desk=desk), replace(request, **fields))


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def states(register, person="delcourt", *scope) -> list[tuple[str, str]]:
    with register.sees(person, *scope) as directory:
        return [(each.reference, each.state) for each in directory.messages()]


def posts(register, served, *, desk=DESK) -> None:
    server = Server("127.0.0.1", served.port, "none", "no-reply@hospital.example", timeout=5)
    man = Postman(
        register.database,
        register.keyring,
        server,
        sender="Bot <no-reply@hospital.example>",
        pages="",
        desk=desk,
    )
    asyncio.run(man.once())


def test_a_message_waits_until_the_mail_server_has_it_and_then_is_sent(register):
    done = writes(register)
    assert isinstance(done, Done)
    assert states(register) == [(done.number, "waiting")]
    with mail_server() as served:
        posts(register, served)
        (mail,) = served.taken
        assert served.to == [DESK]
    assert states(register) == [(done.number, "sent")]
    text = mail.get_content().replace("\xa0", " ").replace("\r\n", "\n")
    assert mail["Subject"] == f"[{done.number}] Un accès ou une fonction"
    assert "Entité : Hôpitaux du Midi · 710999-11" in text
    assert "Personne : Delcourt Anne" in text
    assert "La date de fin de jpeeters\nest fausse." in text
    with register.database.read() as connection:
        assert connection.execute(select(OUTBOX.c.payload)).scalars().all() == [b""]
        check_invariants(connection, register.keyring)


def test_an_answer_goes_to_the_writer_and_no_inner_id_leaves_the_house(register):
    with register.database.write() as connection:
        connection.execute(
            update(PROFILES)
            .where(PROFILES.c.identity_id == register.person["delcourt"])
            .values(email="anne@example.org")
        )
    writes(register)
    with mail_server() as served:
        posts(register, served)
        (mail,) = served.taken
    assert mail["Reply-To"].addresses[0].addr_spec == "anne@example.org"
    assert register.person["delcourt"] not in mail.as_string()


def test_an_address_typed_for_the_message_is_where_the_answer_goes_and_is_said_to_be_unverified(register):
    assert isinstance(writes(register, reply="Anne@EXAMPLE.org"), Done)
    with mail_server() as served:
        posts(register, served)
        (mail,) = served.taken
    assert mail["Reply-To"].addresses[0].addr_spec == "Anne@example.org"
    assert "Anne@example.org (donnée pour ce message, non vérifiée)" in mail.get_content()


def test_an_address_that_the_entity_knows_is_not_replaced_by_a_typed_one(register):
    with register.sees("peeters") as directory:
        assert directory.own_address(register.entity["midi"]) == "jan.peeters@example.org"
        assert directory.own_address(register.entity["aube"]) == ""
    with register.sees("peeters", "aube") as directory:
        assert directory.own_address(register.entity["midi"]) == "", (
            "the session is good for another entity only"
        )
    assert isinstance(writes(register, "peeters", reply="else@example.org"), Done)
    with mail_server() as served:
        posts(register, served)
        (mail,) = served.taken
    assert mail["Reply-To"].addresses[0].addr_spec == "jan.peeters@example.org"
    assert "else@" not in mail.as_string()


def test_a_mail_without_an_address_to_answer_to_says_so(register):
    writes(register)
    with mail_server() as served:
        posts(register, served)
        (mail,) = served.taken
    assert mail["Reply-To"] is None
    assert "Adresse e-mail : inconnue" in mail.get_content().replace("\xa0", " ")


def test_an_address_that_is_none_is_refused_at_its_step(register):
    outcome = writes(register, reply="anne@")
    assert isinstance(outcome, Refused)
    assert outcome.step == "reply"
    assert states(register) == []


def test_what_never_left_is_told_as_failed_and_leaves_no_text(register):
    done = writes(register, now=NOW - contact.VALID)
    with mail_server() as served:
        posts(register, served)
        assert served.taken == []
    assert states(register) == [(done.number, "failed")]


@pytest.mark.parametrize(
    ("by", "scope", "entity"),
    [
        ("kaai", (), "midi"),
        ("peeters", (), "aube"),
        ("delcourt", ("aube",), "midi"),
        ("delcourt", (), "nowhere"),
    ],
)
def test_nobody_writes_about_an_entity_that_is_not_his_and_all_get_one_answer(register, by, scope, entity):
    assert said(writes(register, by, *scope, entity=entity)) == "rights.not_allowed"


@pytest.mark.parametrize("by", ["delcourt", "audi", "peeters"])
def test_managers_auditors_and_users_write(register, by):
    assert isinstance(writes(register, by), Done)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("C'est 79.08.23-997.28 ?", "contact.niss"),
        ("  ", "contact.length"),
        ("x" * 1501, "contact.length"),
    ],
)
def test_a_text_that_no_mail_may_hold_is_refused(register, text, key):
    outcome = writes(register, text=text)
    assert (said(outcome), outcome.step) == (key, "text")
    assert states(register) == []


def test_a_sixth_message_within_an_hour_waits_its_turn(register):
    assert all(isinstance(writes(register), Done) for _ in range(5))
    assert said(writes(register)) == "act.contact.too_often"
    assert isinstance(writes(register, now=NOW + timedelta(hours=2)), Done)


def test_without_a_help_desk_nothing_is_written(register):
    assert said(writes(register, desk=False)) == "act.contact.no_desk"


def test_one_sees_ones_own_messages_only(register):
    writes(register)
    assert states(register, "janssens") == []
    assert states(register, None) == []


def test_the_messages_of_somebody_who_is_erased_are_not_sent_any_more(register):
    writes(register, "peeters")
    with register.database.write() as connection:
        erasure.erase(connection, register.keyring, register.person["peeters"], now=NOW, why="asked")
    assert states(register, "peeters") == []
    with mail_server() as served:
        posts(register, served)
        assert served.taken == []

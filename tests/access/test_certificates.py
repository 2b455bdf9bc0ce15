"""Certificates: what a file may hold, who keeps and ends them, and that nobody misses an end."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
import time_machine
from bot.access import invitations, keptcertificates
from bot.access.certificates import MAX_BYTES, bears_key, read_certificate, state_of
from bot.access.requests import Done, EndCertificate, KeepCertificate, Refused
from bot.access.rights import Role
from bot.access.rows import DUE, MANDATES
from bot.errors import Invalid
from bot.store.database import Database
from bot.store.mail import Outgoing
from bot.store.tables import AuditEntry, core
from bot.worker import Worker
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, Register
from tests.certificatefiles import DAY, NISS, der, keystore, pem, private

ENTRIES, OUTBOX = core(AuditEntry), core(Outgoing)


@pytest.fixture
def register(keyring, tmp_path):
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path)
        database.close()


def keeps(register, file=None, by="delcourt", *scope, entity="midi", replaces=None, now=NOW):
    text = base64.b64encode(file or pem()).decode()
    return register.does(
        by, KeepCertificate(register.entity.get(entity, entity), text, replaces), *scope, now=now
    )


def listed(register, by="delcourt", entity="midi", *, now=NOW):
    with register.sees(by, now=now) as directory:
        return directory.certificates(register.entity[entity])


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


# -- what a file may hold -----------------------------------------------------------------------------


def test_a_certificate_reads_the_same_in_der_and_in_pem_with_words_around_it():
    found = read_certificate(der(), NOW)
    assert (found.subject, found.issuer) == ("CN=Chaman Midi", "CN=Essai CA")
    assert (found.begins, found.ends) == (NOW - DAY, NOW + 365 * DAY)
    assert len(found.fingerprint) == 64
    assert read_certificate(b"Bag Attributes\n" + pem() + b"\n", NOW) == found


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "certificate.unreadable"),
        (b"Bonjour", "certificate.unreadable"),
        (der()[:-9], "certificate.unreadable"),
        (pem().replace(b"M", b"?", 3), "certificate.unreadable"),
        (pem() + pem("Other"), "certificate.several"),
        (b"x" * (MAX_BYTES + 1), "certificate.too_large"),
        (der(days=0), "certificate.expired"),
        (der(niss=NISS), "engine.card"),
        (pem() + private(), "engine.key"),
    ],
    ids=[
        "empty",
        "a text",
        "cut off",
        "damaged",
        "a chain",
        "too large",
        "expired",
        "an identity card's",
        "with its key",
    ],
)
def test_what_is_not_taken_has_its_sentence(data, key):
    with pytest.raises(Invalid) as caught:
        read_certificate(data, NOW)
    assert caught.value.msg.key == key


@pytest.mark.parametrize(
    "data",
    [
        private(),
        private(Encoding.DER),
        private(password=b"secret"),
        private(Encoding.DER, b"secret"),
        keystore(),
        keystore(b"secret"),
        b"\xfe\xed\xfe\xed\x00\x00\x00\x02",
    ],
    ids=["pem", "der", "pem locked", "der locked", "pkcs12", "pkcs12 locked", "java"],
)
def test_a_private_key_is_told_apart_in_every_form(data):
    assert bears_key(data)
    assert not bears_key(der())
    assert not bears_key(pem())


def test_a_name_that_turns_the_line_around_or_never_ends_is_shown_as_one_short_line():
    found = read_certificate(der("Midi\u202egpj.\u0007 " + "a" * 50), NOW)
    assert found.subject == "CN=Midi gpj. " + "a" * 50


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [(-1, 61, "active"), (-1, 60, "soon"), (-1, 0, "expired"), (1, 400, "to_come")],
)
def test_each_state_begins_on_its_day(begins, ends, state):
    assert state_of(NOW + begins * DAY, NOW + ends * DAY, NOW) == state


# -- who, and what comes of it -------------------------------------------------------------------------


def test_a_certificate_is_kept_for_its_entity_and_seen_by_who_reads_there(register):
    assert keeps(register) == Done()
    (kept,) = listed(register)
    assert (kept.subject, kept.state, kept.ends) == ("CN=Chaman Midi", "active", NOW + 365 * DAY)
    assert listed(register, "audi") == (kept,)
    assert listed(register, "kaai") == ()
    assert listed(register, None) == ()
    assert listed(register, entity="aube") == ()
    with register.database.read() as connection:
        entry = connection.execute(select(ENTRIES).where(ENTRIES.c.act == "keep-certificate")).one()
        assert kept.fingerprint in json.dumps(entry.body)
        check_invariants(connection, register.keyring)


@pytest.mark.parametrize("by", ["janssens", "groep", "claes", "audi", "peeters", "kaai"])
def test_only_responsibles_change_the_certificates_of_an_entity(register, by):
    keeps(register)
    (kept,) = listed(register)
    assert said(keeps(register, pem("Other"), by)) == "rights.not_allowed"
    assert said(register.does(by, EndCertificate(register.entity["midi"], kept.id))) == "rights.not_allowed"
    assert listed(register) == (kept,)


def test_another_entitys_certificate_is_neither_ended_nor_replaced(register):
    keeps(register)
    (kept,) = listed(register)
    aube = register.entity["aube"]
    assert said(register.does("delcourt", EndCertificate(aube, kept.id))) == "rights.not_allowed"
    assert said(keeps(register, pem("Other"), entity="aube", replaces=kept.id)) == "step.gone"
    assert said(keeps(register, pem("Other"), "delcourt", "aube")) == "rights.not_allowed"
    assert listed(register) == (kept,)


def test_the_same_certificate_is_kept_once_and_again_after_its_end(register):
    keeps(register)
    outcome = keeps(register, der())
    assert (said(outcome), outcome.step) == ("certificate.known", "file")
    (kept,) = listed(register)
    assert register.does("delcourt", EndCertificate(register.entity["midi"], kept.id)) == Done()
    assert listed(register) == ()
    assert keeps(register) == Done()


def test_what_expired_between_the_recap_and_the_confirmation_is_refused(register):
    outcome = keeps(register, pem(days=1), now=NOW + DAY)
    assert (said(outcome), outcome.step) == ("certificate.expired", "file")


def test_a_new_certificate_ends_the_one_that_it_replaces_with_its_warnings(register):
    keeps(register)
    (old,) = listed(register)
    assert keeps(register, pem("Chaman 2", 700), replaces=old.id) == Done()
    assert [each.subject for each in listed(register)] == ["CN=Chaman 2"]
    assert {row.data["certificate"] for row in warnings(register)} == {listed(register)[0].id}


# -- before it ends ------------------------------------------------------------------------------------


def warnings(register):
    with register.database.read() as connection:
        query = select(DUE).where(DUE.c.kind == keptcertificates.WARN).order_by(DUE.c.at)
        return connection.execute(query).all()


def test_warnings_come_in_the_morning_60_30_and_7_days_before_and_none_for_what_is_past(register):
    keeps(register, pem(days=200))
    assert [row.at for row in warnings(register)] == [
        datetime(2027, 4, 13, 7, 0, tzinfo=UTC),
        datetime(2027, 5, 13, 7, 0, tzinfo=UTC),
        datetime(2027, 6, 5, 7, 0, tzinfo=UTC),
    ]
    keeps(register, pem("Short", 20))
    assert [row.data["days"] for row in warnings(register)] == ["7", "60", "30", "7"]


def told(register, at):
    """The messages that the worker lays out at that moment: the chat, and the row's key."""
    with time_machine.travel(at, tick=False):
        Worker(register.database, register.keyring, None).carry_out()
    with register.database.read() as connection:
        rows = connection.execute(select(OUTBOX).where(OUTBOX.c.key.startswith("certificate:")))
        return [row.chat_id for row in rows]


def binds(register, *people):
    with register.database.write() as connection:
        for chat, person in enumerate(people, 1):
            code = invitations.invite(connection, register.keyring, person, NOW)
            invitations.redeem(connection, register.keyring, code, telegram_id=chat, chat_id=chat, now=NOW)


def test_a_warning_reaches_the_responsibles_once_and_nobody_else(register):
    binds(register, "delcourt", "janssens", "audi")
    keeps(register, pem(days=200))
    assert told(register, "2027-04-13T06:59:59Z") == []
    assert told(register, "2027-04-13T07:00:01Z") == [1]
    assert told(register, "2027-04-13T08:00:00Z") == [1]
    assert told(register, "2027-05-13T07:00:01Z") == [1, 1]


def test_nobody_is_warned_of_a_certificate_that_was_ended_or_is_over(register):
    binds(register, "delcourt")
    keeps(register, pem(days=200))
    assert told(register, "2028-01-01T07:00:00Z") == []
    keeps(register, pem("Other", 200))
    ended = next(each for each in listed(register) if each.subject == "CN=Other")
    register.does("delcourt", EndCertificate(register.entity["midi"], ended.id))
    assert told(register, "2027-06-20T07:00:00Z") == []


def test_whose_mandate_ended_meanwhile_is_not_warned(register):
    binds(register, "delcourt")
    keeps(register, pem(days=200))
    with register.database.write() as connection:
        gone = MANDATES.c.role == Role.CO_RESPONSIBLE.value
        connection.execute(update(MANDATES).where(gone).values(revoked_at=NOW))
    assert told(register, "2027-04-13T07:00:01Z") == []


def test_a_certificate_of_an_identity_card_is_kept_nowhere(register):
    outcome = keeps(register, pem(niss=NISS))
    assert (said(outcome), outcome.step) == ("engine.card", "file")
    assert listed(register) == ()

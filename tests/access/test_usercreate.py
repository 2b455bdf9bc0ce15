"""Making a user without access: who may, what is written, what is unique; on both databases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from bot.access.acts import perform
from bot.access.requests import CreateUser, Done, NewUser, Refused
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, GRANTS, ITEMS, NUMBERS
from bot.store.audit import personal_place
from bot.store.crypto import IdentityKeys
from bot.store.tables import AuditEntry, core
from sqlalchemy import func, select
from tests.access.registers import NEW_NISS, NOW, newcomer

ENTRIES = core(AuditEntry)


def creates(
    register, by: str | None, *, quality: str = "midi/hospital", profession: str | None = None, **fields
):
    request = CreateUser(register.quality[quality], newcomer(**fields), profession)
    return register.does(by, request)


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def test_a_user_is_made_with_all_fields_and_without_any_access(register):
    done = creates(
        register, "delcourt", title="Dr.", local_email="c@example.org", profession="specialist-physician"
    )
    assert (done.number, done.due) == ("2026-000001", NOW)
    with register.sees("delcourt") as directory:
        card = directory.person(done.account)
    assert (card.last_name, card.first_name, card.title, card.email, card.local_email, card.language, card.type) == (
        "Vermeulen", "Tom", "Dr.", "tom.vermeulen@example.org", "c@example.org", "nl", "user",
    )  # fmt: skip
    assert (card.ref.username, card.ref.masked, card.ref.profession, card.ref.status) == (
        "tvermeul", "••.••.••-•••.08", "specialist-physician", "active",
    )  # fmt: skip
    assert card.holdings == ()
    with register.database.read() as connection:
        for table in (GRANTS, ASSIGNMENTS):
            held = select(func.count()).select_from(table).where(table.c.account_id == done.account)
            assert connection.execute(held).scalar() == 0


def test_what_was_typed_is_in_the_audit_under_the_persons_key_and_the_number_is_not(register):
    creates(register, "delcourt")
    with register.database.read() as connection:
        entry = connection.execute(select(ENTRIES).where(ENTRIES.c.act == "create-user")).one()
        keys = IdentityKeys(connection, register.keyring)
        personal = keys.unseal(entry.subject_id, entry.personal, personal_place(entry.chain, entry.seq))
    assert json.loads(personal)["last_name"] == "Vermeulen"
    assert "Vermeulen" not in str(entry.body)
    assert NEW_NISS not in personal


def test_a_technical_user_has_neither_first_name_nor_number_nor_link(register):
    user = NewUser(
        "Batch", "Tom", "batch@example.org", "batch001", "fr", niss=NEW_NISS, title="Dr.", type="technical"
    )
    with register.work("delcourt") as work:
        done = perform(
            replace(work, mails=True), CreateUser(register.quality["midi/hospital"], user, "collaborator")
        )
    assert isinstance(done, Done)
    assert not done.mailed
    with register.sees("delcourt") as directory:
        card = directory.person(done.account)
    assert (card.type, card.ref.name, card.first_name, card.title, card.ref.masked, card.ref.profession) == (
        "technical", "Batch", "", "", "", "",
    )  # fmt: skip


def test_a_human_gets_a_link_where_mail_can_be_sent(register):
    with register.work("delcourt") as work:
        done = perform(replace(work, mails=True), CreateUser(register.quality["midi/hospital"], newcomer()))
    assert done.mailed


def test_a_user_name_is_unique_over_every_entity(register):
    outcome = creates(register, "janssens", username="WMaes001")
    assert (said(outcome), outcome.step) == ("act.username_taken", "username")


def test_a_person_is_a_user_of_a_quality_once(register):
    assert isinstance(creates(register, "delcourt"), Done)
    assert said(creates(register, "delcourt", username="tvermeu2")) == "act.user_exists"


def test_a_number_known_to_another_entity_leads_to_the_same_person_and_crosses_no_name(register):
    done = creates(register, "janssens", last_name="Maas", niss="04061999842")
    with register.database.read() as connection:
        numbers = select(func.count()).select_from(NUMBERS)
        before = connection.execute(numbers).scalar()
    assert before == 3
    with register.sees("janssens") as directory:
        assert directory.person(done.account).last_name == "Maas"


def test_what_cannot_be_is_refused_at_its_step(register):
    for fields, key, step in (
        ({"last_name": "D3lcor"}, "name.digits", "last_name"),
        ({"first_name": ""}, "name.empty", "first_name"),
        ({"email": "nowhere"}, "email.at", "email"),
        ({"language": "en"}, "act.language_gone", "language"),
        ({"niss": "79082499728"}, "niss.wrong_digit", "person"),
    ):
        outcome = creates(register, "delcourt", **fields)
        assert outcome.step == step
        assert said(outcome) == key or step == "person"
    assert said(creates(register, "delcourt", profession="baker")) == "act.profession_gone"


@pytest.mark.parametrize(
    ("by", "quality"),
    [
        (None, "midi/hospital"),
        ("audi", "midi/hospital"),
        ("peeters", "midi/hospital"),
        ("janssens", "aube/hospital"),
        ("kaai", "midi/hospital"),
    ],
)
def test_nobody_makes_a_user_outside_of_his_scope(register, by, quality):
    assert said(creates(register, by, quality=quality)) == "rights.not_allowed"


def test_a_quality_that_is_not_active_takes_no_users(register):
    assert said(creates(register, "delcourt", quality="midi/health-care")) == "act.quality_inactive"


def test_a_subdivision_manager_makes_users_of_his_subdivision(register):
    done = creates(register, "claes")
    with register.database.read() as connection:
        where = select(ACCOUNTS.c.subdivision_id).where(ACCOUNTS.c.id == done.account)
        assert connection.execute(where).scalar() == register.subdivision["Cardiologie"]


def test_on_the_portal_the_user_is_noted_and_still_to_make(register):
    done = creates(register, "kaai", quality="quai/hospital")
    assert done.due is None
    with register.database.read() as connection:
        item = connection.execute(select(ITEMS)).one()
    assert (item.kind, item.delivery) == ("create-user", "recorded")

"""What somebody changes of his own data, and of nobody else's: on both databases."""

from __future__ import annotations

import json

import pytest
from bot.access.claims import takes_proof
from bot.access.owndata import change_own
from bot.access.requests import ChangeOwn, Done, Refused
from bot.access.rows import ACCOUNTS, PROFILES
from bot.access.work import Declined
from bot.errors import Refusal
from bot.store.audit import personal_place
from bot.store.crypto import IdentityKeys
from bot.store.tables import AuditEntry, core
from sqlalchemy import select, update
from tests.access.invariants import check_invariants
from tests.access.registers import Register

ENTRIES = core(AuditEntry)


def changes(
    register: Register, by: str | None, field: str, value: str, *scope: str, account: str = "peeters"
):
    """As the act has it once a proof was given, where it takes one."""
    request = ChangeOwn(register.account.get(account, account), field, value)
    with register.work(by, *scope) as work:
        try:
            with work.connection.begin_nested():
                return change_own(work, request)
        except Declined as declined:
            return Refused(declined.msg, declined.step)
        except Refusal as refusal:
            return Refused(refusal.msg)


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def profile(register: Register, person: str = "peeters"):
    with register.database.read() as connection:
        query = select(PROFILES).where(PROFILES.c.identity_id == register.person[person])
        return connection.execute(query).one()


def test_an_address_and_the_language_are_changed_each_under_a_number_of_its_own(register):
    assert changes(register, "peeters", "email", "Jan.P@Example.org") == Done(
        "2026-000001", account=register.account["peeters"]
    )
    assert changes(register, "peeters", "language", "de").number == "2026-000002"
    assert changes(register, "peeters", "local_email", "jan@local.example.org").number == "2026-000003"
    assert changes(register, "peeters", "local_email", "").number == "2026-000004"
    row = profile(register)
    assert (row.email, row.language, row.local_email, row.version) == ("Jan.P@example.org", "de", None, 5)
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_a_manager_sees_the_change_with_its_author_and_the_account_as_changed(register):
    before = profile(register).version
    changes(register, "peeters", "language", "de")
    with register.sees("delcourt") as directory:
        change = directory.change("2026-000001")
        card = directory.person(register.account["peeters"])
    assert (change.author, change.person, change.state) == ("Peeters Jan", "Peeters Jan", "active")
    assert (card.language, card.ref.version) == ("de", before + 1)


def test_an_address_stands_in_the_audit_only_under_the_persons_own_key(register):
    changes(register, "peeters", "email", "neu@example.org")
    identity = register.person["peeters"]
    with register.database.read() as connection:
        row = connection.execute(select(ENTRIES).where(ENTRIES.c.change_number == "2026-000001")).one()
        opened = IdentityKeys(connection, register.keyring).unseal(
            identity, row.personal, personal_place(row.chain, row.seq)
        )
    assert "example.org" not in json.dumps(row.body)
    assert json.loads(opened) == {"before": "jan.peeters@example.org", "after": "neu@example.org"}


@pytest.mark.parametrize("by", ["delcourt", "dubois", "kaai", "peeters2"])
def test_nobody_changes_anothers_data_this_way_and_all_get_one_answer(register, by):
    assert said(changes(register, by, "email", "x@example.org")) == "rights.not_allowed"
    assert said(changes(register, by, "email", "x@example.org", account="nobody")) == "rights.not_allowed"
    assert profile(register).email == "jan.peeters@example.org"


def test_a_session_of_another_entity_does_not_reach_the_data(register):
    assert said(changes(register, "peeters", "language", "de", "aube")) == "rights.not_allowed"


@pytest.mark.parametrize(
    "field", ["last_name", "first_name", "title", "identity_id", "staff_number", "version"]
)
def test_what_is_the_managers_nobody_changes_for_himself(register, field):
    assert said(changes(register, "peeters", field, "Baron")) == "rights.not_allowed"


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [
        ("email", "jan.peeters@example.org", "act.user.same"),
        ("email", "jan", "email.at"),
        ("email", "", "email.at"),
        ("language", "en", "act.language_gone"),
        ("language", "fr", "act.user.same"),
    ],
)
def test_what_cannot_be_is_refused_with_its_step(register, field, value, key):
    outcome = changes(register, "peeters", field, value)
    assert (said(outcome), outcome.step) == (key, field)


def test_a_blocked_or_deleted_account_changes_nothing(register):
    assert said(changes(register, "lambert", "language", "de", account="lambert")) == "act.blocked"
    with register.database.write() as connection:
        gone = update(ACCOUNTS).where(ACCOUNTS.c.id == register.account["lambert"]).values(status="deleted")
        connection.execute(gone)
    assert said(changes(register, "lambert", "language", "de", account="lambert")) == "rights.not_allowed"


def test_an_address_takes_a_fresh_proof_and_a_language_none(register):
    account = register.account["peeters"]
    assert [
        takes_proof(ChangeOwn(account, field, "x")) for field in ("email", "local_email", "language")
    ] == [
        True,
        True,
        False,
    ]
    assert isinstance(register.does("peeters", ChangeOwn(account, "email", "x@example.org")), Refused)
    assert profile(register).email == "jan.peeters@example.org"
    assert register.does("peeters", ChangeOwn(account, "language", "de")) == Done(
        "2026-000001", account=account
    )

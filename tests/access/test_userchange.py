"""Correcting a user's data: who may, what is taken, what the audit keeps, and the second of two managers; on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from bot.access.requests import ChangeUser, Conflict, Done, Refused
from bot.access.rows import ACCOUNTS, ITEMS, MANDATES, PROFILES
from bot.msg import m
from bot.store.audit import personal_place
from bot.store.crypto import IdentityKeys
from bot.store.ids import new_id
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert, select, update
from tests.access.invariants import check_invariants
from tests.access.registers import NOW

ENTRIES = core(AuditEntry)


def change(register, account: str, field: str, value: str, version: int | None = None) -> ChangeUser:
    """A request by somebody who saw the account as it is, unless a version is given."""
    where = ACCOUNTS.c.id == register.account[account]
    with register.database.read() as connection:
        seen = connection.execute(select(ACCOUNTS.c.version).where(where)).scalar_one()
    return ChangeUser(register.account[account], seen if version is None else version, field, value)


def changes(register, by: str | None, account: str, field: str, value: str, *scope: str):
    return register.does(by, change(register, account, field, value), *scope)


def said(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def card(register, account: str, by: str = "delcourt"):
    with register.sees(by) as directory:
        return directory.person(register.account[account])


def manages(register, person: str, role: str, **place: str) -> None:
    row = {"entity_id": register.entity["midi"], **place}
    with register.database.write() as connection:
        connection.execute(
            insert(MANDATES).values(
                id=new_id(), identity_id=register.person[person], role=role, recorded_at=NOW, **row
            )
        )


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("last_name", " Pieters ", "Pieters"),
        ("first_name", "Johan", "Johan"),
        ("title", "Dr.", "Dr."),
        ("language", "de", "de"),
        ("email", "jan@EXAMPLE.org", "jan@example.org"),
        ("local_email", "kantoor@example.org", "kantoor@example.org"),
    ],
)
def test_each_field_of_the_person_is_changed_and_read_back(register, field, typed, kept):
    before = card(register, "peeters")
    outcome = changes(register, "delcourt", "peeters", field, typed)
    assert isinstance(outcome, Done)
    assert (outcome.number, outcome.due) == ("2026-000001", NOW)
    after = card(register, "peeters")
    assert getattr(after, field) == kept
    assert after.ref.version == before.ref.version + 1


def test_a_user_name_and_a_profession_are_changed_too(register):
    assert isinstance(changes(register, "janssens", "peeters2", "username", "Jan.Peeters"), Done)
    assert isinstance(changes(register, "janssens", "peeters2", "profession", "hospital-pharmacist"), Done)
    ref = card(register, "peeters2").ref
    assert (ref.username, ref.profession) == ("jan.peeters", "hospital-pharmacist")


def test_a_new_name_is_found_and_sorted_and_the_old_one_is_not(register):
    changes(register, "delcourt", "peeters", "last_name", "Aerts")
    with register.sees("delcourt") as directory:
        room = register.quality["midi/hospital"]
        assert [ref.name for ref in directory.people(room, find="aerts").items] == ["Aerts Jan"]
        assert [ref.username for ref in directory.people(room, find="peeters").items] == ["janpeete"]
        assert [ref.name for ref in directory.people(room, find="cathe").items] == ["Aerts Jan"]
        assert directory.people(room).items[0].name == "Aerts Jan"


def test_what_stood_there_and_what_stands_there_now_are_in_the_audit_and_only_there(register):
    changes(register, "delcourt", "peeters", "email", "new@example.org")
    with register.database.read() as connection:
        entry = connection.execute(select(ENTRIES).where(ENTRIES.c.act == "change-user")).one()
        item = connection.execute(select(ITEMS)).one()
        place = personal_place(entry.chain, entry.seq)
        keys = IdentityKeys(connection, register.keyring)
        personal = keys.unseal(register.person["peeters"], entry.personal, place)
    assert json.loads(personal) == {"before": "jan.peeters@example.org", "after": "new@example.org"}
    assert (entry.body["key"], entry.actor_id) == ("email", register.person["delcourt"])
    assert "example.org" not in f"{entry.body} {item.before} {item.after}"


def test_what_is_there_already_or_cannot_be_is_refused_at_its_step(register):
    asked = {
        ("email", "jan.peeters@example.org"): "act.user.same",
        ("email", "nowhere"): "email.at",
        ("last_name", ""): "name.empty",
        ("language", "en"): "act.language_gone",
        ("profession", "baker"): "act.profession_gone",
        ("username", "x"): "username.too_short",
        ("username", "WMAES001"): "act.username_taken",
    }
    for (field, value), key in asked.items():
        outcome = changes(register, "delcourt", "peeters", field, value)
        assert (said(outcome), outcome.step) == (key, field)


def test_a_title_can_be_taken_away(register):
    changes(register, "delcourt", "peeters", "title", "Dr.")
    assert isinstance(changes(register, "delcourt", "peeters", "title", ""), Done)
    assert card(register, "peeters").title == ""


COLLABORATORS = "collaborator-specialist-physician"


def colindos(register, account: str, profession: str, function: str | None = None) -> None:
    """The account holds Colindos, as a physician or as a collaborator with a function."""
    days = {"function": function, "starts_on": NOW.date()} if function else {}
    request = register.grant(account, "colindos", profession=profession, **days)
    assert isinstance(register.does("delcourt", request), Done)


def holds(register, account: str) -> set[str]:
    return {each.key for each in card(register, account).holdings if each.state != "ended"}


def kinds(register, number: str) -> list[tuple[str, str]]:
    with register.database.read() as connection:
        query = select(ITEMS).where(ITEMS.c.change_number == number).order_by(ITEMS.c.position)
        return [(row.kind, row.key) for row in connection.execute(query)]


def test_a_collaborator_s_functions_end_when_he_is_declared_a_physician_and_not_unsaid(register):
    colindos(register, "dubois", "collaborator-physician", COLLABORATORS)
    assert COLLABORATORS in holds(register, "dubois")
    request = change(register, "dubois", "profession", "specialist-physician")
    refused = register.does("delcourt", request)
    assert (said(refused), refused.step) == ("act.function_held", "profession")
    assert card(register, "dubois").ref.profession == "collaborator"

    done = register.does("delcourt", replace(request, ends=True))
    assert isinstance(done, Done)
    assert kinds(register, done.number) == [("change-user", "profession"), ("end-assignment", COLLABORATORS)]
    assert holds(register, "dubois") == {"colindos"}, "a physician needs no function for it"
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_a_physician_declared_a_collaborator_loses_what_needs_a_function_and_not_unsaid(register):
    colindos(register, "peeters", "specialist-physician")
    request = change(register, "peeters", "profession", "collaborator")
    assert said(register.does("delcourt", request)) == "act.function_needed"

    done = register.does("delcourt", replace(request, ends=True))
    assert isinstance(done, Done)
    assert kinds(register, done.number) == [("change-user", "profession"), ("end-grant", "colindos")]
    assert holds(register, "peeters") == {"hospiliss"}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_or_keeps_it_with_the_function_that_begins_the_same_day(register):
    colindos(register, "peeters", "specialist-physician")
    request = change(register, "peeters", "profession", "collaborator")
    assert said(register.does("delcourt", replace(request, function="nobody"))) == "act.function_gone"

    done = register.does("delcourt", replace(request, function=COLLABORATORS))
    assert isinstance(done, Done)
    assert done.due == NOW + timedelta(minutes=20)
    assert kinds(register, done.number) == [("change-user", "profession"), ("assignment", COLLABORATORS)]
    assert holds(register, "peeters") == {"hospiliss", "colindos", COLLABORATORS}
    assert card(register, "peeters").ref.profession == "collaborator"
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_a_group_manager_who_touches_no_functions_ends_none_by_this(register):
    colindos(register, "dubois", "collaborator-physician", COLLABORATORS)
    request = replace(change(register, "dubois", "profession", "hospital-pharmacist"), ends=True)
    assert said(register.does("groep", request)) == "rights.not_allowed"
    assert COLLABORATORS in holds(register, "dubois")


def test_a_profession_that_takes_nothing_ends_nothing_whatever_is_asked(register):
    request = replace(change(register, "peeters", "profession", "hospital-pharmacist"), ends=True)
    done = register.does("delcourt", request)
    assert kinds(register, done.number) == [("change-user", "profession")]
    assert holds(register, "peeters") == {"hospiliss"}


@pytest.mark.parametrize(
    ("by", "account"),
    [
        (None, "peeters"),
        ("audi", "peeters"),
        ("peeters", "dubois"),
        ("claes", "peeters2"),
        ("janssens", "maes"),
        ("kaai", "peeters"),
    ],
)
def test_nobody_changes_a_user_outside_of_his_scope(register, by, account):
    assert said(changes(register, by, account, "title", "Dr.")) == "rights.not_allowed"


def test_a_session_of_one_entity_changes_nobody_of_another(register):
    assert said(changes(register, "delcourt", "maes", "title", "Dr.", "midi")) == "rights.not_allowed"


def test_nobody_changes_his_own_account_where_another_could(register):
    assert said(changes(register, "delcourt", "delcourt", "title", "Dr.")) == "rights.own_access"
    alone = changes(register, "kaai", "kaai", "title", "Dr.")
    assert said(alone) == "proof.no_pages", "the only manager there: see test_insider.py"


def test_a_small_manager_does_not_move_the_mail_or_the_name_of_a_larger_one(register):
    """Else he would have the next link to choose a password mailed to himself."""
    for field, value in (
        ("email", "me@example.org"),
        ("local_email", "me@example.org"),
        ("username", "aaaaaaaa"),
    ):
        assert said(changes(register, "janssens", "delcourt", field, value)) == "act.user.manager"
    assert isinstance(changes(register, "janssens", "delcourt", "title", "Dr."), Done)
    manages(register, "peeters", "local", quality_id=register.quality["midi/hospital"])
    assert said(changes(register, "claes", "peeters", "email", "me@example.org")) == "act.user.manager"
    assert isinstance(changes(register, "delcourt", "peeters", "email", "jp@example.org"), Done)


def test_who_manages_one_quality_does_not_change_what_another_quality_shares(register):
    with register.database.write() as connection:
        profile = select(ACCOUNTS.c.profile_id).where(ACCOUNTS.c.id == register.account["peeters"])
        connection.execute(
            insert(ACCOUNTS).values(
                id=new_id(), profile_id=connection.execute(profile).scalar_one(),
                entity_id=register.entity["midi"], quality_id=register.quality["midi/health-care"],
                username="jpeeter2", username_fold="jpeeter2", type="user", status="active",
                sort_key="peeters00jan", search=" peeters jan", created_at=NOW, changed_at=NOW, version=1,
            )
        )  # fmt: skip
    assert said(changes(register, "janssens", "peeters", "email", "jp@example.org")) == "act.user.elsewhere"
    assert isinstance(changes(register, "janssens", "peeters", "username", "jpeeter9"), Done)
    assert isinstance(changes(register, "delcourt", "peeters", "last_name", "Aerts"), Done)
    with register.database.read() as connection:
        other = connection.execute(
            select(ACCOUNTS.c.version, ACCOUNTS.c.search).where(ACCOUNTS.c.username == "jpeeter2")
        ).one()
    assert other == (2, " aerts jan jpeeter2")


def test_the_second_of_two_managers_hears_which_field_changed_and_decides_again(register):
    stale = change(register, "peeters", "email", "b@example.org")
    changes(register, "janssens", "peeters", "email", "a@example.org")
    outcome = register.does("delcourt", stale)
    told = (m("act.changed.field", what=m("field.email"), number="2026-000001"),)
    assert outcome == Conflict(told, stale.version + 1)
    assert card(register, "peeters").email == "a@example.org"
    again = ChangeUser(stale.account, outcome.version, "email", "b@example.org")
    assert isinstance(register.does("delcourt", again), Done)
    assert card(register, "peeters").email == "b@example.org"


def test_on_the_portal_a_correction_is_noted_and_still_to_do(register):
    with register.database.write() as connection:
        connection.execute(update(PROFILES).values(title=None))
    manages(
        register,
        "maes",
        "local",
        entity_id=register.entity["quai"],
        quality_id=register.quality["quai/hospital"],
    )
    outcome = changes(register, "maes", "kaai", "title", "Dr.")
    assert outcome.due is None
    with register.sees("kaai") as directory:
        seen = directory.change(outcome.number)
    assert (seen.state, [(item.kind, item.key) for item in seen.items]) == (
        "to_do",
        [("change-user", "title")],
    )


def test_the_history_of_an_account_tells_who_did_what_newest_first_to_whom_may_see_it(register):
    changes(register, "janssens", "peeters", "title", "Dr.")
    request = change(register, "peeters", "email", "new@example.org")
    register.does("delcourt", request, now=NOW + timedelta(days=1))
    with register.sees("claes") as directory:
        past = directory.history(register.account["peeters"])
        first = directory.history(register.account["peeters"], page=1, size=1)
        hidden = directory.history(register.account["peeters2"])
    assert [(each.author, [item.key for item in each.items]) for each in past.items] == [
        ("Delcourt Anne", ["email"]),
        ("Janssens Piet", ["title"]),
    ]
    assert (past.total, [each.number for each in first.items], hidden.total) == (2, ["2026-000001"], 0)


def test_the_card_bears_every_field_with_its_dates(register):
    changes(register, "delcourt", "peeters", "local_email", "kantoor@example.org")
    seen = card(register, "peeters")
    assert (seen.last_name, seen.first_name, seen.email, seen.local_email, seen.type) == (
        "Peeters", "Jan", "jan.peeters@example.org", "kantoor@example.org", "user",
    )  # fmt: skip
    assert (seen.created_on, seen.changed_on) == (NOW.date(), NOW.date())

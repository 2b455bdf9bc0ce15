"""Acts: what they write, what they refuse, and that they do it once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access import activation
from bot.access.due import ACTIVATE, END
from bot.access.periods import end_instant, start_instant
from bot.access.requests import Conflict, Done, Join, MarkDone, Refused
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    BINDINGS,
    BLINDS,
    CHANGES,
    DUE,
    GRANTS,
    ITEMS,
    MANDATES,
    NUMBERS,
    PROFILES,
)
from bot.store.tables import AuditEntry, core
from sqlalchemy import select, update
from tests.access.registers import NEW_NISS, NOW, TODAY, newcomer, rows, run_due
from tests.access.saying import said

PHYSICIAN = "specialist-physician"
COLLABORATOR = "collaborator-physician"
FUNCTION = "collaborator-specialist-physician"
SOON = NOW + timedelta(minutes=20)


def refused(outcome) -> str:
    """The key of a refusal, said in every language."""
    assert isinstance(outcome, Refused), outcome
    said(outcome.msg)
    return outcome.msg.key


# -- giving ---------------------------------------------------------------------------------------


def test_a_known_physician_gets_colindos_and_no_function(register):
    outcome = register.does(
        "delcourt", register.grant("peeters", "colindos", profession=PHYSICIAN, version=1)
    )

    assert outcome == Done("2026-000001", SOON, register.account["peeters"])
    [grant] = rows(register, GRANTS, application="colindos", account_id=register.account["peeters"])
    assert (grant.starts_on, grant.ends_on, grant.active_at, grant.change_number) == (
        TODAY,
        None,
        SOON,
        "2026-000001",
    )
    assert rows(register, ASSIGNMENTS) == []
    [change] = rows(register, CHANGES)
    assert (change.author_id, change.entity_id, change.source, change.chat_id) == (
        register.person["delcourt"],
        register.entity["midi"],
        "chat",
        42,
    )


def test_an_act_raises_the_version_of_the_account(register):
    register.does("delcourt", register.grant("peeters", "colindos", profession=PHYSICIAN, version=1))

    [account] = rows(register, ACCOUNTS, id=register.account["peeters"])
    assert account.version == 2
    assert account.changed_at == NOW


def test_a_new_collaborator_gets_a_user_account_the_application_and_the_function(register):
    start, end = date(2026, 12, 1), date(2027, 5, 31)
    request = register.welcome(
        "colindos", profession=COLLABORATOR, function=FUNCTION, starts_on=start, ends_on=end
    )

    outcome = register.does("delcourt", request)

    assert outcome == Done("2026-000001", start_instant(start), outcome.account)
    [account] = rows(register, ACCOUNTS, id=outcome.account)
    assert (account.username, account.profession, account.version, account.status) == (
        "tvermeul",
        "collaborator",
        1,
        "active",
    )
    [grant] = rows(register, GRANTS, account_id=outcome.account)
    [assignment] = rows(register, ASSIGNMENTS, account_id=outcome.account)
    assert (grant.starts_on, grant.ends_on) == (assignment.starts_on, assignment.ends_on) == (start, end)
    assert [item.kind for item in rows(register, ITEMS)] == ["create-user", "grant", "assignment"]
    assert {
        (row.kind, row.at)
        for row in rows(register, DUE)
        if row.at > NOW + timedelta(days=100) or row.kind == ACTIVATE
    } == {
        (ACTIVATE, start_instant(start)),
        (END, end_instant(end)),
    }


def test_a_national_number_is_kept_encrypted_only(register):
    register.does("delcourt", register.welcome("hospiliss"))

    with register.database.read() as connection:
        for row in connection.execute(select(NUMBERS)):
            assert NEW_NISS.encode() not in row.ciphertext
        for row in connection.execute(select(BLINDS)):
            assert NEW_NISS.encode() not in row.blind
        assert NEW_NISS not in str(connection.execute(select(ITEMS)).all())


def test_a_start_in_the_past_is_active_after_the_delay(register):
    outcome = register.does("delcourt", register.welcome("hospiliss", starts_on=TODAY - timedelta(days=5)))

    assert outcome.due == SOON


def test_a_person_known_to_another_entity_is_new_here_and_nothing_crosses_over(register):
    user = newcomer(niss="04061999842", email="other@example.org")

    outcome = register.does("delcourt", register.welcome("hospiliss", user=user))

    assert isinstance(outcome, Done)
    profiles = rows(register, PROFILES, identity_id=register.person["maes"])
    assert {(row.entity_id, row.last_name, row.email) for row in profiles} == {
        (register.entity["aube"], "Maes", None),
        (register.entity["midi"], "Vermeulen", "other@example.org"),
    }


def test_what_an_entity_knows_of_its_manager_is_not_overwritten_by_who_adds_him_as_a_user(register):
    user = newcomer(niss="64111799810", email="attacker@example.org", username="xdelcour")

    register.does("kaai", register.welcome("hospiliss", quality="quai/hospital", user=user))
    outcome = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital", user=user))

    assert refused(outcome) == "act.user_exists"
    [own] = rows(
        register, PROFILES, identity_id=register.person["delcourt"], entity_id=register.entity["midi"]
    )
    assert (own.last_name, own.email) == ("Delcourt", None)


def test_what_is_held_already_is_left_out(register):
    request = register.grant("peeters", "hospiliss", "civars", version=1)

    register.does("delcourt", request)

    assert [item.key for item in rows(register, ITEMS)] == ["civars"]


def test_nothing_new_is_nothing_to_record(register):
    outcome = register.does("delcourt", register.grant("peeters", "hospiliss", version=1))

    assert refused(outcome) == "act.nothing_new"
    assert outcome.step == "applications"
    assert rows(register, CHANGES) == []


def test_an_access_that_ends_is_extended_and_the_change_says_from_when_to_when(register):
    request = register.grant(
        "dubois",
        "colindos",
        version=1,
        profession=COLLABORATOR,
        function=FUNCTION,
        starts_on=TODAY,
        ends_on=date(2027, 12, 31),
    )

    register.does("delcourt", request)

    [grant] = rows(register, GRANTS, account_id=register.account["dubois"])
    assert (grant.starts_on, grant.ends_on) == (date(2026, 3, 12), date(2027, 12, 31))
    [item] = rows(register, ITEMS, kind="grant")
    assert item.before == {"starts_on": "2026-03-12", "ends_on": "2026-12-10"}
    assert item.after == {"starts_on": "2026-03-12", "ends_on": "2027-12-31", "account_version": 2}


def test_a_physicians_access_that_ends_is_extended_without_a_function(register):
    with register.database.write() as connection:
        connection.execute(update(GRANTS).values(ends_on=date(2026, 12, 3)))

    outcome = register.does(
        "delcourt",
        register.grant("peeters", "hospiliss", version=1, starts_on=TODAY, ends_on=date(2027, 6, 30)),
    )

    assert isinstance(outcome, Done)
    [grant] = rows(register, GRANTS, account_id=register.account["peeters"])
    assert (grant.starts_on, grant.ends_on) == (date(2024, 1, 15), date(2027, 6, 30))
    assert grant.active_at < NOW


def test_a_blocked_account_is_reactivated_along_with_what_it_gets(register):
    outcome = register.does("claes", register.grant("lambert", "hospiliss", version=1, reactivate=True))
    assert refused(outcome) == "rights.not_allowed", "he manages cardiology only"

    outcome = register.does("delcourt", register.grant("lambert", "hospiliss", version=1, reactivate=True))

    assert isinstance(outcome, Done)
    [account] = rows(register, ACCOUNTS, id=register.account["lambert"])
    assert (account.status, account.status_reason, account.version) == ("active", None, 2)
    [reactivated, given] = rows(register, ITEMS, change_number=outcome.number)
    assert (reactivated.kind, reactivated.before, reactivated.delivery) == (
        "reactivate-user",
        {"status": "blocked"},
        "active",
    )
    assert (given.kind, given.key) == ("grant", "hospiliss")


def test_who_comes_second_is_told_of_the_reactivation(register):
    register.does("delcourt", register.grant("lambert", "hospiliss", version=1, reactivate=True))

    outcome = register.does("janssens", register.grant("lambert", "civars", version=1, reactivate=True))

    assert [msg.key for msg in outcome.differences] == ["act.changed.reactivated", "act.changed.grant"]


def test_giving_never_shortens(register):
    request = register.grant(
        "dubois",
        "colindos",
        version=1,
        profession=COLLABORATOR,
        function=FUNCTION,
        starts_on=TODAY,
        ends_on=TODAY,
    )

    register.does("delcourt", request)

    [grant] = rows(register, GRANTS, account_id=register.account["dubois"])
    assert grant.ends_on == date(2026, 12, 10)
    assert [item.kind for item in rows(register, ITEMS)] == ["assignment"]


# -- refusals -------------------------------------------------------------------------------------

REFUSALS = {
    "an application of no catalogue": (
        "delcourt",
        lambda r: r.grant("peeters", "nothing"),
        "act.application_gone",
        "applications",
    ),
    "no application": ("delcourt", lambda r: r.grant("peeters"), "act.application_gone", "applications"),
    "an inactive quality": (
        "delcourt",
        lambda r: r.welcome("hospiliss", quality="midi/health-care"),
        "act.quality_inactive",
        "quality",
    ),
    "a blocked user": ("delcourt", lambda r: r.grant("lambert", "hospiliss"), "act.blocked", "person"),
    "no profession": ("delcourt", lambda r: r.welcome("colindos"), "act.profession_needed", "profession"),
    "an unknown profession": (
        "delcourt",
        lambda r: r.welcome("colindos", profession="nurse"),
        "act.profession_gone",
        "profession",
    ),
    "a physician with a function": (
        "delcourt",
        lambda r: r.grant("peeters", "colindos", profession=PHYSICIAN, function=FUNCTION, starts_on=TODAY),
        "act.function_not_wanted",
        "profession",
    ),
    "a collaborator without a function": (
        "delcourt",
        lambda r: r.welcome("colindos", profession=COLLABORATOR),
        "act.function_needed",
        "profession",
    ),
    "a function without a start": (
        "delcourt",
        lambda r: r.welcome("colindos", profession=COLLABORATOR, function=FUNCTION),
        "act.start_needed",
        "start",
    ),
    "a start too long ago": (
        "delcourt",
        lambda r: r.welcome("hospiliss", starts_on=date(2026, 1, 1)),
        "start.too_early",
        "start",
    ),
    "an end before the start": (
        "delcourt",
        lambda r: r.welcome("hospiliss", starts_on=date(2026, 12, 2), ends_on=date(2026, 12, 1)),
        "end.before_start",
        "end",
    ),
    "a user name in use": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(username="JPeeters")),
        "act.username_taken",
        "username",
    ),
    "a user name in use elsewhere": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(username="wmaes001")),
        "act.username_taken",
        "username",
    ),
    "a number that is a user here": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(niss="79082399728")),
        "act.user_exists",
        "person",
    ),
    "a wrong number": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(niss="01092299780")),
        "niss.check",
        "person",
    ),
    "a wrong name": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(last_name="V3rmeulen")),
        "name.digits",
        "last_name",
    ),
    "a wrong address": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(email="tom")),
        "email.at",
        "email",
    ),
    "a language the portal lacks": (
        "delcourt",
        lambda r: r.welcome("hospiliss", user=newcomer(language="en")),
        "act.language_gone",
        "language",
    ),
    "another entity": ("kaai", lambda r: r.grant("peeters", "civars"), "rights.not_allowed", None),
    "another entity, somebody new": ("kaai", lambda r: r.welcome("civars"), "rights.not_allowed", None),
    "an unknown quality": (
        "delcourt",
        lambda r: replace(r.grant("peeters", "civars"), quality="nowhere"),
        "rights.not_allowed",
        None,
    ),
    "an unknown account": (
        "delcourt",
        lambda r: replace(r.grant("peeters", "civars"), account="nobody"),
        "rights.not_allowed",
        None,
    ),
    "an account of another quality": (
        "delcourt",
        lambda r: r.grant("maes", "civars"),
        "rights.not_allowed",
        None,
    ),
    "an auditor": ("audi", lambda r: r.grant("peeters", "civars"), "rights.not_allowed", None),
    "somebody without a mandate": (
        "peeters",
        lambda r: r.grant("dubois", "civars"),
        "rights.not_allowed",
        None,
    ),
    "a stranger": (None, lambda r: r.grant("dubois", "civars"), "rights.not_allowed", None),
    "a group manager and a function": (
        "groep",
        lambda r: r.welcome("colindos", profession=COLLABORATOR, function=FUNCTION, starts_on=TODAY),
        "rights.not_allowed",
        None,
    ),
    "a subdivision manager, another subdivision": (
        "claes",
        lambda r: r.grant("peeters2", "civars"),
        "rights.not_allowed",
        None,
    ),
    "oneself, where others manage too": (
        "delcourt",
        lambda r: r.grant("delcourt", "civars"),
        "rights.own_access",
        None,
    ),
    "a change of another entity": ("delcourt", lambda r: MarkDone("2026-000001"), "rights.not_allowed", None),
    "a code of nobody": ("delcourt", lambda r: Join("x" * 22), "start.bad_code", None),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refused_whole_with_a_sentence(register, case):
    actor, request, key, step = REFUSALS[case]

    outcome = register.does(actor, request(register))

    assert (refused(outcome), outcome.step) == (key, step)
    assert rows(register, CHANGES) == []
    assert rows(register, PROFILES, last_name="Vermeulen") == []


def test_a_physician_who_still_has_a_collaborators_function_is_asked_about_it(register):
    given = register.does(
        "delcourt", register.welcome("colindos", profession=COLLABORATOR, function=FUNCTION, starts_on=TODAY)
    )
    request = replace(register.grant("peeters", "civars", profession=PHYSICIAN), account=given.account)

    assert refused(register.does("delcourt", request)) == "act.function_held"


def test_a_binding_for_one_entity_does_not_reach_the_other(register):
    request = register.grant("maes", "civars", quality="aube/hospital")

    assert refused(register.does("delcourt", request, "midi")) == "rights.not_allowed"
    assert isinstance(register.does("delcourt", request, "aube"), Done)


def test_a_mandate_that_ended_since_the_card_was_shown_no_longer_counts(register):
    with register.database.write() as connection:
        connection.execute(update(MANDATES).values(until=TODAY - timedelta(days=1), since=None))

    assert refused(register.does("delcourt", register.grant("peeters", "civars"))) == "rights.not_allowed"


def test_a_subdivision_manager_reaches_what_hangs_on_it_and_adds_users_there(register):
    assert isinstance(register.does("claes", register.grant("peeters", "civars")), Done)
    outcome = register.does("claes", register.welcome("hospiliss"))

    [account] = rows(register, ACCOUNTS, id=outcome.account)
    assert account.subdivision_id == register.subdivision["Cardiologie"]


# -- two managers ---------------------------------------------------------------------------------


def test_the_second_of_two_managers_sees_what_changed(register):
    register.does("delcourt", register.grant("peeters", "civars", version=1))

    outcome = register.does("janssens", register.grant("peeters", "bvtc", version=1))

    assert isinstance(outcome, Conflict)
    assert outcome.version == 2
    assert [msg.key for msg in outcome.differences] == ["act.changed.grant"]
    assert (
        said(outcome.differences[0])["en"]
        == "Access given in the meantime: Chapter IV Agreement Requesting (no. 2026-000001)."
    )
    assert isinstance(register.does("janssens", register.grant("peeters", "bvtc", version=2)), Done)


def test_a_change_by_the_operator_is_a_difference_too(register):
    with register.database.write() as connection:
        connection.execute(update(ACCOUNTS).values(version=5))

    outcome = register.does("janssens", register.grant("peeters", "bvtc", version=1))

    assert [msg.key for msg in outcome.differences] == ["act.changed.other"]


# -- the portal -----------------------------------------------------------------------------------


@pytest.fixture
def noted(register) -> Done:
    """A change of an entity whose rights live on the portal."""
    outcome = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital"))
    assert isinstance(outcome, Done)
    return outcome


def test_on_the_portal_nothing_is_due_before_it_is_done(register, noted):
    assert noted.due is None
    [grant] = rows(register, GRANTS, account_id=noted.account)
    assert grant.active_at is None
    assert [item.delivery for item in rows(register, ITEMS)] == ["recorded", "recorded"]
    assert rows(register, DUE, kind=ACTIVATE) == []


def test_done_on_the_portal_the_delay_counts(register, noted):
    later = NOW + timedelta(hours=3)

    outcome = register.does("kaai", MarkDone(noted.number), now=later)

    assert outcome == Done(noted.number, later + timedelta(minutes=20), noted.account)
    [grant] = rows(register, GRANTS, account_id=noted.account)
    assert grant.active_at == outcome.due
    assert [item.delivery for item in rows(register, ITEMS)] == ["active", "delivered"]


def test_done_twice_is_done_once(register, noted):
    first = register.does("kaai", MarkDone(noted.number))
    again = register.does("kaai", MarkDone(noted.number), now=NOW + timedelta(minutes=5))

    assert again == first
    assert len(rows(register, DUE, kind=ACTIVATE)) == 1


def test_one_item_done_leaves_the_change_open(register, noted):
    [grant] = rows(register, ITEMS, kind="create-user")

    outcome = register.does("kaai", MarkDone(noted.number, grant.id))

    assert outcome.due is None
    assert [item.delivery for item in rows(register, ITEMS)] == ["active", "recorded"]


def test_only_who_manages_there_marks_it_done(register, noted):
    assert refused(register.does("delcourt", MarkDone(noted.number))) == "rights.not_allowed"


# -- becoming active ------------------------------------------------------------------------------


def bound(register, person: str, *chats: int) -> None:
    with register.database.write() as connection:
        for chat in chats:
            row = {
                "id": f"b{chat}",
                "identity_id": register.person[person],
                "telegram_id": chat,
                "chat_id": chat,
            }
            connection.execute(BINDINGS.insert().values(**row, how="invitation", bound_at=NOW))


def test_after_the_delay_the_change_is_active_and_its_author_is_told_once(register):
    bound(register, "delcourt", 42, 43)
    outcome = register.does("delcourt", register.grant("peeters", "civars", "bvtc"))

    assert run_due(register, SOON - timedelta(seconds=1)) == []
    assert run_due(register, SOON) == [activation.Notice(outcome.number, (42, 43))]
    assert run_due(register, SOON + timedelta(hours=1)) == []
    assert {item.delivery for item in rows(register, ITEMS)} == {"active"}


def test_a_change_that_came_due_while_nobody_ran_is_active_from_then(register):
    register.does("delcourt", register.grant("peeters", "civars"))

    run_due(register, SOON + timedelta(days=3))

    [item] = rows(register, ITEMS)
    assert item.active_at == SOON


def test_carried_out_again_nobody_is_told_a_second_time(register):
    outcome = register.does("delcourt", register.grant("peeters", "civars"))
    with register.database.write() as connection:
        first = activation.activate(connection, register.keyring, outcome.number, SOON)
        second = activation.activate(connection, register.keyring, outcome.number, SOON)

    assert first == activation.Notice(outcome.number, ())
    assert second is None


def test_an_end_is_noted_once_and_a_moved_end_not_at_all(register):
    register.does("delcourt", register.grant("peeters", "civars", starts_on=TODAY, ends_on=date(2026, 12, 1)))
    register.does("delcourt", register.grant("peeters", "civars", starts_on=TODAY, ends_on=date(2026, 12, 5)))

    run_due(register, datetime(2026, 12, 8, tzinfo=UTC))

    ended = [row.body["ends_on"] for row in rows(register, core(AuditEntry), act="ended")]
    assert ended == ["2026-12-05"]

"""Ending and moving an end in the register: what is written, what is refused, and that it is done once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from bot.access import activation
from bot.access.activation import Notice
from bot.access.due import ACTIVATE, END, REVOKED
from bot.access.periods import end_instant, start_instant
from bot.access.requests import ChangeEnd, Conflict, Done, EndAccess, MarkDone, Refused
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, BINDINGS, CHANGES, DUE, GRANTS, ITEMS
from bot.store import due
from bot.store.ids import new_id
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert
from tests import databases
from tests.access.registers import NOW, TODAY, Register, rows
from tests.access.saying import said
from tests.conftest import BOTH

COLLABORATOR, FUNCTION = "collaborator-physician", "collaborator-specialist-physician"
SOON = NOW + timedelta(minutes=20)
JUNE = date(2027, 6, 30)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path):
    """SQLite, and PostgreSQL where a test asks for it: where the SQL differs."""
    opened = (
        databases.sqlite(tmp_path) if getattr(request, "param", "") != "postgresql" else databases.postgres()
    )
    with opened as url:
        yield url


both = pytest.mark.parametrize("database_url", BOTH, indirect=True)


def refused(outcome) -> tuple[str, str | None]:
    """The key of a refusal, said in every language, and the step to ask again."""
    assert isinstance(outcome, Refused), outcome
    said(outcome.msg)
    return outcome.msg.key, outcome.step


def run_due(register: Register, now) -> list[Notice]:
    with register.database.write() as connection:
        notices = [
            activation.run(connection, register.keyring, task.kind, task.data, now)
            for task in due.take(connection, now, limit=100)
            if task.kind in {ACTIVATE, END, REVOKED} and due.done(connection, task.id, now)
        ]
    return [notice for notice in notices if notice]


def states(register: Register, account: str, now=NOW) -> dict[str, str]:
    """What the account holds, with its state."""
    with register.sees("delcourt", now=now) as directory:
        card = directory.person(register.account[account])
    assert card
    return {holding.key: holding.state for holding in card.holdings}


def collaborator(register: Register, account: str = "peeters2", **fields) -> Done:
    """Gives Colindos with the function, from today."""
    fields = {"profession": COLLABORATOR, "function": FUNCTION, "starts_on": TODAY} | fields
    done = register.does("delcourt", register.grant(account, "colindos", **fields))
    assert isinstance(done, Done), done
    return done


# -- now ------------------------------------------------------------------------------------------


@both
def test_now_means_now(register):
    outcome = register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",)))

    assert outcome == Done("2026-000001", None, register.account["peeters"])
    [grant] = rows(register, GRANTS, account_id=register.account["peeters"])
    assert (grant.revoked_at, grant.ends_on) == (NOW, None)
    assert states(register, "peeters") == {"hospiliss": "ended"}
    [item] = rows(register, ITEMS)
    assert (item.kind, item.key, item.delivery, item.active_at) == ("end-grant", "hospiliss", "active", NOW)
    [account] = rows(register, ACCOUNTS, id=register.account["peeters"])
    assert account.version == 2


def test_what_was_ended_can_be_given_again_at_once(register):
    register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",)))

    outcome = register.does("delcourt", register.grant("peeters", "hospiliss", version=2))

    assert isinstance(outcome, Done)
    assert len(rows(register, GRANTS, account_id=register.account["peeters"])) == 2


def test_the_change_is_said_to_be_done_and_not_active(register):
    register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",)))

    with register.sees("delcourt") as directory:
        change = directory.change("2026-000001")
    assert change.state == "done"


@both
def test_an_access_that_is_revoked_before_it_is_active_never_becomes_so(register):
    collaborator(register)
    register.does("delcourt", EndAccess(register.account["peeters2"], 2, ("colindos",), (FUNCTION,)))

    assert [notice.kind for notice in run_due(register, SOON)] == [REVOKED]
    with register.sees("delcourt", now=SOON) as directory:
        given = directory.change("2026-000001")
    assert [item.state for item in given.items if item.key] == ["ended", "ended"]
    assert states(register, "peeters2", SOON) == {"colindos": "ended", FUNCTION: "ended"}


def test_ended_twice_is_ended_once(register):
    request = EndAccess(register.account["peeters"], None, ("hospiliss",))
    register.does("delcourt", request)

    assert refused(register.does("delcourt", request)) == ("act.end.gone", "what")
    assert len(rows(register, CHANGES)) == 1


@both
def test_the_second_of_two_managers_sees_what_the_first_ended(register):
    request = EndAccess(register.account["peeters"], 1, ("hospiliss",))
    register.does("delcourt", request)

    outcome = register.does("janssens", request)

    assert isinstance(outcome, Conflict)
    assert [msg.key for msg in outcome.differences] == ["act.changed.ended"]
    assert outcome.version == 2


def test_an_account_is_blocked_along_with_its_last_access_and_reactivated_alone(register):
    account = register.account["peeters"]
    register.does("delcourt", EndAccess(account, 1, ("hospiliss",), becomes="blocked"))
    [row] = rows(register, ACCOUNTS, id=account)
    assert (row.status, row.version) == ("blocked", 2)

    outcome = register.does("delcourt", EndAccess(account, 2, becomes="active"))

    assert isinstance(outcome, Done)
    [row] = rows(register, ACCOUNTS, id=account)
    assert (row.status, row.version) == ("active", 3)
    assert [item.kind for item in rows(register, ITEMS)] == ["end-grant", "block-user", "reactivate-user"]


def test_nothing_to_end_is_nothing_to_record(register):
    assert refused(register.does("delcourt", EndAccess(register.account["peeters"], 1))) == (
        "act.end.nothing",
        "what",
    )
    assert rows(register, CHANGES) == []


# -- the person is told, before everybody else ----------------------------------------------------


def test_whoever_lost_something_is_told_once(register):
    with register.database.write() as connection:
        bound = {"id": new_id(), "identity_id": register.person["peeters"], "telegram_id": 77, "chat_id": 77}
        connection.execute(insert(BINDINGS).values(**bound, how="invitation", bound_at=NOW))
    register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",)))

    assert run_due(register, NOW) == [Notice("2026-000001", (77,), REVOKED)]
    assert run_due(register, NOW + timedelta(hours=1)) == []


# -- on a day -------------------------------------------------------------------------------------


def test_tonight_is_the_last_day(register):
    outcome = register.does(
        "delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",), ends_on=TODAY)
    )

    assert outcome == Done("2026-000001", end_instant(TODAY), register.account["peeters"])
    assert states(register, "peeters") == {"hospiliss": "active"}
    assert states(register, "peeters", end_instant(TODAY)) == {"hospiliss": "ended"}
    [row] = rows(register, DUE, kind=END, at=end_instant(TODAY))
    assert row.done_at is None


def test_an_end_that_has_come_is_carried_out_once_after_a_restart_too(register):
    register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",), ends_on=TODAY))
    late = end_instant(TODAY) + timedelta(hours=6)

    run_due(register, late)
    run_due(register, late + timedelta(days=1))

    ended = rows(register, core(AuditEntry), act="ended")
    assert [entry.body["ends_on"] for entry in ended] == [TODAY.isoformat()]


def test_an_end_that_was_moved_meanwhile_does_not_come(register):
    account = register.account["peeters"]
    register.does("delcourt", EndAccess(account, 1, ("hospiliss",), ends_on=TODAY))
    register.does("delcourt", ChangeEnd(account, 2, ("hospiliss",), ends_on=JUNE))

    run_due(register, end_instant(TODAY))

    assert rows(register, core(AuditEntry), act="ended") == []
    assert states(register, "peeters", end_instant(TODAY)) == {"hospiliss": "active"}


def test_what_ends_sooner_by_itself_stays_as_it_is(register):
    request = EndAccess(register.account["dubois"], 1, ("colindos",), ends_on=JUNE)

    assert refused(register.does("delcourt", request)) == ("act.end.nothing", "when")


def test_what_begins_after_that_day_never_begins(register):
    start = TODAY + timedelta(days=10)
    collaborator(register, starts_on=start)
    ending = EndAccess(register.account["peeters2"], 2, ("colindos",), (FUNCTION,), TODAY + timedelta(days=5))
    register.does("delcourt", ending)

    assert [notice.kind for notice in run_due(register, start_instant(start))] == [REVOKED]
    assert states(register, "peeters2", start_instant(start)) == {"colindos": "ended", FUNCTION: "ended"}


def test_a_day_gone_by_is_asked_again(register):
    request = EndAccess(register.account["peeters"], 1, ("hospiliss",), ends_on=TODAY - timedelta(days=1))

    assert refused(register.does("delcourt", request)) == ("end.before_start", "when")


# -- the ground -----------------------------------------------------------------------------------


def test_a_function_is_not_taken_from_under_an_access(register):
    collaborator(register)

    outcome = register.does("delcourt", EndAccess(register.account["peeters2"], 2, (), (FUNCTION,)))

    assert refused(outcome) == ("act.end.ground", "what")
    assert [row.revoked_at for row in rows(register, ASSIGNMENTS)] == [None]


def test_a_function_is_not_shortened_from_under_an_access(register):
    collaborator(register)

    outcome = register.does("delcourt", ChangeEnd(register.account["peeters2"], 2, (), (FUNCTION,), JUNE))

    assert refused(outcome) == ("act.end.ground", "with")


def test_an_access_given_again_lasts_no_longer_than_the_function_held(register):
    collaborator(register, ends_on=JUNE)
    account = register.account["peeters2"]
    register.does("delcourt", EndAccess(account, 2, ("colindos",)))

    register.does("delcourt", register.grant("peeters2", "colindos", profession=COLLABORATOR, version=3))

    [grant] = [row for row in rows(register, GRANTS, account_id=account) if row.revoked_at is None]
    assert grant.ends_on == JUNE


def test_a_physician_with_an_access_does_not_become_a_collaborator_without_function(register):
    register.does("delcourt", register.grant("peeters", "colindos", profession="specialist-physician"))

    outcome = register.does("delcourt", register.grant("peeters", "civars", profession=COLLABORATOR))

    assert refused(outcome) == ("act.function_needed", "profession")


# -- another end ----------------------------------------------------------------------------------


def test_an_end_is_moved_forwards_backwards_and_away(register):
    account = register.account["dubois"]
    for version, day in enumerate((JUNE, TODAY + timedelta(days=3), None), 1):
        outcome = register.does("delcourt", ChangeEnd(account, version, ("colindos",), ends_on=day))
        assert isinstance(outcome, Done), outcome
        assert outcome.due == SOON
        [grant] = rows(register, GRANTS, account_id=account)
        assert (grant.starts_on, grant.ends_on) == (date(2026, 3, 12), day)
    assert run_due(register, SOON) != []


def test_the_same_end_is_nothing_to_record(register):
    request = ChangeEnd(register.account["dubois"], 1, ("colindos",), ends_on=date(2026, 12, 10))

    assert refused(register.does("delcourt", request)) == ("act.end.same", "when")


def test_a_blocked_account_gets_nothing_longer(register):
    account = register.account["dubois"]
    register.does("delcourt", EndAccess(account, 1, becomes="blocked"))

    assert refused(register.does("delcourt", ChangeEnd(account, 2, ("colindos",)))) == (
        "act.blocked",
        "person",
    )


# -- rights ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["audi", "kaai", "claes", "delcourt-own"])
def test_nobody_ends_what_he_may_not(register, who):
    account = register.account["delcourt" if who == "delcourt-own" else "peeters2"]
    person = who.removesuffix("-own")
    for request in (
        EndAccess(account, None, ("hospiliss",)),
        EndAccess(account, becomes="blocked"),
        ChangeEnd(account, None, ("hospiliss",), ends_on=JUNE),
    ):
        key, _ = refused(register.does(person, request))
        assert key == ("rights.own_access" if who == "delcourt-own" else "rights.not_allowed")
    assert rows(register, CHANGES) == []


def test_a_group_manager_ends_applications_and_no_functions(register):
    collaborator(register)
    account = register.account["peeters2"]

    assert refused(register.does("groep", EndAccess(account, 2, ("colindos",), (FUNCTION,))))[0] == (
        "rights.not_allowed"
    )
    assert isinstance(register.does("groep", EndAccess(account, 2, ("colindos",))), Done)


# -- where the rights live on the portal ----------------------------------------------------------


def portal_access(register: Register) -> str:
    """Hospiliss for somebody new at the portal's entity, done there; the account's id."""
    welcome = register.welcome("hospiliss", quality="quai/hospital")
    given = register.does("kaai", welcome)
    register.does("kaai", MarkDone(given.number))
    return given.account


def test_on_a_portal_entity_an_end_stays_to_do_until_it_is_ticked_off(register):
    account = portal_access(register)
    register.does("kaai", EndAccess(account, None, ("hospiliss",)))

    with register.sees("kaai") as directory:
        assert directory.change("2026-000002").state == "to_do"
    done = register.does("kaai", MarkDone("2026-000002"))
    assert isinstance(done, Done)
    with register.sees("kaai") as directory:
        assert directory.change("2026-000002").state == "done"


def test_what_never_reached_the_portal_is_not_to_do_there(register):
    given = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital"))
    register.does("kaai", EndAccess(given.account, None, ("hospiliss",)))

    with register.sees("kaai") as directory:
        assert directory.change("2026-000002").state == "done"
        assert [item.state for item in directory.change(given.number).items] == ["to_do", "ended"]


# -- who holds an application ---------------------------------------------------------------------


@both
def test_those_who_hold_an_application_are_listed_and_nobody_else(register):
    register.does("delcourt", EndAccess(register.account["peeters"], 1, ("hospiliss",)))
    with register.sees("delcourt") as directory:
        quality = register.quality["midi/hospital"]
        assert [p.username for p in directory.people(quality, holding="colindos").items] == ["zdubois1"]
        assert directory.people(quality, holding="hospiliss").items == ()


def test_the_two_requests_differ_in_what_they_leave(register):
    """The same day, asked either way: an end does not lengthen, another end does."""
    account = register.account["dubois"]
    ending = EndAccess(account, 1, ("colindos",), ends_on=JUNE)
    assert refused(register.does("delcourt", ending))[0] == "act.end.nothing"

    moving = ChangeEnd(account, 1, ("colindos",), ends_on=JUNE)
    assert isinstance(register.does("delcourt", replace(moving)), Done)

"""One act on several users: whole or not at all, within the mandate, with all that hangs on it; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from bot.access import activation, due, invitations
from bot.access.acts import perform
from bot.access.massacts import act_on_users
from bot.access.periods import end_instant
from bot.access.requests import ActOnUsers, Done, EndAccess, GrantAccess, Join, MarkDone, Refused
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    BINDINGS,
    CHANGES,
    DUE,
    GRANTS,
    ITEMS,
    SESSIONS,
    SUBDIVISIONS,
)
from bot.access.sessions import SessionRules
from bot.errors import NotAllowed
from sqlalchemy import func, insert, select, update
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, TODAY, Register


@pytest.fixture
def lite(tmp_path, keyring):
    from bot.store.database import Database
    from tests import databases

    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path)
        database.close()


def asked(register, act: str, *people: str, **fields) -> ActOnUsers:
    """About these people as they are now."""
    with register.database.read() as connection:
        rows = {row.id: row.version for row in connection.execute(select(ACCOUNTS))}
    ids = [register.account[person] for person in people]
    return ActOnUsers(act, tuple((account, rows[account]) for account in ids), **fields)


def standing(register, person: str):
    with register.database.read() as connection:
        query = select(ACCOUNTS).where(ACCOUNTS.c.id == register.account[person])
        return connection.execute(query).one()


def running(register, person: str) -> dict[str, tuple]:
    """What the person's account holds that was not ended at once, by key."""
    with register.database.read() as connection:
        found = {}
        for table, key in ((GRANTS, "application"), (ASSIGNMENTS, "function")):
            query = select(table).where(table.c.account_id == register.account[person])
            for row in connection.execute(query.where(table.c.revoked_at.is_(None))):
                found[getattr(row, key)] = (row.starts_on, row.ends_on)
        return found


def kinds(register, number: str) -> list[str]:
    with register.database.read() as connection:
        query = select(ITEMS.c.kind).where(ITEMS.c.change_number == number).order_by(ITEMS.c.position)
        return list(connection.execute(query).scalars())


def refusal(outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key


def test_blocking_several_is_one_change_and_reactivating_undoes_it(register):
    outcome = register.does("delcourt", asked(register, "block", "peeters", "dubois"))
    assert isinstance(outcome, Done)
    assert {standing(register, person).status for person in ("peeters", "dubois")} == {"blocked"}
    assert kinds(register, outcome.number) == ["block-user", "block-user"]
    with register.sees("delcourt") as directory:
        card = directory.change(outcome.number)
        assert card.person in {"Peeters Jan + 1", "Dubois Zoé + 1"}
        assert card.state == "done"
    register.does("delcourt", asked(register, "reactivate", "peeters", "dubois", "lambert"))
    assert {standing(register, each).status for each in ("peeters", "dubois", "lambert")} == {"active"}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


@pytest.mark.parametrize(
    ("shut", "why"), [("block", "blocked"), ("delete", "deleted"), ("with the last access", "blocked")]
)
def test_whoever_is_shut_out_has_no_session_there_any_more(register, shut, why):
    with register.work(None) as work:
        code = invitations.invite(work.connection, register.keyring, "peeters", NOW)
        assert perform(replace(work, sessions=SessionRules(locking=True)), Join(code)) == Done()
    request = (
        EndAccess(register.account["peeters"], 1, ("hospiliss",), becomes="blocked")
        if shut == "with the last access"
        else asked(register, shut, "peeters", reason="left")
    )
    assert isinstance(register.does("delcourt", request), Done)
    with register.database.read() as connection:
        assert connection.execute(select(SESSIONS.c.ended_why)).scalars().all() == [why]


def test_deleting_ends_grants_and_functions_first_and_keeps_the_account(register):
    register.does(
        "delcourt",
        register.grant(
            "dubois",
            "hospiliss",
            "colindos",
            profession="collaborator-pharmacist",
            function="collaborator-hospital-pharmacist",
            starts_on=TODAY,
        ),
    )
    assert set(running(register, "dubois")) >= {"colindos", "collaborator-hospital-pharmacist"}
    outcome = register.does("delcourt", asked(register, "delete", "dubois", "lambert", reason="parti"))
    assert isinstance(outcome, Done)
    assert running(register, "dubois") == {}
    assert (standing(register, "dubois").status, standing(register, "dubois").status_reason) == (
        "deleted",
        "parti",
    )
    found = kinds(register, outcome.number)
    assert found[-2:] == ["delete-user", "delete-user"]
    assert set(found[:-2]) == {"end-grant", "end-assignment"}
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_everybody_who_lost_something_is_told_before_all_else(lite):
    outcome = lite.does("delcourt", asked(lite, "block", "peeters", "dubois"))
    with lite.database.write() as connection:
        for key, chat in (("peeters", 7), ("dubois", 8)):
            row = {"id": f"b{chat}", "identity_id": lite.person[key], "telegram_id": chat, "chat_id": chat}
            connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
        notice = activation.run(connection, lite.keyring, due.REVOKED, {"change": outcome.number}, NOW)
        assert sorted(notice.chats) == [7, 8]
        waiting = connection.execute(select(DUE.c.key).where(DUE.c.kind == due.REVOKED)).scalars().all()
        assert waiting == [f"revoked:{outcome.number}"]


def test_ending_applications_leaves_the_account_and_tonight_is_the_end_of_today(lite):
    lite.does("delcourt", asked(lite, "end", "peeters", "dubois", ends_on=TODAY))
    assert running(lite, "dubois")["colindos"][1] == TODAY
    assert running(lite, "peeters")["hospiliss"][1] == TODAY
    lite.does("delcourt", asked(lite, "end", "peeters"))
    assert running(lite, "peeters") == {}
    assert standing(lite, "peeters").status == "active"
    with lite.database.read() as connection:
        check_invariants(connection, lite.keyring)


def test_applications_end_after_a_day_and_what_ends_sooner_stays_as_it_is(lite):
    last = TODAY + timedelta(days=40)  # the one of dubois ends on 10 December
    before = standing(lite, "dubois").version
    outcome = lite.does("delcourt", asked(lite, "end", "peeters", "dubois", ends_on=last))
    assert (kinds(lite, outcome.number), outcome.due) == (["end-grant"], end_instant(last))
    assert running(lite, "peeters")["hospiliss"][1] == last
    assert running(lite, "dubois")["colindos"][1] == date(2026, 12, 10)
    assert standing(lite, "dubois").version == before
    with lite.database.read() as connection:
        told = connection.execute(select(DUE.c.key).where(DUE.c.key.like("revoked:%"))).scalars().all()
        check_invariants(connection, lite.keyring)
    assert told == []


@pytest.mark.parametrize(
    ("last", "expected"),
    [(TODAY - timedelta(days=1), "end.past"), (date(2026, 12, 24), "act.users.end_sooner")],
)
def test_a_day_that_ends_nothing_is_asked_again(lite, last, expected):
    outcome = lite.does("delcourt", asked(lite, "end", "dubois", ends_on=last))
    assert (refusal(outcome), outcome.step) == (expected, "when")


def test_moving_changes_the_place_and_by_what_they_are_found(lite):
    ward = lite.subdivision["Pharmacie"]
    lite.does("delcourt", asked(lite, "move", "peeters", "dubois", subdivision=ward))
    assert {standing(lite, each).subdivision_id for each in ("peeters", "dubois")} == {ward}
    with lite.sees("delcourt") as directory:
        found = directory.people(lite.quality["midi/hospital"], find="pharmacie")
        assert {person.username for person in found.items} == {"jpeeters", "zdubois1", "janpeete"}
    lite.does("delcourt", asked(lite, "move", "dubois"))
    assert standing(lite, "dubois").subdivision_id is None


def test_a_closed_subdivision_takes_nobody(lite):
    ward = lite.subdivision["Pharmacie"]
    with lite.database.write() as connection:
        connection.execute(update(SUBDIVISIONS).where(SUBDIVISIONS.c.id == ward).values(closed_at=NOW))
    outcome = lite.does("delcourt", asked(lite, "move", "peeters", subdivision=ward))
    assert (refusal(outcome), outcome.step) == ("act.users.ward_closed", "subdivision")


@pytest.mark.parametrize(
    ("who", "people", "expected"),
    [
        ("claes", ("peeters", "dubois"), "rights.not_allowed"),  # cardiology only has the first
        ("audi", ("peeters",), "rights.not_allowed"),
        ("kaai", ("peeters",), "rights.not_allowed"),
        ("delcourt", ("peeters", "maes"), "rights.not_allowed"),  # two entities at once
        ("delcourt", ("delcourt", "peeters"), "rights.own_access"),
        (None, ("peeters",), "rights.not_allowed"),
    ],
)
def test_one_who_lies_outside_of_the_mandate_refuses_the_whole(lite, who, people, expected):
    before = [standing(lite, person) for person in people]
    assert refusal(lite.does(who, asked(lite, "block", *people))) == expected
    assert [standing(lite, person) for person in people] == before


def test_who_manages_one_subdivision_cannot_move_anybody_out_of_it(lite):
    ward = lite.subdivision["Pharmacie"]
    outcome = lite.does("claes", asked(lite, "move", "peeters", subdivision=ward))
    assert refusal(outcome) == "rights.not_allowed"
    inside = lite.subdivision["Cardiologie"]
    assert isinstance(lite.does("claes", asked(lite, "move", "peeters", subdivision=inside)), Done)


def test_somebody_changed_meanwhile_refuses_the_whole_and_says_whom(register):
    request = asked(register, "block", "peeters", "dubois")
    register.does("janssens", register.grant("dubois", "hospiliss"))
    outcome = register.does("delcourt", request)
    assert (refusal(outcome), outcome.step) == ("act.users.changed", "people")
    assert outcome.msg.param("who") == ("Dubois Zoé",)
    assert standing(register, "peeters").status == "active"


def test_more_than_ten_people_take_a_proof(lite):
    request = ActOnUsers("block", tuple((f"x{number}", 1) for number in range(11)))
    with lite.work("delcourt") as work:
        assert refusal(perform(work, request)) in {"proof.needed", "proof.no_pages"}
    few = replace(request, accounts=request.accounts[:10])
    assert refusal(lite.does("delcourt", few)) == "rights.not_allowed"


def test_nobody_or_too_many_or_an_unknown_act_is_refused(lite):
    for request in (
        ActOnUsers("block", ()),
        ActOnUsers("block", tuple((f"x{number}", 1) for number in range(201))),
    ):
        with lite.work("delcourt") as work, pytest.raises(NotAllowed):
            act_on_users(work, request)


def test_at_a_portal_it_is_noted_and_done_after_its_tick(lite):
    room = lite.quality["quai/hospital"]
    made = lite.welcome("hospiliss", quality="quai/hospital")
    given = lite.does("kaai", made)
    assert isinstance(given, Done)
    assert isinstance(made, GrantAccess)
    assert isinstance(lite.does("kaai", MarkDone(given.number)), Done)
    request = ActOnUsers("delete", ((given.account, 1),), reason="parti")
    outcome = lite.does("kaai", request)
    assert isinstance(outcome, Done)
    with lite.sees("kaai") as directory:
        assert directory.change(outcome.number).state == "to_do"
    ticked = lite.does("kaai", MarkDone(outcome.number))
    assert isinstance(ticked, Done)
    with lite.sees("kaai") as directory:
        assert directory.change(outcome.number).state == "done"
        assert directory.people(room, find="Vermeulen").total == 0
    with lite.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(CHANGES)).scalar_one() == 2
        check_invariants(connection, lite.keyring)

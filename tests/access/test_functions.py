"""Functions with their days: who may, what fits, no overlap; on both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from bot.access.functions import assign_function
from bot.access.requests import AssignFunction, Conflict, Done, EndAccess, Refused
from bot.access.rows import ACCOUNTS, ASSIGNMENTS
from bot.msg import m
from sqlalchemy import select
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, TODAY

PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"


def version(register, account: str) -> int:
    with register.database.read() as connection:
        where = ACCOUNTS.c.id == register.account[account]
        return connection.execute(select(ACCOUNTS.c.version).where(where)).scalar_one()


def assigns(register, by, account, start=TODAY, end=None, *scope, function=PHYSICIANS, now=NOW):
    request = AssignFunction(register.account[account], version(register, account), function, start, end)
    return register.does(by, request, *scope, now=now)


def rows(register, account):
    where = ASSIGNMENTS.c.account_id == register.account[account]
    with register.database.read() as connection:
        return connection.execute(select(ASSIGNMENTS).where(where).order_by(ASSIGNMENTS.c.starts_on)).all()


def held(register, account, by="delcourt", now=NOW):
    with register.sees(by, now=now) as directory:
        card = directory.person(register.account[account])
    return [(h.key, h.state) for h in card.holdings if h.kind == "function"]


def said(outcome) -> tuple[str, str | None]:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key, outcome.step


def test_a_function_of_today_counts_after_the_twenty_minutes(register):
    done = assigns(register, "delcourt", "dubois")
    assert done.due == NOW + timedelta(minutes=20)
    assert held(register, "dubois") == [(PHYSICIANS, "pending")]
    assert held(register, "dubois", now=done.due) == [(PHYSICIANS, "active")]


def test_who_has_no_profession_yet_becomes_a_collaborator_by_the_function(register):
    assigns(register, "delcourt", "peeters2", function=PHARMACISTS)
    with register.sees("delcourt") as directory:
        assert directory.person(register.account["peeters2"]).ref.profession == "collaborator"


def test_a_physician_is_given_no_collaborators_function(register):
    assert said(assigns(register, "delcourt", "peeters")) == ("act.function_not_wanted", "function")


@pytest.mark.parametrize("by", [None, "audi", "groep", "claes", "peeters", "kaai"])
def test_who_may_not_assign_functions_here_does_not(register, by):
    assert said(assigns(register, by, "dubois"))[0] == "rights.not_allowed"


@pytest.mark.parametrize(
    ("start", "end", "key", "step"),
    [
        (TODAY - timedelta(days=31), None, "start.too_early", "start"),
        (TODAY, TODAY - timedelta(days=1), "end.before_start", "end"),
        (date(2040, 1, 1), None, "start.too_late", "start"),
    ],
)
def test_days_that_cannot_be_are_refused(register, start, end, key, step):
    assert said(assigns(register, "delcourt", "dubois", start, end)) == (key, step)


def test_a_start_may_lie_thirty_days_back(register):
    assert isinstance(assigns(register, "delcourt", "dubois", TODAY - timedelta(days=30)), Done)


def test_the_same_function_is_never_held_twice_at_a_time_but_another_or_a_later_one_is(register):
    soon = TODAY + timedelta(days=10)
    assigns(register, "delcourt", "dubois", TODAY, soon)
    for start, end in ((soon, None), (TODAY - timedelta(days=5), None), (TODAY - timedelta(days=5), TODAY)):
        assert said(assigns(register, "delcourt", "dubois", start, end)) == ("act.function_overlap", "start")
    assert isinstance(assigns(register, "delcourt", "dubois", soon + timedelta(days=1)), Done)
    assert isinstance(assigns(register, "delcourt", "dubois", function=PHARMACISTS), Done)


def test_the_second_of_two_managers_hears_what_the_first_did(register):
    assigns(register, "delcourt", "peeters2")
    seen = version(register, "peeters2")
    register.does("janssens", EndAccess(register.account["peeters2"], seen, functions=(PHYSICIANS,)))
    label = register.catalogue.function(PHYSICIANS).label
    told = (m("act.changed.ended", what=label, number="2026-000002"),)
    late = AssignFunction(register.account["peeters2"], seen, PHYSICIANS, TODAY)
    assert register.does("delcourt", late) == Conflict(told, seen + 1)


def test_on_the_portal_nothing_counts_before_it_is_done_there(register):
    request = AssignFunction(register.account["kaai"], 1, PHYSICIANS, TODAY)
    with register.work("kaai") as work:  # the only manager there, as the act has it once the proof was given
        assert isinstance(assign_function(work, request), Done)
    assert held(register, "kaai", by="kaai") == [(PHYSICIANS, "to_do")]


def test_the_overview_counts_people_and_functions_within_the_scope(register):
    assigns(register, "delcourt", "dubois")
    assigns(register, "delcourt", "dubois", function=PHARMACISTS)
    assigns(register, "delcourt", "peeters2", TODAY + timedelta(days=3))
    with register.sees("delcourt") as directory:
        midi = register.entity["midi"]
        counts = directory.function_counts(midi)
        lines = directory.listed(midi, "live", kind="function")
        only = directory.listed(midi, "live", kind="function", key=PHARMACISTS)
    assert (counts.people, counts.each) == (2, ((PHARMACISTS, 1), (PHYSICIANS, 2)))
    assert [line.person.name for line in lines.items] == ["Dubois Zoé", "Dubois Zoé", "Peeters Jan"]
    assert [line.person.name for line in only.items] == ["Dubois Zoé"]
    with register.sees("claes") as directory:
        assert directory.function_counts(midi).people == 0


def test_the_register_is_sound_after_it(register):
    assigns(register, "delcourt", "dubois", TODAY, TODAY + timedelta(days=9))
    assigns(register, "delcourt", "peeters2", TODAY + timedelta(days=3), function=PHARMACISTS)
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)

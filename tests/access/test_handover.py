"""The hand-over to the portal: what waits there, what *Fait* does and not before, what a failed trial takes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.activation import Notice
from bot.access.due import ACTIVATE, REMIND
from bot.access.requests import Done, EndAccess, MarkDone, Verify
from bot.access.rows import BINDINGS, DUE, GRANTS, ITEMS
from bot.store.tables import AuditEntry, core
from sqlalchemy import select, text
from tests.access.registers import NOW, TODAY, Register, newcomer, rows, run_due
from tests.access.test_acts import refused

QUAI = "quai/hospital"
END, LATER = date(2027, 1, 31), date(2027, 6, 30)
SOON = NOW + timedelta(minutes=20)


def tom(register: Register, **fields: object) -> Done:
    """Tom is noted with Hospiliss until the end of January; not yet on the portal."""
    request = register.welcome("hospiliss", quality=QUAI, starts_on=TODAY, ends_on=END)
    outcome = register.does("kaai", replace(request, **fields))  # type: ignore[arg-type]
    assert isinstance(outcome, Done)
    return outcome


def extended(register: Register, account: str) -> Done:
    """Hospiliss until June instead."""
    register.account["tom"] = account
    request = register.grant("tom", "hospiliss", quality=QUAI, starts_on=TODAY, ends_on=LATER)
    outcome = register.does("kaai", request)
    assert isinstance(outcome, Done)
    return outcome


def held(register: Register, account: str):
    with register.sees("kaai") as directory:
        card = directory.person(account)
        assert card
        return card.holdings


def numbers(register: Register, who: str = "kaai") -> list[str]:
    with register.sees(who) as directory:
        return [sheet.change.number for visit in directory.visits() for sheet in directory.visit(visit.id)]


# -- another end ----------------------------------------------------------------------------------


def test_until_it_is_done_on_the_portal_the_old_end_holds_and_the_new_one_is_told_apart(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))

    longer = extended(register, noted.account)

    assert longer.due is None
    [holding] = held(register, noted.account)
    assert (holding.ends_on, holding.renewal.number, holding.renewal.ends_on) == (END, longer.number, LATER)
    with register.sees("kaai") as directory:
        assert directory.counts(register.entity["quai"]).to_do == 1
        [line] = directory.listed(register.entity["quai"], "to_do").items
        assert line.holding.renewal == holding.renewal


def test_done_on_the_portal_the_new_end_holds(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    longer = extended(register, noted.account)

    outcome = register.does("kaai", MarkDone(longer.number))

    assert outcome == Done(longer.number, SOON, noted.account)
    [holding] = held(register, noted.account)
    assert (holding.ends_on, holding.renewal) == (LATER, None)
    ends = {row.data["ends_on"] for row in rows(register, DUE, kind="end")}
    assert {END.isoformat(), LATER.isoformat()} < ends


def test_an_end_that_is_noted_already_is_not_noted_again(register):
    noted = tom(register)
    extended(register, noted.account)
    register.account["tom"] = noted.account
    again = register.grant("tom", "hospiliss", quality=QUAI, starts_on=TODAY, ends_on=LATER)

    assert refused(register.does("kaai", again)) == "act.nothing_new"


def test_what_was_done_in_the_wrong_order_keeps_the_later_change(register):
    noted = tom(register)
    first = extended(register, noted.account)
    request = register.grant("tom", "hospiliss", quality=QUAI, starts_on=TODAY)
    last = register.does("kaai", request)
    for number in (last.number, first.number, noted.number):
        register.does("kaai", MarkDone(number))

    [holding] = held(register, noted.account)
    assert holding.ends_on is None


# -- what waits -----------------------------------------------------------------------------------


def test_what_waits_is_grouped_by_quality_and_person(register):
    noted = tom(register)
    other = newcomer(last_name="Adam", first_name="Bo", username="badam001", niss=None)
    last = register.does("kaai", register.welcome("civars", quality=QUAI, user=other))
    longer = extended(register, noted.account)

    with register.sees("kaai") as directory:
        [visit] = directory.visits()
        assert (visit.id, visit.changes, visit.people) == (register.quality[QUAI], 3, 2)
        assert visit.quality.key == "hospital"
        sheets = directory.visit(visit.id)
    assert [sheet.change.number for sheet in sheets] == [last.number, noted.number, longer.number]
    assert [sheet.last_name for sheet in sheets] == ["Adam", "Vermeulen", "Vermeulen"]
    assert [sheet.numbered for sheet in sheets] == [False, True, True]
    assert [item.moves for item in sheets[2].change.items] == [True]


def test_what_is_done_waits_no_more(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    assert numbers(register) == []


def test_nobody_else_sees_what_waits(register):
    noted = tom(register)
    assert numbers(register, "delcourt") == []
    with register.sees("delcourt") as directory:
        assert directory.sheet(noted.number) is None
        assert directory.visit(register.quality[QUAI]) == ()


def test_an_entity_that_is_its_own_register_has_nothing_to_do_elsewhere(register):
    register.does("delcourt", register.grant("peeters", "bvtc"))
    assert numbers(register, "delcourt") == []


def test_what_waits_is_found_by_its_index(register):
    if not register.database.sqlite:
        pytest.skip("PostgreSQL prefers a scan of so small a table")
    with register.sees("kaai"), register.database.read() as connection:
        condition = "delivery = 'recorded' AND due_at IS NULL AND undone_at IS NULL"
        plan = connection.execute(
            text(f"EXPLAIN QUERY PLAN SELECT object_id FROM change_items WHERE {condition}")
        )
        assert any("ix_change_items_waiting" in row.detail for row in plan)


# -- several at once ------------------------------------------------------------------------------


def test_one_visit_does_many(register):
    first = tom(register)
    other = newcomer(last_name="Adam", first_name="Bo", username="badam001", niss=None)
    second = register.does("kaai", register.welcome("civars", quality=QUAI, user=other))

    outcome = register.does("kaai", MarkDone(second.number, more=(first.number,)))

    assert outcome == Done(second.number, SOON)
    assert {item.delivery for item in rows(register, ITEMS)} == {"active", "delivered"}


def test_a_visit_with_a_foreign_change_does_nothing(register):
    mine = tom(register)
    foreign = register.does("delcourt", register.grant("peeters", "bvtc"))

    assert (
        refused(register.does("kaai", MarkDone(mine.number, more=(foreign.number,)))) == "rights.not_allowed"
    )
    assert numbers(register) == [mine.number]


# -- does it work? --------------------------------------------------------------------------------


def test_what_is_active_and_works_is_verified_with_who_and_when(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    run_due(register, SOON)
    later = SOON + timedelta(hours=1)

    assert register.does("kaai", Verify(noted.number), now=later) == Done(noted.number, account=noted.account)

    with register.sees("kaai", now=later) as directory:
        change = directory.change(noted.number)
    assert (change.state, change.problem) == ("verified", "")
    assert [(stamp.state, stamp.by) for stamp in change.stamps] == [
        ("done", "Kaai Karl"),
        ("active", ""),
        ("verified", "Kaai Karl"),
    ]
    assert change.stamps[2].at == later


def test_what_does_not_work_is_to_do_again_with_the_word_why(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    run_due(register, SOON)

    register.does("kaai", Verify(noted.number, "no_application"), now=SOON)

    assert numbers(register) == [noted.number]
    with register.sees("kaai", now=SOON) as directory:
        change = directory.change(noted.number)
    assert (change.state, change.problem) == ("to_do", "no_application")
    [grant] = rows(register, GRANTS, account_id=noted.account)
    assert grant.active_at is None
    entries = rows(register, core(AuditEntry), act="failed")
    assert [entry.body["problem"] for entry in entries] == ["no_application"]
    again = register.does("kaai", MarkDone(noted.number), now=SOON)
    assert again.due == SOON + timedelta(minutes=20)


def test_a_new_end_that_does_not_work_gives_the_old_one_back(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    longer = extended(register, noted.account)
    register.does("kaai", MarkDone(longer.number))
    run_due(register, SOON)

    register.does("kaai", Verify(longer.number, "other"), now=SOON)

    [holding] = held(register, noted.account)
    assert (holding.ends_on, holding.renewal.ends_on) == (END, LATER)


@pytest.mark.parametrize("problem", [None, "other"])
def test_what_is_not_on_the_portal_yet_cannot_be_tried(register, problem):
    noted = tom(register)
    assert refused(register.does("kaai", Verify(noted.number, problem))) == "verify.too_early"
    register.does("kaai", MarkDone(noted.number))
    assert refused(register.does("kaai", Verify(noted.number, problem))) == "verify.too_early"


def test_only_a_word_of_the_list_says_why(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    assert refused(register.does("kaai", Verify(noted.number, "Tom est parti"), now=SOON)) == "verify.no_word"


def test_only_who_manages_there_says_whether_it_works(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    assert refused(register.does("delcourt", Verify(noted.number), now=SOON)) == "rights.not_allowed"
    assert rows(register, core(AuditEntry), act="verified") == []
    with register.database.read() as connection:
        assert connection.execute(select(ITEMS.c.verified_by)).scalars().all() == [None, None]


# -- reminders --------------------------------------------------------------------------------------

MORNING = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
"""Nine o'clock in Brussels, the day after."""


def bound(register: Register) -> None:
    with register.database.write() as connection:
        row = {
            "id": "b7",
            "identity_id": register.person["kaai"],
            "telegram_id": 7,
            "chat_id": 7,
            "how": "invitation",
        }
        connection.execute(BINDINGS.insert().values(**row, bound_at=NOW))


def test_what_waits_is_recalled_once_on_the_morning_after(register):
    bound(register)
    noted = tom(register)

    assert run_due(register, MORNING - timedelta(minutes=1)) == []
    assert run_due(register, MORNING) == [Notice(noted.number, (7,), "to_do")]
    assert run_due(register, MORNING + timedelta(days=30)) == []


def test_what_is_done_is_not_recalled_but_asked_about(register):
    bound(register)
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))

    active, check = run_due(register, MORNING)

    assert (active.number, active.kind, active.portal) == (noted.number, ACTIVATE, True)
    assert check == Notice(noted.number, (7,), "check")


def test_what_was_checked_is_not_asked_about(register):
    bound(register)
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    run_due(register, SOON)
    register.does("kaai", Verify(noted.number), now=SOON)

    assert run_due(register, MORNING) == []


# -- an end by its own date -----------------------------------------------------------------------

GONE = datetime(2027, 1, 31, 23, 0, tzinfo=UTC)
"""Midnight in Brussels after the last day."""


def test_what_ends_by_its_own_date_is_still_to_end_on_the_portal(register):
    bound(register)
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    run_due(register, GONE - timedelta(seconds=1))
    assert numbers(register) == []

    [notice] = run_due(register, GONE)

    assert (notice.chats, notice.kind) == ((7,), "to_do")
    assert numbers(register) == [notice.number]
    [item] = rows(register, ITEMS, change_number=notice.number)
    assert (item.kind, item.key, item.delivery, item.due_at) == ("end-grant", "hospiliss", "recorded", None)
    register.does("kaai", MarkDone(notice.number), now=GONE)
    assert numbers(register) == []
    assert run_due(register, GONE + timedelta(days=30)) == []


def test_an_end_that_is_noted_as_one_already_comes_to_the_list_once(register):
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    ended = register.does(
        "kaai", EndAccess(noted.account, applications=("hospiliss",), ends_on=TODAY + timedelta(days=3))
    )

    run_due(register, NOW + timedelta(days=5))

    assert numbers(register) == [ended.number]


def test_what_is_to_be_unticked_on_a_day_does_not_count_as_done_before(register):
    bound(register)
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    day = TODAY + timedelta(days=3)
    ended = register.does("kaai", EndAccess(noted.account, applications=("hospiliss",), ends_on=day))

    assert refused(register.does("kaai", MarkDone(ended.number))) == "portal.not_before"
    evening = NOW + timedelta(days=3)
    reminded = [notice for notice in run_due(register, evening) if notice.kind == "to_do"]
    assert reminded == []
    [reminder] = [n for n in run_due(register, evening + timedelta(days=1)) if n.kind == "to_do"]
    assert reminder.number == ended.number
    assert isinstance(register.does("kaai", MarkDone(ended.number), now=evening), Done)


def test_what_never_came_to_the_portal_needs_no_end_there(register):
    noted = tom(register)

    run_due(register, GONE)

    assert numbers(register) == [noted.number]


def test_an_entity_that_is_its_own_register_recalls_nothing(register):
    register.does("delcourt", register.grant("peeters", "bvtc"))
    assert rows(register, DUE, kind=REMIND) == []


def test_what_is_done_anew_is_told_anew(register):
    bound(register)
    noted = tom(register)
    register.does("kaai", MarkDone(noted.number))
    [first] = run_due(register, SOON)
    register.does("kaai", Verify(noted.number, "other"), now=SOON)
    register.does("kaai", MarkDone(noted.number), now=SOON)

    [again] = run_due(register, SOON + timedelta(minutes=20))

    assert (again.number, again.round != first.round) == (noted.number, True)

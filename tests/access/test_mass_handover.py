"""What an act on several users, or an end, leaves to do on the portal: as the checklist draws it, and as *Fait* takes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.catalogue import builtin
from bot.access.due import REMIND, TO_DO
from bot.access.requests import ActOnUsers, ChangeEnd, Done, EndAccess, MarkDone, Refused, Verify
from bot.access.rows import ACCOUNTS, BINDINGS, GRANTS, ITEMS
from bot.access.work import CREATE_USER, END_GRANT
from bot.conversations import checklist, onportal
from bot.store.mail import Due
from bot.store.tables import AuditEntry, core
from sqlalchemy import insert, select, update
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, TODAY, Register, newcomer
from tests.access.test_acts import run_due

QUAI, FUNCTION = "quai/hospital", "collaborator-hospital-pharmacist"
LATER = date(2026, 12, 23)
EVENING = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)


@pytest.fixture
def register(database, keyring, tmp_path):
    register = Register(database, keyring, tmp_path)
    yield register
    with database.read() as connection:
        check_invariants(connection, keyring)


def given(register: Register, name: str, *, done: bool = True, **fields: object) -> str:
    """Somebody new at the portal's hospital with Hospiliss; the account."""
    user = newcomer(last_name=name, username=f"{name.lower()}vermeulen", niss=None)
    request = register.welcome("hospiliss", quality=QUAI, user=user, **{"starts_on": TODAY, **fields})
    outcome = register.does("kaai", request)
    assert isinstance(outcome, Done)
    if done:
        assert isinstance(register.does("kaai", MarkDone(outcome.number)), Done)
    return outcome.account


def pharmacist(register: Register, name: str, **fields: object) -> str:
    """The same with Colindos and the function that it needs."""
    user = newcomer(last_name=name, username=f"{name.lower()}vermeulen", niss=None)
    request = register.welcome(
        "colindos", quality=QUAI, user=user, profession="collaborator-pharmacist", function=FUNCTION,
        **{"starts_on": TODAY, **fields},
    )  # fmt: skip
    outcome = register.does("kaai", request)
    assert isinstance(register.does("kaai", MarkDone(outcome.number)), Done)
    return outcome.account


def acts(register: Register, act: str, *accounts: str, **fields: object) -> Done:
    """On these as they are now."""
    with register.database.read() as connection:
        now = {row.id: row.version for row in connection.execute(select(ACCOUNTS.c.id, ACCOUNTS.c.version))}
    request = ActOnUsers(act, tuple((each, now[each]) for each in accounts), **fields)  # type: ignore[arg-type]
    outcome = register.does("kaai", request)
    assert isinstance(outcome, Done), outcome
    return outcome


def waiting(register: Register) -> list:
    with register.sees("kaai") as directory:
        return [sheet for visit in directory.visits() for sheet in directory.visit(visit.id)]


def drawn(register: Register, account: str) -> list[str]:
    """The screens of a person's checklist."""
    sheets = [sheet for sheet in waiting(register) if sheet.account == account]
    said = checklist.steps(sheets, builtin()) if sheets else ()
    return [str(each.key).removeprefix("portal.step.") for each in said]


# -- an end for several ---------------------------------------------------------------------------


def test_an_end_now_for_several_is_unticked_now_whatever_end_was_noted(register):
    tom, eva = given(register, "Tom", ends_on=LATER), given(register, "Eva", ends_on=LATER)
    acts(register, "end", tom, eva)
    assert drawn(register, tom) == drawn(register, eva) == ["find", "untick", "confirm"]
    assert [checklist.not_before(sheet, TODAY) for sheet in waiting(register)] == [None, None]
    for sheet in waiting(register):
        assert isinstance(register.does("kaai", MarkDone(sheet.change.number)), Done)
    assert waiting(register) == []


def test_an_end_of_several_noted_with_its_old_day_can_be_unticked_all_the_same(register):
    """As it was written down before: the old day, and the instant of the revocation."""
    tom = given(register, "Tom", ends_on=LATER)
    ended = acts(register, "end", tom)
    was = {"starts_on": TODAY.isoformat(), "ends_on": LATER.isoformat()}
    noted = {**was, "revoked_at": NOW.isoformat(), "account_version": 2}
    with register.database.write() as connection:
        mine = ITEMS.c.kind == END_GRANT
        connection.execute(update(ITEMS).where(mine).values(after=noted))
    assert drawn(register, tom) == ["find", "untick", "confirm"]
    assert isinstance(register.does("kaai", MarkDone(ended.number)), Done)


def test_tonight_is_unticked_in_the_evening_for_one_and_for_several(register):
    tom, eva = given(register, "Tom"), given(register, "Eva")
    acts(register, "end", tom, ends_on=TODAY)
    register.does("kaai", EndAccess(eva, None, ("hospiliss",), ends_on=TODAY))
    assert drawn(register, tom) == drawn(register, eva) == ["find", "untick_on", "confirm"]
    for sheet in waiting(register):
        assert isinstance(register.does("kaai", MarkDone(sheet.change.number), now=EVENING), Done)


# -- deleted --------------------------------------------------------------------------------------


def test_of_a_user_who_is_deleted_only_the_deletion_is_to_do(register):
    pia = pharmacist(register, "Pia")
    register.does("kaai", EndAccess(pia, None, ("colindos",), ends_on=LATER))
    deleted = acts(register, "delete", pia, reason="left")
    assert drawn(register, pia) == ["delete"]
    assert [sheet.change.number for sheet in waiting(register)] == [deleted.number]
    assert isinstance(register.does("kaai", MarkDone(deleted.number)), Done)
    with register.sees("kaai") as directory:
        assert directory.change(deleted.number).state == "done"


def test_what_waits_of_a_user_who_is_deleted_is_not_to_do_first(register):
    """Another application is noted, its end too, then the account goes: one thing is left to do."""
    tom = given(register, "Tom")
    register.account["tom"] = tom
    register.does("kaai", register.grant("tom", "civars", quality=QUAI, starts_on=TODAY))
    acts(register, "block", tom)
    register.does("kaai", EndAccess(tom, None, ("hospiliss",)))
    deleted = acts(register, "delete", tom, reason="left")
    assert [sheet.change.number for sheet in waiting(register)] == [deleted.number]
    assert drawn(register, tom) == ["delete"]


def test_whoever_never_reached_the_portal_need_not_be_deleted_there(register):
    tom = given(register, "Tom", done=False)
    deleted = acts(register, "delete", tom, reason="left")
    assert waiting(register) == []
    with register.sees("kaai") as directory:
        assert directory.change(deleted.number).state == "done"


def test_whose_accesses_are_ticked_already_is_deleted_there_though_the_form_is_not(register):
    """Somebody said *Fait* for the grant alone: the portal knows him."""
    tom = given(register, "Tom", done=False)
    [sheet] = waiting(register)
    with register.database.read() as connection:
        ids = {row.kind: row.id for row in connection.execute(select(ITEMS.c.kind, ITEMS.c.id))}
    assert isinstance(register.does("kaai", MarkDone(sheet.change.number, item=ids["grant"])), Done)
    acts(register, "delete", tom, reason="left")
    assert drawn(register, tom) == ["delete"]


# -- blocked before he was ever there -------------------------------------------------------------


@pytest.mark.parametrize("way", ["several", "one"])
def test_whoever_never_reached_the_portal_is_neither_blocked_nor_created_there(register, way):
    tom = given(register, "Tom", done=False)
    [created] = [sheet.change.number for sheet in waiting(register)]
    if way == "several":
        blocked = acts(register, "block", tom)
    else:
        register.does("kaai", EndAccess(tom, None, ("hospiliss",)))
        blocked = register.does("kaai", EndAccess(tom, None, becomes="blocked"))
    assert [sheet.change.number for sheet in waiting(register)] == [created]
    assert drawn(register, tom) == ["parked"]
    with register.sees("kaai") as directory:
        assert directory.change(blocked.number).state == "done"
        assert onportal.status(directory.person(tom)).key == "account.blocked"
        [sheet] = waiting(register)
    assert (checklist.values([sheet]), checklist.leave_out([sheet], builtin())) == ((), ())


def test_created_there_all_the_same_he_is_to_be_blocked_there(register):
    """One created him on the portal, another blocked him here before the first said so: the portal has him, and open."""
    tom = given(register, "Tom", done=False)
    [created] = [sheet.change.number for sheet in waiting(register)]
    blocked = acts(register, "block", tom)
    assert isinstance(register.does("kaai", MarkDone(created)), Done)
    assert [sheet.change.number for sheet in waiting(register)] == [blocked.number]
    assert drawn(register, tom) == ["status", "block"]
    assert isinstance(register.does("kaai", MarkDone(blocked.number)), Done)
    assert waiting(register) == []


@pytest.mark.parametrize("problem", ["wrong_data", "refused", "no_application", "not_there"])
def test_whoever_did_not_work_there_is_there_unless_he_was_not_to_be_found(register, problem):
    tom = given(register, "Tom")
    register.account["tom"] = tom
    with register.database.read() as connection:
        [number] = connection.execute(
            select(ITEMS.c.change_number).where(ITEMS.c.kind == CREATE_USER)
        ).scalars()
    later = NOW + timedelta(hours=1)
    assert isinstance(register.does("kaai", Verify(number, problem), now=later), Done)
    found = problem != "not_there"
    acts(register, "block", tom)
    assert ("block" in drawn(register, tom)) is found
    assert ("parked" in drawn(register, tom)) is not found
    acts(register, "reactivate", tom)
    acts(register, "delete", tom, reason="left")
    assert (drawn(register, tom) == ["delete"]) is found


@pytest.mark.parametrize("problem", ["refused", "not_there"])
def test_what_did_not_work_there_is_to_be_unticked_there(register, problem):
    tom = given(register, "Tom")
    register.account["tom"] = tom
    number = register.does("kaai", register.grant("tom", "civars", quality=QUAI, starts_on=TODAY)).number
    register.does("kaai", MarkDone(number))
    assert isinstance(register.does("kaai", Verify(number, problem), now=NOW + timedelta(hours=1)), Done)
    register.does("kaai", EndAccess(tom, None, ("civars",)))
    assert ("untick" in drawn(register, tom)) is (problem == "refused")


def test_active_again_his_manager_is_reminded_of_the_creation_that_waited(register):
    tom = given(register, "Tom", done=False)
    [created] = [sheet.change.number for sheet in waiting(register)]
    acts(register, "block", tom)
    acts(register, "reactivate", tom)
    with register.database.read() as connection:
        keys = connection.execute(select(core(Due).c.key).where(core(Due).c.kind == REMIND)).scalars().all()
    assert sorted(key for key in keys if created in key) == [
        f"remind:to_do:{created}",
        f"remind:to_do:{created}:{TODAY.isoformat()}",
    ]


def test_active_again_he_is_created_there_and_nothing_is_lifted(register):
    tom = given(register, "Tom", done=False)
    first = drawn(register, tom)
    assert first[:2] == ["add_without", "form"]
    acts(register, "block", tom)
    acts(register, "reactivate", tom)
    assert drawn(register, tom) == first
    register.account["tom"] = tom
    acts(register, "block", tom)
    request = register.grant("tom", "civars", quality=QUAI, starts_on=TODAY, reactivate=True)
    assert isinstance(register.does("kaai", request), Done)
    assert drawn(register, tom) == first
    for sheet in waiting(register):
        assert isinstance(register.does("kaai", MarkDone(sheet.change.number)), Done)
    acts(register, "block", tom)
    assert drawn(register, tom) == ["status", "block"]


def test_blocked_and_never_there_he_is_deleted_here_alone(register):
    tom = given(register, "Tom", done=False)
    acts(register, "block", tom)
    acts(register, "delete", tom, reason="left")
    assert waiting(register) == []


def test_nobody_is_reminded_of_a_creation_that_waits_for_the_account(register):
    tom, eva = given(register, "Tom", done=False), given(register, "Eva", done=False)
    acts(register, "block", tom)
    with register.database.write() as connection:
        row = {"id": "b", "telegram_id": 7, "chat_id": 7, "identity_id": register.person["kaai"]}
        connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
    told = run_due(register, NOW + timedelta(days=2))
    recalled = {notice.number for notice in told if notice.kind == TO_DO}
    assert recalled == {sheet.change.number for sheet in waiting(register) if sheet.account == eva}


# -- given again to somebody blocked --------------------------------------------------------------


def test_a_block_that_still_waits_is_withdrawn_by_what_gives_access_again(register):
    tom = given(register, "Tom")
    register.account["tom"] = tom
    blocked = acts(register, "block", tom)
    again = register.does(
        "kaai", register.grant("tom", "civars", quality=QUAI, starts_on=TODAY, reactivate=True)
    )
    assert isinstance(again, Done)
    assert [sheet.change.number for sheet in waiting(register)] == [again.number]
    assert drawn(register, tom) == ["find", "tick", "confirm"]
    with register.database.read() as connection:
        entries = core(AuditEntry)
        [gone] = connection.execute(select(entries).where(entries.c.act == "withdrawn")).all()
    assert gone.change_number == blocked.number
    assert (gone.body["kind"], gone.body["by"]) == ("block-user", again.number)
    assert gone.subject_id is not None


def test_a_block_that_is_done_there_is_lifted_there(register):
    tom = given(register, "Tom")
    register.account["tom"] = tom
    register.does("kaai", MarkDone(acts(register, "block", tom).number))
    register.does("kaai", register.grant("tom", "civars", quality=QUAI, starts_on=TODAY, reactivate=True))
    assert drawn(register, tom) == ["status", "unblock", "find", "tick", "confirm"]


# -- what the cards and lists say of it -----------------------------------------------------------


def test_each_person_has_a_number_and_the_receipt_gets_them_all(register):
    tom, eva = given(register, "Tom"), given(register, "Eva")
    outcome = acts(register, "block", tom, eva)
    waits = {sheet.change.number for sheet in waiting(register)}
    assert {outcome.number, *outcome.more} == waits
    assert len(waits) == 2


def test_a_card_says_what_is_noted_and_not_done_on_the_portal(register):
    tom = given(register, "Tom")
    ended = acts(register, "end", tom)
    blocked = acts(register, "block", tom)
    with register.sees("kaai") as directory:
        card = directory.person(tom)
    noted = [(each.number, [item.kind for item in each.items]) for each in card.waiting]
    assert noted == [(ended.number, ["end-grant"]), (blocked.number, ["block-user"])]
    assert (onportal.status(card).key, onportal.shut(card)) == ("account.noted", False)
    register.does("kaai", MarkDone(blocked.number, more=(ended.number,)))
    with register.sees("kaai") as directory:
        card = directory.person(tom)
    assert (card.waiting, onportal.status(card).key, onportal.shut(card)) == ((), "account.blocked", True)


def test_what_a_blocked_account_holds_is_not_counted_as_active_from_the_block_on(register):
    def active() -> tuple[int, int]:
        entity = register.entity["quai"]
        with register.sees("kaai") as directory:
            listed = directory.listed(entity, "active", key="hospiliss").total
            return directory.counts(entity).active, listed

    later = NOW + timedelta(hours=1)
    tom = given(register, "Tom", ends_on=TODAY + timedelta(days=9))
    with register.database.write() as connection:  # the 20 minutes are over
        connection.execute(update(GRANTS).where(GRANTS.c.account_id == tom).values(active_at=NOW))
    assert active() == (1, 1)
    blocked = acts(register, "block", tom)
    assert active() == (1, 1), "the portal has not heard of it"
    register.does("kaai", MarkDone(blocked.number))
    assert active() == (0, 0)
    free = acts(register, "reactivate", tom)
    assert active() == (0, 0), "there it is blocked still"
    register.does("kaai", MarkDone(free.number), now=later)
    assert active() == (1, 1)


# -- what waits is withdrawn ------------------------------------------------------------------------


def test_what_never_reached_the_portal_is_not_to_do_there_after_an_end_for_several(register):
    tom = given(register, "Tom")
    register.account["tom"] = tom
    register.does("kaai", register.grant("tom", "civars", quality=QUAI, starts_on=TODAY))
    acts(register, "end", tom)
    assert drawn(register, tom) == ["find", "untick", "confirm"]
    [sheet] = waiting(register)
    assert [done.item.key for done in checklist.items_of([sheet])] == ["hospiliss"]


def test_a_block_that_is_taken_back_before_it_was_done_is_not_to_do_at_all(register):
    tom = given(register, "Tom")
    acts(register, "block", tom)
    assert drawn(register, tom) == ["status", "block"]
    acts(register, "reactivate", tom)
    assert waiting(register) == []


def test_nobody_is_told_that_something_is_active_which_has_ended_meanwhile(register):
    with register.database.write() as connection:
        row = {"id": "b7", "identity_id": register.person["delcourt"], "telegram_id": 7, "chat_id": 7}
        connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
    register.does("delcourt", register.grant("peeters", "bvtc", starts_on=TODAY))
    with register.database.read() as connection:
        mine = ACCOUNTS.c.id == register.account["peeters"]
        version = connection.execute(select(ACCOUNTS.c.version).where(mine)).scalar_one()
    request = ActOnUsers("end", ((register.account["peeters"], version),))
    assert isinstance(register.does("delcourt", request), Done)
    told = run_due(register, NOW + timedelta(minutes=21))
    assert [notice.kind for notice in told] == ["revoked"]


def test_the_end_of_a_day_for_several_is_not_told_as_something_active(register):
    with register.database.write() as connection:
        row = {"id": "b7", "identity_id": register.person["delcourt"], "telegram_id": 7, "chat_id": 7}
        connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
        mine = ACCOUNTS.c.id == register.account["peeters"]
        version = connection.execute(select(ACCOUNTS.c.version).where(mine)).scalar_one()
    request = ActOnUsers("end", ((register.account["peeters"], version),), ends_on=TODAY)
    assert isinstance(register.does("delcourt", request), Done)
    assert run_due(register, NOW + timedelta(days=2)) == []


# -- a function that has not begun ------------------------------------------------------------------


def test_a_function_that_has_not_begun_is_taken_away_not_ended_before_it_begins(register):
    start = TODAY + timedelta(days=10)
    pia = pharmacist(register, "Pia", starts_on=start, ends_on=LATER)
    ended = register.does("kaai", EndAccess(pia, None, ("colindos",), (FUNCTION,)))
    assert isinstance(ended, Done), ended
    assert drawn(register, pia) == ["find", "untick", "confirm", "functions", "remove_function"]
    [sheet] = waiting(register)
    assert [typed.text for typed in checklist.values([sheet])] == ["piavermeulen"]
    assert isinstance(register.does("kaai", MarkDone(ended.number)), Done)


def test_a_function_that_runs_ends_today(register):
    pia = pharmacist(register, "Pia")
    register.does("kaai", EndAccess(pia, None, ("colindos",), (FUNCTION,)))
    assert drawn(register, pia) == ["find", "untick", "confirm", "functions", "change_function"]


def test_what_is_ended_for_several_leaves_no_grant_behind(register):
    tom = given(register, "Tom", ends_on=LATER)
    acts(register, "end", tom)
    with register.database.read() as connection:
        rows = connection.execute(select(GRANTS).where(GRANTS.c.account_id == tom)).all()
    assert [row.revoked_at for row in rows] == [NOW]
    assert isinstance(register.does("kaai", EndAccess(tom, None, ("hospiliss",))), Refused)


# -- another end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [date(2026, 12, 5), date(2027, 6, 30), None])
def test_another_end_sooner_or_later_is_told_as_one(register, last):
    with register.database.write() as connection:
        row = {"id": "b7", "identity_id": register.person["delcourt"], "telegram_id": 7, "chat_id": 7}
        connection.execute(insert(BINDINGS).values(how="invitation", bound_at=NOW, **row))
    moved = ChangeEnd(register.account["dubois"], 1, ("colindos",), ends_on=last)
    assert isinstance(register.does("delcourt", moved), Done)
    register.does("delcourt", register.grant("peeters", "bvtc", starts_on=TODAY))
    told = run_due(register, NOW + timedelta(minutes=21))
    assert [notice.moved for notice in told] == [True, False]

"""The national number noted or corrected later: whose it is, what goes, what stays, what the audit keeps; on both databases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from bot.access import identities, numbers
from bot.access.registerfile import load
from bot.access.requests import ChangeUser, Conflict, Done, Refused
from bot.access.rows import ACCOUNTS, BLINDS, ITEMS, MANDATES, NUMBERS, PROFILES
from bot.store.audit import personal_place
from bot.store.crypto import IdentityKeys
from bot.store.ids import new_id
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from sqlalchemy import func, insert, select, update
from tests.access.invariants import check_invariants
from tests.access.registers import NEW_NISS, NOW, REGISTER, TODAY, Register
from tests.access.test_userchange import card, change, changes, manages, said

PEETERS, MAES, DELCOURT = "79082399728", "04061999842", "64111799810"
BIS = "79282399771"


@pytest.fixture
def register(database, keyring, tmp_path) -> Register:
    """Not looked at afterwards: keys are turned here, and states are set that no act leads to."""
    return Register(database, keyring, tmp_path)


def number(register: Register, account: str, digits: str, *, was_own: bool = False) -> ChangeUser:
    return replace(change(register, account, "niss", digits), was_own=was_own)


def owner(register: Register, digits: str) -> str | None:
    with register.database.read() as connection:
        return identities.by_number(connection, register.keyring, digits)


def count(register: Register, table) -> int:
    with register.database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_number_that_was_missing_is_noted_and_then_found(register):
    assert isinstance(register.does("janssens", number(register, "peeters2", "01.09.22-997.08")), Done)
    assert card(register, "peeters2").ref.masked == "••.••.••-•••.08"
    with register.sees("delcourt") as directory:
        found = directory.by_niss(register.quality["midi/hospital"], NEW_NISS)
    assert found and found.id == register.account["peeters2"]
    with register.database.read() as connection:
        check_invariants(connection, register.keyring)


def test_a_wrong_number_goes_with_its_index_and_is_free_for_whoever_has_it(register):
    before = count(register, BLINDS), count(register, NUMBERS)
    assert isinstance(register.does("delcourt", number(register, "peeters", NEW_NISS)), Done)
    assert (owner(register, PEETERS), owner(register, NEW_NISS)) == (None, register.person["peeters"])
    assert (count(register, BLINDS), count(register, NUMBERS)) == before
    assert isinstance(register.does("delcourt", number(register, "peeters2", PEETERS)), Done)
    assert owner(register, PEETERS) == register.person["peeters2"]


def test_a_number_that_was_the_persons_own_still_leads_to_him_and_can_come_back(register):
    assert isinstance(register.does("delcourt", number(register, "peeters", NEW_NISS, was_own=True)), Done)
    assert owner(register, PEETERS) == owner(register, NEW_NISS) == register.person["peeters"]
    assert said(register.does("delcourt", number(register, "peeters2", PEETERS))) == "act.number.known"
    assert isinstance(register.does("delcourt", number(register, "peeters", PEETERS)), Done)
    assert (card(register, "peeters").ref.masked[-2:], owner(register, NEW_NISS)) == ("28", None)


def test_a_number_of_somebody_here_and_one_of_somebody_elsewhere_are_refused(register):
    assert said(register.does("delcourt", number(register, "peeters2", PEETERS))) == "act.number.known"
    assert said(register.does("janssens", number(register, "peeters2", MAES))) == "act.number.refused"
    assert said(register.does("delcourt", number(register, "peeters", PEETERS))) == "act.user.same"


def test_whoever_another_entity_knows_keeps_his_number_in_the_same_words(register):
    """Else the manager of one hospital would come in as somebody of another, by his own card."""
    with register.database.write() as connection:
        mine = select(PROFILES).where(PROFILES.c.identity_id == register.person["peeters"])
        profile = dict(connection.execute(mine).mappings().one())
        other = {**profile, "id": new_id(), "entity_id": register.entity["aube"]}
        connection.execute(insert(PROFILES).values(**other))
    assert said(register.does("delcourt", number(register, "peeters", NEW_NISS))) == "act.number.refused"
    manages(register, "peeters2", "local", entity_id=register.entity["aube"])
    assert said(register.does("delcourt", number(register, "peeters2", NEW_NISS))) == "act.number.refused"
    with register.database.write() as connection:
        his = MANDATES.c.identity_id == register.person["peeters2"]
        connection.execute(update(MANDATES).where(his).values(revoked_at=NOW))
    assert isinstance(register.does("delcourt", number(register, "peeters2", NEW_NISS)), Done)


@pytest.mark.parametrize(
    ("by", "account", "refusal"),
    [
        (None, "peeters", "rights.not_allowed"),
        ("audi", "peeters", "rights.not_allowed"),
        ("claes", "peeters2", "rights.not_allowed"),
        ("kaai", "peeters", "rights.not_allowed"),
        ("kaai", "kaai", "act.user.manager"),
    ],
)
def test_nobody_else_changes_it_nor_anybody_his_own(register, by, account, refusal):
    outcome = register.does(by, number(register, account, NEW_NISS))
    assert said(outcome) in {refusal, "rights.own_access", "proof.no_pages"}
    assert owner(register, NEW_NISS) is None


def test_a_small_manager_does_not_change_the_number_of_a_larger_one(register):
    manages(register, "peeters", "local", quality_id=register.quality["midi/hospital"])
    assert said(register.does("claes", number(register, "peeters", NEW_NISS))) == "act.user.manager"


def test_a_program_has_none_and_a_faulty_one_is_refused(register):
    wrong = changes(register, "delcourt", "peeters", "niss", "79082399729")
    assert isinstance(wrong, Refused)
    assert wrong.step == "niss"
    with register.database.write() as connection:
        his = ACCOUNTS.c.id == register.account["peeters"]
        connection.execute(update(ACCOUNTS).where(his).values(type="technical"))
    assert said(register.does("delcourt", number(register, "peeters", NEW_NISS))) == "rights.not_allowed"


def test_the_change_and_the_audit_show_two_digits_and_never_the_number(register):
    done = register.does("delcourt", number(register, "peeters", NEW_NISS))
    with register.database.read() as connection:
        item = connection.execute(select(ITEMS).where(ITEMS.c.change_number == done.number)).one()
        entries = connection.execute(select(core(AuditEntry))).all()
        entry = next(each for each in entries if each.change_number == done.number)
        keys = IdentityKeys(connection, register.keyring)
        personal = json.loads(
            keys.unseal(item.subject_id, entry.personal, personal_place(entry.chain, entry.seq))
        )
    assert (item.kind, item.key, item.before) == ("change-user", "niss", None)
    assert PEETERS not in repr((item, entry, personal))
    assert NEW_NISS not in repr((item, entry, personal))
    assert "••.••.••-•••.28" in repr(personal)
    assert "••.••.••-•••.08" in repr(personal)


def test_the_second_of_two_managers_decides_again(register):
    stale = number(register, "peeters", NEW_NISS)
    changes(register, "janssens", "peeters", "title", "Dr.")
    assert isinstance(register.does("delcourt", stale), Conflict)
    assert owner(register, NEW_NISS) is None


def test_while_the_keys_turn_the_number_is_found_under_both_and_goes_under_both(register):
    both = Keyring({1: bytes(range(32)), 2: bytes(range(1, 33))})
    register.keyring = both
    assert isinstance(register.does("delcourt", number(register, "peeters2", NEW_NISS)), Done)
    with register.database.read() as connection:
        for version in ({1: bytes(range(32))}, {2: bytes(range(1, 33))}):
            blinds = identities.is_number(Keyring(version), NEW_NISS)
            assert connection.execute(select(NUMBERS.c.id).where(blinds)).first()
    assert said(register.does("delcourt", number(register, "dubois", NEW_NISS))) == "act.number.known"
    assert isinstance(register.does("delcourt", number(register, "peeters2", BIS)), Done)
    assert owner(register, NEW_NISS) is None


def test_on_the_portal_it_is_to_do_and_the_private_page_shows_the_new_number(register):
    new = register.does("kaai", register.welcome("hospiliss", quality="quai/hospital"))
    with register.database.write() as connection:
        connection.execute(update(ITEMS).values(due_at=NOW, delivery="delivered"))
        version = select(ACCOUNTS.c.version).where(ACCOUNTS.c.id == new.account)
        seen = connection.execute(version).scalar_one()
    done = register.does("kaai", ChangeUser(new.account, seen, "niss", BIS))
    assert isinstance(done, Done)
    assert done.due is None
    with register.work("kaai") as work:
        assert numbers.opened(work, done.number, "v").digits == BIS


def test_the_register_file_loaded_again_leaves_what_was_corrected_here(register, tmp_path):
    assert isinstance(register.does("delcourt", number(register, "peeters", NEW_NISS)), Done)
    file = tmp_path / "again.toml"
    file.write_text(REGISTER, encoding="utf-8")
    load(register.database, register.keyring, file, today=TODAY, now=NOW)
    assert (owner(register, PEETERS), owner(register, NEW_NISS)) == (None, register.person["peeters"])

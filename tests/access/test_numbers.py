"""The national number for the portal: for whom, for what, how often, and what the audit says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bot.access import numbers, visits
from bot.access.requests import MarkDone
from bot.access.rights import OFTEN
from bot.errors import NotAllowed, Refusal
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from tests import databases
from tests.access.registers import NEW_NISS, NOW, Register, newcomer, rows

QUAI = "quai/hospital"


@pytest.fixture
def register(keyring: Keyring, tmp_path: Path) -> Iterator[Register]:
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path)
        database.close()


@pytest.fixture
def noted(register: Register) -> str:
    """Tom is to be added on the portal; the number of the change."""
    return register.does("kaai", register.welcome("hospiliss", quality=QUAI)).number


def opens(register: Register, who: str, change: str, visit: str = "v1") -> str:
    with register.work(who) as work:
        return numbers.opened(work, change, visit).digits


def refusal(register: Register, who: str, change: str, visit: str = "v1") -> str:
    with pytest.raises(Refusal) as refused:
        opens(register, who, change, visit)
    return refused.value.msg.key


def test_whoever_hands_the_change_over_reads_the_number_and_the_audit_knows(register, noted):
    assert opens(register, "kaai", noted) == NEW_NISS
    [entry] = [row for row in rows(register, core(AuditEntry)) if row.act == "open-number"]
    assert (entry.actor_id, entry.change_number) == (register.person["kaai"], noted)
    assert NEW_NISS not in repr(entry)


def test_looking_shows_the_last_two_digits_and_leaves_no_mark(register, noted):
    with register.work("kaai") as work:
        found = numbers.wanted(work, noted)
    assert (found.name, found.masked, found.digits) == ("Vermeulen Tom", "••.••.••-•••.08", "")
    assert NEW_NISS not in repr(found)
    assert [row for row in rows(register, core(AuditEntry)) if row.act == "open-number"] == []


def test_it_is_shown_once_a_visit(register, noted):
    opens(register, "kaai", noted)
    assert refusal(register, "kaai", noted) == "web.number.once"
    assert opens(register, "kaai", noted, "v2") == NEW_NISS


@pytest.mark.parametrize("who", ["delcourt", "janssens", "audi", "peeters", "claes"])
def test_nobody_else_reads_it_and_nothing_tells_that_it_is_there(register, noted, who):
    with register.work(who) as work, pytest.raises(NotAllowed):
        numbers.wanted(work, noted)
    assert refusal(register, who, noted) == refusal(register, who, "2026-999999") == "rights.not_allowed"


def test_when_it_is_done_on_the_portal_the_number_is_no_longer_opened(register, noted):
    register.does("kaai", MarkDone(noted))
    assert refusal(register, "kaai", noted) == "web.number.nothing"


def test_a_change_for_which_the_portal_asks_no_number_opens_none(register, noted):
    tom = register.does("kaai", MarkDone(noted)).account
    register.account["tom"] = tom
    more = register.does("kaai", register.grant("tom", "civars", quality=QUAI)).number
    assert refusal(register, "kaai", more) == "web.number.nothing"


def test_where_no_number_is_known_that_is_said(register):
    user = newcomer(niss=None, username="nonumber")
    change = register.does("kaai", register.welcome("hospiliss", quality=QUAI, user=user)).number
    assert refusal(register, "kaai", change) == "web.number.unknown"


def test_an_entity_that_is_its_own_register_opens_none(register):
    change = register.does("delcourt", register.welcome("hospiliss")).number
    assert refusal(register, "delcourt", change) == "rights.not_allowed"


def test_opening_counts_as_a_look_up(register, noted):
    for at in range(OFTEN):
        opens(register, "kaai", noted, f"v{at}")
    assert refusal(register, "kaai", noted, "one more") == "web.number.often"


def test_a_link_is_good_for_five_minutes_and_the_audit_knows_of_it(register, noted):
    with register.work("kaai") as work:
        token = numbers.link_to(work, noted)
        ticket = visits.link(work.connection, token, NOW + visits.LINK / 2)
        assert visits.link(work.connection, token, NOW + visits.LINK) is None
    assert (ticket.purpose, ticket.identity, ticket.telegram_id) == ("number", register.person["kaai"], 42)
    assert ticket.data == {"change": noted}
    assert [row.act for row in rows(register, core(AuditEntry)) if row.act == "link-number"] == [
        "link-number"
    ]

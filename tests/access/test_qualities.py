"""Activating a quality: who may, at once or by the portal, what is noted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bot.access.due import REMIND
from bot.access.requests import ActivateQuality, CreateUser, Done, MarkDone, Refused, Verify
from bot.access.rows import DUE, ITEMS, QUALITIES
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.tables import AuditEntry, core
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register, newcomer, rows
from tests.access.test_acts import refused

PLACES = (
    REGISTER.replace(
        'delivery = "portal"\n[[entity.quality]]\nkey = "hospital"',
        'delivery = "portal"\n[[entity.quality]]\nkey = "hospital"\n[[entity.quality]]\nkey = "health-care"\nactive = false',
    )
    + """
[[entity]]
key = "dune"
inami = "721999-69"
denomination = { fr = "Hôpital des Dunes" }
portal = "new"
[[entity.quality]]
key = "hospital"
active = false
[[mandate]]
person = "delcourt"
entity = "dune"
role = "responsible"
[[mandate]]
person = "janssens"
entity = "quai"
role = "local"
quality = "hospital"
"""
)
MIDI, QUAI, DUNE = "midi/health-care", "quai/health-care", "dune/hospital"


@pytest.fixture
def register(keyring: Keyring, tmp_path: Path) -> Iterator[Register]:
    with databases.sqlite(tmp_path) as url:
        database = Database(url)
        yield Register(database, keyring, tmp_path, PLACES)
        with database.read() as connection:
            check_invariants(connection, keyring)
        database.close()


def activates(register: Register, who: str, place: str) -> object:
    return register.does(who, ActivateQuality(register.quality[place]))


def is_active(register: Register, place: str) -> bool:
    [row] = rows(register, QUALITIES, id=register.quality[place])
    return bool(row.active)


def test_where_the_register_is_the_target_it_is_active_at_once(register):
    outcome = activates(register, "delcourt", MIDI)
    assert outcome == Done("2026-000001", NOW)
    with register.sees("delcourt") as directory:
        quality = directory.quality(register.quality[MIDI])
        assert (quality.active, quality.since) == (True, TODAY)
        change = directory.change("2026-000001")
        assert (change.state, change.person, change.account) == ("active", "", "")
        assert [item.key for item in change.items] == ["health-care"]
    outcome = register.does("delcourt", CreateUser(register.quality[MIDI], newcomer()))
    assert isinstance(outcome, Done), "somebody can be made a user in it"


def test_it_leaves_its_mark_in_the_audit(register):
    activates(register, "delcourt", MIDI)
    [entry] = [row for row in rows(register, core(AuditEntry)) if row.act == "activate-quality"]
    assert (entry.actor_id, entry.subject_id) == (register.person["delcourt"], None)
    assert entry.change_number == "2026-000001"
    assert (entry.body["object"], entry.body["key"]) == (register.quality[MIDI], "health-care")


def test_on_the_portal_it_is_active_from_done_on(register):
    outcome = activates(register, "kaai", QUAI)
    assert outcome == Done("2026-000001", None)
    assert not is_active(register, QUAI)
    with register.sees("kaai") as directory:
        assert directory.activations(register.entity["quai"]) == ((register.quality[QUAI], outcome.number),)
        [visit] = directory.visits()
        assert (visit.id, visit.changes, visit.people) == (register.quality[QUAI], 1, 0)
        [sheet] = directory.visit(visit.id)
        assert (sheet.quality_key, sheet.change.state) == ("health-care", "to_do")

    assert register.does("kaai", MarkDone(outcome.number)) == Done(outcome.number, NOW)

    assert is_active(register, QUAI)
    with register.sees("kaai") as directory:
        assert directory.activations(register.entity["quai"]) == ()
        assert directory.visits() == ()
        assert directory.change(outcome.number).state == "active"


def test_what_is_not_there_after_all_is_to_do_anew_and_nothing_is_given_in_it(register):
    number = activates(register, "kaai", QUAI).number
    register.does("kaai", MarkDone(number))
    register.does("kaai", Verify(number, "not_there"))
    assert not is_active(register, QUAI)
    with register.sees("kaai") as directory:
        assert directory.change(number).state == "to_do"
    register.does("kaai", MarkDone(number))
    register.does("kaai", Verify(number))
    assert is_active(register, QUAI)


def test_whoever_noted_it_is_reminded_the_next_morning(register):
    number = activates(register, "kaai", QUAI).number
    [row] = [row for row in rows(register, DUE) if row.kind == REMIND]
    assert row.data == {"change": number, "what": "to_do"}


@pytest.mark.parametrize("who", ["janssens", "groep", "claes", "audi", "kaai", "peeters"])
def test_nobody_else_may_and_nothing_is_told(register, who):
    assert refused(activates(register, who, MIDI)) == "rights.not_allowed"
    assert rows(register, ITEMS) == []


def test_a_quality_that_is_not_there_is_answered_like_one_that_is_not_yours(register):
    assert refused(register.does("delcourt", ActivateQuality("nowhere"))) == "rights.not_allowed"


def test_of_the_new_portal_nothing_is_activated_by_hand(register):
    assert refused(activates(register, "delcourt", DUNE)) == "act.quality.automatic"


def test_it_is_done_once(register):
    activates(register, "delcourt", MIDI)
    assert refused(activates(register, "delcourt", MIDI)) == "act.quality.already"
    activates(register, "kaai", QUAI)
    again = activates(register, "kaai", QUAI)
    assert isinstance(again, Refused)
    assert (again.msg.key, again.step) == ("act.quality.waiting", "quality")
    assert again.msg.param("number") == "2026-000002"


def test_a_change_about_nobody_is_for_those_who_see_the_whole_entity(register):
    number = activates(register, "kaai", QUAI).number
    with register.sees("janssens") as directory:
        assert directory.change(number) is None
        assert directory.sheet(number) is None
        assert directory.visits() == ()
    assert refused(register.does("janssens", MarkDone(number))) == "rights.not_allowed"

"""Who answers for whom: who may link, who can answer, how long it counts, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bot.access import activation
from bot.access.erasure import erase
from bot.access.privacy import what_is_stored
from bot.access.requests import (
    ActOnUsers,
    AssignFunction,
    ChangeLink,
    Conflict,
    Done,
    EndAccess,
    LinkResponsible,
    MarkDone,
    Refused,
)
from bot.access.rows import ACCOUNTS, ASSIGNMENTS, RESPONSIBILITIES
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import select, update
from tests import databases
from tests.access.invariants import check_invariants
from tests.access.registers import NOW, REGISTER, TODAY, Register

PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
SOON = TODAY + timedelta(days=9)
LATER = SOON + timedelta(days=30)
MORE = f"""
[[person]]
key = "aerts"
last_name = "Aerts"
first_name = "Dokter"
[[account]]
person = "aerts"
entity = "midi"
quality = "hospital"
username = "daerts01"
profession = "specialist-physician"
[[person]]
key = "apers"
last_name = "Apers"
first_name = "Bo"
[[account]]
person = "apers"
entity = "midi"
quality = "hospital"
username = "bapers01"
profession = "hospital-pharmacist"
[[person]]
key = "wouters"
last_name = "Wouters"
first_name = "Eva"
[[account]]
person = "wouters"
entity = "quai"
quality = "hospital"
username = "ewouters"
profession = "collaborator"
[[account.grant]]
application = "colindos"
starts_on = 2026-01-01
[[account.assignment]]
function = "{PHYSICIANS}"
starts_on = 2026-01-01
[[person]]
key = "somers"
last_name = "Somers"
first_name = "An"
[[account]]
person = "somers"
entity = "quai"
quality = "hospital"
username = "asomers1"
profession = "specialist-physician"
"""


@pytest.fixture
def register(tmp_path, keyring: Keyring):
    """Peeters and Aerts are physicians of midi, Apers its pharmacist; Dubois is a collaborator of physicians."""
    text = REGISTER + MORE
    with databases.sqlite(tmp_path) as url:
        register = Register(Database(url), keyring, tmp_path, text)
        done = register.does("delcourt", AssignFunction(register.account["dubois"], 1, PHYSICIANS, TODAY))
        assert isinstance(done, Done)
        yield register
        with register.database.read() as connection:
            check_invariants(connection, keyring)
        register.database.close()


def version(register, account: str) -> int:
    with register.database.read() as connection:
        where = ACCOUNTS.c.id == register.account[account]
        return connection.execute(select(ACCOUNTS.c.version).where(where)).scalar_one()


def links(register, by="delcourt", account="dubois", responsible="peeters", **fields):
    """The outcome of linking, from today on unless told otherwise."""
    request = LinkResponsible(
        register.account[account],
        version(register, account),
        register.account[responsible],
        PHYSICIANS,
        TODAY,
    )
    now = fields.pop("now", NOW)
    return register.does(by, replace(request, **fields), now=now)


def moves(register, by="delcourt", account="dubois", ends_on=None, *, now=False, at=NOW):
    """The outcome of changing the end of the account's only link."""
    with register.database.read() as connection:
        of = RESPONSIBILITIES.c.account_id == register.account[account]
        link = connection.execute(select(RESPONSIBILITIES.c.id).where(of)).scalar_one()
    request = ChangeLink(register.account[account], version(register, account), link, ends_on, now)
    return register.does(by, request, now=at)


def seen(register, account, by="delcourt", now=NOW):
    """(the other one, whether he leads, state, counts) of each link."""
    with register.sees(by, now=now) as directory:
        return [
            (each.name, each.leads, each.state, each.counts)
            for each in directory.links(register.account[account])
        ]


def needing(register, *, by: str = "") -> None:
    """This application asks for a link with a responsible; without one, the functions themselves do."""
    own = register.catalogue
    applications = tuple(replace(each, requires_responsible=each.key == by) for each in own.applications)
    functions = tuple(
        replace(each, needs_responsible=bool(each.responsible) and not by) for each in own.functions
    )
    register.catalogue = replace(own, applications=applications, functions=functions)


def unled(register, by="delcourt", now=NOW):
    needing(register)
    return lacking(register, by, now)


def lacking(register, by="delcourt", now=NOW):
    with register.sees(by, now=now) as directory:
        return [person.username for person in directory.unled(register.entity["midi"]).items]


def said(outcome) -> tuple[str, str | None]:
    assert isinstance(outcome, Refused), outcome
    return outcome.msg.key, outcome.step


def test_a_link_is_seen_from_both_sides_and_counts_after_the_twenty_minutes(register):
    done = links(register)
    assert done.due == NOW + timedelta(minutes=20)
    assert seen(register, "dubois") == [("Peeters Jan", True, "pending", True)]
    assert seen(register, "peeters", now=done.due) == [("Dubois Zoé", False, "active", True)]


@pytest.mark.parametrize("by", [None, "audi", "groep", "claes", "peeters", "kaai"])
def test_who_may_not_link_here_does_not(register, by):
    assert said(links(register, by))[0] == "rights.not_allowed"


@pytest.mark.parametrize("by", ["delcourt", "janssens"])
def test_a_co_responsible_and_a_local_manager_link(register, by):
    assert isinstance(links(register, by), Done)


@pytest.mark.parametrize(
    ("changes", "key", "step"),
    [
        ({"responsible": "apers"}, "act.link.not_fitting", "responsible"),
        ({"responsible": "lambert"}, "act.link.blocked", "responsible"),
        ({"responsible": "maes"}, "rights.not_allowed", None),
        ({"responsible": "dubois"}, "act.link.oneself", "responsible"),
        ({"account": "peeters2"}, "act.link.no_function", "function"),
        ({"function": PHARMACISTS}, "act.link.no_function", "function"),
        ({"function": "cook"}, "act.link.no_function", "function"),
        ({"starts_on": TODAY - timedelta(days=31)}, "start.too_early", "start"),
        ({"starts_on": TODAY - timedelta(days=1)}, "act.link.outside", "start"),
        ({"ends_on": TODAY - timedelta(days=1)}, "end.before_start", "end"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_step_to_ask_again(register, changes, key, step):
    assert said(links(register, **changes)) == (key, step)


def test_several_responsibles_follow_one_another_but_none_answers_twice_at_a_time(register):
    assert isinstance(links(register, ends_on=SOON), Done)
    assert said(links(register, starts_on=SOON)) == ("act.link.overlap", "start")
    assert isinstance(links(register, responsible="aerts"), Done)
    assert isinstance(links(register, starts_on=SOON + timedelta(days=1)), Done)
    assert len(seen(register, "dubois")) == 3


def test_the_second_of_two_managers_sees_what_changed(register):
    old = version(register, "dubois")
    links(register)
    outcome = links(register, "janssens", responsible="aerts", version=old)
    assert isinstance(outcome, Conflict)
    assert [msg.key for msg in outcome.differences] == ["act.changed.linked"]


def test_a_link_ends_now_on_a_day_and_lasts_longer_again(register):
    links(register)
    assert isinstance(moves(register, ends_on=SOON), Done)
    assert said(moves(register, ends_on=SOON)) == ("act.end.same", "until")
    assert isinstance(moves(register, ends_on=LATER), Done)
    assert isinstance(moves(register), Done)
    assert isinstance(moves(register, now=True), Done)
    assert seen(register, "dubois") == []
    assert said(moves(register, now=True)) == ("act.link.gone", "link")
    assert unled(register) == ["zdubois1"]


def test_a_link_that_has_not_begun_is_taken_away(register):
    links(register, starts_on=SOON)
    assert said(moves(register, ends_on=TODAY)) == ("end.before_start", "until")
    assert isinstance(moves(register, now=True), Done)
    assert seen(register, "dubois") == []


def test_who_has_nobody_to_answer_for_him_is_told(register):
    assert unled(register) == ["zdubois1"]
    links(register)
    assert unled(register) == []
    assert unled(register, by="claes") == []


def test_only_where_a_link_is_asked_for_somebody_lacks_one(register):
    assert lacking(register) == []
    needing(register, by="colindos")
    assert lacking(register) == ["zdubois1"]
    needing(register, by="bvtc")
    assert lacking(register) == []


def test_while_the_responsible_is_blocked_the_link_stays_and_does_not_count(register):
    links(register)
    peeters = (register.account["peeters"], version(register, "peeters"))
    assert isinstance(register.does("delcourt", ActOnUsers("block", (peeters,))), Done)
    assert seen(register, "dubois") == [("Peeters Jan", True, "pending", False)]
    assert unled(register) == ["zdubois1"]
    assert isinstance(moves(register, ends_on=SOON), Done)
    assert said(moves(register)) == ("act.link.blocked", "responsible")
    back = (register.account["peeters"], version(register, "peeters"))
    assert isinstance(register.does("delcourt", ActOnUsers("reactivate", (back,))), Done)
    assert unled(register) == []


@pytest.mark.parametrize("gone", ["peeters", "dubois"])
def test_with_an_account_that_is_deleted_the_links_of_both_sides_end(register, gone):
    links(register)
    who = (register.account[gone], version(register, gone))
    assert isinstance(register.does("delcourt", ActOnUsers("delete", (who,), reason="left")), Done)
    with register.database.read() as connection:
        assert [row.revoked_at for row in connection.execute(select(RESPONSIBILITIES))] == [NOW]


def test_with_the_function_its_link_ends_the_same_day(register):
    links(register)
    request = EndAccess(
        register.account["dubois"], version(register, "dubois"), ("colindos",), (PHYSICIANS,), SOON
    )
    assert isinstance(register.does("delcourt", request), Done)
    with register.database.read() as connection:
        assert [row.ends_on for row in connection.execute(select(RESPONSIBILITIES))] == [SOON]


def test_of_several_collaborators_it_is_told_who_would_be_alone(register):
    links(register)
    with register.sees("delcourt") as directory:
        assert [each.alone for each in directory.links(register.account["peeters"])] == [True]
    links(register, responsible="aerts")
    with register.sees("delcourt") as directory:
        assert [each.alone for each in directory.links(register.account["peeters"])] == [False]


def test_somebody_out_of_scope_is_not_named(register):
    links(register)
    with register.sees("claes") as directory:
        (link,) = directory.links(register.account["peeters"])
        assert (link.name, link.account) == ("", "")
        assert directory.links(register.account["dubois"]) == ()
        assert directory.link(link.id) is None


def test_a_responsible_from_a_register_file_counts_too(register):
    with register.database.write() as connection:
        connection.execute(update(ASSIGNMENTS).values(responsible_id=register.account["aerts"]))
    assert seen(register, "dubois") == [("Aerts Dokter", True, "pending", True)]
    assert unled(register) == []
    assert said(links(register, responsible="aerts")) == ("act.link.overlap", "start")


def test_only_those_who_can_answer_are_offered(register):
    with register.sees("janssens") as directory:
        quality = register.quality["midi/hospital"]
        found = directory.responsibles(quality, ("specialist-physician",))
        assert [person.username for person in found.items] == ["daerts01", "jpeeters"]
        near = directory.responsibles(quality, ("specialist-physician",), find="aer")
        assert [person.username for person in near.items] == ["daerts01"]
    with register.sees("kaai") as directory:
        assert directory.responsibles(quality, ("specialist-physician",)).total == 0


def test_on_the_portal_a_link_counts_once_it_is_done_there(register):
    done = links(register, "kaai", "wouters", "somers")
    assert done.due is None
    assert seen(register, "wouters", "kaai") == [("Somers An", True, "to_do", True)]
    with register.sees("kaai") as directory:
        sheet = directory.sheet(done.number)
    assert [(item.kind, item.other) for item in sheet.change.items] == [("link-responsible", "Somers An")]
    ticked = register.does("kaai", MarkDone(done.number))
    assert ticked.due == NOW + timedelta(minutes=20)
    assert seen(register, "wouters", "kaai", now=ticked.due) == [("Somers An", True, "active", True)]
    longer = moves(register, "kaai", "wouters", ends_on=SOON, at=ticked.due)
    assert longer.due is None
    with register.sees("kaai", now=ticked.due) as directory:
        assert [item.kind for item in directory.sheet(longer.number).change.items] == ["unlink-responsible"]


def test_on_the_portal_a_later_end_holds_once_it_is_done_there(register):
    done = links(register, "kaai", "wouters", "somers", ends_on=SOON)
    register.does("kaai", MarkDone(done.number))
    later = moves(register, "kaai", "wouters", ends_on=LATER)
    with register.sees("kaai") as directory:
        assert [each.ends_on for each in directory.links(register.account["wouters"])] == [SOON]
    register.does("kaai", MarkDone(later.number))
    with register.sees("kaai") as directory:
        assert [each.ends_on for each in directory.links(register.account["wouters"])] == [LATER]


def test_what_is_stored_tells_of_links_and_an_erased_person_has_none(register, keyring):
    links(register)
    dubois, peeters = register.person["dubois"], register.person["peeters"]
    with register.database.write() as connection:
        told = what_is_stored(connection, keyring, dubois)["profiles"][0]["accounts"][0]
        assert [each["function"] for each in told["under_a_responsible"]] == [PHYSICIANS]
        leader = what_is_stored(connection, keyring, peeters)["profiles"][0]["accounts"][0]
        assert [each["function"] for each in leader["responsible_for"]] == [PHYSICIANS]
        erase(connection, keyring, peeters, now=NOW, why="test")
    assert seen(register, "dubois") == []


def test_a_link_that_ends_by_itself_is_noted_in_the_audit(register, keyring):
    links(register, ends_on=TODAY)
    with register.database.write() as connection:
        link = connection.execute(select(RESPONSIBILITIES.c.id)).scalar_one()
        data = {"kind": "link-responsible", "row": link, "ends_on": TODAY.isoformat()}
        after = NOW + timedelta(days=1)
        assert activation.run(connection, keyring, "end", data, after) is None
    assert seen(register, "dubois", now=NOW + timedelta(days=1)) == []


def test_a_manager_is_not_linked_by_himself_where_others_could(register):
    done = register.does(
        "janssens",
        AssignFunction(register.account["delcourt"], version(register, "delcourt"), PHYSICIANS, TODAY),
    )
    assert isinstance(done, Done)
    assert said(links(register, "delcourt", "delcourt"))[0] == "rights.own_access"
    assert isinstance(links(register, "janssens", "delcourt"), Done)
    assert said(moves(register, "delcourt", "delcourt", now=True))[0] == "rights.own_access"

"""The checklist for the portal: a row for every kind of change, the values to type, and no word of an access before *Fait*."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from bot.access import work
from bot.access.catalogue import builtin
from bot.access.views import ChangeItem, Sheet
from bot.conversations import checklist, portal
from bot.conversations.model import Command, CopyText, Press, Tap
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk
from bot.i18n import speaker
from bot.msg import LANGUAGES, m
from tests.conversations.portalroads import ALL, FUNCTION, SOME, TONIGHT, item, portal_register
from tests.conversations.walking import keys, says
from tests.texts import entries

CATALOGUE = builtin()
KINDS = {
    value
    for name, value in vars(work).items()
    if name.isupper() and isinstance(value, str) and name not in {"APPLICATION", "FUNCTION", "TO_DO"}
}


def sheet(*items: ChangeItem, **fields: object) -> Sheet:
    """A change of Eva Wouters at the portal's hospital, with these things to do."""
    found = portal_register().sheet(SOME)
    assert found
    return replace(found, change=replace(found.change, items=items), **fields)  # type: ignore[arg-type]


def steps(*items: ChangeItem, **fields: object) -> list[str]:
    return [str(say.key) for say in checklist.steps([sheet(*items, **fields)], CATALOGUE)]  # type: ignore[union-attr]


# -- the table ------------------------------------------------------------------------------------


def test_every_kind_that_an_act_records_has_its_row() -> None:
    assert KINDS - checklist.KINDS.keys() == set()


def test_every_screen_of_the_table_is_there_and_every_screen_is_used() -> None:
    used = {screen for screens in checklist.KINDS.values() for screen in screens}
    assert used | {"other"} == set(checklist.SCREENS)


def test_an_unknown_kind_is_carried_over_by_hand_and_not_forgotten() -> None:
    assert steps(item("something-new")) == ["portal.step.find", "portal.step.other", "portal.step.confirm"]


def test_a_new_collaborator_passes_the_form_the_ticks_and_the_functions_in_the_guides_order() -> None:
    assert steps(item("assignment", FUNCTION), item("grant", "colindos"), item("create-user")) == [
        "portal.step.add",
        "portal.step.form",
        "portal.step.tick",
        "portal.step.confirm",
        "portal.step.functions",
        "portal.step.add_function_until",
    ]


def test_an_application_that_ends_later_has_no_date_to_type_but_a_day_to_untick() -> None:
    assert "portal.step.untick_on" in steps(item("end-grant", "colindos"))
    assert "portal.step.untick" in steps(item("end-grant", "colindos", None))


def test_an_application_that_ends_tonight_is_unticked_in_the_evening_and_it_is_said_why() -> None:
    directory = portal_register()
    number, change = TONIGHT, directory.changes[TONIGHT]
    talk = Talk(ENGINE, directory)
    talk.command("portal", number)
    assert f"décochez Colindos le {change.recorded_on:%d-%m-%Y} au soir" in talk.sees()
    assert f"Le n° {number} attend ce soir" in talk.sees()
    at_once = replace(change, items=(replace(change.items[0], at_once=True),))
    directory.changes[number] = at_once
    talk.command("portal", number)
    assert "décochez Colindos." in talk.sees()
    assert "ce soir" not in talk.sees()


def test_another_end_of_an_application_leaves_nothing_to_do_there_and_says_so() -> None:
    moved = sheet(item("grant", "colindos", moves=True))
    assert [say.key for say in checklist.steps([moved], CATALOGUE)] == ["portal.step.nothing"]
    assert [say.key for say in checklist.leave_out([moved], CATALOGUE)] == ["portal.leave.keep"]


def test_a_corrected_national_number_is_typed_there_from_the_private_page() -> None:
    changed = sheet(item("change-user", "niss"), numbered=True)
    said = [say.key for say in checklist.steps([changed], CATALOGUE)]
    assert said == ["portal.step.find", "portal.step.number", "portal.step.confirm"]
    assert checklist.takes_number(changed)
    assert not checklist.takes_number(sheet(item("change-user", "email"), numbered=True))


def test_a_physician_is_told_to_add_no_function() -> None:
    left = checklist.leave_out(
        [sheet(item("grant", "colindos", None), profession="specialist-physician")], CATALOGUE
    )
    assert "portal.leave.function" in [say.key for say in left]
    other = checklist.leave_out(
        [sheet(item("grant", "colindos", None), profession="collaborator")], CATALOGUE
    )
    assert "portal.leave.function" not in [say.key for say in other]


@pytest.mark.parametrize(("portal", "key"), [("old", "portal.step.quality"), ("new", "portal.step.group")])
def test_the_way_in_speaks_the_words_of_the_portals_generation(portal: str, key: str) -> None:
    here = sheet(item("grant", "colindos"))
    entity = replace(here.change.entity, portal=portal)
    way = checklist.way_in(replace(here, change=replace(here.change, entity=entity)), CATALOGUE)
    assert [say.key for say in way] == ["portal.step.log_in", "portal.step.entity", key]


def test_a_responsible_is_appointed_at_csam_and_by_the_legal_representative_a_group_manager_on_the_portal() -> (
    None
):
    assert steps(item("appoint-manager", "responsible"))[:2] == ["portal.step.csam", "portal.step.csam_legal"]
    assert steps(item("appoint-manager", "group"))[:1] == ["portal.step.csam_portal"]


# -- what to type ---------------------------------------------------------------------------------


def test_dates_are_copied_as_the_portal_takes_them() -> None:
    typed = checklist.values([sheet(item("assignment", FUNCTION, date(2027, 2, 1)))])
    assert [each.text for each in typed][-2:] == ["01-12-2026", "01-02-2027"]


def test_no_national_number_is_on_any_card_or_button() -> None:
    """The manager has it himself; what the register holds does not pass through the chat."""
    digits = re.compile(r"(?:\d\D?){11}")
    for number in portal_register().changes:
        talk = Talk(ENGINE, portal_register())
        talk.command("portal", number)
        copied = (
            [b.action.text for b in talk.view.buttons() if isinstance(b.action, CopyText)]
            if talk.view
            else []
        )
        lines = [*copied, *talk.sees().splitlines()]
        assert [
            line for line in lines if digits.search(re.sub(r"2026-\d{6}|\d\d-\d\d-\d{4}|720999-02", "", line))
        ] == []


def test_the_dates_of_two_functions_have_buttons_that_differ() -> None:
    first = item("assignment", FUNCTION)
    later = replace(first, key="collaborator-hospital-pharmacist", starts_on=date(2027, 1, 15), ends_on=None)
    rows = portal._copies([sheet(first, later)])
    labels = [speaker("fr").plain(button.label).replace("\N{NO-BREAK SPACE}", " ") for (button,) in rows]
    assert len(labels) == len(set(labels))
    assert "Copier : Date de début 15-01-2027" in labels


def test_one_visit_ticks_many_and_records_them_at_once() -> None:
    talk = Talk(ENGINE, portal_register())
    talk.command("portal", "quai-h")
    today = talk.context.today
    sheets = talk.directory.visit("quai-h")
    waiting = [each.change.number for each in sheets if not checklist.not_before(each, today)]
    [later] = [each.change.number for each in sheets if each.change.number not in waiting]
    talk.says(later)
    assert f"Le n° {later} se coche à partir du" in talk.sees()
    talk.taps(f"Tout est fait ({len(waiting)})")
    assert talk.requests == [], "two people have a page each, and one was seen"
    assert f"{len(waiting)} changements à faire, pour 2 personnes. Tout" in talk.sees()
    talk.taps(f"Oui, tout est fait ({len(waiting)})")
    [request] = talk.requests
    assert [request.number, *request.more] == waiting  # type: ignore[union-attr]
    assert [each.change.number for each in talk.directory.visit("quai-h")] == [later]


def test_all_is_asked_again_where_more_was_noted_meanwhile_and_can_be_taken_back() -> None:
    talk = Talk(ENGINE, portal_register())
    talk.command("portal", "quai-h").says("tout est fait")
    assert "Tout cela est-il fait sur le portail" in talk.sees()
    talk.taps("Non, revoir les étapes")
    assert "Tout cela est-il" not in talk.sees()
    talk.says("tout est fait")
    rev = talk.state.rev
    model = talk.directory.changes[SOME]
    talk.directory.changes["2026-000099"] = replace(model, number="2026-000099")
    talk.feed(Tap(rev, "a", "sure"))
    assert talk.requests == []
    assert "Tout cela est-il fait sur le portail" in talk.sees()
    talk.feed(Tap(talk.state.rev, "a", "sure"))
    assert len(talk.requests) == 1


def test_the_changes_of_one_person_are_all_done_without_a_question() -> None:
    directory = portal_register()
    talk = Talk(ENGINE, directory)
    for number in [number for number, each in directory.changes.items() if each.person != "Wouters Eva"]:
        del directory.changes[number]
    talk.command("portal", "quai-h").taps("Tout est fait")
    assert len(talk.requests) == 1


def test_only_what_is_ticked_is_done() -> None:
    talk = Talk(ENGINE, portal_register())
    talk.command("portal", "quai-h")
    for action in (Press("on", SOME), Press("on", ALL), Press("off", ALL), Press("next")):
        talk.feed(Tap(talk.state.rev, action.verb, action.value))
    assert [(request.number, request.more) for request in talk.requests] == [(SOME, ())]  # type: ignore[union-attr]


# -- nothing is claimed before *Fait* ----------------------------------------------------------------

CLAIMS = re.compile(
    r"^(?:portal\.(?:done|later|many)\..*|portal\.done_end|notice\.active|grant\.recorded.*|stamp\..*"
    r"|change\.(?:active|verified|pending.*|done)|holding\.(?:active|pending.*)|verify\.(?:yes|button|works))$"
)
"""Texts that say, or promise for an instant, that something is in force."""
WORD = {
    "fr": r"\bacti(?:f|ve|fs|ves)\b",
    "nl": r"\bactief\b",
    "de": r"\baktiv\b",
    "en": r"\bactive\b",
}


def test_nothing_that_waits_for_the_portal_is_said_to_be_in_force() -> None:
    for number, change in portal_register().changes.items():
        if change.state != "to_do":
            continue
        for flow in ("portal", "status"):
            talk = Talk(ENGINE, portal_register())
            talk.feed(Command(flow, number))
            said = {key for say in says(talk.view) for key in keys(say)} if talk.view else set()
            assert {key for key in said if CLAIMS.match(key)} == set(), (flow, number)


def test_before_it_is_done_no_text_of_the_checklist_holds_the_word_active() -> None:
    """`portal.then` is the portal's own sentence about the 20 minutes after; the group is active, not the access."""
    allowed = {"portal.then", "portal.step.group"}
    for lang in LANGUAGES:
        told = {
            key: speaker(lang).template(m(key, n=2) if key == "portal.changes" else m(key))
            for key in entries(lang)
            if key.startswith(
                ("portal.", "grant.noted", "ending.noted", "holding.to_do", "change.to_do", "notice.to_do")
            )
            and not CLAIMS.match(key)
        }
        claims = {key for key, text in told.items() if re.search(WORD[lang], text, re.IGNORECASE)}
        assert claims - allowed - {"portal.at_time"} == set(), lang


@pytest.mark.parametrize("says", [False, True])
def test_whoever_was_created_there_though_he_is_blocked_here_is_said_to_be(says: bool) -> None:
    talk, creation = Talk(ENGINE, portal_register()), "2026-000015"
    card = talk.directory.cards[talk.directory.changes[creation].account]
    talk.directory.cards[card.ref.id] = replace(card, ref=replace(card.ref, status="blocked"))
    talk.command("portal", creation)
    assert "Ne l'y créez pas tant qu'il est bloqué." in talk.sees()
    assert "[✔ Fait]" not in talk.sees()
    talk.says("déjà créé sur le portail") if says else talk.taps("Déjà créé sur le portail")
    [request] = talk.requests
    assert (request.number, request.more) == (creation, ())
    assert m("portal.made_blocked") in talk.receipts[-1].body

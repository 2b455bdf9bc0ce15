"""Change what somebody has, in one dialogue: an end, at once too; given again; a function more; the account reactivated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.catalogue import Profession
from bot.access.requests import AssignFunction, ChangeEnd, Conflict, EndAccess, GrantAccess
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, MIDI, NOW, MemoryDirectory, Talk, said, sample
from bot.msg import m

OLD, SINCE = date(2026, 3, 12), datetime(2026, 3, 12, tzinfo=UTC)
PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
SOON = NOW.date() + timedelta(days=30)


def held(kind: str, key: str, ends_on: date | None = None, state: str = "active") -> Holding:
    return Holding(kind, key, state, OLD, ends_on, SINCE)


def ended(kind: str, key: str) -> Holding:
    return held(kind, key, date(2026, 6, 30), "ended")


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.add(  # a0006
        "Willems",
        "Els",
        username="ewillems",
        profession="collaborator",
        entity=AUBE,
        holdings=(
            held("application", "colindos"),
            held("application", "hospiliss"),
            held("function", PHYSICIANS),
        ),
    )
    directory.add(  # a0007
        "Adam",
        "Noor",
        username="nadam001",
        profession="collaborator",
        entity=AUBE,
        holdings=(ended("application", "colindos"), ended("function", PHARMACISTS)),
    )
    directory.add(  # a0008
        "Baert",
        "Lies",
        profession="specialist-physician",
        entity=AUBE,
        holdings=(ended("application", "colindos"), held("application", "hospiliss", SOON)),
    )
    return Talk(ENGINE, directory)


def test_a_person_among_5000_is_found_and_his_end_changed_in_at_most_five_interactions() -> None:
    directory = MemoryDirectory(places=(MIDI, AUBE))
    for number in range(5000):
        several = held("application", "hospiliss"), held("application", "colindos", SOON)
        directory.add("Peeters", f"Jan {number}", username=f"jpeet{number:04d}", holdings=several)
    talk = Talk(ENGINE, directory).command("change")

    talk.taps("Hôpitaux du Midi").says("Peeters Jan 4711").taps("Colindos").says("30-04-2027").taps(
        "Confirmer"
    )

    assert talk.requests == [ChangeEnd("a4712", 1, ("colindos",), ends_on=date(2027, 4, 30))]
    print(f"\nanother end for one of 5,000, the entity asked: {talk.interactions} interactions")
    assert talk.interactions <= 5


def test_what_there_is_and_was_stands_above_the_choice(talk: Talk) -> None:
    talk.command("change", "a0008")

    assert "🟢 Hospiliss, actif depuis le 12-03-2026 · jusqu'au 24-12-2026" in talk.sees()
    assert "Colindos, terminé (dès le 12-03-2026, jusqu'au 30-06-2026)" in talk.sees()
    assert "[📅 Hospiliss]" in talk.sees()
    assert "[🔁 Colindos]" in talk.sees()
    assert "Ajouter une fonction" not in talk.sees()  # a physician has none of a collaborator's


def test_a_day_that_is_typed_is_the_end_of_the_only_thing(talk: Talk) -> None:
    talk.command("change", "a0008").says("31.1.2027")

    assert "Hospiliss : autre date de fin" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ChangeEnd("a0008", 1, ("hospiliss",), ends_on=date(2027, 1, 31))]
    assert talk.interactions == 2


def test_where_there_are_several_things_a_typed_day_is_not_guessed_about(talk: Talk) -> None:
    talk.command("change", "a0006").says("31.1.2027")

    assert "Que faut-il modifier ?" in talk.sees()
    assert "⚠" in talk.sees()


def test_a_day_gone_by_is_refused_where_it_is_typed(talk: Talk) -> None:
    talk.command("change", "a0008").says("31-10-2026")

    assert "Tapez une date à partir du 24-11-2026." in talk.sees()


def test_several_things_get_the_same_end(talk: Talk) -> None:
    talk.command("change", "a0006").taps("Plusieurs à la fois").says("1, 2, 3").says("30-04-2027").taps(
        "Confirmer"
    )

    assert talk.requests == [
        ChangeEnd("a0006", 1, ("colindos", "hospiliss"), (PHYSICIANS,), date(2027, 4, 30))
    ]


def test_a_function_that_ends_now_takes_what_stands_on_it_along(talk: Talk) -> None:
    talk.command("change", "a0006").says("Collaborateur").taps("Maintenant")

    assert "Sans cette fonction, ceci ne peut pas rester : Colindos." in talk.sees()
    talk.taps("Oui, tout prend fin", "Confirmer")
    assert talk.requests == [EndAccess("a0006", 1, ("colindos",), (PHYSICIANS,))]
    assert "C'est fait." in said(talk.receipts[-1], "fr")


def test_a_function_left_over_is_asked_about(talk: Talk) -> None:
    talk.command("change", "a0006").taps("Colindos", "Maintenant", "Oui, la fonction aussi", "Confirmer")

    assert talk.requests == [EndAccess("a0006", 1, ("colindos",), (PHYSICIANS,))]


def test_a_function_is_added_with_its_days(talk: Talk) -> None:
    talk.command("change", "a0006").taps("Ajouter une fonction")
    assert "Colindos" in talk.sees()  # what asks for it, in words
    talk.taps("Collaborateur pharmacien").says("01-10-2026")
    assert "25-10-2026" in talk.sees()  # at most 30 days back
    talk.says("01-12-2026").taps("Confirmer")

    assert talk.requests == [AssignFunction("a0006", 1, PHARMACISTS, date(2026, 12, 1))]
    assert talk.interactions == 5


def test_what_has_ended_is_given_again_with_the_function_that_it_needs(talk: Talk) -> None:
    talk.command("change", "a0007").taps("Colindos").taps("Aujourd'hui")

    assert "Colindos : donner de nouveau" in talk.sees()
    assert "Collaborateur pharmacien" in talk.sees()  # what he was before is proposed, not asked
    talk.taps("Confirmer")
    today = NOW.date()
    assert talk.requests == [
        GrantAccess(
            "aube-h",
            ("colindos",),
            "a0007",
            1,
            profession=Profession.COLLABORATOR_PHARMACIST,
            function=PHARMACISTS,
            starts_on=today,
        )
    ]


def test_a_physician_needs_no_more_than_a_tap_to_have_it_again(talk: Talk) -> None:
    talk.command("change", "a0008").taps("Colindos", "Confirmer")

    [request] = talk.requests
    assert isinstance(request, GrantAccess)
    assert (request.applications, request.function, request.starts_on) == (("colindos",), None, None)


def test_a_function_that_has_ended_is_given_again(talk: Talk) -> None:
    talk.command("change", "a0007").says("Collaborateur pharmacien", "01-12-2026").taps("Confirmer")

    assert talk.requests == [AssignFunction("a0007", 1, PHARMACISTS, date(2026, 12, 1))]


def test_a_blocked_account_is_reactivated_and_given_nothing_before(talk: Talk) -> None:
    card = talk.directory.cards["a0004"]
    talk.directory.cards["a0004"] = replace(card, holdings=(ended("application", "hospiliss"),))
    talk.command("change", "a0004")

    assert "Ce compte est bloqué." in talk.sees()
    assert "[🔁" not in talk.sees()
    talk.taps("Réactiver ce compte", "Confirmer")
    assert talk.requests == [EndAccess("a0004", 1, becomes="active")]
    assert talk.directory.cards["a0004"].ref.status == "active"
    talk.taps("Modifier autre chose")
    assert "[🔁 Hospiliss]" in talk.sees()


def test_who_may_not_touch_functions_is_offered_none(talk: Talk) -> None:
    talk.directory.acts -= {"assign_function"}
    talk.command("change", "a0006")

    assert "Ajouter une fonction" not in talk.sees()
    assert "[📅 Collaborateur" not in talk.sees()
    assert "[📅 Colindos]" in talk.sees()


def test_an_application_without_the_function_that_it_needs_is_said(talk: Talk) -> None:
    talk.command("change", "a0003")

    assert "Colindos ne suffit pas à un collaborateur" in talk.sees()


def test_with_the_application_first_it_is_what_is_changed(talk: Talk) -> None:
    talk.command("change").taps("Clinique Sainte-Aube").says("Hospiliss").taps("Baert")

    assert "Jusqu'à quand désormais ?" in talk.sees()
    talk.taps("Sans date de fin", "Confirmer")
    assert talk.requests == [ChangeEnd("a0008", 1, ("hospiliss",))]


def test_back_leads_through_the_questions_as_they_came_and_keeps_the_answers(talk: Talk) -> None:
    talk.command("change").taps("Clinique Sainte-Aube").says("Willems").taps("Colindos").says("30-04-2027")
    talk.taps("Oui, la même date") if "même date" in talk.sees() else None
    assert "Récapitulatif" in talk.sees()
    talk.taps("Précédent")
    assert "Jusqu'à quand désormais ?" in talk.sees()
    assert "30-04-2027" in talk.sees()
    talk.taps("Précédent")
    assert "Que faut-il modifier ?" in talk.sees()
    assert "[✔ Colindos]" in talk.sees()
    talk.taps("Précédent")
    assert "De qui faut-il modifier les accès ?" in talk.sees()
    assert talk.requests == []


def test_another_thing_at_the_recap_is_what_is_changed_then(talk: Talk) -> None:
    talk.command("change", "a0006").taps("Colindos").says("30-04-2027")
    talk.taps("Modifier", "Modification", "Hospiliss", "Confirmer")

    assert talk.requests == [ChangeEnd("a0006", 1, ("hospiliss",), ends_on=date(2027, 4, 30))]


def test_the_second_of_two_managers_sees_what_changed_and_keeps_his_choice(talk: Talk) -> None:
    talk.command("change", "a0006").taps("Plusieurs").says("1, 2").says("30-04-2027")
    talk.directory.conflict = Conflict((m("act.changed.blocked", number="2026-000007"),), 7)
    talk.taps("Confirmer")

    assert "Entre-temps" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests[-1] == ChangeEnd("a0006", 7, ("colindos", "hospiliss"), ends_on=date(2027, 4, 30))

"""End an access, and change its end: person or application first, now or on a day, with what goes along."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.requests import ChangeEnd, Conflict, EndAccess
from bot.conversations.ports import Holding, QualityRef
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, NOW, PORTAL, Talk, said, sample
from bot.msg import m

OLD, SINCE = date(2026, 3, 12), datetime(2026, 3, 12, tzinfo=UTC)
FUNCTION = "collaborator-specialist-physician"
SOON = NOW.date() + timedelta(days=30)


def held(kind: str, key: str, ends_on: date | None = None) -> Holding:
    return Holding(kind, key, "active", OLD, ends_on, SINCE)


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.add(
        "Willems",
        "Els",
        username="ewillems",
        profession="collaborator",
        entity=AUBE,
        holdings=(
            held("application", "colindos"),
            held("application", "hospiliss"),
            held("function", FUNCTION),
        ),
    )
    directory.add(
        "Dubois",
        "Léa",
        username="ldubois1",
        entity=PORTAL,
        profession="collaborator",
        holdings=(
            held("application", "colindos"),
            held("function", FUNCTION),
        ),
    )
    return Talk(ENGINE, directory)


def test_a_quality_without_users_is_not_asked_about_and_an_inactive_one_with_users_is(talk: Talk) -> None:
    empty = QualityRef("midi-c", "midi", "health-care", "710999-11", active=False)
    talk.directory.rooms[empty.id] = empty
    talk.command("end").taps("Hôpitaux du Midi")
    assert "À qui retirer un accès ?" in talk.sees()
    somebody = next(iter(talk.directory.cards.values()))
    talk.directory.cards["left"] = replace(somebody, ref=replace(somebody.ref, id="left", quality="midi-c"))
    talk.command("end").taps("Recommencer").taps("Hôpitaux du Midi")
    assert "Dans quelle qualité ?" in talk.sees()
    assert "Soins de santé" in talk.sees()


def test_an_access_is_ended_now_in_five_interactions(talk: Talk) -> None:
    talk.command("end").taps("Hôpitaux du Midi").says("Peeters Jan Pharmacie").taps("Maintenant")
    talk.taps("Laisser le compte", "Confirmer")

    assert talk.requests == [EndAccess("a0002", 1, ("hospiliss",))]
    assert talk.interactions == 5
    assert "Enregistré sous le n° 2026-000001. C'est fait." in said(talk.receipts[-1], "fr")


def test_the_application_can_come_first_and_only_those_who_have_it_are_shown(talk: Talk) -> None:
    talk.command("end").taps("Hôpitaux du Midi", "Choisir d'abord l'application", "Hospiliss")

    assert "Seulement les personnes qui ont Hospiliss." in talk.sees()
    assert "1 utilisateur trouvé" in talk.sees()
    assert "Claes" not in talk.sees()
    talk.taps("Peeters Jan", "Ce soir", "Confirmer")
    assert talk.requests == [EndAccess("a0002", 1, ("hospiliss",), ends_on=NOW.date())]
    assert "Dernier jour d'accès : le 24-11-2026." in said(talk.receipts[-1], "fr")


def test_an_application_that_is_typed_is_the_application(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("hospiliss", "Willems")

    assert "Quand ?" in talk.sees()
    talk.says("ce soir").taps("Confirmer")
    assert talk.requests == [EndAccess("a0006", 1, ("hospiliss",), ends_on=NOW.date())]


def test_a_function_that_nothing_needs_any_more_is_asked_about(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Willems", "Colindos").taps("Maintenant")

    assert "Plus aucune application ne demande cette fonction" in talk.sees()
    talk.taps("Oui, la fonction aussi", "Confirmer")
    assert talk.requests == [EndAccess("a0006", 1, ("colindos",), (FUNCTION,))]


def test_the_function_may_stay(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Willems", "Colindos").taps("Maintenant")
    talk.taps("Non, garder la fonction", "Confirmer")

    assert talk.requests == [EndAccess("a0006", 1, ("colindos",))]


def test_ending_a_function_says_which_accesses_lose_their_ground(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Willems", "Collaborateur médecin").says(
        "31-12-2026"
    )

    assert "Sans cette fonction, ceci ne peut pas rester : Colindos." in talk.sees()
    talk.taps("Oui, tout prend fin", "Confirmer")
    last = date(2026, 12, 31)
    assert talk.requests == [EndAccess("a0006", 1, ("colindos",), (FUNCTION,), last)]


def test_an_account_left_empty_can_be_blocked_along_with_it(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Willems", "1, 2, 3").taps("Maintenant")

    assert "Il ne restera rien sur ce compte." in talk.sees()
    talk.taps("Bloquer le compte", "Confirmer")
    assert talk.requests == [EndAccess("a0006", 1, ("colindos", "hospiliss"), (FUNCTION,), becomes="blocked")]
    assert talk.directory.cards["a0006"].ref.status == "blocked"


def test_a_blocked_account_with_nothing_is_offered_to_be_reactivated(talk: Talk) -> None:
    talk.command("end").taps("Hôpitaux du Midi").says("Lambert").taps("Réactiver ce compte", "Confirmer")

    assert talk.requests == [EndAccess("a0004", 1, becomes="active")]


def test_a_day_after_the_end_there_is_already_changes_nothing(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Maes", "04-12-2026")

    assert "Cela finit déjà le 03-12-2026." in talk.sees()


def test_a_day_gone_by_is_refused_with_the_days_that_can_be(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Maes", "01-11-2026")

    assert "Tapez une date à partir du 24-11-2026." in talk.sees()


def test_on_a_portal_entity_the_receipt_says_what_is_still_to_do_there(talk: Talk) -> None:
    talk.command("end").taps("Hôpital du Quai").says("Dubois", "Colindos").taps("Maintenant")
    talk.taps("Oui, la fonction aussi", "Laisser le compte", "Confirmer")

    receipt = said(talk.receipts[-1], "fr")
    assert "Noté sous le n° 2026-000001, encore à faire sur le portail." in receipt
    assert "C'est fait" not in receipt
    talk.taps("Étapes sur le portail")
    assert "décochez Colindos" in talk.sees()
    assert "« Collaborateur médecin-spécialiste », mettez la date de fin 24-11-2026" in talk.sees()
    assert "cochez Colindos" not in talk.sees().replace("décochez", "")


def test_the_second_of_two_managers_sees_what_changed_and_decides_again(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Maes").taps("Maintenant", "Laisser le compte")
    talk.directory.conflict = Conflict((m("act.changed.ended", what="Colindos", number="2026-000009"),), 2)
    talk.taps("Confirmer")

    assert "A pris fin entre-temps : Colindos (n° 2026-000009)." in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests[-1] == EndAccess("a0005", 2, ("colindos",))


def test_who_may_not_touch_functions_is_not_offered_them(talk: Talk) -> None:
    talk.directory.acts = frozenset({"end_access"})
    talk.command("end").taps("Clinique Sainte-Aube").says("Willems")

    assert "Collaborateur" not in talk.sees()


def test_the_way_back_from_a_persons_card(talk: Talk) -> None:
    talk.command("status", "Maes").taps("Mettre fin à un accès", "Maintenant")

    assert "Et le compte ?" in talk.sees()


# -- another end ----------------------------------------------------------------------------------


def test_an_end_is_moved_from_a_persons_card_in_three_interactions(talk: Talk) -> None:
    talk.command("status", "Maes").taps("Modifier un accès").says("30-04-2027").taps("Confirmer")

    assert talk.requests == [ChangeEnd("a0005", 1, ("colindos",), ends_on=date(2027, 4, 30))]
    assert talk.interactions == 3
    assert "Dernier jour d'accès" in said(talk.receipts[-1], "fr")


def test_a_function_that_ends_sooner_takes_its_application_along(talk: Talk) -> None:
    talk.command("change").taps("Clinique Sainte-Aube").says("Willems", "Collaborateur médecin", "30-04-2027")

    assert "La même date vaut aussi pour : Colindos." in talk.sees()
    talk.taps("Oui, la même date", "Confirmer")
    assert talk.requests == [ChangeEnd("a0006", 1, ("colindos",), (FUNCTION,), date(2027, 4, 30))]


def test_an_application_that_lasts_longer_takes_its_function_along(talk: Talk) -> None:
    card = talk.directory.cards["a0006"]
    ending = tuple(replace(each, ends_on=SOON) for each in card.holdings)
    talk.directory.cards["a0006"] = replace(card, holdings=ending)
    talk.command("change").taps("Clinique Sainte-Aube").says("Willems", "Colindos").taps("Sans date de fin")

    talk.taps("Oui, la même date", "Confirmer")
    assert talk.requests == [ChangeEnd("a0006", 1, ("colindos",), (FUNCTION,))]


def test_who_chose_now_and_goes_back_may_still_open_the_calendar(talk: Talk) -> None:
    talk.command("end").taps("Clinique Sainte-Aube").says("Maes")
    talk.taps("Maintenant", "Précédent", "Calendrier")
    assert "novembre 2026" in talk.sees()

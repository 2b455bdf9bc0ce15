"""Entities and their qualities: found among many, remembered, in both portals' words, activated."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bot.access.requests import ActivateQuality
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, MIDI, PORTAL, Talk, said
from tests.conversations.placeroads import DUNE, FORTY, groups, places


@pytest.fixture
def many() -> Talk:
    """Somebody who manages forty entities."""
    return Talk(ENGINE, places(*FORTY))


# -- one of many entities -------------------------------------------------------------------------


def test_of_forty_entities_six_are_shown_with_the_role_and_the_rest_are_paged(many: Talk) -> None:
    many.command("entity")
    assert "40 en tout." in many.sees()
    assert "1 Hôpitaux du Midi · 710900-10 · vous y êtes co-responsable" in bare(many)
    many.taps("›")
    assert "7 Hôpitaux du Midi · 710906-16" in bare(many)


@pytest.mark.parametrize(
    "typed", ["710907", "710907-17", "71090717", "0907 aube", "SAINTE 07-17", "Sint 710907"]
)
def test_a_part_of_the_name_or_number_finds_the_entity(many: Talk, typed: str) -> None:
    many.command("entity").says(typed)
    assert many.state.memory["entity"] == "e07"


def test_what_fits_several_narrows_the_list_and_a_number_is_the_place_in_it(many: Talk) -> None:
    many.command("entity").says("aube")
    assert "20 résultats pour « aube »" in many.sees()
    assert "2 Clinique Sainte-Aube · 710903-13" in bare(many)
    many.says("2")
    assert many.state.memory["entity"] == "e03"


def test_a_narrowed_list_opens_again_and_a_second_search_looks_everywhere(many: Talk) -> None:
    many.command("entity").says("aube").taps("Tout afficher")
    assert "40 en tout." in many.sees()
    many.says("aube", "midi")
    assert "20 résultats pour « midi »" in many.sees()


def test_what_fits_nothing_is_said_and_the_list_stays(many: Talk) -> None:
    many.command("entity").says("Zzzzzzz")
    assert "Rien ne correspond à « Zzzzzzz »." in many.sees()
    assert "Hôpitaux du Midi · 710900-10" in many.sees()


def test_every_dialogue_finds_its_entity_like_this(many: Talk) -> None:
    many.command("grant").says("710907")
    assert "Clinique Sainte-Aube" in many.sees()
    assert "À qui ?" in many.sees()


def test_the_entity_is_remembered_and_changed_at_any_time(many: Talk) -> None:
    many.command("entity").says("710907").command("grant")
    assert "À qui ?" in many.sees()
    many.command("home")
    assert "Clinique Sainte-Aube · 710907-17" in many.sees()
    many.taps("Choisir l'entité").says("710908")
    assert many.state.memory["entity"] == "e08"


def test_home_names_some_entities_and_counts_the_others(many: Talk) -> None:
    many.command("home")
    assert "Et 34 autres entités." in many.sees()


# -- the list of qualities ------------------------------------------------------------------------


def test_the_list_gives_each_quality_with_its_number_and_state() -> None:
    talk = Talk(ENGINE, places(MIDI, AUBE)).command("qualities").says("1")
    assert "Prestataire de soins : hôpital · 710999-11 : 🟢 active depuis le 12-03-2026" in talk.sees()
    assert "Soins de santé (INAMI) · 710999-11 : ⚪ pas encore activée" in talk.sees()
    talk.says("aube")
    assert "719998-33" in talk.sees()


def test_the_new_portal_has_groups_that_become_active_by_themselves() -> None:
    talk = Talk(ENGINE, groups()).command("qualities")
    assert talk.sees().startswith("Groupes · Hôpitaux du Midi")
    assert "Prestataire de soins : hôpital · 721999-69 : 🟢 actif" in talk.sees()
    assert "rien n'est à activer à la main" in talk.sees()
    assert "Activer une qualité" not in talk.sees()
    assert "Vous gérez d'office tous les groupes" in talk.sees()
    assert "[📜 Certificats]" in talk.sees()
    local = groups()
    local.places = (replace(local.places[0], role="local"),)
    local.acts -= {"keep_certificates"}
    talk = Talk(ENGINE, local).command("qualities")
    assert "Vous gérez d'office" not in talk.sees()
    assert "Certificats" not in talk.sees()


def test_a_dialogue_asks_for_the_group_on_the_new_portal_and_for_the_quality_on_the_old() -> None:
    new, old = groups(), groups()
    old.places = (replace(DUNE, portal="old"),)
    assert "Dans quel groupe ?" in Talk(ENGINE, new).command("grant").sees()
    assert "Dans quelle qualité ?" in Talk(ENGINE, old).command("grant").sees()


def test_whoever_may_not_activate_is_told_who_does() -> None:
    directory = places(MIDI)
    directory.acts = frozenset({"give_access"})
    talk = Talk(ENGINE, directory).command("qualities")
    assert "Une qualité est activée par le responsable ou un co-responsable de l'entité." in talk.sees()
    assert "Activer une qualité" not in talk.sees()


# -- activating one -------------------------------------------------------------------------------


def test_a_quality_is_activated_in_two_taps_from_the_list() -> None:
    talk = Talk(ENGINE, places(MIDI)).command("qualities").taps("Activer une qualité", "Confirmer")
    assert talk.requests == [ActivateQuality("midi-he")]
    receipt = said(talk.receipts[-1], "fr")
    assert "La qualité « Soins de santé (INAMI) » est active." in receipt
    assert (
        "Soins de santé (INAMI) · 710999-11 : 🟢 active depuis le 24-11-2026" in talk.taps("Qualités").sees()
    )


def test_on_the_portal_it_is_noted_and_active_only_after_done() -> None:
    talk = Talk(ENGINE, places(PORTAL)).command("activate").taps("Confirmer")
    receipt = said(talk.receipts[-1], "fr")
    assert "encore à faire sur le portail" in receipt
    assert "est active" not in receipt
    talk.command("qualities")
    assert "☑ à activer sur le portail (n° 2026-000001)" in talk.sees()
    talk.taps("Étapes sur le portail")
    assert "Activez la qualité « Soins de santé (INAMI) » avec « Activer la qualité »." in talk.sees()
    assert "onglet « Utilisateurs »" not in talk.sees()
    assert "➡ Soins de santé (INAMI) · n° 2026-000001" in talk.sees()
    talk.taps("Fait").command("qualities")
    assert "⚪" not in talk.sees()


def test_what_is_noted_is_not_offered_again() -> None:
    talk = Talk(ENGINE, places(PORTAL)).command("activate").taps("Confirmer").command("activate")
    assert "il ne reste aucune qualité à activer" in talk.sees()


def test_the_visit_to_the_portal_says_what_it_is_about_where_it_is_about_nobody() -> None:
    talk = Talk(ENGINE, places(MIDI, PORTAL)).command("activate").says("quai").taps("Confirmer")
    talk.command("status")
    assert "Soins de santé (INAMI)" in talk.sees()
    talk.command("status", "2026-000001")
    assert "Soins de santé (INAMI) (qualité activée)" in talk.sees()
    assert "Personne" not in talk.sees()


def test_the_overview_of_forty_entities_is_paged(many: Talk) -> None:
    many.command("status")
    assert many.sees().count("Hôpitaux du Midi</b>") == 2
    many.taps("›")
    assert "2/10" in many.sees()


def bare(talk: Talk) -> str:
    """What is seen, without markup."""
    return talk.sees().replace("<b>", "").replace("</b>", "")

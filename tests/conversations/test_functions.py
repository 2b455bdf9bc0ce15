"""Functions as dialogues: the overview, one person's, giving one, changing one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from bot.access.catalogue import Catalogue, builtin
from bot.access.requests import AssignFunction
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW, Talk, sample

CLAES, PEETERS = "a0003", "a0001"
PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
TODAY, SOON = NOW.date(), NOW.date() + timedelta(days=9)


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    card = directory.cards[CLAES]
    begun = Holding(
        "function", PHYSICIANS, "active", date(2026, 3, 12), SOON, datetime(2026, 3, 12, tzinfo=UTC)
    )
    later = Holding("function", PHARMACISTS, "pending", SOON)
    directory.cards[CLAES] = replace(card, holdings=(*card.holdings, begun, later))
    return Talk(ENGINE, directory)


def test_the_overview_counts_people_and_functions_and_leads_to_each_person(talk: Talk) -> None:
    talk.command("functions")
    assert "Hôpitaux du Midi</b> · 1 personne exerce une fonction" in talk.sees()
    assert "Collaborateur médecin-spécialiste : 1 personne" in talk.sees()
    talk.taps("Collaborateur pharmacien")
    assert "Seulement : Collaborateur pharmacien hospitalier" in talk.sees()
    talk.taps("Claes Mieke")
    assert "[➖ Mettre fin à un accès]" in talk.sees()


def test_a_long_overview_is_paged(talk: Talk) -> None:
    for number in range(14):
        held = Holding("function", PHYSICIANS, "active", TODAY)
        talk.directory.add("Wouters", f"An{number:02d}", holdings=(held,))
    talk.command("functions")
    assert "1/3" in talk.sees()
    talk.taps("›", "›")
    assert "3/3" in talk.sees()
    assert "Wouters An13" in talk.sees()


def test_what_each_application_needs_is_said_in_words(talk: Talk) -> None:
    talk.command("functions").taps("Ce que demande")
    assert "Colindos</b> : un collaborateur doit exercer une de ces fonctions" in talk.sees()
    assert "Un médecin ou un pharmacien hospitalier n'en a pas besoin" in talk.sees()
    assert "Aucune fonction requise : Hospiliss" in talk.sees()
    assert "Aucune application ne demande de lien avec un responsable." in talk.sees()


def test_an_application_that_needs_a_responsible_is_named(talk: Talk) -> None:
    own = builtin()
    first = replace(own.applications[0], requires_responsible=True)
    talk.catalogue = Catalogue(own.qualities, own.functions, (first, *own.applications[1:]))
    talk.command("functions").taps("Ce que demande")
    assert "lié à un médecin ou un pharmacien responsable pour : Colindos" in talk.sees()


def test_a_function_is_given_from_the_persons_card_in_five_interactions(talk: Talk) -> None:
    account = talk.directory.add("Nijs", "Lore", profession="collaborator")
    talk.command("user", account).taps("Fonctions", "Ajouter une fonction", "Collaborateur médecin", "Demain")
    assert "Date de fin: Sans date de fin (proposé)" in talk.sees()
    talk.taps("Confirmer")
    assert talk.interactions == 5
    assert talk.requests == [AssignFunction(account, 1, PHYSICIANS, TODAY + timedelta(days=1))]


def test_each_function_says_which_applications_ask_for_it(talk: Talk) -> None:
    account = talk.directory.add("Nijs", "Lore")
    talk.command("assign", account)
    assert "Collaborateur médecin-spécialiste : demandée par Colindos" in talk.sees()


def test_a_function_of_the_operators_own_that_nothing_needs_can_be_given_too(talk: Talk) -> None:
    own = builtin()
    further = replace(own.functions[0], key="data-manager", responsible=None)
    talk.catalogue = own.with_functions([further])
    talk.command("assign", PEETERS)
    assert "aucune application ne la demande" in talk.sees()
    talk.taps("Collaborateur médecin", "Aujourd'hui", "Confirmer")
    assert talk.requests == [AssignFunction(PEETERS, 1, "data-manager", TODAY)]


def test_a_physician_has_no_function_to_choose(talk: Talk) -> None:
    talk.command("assign", PEETERS)
    assert "elle n'a besoin d'aucune fonction" in talk.sees()


def test_a_start_in_the_past_is_taken_with_a_warning_for_thirty_days(talk: Talk) -> None:
    account = talk.directory.add("Nijs", "Lore")
    talk.command("assign", account).taps("Collaborateur médecin").says("20-10-2026")
    assert "30 jours au plus" in talk.sees()
    talk.says("20-11-2026")
    assert "Cette date de début est passée : 20-11-2026" in talk.sees()


def test_the_same_function_in_the_same_time_is_refused_at_the_day(talk: Talk) -> None:
    talk.command("assign", CLAES).taps("Collaborateur médecin").says("25-11-2026")
    assert "exerce déjà cette fonction pendant cette période, dès le 12-03-2026" in talk.sees()
    after = SOON + timedelta(days=1)
    talk.says(f"{after:%d-%m-%Y}").taps("Confirmer")
    assert talk.requests == [AssignFunction(CLAES, 1, PHYSICIANS, after)]


def test_who_may_not_touch_functions_sees_them_and_no_doors(talk: Talk) -> None:
    talk.directory.acts = frozenset({"give_access"})
    talk.command("functions", CLAES)
    assert "Collaborateur médecin-spécialiste, actif depuis" in talk.sees()
    assert "➖" not in talk.sees()
    assert "Ajouter une fonction" not in talk.sees()


def test_a_function_typed_is_looked_for_and_so_is_a_name(talk: Talk) -> None:
    talk.command("functions").says("collaborateur pharmacien")
    assert "Seulement : Collaborateur pharmacien hospitalier" in talk.sees()
    talk.says("mieke")
    assert "Personne: Claes Mieke" in talk.sees()

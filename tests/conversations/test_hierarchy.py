"""Who answers for whom as dialogues: from the card, from the overview, from the responsible's side, and what is lost with him."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from bot.access.catalogue import Catalogue, builtin
from bot.access.requests import ChangeLink, LinkResponsible
from bot.conversations.memorylinks import Linked
from bot.conversations.model import Door
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW, Talk, sample

PEETERS, CLAES = "a0001", "a0003"
PHYSICIANS, PHARMACISTS = "collaborator-specialist-physician", "collaborator-hospital-pharmacist"
TODAY, SOON = NOW.date(), NOW.date() + timedelta(days=9)
BEGUN = date(2026, 3, 12)


@pytest.fixture
def talk() -> Talk:
    """Claes works for physicians, of whom Peeters is one."""
    directory = sample()
    directory.acts |= {"link_responsible"}
    card = directory.cards[CLAES]
    held = Holding("function", PHYSICIANS, "active", BEGUN)
    directory.cards[CLAES] = replace(card, holdings=(*card.holdings, held))
    return Talk(ENGINE, directory)


def asking(talk: Talk, *, by: str = "colindos") -> None:
    """An application asks for a link; without one, the functions themselves do."""
    own = builtin()
    applications = tuple(replace(each, requires_responsible=each.key == by) for each in own.applications)
    functions = tuple(replace(each, needs_responsible=not by) for each in own.functions)
    talk.catalogue = talk.directory.catalogue = Catalogue(own.qualities, functions, applications)


def linked(talk: Talk, account: str = CLAES, responsible: str = PEETERS, **fields: object) -> str:
    """A link in the register; its id."""
    key = f"l{len(talk.directory.linked) + 1:04d}"
    link = replace(Linked(account, responsible, PHYSICIANS, BEGUN), **fields)  # type: ignore[arg-type]
    talk.directory.linked[key] = link
    return key


def test_a_collaborator_is_linked_from_his_card_in_four_interactions(talk: Talk) -> None:
    asking(talk)
    talk.command("user", CLAES)
    assert "Pas de responsable pour une fonction de collaborateur." in talk.sees()
    talk.taps("Lier à un responsable", "Peeters Jan · Cardiologie", "Aujourd'hui")
    assert "Responsable: Peeters Jan" in talk.sees()
    assert "Date de fin: Sans date de fin (proposé)" in talk.sees()
    talk.taps("Confirmer")
    assert talk.interactions == 4
    assert talk.requests == [LinkResponsible(CLAES, 1, PEETERS, PHYSICIANS, TODAY)]


def test_the_overview_counts_who_has_nobody_and_leads_there(talk: Talk) -> None:
    asking(talk)
    talk.command("functions")
    assert "1 collaborateur sans responsable" in talk.sees()
    talk.taps("Sans responsable")
    assert "lié à un médecin ou un pharmacien responsable pour : Colindos" in talk.sees()
    talk.taps("Claes Mieke", "Lier à un responsable")
    assert "Quel médecin ou pharmacien est responsable ?" in talk.sees()


def test_where_nothing_asks_for_a_link_nobody_is_said_to_lack_one(talk: Talk) -> None:
    assert "sans responsable" not in talk.command("functions").sees()
    assert "Pas de responsable" not in talk.command("user", CLAES).sees()
    assert "[➕ Lier à un responsable]" in talk.sees()


def test_an_application_that_asks_for_a_link_does_so_of_those_who_hold_it(talk: Talk) -> None:
    asking(talk, by="bvtc")
    assert "sans responsable" not in talk.command("functions").sees()
    assert "Pas de responsable" not in talk.command("user", CLAES).sees()


def test_a_function_that_asks_for_a_link_does_so_of_everybody(talk: Talk) -> None:
    asking(talk, by="")
    assert "Pas de responsable" in talk.command("user", CLAES).sees()
    assert "1 collaborateur sans responsable" in talk.command("functions").sees()
    talk.taps("Sans responsable")
    assert "Claes Mieke" in talk.sees()
    assert "application" not in talk.sees()


def test_only_those_who_can_answer_are_offered_and_taken(talk: Talk) -> None:
    talk.directory.add("Lenaerts", "Bob", profession="hospital-pharmacist")
    talk.command("lead", CLAES)
    assert "1 utilisateur trouvé" in talk.sees()
    talk.says("claes").taps("Claes Mieke")
    assert "Personne n'est son propre responsable" in talk.sees()
    talk.says("Lenaerts").taps("Lenaerts Bob")
    assert "n'a pas la profession" in talk.sees()


def test_from_the_responsibles_side_only_the_collaborator_is_asked(talk: Talk) -> None:
    talk.command("user", PEETERS).taps("Lier un collaborateur")
    assert "Quel collaborateur ?" in talk.sees()
    talk.says("lambert")
    talk.says("maes")
    assert "Personne ne correspond" in talk.sees()
    talk.says("claes").says("aujourd'hui").taps("Confirmer")
    assert talk.requests == [LinkResponsible(CLAES, 1, PEETERS, PHYSICIANS, TODAY)]


def test_who_is_no_collaborator_is_told_what_is_missing(talk: Talk) -> None:
    talk.command("lead").taps("Hôpitaux du Midi").says("jpeeters")
    assert "n'exerce aucune fonction de collaborateur" in talk.sees()


def test_a_day_without_the_function_or_with_the_link_already_is_refused_at_once(talk: Talk) -> None:
    card = talk.directory.cards[CLAES]
    later = Holding("function", PHYSICIANS, "pending", SOON)
    talk.directory.cards[CLAES] = replace(card, holdings=(later,))
    talk.command("lead", CLAES).says("Peeters").says("25-11-2026")
    assert "Ce jour-là, la fonction n'est pas exercée ; elle l'est dès le 03-12-2026" in talk.sees()
    linked(talk, starts_on=SOON, ends_on=SOON)
    talk.says("03-12-2026")
    assert "Ce lien existe déjà pendant cette période, dès le 03-12-2026" in talk.sees()


def test_both_sides_show_the_link_and_lead_to_its_end(talk: Talk) -> None:
    link = linked(talk)
    talk.command("functions", PEETERS)
    assert "Collaborateur : Claes Mieke, depuis le 12-03-2026 · Sans date de fin" in talk.sees()
    talk.command("functions", CLAES)
    assert "Responsable : Peeters Jan, depuis le 12-03-2026 · Sans date de fin" in talk.sees()
    talk.taps("Responsables et collaborateurs", "1 · Peeters Jan", "Maintenant", "Confirmer")
    assert talk.requests == [ChangeLink(CLAES, 1, link, None, now=True)]
    assert talk.directory.linked == {}


@pytest.mark.parametrize(
    ("said", "ends_on"), [("03-12-2026", SOON), ("Sans date de fin", None), ("Ce soir", TODAY)]
)
def test_the_end_of_a_link_moves_to_a_day_or_goes(talk: Talk, said: str, ends_on: date | None) -> None:
    link = linked(talk, ends_on=SOON + timedelta(days=1))
    talk.command("leadend", link).says(said).taps("Confirmer")
    assert talk.requests == [ChangeLink(CLAES, 1, link, ends_on)]


def test_an_end_that_changes_nothing_is_said(talk: Talk) -> None:
    talk.command("leadend", linked(talk, ends_on=SOON)).says("03-12-2026")
    assert "03-12-2026" in talk.sees().splitlines()[1]
    assert talk.requests == []


def test_without_a_button_the_collaborator_and_the_link_are_asked(talk: Talk) -> None:
    linked(talk, ends_on=SOON)
    second = linked(talk, starts_on=SOON + timedelta(days=1))
    talk.command("leadend").taps("Hôpitaux du Midi").says("jpeeters")
    assert "n'a pas de lien avec un responsable" in talk.sees()
    talk.says("claes").says("2").taps("Maintenant", "Confirmer")
    assert talk.requests == [ChangeLink(CLAES, 1, second, None, now=True)]


def test_a_long_list_of_collaborators_is_paged(talk: Talk) -> None:
    for number in range(8):
        held = Holding("function", PHYSICIANS, "active", TODAY)
        linked(talk, talk.directory.add("Wouters", f"An{number}", holdings=(held,)))
    talk.command("functions", PEETERS)
    assert "… et encore 5 liens" in talk.sees()
    talk.taps("Responsables et collaborateurs")
    assert "8 liens, en cours ou à venir" in talk.sees()
    talk.taps("›", "7 · Wouters An6")
    assert "Jusqu'à quand ?" in talk.sees()


def test_a_link_that_does_not_count_says_why(talk: Talk) -> None:
    asking(talk)
    linked(talk)
    card = talk.directory.cards[PEETERS]
    talk.directory.cards[PEETERS] = replace(card, ref=replace(card.ref, status="blocked"))
    talk.command("functions", CLAES)
    assert "ne compte pas pour l'instant" in talk.sees()
    assert "Pas de responsable pour une fonction de collaborateur." in talk.sees()


def test_somebody_out_of_scope_has_no_name_and_no_button(talk: Talk) -> None:
    linked(talk)
    talk.directory.unseen = frozenset({CLAES})
    talk.command("functions", PEETERS).taps("Responsables et collaborateurs")
    assert "Collaborateur : une personne que vous ne gérez pas" in talk.sees()
    assert "[📅" not in talk.sees()


@pytest.mark.parametrize("act", ["block", "delete"])
def test_who_loses_whom_is_said_before_a_responsible_is_blocked_or_deleted(talk: Talk, act: str) -> None:
    linked(talk)
    own = builtin()
    first = replace(own.applications[0], requires_responsible=True)
    talk.catalogue = Catalogue(own.qualities, own.functions, (first, *own.applications[1:]))
    talk.command("users", "midi").taps("Sélectionner", "Peeters Jan · Cardiologie")
    talk.taps({"block": "Bloquer", "delete": "Supprimer"}[act])
    if act == "delete":
        talk.says("Elle est partie")
    assert "Peeters Jan est responsable d'une personne : Claes Mieke." in talk.sees()
    assert "Sans responsable ensuite : Claes Mieke." in talk.sees()
    assert "Cela met en cause leur accès à : Colindos." in talk.sees()


def test_ending_all_that_a_responsible_holds_says_it_too(talk: Talk) -> None:
    linked(talk)
    talk.command("end", PEETERS)
    assert "Peeters Jan est responsable d'une personne : Claes Mieke." in talk.sees()
    talk.taps("Bloquer")
    assert "Sans responsable ensuite : Claes Mieke." in talk.sees()


def test_who_has_another_responsible_is_not_left_alone(talk: Talk) -> None:
    linked(talk)
    linked(talk, responsible=talk.directory.add("Aerts", "Ine", profession="specialist-physician"))
    talk.command("end", PEETERS)
    assert "Peeters Jan est responsable d'une personne : Claes Mieke." in talk.sees()
    assert "Sans responsable ensuite" not in talk.sees()


def test_on_the_portal_the_receipt_opens_the_checklist(talk: Talk) -> None:
    held = Holding("function", PHYSICIANS, "active", BEGUN)
    portal = talk.directory.places[2]
    talk.directory.add("Somers", "An", entity=portal, profession="specialist-physician")
    account = talk.directory.add("Dubois", "Léa", entity=portal, holdings=(held,))
    talk.command("lead", account).says("Somers", "aujourd'hui").taps("Confirmer")
    assert talk.button("Étapes sur le portail").action == Door("portal", "2026-000092")

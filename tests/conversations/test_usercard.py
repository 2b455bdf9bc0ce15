"""The card of a user and the change of one of its fields, as dialogues."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bot.access.requests import ChangeUser, Conflict, Refused
from bot.conversations.model import Forget
from bot.conversations.ports import Holding, Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, said, sample
from bot.msg import m

PEETERS, CLAES, LAMBERT = "a0001", "a0003", "a0004"
FUNCTION = "collaborator-specialist-physician"


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample(), settings=Settings(pages="https://access.example.org"))


def test_the_card_shows_every_field_and_tells_the_two_passwords_apart(talk: Talk) -> None:
    talk.directory.cards[PEETERS] = replace(
        talk.directory.cards[PEETERS],
        title="Dr.",
        language="nl",
        email="jan@example.org",
        local_email="c@example.org",
    )
    talk.command("user", PEETERS)
    for line in (
        "Nom: Peeters",
        "Prénom: Jan",
        "Titre: Dr.",
        "NISS: ••.••.••-•••.28",
        "Nom d'utilisateur: jpeeters",
        "Type: utilisateur physique",
        "Statut: actif",
        "Adresse e-mail locale: c@example.org",
        "Celui du portail se choisit et se change sur le portail",
        "Celui de l'assistant sert seulement à entrer ici",
    ):
        assert line in talk.sees()


def test_the_card_has_the_doors_of_what_one_may_do_and_no_others(talk: Talk) -> None:
    talk.command("user", PEETERS)
    assert "[✏ Modifier]" in talk.sees()
    assert "[➕ Donner un accès]" in talk.sees()
    talk.directory.acts = frozenset()
    talk.command("home").command("user", PEETERS)
    assert "Modifier" not in talk.sees()
    assert "Donner un accès" not in talk.sees()
    assert "[🕘 Historique]" in talk.sees()


def test_somebody_blocked_can_be_corrected_but_gets_nothing_from_his_card(talk: Talk) -> None:
    talk.command("user", LAMBERT)
    assert "Donner un accès" not in talk.sees()
    talk.taps("Modifier", "Titre").says("Dr.").taps("Confirmer")
    assert talk.requests == [ChangeUser(LAMBERT, 1, "title", "Dr.")]


def test_access_is_given_from_the_card_without_asking_for_whom(talk: Talk) -> None:
    talk.command("user", PEETERS).taps("Donner un accès")
    assert "Quelles applications ?" in talk.sees()


def test_text_on_the_card_looks_for_somebody_else(talk: Talk) -> None:
    talk.command("user", PEETERS).says("mieke")
    assert "Nom d'utilisateur: mclaes01" in talk.sees()
    talk.says("Peeters")
    assert "2 utilisateurs trouvés" in talk.sees()
    talk.taps("Peeters Jan · Pharmacie")
    assert "Nom d'utilisateur: janpeete" in talk.sees()
    talk.says("Qqqqqq")
    assert "Personne ne correspond" in talk.sees()
    talk.says("79082399728")
    assert Forget() in talk.replies[-1].effects
    assert "Nom d'utilisateur: jpeeters" in talk.sees()


def test_a_field_is_changed_from_the_card_in_four_interactions(talk: Talk) -> None:
    talk.command("user", PEETERS).taps("Modifier", "Adresse e-mail").says("jan@example.org")
    assert "Adresse e-mail: Aucune → jan@example.org" in talk.sees()
    talk.taps("Confirmer")
    assert talk.interactions == 4
    assert talk.requests == [ChangeUser(PEETERS, 1, "email", "jan@example.org")]
    talk.taps("Fiche complète")
    assert "Adresse e-mail: jan@example.org" in talk.sees()
    talk.taps("Historique")
    assert (
        "2026-000001</b> · le 24-11-2026 à 10:00, par Delcourt Anne : Adresse e-mail (données modifiées)"
        in talk.sees()
    )


def test_the_present_value_stands_above_the_question_and_is_no_answer(talk: Talk) -> None:
    talk.command("edit", CLAES).taps("Nom")
    assert "Actuellement : Claes" in talk.sees()
    talk.says("Claes")
    assert "C'est déjà ce qui est enregistré" in talk.sees()


def test_a_taken_user_name_is_refused_with_free_ones_to_tap(talk: Talk) -> None:
    talk.command("edit", PEETERS).says("Nom d'utilisateur").says("mclaes01")
    assert "Ce nom d'utilisateur existe déjà. Essayez par exemple japeeter." in talk.sees()
    assert "[japeeter]" in talk.sees()
    assert "[janpeete]" not in talk.sees(), "taken"
    talk.taps("japeeter", "Confirmer")
    assert talk.requests == [ChangeUser(PEETERS, 1, "username", "japeeter")]


def test_an_unusual_user_name_is_taken_with_a_word_of_caution(talk: Talk) -> None:
    talk.command("edit", PEETERS).says("Nom d'utilisateur", "Jan.Peeters")
    assert "Le portail pourrait refuser" in talk.sees()
    assert "jpeeters → jan.peeters" in talk.sees()


def test_what_another_manager_did_meanwhile_is_shown_and_decided_on_again(talk: Talk) -> None:
    talk.command("edit", PEETERS).says("Titre", "Dr.")
    told = (m("act.changed.field", what=m("field.title"), number="2026-000007"),)
    talk.directory.conflict = Conflict(told, 5)
    talk.taps("Confirmer")
    assert "Titre : modifié entre-temps (n° 2026-000007)." in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests[-1] == ChangeUser(PEETERS, 5, "title", "Dr.")


def test_a_user_of_a_portal_entity_is_noted_for_the_portal(talk: Talk) -> None:
    account = talk.directory.add("Wuyts", "Eva", entity=talk.directory.places[2])
    talk.command("edit", account).says("Titre", "Dr.").taps("Confirmer")
    assert talk.receipts[-1].rows[0][0].mark == "☑"


# -- another profession ---------------------------------------------------------------------------


def test_a_new_profession_says_which_function_is_lost_and_ends_it_only_then(talk: Talk) -> None:
    card = talk.directory.cards[CLAES]
    function = Holding("function", FUNCTION, "active", card.holdings[0].starts_on)
    talk.directory.cards[CLAES] = replace(card, holdings=(*card.holdings, function))
    talk.command("edit", CLAES).says("Profession", "Médecin")

    assert "Ceci ne peut pas rester : Collaborateur médecin-spécialiste." in talk.sees()
    talk.taps("Oui, tout prend fin")
    assert "Collaborateur → Médecin(-spécialiste)" in talk.sees()
    assert "⚠ Cette personne perd : Collaborateur médecin-spécialiste." in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ChangeUser(CLAES, 1, "profession", "specialist-physician", ends=True)]


def test_what_a_collaborator_needs_a_function_for_can_stay_with_one(talk: Talk) -> None:
    card = talk.directory.cards[PEETERS]
    talk.directory.cards[PEETERS] = replace(card, holdings=talk.directory.cards[CLAES].holdings)
    talk.command("edit", PEETERS).says("Profession")

    assert "Colindos : un collaborateur doit exercer une de ces fonctions" in talk.sees().replace(
        "</b>", ""
    ).replace("<b>", "")
    talk.taps("Collaborateur")
    assert "Un collaborateur n'y a droit qu'avec une fonction : Colindos." in talk.sees()
    talk.taps("Collaborateur pharmacien")
    assert (
        "Collaborateur pharmacien hospitalier, dès aujourd'hui. Permet de garder : Colindos." in talk.sees()
    )
    talk.taps("Confirmer")
    pharmacists = "collaborator-hospital-pharmacist"
    assert talk.requests == [ChangeUser(PEETERS, 1, "profession", "collaborator", function=pharmacists)]
    assert "devrait être actif au plus tard à 10:20" in said(talk.receipts[-1], "fr")


def test_or_it_ends(talk: Talk) -> None:
    card = talk.directory.cards[PEETERS]
    talk.directory.cards[PEETERS] = replace(card, holdings=talk.directory.cards[CLAES].holdings)
    talk.command("edit", PEETERS).says("Profession").taps("Collaborateur", "Oui, tout prend fin")

    assert "⚠ Cette personne perd : Colindos." in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ChangeUser(PEETERS, 1, "profession", "collaborator", ends=True)]


def test_a_profession_that_takes_nothing_asks_nothing(talk: Talk) -> None:
    talk.command("edit", PEETERS).says("Profession").taps("Pharmacien hospitalier", "Confirmer")

    assert talk.requests == [ChangeUser(PEETERS, 1, "profession", "hospital-pharmacist")]


def test_who_may_not_end_functions_is_told_before_and_not_after(talk: Talk) -> None:
    card = talk.directory.cards[CLAES]
    function = Holding("function", FUNCTION, "active", card.holdings[0].starts_on)
    talk.directory.cards[CLAES] = replace(card, holdings=(*card.holdings, function))
    talk.directory.acts -= {"end_function"}
    talk.command("edit", CLAES).says("Profession", "Médecin")

    assert "a encore une fonction de collaborateur" in talk.sees()


def test_a_national_number_is_corrected_and_the_recap_shows_two_digits_of_each(talk: Talk) -> None:
    talk.command("edit", PEETERS).says("NISS")
    assert "Actuellement : ••.••.••-•••.28" in talk.sees()
    assert any(button.mark == "🔒" for button in talk.view.buttons())
    talk.says("01.09.22-997.09")
    assert Forget() in talk.replies[-1].effects
    assert "⚠" in talk.sees()
    talk.says("01.09.22-997.08")
    assert Forget() in talk.replies[-1].effects
    assert "Pourquoi le NISS change-t-il ?" in talk.sees()
    talk.taps("Le NISS enregistré était faux")
    assert "NISS: ••.••.••-•••.28 → ••.••.••-•••.08" in talk.sees()
    assert "01092299708" not in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ChangeUser(PEETERS, 1, "niss", "01092299708")]
    talk.taps("Fiche complète")
    assert "NISS: ••.••.••-•••.08" in talk.sees()


def test_a_first_number_is_asked_no_reason_and_a_second_may_stay_the_persons_own(talk: Talk) -> None:
    talk.command("edit", LAMBERT).says("NISS", "01092299708")
    assert "NISS: Aucun → ••.••.••-•••.08" in talk.sees()
    talk.taps("Confirmer")
    talk.command("edit", PEETERS).says("NISS", "04061999842").taps("La personne a un nouveau", "Confirmer")
    assert talk.requests[-1] == ChangeUser(PEETERS, 1, "niss", "04061999842", was_own=True)


def test_the_number_of_another_user_is_refused_with_his_card_and_the_own_one_is_no_answer(talk: Talk) -> None:
    talk.command("edit", LAMBERT).says("NISS", "79082399728")
    assert "Peeters Jan a déjà un compte dans cette qualité" in talk.sees()
    assert "[👤 Fiche complète]" in talk.sees()
    own = Talk(ENGINE, sample()).command("edit", PEETERS).says("NISS", "79082399728")
    assert "C'est déjà ce qui est enregistré" in own.sees()


def test_a_number_that_is_known_elsewhere_is_refused_in_words_that_tell_nothing(talk: Talk) -> None:
    talk.directory.refusal = Refused(m("act.number.refused"), "niss")
    talk.command("edit", LAMBERT).says("NISS", "01092299708").taps("Confirmer")
    assert "ne peut pas être enregistré ici pour cette personne" in talk.sees()
    assert "Quel NISS ?" in talk.sees()


def test_a_program_has_no_number_to_correct(talk: Talk) -> None:
    talk.directory.cards[PEETERS] = replace(talk.directory.cards[PEETERS], type="technical")
    talk.command("edit", PEETERS)
    assert "NISS" not in talk.sees()


def test_a_program_is_offered_no_invitation_and_no_password_of_its_own(talk: Talk) -> None:
    assert "[✉ " in talk.command("user", PEETERS).sees()
    talk.directory.cards[PEETERS] = replace(talk.directory.cards[PEETERS], type="technical")
    talk.command("home").command("user", PEETERS)
    assert "[✉ " not in talk.sees()
    assert "mots de passe" not in talk.sees()


def test_an_empty_field_agrees_with_its_name(talk: Talk) -> None:
    talk.command("edit", LAMBERT)
    assert "Adresse e-mail locale : Aucune" in talk.sees()
    assert "Titre : Aucun\n" in talk.sees()

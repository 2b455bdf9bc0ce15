"""The managers of an entity: listed, appointed, replaced, ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from bot.access.offices import OFFICES
from bot.access.requests import AppointManager, EndMandate, Refused
from bot.conversations.ports import Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, MIDI, PORTAL, MemoryDirectory, Talk, said, sample
from bot.msg import m

TODAY = date(2026, 11, 24)
ACTS = frozenset(office.act.value for office in OFFICES.values())


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.acts |= {"list_users", *ACTS}
    directory.places = (MIDI, PORTAL)
    directory.add("Goossens", "An", username="goossena", email="an.goossens@example.org")
    directory.add("Dubois", "Zoé", username="zdubois1", entity=PORTAL)
    directory.with_managers("midi", "a0006")
    directory.with_managers("quai", "a0007")
    return Talk(ENGINE, directory)


def test_the_list_says_who_manages_what_and_since_when(talk: Talk) -> None:
    talk.command("managers").says("1")
    assert "7 gestionnaires, avec leurs dates" in talk.sees()
    assert (
        "3. Goossens An : gestionnaire local (Prestataire de soins : hôpital), depuis le 01-01-2020"
        in talk.sees()
    )
    talk.taps("›")
    assert "7. Goossens An : auditeur" in talk.sees()


def test_a_local_manager_is_appointed_in_four_interactions(talk: Talk) -> None:
    talk.command("appoint").says("1", "Gestionnaire local", "Claes").taps("Confirmer")
    print(f"appointing a local manager takes {talk.interactions} interactions")
    assert talk.interactions == 4
    assert talk.requests == [AppointManager("local", "midi", "a0003", TODAY, quality="midi-h")]
    receipt = said(talk.receipts[-1], "fr")
    assert "Désignation enregistrée sous le n° 2026-000090 : Gestionnaire local." in receipt
    assert "A" * 22 in receipt
    assert talk.receipts[-1].fades, "the code does not stay in the chat"


def test_the_recap_shows_what_nobody_asked(talk: Talk) -> None:
    talk.command("appoint").says("1", "Auditeur", "Claes")
    assert "Date de début: 24-11-2026 (proposé)" in talk.sees()
    assert "Date de fin: Sans date de fin (proposé)" in talk.sees()
    talk.taps("Modifier", "Date de fin").says("31-12-2026").taps("Confirmer")
    assert talk.requests == [AppointManager("auditor", "midi", "a0003", TODAY, date(2026, 12, 31))]


def test_an_invitation_goes_by_mail_where_there_is_an_address(talk: Talk) -> None:
    talk.settings = Settings(mails=True)
    talk.command("appoint").says("1", "Gestionnaire de groupe", "Goossens").taps("Confirmer")
    assert talk.requests[-1].mail
    assert "L'invitation part par e-mail" in said(talk.receipts[-1], "fr")


def test_a_subdivision_manager_is_asked_for_the_subdivision(talk: Talk) -> None:
    talk.command("appoint").says("1", "Gestionnaire de subdivision")
    assert "Pour quelle subdivision ?" in talk.sees()
    talk.says("Cardiologie", "Claes").taps("Confirmer")
    assert (talk.requests[-1].quality, talk.requests[-1].subdivision) == ("midi-h", "s1")


def test_the_successor_of_a_responsible_comes_from_among_the_managers(talk: Talk) -> None:
    talk.command("managers").says("1").taps("1 ·", "Remplacer")
    assert "Qui devient responsable ?" in talk.sees()
    talk.taps("Goossens An")
    assert "À la place de: Goossens An" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [AppointManager("responsible", "midi", "a0006", TODAY, replaces="midi-respons")]


def test_of_all_other_offices_the_new_one_stands_beside_the_old_unless_told_otherwise(talk: Talk) -> None:
    talk.command("appoint").says("1", "Gestionnaire de groupe", "Claes")
    assert "À la place de: Personne, un mandat en plus (proposé)" in talk.sees()
    talk.taps("Modifier", "À la place de", "Goossens An", "Confirmer")
    assert talk.requests[-1].replaces == "midi-group"


def test_nobody_appoints_himself(talk: Talk) -> None:
    talk.directory.own = ("a0003",)
    talk.command("appoint").says("1", "Auditeur", "Claes")
    assert "Qui désignez-vous ?" in talk.sees()
    assert "⚠" in talk.sees()


def test_a_mandate_is_ended_now_or_on_a_day(talk: Talk) -> None:
    talk.command("managers").says("1").taps("3 ·", "Mettre fin", "Maintenant", "Confirmer")
    assert talk.requests == [EndMandate("midi-local", "local", "midi")]
    assert "À partir de maintenant" in said(talk.receipts[-1], "fr")
    talk.command("unseat", "midi-group").says("31.12.2026").taps("Confirmer")
    assert talk.requests[-1] == EndMandate("midi-group", "group", "midi", date(2026, 12, 31))
    assert "Le mandat court jusqu'au 31-12-2026 compris" in said(talk.receipts[-1], "fr")


def test_the_last_responsible_is_not_ended_and_the_card_says_what_to_do(talk: Talk) -> None:
    talk.directory.refusal = Refused(m("act.manager.last"))
    talk.command("unseat", "midi-respons").says("maintenant").taps("Confirmer")
    assert "Désignez d'abord qui lui succède, par « Remplacer »" in talk.sees()


def test_who_is_deleted_keeps_his_mandate_and_that_is_said_before_and_after_with_a_door(talk: Talk) -> None:
    del talk.directory.mandates["midi-group"]
    talk.directory.with_managers("midi", "a0006")
    talk.directory.mandates = {
        key: each for key, each in talk.directory.mandates.items() if key in {"midi-group", "quai-group"}
    }
    talk.command("users").says("1").taps("Sélectionner", "Goossens An", "Claes Mieke", "Supprimer")
    talk.says("Parti")
    kept = "Goossens An garde son mandat : gestionnaire de groupe (Prestataire de soins : hôpital)."
    assert kept in talk.sees()
    talk.taps("Confirmer")
    assert kept in said(talk.receipts[-1], "fr")
    talk.taps("Mettre fin à un mandat", "Maintenant", "Confirmer")
    assert talk.requests[-1] == EndMandate("midi-group", "group", "midi")


def test_of_several_who_are_blocked_it_is_said_how_many_manage_and_who(talk: Talk) -> None:
    co = replace(talk.directory.mandates["midi-group"], id="co", account="a0003", name="Claes Mieke")
    talk.directory.mandates["co"] = co
    talk.command("users").says("1").taps("Sélectionner", "Goossens An", "Claes Mieke", "Bloquer")
    assert "2 de ces personnes gardent un mandat" in talk.sees()
    assert "Claes Mieke : gestionnaire de groupe (Prestataire de soins : hôpital)." in talk.sees()
    talk.taps("Confirmer")
    assert "2 de ces personnes gardent un mandat" in said(talk.receipts[-1], "fr")
    assert any(button.label == m("managers.title") for button in talk.receipts[-1].buttons())


def test_an_account_left_with_nothing_and_blocked_keeps_the_mandate_too(talk: Talk) -> None:
    only = talk.directory.mandates["midi-group"]
    talk.directory.mandates = {"midi-group": replace(only, account="a0002", name="Peeters Jan")}
    talk.command("end").says("1").says("Peeters Jan Pharmacie").taps("Maintenant")
    assert "Peeters Jan garde son mandat" in talk.sees()
    talk.taps("Bloquer")
    assert "Peeters Jan garde son mandat" in talk.sees()
    talk.taps("Confirmer")
    assert "Peeters Jan garde son mandat" in said(talk.receipts[-1], "fr")


def test_nobody_is_offered_the_end_of_a_mandate_that_is_not_his_to_end(talk: Talk) -> None:
    only = talk.directory.mandates["midi-group"]
    talk.directory.mandates = {"midi-group": replace(only, changeable=False)}
    talk.command("users").says("1").taps("Sélectionner", "Goossens An", "Bloquer", "Confirmer")
    assert "garde son mandat" in said(talk.receipts[-1], "fr")
    assert all(button.label != m("unseat.title") for button in talk.receipts[-1].buttons())


@pytest.mark.parametrize(
    ("office", "where"),
    [("Co-responsable", "dans CSAM"), ("Gestionnaire local", "dans CSAM"), ("Auditeur", "")],
)
def test_on_an_entity_of_the_portal_the_receipt_says_where_it_is_still_to_do(
    talk: Talk, office: str, where: str
) -> None:
    talk.command("appoint").says("2", office, "Dubois").taps("Confirmer")
    receipt = said(talk.receipts[-1], "fr")
    assert ("Encore à faire" in receipt) == bool(where)
    assert where in receipt


def on_the_new_portal(talk: Talk) -> None:
    place = talk.directory.places[1]
    talk.directory.places = (talk.directory.places[0], replace(place, portal="new"))


def test_group_managers_are_for_the_new_portal_whose_words_are_groups(talk: Talk) -> None:
    talk.command("appoint").says("2")
    assert "Gestionnaire de groupe" not in talk.sees(), "the old one has none"
    assert "gère les utilisateurs d'une qualité" in talk.sees()
    on_the_new_portal(talk)
    talk.command("appoint").taps("Recommencer").says("2")
    assert "gère les utilisateurs d'un groupe, sans les fonctions" in talk.sees()
    assert "qualité" not in talk.sees()
    talk.says("Gestionnaire de groupe", "Dubois").taps("Confirmer")
    assert "Encore à faire sur le portail" in said(talk.receipts[-1], "fr")


def test_the_act_is_confirmed_on_a_private_page(talk: Talk) -> None:
    talk.settings = Settings(pages="https://access.example.org")
    talk.command("appoint").says("1", "Auditeur", "Claes")
    assert "[🔐" in talk.sees()
    assert "[✔ Confirmer]" not in talk.sees()


def test_whoever_may_appoint_nobody_sees_the_list_and_is_offered_nothing() -> None:
    directory = MemoryDirectory(places=(AUBE,))
    directory.with_managers("aube")
    directory.mandates = {key: each for key, each in directory.mandates.items() if not each.changeable}
    talk = Talk(ENGINE, directory)
    talk.command("managers")
    assert "Nouveau gestionnaire" not in talk.sees()
    talk.command("appoint")
    assert "Votre rôle ne permet de désigner personne" in talk.sees()
    assert "Gestionnaires" not in Talk(ENGINE, directory).command("home").sees()


def test_the_question_for_the_entity_is_the_first_of_one_and_leads_back_to_nothing(talk: Talk) -> None:
    for command in ("managers", "certificates"):
        fresh = Talk(ENGINE, talk.directory).command(command)
        assert fresh.view
        assert fresh.view.step == (1, 1)
        assert "Précédent" not in fresh.sees()

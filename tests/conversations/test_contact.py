"""The contact form in chat, the state of one's messages, and where structured messages went."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bot.access.requests import SendMessage
from bot.conversations.model import Forget, Link
from bot.conversations.ports import Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import MIDI, Talk, said, sample


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.cards["a0001"] = replace(directory.cards["a0001"], email="jan@example.org")
    directory.own = ("a0001",)
    return Talk(ENGINE, directory, settings=Settings(desk=True))


def test_a_message_takes_four_interactions_and_its_state_is_shown(talk: Talk) -> None:
    talk.command("help").taps("Formulaire de contact")
    talk.interactions = 0
    talk.taps("Un accès ou une fonction", "Hôpitaux du Midi").says("La date est fausse.").taps("Confirmer")
    assert talk.requests == [SendMessage("access", "midi", "La date est fausse.", "fr")]
    assert talk.interactions == 4
    talk.taps("Où en est mon message")
    assert "⏳ 730025 · Un accès ou une fonction : en attente d'envoi (24-11-2026, 10:00)" in talk.sees()


def test_a_failed_message_is_offered_to_be_written_again(talk: Talk) -> None:
    talk.directory.perform(SendMessage("other", "midi", "x", "fr"), talk.now)
    talk.directory.written = (replace(talk.directory.written[0], state="failed"),)
    talk.command("messages")
    assert "⚠ 730025 · Autre chose : pas arrivé" in talk.sees()
    talk.taps("Formulaire de contact")
    assert "À quel sujet" in talk.sees()


def test_a_national_number_in_the_text_is_refused_and_deleted(talk: Talk) -> None:
    talk.command("contact").taps("Le portail", "Hôpitaux du Midi")
    talk.says("C'est 79.08.23-997.28")
    assert Forget() in talk.replies[-1].effects
    assert "⚠ Ce message contient un NISS" in talk.sees()
    assert talk.requests == []


def test_who_is_known_to_one_entity_only_is_not_asked_for_it(talk: Talk) -> None:
    talk.directory.places = (MIDI,)
    talk.command("contact").taps("Le portail")
    assert "Votre message" in talk.sees()


def test_a_user_without_a_mandate_writes_about_the_entity_of_his_account(talk: Talk) -> None:
    talk.directory.places, talk.directory.own = (), ("a0001",)
    talk.command("contact").taps("Autre chose").says("Bonjour").taps("Confirmer")
    assert talk.requests == [SendMessage("other", "midi", "Bonjour", "fr")]


def test_the_answer_is_promised_by_mail_only_to_a_known_address(talk: Talk) -> None:
    talk.command("contact").taps("Autre chose", "Hôpitaux du Midi").says("Bonjour").taps("Confirmer")
    assert "La réponse viendra par e-mail." in said(talk.receipts[-1], "fr")


def test_where_no_address_is_known_one_is_asked_for_this_message(talk: Talk) -> None:
    talk.command("contact").taps("Autre chose", "Clinique Sainte-Aube")
    assert "Sans adresse, la réponse ne peut pas venir par e-mail." in talk.sees()
    assert "Mes données" not in talk.sees()  # he is no user there
    talk.says("anne@").says("anne@Example.org", "Bonjour")
    assert "Réponse à: anne@example.org" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [SendMessage("other", "aube", "Bonjour", "fr", "anne@example.org")]
    assert "La réponse viendra à l'adresse e-mail que vous avez donnée." in said(talk.receipts[-1], "fr")


def test_without_any_address_no_answer_by_mail_is_promised(talk: Talk) -> None:
    talk.command("contact").taps("Autre chose", "Clinique Sainte-Aube", "Sans adresse e-mail")
    talk.says("Bonjour").taps("Confirmer")
    assert talk.requests == [SendMessage("other", "aube", "Bonjour", "fr")]
    receipt = said(talk.receipts[-1], "fr")
    assert "Sans adresse e-mail connue, aucune réponse ne peut venir par e-mail" in receipt
    assert "La réponse viendra" not in receipt


def test_a_user_is_shown_where_to_enter_his_address_for_good(talk: Talk) -> None:
    talk.settings = Settings(desk=True, pages="https://access.example.org")
    talk.directory.cards["a0001"] = replace(talk.directory.cards["a0001"], email="")
    talk.command("contact").taps("Autre chose", "Hôpitaux du Midi", "Mes données")
    assert "Que voulez-vous modifier ?" in talk.sees()
    assert "[Reprendre : Formulaire de contact]" in talk.sees()


def test_without_a_help_desk_none_is_offered_and_a_stranger_is_offered_nothing(talk: Talk) -> None:
    talk.settings = Settings()
    assert "Formulaire de contact" not in talk.command("help").sees()
    stranger = Talk(ENGINE, sample(), actor=None, settings=Settings(desk=True)).command("help")
    assert "Formulaire de contact" not in stranger.sees()
    assert "structurés" not in stranger.sees()


def test_structured_messages_are_said_to_be_in_chaman(talk: Talk) -> None:
    talk.command("help").taps("Messages structurés")
    assert "Chaman" in talk.sees()
    assert isinstance(talk.button("Ouvrir le portail").action, Link)

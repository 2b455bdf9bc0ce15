"""One's own data in chat: what is seen, what is changed, and what is left to the manager."""

from __future__ import annotations

import pytest
from bot.access.requests import ChangeOwn
from bot.conversations.ports import Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, PORTAL, Talk, sample


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.own = ("a0001",)
    return Talk(ENGINE, directory, settings=Settings(pages="https://access.example.org"))


def test_ones_data_are_shown_and_what_is_the_managers_is_said(talk: Talk) -> None:
    talk.command("me").taps("Mes données")
    for line in (
        "Personne : Peeters Jan",
        "Nom d'utilisateur : jpeeters",
        "NISS : ••.••.••-•••.28",
        "Adresse e-mail : Aucun",
        "Seul votre gestionnaire d'accès peut modifier le nom",
    ):
        assert line in talk.sees()


def test_an_address_is_confirmed_by_a_proof(talk: Talk) -> None:
    talk.command("mydata").taps("Adresse e-mail").says("jan@example.org")
    assert "Nouvelle valeur: jan@example.org" in talk.sees()
    assert "[🔐 Confirmer" in talk.sees()
    assert talk.requests == []


def test_the_language_is_changed_with_three_taps(talk: Talk) -> None:
    talk.command("mydata").taps("Choix linguistique", "Deutsch", "Confirmer")
    assert talk.requests == [ChangeOwn("a0001", "language", "de")]
    assert talk.interactions == 3
    assert [msg.key for msg in talk.receipts[-1].body] == ["mydata.done"]
    assert talk.directory.cards["a0001"].language == "de"


def test_the_same_address_and_a_wrong_one_are_refused_with_a_sentence(talk: Talk) -> None:
    talk.directory.perform(ChangeOwn("a0001", "email", "jan@example.org"), talk.now)
    talk.command("mydata").taps("Adresse e-mail").says("jan@EXAMPLE.org")
    assert "⚠ C'est déjà ce qui est enregistré" in talk.sees()
    talk.says("jan")
    assert "⚠" in talk.sees()
    assert talk.requests == []


def test_whom_several_entities_know_is_asked_which_and_a_portal_is_pointed_at(talk: Talk) -> None:
    here = talk.directory.add("Peeters", "Jan", entity=PORTAL, username="jpeeter2")
    again = talk.directory.add("Peeters", "Jan", entity=PORTAL, username="jpeeter3")
    blocked = talk.directory.add("Peeters", "Jan", entity=AUBE, username="jpeeter4", status="blocked")
    talk.directory.own = ("a0001", here, again, blocked)
    talk.command("mydata")
    assert "Sainte-Aube" not in talk.sees()
    talk.taps("Hôpital du Quai", "Choix linguistique", "Deutsch", "Confirmer")
    assert talk.requests == [ChangeOwn(here, "language", "de")]
    assert [msg.key for msg in talk.receipts[-1].body] == ["mydata.done", "mydata.portal"]


def test_without_private_pages_an_address_is_not_offered(talk: Talk) -> None:
    talk.settings = Settings()
    talk.command("mydata")
    assert "Adresse e-mail" not in talk.sees()
    assert "[Choix linguistique]" in talk.sees()


def test_a_manager_who_is_no_user_anywhere_sees_what_is_known_of_him_and_is_asked_nothing(talk: Talk) -> None:
    talk.directory.own = ()
    talk.command("me").taps("Mes données")
    for line in (
        "Voici ce que l'assistant sait de vous.",
        "Personne : Anne Delcourt",
        "Hôpitaux du Midi · 710999-11 · vous y êtes co-responsable",
        "Langue de l'assistant : Français",
        "Aucune entité ne vous connaît comme utilisateur",
        "[🗂 Mes données enregistrées]",
    ):
        assert line in talk.sees()
    assert "Pour quelle entité" not in talk.sees()
    talk.says("Hôpitaux du Midi")
    assert "⚠ Ici, touchez un des boutons" in talk.sees()


def test_whose_account_is_blocked_is_not_told_that_he_is_unknown(talk: Talk) -> None:
    talk.directory.own = ("a0004",)
    talk.command("mydata")
    assert "est bloqué" in talk.sees()
    assert "Aucune entité" not in talk.sees()


def test_who_neither_manages_nor_uses_anything_has_no_data_to_look_at(talk: Talk) -> None:
    talk.directory.own, talk.directory.places = (), ()
    talk.command("me")
    assert "Mes données" not in talk.sees().replace("Mes données enregistrées", "")


def test_the_way_to_the_password_is_the_private_page(talk: Talk) -> None:
    talk.command("me")
    assert talk.button("Mon mot de passe").action.url == "https://access.example.org/app/me"

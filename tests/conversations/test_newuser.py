"""A new user without access, as a dialogue."""

from __future__ import annotations

import pytest
from bot.access.requests import CreateUser, NewUser, Refused
from bot.conversations.model import Forget
from bot.conversations.ports import Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, sample
from bot.msg import m


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample(), settings=Settings(pages="https://access.example.org", mails=True))


def test_a_user_is_made_in_six_interactions(talk: Talk) -> None:
    talk.directory.mails = True
    talk.command("newuser").taps("Hôpitaux").says(
        "01.09.22-997.08", "Vermeulen", "Tom", "tom.vermeulen@example.org"
    )
    assert "Nom d'utilisateur: tvermeul (proposé)" in talk.sees()
    assert "NISS: ••.••.••-•••.08" in talk.sees()
    assert "01092299708" not in talk.sees()
    talk.taps("Confirmer")
    assert talk.interactions == 6
    user = NewUser("Vermeulen", "Tom", "tom.vermeulen@example.org", "tvermeul", "fr", niss="01092299708")
    assert talk.requests == [CreateUser("midi-h", user)]
    assert Forget() in [effect for reply in talk.replies for effect in reply.effects]
    receipt = [talk.context.reader.label(line) for line in talk.receipts[-1].body]
    assert "aucun accès" in receipt[0]
    assert receipt[1] == "Tom reçoit un lien pour choisir son mot de passe."
    assert "deux mots de passe" in receipt[2]
    talk.taps("Donner un accès")
    assert "Quelles applications" in talk.sees()


def test_somebody_without_a_belgian_number_gets_an_account_too(talk: Talk) -> None:
    talk.command("newuser").taps("Hôpitaux", "Sans NISS").says("Ivanova", "Anna", "anna@example.org")
    assert "NISS: Sans NISS" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests[0].user.niss is None


def test_whoever_is_a_user_already_is_shown_instead(talk: Talk) -> None:
    talk.command("newuser").taps("Hôpitaux").says("79082399728")
    assert "Peeters Jan a déjà un compte" in talk.sees()
    talk.taps("Fiche complète")
    assert "Nom d'utilisateur: jpeeters" in talk.sees()
    talk.taps("Reprendre")
    assert "Son NISS ?" in talk.sees()


def test_a_technical_user_is_asked_for_nothing_that_only_humans_have(talk: Talk) -> None:
    talk.command("newuser").taps("Hôpitaux", "Sans NISS").says("Batch", "Robot", "batch@example.org")
    talk.taps("Modifier", "Type", "utilisateur technique")
    assert "Prénom" not in talk.sees()
    assert "NISS" not in talk.sees()
    talk.taps("Confirmer")
    user = talk.requests[0].user
    assert (user.type, user.first_name, user.niss) == ("technical", "", None)


def test_another_user_name_is_chosen_from_free_ones_or_typed(talk: Talk) -> None:
    talk.directory.taken.add("tvermeul")
    talk.command("newuser").taps("Hôpitaux", "Sans NISS").says("Vermeulen", "Tom", "tom@example.org")
    assert "Nom d'utilisateur: tovermeu (proposé)" in talk.sees()
    talk.taps("Modifier", "Nom d'utilisateur")
    assert "unique sur tout le portail" in talk.sees()
    talk.taps("tomverme", "Confirmer")
    assert talk.requests[0].user.username == "tomverme"


def test_a_name_taken_at_the_last_moment_is_asked_again(talk: Talk) -> None:
    talk.command("newuser").taps("Hôpitaux", "Sans NISS").says("Vermeulen", "Tom", "tom@example.org")
    talk.directory.refusal = Refused(m("act.username_taken"), "username")
    talk.taps("Confirmer")
    assert "vient d'être pris" in talk.sees()
    assert "Quel nom d'utilisateur ?" in talk.sees()


def test_a_profession_is_declared_where_somebody_wants_to(talk: Talk) -> None:
    talk.command("newuser").taps("Hôpitaux", "Sans NISS").says("Vermeulen", "Tom", "tom@example.org")
    assert "Profession déclarée: Pas encore déclarée (proposé)" in talk.sees()
    talk.taps("Modifier", "Profession", "Pharmacien", "Confirmer")
    assert talk.requests[0].profession == "hospital-pharmacist"


def test_who_may_create_nobody_is_not_offered_to(talk: Talk) -> None:
    talk.command("user")
    assert "Nouvel utilisateur" in talk.sees()
    talk.directory.acts = frozenset()
    talk.command("home").command("user")
    assert "Nouvel utilisateur" not in talk.sees()

"""The words after a command: one person is taken, several are offered as if the name had been typed at the person step."""

from __future__ import annotations

import pytest
from bot.conversations.model import Forget, State
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, Talk, sample

PEETERS = "a0001"
BY_PERSON = pytest.mark.parametrize("command", ["end", "change", "edit", "grant"])
"""The dialogues with a step *person*."""
TO_READ = pytest.mark.parametrize("command", ["user", "functions"])
"""The pages about a person."""


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample())


@BY_PERSON
def test_the_one_who_is_meant_is_chosen(talk: Talk, command: str) -> None:
    talk.command(command, "Peeters Jan Pharmacie")
    assert talk.state.top.answers["person"]["account"] == "a0002"


@BY_PERSON
def test_of_several_one_is_chosen_as_if_the_name_had_been_typed_there(talk: Talk, command: str) -> None:
    talk.command(command, "Peeters")
    typed = Talk(ENGINE, sample()).command(command).taps("Hôpitaux du Midi").says("Peeters")
    assert talk.sees() == typed.sees()
    assert "2 utilisateurs trouvés" in talk.sees()
    talk.taps("Peeters Jan · Pharmacie")
    assert talk.state.top.answers["person"]["account"] == "a0002"


@BY_PERSON
def test_where_the_name_is_borne_in_two_entities_the_entity_is_asked_first(talk: Talk, command: str) -> None:
    talk.directory.add("Peeters", "Rik", entity=AUBE, username="rpeeters")
    talk.directory.add("Peeters", "Lea", entity=AUBE, username="lpeeters")
    talk.command(command, "Peeters")
    assert "Pour quelle entité ?" in talk.sees()
    talk.state = State.from_json(talk.state.to_json())  # the words outlive a restart
    talk.taps("Clinique Sainte-Aube")
    assert "2 utilisateurs trouvés" in talk.sees()
    assert "[Peeters Rik" in talk.sees()
    assert "Jan" not in talk.sees()


@BY_PERSON
def test_where_one_bears_it_in_the_entity_that_is_chosen_it_is_him_and_back_asks_again(
    talk: Talk, command: str
) -> None:
    rik = talk.directory.add("Peeters", "Rik", entity=AUBE, username="rpeeters")
    talk.command(command, "Peeters").taps("Clinique Sainte-Aube")
    assert talk.state.top.answers["person"]["account"] == rik
    talk.taps("Précédent")
    assert "[✔ Peeters Rik" in talk.sees()


@BY_PERSON
def test_a_typing_error_is_answered_with_those_who_may_be_meant(talk: Talk, command: str) -> None:
    talk.command(command, "Peetesr")
    assert "[Peeters Jan · Pharmacie]" in talk.sees()
    assert "« Peetesr »" in talk.sees()
    assert "Claes" not in talk.sees()
    talk.taps("Peeters Jan · Pharmacie")
    assert talk.state.top.answers["person"]["account"] == "a0002"


@pytest.mark.parametrize("command", ["end", "change", "edit"])
def test_a_name_that_nobody_bears_nearly_either_is_said_so(talk: Talk, command: str) -> None:
    assert "Personne ne correspond à « Qqqqqq »" in talk.command(command, "Qqqqqq").sees()


@BY_PERSON
def test_a_number_finds_its_person_and_goes_from_the_chat(talk: Talk, command: str) -> None:
    talk.command(command, "79.08.23-997.28")
    assert Forget() in talk.replies[-1].effects
    assert talk.state.top.answers["person"]["account"] == PEETERS


@pytest.mark.parametrize("command", ["end", "change"])
def test_an_application_after_the_command_shows_those_who_have_it(talk: Talk, command: str) -> None:
    talk.command(command, "Hospiliss").taps("Hôpitaux du Midi")
    assert "Seulement les personnes qui ont Hospiliss." in talk.sees()


def test_a_second_command_offers_to_go_on_first_and_keeps_its_words(talk: Talk) -> None:
    talk.command("end", "Peeters").taps("Peeters Jan · Pharmacie")
    talk.command("end", "Claes").taps("Recommencer")
    assert talk.state.top.answers["person"]["account"] == "a0003"


@TO_READ
def test_a_page_lists_several_people_and_those_whose_name_is_nearly_that(talk: Talk, command: str) -> None:
    for words in ("Peeters", "Peetesr"):
        talk.command(command, words)
        assert "[Peeters Jan · Pharmacie]" in talk.sees()
        assert "Claes" not in talk.sees()
    talk.taps("Peeters Jan · Pharmacie")
    assert "Personne: Peeters Jan" in talk.sees() or "Nom: Peeters" in talk.sees()


@TO_READ
def test_a_page_says_that_nobody_bears_a_name(talk: Talk, command: str) -> None:
    assert "Personne ne correspond à « Qqqqqq »" in talk.command(command, "Qqqqqq").sees()


def test_words_of_somebody_new_are_heard_where_he_is_asked_for(talk: Talk) -> None:
    talk.command("grant", "Vermeulen Tom").taps("Hôpitaux du Midi")
    typed = Talk(ENGINE, sample()).command("grant").taps("Hôpitaux du Midi").says("Vermeulen Tom")
    assert talk.sees() == typed.sees()
    assert "[➕ Nouvel utilisateur]" in talk.sees()


def test_the_number_of_somebody_new_opens_his_data_and_a_wrong_one_says_what_is_wrong(talk: Talk) -> None:
    talk.command("grant", "01.09.22-997.08")
    assert Forget() in talk.replies[-1].effects
    assert "Son nom ?" in talk.taps("Hôpitaux du Midi").sees()
    other = Talk(ENGINE, sample()).command("grant", "01.09.22-997.80").taps("Hôpitaux du Midi")
    assert "Ce NISS n'est pas valable" in other.sees()


def test_an_application_after_grant_is_nobodys_name(talk: Talk) -> None:
    talk.command("grant", "Hospiliss").taps("Hôpitaux du Midi")
    assert "À qui ?" in talk.sees()
    assert "Hospiliss" not in talk.sees()


@pytest.mark.parametrize("command", ["grant", "end"])
def test_a_place_in_a_list_that_nobody_saw_chooses_nobody(talk: Talk, command: str) -> None:
    talk.command(command, "1")
    assert "Personne ne correspond à « 1 »" in talk.sees()
    assert talk.state.top is None or "person" not in talk.state.top.answers

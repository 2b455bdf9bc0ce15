"""A chat where nobody has proved lately to be there: what it shows, what it keeps, how it opens again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bot.access.requests import Lock
from bot.conversations.model import App, Forget, Redraw
from bot.conversations.ports import Actor, Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, sample
from bot.msg import m

PAGES = "https://access.example.org"


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample(), settings=Settings(pages=PAGES))


def locks(talk: Talk) -> Talk:
    """The session is over, and the card is drawn anew."""
    talk.actor = Actor("delcourt", locked=True)
    talk.feed(Redraw())
    return talk


def unlocks(talk: Talk) -> Talk:
    talk.actor = Actor("delcourt", "Anne Delcourt")
    talk.feed(Redraw())
    return talk


def test_a_locked_chat_shows_no_name_and_keeps_the_dialogue(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("zzzz")
    before = talk.state
    assert "zzzz" in talk.sees()
    locks(talk)
    assert "prouvez d'abord" in talk.sees()
    assert "vous attend" in talk.sees()
    assert not any(name in talk.sees() for name in ("Anne", "Hôpitaux", "zzzz", "Peeters"))
    unlocks(talk)
    assert talk.state.frames == before.frames
    assert "À qui" in talk.sees()


@pytest.mark.parametrize("command", ["grant", "status", "me", "home", "entity", "cancel", "back", "portal"])
def test_no_command_opens_anything_of_the_register_in_a_locked_chat(talk: Talk, command: str) -> None:
    locks(talk.command("grant").taps("Hôpitaux"))
    frames = talk.state.frames
    talk.command(command, "peeters")
    assert talk.state.frames == frames
    assert "prouvez d'abord" in talk.sees()
    assert "Peeters" not in talk.sees()


def test_text_in_a_locked_chat_changes_nothing_and_a_number_in_it_is_deleted(talk: Talk) -> None:
    locks(talk.command("grant").taps("Hôpitaux"))
    answers = talk.state.frames[-1].answers
    talk.says("79.08.23-997.28")
    assert Forget() in talk.replies[-1].effects
    assert talk.state.frames[-1].answers == answers
    assert "997" not in talk.sees()
    talk.says("peeters")
    assert "Peeters" not in talk.sees()


def test_an_old_button_does_nothing_in_a_locked_chat(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux")
    button = talk.button("Peeters Jan · Cardiologie")
    answers = talk.state.frames[-1].answers
    locks(talk)
    talk.press(button)
    assert talk.state.frames[-1].answers == answers
    assert "prouvez d'abord" in talk.sees()


def test_language_and_help_are_there_for_a_locked_chat(talk: Talk) -> None:
    locks(talk).command("language", "nl")
    assert "Bewijs eerst dat u het bent" in talk.sees()
    talk.command("help")
    assert "Help" in talk.sees() or "Hulp" in talk.sees()


def test_the_way_in_is_a_button_that_opens_the_private_page(talk: Talk) -> None:
    locks(talk.command("home"))
    assert talk.button("Se connecter").action == App(f"{PAGES}/app/login")


def test_lock_locks_at_once(talk: Talk) -> None:
    talk.command("home").taps("Verrouiller")
    assert talk.requests == [Lock()]
    assert "prouvez d'abord" in talk.sees()


def test_home_says_when_there_is_no_way_back_yet(talk: Talk) -> None:
    talk.command("home")
    assert "Préparez maintenant" not in talk.sees()
    talk.actor = replace(talk.actor or Actor(""), secured=False)
    talk.command("home")
    assert "Préparez maintenant" in talk.sees()
    assert talk.button("Préparer mon retour").action == App(f"{PAGES}/app/secure")


INVITED = "fresh-code"


def joins(talk: Talk) -> Talk:
    """A stranger with an invitation, over the privacy notice; nothing is there yet to come back by."""
    talk.actor, talk.secured = None, False
    talk.directory.codes.add(INVITED)
    return talk.command("start", INVITED).taps("Français", "J'ai lu")


def test_an_invitation_ends_with_the_way_back_and_the_chat_goes_on_by_itself_once_it_is_there(
    talk: Talk,
) -> None:
    joins(talk)
    assert "Sans elle, il vous faudra une nouvelle invitation pour revenir." in talk.sees()
    assert "Bonjour" not in talk.sees()
    assert talk.button("Préparer mon retour").action == App(f"{PAGES}/app/secure")
    talk.actor = Actor("delcourt", "Anne Delcourt")
    drawn = ENGINE.view(talk.state, talk.context)  # as the page has it drawn anew, without a turn
    assert drawn
    assert drawn.title == m("home.title")
    talk.says("peeters")
    assert "Peeters Jan" in talk.sees()
    assert all(frame.flow != "return" for frame in talk.state.frames)


def test_the_way_back_can_wait_and_home_goes_on_reminding_of_it(talk: Talk) -> None:
    joins(talk).taps("Plus tard")
    assert "Bonjour Anne Delcourt" in talk.sees()
    assert "Préparez maintenant" in talk.sees()
    talk.command("return")
    assert "Une dernière étape" in talk.sees()
    talk.says("plus tard")
    assert "Bonjour Anne Delcourt" in talk.sees()


def test_where_there_is_an_identity_provider_the_last_step_says_so(talk: Talk) -> None:
    talk.settings = Settings(pages=PAGES, provider="CSAM")
    assert "que par CSAM ou avec une nouvelle invitation" in joins(talk).sees()


@pytest.mark.parametrize(("settings", "secured"), [(Settings(), False), (Settings(pages=PAGES), True)])
def test_whoever_needs_no_way_back_or_has_one_is_home_at_once(settings: Settings, secured: bool) -> None:
    talk = Talk(ENGINE, sample(), settings=settings, actor=None, secured=secured)
    talk.directory.codes.add(INVITED)
    talk.command("start", INVITED).taps("Français", "J'ai lu")
    assert "Bonjour Anne Delcourt" in talk.sees()
    talk.command("return")
    assert ("Une dernière étape" in talk.sees()) is False


def test_above_a_dialogue_that_waits_the_last_step_leads_back_to_it_and_an_old_tap_does_not_end_it(
    talk: Talk,
) -> None:
    locks(talk.command("grant").taps("Hôpitaux"))
    talk.secured = False
    talk.directory.codes.add(INVITED)
    talk.command("start", INVITED).taps("Français", "J'ai lu")
    assert "Une dernière étape" in talk.sees()
    old = talk.button("Reprendre : Donner un accès")
    talk.actor = Actor("delcourt", "Anne Delcourt")
    talk.feed(Redraw())
    assert "À qui" in talk.sees()
    talk.press(old)
    assert "À qui" in talk.sees()


def test_without_private_pages_home_offers_neither_them_nor_the_lock() -> None:
    talk = Talk(ENGINE, sample()).command("home")
    assert "Verrouiller" not in talk.sees()
    assert "Ma page" not in talk.sees()


def test_a_new_invitation_opens_a_locked_chat_too(talk: Talk) -> None:
    locks(talk.command("grant").taps("Hôpitaux"))
    talk.directory.codes.add("fresh-code")
    talk.command("start", "fresh-code").taps("Français", "J")
    assert "À qui" in talk.sees()

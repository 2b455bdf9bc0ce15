"""A recap that takes a fresh proof, and look-ups by number that became too many, as the chat shows them."""

from __future__ import annotations

import pytest
from bot.access.requests import EndSessions
from bot.access.rights import OFTEN
from bot.conversations.model import App, Forget, Perform, Tap
from bot.conversations.ports import Settings
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, said, sample

PAGES = "https://access.example.org"
WRONG, KNOWN, UNKNOWN = "79.08.23-997.82", "79.08.23-997.28", "01.09.22-997.08"


@pytest.fixture
def talk() -> Talk:
    directory = sample()
    directory.acts |= {"end_sessions"}
    return Talk(ENGINE, directory, settings=Settings(pages=PAGES))


def test_the_recap_is_confirmed_on_the_private_page_and_the_dialogue_goes_on_by_itself(talk: Talk) -> None:
    talk.command("status", "Claes").taps("Mettre fin à ses sessions")
    assert "Récapitulatif · Hôpitaux du Midi" in talk.sees()
    assert "Personne: Claes Mieke" in talk.sees()
    assert talk.button("Confirmer sur la page privée").action == App(f"{PAGES}/app/proof")
    waiting = ENGINE.unproved(talk.state, talk.context)
    assert waiting.request == EndSessions("a0003")
    talk.feed(Tap(waiting.rev, "ok"))
    assert Perform(waiting.request, waiting.shown) in [e for reply in talk.replies for e in reply.effects]
    assert "Les sessions de Claes Mieke sont terminées" in said(talk.receipts[-1], "fr")


def test_two_recaps_never_look_the_same_and_a_language_changes_nothing(talk: Talk) -> None:
    shown = set()
    for account in ("a0001", "a0002", "a0003"):
        talk.command("signout", account)
        shown.add(ENGINE.unproved(talk.state, talk.context).shown)
    assert len(shown) == 3
    before = ENGINE.unproved(talk.state, talk.context).shown
    talk.lang = "de"
    assert ENGINE.unproved(talk.state, talk.context).shown == before


@pytest.mark.parametrize("command", ["home", "grant", "status"])
def test_elsewhere_nothing_waits_for_a_proof(talk: Talk, command: str) -> None:
    talk.command(command)
    assert ENGINE.unproved(talk.state, talk.context) is None


def test_who_may_not_has_no_button_and_finds_nobody(talk: Talk) -> None:
    talk.directory.acts -= {"end_sessions"}
    talk.command("status", "Claes")
    assert "Mettre fin à ses sessions" not in talk.sees()
    talk.command("signout", "a0003")
    assert "Les sessions de qui" in talk.sees()
    talk.says("Claes")
    assert "Personne ne correspond" in talk.sees()


def test_a_colleague_is_found_by_name_too(talk: Talk) -> None:
    talk.command("signout").says("Peeters")
    assert "Plusieurs personnes correspondent" in talk.sees()
    talk.taps("Peeters Jan · Pharmacie")
    assert ENGINE.unproved(talk.state, talk.context).request == EndSessions("a0002")


# -- look-ups -------------------------------------------------------------------------------------


def test_the_twenty_first_number_is_not_looked_up_but_still_deleted(talk: Talk) -> None:
    for _ in range(OFTEN):
        talk.command("status").says(UNKNOWN)
        assert "20 recherches" not in talk.sees()
    for number in (KNOWN, UNKNOWN):
        talk.command("status").says(number)
        assert "20 recherches par NISS en 10 minutes" in talk.sees()
        assert "Peeters" not in talk.sees()
        assert Forget() in talk.replies[-1].effects
        assert talk.button("Prouver que c'est vous").action == App(f"{PAGES}/app/proof")
    talk.directory.freed = True
    talk.command("status").says(KNOWN)
    assert "Peeters" in talk.sees()


@pytest.mark.parametrize("way", ["command", "home", "grant"])
def test_every_way_to_look_up_is_counted(talk: Talk, way: str) -> None:
    talk.directory.looked_up = OFTEN
    match way:
        case "command":
            talk.command("status", KNOWN)
        case "home":
            talk.command("home").says(KNOWN)
        case _:
            talk.command("grant").taps("Hôpitaux").says(KNOWN)
    assert "20 recherches" in talk.sees()
    assert talk.directory.looked_up == OFTEN + 1


def test_a_wrong_number_is_not_looked_up_and_does_not_count(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says(WRONG)
    assert talk.directory.looked_up == 0


def test_without_private_pages_one_waits(talk: Talk) -> None:
    talk.settings = Settings()
    talk.directory.looked_up = OFTEN
    talk.command("status").says(KNOWN)
    assert "Réessayez dans quelques minutes" in talk.sees()
    assert "Prouver" not in talk.sees()

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
    assert "sont terminées pour Claes Mieke" in said(talk.receipts[-1], "fr")


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


# -- oneself --------------------------------------------------------------------------------------

OWN = "Vous-même: cela concerne votre propre accès, que personne d'autre ne peut gérer ici"


@pytest.fixture
def alone(talk: Talk) -> Talk:
    """Claes Mieke is the actor, and the only manager."""
    talk.directory.own, talk.directory.solo = ("a0003",), True
    talk.directory.acts |= {"read_audit"}
    return talk


def test_about_oneself_the_recap_says_so_and_is_confirmed_by_a_proof(alone: Talk) -> None:
    alone.command("grant").taps("Hôpitaux").says("Claes", "Hospiliss")
    assert OWN in alone.sees()
    assert "une nouvelle preuve de votre identité est demandée, et l'auditeur le verra" in alone.sees()
    assert alone.button("Confirmer sur la page privée").action == App(f"{PAGES}/app/proof")
    waiting = ENGINE.unproved(alone.state, alone.context)
    assert waiting.request.account == "a0003"
    assert OWN in said(waiting.recap, "fr"), "the page shows it too"
    alone.feed(Tap(waiting.rev, "ok"))
    assert Perform(waiting.request, waiting.shown) in [e for reply in alone.replies for e in reply.effects]


def test_about_somebody_else_or_with_a_colleague_the_recap_is_as_ever(alone: Talk) -> None:
    alone.command("grant").taps("Hôpitaux").says("jpeeters", "Hospiliss")
    assert OWN not in alone.sees()
    assert alone.button("Confirmer").action.verb == "ok"
    alone.directory.solo = False
    alone.command("end", "a0003").taps("Maintenant", "Laisser le compte")
    assert "Récapitulatif" in alone.sees()
    assert OWN not in alone.sees()
    assert ENGINE.unproved(alone.state, alone.context) is None


def test_a_proof_from_before_a_colleague_came_is_for_another_recap(alone: Talk) -> None:
    alone.command("grant").taps("Hôpitaux").says("Claes", "Hospiliss")
    before = ENGINE.unproved(alone.state, alone.context).shown
    alone.directory.solo = False
    alone.feed(Tap(alone.state.rev, "ok"))
    [wish] = [e for reply in alone.replies for e in reply.effects if isinstance(e, Perform)]
    assert wish.shown == "" != before


def test_of_several_people_the_recap_says_that_one_is_oneself(alone: Talk) -> None:
    alone.command("users").taps("Hôpitaux").taps("Sélectionner")
    alone.taps("Claes Mieke", "Peeters Jan · Cardiologie").taps("Bloquer")
    assert OWN in alone.sees()
    assert isinstance(alone.button("Confirmer sur la page privée").action, App)


def test_without_private_pages_it_is_said_and_the_register_refuses(alone: Talk) -> None:
    alone.settings = Settings()
    alone.command("grant").taps("Hôpitaux").says("Claes", "Hospiliss")
    assert OWN in alone.sees()
    assert alone.button("Confirmer").action.verb == "ok"


def test_the_auditor_finds_what_a_manager_did_to_himself(alone: Talk) -> None:
    alone.command("grant").taps("Hôpitaux").says("Claes", "Hospiliss")
    alone.feed(Tap(alone.state.rev, "ok"))
    alone.command("status")
    assert "1 changement d'un gestionnaire à son propre accès, depuis un an" in alone.sees()
    alone.taps("Propre accès")
    assert "que personne d'autre ne pouvait faire ici" in alone.sees()
    assert "2026-000001" in alone.sees()
    alone.taps("2026-000001 · Claes Mieke")
    assert "Propre accès: modifié par la personne elle-même" in alone.sees()
    alone.command("user", "a0003").taps("Historique")
    assert "par la personne elle-même, que personne d'autre ne pouvait gérer ici" in alone.sees()
    alone.directory.acts -= {"read_audit"}
    alone.command("status")
    assert "son propre accès" not in alone.sees()

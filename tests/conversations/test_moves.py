"""A change that only moves an end: its page, its content and its receipt say so, and speak of no access to come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import PORTAL, Talk, said, sample

SINCE, LAST = date(2026, 3, 12), date(2026, 12, 3)
MAES = "a0005"


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample())


def test_the_page_of_a_moved_end_says_the_new_end_and_not_that_an_access_comes(talk: Talk) -> None:
    talk.command("change", MAES).taps("Colindos").says("31.12.2026").taps("Confirmer")
    talk.command("status", "2026-000001")
    assert (
        "Statut: 🕓 nouvelle fin enregistrée : jusqu'au 31-12-2026 (devrait valoir au plus tard à 10:20)"
        in talk.sees()
    )
    assert "Colindos (autre date de fin d'une application)" in talk.sees()
    assert "actif" not in talk.sees()
    change = talk.directory.changes["2026-000001"]
    talk.directory.changes["2026-000001"] = replace(change, state="active")
    talk.command("status", "2026-000001")
    assert "Statut: ✔ nouvelle fin : jusqu'au 31-12-2026" in talk.sees()


def test_an_end_that_is_taken_away_is_said_too(talk: Talk) -> None:
    talk.command("change", MAES).taps("Colindos", "Sans date de fin", "Confirmer")
    talk.command("status", "2026-000001")
    assert "nouvelle fin enregistrée : Sans date de fin" in talk.sees()


def test_on_the_portal_it_is_still_to_be_done_there_and_then_the_end_is_another() -> None:
    directory = sample()
    account = directory.add(
        "Dubois",
        "Léa",
        entity=PORTAL,
        profession="collaborator",
        holdings=[Holding("function", "collaborator-specialist-physician", "active", SINCE, LAST)],
    )
    talk = Talk(ENGINE, directory)
    talk.command("change", account).taps("Collaborateur médecin").says("31.12.2026").taps("Confirmer")
    talk.command("status", "2026-000001")
    assert "Statut: ☑ nouvelle fin, encore à faire sur le portail : jusqu'au 31-12-2026" in talk.sees()


def test_an_access_that_is_made_longer_has_the_receipt_of_its_end(talk: Talk) -> None:
    card = talk.directory.cards[MAES]
    talk.directory.cards[MAES] = replace(card, ref=replace(card.ref, profession="specialist-physician"))
    talk.command("grant").taps("Clinique", "Maes Wout", "Colindos · prolonger", "Suivant").says("30.6.2027")
    talk.taps("Confirmer")
    receipt = said(talk.receipts[-1], "fr")
    assert "Dernier jour d'accès : le 30-06-2027." in receipt
    assert "actif" not in receipt


def test_what_begins_with_it_is_an_access_all_the_same(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Pharmacie", "Chapter IV", "Suivant", "Confirmer")
    talk.command("status", "2026-000001")
    assert "devrait être actif" in talk.sees()

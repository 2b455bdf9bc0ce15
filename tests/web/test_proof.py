"""The fresh proof, from the recap in the chat to the act and back, over the whole program."""

from __future__ import annotations

from bot.access.rows import SESSIONS, STEP_UPS
from sqlalchemy import select
from tests.web.conftest import House, on_both
from tests.web.test_pages import next_code, sets_up_the_app


def sessions_of(house: House) -> list[tuple[str, str | None]]:
    with house.database.read() as connection:
        query = select(SESSIONS.c.how, SESSIONS.c.ended_why).order_by(SESSIONS.c.opened_at)
        return [tuple(row) for row in connection.execute(query)]


def test_a_manager_ends_a_colleagues_sessions_by_a_proof_on_the_page(house: House):
    jan = house.enters("Jan", "peeters")
    anne = house.enters("Anne", "delcourt")
    browser = house.browser(anne)
    browser.opens("proof")
    assert "Rien n'attend de preuve" in browser.text
    app, _ = sets_up_the_app(browser)
    anne.waits_until(lambda seen: "de quoi revenir" not in seen.text)
    anne.says("/status jpeeters")
    anne.taps("Peeters Jan · Cardiologie")
    anne.taps("🔒 Mettre fin à ses sessions")
    anne.waits_for("Récapitulatif")

    browser.opens("proof")
    assert "Peeters Jan" in browser.text
    assert browser.sends("proof", digest="0" * 64, code=next_code(app)).status_code == 422
    assert "Le récapitulatif a changé" in browser.text
    shown = digest(browser)
    assert browser.sends("proof", digest=shown, code="000000").status_code == 422
    assert browser.sends("proof", digest=shown, code=next_code(app)).status_code == 200
    assert "C'est confirmé" in browser.text
    anne.waits_for("sont terminées pour Peeters Jan")
    assert "prouvez d'abord" in jan.waits_for("prouvez d").text
    assert [why for _, why in sessions_of(house)] == ["by a manager", None]
    with house.database.read() as connection:
        (proof,) = connection.execute(select(STEP_UPS)).all()
    assert (proof.digest, proof.used_at is not None) == (shown, True)


def digest(browser) -> str:
    return browser.page.text.split('name="digest" value="')[1].split('"')[0]


@on_both
def test_a_card_that_changed_after_the_page_was_opened_takes_another_proof(house: House):
    house.enters("Jan", "peeters")
    anne = house.enters("Anne", "delcourt")
    browser = house.browser(anne)
    app, _ = sets_up_the_app(browser)
    anne.says("/signout")
    anne.says("jpeeters")
    anne.taps("Peeters Jan · Cardiologie")
    anne.waits_for("Récapitulatif")
    browser.opens("proof")
    shown = digest(browser)
    anne.taps("Modifier")
    anne.taps("Personne")
    anne.says("jpeeters")
    anne.taps("Peeters Jan · Pharmacie")
    anne.waits_for("Récapitulatif")
    assert browser.sends("proof", digest=shown, code=next_code(app)).status_code == 422
    assert "Le récapitulatif a changé" in browser.text
    assert [why for _, why in sessions_of(house)] == [None, None]


def test_after_twenty_look_ups_one_proof_frees_the_rest_of_the_session(house: House):
    anne = house.enters("Anne", "delcourt")
    browser = house.browser(anne)
    app, _ = sets_up_the_app(browser)
    anne.waits_until(lambda seen: "de quoi revenir" not in seen.text)
    for _ in range(20):
        anne.says("/status 01.09.22-997.08")
    anne.settles(timeout=60)
    assert "20 recherches" not in anne.sees().text
    anne.says("/status 79.08.23-997.28")
    anne.waits_for("20 recherches par NISS en 10 minutes", 60)
    browser.opens("proof")
    assert "20 personnes par leur NISS" in browser.text
    assert browser.sends("proof", digest=digest(browser), code=next_code(app)).status_code == 200
    assert "Retapez le numéro" in browser.text
    anne.waits_until(lambda seen: "20 recherches" not in seen.text, "a card without it", 60)
    for _ in range(3):
        anne.says("/status 79.08.23-997.28")
    anne.settles()
    assert "20 recherches" not in anne.sees().text


def test_the_only_manager_makes_herself_a_user_by_a_proof_and_the_auditor_finds_it(house: House):
    hubert = house.enters("Céline", "hubert")
    anne = house.enters("Anne", "delcourt")
    browser = house.browser(anne)
    app, _ = sets_up_the_app(browser)
    anne.waits_until(lambda seen: "de quoi revenir" not in seen.text)
    anne.says("/newuser")
    anne.taps("Clinique Sainte-Aube")
    for answer in ("64.11.17-998.10", "Delcourt", "Anne", "anne@example.org"):
        anne.says(answer)
    recap = anne.waits_for("Récapitulatif").text
    assert "votre propre accès, que personne d'autre ne peut gérer ici" in recap.replace("\xa0", " ")

    browser.opens("proof")
    assert "l'auditeur le verra" in browser.text
    assert browser.sends("proof", digest=digest(browser), code=next_code(app)).status_code == 200
    anne.waits_for("aucun accès")
    hubert.says("/status")
    hubert.waits_for("1 changement d'un gestionnaire à son propre accès")
    hubert.taps("Propre accès")
    hubert.waits_for("que personne d'autre ne pouvait faire ici")

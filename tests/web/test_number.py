"""The national number for the portal: on the private page, once, for whoever hands the change over; by a link in another browser too."""

from __future__ import annotations

import re

import httpx
import pytest
from bot.demo.testing import Person
from bot.store.tables import AuditEntry, core
from sqlalchemy import select
from tests.web.conftest import Browser, House
from tests.web.test_pages import sets_up_the_app

NISS = "01.09.22-997.08"
DIGITS = "01092299708"


@pytest.fixture(scope="module")
def noted(standing_house: House) -> tuple[Person, str]:
    """Mieke noted somebody new for the hospital that lives on the portal; the address behind the checklist's button."""
    mieke = standing_house.enters("Mieke", "claes")
    mieke.says("/grant")
    mieke.waits_for("Pour quelle entité")
    mieke.taps("Hôpital du Quai")
    for question, answer in (
        ("À qui", NISS),
        ("Son nom", "Vogel"),
        ("prénom", "Kanarie"),
        ("e-mail", "kanarie.vogel@example.org"),
        ("Quelles applications", "Hospiliss"),
    ):
        mieke.waits_for(question)
        mieke.says(answer)
    mieke.waits_for("Récapitulatif")
    mieke.taps("Confirmer")
    mieke.waits_for("encore à faire sur le portail")
    mieke.taps("Étapes sur le portail")
    mieke.waits_for("Ajouter un utilisateur")
    buttons = {button["text"]: button for row in mieke.card().rows for button in row}
    address = buttons["🔒 Voir le NISS en privé"]["web_app"]["url"]
    assert NISS not in mieke.card().text
    assert DIGITS not in str(mieke.card().rows)
    return mieke, address.removeprefix(f"{standing_house.pages}/app/")


def sends(browser: Browser, path: str) -> httpx.Response:
    browser.page = browser.http.post(f"/app/{path}", data={"seal": browser.seal()})
    return browser.page


def opened(house: House) -> int:
    """How often a number was opened, as the audit tells."""
    entries = core(AuditEntry)
    with house.database.read() as connection:
        query = select(entries.c.seq).where(entries.c.act == "open-number")
        return len(connection.execute(query).all())


def test_it_is_masked_until_it_is_asked_for_shown_once_and_masked_again(standing_house: House, noted):
    mieke, page = noted
    before = opened(standing_house)
    browser = standing_house.browser(mieke)
    browser.opens(page)
    assert "Vogel Kanarie" in browser.text
    assert "••.••.••-•••.08" in browser.text
    assert NISS not in browser.text
    sends(browser, f"{page}/form")
    assert f'data-mask="••.••.••-•••.08" role="status">{NISS}<' in browser.page.text
    assert browser.page.headers["cache-control"] == "no-store"
    assert sends(browser, f"{page}/form").status_code == 422
    assert "déjà été affiché" in browser.text
    assert NISS not in browser.page.text
    assert NISS not in browser.http.get(f"/app/{page}/form").text
    assert opened(standing_house) == before + 1


def test_a_link_opens_it_once_in_another_browser(standing_house: House, noted):
    mieke, page = noted
    browser = standing_house.browser(mieke)
    browser.opens(page)
    sends(browser, f"{page}/link")
    assert NISS not in browser.page.text
    token = re.search(r"/app/number#([\w-]{40,})<", browser.page.text)[1]
    other = standing_house.browser(mieke)
    assert 'action="/app/number/enter"' in other.http.get("/app/number").text
    other.page = other.http.post("/app/number/enter", data={"token": token})
    assert "••.••.••-•••.08" in other.text
    assert "autre navigateur" not in other.text
    sends(other, f"{page}/form")
    assert NISS in other.text
    third = standing_house.browser(mieke).http.post("/app/number/enter", data={"token": token})
    assert third.status_code == 403
    assert "Vogel" not in other.http.get(f"/app/{page}/form").text


def test_somebody_else_a_stranger_and_a_locked_chat_see_nothing(standing_house: House, noted):
    mieke, page = noted
    before = opened(standing_house)
    for who in (standing_house.enters("Anne", "delcourt"), standing_house.telegram.person("Alex")):
        browser = standing_house.browser(who)
        browser.opens(page)
        assert "Vogel" not in browser.page.text
        assert "•••.08" not in browser.page.text
    browser = standing_house.browser(mieke)
    sets_up_the_app(browser)
    browser.opens(page)
    sends(browser, f"{page}/link")
    token = re.search(r"/app/number#([\w-]{40,})<", browser.page.text)[1]
    link = standing_house.browser(mieke)
    link.page = link.http.post("/app/number/enter", data={"token": token})
    mieke.says("/lock")
    mieke.waits_for("prouvez d")
    assert sends(link, f"{page}/form").status_code == 403
    browser.page = browser.http.get(f"/app/{page}/form")
    assert str(browser.page.url).endswith("/app/login/form")
    assert opened(standing_house) == before


def test_it_speaks_the_four_languages(standing_house: House, noted):
    mieke = standing_house.enters("Mieke", "claes")
    browser = standing_house.browser(mieke)
    browser.opens(noted[1])
    for lang, words in (
        ("nl", "INSZ voor het portaal"),
        ("de", "ENSS für das Portal"),
        ("en", "SSIN for the portal"),
    ):
        data = {"seal": browser.seal(), "lang": lang, "page": noted[1]}
        browser.page = browser.http.post("/app/language", data=data)
        assert f'<html lang="{lang}">' in browser.page.text
        assert words in browser.text


def test_a_form_of_another_site_opens_nothing(standing_house: House, noted):
    mieke = standing_house.enters("Mieke", "claes")
    browser = standing_house.browser(mieke)
    browser.opens(noted[1])
    answer = browser.http.post(f"/app/{noted[1]}/form", data={"seal": "0" * 64})
    assert answer.status_code == 403
    assert NISS not in answer.text

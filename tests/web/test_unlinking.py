"""My page: the Telegram accounts that stand for a person, and unlinking one from another phone; in the chat and in a real Chromium."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect
from tests.web.conftest import House
from tests.web.test_binding import PASSWORD, Hospital
from tests.web.test_pages import next_code, sets_up_the_app
from tests.web.test_pages_browser import REFUSED, goes, in_each_look, in_language, looks_right


def two_phones(house: House, person: str = "delcourt"):
    """The same person on a lost phone, with a dialogue under way, and on a new one."""
    lost = house.enters("Anne", person)
    return lost, house.enters("Anne", person, beside=True)


def forms(browser) -> list[tuple[str, bool]]:
    """The id of each linked account on the page, and whether it is the one one looks from."""
    page = browser.page.text.partition('id="linked"')[2]
    return [
        (re.search(r'name="unlink" value="(\w+)"', card)[1], "(celui-ci)" in card)
        for card in page.split("<article")[1:]
        if 'name="unlink"' in card
    ]


def test_a_lost_phone_is_unlinked_from_the_new_one_and_its_chat_shows_nothing_of_the_person(standing_house):
    lost, new = two_phones(standing_house)
    lost.taps("Donner un accès")
    assert "Hôpitaux du Midi" in str([lost.sees().text, lost.sees().labels])
    browser = standing_house.browser(new)
    browser.opens("me")
    assert "Préparez d'abord l'un des deux" in browser.text  # no proof, no unlinking
    assert forms(browser) == []
    app, _ = sets_up_the_app(browser)
    browser.opens("me")
    (other,) = [binding for binding, here in forms(browser) if not here]

    wrong = browser.sends("me", unlink=other, code="000000")
    assert (wrong.status_code, "Cela ne correspond pas" in browser.text) == (422, True)
    assert "Hôpitaux du Midi" in str([lost.sees().text, lost.sees().labels])

    assert browser.sends("me", unlink=other, code=next_code(app)).status_code == 200
    assert "n'est plus relié à vous" in browser.text
    assert [here for _, here in forms(browser)] == [True]
    stranger = lost.waits_for("réservé aux gestionnaires")
    shown = f"{stranger.text} {stranger.labels}"
    assert not any(word in shown for word in ("Anne", "Delcourt", "Hôpitaux", "Donner un accès"))
    assert lost.waits_until(lambda _: any("n'est plus relié" in seen.text for seen in lost.chat))
    assert new.waits_until(lambda _: any("vient d'être délié" in seen.text for seen in new.chat))
    lost.says("/home")
    lost.waits_for("réservé aux gestionnaires")
    new.says("/home")
    new.waits_for("Bonjour")


def test_whoever_unlinks_the_account_he_looks_from_is_a_stranger_at_once(standing_house):
    jan = standing_house.enters("Jan", "peeters")
    account = {"username": Hospital.gives_password(standing_house, "peeters"), "password": PASSWORD}
    jan.says("/lock")
    jan.waits_for("prouvez d")
    browser = standing_house.browser(jan)
    browser.opens("login")
    browser.sends("login", **account)
    browser.opens("me")
    (own,) = forms(browser)
    assert own[1]
    assert browser.sends("me", unlink=own[0], **account).status_code == 200
    assert "La conversation ne vous connaît plus" in browser.text
    jan.waits_for("réservé aux gestionnaires")
    browser.opens("me")
    assert "ne vous connaît pas encore" in browser.text


@pytest.mark.browser
@in_each_look
def test_the_linked_accounts_can_be_read_by_everybody(standing_house, open_page, lang, width, scheme):
    _, new = two_phones(standing_house)
    app = Hospital.gives_app(standing_house, "delcourt")
    page = open_page("about:blank", width=width, scheme=scheme, language="en-GB", allowed=REFUSED)
    goes(page, standing_house, new, "me")
    in_language(page, lang)
    accounts = page.locator("section[aria-labelledby=linked] article")
    expect(accounts).to_have_count(2)
    for summary in accounts.locator("summary").all():
        summary.click()
    looks_right(page)
    page.locator("input[name=code]").last.fill("000000")
    page.locator("input[name=code]").last.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    looks_right(page)
    page.locator("input[name=code]").last.fill(app.at(int(time.time()) + 30))
    page.locator("input[name=code]").last.press("Enter")
    expect(page.locator(".done")).to_be_visible()
    expect(accounts).to_have_count(1)
    looks_right(page)

"""The private pages in a real Chromium: read, filled in by keys alone, at any width, colour, language and size of text.

The console stays clean but for what a browser says itself of an answer 422, a form that was not taken: the policy that forbids
inline script and style is kept by every page.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode

import pyotp
import pytest
from playwright.sync_api import Page, expect
from tests.browser import WIDTHS, violations
from tests.web import test_number
from tests.web.conftest import House, init_data
from tests.web.test_number import NISS

pytestmark = pytest.mark.browser
noted = test_number.noted  # somebody new is noted for the hospital of the portal

REFUSED = ("422 (Unprocessable",)
GOOD = "cheval batterie agrafe"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
BY_SIZE = "document.documentElement.style.fontSize"


def address(house: House, person, page: str) -> str:
    """Where Telegram opens a Mini App for that person."""
    return (
        f"{house.pages}/app/{page}#{urlencode({'tgWebAppData': init_data(house.telegram.token, person.id)})}"
    )


def goes(page: Page, house: House, person, name: str) -> None:
    page.goto("about:blank")  # a new start, and not another place on the same page
    page.goto(address(house, person, name))
    page.wait_for_url(re.compile(rf"/app/{name}/form$"))


def submit(page: Page):
    return page.locator("main form button.main:visible").first


def looks_right(page: Page) -> None:
    """For axe, and for people who need the text twice as large or hold the phone upright: at both widths, light and dark."""
    opened, dark = page.viewport_size, page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for size in WIDTHS.values():
        page.set_viewport_size(size["viewport"])
        if size["viewport"] in (opened, WIDTHS["phone"]["viewport"]):
            assert violations(page) == []
        assert page.evaluate(SIDEWAYS) <= 0
        page.evaluate(f"{BY_SIZE} = '32px'")
        assert page.evaluate(SIDEWAYS) <= 0
        page.evaluate(f"{BY_SIZE} = ''")
    page.set_viewport_size(opened)
    page.emulate_media(color_scheme="dark" if dark else "light")
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.getAnimations().length") == 0


def in_language(page: Page, lang: str) -> None:
    page.get_by_role("navigation").get_by_role("button", name=lang).click()
    expect(page.locator("html")).to_have_attribute("lang", lang)


in_each_look = pytest.mark.parametrize(
    ("lang", "width", "scheme"),
    [
        ("fr", "phone", "light"),
        ("nl", "phone", "dark"),
        ("de", "desktop", "light"),
        ("en", "desktop", "dark"),
    ],
)


@in_each_look
def test_each_page_can_be_read_by_everybody(standing_house: House, open_page, lang, width, scheme):
    jan = standing_house.enters("Jan", "peeters")
    page = open_page(
        address(standing_house, jan, "secure"), width=width, scheme=scheme, language="en-GB", allowed=REFUSED
    )
    page.wait_for_url(re.compile("/app/secure/form$"))
    in_language(page, lang)
    looks_right(page)

    app = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_role("textbox").fill("000000")
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    looks_right(page)
    page.get_by_role("textbox").fill(app.now())
    submit(page).click()
    expect(page.locator(".codes code")).to_have_count(10)
    code = page.locator(".codes code").first.inner_text()
    looks_right(page)

    goes(page, standing_house, jan, "secure")
    in_language(page, lang)
    expect(page.locator("#replace")).to_be_visible()
    looks_right(page)

    goes(page, standing_house, jan, "me")
    in_language(page, lang)
    page.locator("summary").first.click()
    looks_right(page)
    page.get_by_role("textbox").nth(0).fill("000000")
    for field in page.locator("input[autocomplete=new-password]").all()[:2]:
        field.fill(GOOD)
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    wrong = page.locator("[aria-invalid=true]")
    expect(wrong).to_have_count(1)
    assert "error" in wrong.get_attribute("aria-describedby").split()
    looks_right(page)

    goes(page, standing_house, jan, "niss")
    in_language(page, lang)
    looks_right(page)

    jan.says("/lock")
    jan.settles()
    goes(page, standing_house, jan, "login")
    in_language(page, lang)
    expect(page.locator("#code")).to_be_focused()
    looks_right(page)
    page.locator("#code").fill(code)
    submit(page).click()
    expect(page.locator(".done")).to_be_visible()
    looks_right(page)


@in_each_look
def test_the_number_for_the_portal_is_shown_for_a_minute(
    standing_house: House, noted, open_page, lang, width, scheme
):
    mieke, name = noted
    page = open_page(
        address(standing_house, mieke, name), width=width, scheme=scheme, language="en-GB", allowed=REFUSED
    )
    page.wait_for_url(re.compile(f"/app/{name}/form$"))
    in_language(page, lang)
    looks_right(page)
    link = page.locator(f"form[action$='{name}/link'] button")
    link.click()
    expect(page.locator(".secret")).to_contain_text("/app/number#")
    looks_right(page)

    goes(page, standing_house, mieke, name)
    page.clock.install()
    submit(page).click()
    number = page.locator(".number")
    expect(number).to_have_text(NISS)
    looks_right(page)
    page.clock.fast_forward("01:01")
    expect(number).to_have_text(number.get_attribute("data-mask"))
    looks_right(page)


@in_each_look
def test_the_privacy_notice_can_be_read_by_everybody(standing_house: House, open_page, lang, width, scheme):
    page = open_page(
        f"{standing_house.pages}/app/privacy?lang={lang}", width=width, scheme=scheme, language="en-GB"
    )
    expect(page.locator("html")).to_have_attribute("lang", lang)
    looks_right(page)


def test_without_telegrams_word_the_page_says_where_to_open_it(standing_house: House, open_page):
    page = open_page(f"{standing_house.pages}/app/me", language="de-DE", width="phone")
    expect(page.locator("#outside")).to_be_visible()
    expect(page.locator("#wait")).to_be_hidden()
    looks_right(page)


def test_a_national_number_is_corrected_and_sent_by_keys_alone(standing_house: House, open_page):
    anne = standing_house.enters("Anne", "delcourt")
    anne.taps("Donner un accès")
    anne.taps("Hôpitaux du Midi")
    anne.waits_for("À qui")
    page = open_page(address(standing_house, anne, "niss"), width="phone", allowed=REFUSED)
    expect(page.locator("#niss")).to_be_focused()
    looks_right(page)
    page.keyboard.type("01.09.22-997.80")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#niss")).to_have_value("01.09.22-997.80")
    looks_right(page)
    page.keyboard.press("Tab")
    expect(page.locator("#niss")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("01.09.22-997.08")
    page.keyboard.press("Tab")
    expect(submit(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    anne.waits_for("Son nom")
    looks_right(page)


def test_the_rules_of_a_password_follow_what_is_typed_and_the_server_has_the_last_word(
    standing_house: House, open_page
):
    jan = standing_house.enters("Jan", "peeters")
    page = open_page(
        address(standing_house, jan, "me"), width="phone", allowed=REFUSED, permissions=["clipboard-read"]
    )
    page.wait_for_url(re.compile("/app/me/form$"))
    page.locator("summary").first.press("Enter")
    password, again = page.locator("#new-1"), page.locator("#again-1")

    def met() -> list[str]:
        return [
            item.get_attribute("data-rule") for item in page.locator("form:visible [data-rule].met").all()
        ]

    assert met() == []
    for text, repeated, expected in (
        ("short", "", ["own"]),
        ("a long one, PEÉTERS", "", ["length"]),
        (GOOD, GOOD[:-1], ["length", "own"]),
        (GOOD, GOOD, ["length", "own", "same"]),
        ("😀" * 11, "", ["own"]),
        ("😀" * 12, "", ["length", "own"]),
    ):
        password.fill(text)
        again.fill(repeated)
        assert met() == expected
    looks_right(page)

    # a browser's keeper of passwords finds what it looks for
    assert [field.get_attribute("autocomplete") for field in (password, again)] == ["new-password"] * 2
    assert page.locator("form:visible input[autocomplete=username]").first.input_value() != ""
    toggle = page.locator("form:visible [data-show]")
    toggle.click()
    expect(password).to_have_attribute("type", "text")
    toggle.click()
    expect(again).to_have_attribute("type", "password")
    toggle.click()

    for field in (password, again):
        field.fill("")
        field.evaluate("(each) => each.focus()")
        page.keyboard.insert_text("Bonjour2026!!")  # as a paste comes
    assert met() == ["length", "own", "same"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("répandus")
    expect(page.locator("[aria-invalid=true]")).to_have_attribute("id", "new-1")
    expect(password).to_have_attribute("type", "password")
    expect(password).to_have_value("")
    looks_right(page)
    password.fill(GOOD)
    again.fill(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_be_visible()
    expect(page.locator(".done")).to_contain_text("enregistré")


def test_without_script_a_password_is_set_all_the_same(standing_house: House, chromium):
    jan = standing_house.enters("Jan", "peeters")
    browser = standing_house.browser(jan)
    browser.opens("me")
    context = chromium.new_context(java_script_enabled=False)
    context.add_cookies(
        [{"name": "visit", "value": browser.http.cookies["visit"], "url": standing_house.pages}]
    )
    page = context.new_page()
    page.goto(f"{standing_house.pages}/app/me/form")
    page.locator("summary").first.click()
    expect(page.locator("#rules-1")).to_contain_text("12")
    expect(page.locator("[data-rules]").first).to_be_hidden()
    page.locator("#new-1").fill("Bonjour2026!!")
    page.locator("#again-1").fill("Bonjour2026!!")
    submit(page).click()
    expect(page.get_by_role("alert")).to_contain_text("répandus")
    page.locator("#new-1").fill(GOOD)
    page.locator("#again-1").fill(GOOD)
    submit(page).click()
    expect(page.locator(".done")).to_contain_text("enregistré")
    context.close()


def test_whoever_lost_his_app_comes_back_by_a_recovery_code_and_replaces_it(standing_house: House, open_page):
    anne = standing_house.enters("Anne", "delcourt")
    page = open_page(address(standing_house, anne, "secure"), allowed=REFUSED)
    lost = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    page.get_by_role("textbox").fill(lost.now())
    submit(page).click()
    codes = page.locator(".codes code").all_inner_texts()

    anne.says("/lock")
    anne.waits_for("prouvez d")
    goes(page, standing_house, anne, "login")
    page.locator("#code").fill(codes[0])
    submit(page).click()
    expect(page.locator(".done")).to_be_visible()
    goes(page, standing_house, anne, "secure")
    page.locator("#replace").fill(codes[0])
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    page.locator("#replace").fill(codes[1])
    submit(page).click()
    new = pyotp.TOTP(page.locator(".secret").inner_text().replace(" ", ""))
    assert new.secret != lost.secret
    page.locator("#code").fill(new.now())
    submit(page).click()
    expect(page.locator(".codes code")).to_have_count(10)

    anne.says("/lock")
    anne.waits_for("prouvez d")
    goes(page, standing_house, anne, "login")
    for gone in (lost.at(int(time.time()) + 30), codes[2]):
        page.locator("#code").fill(gone)
        submit(page).click()
        expect(page.get_by_role("alert")).to_be_focused()
    page.locator("#code").fill(new.at(int(time.time()) + 30))
    submit(page).click()
    expect(page.locator(".done")).to_be_visible()


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_the_page_opens_beside_the_chat_and_goes_back_to_it(standing_house: House, open_page, width):
    anne = standing_house.enters("Anne", "delcourt")
    anne.taps("Donner un accès")
    anne.taps("Hôpitaux du Midi")
    anne.waits_for("À qui")
    address = f"{standing_house.telegram.url}/#/{anne.id}"
    # axe speaks to the frame, and only on its own origin: the warning is the tool's
    page = open_page(address, width=width, language="fr-BE", allowed=("Failed to execute 'postMessage'",))
    page.get_by_role("button", name="Saisir le NISS en privé").click()
    inside = page.frame_locator("aside iframe")
    expect(inside.locator("#niss")).to_be_visible()
    assert violations(page) == []
    inside.locator("#niss").fill("01.09.22-997.08")
    inside.locator("main form button.main").click()
    inside.locator("[data-close]").click()
    expect(page.locator("aside iframe")).to_have_count(0)
    anne.waits_for("Son nom")

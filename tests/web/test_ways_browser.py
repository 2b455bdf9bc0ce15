"""The ways in, both ends of a link, and a fresh proof, in a real Chromium: read by everybody, in each language and look."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Route, expect
from tests.web.conftest import House
from tests.web.test_binding import PASSWORD, Hospital
from tests.web.test_pages_browser import REFUSED, address, goes, in_language, looks_right, submit

pytestmark = pytest.mark.browser


def stays(route: Route) -> None:
    """The page as it is, without the header by which it looks again after some seconds: it would go while it is looked at."""
    response = route.fetch()
    route.fulfill(
        response=response, headers={k: v for k, v in response.headers.items() if k.lower() != "refresh"}
    )


@pytest.mark.parametrize(
    ("lang", "width", "scheme"),
    [
        ("fr", "phone", "dark"),
        ("nl", "desktop", "light"),
        ("de", "phone", "light"),
        ("en", "desktop", "dark"),
    ],
)
def test_the_ways_in_both_ends_and_a_proof_can_be_read_by_everybody(
    standing_house: House, open_page, lang, width, scheme
):
    username = Hospital.gives_password(standing_house, "peeters")
    jan = standing_house.telegram.person("Jan")
    jan.starts()
    jan.waits_for("Cet assistant")
    page = open_page(
        address(standing_house, jan, "login"), width=width, scheme=scheme, language="en-GB", allowed=REFUSED
    )
    page.wait_for_url(re.compile("/app/login/form$"))
    in_language(page, lang)
    page.locator("summary").last.click()
    looks_right(page)
    page.locator("#username-password").fill(username)
    page.locator("#password-password").fill("not this one at all")
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.locator("#password-password")).to_be_visible()
    looks_right(page)

    page.locator("#username-password").fill(username)
    page.locator("#password-password").fill(PASSWORD)
    submit(page).click()
    expect(page.locator("dl.card strong")).to_have_count(2)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    looks_right(page)
    submit(page).click()
    expect(page.locator(".number")).to_be_visible()
    page.route("**/app/link/form", stays)
    page.goto(f"{standing_house.pages}/app/link/form")
    looks_right(page)
    page.unroute_all()

    anne = standing_house.enters("Anne", "delcourt")
    app = Hospital.gives_app(standing_house, "delcourt")
    anne.says("/signout")
    anne.says("jpeeters")
    anne.taps("Peeters Jan · Cardiologie")
    anne.waits_for("Récapitulatif")
    goes(page, standing_house, anne, "proof")
    in_language(page, lang)
    expect(page.locator("#code")).to_be_focused()
    looks_right(page)
    page.locator("#code").fill("000000")
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    looks_right(page)
    page.locator("#code").fill(app.at(int(time.time()) + 30))
    submit(page).click()
    expect(page.locator(".done")).to_be_visible()
    looks_right(page)

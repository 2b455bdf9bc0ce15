"""A user's own way in, in a real Chromium: the mailed link, the forgotten password, what is stored; read by everybody, without script too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from bot.access import letters, visits
from bot.access.rows import ACCOUNTS
from playwright.sync_api import Page, expect
from sqlalchemy import select
from tests import databases
from tests.web.conftest import House
from tests.web.test_pages_browser import GOOD, REFUSED, goes, in_language, looks_right, submit
from tests.web.test_wayin import posted

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def post_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that can send mail, for all tests of this module."""
    folder = tmp_path_factory.mktemp("post")
    with databases.sqlite(folder) as url, posted(url, folder) as house:
        yield house


each_look = pytest.mark.parametrize(
    ("lang", "width", "scheme"),
    [
        ("fr", "phone", "light"),
        ("nl", "phone", "dark"),
        ("de", "desktop", "light"),
        ("en", "desktop", "dark"),
    ],
)


def link(house: House, username: str = "jpeeters") -> str:
    """The address that a mail to this user holds."""
    with house.database.write() as connection:
        query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.username_fold == username)
        account = connection.execute(query).scalar_one()
        now = datetime.now(UTC)
        token = visits.make_link(connection, letters.PASSWORD, now=now, valid=visits.MAILED, account=account)
    return f"{house.pages}/app/password#{token}"


def arrives(page: Page, address: str) -> None:
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_url(re.compile(r"/app/password/form$"))


@each_look
def test_the_mailed_link_leads_to_a_password_in_every_look(standing_house, open_page, lang, width, scheme):
    address = link(standing_house)
    page = open_page(address, width=width, scheme=scheme, language="en-GB", allowed=(*REFUSED, "403"))
    page.wait_for_url(re.compile(r"/app/password/form$"))
    assert "#" not in page.url, "the secret is gone from the address, and from the history"
    in_language(page, lang)
    looks_right(page)
    new, again = page.locator("#new-1"), page.locator("#again-1")
    new.fill(GOOD)
    again.fill(f"{GOOD}!")
    submit(page).click()
    expect(page.get_by_role("alert")).to_be_focused()
    looks_right(page)
    page.locator("#new-1").fill(GOOD)
    page.locator("#again-1").fill(GOOD)
    submit(page).click()
    expect(page.locator(".done")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", lang)
    looks_right(page)

    page.goto("about:blank")
    page.goto(address)
    expect(page.locator(".note")).to_be_visible()
    looks_right(page)


@each_look
def test_a_link_without_its_secret_says_so(standing_house, open_page, lang, width, scheme):
    page = open_page(f"{standing_house.pages}/app/password", width=width, scheme=scheme, language=lang)
    expect(page.locator("#outside")).to_be_visible()
    expect(page.locator("#wait")).to_be_hidden()
    looks_right(page)


@each_look
def test_what_is_stored_can_be_read_by_everybody(standing_house, open_page, lang, width, scheme):
    jan = standing_house.enters("Jan", "peeters")
    page = open_page("about:blank", width=width, scheme=scheme, language="en-GB")
    goes(page, standing_house, jan, "stored")
    in_language(page, lang)
    looks_right(page)
    page.locator("summary").click()
    looks_right(page)
    with page.expect_download() as download:
        page.locator("a[download]").click()
    assert download.value.suggested_filename == "my-data.json"


@each_look
def test_a_forgotten_password_is_asked_for_by_keys_alone(post_house, open_page, lang, width, scheme):
    page = open_page(f"{post_house.pages}/app/forgotten", width=width, scheme=scheme, language="en-GB")
    page.locator(f"a[lang={lang}]").click()
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.locator("#username")).to_be_focused()
    looks_right(page)
    page.keyboard.type("nobody99")
    page.keyboard.press("Enter")
    expect(page.locator(".note")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", lang)
    looks_right(page)

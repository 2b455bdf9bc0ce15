"""The demo's small pages in a real Chromium: its mail and its identity provider, in every look and language."""

from __future__ import annotations

from email.message import EmailMessage
from urllib.parse import urlencode

import pytest
from bot.demo.identity import CLIENT, IdentityProvider, Someone
from bot.demo.inbox import Inbox
from bot.demo.storage import Archive
from bot.demo.testing import running_server
from bot.demotexts import identity_texts, inbox_texts
from playwright.sync_api import expect
from tests.browser import violations

pytestmark = pytest.mark.browser
LOOKS = [
    ("fr", "phone", "dark"),
    ("nl", "desktop", "light"),
    ("de", "phone", "light"),
    ("en", "desktop", "dark"),
]
BACK = "http://127.0.0.1:9/app/oidc/back"


@pytest.fixture(scope="module")
def server():
    inbox = Inbox(Archive(None), inbox_texts())
    mail = EmailMessage()
    mail["To"], mail["Subject"], mail["Content-Language"] = "a.claes@hospital.example", "Votre accès", "fr"
    mail.set_content("Bonjour\n\nhttp://127.0.0.1:8091/app/password#" + "x" * 43 + "\n")
    inbox._keep(mail.as_bytes())
    people = [
        Someone("peeters", "Jan Peeters", "79082399728"),
        Someone("claes", "Mieke Claes", "64111799810"),
    ]
    provider = IdentityProvider("http://127.0.0.1:9/identity", people, identity_texts(), callback=BACK)
    with running_server(identity=provider, inbox=inbox) as running:
        yield running


def asked(lang: str) -> str:
    query = {
        "client_id": CLIENT,
        "response_type": "code",
        "redirect_uri": BACK,
        "code_challenge": "c",
        "code_challenge_method": "S256",
        "ui_locales": lang,
    }
    return f"/identity/authorize?{urlencode(query)}"


@pytest.mark.parametrize(("lang", "width", "scheme"), LOOKS)
def test_each_can_be_read_by_everybody_and_looks_like_the_rest(server, open_page, lang, width, scheme):
    page = open_page(f"{server.url}/inbox?lang={lang}", width=width, scheme=scheme, language="en-GB")
    for address, inside in ((page.url, "article"), (f"{server.url}{asked(lang)}", "li")):
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("lang", lang)
        expect(page.locator(inside).first).to_be_visible()
        assert violations(page, as_it_is=True) == []
        ground, wide = page.evaluate(
            "[getComputedStyle(document.documentElement).backgroundColor, document.documentElement.scrollWidth > innerWidth]"
        )
        assert ground == ("rgb(12, 20, 22)" if scheme == "dark" else "rgb(234, 242, 238)")
        assert not wide, "nothing stands out of the window"

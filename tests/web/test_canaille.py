"""The log-in against an identity provider that is not ours: Canaille, in a process of its own, over real HTTP.

What a provider can do wrong is tried out with the demo's hostile one (`test_binding.py`); here is what only somebody else's shows: that
our side of OpenID Connect is understood, and understands what it is told, where neither was written for the other.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import subprocess
import sys
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from bot.access import registerfile
from bot.access.rows import BINDINGS, SESSIONS
from bot.demo.testing import running_server
from bot.sample import NUMBERS, register_file
from bot.settings import Settings
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.web.oidc import NotProved, Proof, Provider, ProviderSettings
from playwright.sync_api import Page, expect
from sqlalchemy import select
from tests import databases
from tests.web.conftest import free_port, running
from tests.web.test_binding import Hospital, offered
from tests.web.test_pages_browser import address

pytestmark = pytest.mark.browser

SECRET = "a-secret-of-both-sides-31"
HIGH = "urn:hospital:card"
CLIENT, WITHOUT_ACR = "accessbot", "accessbot-without-acr"
ANNE = {
    "username": "adelcourt",
    "password": "tabouret-sous-la-pluie-8",
    "name": "Anne Delcourt",
    "number": NUMBERS["delcourt"],
}
T = TypeVar("T")
ACCEPT = 'button[name="answer"][value="accept"]'


@dataclass
class Canaille:
    """The provider's process, which answers back to our `callback`."""

    callback: str
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[str] | None = None

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def starts(self) -> None:
        script = Path(__file__).with_name("canaille_process.py")
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        clients = {CLIENT: HIGH, WITHOUT_ACR: None}
        told = {"port": self.port, "secret": SECRET, "callback": self.callback, "clients": clients}
        self._process.stdin.write(json.dumps({**told, "people": [ANNE]}))
        self._process.stdin.close()
        assert self._process.stdout.readline() == "ready\n"

    def stops(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._process.stdout.close()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Away for a while; afterwards it is back at the same address."""
        self.stops()
        try:
            yield
        finally:
            self.starts()

    def settings(self, client: str = CLIENT, secret: str = SECRET) -> ProviderSettings:
        """What the operator sets; the national number comes in a claim that this provider has."""
        return ProviderSettings(
            self.issuer, client, secret, frozenset([HIGH]), "preferred_username", "openid profile", "Canaille"
        )


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Canaille, Hospital]]:
    """A house that knows this provider, and the provider."""
    folder = tmp_path_factory.mktemp("canaille")
    port = free_port()
    pages = f"http://127.0.0.1:{port}"
    canaille = Canaille(f"{pages}/app/oidc/back")
    canaille.starts()
    root, now = new_root_key(), datetime.now(UTC)
    file = folder / "sample.toml"
    file.write_text(register_file(now.date()), encoding="utf-8")
    try:
        with databases.sqlite(folder) as url, running_server() as server:
            database, keyring = Database(url), Keyring.of(root)
            registerfile.load(database, keyring, file, today=now.date(), now=now)
            agreed = canaille.settings()
            settings = Settings(
                telegram_token=server.token,
                telegram_api_url=server.url,
                database_url=url,
                root_key=root,
                public_url=pages,
                listen=f"127.0.0.1:{port}",
                oidc_issuer=agreed.issuer,
                oidc_client_id=agreed.client_id,
                oidc_client_secret=agreed.client_secret,
                oidc_acr=HIGH,
                oidc_number_claim=agreed.number_claim,
                oidc_scopes=agreed.scopes,
                oidc_name=agreed.name,
            )
            with running(settings, ()):
                house = Hospital(server, database, keyring, pages)
                yield canaille, house
                for http in house.browsers:
                    http.close()
            database.close()
    finally:
        canaille.stops()


def logs_in(page: Page) -> None:
    """Anne at Canaille's own form, and her consent."""
    page.locator("#login").fill(ANNE["username"])
    page.locator("#login").press("Enter")
    page.locator("#password").fill(ANNE["password"])
    page.locator("#password").press("Enter")
    page.locator(ACCEPT).click()


def test_somebody_logs_in_at_the_providers_own_form_and_the_number_tapped_in_the_chat_opens_his_session(
    standing, open_page
):
    canaille, house = standing
    anne, _ = house.stranger("Anne")
    page = open_page(address(house, anne, "login"), language="fr-BE")
    page.wait_for_url(re.compile("/app/login/form$"))
    away = page.get_by_role("link", name="Se connecter via Canaille").get_attribute("href")
    theirs = "directive 'default-src 'self''"  # Canaille's pages break their own policy; ours is another
    outside = open_page(f"{house.pages}{away}", language="fr-BE", width="phone", allowed=(theirs,))
    assert outside.url.startswith(f"{canaille.issuer}/")
    logs_in(outside)
    expect(outside).to_have_url(f"{house.pages}/app/link/form")
    expect(outside.locator("main")).to_contain_text("Anne Delcourt")
    outside.locator("main form button.main:visible").first.click()
    number = outside.locator(".number strong").inner_text()
    assert number in offered(anne)
    anne.taps(number)
    anne.waits_for("Bonjour Anne Delcourt")
    expect(outside.locator(".done")).to_be_visible()  # the page goes on by itself
    with house.database.read() as connection:
        bound = select(BINDINGS.c.how, BINDINGS.c.scope_entity_id)
        session = select(SESSIONS.c.how, SESSIONS.c.scope_entity_id).where(SESSIONS.c.ended_at.is_(None))
        assert [tuple(row) for row in connection.execute(bound)] == [("oidc", None)]
        assert [tuple(row) for row in connection.execute(session)] == [("oidc", None)]


def test_while_the_provider_is_stopped_the_page_says_so_and_the_log_in_works_once_it_is_back(standing):
    canaille, house = standing
    _, browser = house.stranger("Jan")
    with canaille.stopped():
        _, page = house.at_the_provider(browser)
        assert (page.status_code, "Canaille ne répond pas" in page.text) == (502, True)
    _, page = house.at_the_provider(browser)
    assert (page.status_code, str(page.url)) == (200, f"{canaille.issuer}/login")


# -- what the provider gives, taken by our side of the exchange -------------------------------------------


def proves(canaille: Canaille, asked: ProviderSettings, browser: httpx.Client) -> Proof:
    """What comes of Anne's log-in for a client with these settings, without a page of ours in between."""
    provider, state = Provider(asked, canaille.callback, b"k" * 32), secrets.token_urlsafe(32)
    page = follows(browser, browser.get(apart(provider.begins(state, "fr"))), canaille.callback)
    for filled in ({"login": ANNE["username"]}, {"password": ANNE["password"]}, {"answer": "accept"}):
        if page.next_request is not None:
            break  # she consented in another test
        sent = browser.post(page.url, data={"csrf_token": csrf(page), **filled})
        page = follows(browser, sent, canaille.callback)
    answer = httpx.URL(page.headers["location"])
    assert str(answer).startswith(f"{canaille.callback}?")
    return apart(provider.proves(state, dict(answer.params), datetime.now(UTC)))


def follows(browser: httpx.Client, page: httpx.Response, end: str) -> httpx.Response:
    """The page that redirects lead to; the redirect itself where it leads back to us."""
    while page.next_request is not None and not str(page.next_request.url).startswith(end):
        page = browser.send(page.next_request)
    return page


def csrf(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def apart(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: the browser of this module has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as http:
        yield http


def test_what_the_provider_signed_proves_the_number(standing, browser):
    canaille, _ = standing
    assert proves(canaille, canaille.settings(), browser).number == ANNE["number"]


@pytest.mark.parametrize(
    ("client", "secret", "reason"),
    [
        (CLIENT, "not-the-secret-of-both", "/oauth/token: HTTP 401"),
        (WITHOUT_ACR, SECRET, "acr"),
    ],
    ids=["a wrong secret", "no level of assurance"],
)
def test_the_providers_answer_proves_nothing_with(standing, browser, client, secret, reason):
    canaille, _ = standing
    with pytest.raises(NotProved, match=rf"{reason}$"):
        proves(canaille, canaille.settings(client, secret), browser)

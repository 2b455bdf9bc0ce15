"""Linking a Telegram account on a private page, over real HTTP: the good way in, and every answer that must bind nobody."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
import uvicorn
from bot.access import proofs
from bot.access.credentials import PasswordPolicy
from bot.access.rows import ACCOUNTS, BINDINGS, ENTITIES, IDENTITIES, PROFILES, SESSIONS
from bot.demo.identity import ACR, CLIENT, FAULTS, SECRET, IdentityProvider, Someone
from bot.demo.testing import Person, running_server
from bot.sample import NUMBERS
from bot.settings import Settings
from bot.store.tables import AuditEntry, core
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.snapshots import root_key
from tests.web.conftest import Browser, House, free_port, init_data, on_both, running, sampled

ENTRIES = core(AuditEntry)
PASSWORD = "schubkarre-am-morgen-17"
PEOPLE = (
    Someone("delcourt", "Anne Delcourt", NUMBERS["delcourt"]),
    Someone("claes", "Bram Claes", NUMBERS["claes"]),
    Someone("nobody", "Tom Vermeulen", "01.09.22-997.08"),
)


@contextmanager
def serving(provider_at) -> Iterator[IdentityProvider]:
    """An identity provider on a loopback port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        provider = provider_at(f"http://127.0.0.1:{listening.getsockname()[1]}/identity")
        app = Starlette(routes=[Mount("/identity", routes=provider.routes())])
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        try:
            yield provider
        finally:
            server.should_exit = server.force_exit = True
            thread.join(10)


@dataclass
class Hospital(House):
    """The running program with an identity provider beside it."""

    provider: IdentityProvider | None = None

    def stranger(self, first_name: str) -> tuple[Person, Browser]:
        """Somebody whom nobody invited, with his Mini App open at *Se connecter*."""
        who = self.telegram.person(first_name)
        who.starts()
        who.waits_for("Cet assistant")
        browser = self.browser(who)
        browser.opens("login")
        return who, browser

    def outside(self) -> httpx.Client:
        """The browser outside of Telegram: another cookie jar."""
        http = httpx.Client(base_url=self.pages, follow_redirects=True, trust_env=False, timeout=20)
        self.browsers.append(http)
        return http

    def at_the_provider(self, browser: Browser) -> tuple[httpx.Client, httpx.Response]:
        """The provider's page, reached by the link of the Mini App's page."""
        link = re.search(r'href="(/app/oidc/go\?state=[\w-]+)"', browser.page.text)
        assert link, browser.text
        http = self.outside()
        return http, http.get(link[1])

    def proves(self, browser: Browser, person: str) -> tuple[httpx.Client, httpx.Response]:
        """Chooses a person at the provider; what our page says after it."""
        http, page = self.at_the_provider(browser)
        choice = re.search(rf'href="(choose\?[^"]*person={person})"', page.text)
        assert choice, page.text
        return http, http.get(str(page.url.join(choice[1].replace("&amp;", "&"))))

    def bindings(self) -> list[tuple[str, str | None, str]]:
        """Who is bound now: the person's key, the entity's key and how."""
        with self.database.read() as connection:
            query = (
                select(IDENTITIES.c.key, ENTITIES.c.key.label("entity"), BINDINGS.c.how)
                .join(IDENTITIES, IDENTITIES.c.id == BINDINGS.c.identity_id)
                .join(ENTITIES, ENTITIES.c.id == BINDINGS.c.scope_entity_id, isouter=True)
                .where(BINDINGS.c.ended_at.is_(None))
                .order_by(BINDINGS.c.bound_at)
            )
            return [tuple(row) for row in connection.execute(query)]

    def noted(self) -> list[str]:
        """The acts in the audit trail, the loading of the register apart."""
        with self.database.read() as connection:
            acts = connection.execute(select(ENTRIES.c.act).order_by(ENTRIES.c.at)).scalars()
            return [act for act in acts if act in {"bind", "link-refused"}]

    def gives_password(self, person: str) -> str:
        """A password for the person's account; its user name."""
        with self.database.write() as connection:
            query = (
                select(ACCOUNTS.c.id, ACCOUNTS.c.username)
                .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
                .join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id)
                .where(IDENTITIES.c.key == person)
            )
            account = connection.execute(query).one()
            now = datetime.now(UTC)
            proofs.set_password(connection, self.keyring, account.id, PASSWORD, PasswordPolicy(), now)
            return account.username

    def gives_app(self, person: str) -> pyotp.TOTP:
        with self.database.write() as connection:
            now = datetime.now(UTC)
            query = select(IDENTITIES.c.id).where(IDENTITIES.c.key == person)
            identity = connection.execute(query).scalar_one()
            made = proofs.enrol(connection, self.keyring, identity, None, now)
            app = pyotp.TOTP(made.secret)
            assert proofs.confirm(connection, self.keyring, identity, app.now(), now)
            return app


@pytest.fixture
def hospital(database_url: str, tmp_path) -> Iterator[Hospital]:
    root, port = root_key(), free_port()
    database, keyring = sampled(database_url, tmp_path)
    pages = f"http://127.0.0.1:{port}"

    def provider_at(issuer: str) -> IdentityProvider:
        return IdentityProvider(issuer, PEOPLE, callback=f"{pages}/app/oidc/back", slowness=60)

    with serving(provider_at) as provider, running_server() as server:
        settings = Settings(
            telegram_token=server.token,
            telegram_api_url=server.url,
            database_url=database_url,
            root_key=root,
            public_url=pages,
            listen=f"127.0.0.1:{port}",
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_client_secret=SECRET,
            oidc_acr=f"{ACR}, another-high",
        )
        with running(settings, ()):
            hospital = Hospital(server, database, keyring, pages, provider=provider)
            yield hospital
            for http in hospital.browsers:
                http.close()
    database.close()


def seal(page: httpx.Response) -> str:
    return re.search(r'name="seal" value="([0-9a-f]{64})"', page.text)[1]


def confirms(http: httpx.Client, page: httpx.Response) -> tuple[httpx.Response, str]:
    """The person goes on; the page with the number, and the number."""
    page = http.post("/app/link/form", data={"seal": seal(page), "yes": "yes"})
    return page, re.search(r'class="number"><strong>(\d+)<', page.text)[1]


def offered(who: Person) -> list[str]:
    return [label for label in who.waits_for("Quel nombre").labels if label.isdecimal()]


# -- the good way ---------------------------------------------------------------------------------


@on_both
def test_somebody_without_an_invitation_comes_in_by_the_identity_provider_with_all_his_entities(hospital):
    anne, browser = hospital.stranger("Anne")
    assert "Se connecter via CSAM" in browser.text
    http, page = hospital.proves(browser, "delcourt")
    assert "Anne Delcourt" in page.text  # both ends: the person, and how Telegram calls the account
    assert "Compte Telegram" in page.text
    page, number = confirms(http, page)
    assert page.headers["refresh"]
    assert hospital.bindings() == []
    numbers = offered(anne)
    assert (len(numbers), number in numbers) == (6, True)
    anne.taps(number)
    home = anne.waits_for("Bonjour Anne Delcourt")
    assert "Hôpitaux du Midi" in home.text
    assert "Clinique Sainte-Aube" in home.text
    assert hospital.bindings() == [("delcourt", None, "oidc")]
    assert hospital.noted() == ["bind"]
    assert "est relié" in http.get("/app/link/form").text


def test_a_user_name_and_a_password_open_the_entity_of_that_account_only(hospital):
    username = hospital.gives_password("peeters")
    jan, browser = hospital.stranger("Jan")
    wrong = browser.sends("login", way="password", username=username, password="not this one at all")
    assert (wrong.status_code, "Cela ne correspond pas" in browser.text) == (422, True)
    browser.sends("login", way="password", username=username, password=PASSWORD)
    assert "Jan Peeters" in browser.text
    _, number = confirms(browser.http, browser.page)
    assert number in offered(jan)
    jan.taps(number)
    jan.waits_for("Bonjour Jan Peeters")
    assert hospital.bindings() == [("peeters", "midi", "password")]


@on_both
def test_whoever_has_an_app_gives_its_code_with_the_password(hospital):
    username = hospital.gives_password("peeters")
    app = hospital.gives_app("peeters")
    jan, browser = hospital.stranger("Jan")
    account = {"username": username, "password": PASSWORD}
    assert browser.sends("login", way="password", **account).status_code == 422
    assert browser.sends("login", way="code", **account, code="000000").status_code == 422
    next_code = app.at(int(time.time()) + 30)  # the one of this step was used to enrol
    browser.sends("login", way="code", **account, code=next_code)
    _, number = confirms(browser.http, browser.page)
    offered(jan)
    jan.taps(number)
    jan.waits_for("Bonjour Jan Peeters")
    assert hospital.bindings() == [("peeters", "midi", "totp")]


@on_both
def test_a_locked_chat_opens_by_the_identity_provider_and_as_wide_as_that(hospital):
    anne = hospital.enters("Anne", "delcourt")
    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser = hospital.browser(anne)
    browser.opens("login")
    http, page = hospital.proves(browser, "delcourt")
    _, number = confirms(http, page)
    offered(anne)
    anne.taps(number)
    anne.waits_for("Bonjour Anne Delcourt")
    with hospital.database.read() as connection:
        query = select(SESSIONS.c.how, SESSIONS.c.scope_entity_id).where(SESSIONS.c.ended_at.is_(None))
        assert [tuple(row) for row in connection.execute(query)] == [("oidc", None)]


# -- a stolen link ----------------------------------------------------------------------------------


def test_a_wrong_number_binds_nobody_is_noted_and_there_is_no_second_try(hospital):
    anne, browser = hospital.stranger("Anne")
    http, page = hospital.proves(browser, "delcourt")
    _, number = confirms(http, page)
    wrong = next(each for each in offered(anne) if each != number)
    anne.taps(wrong)
    after = anne.waits_for("rien n'a été relié")
    assert number not in after.labels
    assert (hospital.bindings(), hospital.noted()) == ([], ["link-refused"])
    assert "Rien n'a été relié" in http.get("/app/link/form").text.replace("&#39;", "'")


def test_a_number_that_is_typed_is_no_try(hospital):
    anne, browser = hospital.stranger("Anne")
    http, page = hospital.proves(browser, "delcourt")
    _, number = confirms(http, page)
    offered(anne)
    anne.says("1")
    anne.waits_for("se touche et ne se tape pas")
    anne.taps(number)
    anne.waits_for("Bonjour Anne Delcourt")


def test_the_chat_asks_for_no_number_before_the_person_has_read_both_ends(hospital):
    anne, browser = hospital.stranger("Anne")
    hospital.proves(browser, "delcourt")
    anne.says("/link")
    assert "Plus rien n'est en attente ici" in anne.waits_for("Plus rien").text


def test_the_number_of_one_chat_is_asked_in_no_other(hospital):
    mallory, attacker = hospital.stranger("Mallory")
    anne, _ = hospital.stranger("Anne")
    user = json.dumps({"id": mallory.id, "first_name": "Mallory", "language_code": "fr"})
    attacker.opens("login", init_data(hospital.telegram.token, mallory.id, user=user))
    http, page = hospital.proves(attacker, "delcourt")
    assert "Mallory" in page.text  # the victim sees whose account it would be
    confirms(http, page)
    anne.says("/link")
    anne.waits_for("Plus rien n'est en attente ici")
    assert hospital.bindings() == []


def test_an_account_that_stands_for_somebody_stands_for_nobody_else(hospital):
    anne = hospital.enters("Anne", "delcourt")
    anne.says("/lock")
    anne.waits_for("prouvez d")
    browser = hospital.browser(anne)
    browser.opens("login")
    _, page = hospital.proves(browser, "claes")
    assert page.status_code == 403
    assert hospital.bindings() == [("delcourt", None, "invitation")]


# -- the provider's answers that prove nothing ------------------------------------------------------

AWAY = {"down", "slow", "garbage", "other_issuer"}


def test_an_answer_that_is_wrong_in_one_thing_binds_nobody(hospital):
    _, browser = hospital.stranger("Anne")
    came: dict[str, tuple[int, bool]] = {}
    for fault in sorted(FAULTS - AWAY):
        browser.opens("login")
        hospital.provider.fault = fault
        _, page = hospital.proves(browser, "delcourt")
        came[fault] = (page.status_code, "confirmé qui vous êtes" in page.text)
    assert came == dict.fromkeys(sorted(FAULTS - AWAY), (403, True))
    browser.opens("login")
    hospital.provider.fault = ""
    _, page = hospital.proves(browser, "delcourt")
    assert page.status_code == 200  # it was the faults alone
    assert hospital.bindings() == []


def test_a_provider_that_is_away_is_said_in_one_sentence_and_the_other_ways_stay(hospital):
    username = hospital.gives_password("peeters")
    _, browser = hospital.stranger("Jan")
    came: dict[str, tuple[int, bool]] = {}
    for fault in sorted(AWAY):
        hospital.provider.fault = fault
        began = time.monotonic()
        _, page = hospital.at_the_provider(browser)
        came[fault] = (page.status_code, "ne répond pas" in page.text)
        assert time.monotonic() - began < 15
    assert came == dict.fromkeys(sorted(AWAY), (502, True))
    browser.sends("login", way="password", username=username, password=PASSWORD)
    assert "Jan Peeters" in browser.text


def test_an_answer_is_good_once(hospital):
    _, browser = hospital.stranger("Anne")
    _, page = hospital.proves(browser, "delcourt")
    answer = next(str(each.url) for each in page.history if "/app/oidc/back" in str(each.url))
    again = hospital.outside().get(answer)
    assert (again.status_code, "déjà servi" in again.text) == (403, True)


def test_a_code_of_another_log_in_is_refused(hospital):
    _, browser = hospital.stranger("Anne")
    _, page = hospital.proves(browser, "delcourt")
    answer = next(str(each.url) for each in page.history if "/app/oidc/back" in str(each.url))
    code = parse_qs(urlsplit(answer).query)["code"][0]
    _, other = hospital.stranger("Mallory")
    state = re.search(r"go\?state=([\w-]+)", other.page.text)[1]
    back = hospital.outside().get("/app/oidc/back", params={"state": state, "code": code})
    assert back.status_code == 403
    assert hospital.bindings() == []


def test_somebody_whom_the_register_does_not_know_stays_a_stranger(hospital):
    _, browser = hospital.stranger("Tom")
    _, page = hospital.proves(browser, "nobody")
    assert page.status_code == 403
    assert "connue de cet assistant" in page.text


def test_a_state_that_nobody_gave_leads_nowhere(hospital):
    http = hospital.outside()
    assert http.get("/app/oidc/go", params={"state": "x" * 43}).status_code == 403
    assert http.get("/app/oidc/back", params={"state": "x" * 43, "code": "y"}).status_code == 403
    assert http.get("/app/link/form").status_code == 403


def test_both_ends_are_confirmed_on_the_page_itself_only(hospital):
    anne, browser = hospital.stranger("Anne")
    http, _ = hospital.proves(browser, "delcourt")
    assert http.post("/app/link/form", data={"seal": "0" * 64, "yes": "yes"}).status_code == 403
    anne.says("/link")
    anne.waits_for("Plus rien n'est en attente ici")

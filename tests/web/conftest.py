"""The private pages as they run: the whole program, the local Telegram, and a browser without a screen (httpx)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from bot import app
from bot.access import invitations
from bot.access.rows import ACCOUNTS, IDENTITIES, PASSWORDS, PROFILES
from bot.demo.testing import Person, RunningServer, running_server
from bot.demotexts import page_texts
from bot.sample import register_file
from bot.settings import Settings
from bot.store.database import Database
from bot.store.keys import Keyring
from sqlalchemy import delete, select
from tests import databases
from tests.conftest import BOTH
from tests.snapshots import load_once, root_key


def init_data(token: str, telegram_id: int, *, made: float | None = None, **more: str) -> str:
    """What Telegram hands to a Mini App, made here anew from its documentation."""
    user = {"id": telegram_id, "first_name": "Anne", "language_code": "fr"}
    fields = {
        "auth_date": str(int(made if made is not None else time.time())),
        "query_id": hashlib.sha256(str(time.time_ns()).encode()).hexdigest()[:16],
        "signature": "c2lnbmF0dXJl",
        "user": json.dumps(user, separators=(",", ":")),
        **more,
    }
    check = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    secret = hmac.new(b"WebAppData", token.encode(), hashlib.sha256).digest()
    return urlencode({**fields, "hash": hmac.new(secret, check.encode(), hashlib.sha256).hexdigest()})


@dataclass
class Browser:
    """Somebody's Mini App: follows redirects, keeps cookies, fills in forms as they stand on the page."""

    http: httpx.Client
    token: str
    telegram_id: int
    page: httpx.Response | None = None

    def opens(self, page: str, data: str | None = None) -> httpx.Response:
        handed = init_data(self.token, self.telegram_id) if data is None else data
        self.page = self.http.post("/app/enter", data={"page": page, "init_data": handed})
        return self.page

    @property
    def text(self) -> str:
        """The page as read, without markup and no-break spaces."""
        assert self.page is not None
        bare = re.sub(r"<[^>]+>", " ", self.page.text)
        return " ".join(html.unescape(bare).replace("\xa0", " ").split())

    def seal(self) -> str:
        assert self.page is not None
        found = re.search(r'name="seal" value="([0-9a-f]{64})"', self.page.text)
        assert found, self.text
        return found[1]

    def sends(self, page: str, **form: str) -> httpx.Response:
        self.page = self.http.post(f"/app/{page}/form", data={"seal": self.seal(), **form})
        return self.page


@dataclass
class House:
    """The running program, with everybody's way in."""

    telegram: RunningServer
    database: Database
    keyring: Keyring
    pages: str
    browsers: list[httpx.Client] = field(default_factory=list)

    def invites(self, person: str, *, beside: bool = False) -> str:
        """The code for somebody who was never here: what he left in an earlier test of a standing house is gone.

        `beside`: for one more Telegram account of his.
        """
        with self.database.write() as connection:
            if beside:
                return invitations.invite(connection, self.keyring, person, datetime.now(UTC), lang="fr")
            invitations.unbind(connection, self.keyring, person, datetime.now(UTC))
            of_person = (
                select(ACCOUNTS.c.id)
                .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
                .join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id)
                .where(IDENTITIES.c.key == person)
            )
            connection.execute(delete(PASSWORDS).where(PASSWORDS.c.account_id.in_(of_person)))
            return invitations.invite(connection, self.keyring, person, datetime.now(UTC), lang="fr")

    def enters(
        self,
        first_name: str,
        person: str,
        *,
        number: int | None = None,
        beside: bool = False,
        later: bool = True,
    ) -> Person:
        """Somebody who came in by an invitation and sees home; without `later` he stands before the last step of the welcome."""
        who = self.telegram.person(first_name, number=number)
        who.starts(self.invites(person, beside=beside))
        who.taps("Français")
        who.settles()
        who.taps("J")
        if later:
            who.taps("Plus tard")  # the way back after a lock can wait
            who.waits_for("Bonjour")
        return who

    def browser(self, person: Person) -> Browser:
        http = httpx.Client(base_url=self.pages, follow_redirects=True, trust_env=False, timeout=20)
        self.browsers.append(http)
        return Browser(http, self.telegram.token, person.id)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def running(settings: Settings, frames: tuple[str, ...]) -> Iterator[None]:
    loop, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(app.run(settings, stop, ready=lambda _: ready.set(), frames=frames))
        except Exception as error:
            failures.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
    assert failures == []


def sampled(database_url: str, folder: Path) -> tuple[Database, Keyring]:
    """The database with the sample register in it, under the root key of this process."""
    now = datetime.now(UTC)
    database, keyring = Database(database_url), Keyring.of(root_key())
    load_once(database, keyring, folder, register_file(now.date()), today=now.date(), now=now)
    return database, keyring


@contextmanager
def housed(database_url: str, folder: Path) -> Iterator[House]:
    root, port = root_key(), free_port()
    database, keyring = sampled(database_url, folder)
    with running_server(texts=page_texts()) as server:
        settings = Settings(
            telegram_token=server.token,
            telegram_api_url=server.url,
            database_url=database_url,
            root_key=root,
            public_url=f"http://127.0.0.1:{port}",
            listen=f"127.0.0.1:{port}",
        )
        with running(settings, frames=(server.url,)):
            house = House(server, database, keyring, f"http://127.0.0.1:{port}")
            yield house
            for http in house.browsers:
                http.close()
    database.close()


on_both = pytest.mark.parametrize("database_url", BOTH, indirect=True)
"""For the tests whose SQL is dear: every act that a page calls has tests of its own on both databases."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    wanted = getattr(request, "param", "sqlite")
    with databases.sqlite(tmp_path) if wanted == "sqlite" else databases.postgres() as url:
        yield url


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A house of this test alone, on SQLite; on either database for the tests that say so."""
    with housed(database_url, tmp_path) as house:
        yield house


@pytest.fixture(scope="module")
def standing_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house, on SQLite, for all tests of a module: to start one costs more than most tests. Each test's people come in anew."""
    folder = tmp_path_factory.mktemp("house")
    with databases.sqlite(folder) as url, housed(url, folder) as house:
        yield house

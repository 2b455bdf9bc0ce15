"""The demo as one program: it fills its folder, comes back as it was, and keeps away from anything real."""

from __future__ import annotations

import asyncio
import html
import re
import threading
import time
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
from bot import trial
from bot.demo.server import bind
from bot.demo.testing import Person
from bot.demotexts import identity_texts, inbox_texts
from bot.errors import OperatorError
from bot.settings import PREFIX, Settings
from httpx import Client


@contextmanager
def running_demo(folder, **options):
    """The demo in a thread of its own; gives a way to speak to its server."""
    loop, stop, up = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
    said: list[object] = []

    def ready(url):
        said.append(url)
        up.set()

    def work():
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(trial.run(stop, folder=folder, environment={}, ready=ready, **options))
        except Exception as error:
            said.append(error)
        finally:
            up.set()
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert up.wait(30)
    try:
        with Client(base_url=str(said[0]), timeout=40, trust_env=False) as http:
            yield http
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
    assert not [fault for fault in said if isinstance(fault, Exception)]


def visitors(http):
    return {facts["id"]: facts for facts in http.get("/client/people").json()["people"]}


def refusal(folder, **options):
    running = trial.run(asyncio.Event(), folder=folder, **{"environment": {}, **options})
    with pytest.raises(OperatorError) as refused:
        asyncio.run(asyncio.wait_for(running, 20))
    return str(refused.value)


def test_a_guest_comes_in_by_the_invitation_and_is_still_known_after_a_restart(tmp_path):
    with running_demo(tmp_path / "demo", port=0) as http:
        everybody = visitors(http)
        assert [bool(facts["invitation"]) for facts in everybody.values()] == [True] * 5 + [False]
        assert all(set(facts["role"]) == {"fr", "nl", "de", "en"} for facts in everybody.values())
        bram = Person(http, everybody[1002])
        bram.starts(everybody[1002]["invitation"])
        bram.taps("Nederlands")
        bram.taps("Gelezen, doorgaan")
        bram.taps("Later")
        home = bram.waits_for("Bram Claes").text
    with running_demo(tmp_path / "demo", port=0) as http:
        everybody = visitors(http)
        assert everybody[1002]["invitation"] is None
        assert everybody[1001]["invitation"]
        bram = Person(http, everybody[1002])
        assert bram.card().text == home
        bram.taps("Toegang geven")
        bram.waits_for("Voor welke entiteit?")
    with running_demo(tmp_path / "demo", port=0, reset=True) as http:
        everybody = visitors(http)
        assert everybody[1002]["invitation"]
        assert Person(http, everybody[1002]).chat == []


def test_the_demo_offers_an_identity_provider_that_says_what_it_is_in_four_languages(tmp_path):
    with running_demo(tmp_path / "demo", port=0) as http:
        metadata = http.get("/identity/.well-known/openid-configuration").json()
        assert metadata["issuer"] == f"{str(http.base_url).rstrip('/')}/identity"
        heidi = Person(http, visitors(http)[1003])
        heidi.starts()
        heidi.waits_for("Assistent")
        button = next(each for row in heidi.card().rows for each in row if "web_app" in each)
        opened = http.post("/client/people/1003/apps", json={"url": button["web_app"]["url"]}).json()["url"]
        page, handed = opened.split("#")
        pages = page.removesuffix("/app/login")
        with Client(base_url=pages, timeout=40, trust_env=False, follow_redirects=True) as app:
            form = {"page": "login", "init_data": parse_qs(handed)["tgWebAppData"][0]}
            ways = app.post("/app/enter", data=form).text
            there = Client(timeout=40, trust_env=False, follow_redirects=True)
            address = re.search(r'"(/app/oidc/go[^"]+)"', ways)[1]
            for lang in ("fr", "nl", "de", "en"):
                shown = there.get(f"{pages}{address}")
                words = identity_texts()[lang]
                shown = there.get(shown.url.copy_set_param("ui_locales", lang))
                assert html.escape(words["warning"]) in shown.text
            choice = re.search(r'"(choose[^"]+person=kessel)"', shown.text)[1].replace("&amp;", "&")
            ends = there.get(shown.url.join(choice))
            assert "Heidi Kessel" in ends.text
            seal = re.search(r'name="seal" value="([0-9a-f]+)"', ends.text)[1]
            number = there.post(f"{pages}/app/link/form", data={"seal": seal}).text
            heidi.waits_for("Welche Zahl")
            heidi.taps(re.search(r'class="number"><strong>(\d+)', number)[1])
            heidi.waits_for("Heidi Kessel")
            there.close()


def test_an_invited_user_reads_his_mail_beside_the_chats_and_its_link_leads_to_his_password(tmp_path):
    with running_demo(tmp_path / "demo", port=0) as http:
        for lang in ("fr", "nl", "de", "en"):
            words = {key: html.escape(text) for key, text in inbox_texts()[lang].items()}
            page = http.get(f"/inbox?lang={lang}").text
            assert [key for key, text in words.items() if key != "to" and text not in page] == []
        everybody = visitors(http)
        bram = Person(http, everybody[1002])
        bram.starts(everybody[1002]["invitation"])
        bram.taps("Nederlands")
        bram.taps("Gelezen, doorgaan")
        bram.taps("Later")
        bram.waits_for("Bram Claes")
        bram.says("/status jpeeters")
        bram.waits_for("gevonden")
        bram.taps("Peeters Jan · Cardiologie")
        bram.waits_for("Status")
        bram.taps("✉ Uitnodigen")
        bram.waits_for("Hoe krijgt de persoon")
        bram.taps("Per e-mail")
        bram.waits_for("Overzicht")
        bram.taps("Bevestigen")
        bram.waits_for("per e-mail verstuurd")
        address = _waits_for_mail(http)
        pages, token = address.split("/app/password#")
        assert "Peeters Jan &lt;peeters@example.org&gt;" in http.get("/inbox").text
        with Client(base_url=pages, timeout=40, trust_env=False, follow_redirects=True) as browser:
            form = browser.post("/app/password/enter", data={"token": token})
            assert "jpeeters" in form.text
    with running_demo(tmp_path / "demo", port=0) as http:
        assert address in http.get("/inbox").text, "over a restart too"


def _waits_for_mail(http) -> str:
    """The link of the first mail, as the page has it."""
    for _ in range(100):
        found = re.search(r'href="(http[^"]+/app/password#[^"]+)"', http.get("/inbox").text)
        if found:
            return found[1]
        time.sleep(0.1)
    raise AssertionError("no mail came")


def test_the_root_key_of_the_demo_is_for_its_owner_alone(tmp_path):
    trial.settings_for(tmp_path)
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600


def test_nothing_real_of_the_environment_reaches_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCESSBOT_DATABASE_URL", "postgresql://somebody@example.org/real")
    monkeypatch.setenv("ACCESSBOT_ROOT_KEY", "abk1:real")
    monkeypatch.setenv("ACCESSBOT_UPDATES", "webhook")
    monkeypatch.setenv("ACCESSBOT_SMTP_HOST", "mail.hospital.example")
    monkeypatch.setenv("ACCESSBOT_SMTP_USER", "real")
    monkeypatch.setenv("ACCESSBOT_ACTIVATION_DELAY", "1200")
    settings = trial.settings_for(tmp_path)
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path / 'accessbot.db'}"
    assert settings.keyring().versions == (1,)
    assert (settings.smtp_host, settings.smtp_user) == (None, None)
    assert (settings.updates, settings.activation_delay) == ("polling", trial.ACTIVATION_SECONDS)


def test_no_variable_of_the_environment_changes_or_stops_the_demo(tmp_path, monkeypatch):
    without = trial.settings_for(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", "?")
    assert trial.settings_for(tmp_path) == without
    assert (without.audit_anchors, without.telegram_api_url) == (None, "https://api.telegram.org")


def test_a_real_token_is_refused_in_one_line(tmp_path):
    token = "7000000001:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc"
    said = refusal(tmp_path, environment={"ACCESSBOT_TELEGRAM_TOKEN": token})
    assert said.startswith("ACCESSBOT_TELEGRAM_TOKEN holds a real token")
    assert token not in said
    assert list(tmp_path.iterdir()) == []


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path):
    with running_demo(tmp_path, port=0):
        assert "running" in refusal(tmp_path, port=0)


def test_a_port_that_is_taken_is_refused_when_it_was_asked_for_and_avoided_when_it_was_not(tmp_path):
    taken = bind(0)
    taken.listen()
    number = taken.getsockname()[1]
    assert refusal(tmp_path, port=number).startswith(f"Port {number} cannot be used")
    taken.close()
    usual = None
    try:
        usual = bind(trial.PORT)
        usual.listen()
    except Exception:  # somebody else has it: just as well
        usual = None
    with running_demo(tmp_path) as http:
        assert http.base_url.port != trial.PORT
    if usual:
        usual.close()

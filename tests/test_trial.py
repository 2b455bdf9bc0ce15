"""The demo as one program: it fills its folder, comes back as it was, and keeps away from anything real."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import pytest
from bot import trial
from bot.demo.server import bind
from bot.demo.testing import Person
from bot.errors import OperatorError
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


def test_the_root_key_of_the_demo_is_for_its_owner_alone(tmp_path):
    trial.settings_for(tmp_path)
    assert (tmp_path / "root.key").stat().st_mode & 0o777 == 0o600


def test_nothing_real_of_the_environment_reaches_the_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("ACCESSBOT_DATABASE_URL", "postgresql://somebody@example.org/real")
    monkeypatch.setenv("ACCESSBOT_ROOT_KEY", "abk1:real")
    monkeypatch.setenv("ACCESSBOT_UPDATES", "webhook")
    monkeypatch.setenv("ACCESSBOT_ACTIVATION_DELAY", "1200")
    settings = trial.settings_for(tmp_path)
    assert settings.database_url.get_secret_value() == f"sqlite:///{tmp_path / 'accessbot.db'}"
    assert settings.keyring().versions == (1,)
    assert (settings.updates, settings.activation_delay) == ("polling", trial.ACTIVATION_SECONDS)


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

"""The whole program against the local Bot API over HTTP: an invitation, a grant, the notice that it is active."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
import structlog
from bot import app
from bot.access import invitations, registerfile
from bot.demo.testing import TEST_TOKEN, running_server
from bot.errors import ConfigurationError
from bot.sample import register_file
from bot.settings import Settings
from bot.store import facts
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key


@contextmanager
def running_bot(settings):
    """The program in a thread of its own, until the block ends."""
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    failures = []

    def work():
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(app.run(settings, stop, ready=lambda _: ready.set()))
        except Exception as error:
            failures.append(error)
        finally:
            loop.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(20), failures
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
    assert failures == []


def test_from_an_invitation_to_an_active_access(database_url, tmp_path):
    root = new_root_key()
    file = tmp_path / "sample.toml"
    file.write_text(register_file(date.today()), encoding="utf-8")  # noqa: DTZ011
    database, keyring = Database(database_url), Keyring.of(root)
    now = datetime.now(UTC)
    registerfile.load(database, keyring, file, today=now.date(), now=now)
    with database.write() as connection:
        code = invitations.invite(connection, keyring, "delcourt", now, lang="fr")
    database.close()
    with running_server() as server:
        settings = Settings(
            telegram_token=server.token,
            telegram_api_url=server.url,
            database_url=database_url,
            root_key=root,
            activation_delay=1,
        )
        with running_bot(settings):
            anne = server.person("Anne")
            anne.starts(code)
            for label in ("Français", "J'ai lu", "Donner un accès", "Hôpitaux du Midi"):
                anne.settles()
                anne.taps(label)
            anne.says("peeters")
            anne.settles()
            anne.taps("Peeters Jan · Cardiologie")
            anne.taps("Colindos")
            anne.taps("Suivant")
            anne.taps("Confirmer")
            anne.waits_for("Enregistré sous le n°", timeout=60)
            anne.waits_for("est actif", timeout=60)


def test_without_a_token_it_says_what_to_do():
    with pytest.raises(ConfigurationError, match="ACCESSBOT_TELEGRAM_TOKEN"):
        app.build(Settings(telegram_token=None))


async def test_it_says_that_it_runs_once_telegram_is_there_and_tells_the_others_its_name(
    tmp_path, unused_tcp_port
):
    url = f"sqlite:///{tmp_path / 'a.db'}"
    settings = Settings(
        telegram_token=TEST_TOKEN,
        telegram_api_url=f"http://127.0.0.1:{unused_tcp_port}",
        database_url=url,
        root_key=new_root_key(),
    )
    stop, heard, away = asyncio.Event(), asyncio.Queue(), asyncio.Event()

    def hears(_, __, event):
        if event["event"] == "telegram_away":
            away.set()
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[hears])
    try:
        running = asyncio.create_task(app.run(settings, stop, ready=heard.put_nowait))
        async with asyncio.timeout(60):
            await away.wait()
    finally:
        structlog.configure(**before)
    assert heard.empty()
    with running_server(port=unused_tcp_port):
        async with asyncio.timeout(60):
            assert await heard.get() == "@accessbot_demo_bot"
        stop.set()
        await running
    database = Database(url)
    with database.read() as connection:
        assert facts.known_bot(connection) == "accessbot_demo_bot"
        assert facts.known_bot(connection, app.bot_number(settings)) == "accessbot_demo_bot"
        assert facts.known_bot(connection, 42) == ""
    database.close()


def test_an_answer_does_not_wait_for_the_line():
    """Without it an answer to Telegram or to a page may take 40 ms: Nagle's algorithm meets the delayed acknowledgement."""
    with (
        app._bound("127.0.0.1:0") as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

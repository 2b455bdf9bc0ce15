"""The whole program against the local Bot API over HTTP: an invitation, a grant, the notice that it is active."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime

import pytest
from bot import app
from bot.access import invitations, registerfile
from bot.demo.testing import running_server
from bot.errors import ConfigurationError
from bot.sample import register_file
from bot.settings import Settings
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
            anne.settles()
            texts = [seen.text for seen in anne.chat if seen.from_bot]
            assert any("Enregistré sous le n°" in text for text in texts), texts
            for _ in range(50):
                texts = [seen.text for seen in anne.chat if seen.from_bot]
                if any("est actif" in text for text in texts):
                    break
                anne.settles(timeout=0.2)
            assert any("est actif" in text for text in texts), texts


def test_without_a_token_it_says_what_to_do():
    with pytest.raises(ConfigurationError, match="ACCESSBOT_TELEGRAM_TOKEN"):
        app.build(Settings(telegram_token=None))


def test_an_answer_does_not_wait_for_the_line():
    """Without it an answer to Telegram or to a page may take 40 ms: Nagle's algorithm meets the delayed acknowledgement."""
    with (
        app._bound("127.0.0.1:0") as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

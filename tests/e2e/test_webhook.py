"""By webhook, behind a proxy with TLS: a whole grant, updates pushed up to three times, the bot killed and stopped in between."""

from __future__ import annotations

import gc
import socket

import certifi
import httpx
import pytest
from bot import app
from tests.e2e.front import certificate, front
from tests.e2e.world import crowd, user, world

# a push that the killed bot cut off leaves its connection to the collector: it is the local Bot API's, and no fault of the bot
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@pytest.fixture
def behind() -> int:
    """A port for the bot to listen at."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture
def there(database_url, tmp_path, behind, monkeypatch):
    file = certificate(tmp_path)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(file.read_bytes().partition(b"-----END PRIVATE KEY-----")[2])
    monkeypatch.setattr(certifi, "where", lambda: str(bundle))  # whom the pusher of the local Bot API trusts
    settings = {"ACCESSBOT_UPDATES": "webhook", "ACCESSBOT_LISTEN": f"127.0.0.1:{behind}"}
    with (
        front(behind, file) as url,
        world(database_url, tmp_path, crowd(2, 4), ACCESSBOT_PUBLIC_URL=url, **settings) as made,
    ):
        made.telegram.levers(webhook_delay=0.1)
        made.start()
        made.telegram.waits_for_call("setWebhook", timeout=20)
        yield made
        made.stop()
    gc.collect()


def test_a_whole_grant_by_webhook_through_kills_and_repeated_pushes(there):
    driver = there.manager("m0000")
    driver.expects("Bonjour")
    there.telegram.levers(duplicates={"most": 3, "seed": 7})
    for number, end in enumerate((there.kill, there.stop)):
        driver.says("/grant")
        driver.expects("À qui ?")
        end()
        driver.says(user(number))  # nobody is there: Telegram comes again
        there.start()
        driver.expects("Quelles applications ?")
        driver.says("Colindos")
        driver.taps(driver.expects("Récapitulatif"), "Confirmer")
        driver.expects("Enregistré sous le n°")
    there.at_rest()
    assert [there.held(user(number)) for number in range(2)] == [[("grant", "colindos")]] * 2
    assert len(there.numbers(driver.id)) == 2
    for number in there.numbers(driver.id):
        assert (driver.receipts(number), driver.notices(number)) == (1, 1)
    there.check()


def test_false_calls_are_refused_and_store_nothing(there, behind):
    url, update = f"http://127.0.0.1:{behind}/telegram", {"update_id": 1, "message": {}}
    secret = app.derived_secret(there.keyring)
    before = there.register_as_it_is()
    for headers in (
        {},
        {"X-Telegram-Bot-Api-Secret-Token": ""},
        {"X-Telegram-Bot-Api-Secret-Token": secret[:-1] + "x"},
    ):
        assert httpx.post(url, json=update, headers=headers, trust_env=False).status_code == 403
    assert there.register_as_it_is() == before
    assert there.unfinished() == {}

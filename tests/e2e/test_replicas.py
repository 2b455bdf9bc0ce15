"""Several copies of the bot on one database: order in each chat, each update once, nothing sent twice.

By webhook a front gives the updates of each chat to the copies in turn, every third to all of them at once; by polling the
copies take the line from each other. Telegram takes its time over some of the calls, so that what one copy does overlaps
with what another does.
"""

from __future__ import annotations

import gc
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import certifi
import pytest
from bot.access.rows import CHANGES
from bot.store.mail import Chat
from bot.store.tables import core
from sqlalchemy import select
from tests import databases
from tests.e2e.front import certificate
from tests.e2e.spread import spread
from tests.e2e.world import crowd, plain, user, world
from tests.web.conftest import free_port

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
TOGETHER, ROUNDS = 4, 2
PATIENCE = 40.0
SLOW = (
    {"method": "editMessageText", "delay": 0.5, "probability": 0.3},
    {"method": "sendMessage", "delay": 0.5, "probability": 0.3},
    {"method": "sendMessage", "late": 0.7, "probability": 0.3},
)
"""Seconds that Telegram takes before it does what it is asked, or before it says so."""
TICKED = {
    "Colindos": "colindos",
    "Hospiliss": "hospiliss",
    "Chapter IV Agreement Requesting": "civars",
}


def typed_in_one_go(driver, username):
    """A grant whose words come before the bot has answered any of them; confirmed by three taps at once."""
    for words in ("/grant", username, "Colindos"):
        driver.says(words)
    card = driver.expects("Récapitulatif")
    code = next(code for label, code in card.codes().items() if "Confirmer" in label)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: driver.person.taps_code(code, message=card.id), range(3)))
    driver.expects("Enregistré sous le n°")
    return [("grant", "colindos")]


def ticked_in_one_go(driver, username):
    """A grant whose boxes are ticked faster than the card follows."""
    driver.says("/grant")
    driver.expects("À qui ?")
    driver.says(username)
    card = driver.expects("Quelles applications ?", label="Hospiliss")
    for name in TICKED:
        driver.taps(card, name)
    ticked = driver.person.waits_until(
        lambda seen: (
            [name for name in TICKED if any(f"☑ {name}" in plain(label) for label in seen.labels)]
            == list(TICKED)
        ),
        "all boxes ticked",
        PATIENCE,
    )
    driver.taps(ticked, "Suivant")
    driver.taps(driver.expects("Récapitulatif"), "Confirmer")
    driver.expects("Enregistré sous le n°")
    return sorted(("grant", key) for key in TICKED.values())


@pytest.fixture
def copies(request, tmp_path, monkeypatch):
    """So many copies of the bot on one PostgreSQL, and what stands before them, if anything."""
    way, number = request.param
    with ExitStack() as stack:
        before, settings, ports = None, {}, [free_port() for _ in range(number)]
        if way == "webhook":
            file, bundle = certificate(tmp_path), tmp_path / "bundle.pem"
            bundle.write_bytes(file.read_bytes().partition(b"-----END PRIVATE KEY-----")[2])
            monkeypatch.setattr(certifi, "where", lambda: str(bundle))
            before = stack.enter_context(spread(ports, file))
            settings = {"ACCESSBOT_UPDATES": "webhook", "ACCESSBOT_PUBLIC_URL": before.url}
        url = stack.enter_context(databases.postgres())
        register = crowd(TOGETHER, TOGETHER * ROUNDS)
        there = stack.enter_context(world(url, tmp_path, register, **settings))
        there.settings["ACCESSBOT_LISTEN"] = f"127.0.0.1:{ports[0]}"
        there.start()
        for other in [there.joins(ACCESSBOT_LISTEN=f"127.0.0.1:{port}") for port in ports[1:]]:
            other.waits_until_ready()
        yield there, before
        there.stop()
    gc.collect()


def sent_twice(there):
    """Messages with buttons that were sent more often than once: each card has a number of its own in them."""
    sent = Counter(
        (call.params["chat_id"], call.params["text"], str(call.params["reply_markup"]))
        for call in there.telegram.state.calls
        if call.method == "sendMessage" and not call.error and call.params.get("reply_markup")
    )
    return [(text, times) for (_, text, _), times in sent.items() if times > 1]


@pytest.mark.postgres
@pytest.mark.parametrize("copies", [("webhook", 2), ("webhook", 3), ("polling", 2)], indirect=True, ids=str)
def test_several_copies_keep_the_order_and_send_nothing_twice(copies):
    there, before = copies
    drivers = [there.manager(f"m{number:04d}") for number in range(TOGETHER)]
    for driver in drivers:
        driver.patience = PATIENCE
        driver.expects("Bonjour")
    for number, slow in enumerate(SLOW):
        there.telegram.state.faults.add(**slow, times=None, seed=number)

    def works(place):
        ways = (typed_in_one_go, ticked_in_one_go)
        return [ways[turn % 2](drivers[place], user(place * ROUNDS + turn)) for turn in range(ROUNDS)]

    with ThreadPoolExecutor(TOGETHER) as pool:
        given = [each for chat in pool.map(works, range(TOGETHER)) for each in chat]
    there.at_rest()
    there.telegram.state.faults.clear()
    there.check()
    assert [there.held(user(number)) for number in range(TOGETHER * ROUNDS)] == given
    recorded = sorted(row[0] for row in there.rows(select(CHANGES.c.number)))
    assert sorted(number for driver in drivers for number in there.numbers(driver.id)) == recorded
    assert len(recorded) == TOGETHER * ROUNDS
    for driver in drivers:
        numbers = there.numbers(driver.id)
        assert [(driver.receipts(n), driver.notices(n)) for n in numbers] == [(1, 1)] * ROUNDS
        told = [
            n for seen in driver.person.chat for n in numbers if seen.text.startswith("✔ ") and n in seen.text
        ]
        assert told == numbers
    assert sent_twice(there) == []
    cards = there.rows(select(core(Chat).c.card_want, core(Chat).c.card_shown))
    assert [want - shown for want, shown in cards] == [0] * TOGETHER
    if before is not None:
        assert [before.took[driver.id] for driver in drivers] == [set(before.ports)] * TOGETHER


def test_a_second_bot_on_an_sqlite_file_says_so_and_ends_and_the_first_goes_on(tmp_path):
    with databases.sqlite(tmp_path) as url, world(url, tmp_path, crowd(1, 1)) as there:
        there.start()
        second = there.joins()
        assert second.ends(signal.SIGCONT) == 1
        said = [line for line in there.log().splitlines() if "already" in line]
        assert len(said) == 1, there.log()
        assert "an SQLite file has one at a time" in said[0]
        driver = there.manager("m0000")
        assert typed_in_one_go(driver, user(0)) == there.held(user(0))
        there.at_rest()
        there.check()
        there.kill()  # and whoever comes after a power cut finds the file free
        there.start()
        there.stop()

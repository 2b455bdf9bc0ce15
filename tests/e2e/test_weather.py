"""Telegram in bad weather: on three calls of ten it answers 429 or 500, late, cuts the line before or after, or never answers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.world import crowd, user, world

TOGETHER = 6
ROUNDS = 2
WEATHER = (
    {"status": 429, "retry_after": 1, "probability": 0.07},
    {"status": 500, "probability": 0.06},
    {"status": 502, "probability": 0.03},
    {"drop": "before", "probability": 0.05},
    {"drop": "after", "probability": 0.05},
    {"late": 1.0, "probability": 0.06},
)
"""About 30 % of all calls."""
GRACE = 0.3
"""Seconds in which a call that was under way before the 429 may still come in."""


def grants(there, driver, number):
    """One dialogue; each act once."""
    driver.says("/grant")
    driver.expects("À qui ?")
    driver.says(user(number))
    driver.expects("Quelles applications ?")
    driver.says("Colindos")
    driver.taps(driver.expects("Récapitulatif"), "Confirmer")
    driver.expects("Enregistré sous le n°")


def too_early(calls):
    """Calls in a chat that was told to wait, before its time; other methods that name no chat are counted apart."""
    until, early = {}, []
    for call in sorted(calls, key=lambda call: call.at):
        key = call.params.get("chat_id") or call.method
        told = until.get(key)
        if told and told[0] + GRACE < call.at < told[1] - 0.05:
            early.append((call.method, key, call.at - told[0]))
        if call.error.startswith("Too Many Requests"):
            until[key] = (call.at, call.at + int(call.error.split()[-1]))
    return early


def test_in_bad_weather_no_change_and_no_message_is_lost(database_url, tmp_path):
    with world(database_url, tmp_path, crowd(TOGETHER, TOGETHER * ROUNDS)) as there:
        there.start()
        drivers = [there.manager(f"m{number:04d}") for number in range(TOGETHER)]
        for driver in drivers:
            driver.patience = 180
            driver.expects("Bonjour")
        faults = there.telegram.state.faults
        storm = [faults.add(**kind, times=None, seed=number) for number, kind in enumerate(WEATHER)]
        drop = next(fault for fault in storm if fault.drop == "after")

        def works(place):
            for turn in range(ROUNDS):
                grants(there, drivers[place], place * ROUNDS + turn)

        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(works, range(TOGETHER)))
        there.at_rest(timeout=180)
        struck = sum(fault.happened for fault in storm)
        faults.clear()
        there.check()
        numbers = {driver: there.numbers(driver.id) for driver in drivers}
        assert [len(found) for found in numbers.values()] == [ROUNDS] * TOGETHER
        for place in range(TOGETHER * ROUNDS):
            assert there.held(user(place)) == [("grant", "colindos")]
        pairs = [(driver, number) for driver, found in numbers.items() for number in found]
        counts = [
            count for driver, number in pairs for count in (driver.receipts(number), driver.notices(number))
        ]
        assert min(counts) == 1, counts
        assert sum(counts) - len(counts) <= drop.happened
        assert too_early(there.telegram.state.calls) == []
        there.stop()
    print(
        f"\n{struck} of {len(there.telegram.state.calls)} calls went wrong: {len(pairs)} changes, all messages out, "
        f"{sum(counts) - len(counts)} repeated for {drop.happened} answers lost"
    )
    assert struck > 20


def test_an_answer_that_never_comes_costs_one_repeated_receipt(tmp_path):
    """Telegram takes the receipt and says nothing: after its time-out the bot sends it once more."""
    from tests import databases

    with databases.sqlite(tmp_path) as url, world(url, tmp_path, crowd(1, 1)) as there:
        there.start()
        driver = there.manager("m0000")
        driver.expects("Bonjour")
        driver.says("/grant")
        driver.expects("À qui ?")
        driver.says(user(0))
        driver.expects("Quelles applications ?")
        driver.says("Colindos")
        card = driver.expects("Récapitulatif")
        there.telegram.state.faults.add(method="editMessageText", late=25.0)
        driver.taps(card, "Confirmer")
        driver.expects("Enregistré sous le n°")
        there.at_rest()
        (number,) = there.numbers(driver.id)
        assert 1 <= driver.receipts(number) <= 2
        assert driver.notices(number) == 1
        there.stop()


def test_stopped_and_started_again_while_an_access_becomes_active_it_tells_once(database_url, tmp_path):
    with world(database_url, tmp_path, crowd(1, 1), ACCESSBOT_ACTIVATION_DELAY="3") as there:
        there.start()
        driver = there.manager("m0000")
        grants(there, driver, 0)
        (number,) = there.numbers(driver.id)
        there.stop()
        assert there.deliveries(number) == {"recorded"}
        assert driver.notices(number) == 0
        time.sleep(3.2)
        for _ in range(2):
            there.start()
            driver.expects(f"Le n° {number} est actif")
            there.at_rest()
            there.stop()
        assert driver.notices(number) == 1
        assert there.deliveries(number) == {"active"}
        there.check()


def test_a_start_day_that_comes_while_the_bot_is_down_is_carried_out_once(database_url, tmp_path):
    with world(database_url, tmp_path, crowd(1, 1)) as there:
        there.start()
        driver = there.manager("m0000")
        driver.says("/grant")
        driver.taps(driver.expects("À qui ?"), "Nouvel utilisateur")
        for question, answer in (
            ("Son nom ?", "Vroman"),
            ("prénom ?", "Ida"),
            ("e-mail ?", "ida@example.org"),
        ):
            driver.expects(question)
            driver.says(answer)
        driver.expects("Quelles applications ?")
        driver.says("Colindos")
        driver.taps(driver.expects("Cette personne est…"), "Collaborateur médecin")
        driver.taps(driver.expects("Date de début ?"), "Demain")
        driver.taps(driver.expects("Récapitulatif"), "Confirmer")
        driver.expects("L'accès devrait être actif à partir du")
        (number,) = there.numbers(driver.id)
        there.at_rest()
        there.stop()
        assert (there.deliveries(number) - {"active"}, driver.notices(number)) == ({"recorded"}, 0)
        day = 24 * 3600
        there.telegram.levers(clock_offset=day)
        for _ in range(2):
            there.start(seconds_ahead=day)
            driver.expects(f"Le n° {number} est actif")
            there.at_rest()
            there.stop()
        assert (there.deliveries(number), driver.notices(number)) == ({"active"}, 1)
        there.check()

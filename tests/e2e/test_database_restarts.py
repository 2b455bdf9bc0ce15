"""The database is restarted under load: nobody's act is lost or done twice, and within ten seconds of its return all go on.

A PostgreSQL of the test's own, stopped as by a kill in the middle of whatever it does, and started again: at once, or after
a while, when whoever waits is told so. `make soak` does it every 20 seconds for some minutes (RESTARTS in the environment).
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

import pytest
from bot.i18n import speaker
from bot.msg import m
from tests import databases
from tests.e2e.test_kills import YARDSTICK, import_seconds
from tests.e2e.world import Driver, crowd, plain, user, world

pytestmark = pytest.mark.postgres
BACK = 10.0
"""Seconds from the database's return to the answer of everybody who waited, on a machine that imports the program in
`YARDSTICK`.
"""
BUSIEST = 3.0
"""So many times longer at the most, however busy the machine: a row that stays lent to nobody takes a minute."""
AWAY = 4.0
"""Seconds for which it is away now and then: long enough for somebody to be told."""
TOLD = plain(speaker("fr").plain(m("turn.away")))


class Clocked(Driver):
    """A person who notes when he acted, and when what he waited for had come: Unix seconds."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver.person, patience=120)
        self.acted = 0.0
        self.waits: list[tuple[float, float]] = []

    def says(self, text):
        self.acted = time.time()
        super().says(text)

    def taps(self, seen, label):
        self.acted = time.time()
        super().taps(seen, label)

    def expects(self, text, **wanted):
        seen = super().expects(text, **wanted)
        self.waits.append((self.acted, time.time()))
        return seen

    def back(self, returned):
        """Seconds that this person waited after the database was back; None where he did not wait then."""
        return next((came - returned for acted, came in self.waits if acted < returned < came), None)

    def works(self, number):
        """One dialogue; each act once."""
        self.says("/grant")
        self.expects("À qui ?")
        self.says(user(number))
        self.taps(self.expects("Quelles applications ?"), "Colindos")
        self.taps(self.expects("Quelles applications ?", label="☑ Colindos"), "Suivant")
        self.taps(self.expects("Récapitulatif"), "Confirmer")
        self.expects("Enregistré sous le n°")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("restarts", "every", "together"),
    [
        pytest.param(2, 4.0, 5),
        pytest.param(int(os.environ.get("RESTARTS", "12")), 20.0, 20, marks=pytest.mark.soak),
    ],
)
def test_whenever_the_database_is_restarted_nothing_is_lost_and_all_go_on_at_once(
    request, tmp_path, restarts, every, together
):
    users = 200 + 60 * restarts * int(every / 4)
    with databases.own_server() as server, world(server.url, tmp_path, crowd(together, users)) as there:
        there.start()
        drivers = [Clocked(there.manager(f"m{number:04d}")) for number in range(together)]
        over, numbers, returns = threading.Event(), iter(range(users)), []

        def goes_on(driver):
            while not over.is_set():
                driver.works(next(numbers))

        def restarting():
            for count in range(restarts):
                over.wait(every / 2)
                server.stop()
                time.sleep(0.0 if count % 3 else AWAY)
                server.start()
                returns.append(time.time())
                over.wait(every / 2)
            over.set()

        with ThreadPoolExecutor(together + 1) as pool:
            tasks = [pool.submit(restarting), *(pool.submit(goes_on, driver) for driver in drivers)]
            failed = wait(tasks, return_when=FIRST_EXCEPTION).done
            over.set()
            for task in (*failed, *tasks):
                task.result()
        there.at_rest(timeout=90)
        there.check()
        recorded = [number for driver in drivers for number in there.numbers(driver.id)]
        assert len(recorded) == next(numbers)
        repeated = 0
        for driver in drivers:
            numbers_here = there.numbers(driver.id)
            receipts, active = [driver.receipts(number) for number in numbers_here], driver.told("🟢 ")[1]
            assert min(receipts) >= 1
            assert active >= len(numbers_here)
            repeated += sum(receipts) + active - 2 * len(numbers_here)
        assert repeated <= restarts * together
        waits = {returned: [driver.back(returned) for driver in drivers] for returned in returns}
        said = [call for call in there.telegram.state.calls if TOLD in plain(str(call.params.get("text")))]
        assert said, "nobody was told that he waits"
        standing = [
            seen.text for driver in drivers for seen in driver.person.chat if TOLD in plain(seen.text)
        ]
        assert standing == [], "what was said of the delay goes with it"
        there.stop()
    longest = [max((each for each in backs if each is not None), default=0.0) for backs in waits.values()]
    print(
        f"\n{restarts} restarts under {together} dialogues: {len(recorded)} changes, 0 lost, 0 twice, {repeated} messages "
        f"repeated; all went on after {', '.join(f'{each:.1f}' for each in longest)} s"
    )
    assert any(longest), "nobody waited"
    limit = BACK
    if max(longest) >= limit and not request.node.get_closest_marker("soak"):  # alone on the machine there
        limit *= min(max(1.0, import_seconds() / YARDSTICK), BUSIEST)
    assert max(longest) < limit

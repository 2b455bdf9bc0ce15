"""The database goes away under load: nobody's act is lost or done twice, and within ten seconds of its return all go on."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import make_url
from tests import databases
from tests.e2e.world import crowd, user, world

pytestmark = pytest.mark.postgres
TOGETHER = 5
AWAY = 4.0
"""Seconds; twice."""
BACK = 25.0


class Switch:
    """Takes a database of PostgreSQL away, and gives it back: nobody may connect, and who was connected is cut off."""

    def __init__(self, url):
        self.name = make_url(url).database
        self.server = databases.postgres_server()
        self.returns = []

    def off(self):
        self._do(f"ALTER DATABASE {self.name} WITH ALLOW_CONNECTIONS false")
        self._do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def on(self):
        self._do(f"ALTER DATABASE {self.name} WITH ALLOW_CONNECTIONS true")
        self.returns.append(time.time())

    def cut(self):
        """Ends all connections, as a restart does, and lets everybody back at once."""
        self._do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")
        self.returns.append(time.time())

    def _do(self, statement):
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode())


def works(there, driver, number):
    """One dialogue; each act once."""
    driver.says("/grant")
    driver.expects("À qui ?")
    driver.says(user(number))
    driver.expects("Quelles applications ?")
    driver.says("Colindos")
    driver.taps(driver.expects("Récapitulatif"), "Confirmer")
    driver.expects("Enregistré sous le n°")


def test_while_the_database_is_away_nothing_is_lost_and_all_go_on_when_it_is_back(tmp_path):
    with databases.postgres() as url, world(url, tmp_path, crowd(TOGETHER, 400)) as there:
        there.start()
        drivers = [there.manager(f"m{number:04d}") for number in range(TOGETHER)]
        for driver in drivers:
            driver.patience = 120
        switch, over, numbers = Switch(url), threading.Event(), iter(range(400))

        def goes_on(driver):
            while not over.is_set():
                works(there, driver, next(numbers))

        with ThreadPoolExecutor(TOGETHER) as pool:
            tasks = [pool.submit(goes_on, driver) for driver in drivers]
            time.sleep(1.5)
            for _ in range(2):
                switch.off()
                time.sleep(AWAY)
                switch.on()
                time.sleep(3.0)
                switch.cut()
                time.sleep(2.0)
            over.set()
            for task in tasks:
                task.result()
        there.at_rest(timeout=90)
        there.check()
        answers = sorted(there.answered())
        back = [next(at for at in answers if at > returned) - returned for returned in switch.returns]
        recorded = [number for driver in drivers for number in there.numbers(driver.id)]
        for driver in drivers:
            for number in there.numbers(driver.id):
                assert 1 <= driver.receipts(number) <= 2
                assert 1 <= driver.notices(number) <= 2
        assert len(recorded) == next(numbers)
        there.stop()
    print(
        f"\naway twice and cut twice: {len(recorded)} changes, back after {', '.join(f'{s:.1f}' for s in back)} s"
    )
    assert max(back) < BACK

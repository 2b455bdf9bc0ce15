"""Nothing is lost and nothing done twice, whenever the process dies.

Managers work side by side while the bot is killed at random; every update comes once to three times. Each person acts
once and waits, so a dialogue that does not go on at its step stands still, and the test fails. `make soak` runs the
same with more of everything (KILLS, DIALOGUES, TOGETHER in the environment).
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import pytest
from bot.access.rows import CHANGES
from tests.e2e.world import ROOT, Driver, World, crowd, letters, plain, user, world

SEED = 20261125
FIRST_ANSWER = 5.0
"""Seconds after its start, import included, in which the bot has answered somebody, on a machine that imports the program
in `YARDSTICK`, compiled already.
"""
YARDSTICK = 1.0
LONGEST_LIFE = 40.0
LONG_PATIENCE = 240.0
"""Several short lives may pass before it is somebody's turn, and a busy machine makes each of them long."""


@dataclass
class Book:
    """What the people saw: each receipt with what it was for."""

    granted: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By user name, what the dialogue gave."""
    drivers: dict[str, Driver] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    """By user name, the number of its change."""


def a_known_person(there: World, driver: Driver, number: int) -> tuple[str, list[tuple[str, str]]]:
    """Gives a physician of the register an application: five acts."""
    driver.says("/grant")
    driver.expects("À qui ?")
    driver.says(user(number))
    driver.taps(driver.expects("Quelles applications ?"), "Colindos")
    driver.taps(driver.expects("Quelles applications ?", label="☑ Colindos"), "Suivant")
    driver.taps(driver.expects("Récapitulatif"), "Confirmer")
    return user(number), [("grant", "colindos")]


def a_new_collaborator(there: World, driver: Driver, number: int) -> tuple[str, list[tuple[str, str]]]:
    """Enters somebody new who needs a function: eleven acts."""
    name = f"{letters(number)}ens"  # a user name of its own is proposed
    driver.says("/grant")
    driver.taps(driver.expects("À qui ?"), "Nouvel utilisateur")
    for question, answer in (
        ("Son nom ?", name),
        ("Son prénom ?", "Ida"),
        ("adresse e-mail ?", f"{name}@example.org"),
    ):
        driver.expects(question)
        driver.says(answer)
    driver.expects("Quelles applications ?")
    driver.says("Colindos, Hospiliss")
    driver.taps(driver.expects("Cette personne est…"), "Collaborateur pharmacien")
    driver.taps(driver.expects("Date de début ?"), "Aujourd'hui")
    recap = driver.expects("Récapitulatif")
    username = next(line for line in recap.text.splitlines() if "utilisateur" in line and "proposé" in line)
    driver.taps(recap, "Confirmer")
    given = [
        ("assignment", "collaborator-hospital-pharmacist"),
        ("grant", "colindos"),
        ("grant", "hospiliss"),
    ]
    return username.replace("\u00a0", " ").partition(" : ")[2].split()[0], given


def one_dialogue(there: World, book: Book, driver: Driver, number: int) -> None:
    """A whole grant, to its receipt."""
    kind = a_new_collaborator if number % 3 == 0 else a_known_person
    username, given = kind(there, driver, number)
    earlier = set(book.numbers.values())  # an earlier receipt may be repeated below
    receipt = driver.expects("Enregistré sous le n°", wanted=lambda text: number_in(text) not in earlier)
    book.granted[username] = given
    book.drivers[username] = driver
    book.numbers[username] = number_in(plain(receipt.text))


def number_in(receipt: str) -> str:
    """The number that a receipt bears."""
    return receipt.partition("sous le n° ")[2].split(".")[0]


def killing(there: World, kills: int, over: threading.Event, dice: random.Random) -> None:
    """Starts and kills the bot: after so many of its answers and a moment, now and then before it is even up.

    Answers and not seconds, so that a slow machine gives the dialogues the same chances.
    """
    for count in range(kills):
        made, until = there.answers(), time.monotonic() + LONGEST_LIFE
        there.start(wait=False)
        if count % 5 == 4:
            time.sleep(dice.uniform(0.5, 2.5))
        else:
            wanted = made + dice.randrange(25)
            while there.answers() < wanted and time.monotonic() < until:
                time.sleep(0.005)
            time.sleep(dice.uniform(0.0, 0.1))
        there.kill()
        if over.is_set():
            return  # a dialogue failed
    over.set()
    there.start()


def run(there: World, *, kills: int, dialogues: int, together: int) -> Book:
    """Works at least so many dialogues, `together` at a time, and goes on until the last kill."""
    book, over, dice = Book(), threading.Event(), random.Random(SEED)
    drivers = [there.manager(f"m{number:04d}") for number in range(together)]
    for driver in drivers:
        driver.patience = LONG_PATIENCE
    there.telegram.levers(duplicates={"most": 3, "seed": SEED})
    numbers = iter(range(10**6))
    lock = threading.Lock()

    def works(driver: Driver) -> None:
        while True:
            with lock:
                number = next(numbers)
            if number >= dialogues and over.is_set():
                return
            one_dialogue(there, book, driver, number)

    with ThreadPoolExecutor(together + 1) as pool:
        killer = pool.submit(killing, there, kills, over, dice)
        tasks = [killer, *(pool.submit(works, driver) for driver in drivers)]
        failed = wait(tasks, return_when=FIRST_EXCEPTION).done
        over.set()
        for task in (*failed, *tasks):
            task.result()
    there.telegram.levers(duplicates={"most": 1})
    return book


def held_to(there: World, book: Book) -> None:
    """Everything that was seen recorded is in the register, once; nothing else is."""
    there.at_rest(timeout=90)
    there.check()
    assert {name: there.held(name) for name in book.granted} == {
        n: sorted(g) for n, g in book.granted.items()
    }
    recorded = sorted(row[0] for row in there.rows(CHANGES.select().with_only_columns(CHANGES.c.number)))
    assert sorted(book.numbers.values()) == recorded
    for name, number in book.numbers.items():
        assert book.drivers[name].receipts(number) >= 1, number
        assert there.deliveries(number) == {"active"}


def repeated(book: Book) -> tuple[int, int]:
    """How many receipts and notices stand in the chats more often than once."""
    pairs = [(book.drivers[name], number) for name, number in book.numbers.items()]
    receipts = sum(driver.receipts(number) - 1 for driver, number in pairs)
    active = {driver.id: driver.told("🟢 ")[1] for driver, _ in pairs}
    wanted = Counter(driver.id for driver, _ in pairs)
    assert all(active[chat] >= number for chat, number in wanted.items())
    notices = sum(active.values()) - len(pairs)
    return receipts, notices


def import_seconds() -> float:
    """How long the program's import takes here and now: the greater part of its start."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-c", "import bot.cli, bot.app"], check=True, cwd=ROOT)
    return time.monotonic() - begin


@pytest.mark.parametrize(
    ("kills", "dialogues", "together"),
    [
        pytest.param(20, 10, 10, marks=pytest.mark.timeout(900)),
        pytest.param(
            int(os.environ.get("KILLS", "200")),
            int(os.environ.get("DIALOGUES", "1000")),
            int(os.environ.get("TOGETHER", "20")),
            marks=[pytest.mark.soak, pytest.mark.timeout(7200)],
        ),
    ],
)
def test_killed_at_random_it_loses_nothing_and_does_nothing_twice(
    request, database_url, tmp_path, kills, dialogues, together
):
    begin, slowness = time.monotonic(), [import_seconds()]
    with world(database_url, tmp_path, crowd(together, max(400, dialogues + 400))) as there:
        book = run(there, kills=kills, dialogues=dialogues, together=together)
        held_to(there, book)
        receipts, notices = repeated(book)
        answers = there.first_answers()
        there.stop()
    slowness.append(import_seconds())
    answers = [
        seconds + min(slowness) for seconds in answers
    ]  # the lives here begin with the import behind them
    limit = FIRST_ANSWER * max(1.0, max(slowness) / YARDSTICK)
    print(
        f"\n{kills} kills, {len(book.numbers)} dialogues, {together} at a time, {time.monotonic() - begin:.0f} s: "
        f"0 lost, 0 done twice, {receipts} receipts and {notices} notices repeated; first answer "
        f"{statistics.median(answers):.1f} s after the start, at most {max(answers):.1f} s (limit here {limit:.1f} s)"
    )
    assert receipts + notices <= kills
    assert statistics.median(answers) < limit
    if request.node.get_closest_marker("soak"):  # alone on the machine: other tests have their moments
        assert max(answers) < 2 * limit

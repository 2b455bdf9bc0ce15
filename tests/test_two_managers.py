"""Two managers on one user: both open it, both correct it, both confirm in the same moment; nothing is ever lost.

In each round one of them is first. The other is told what happened meanwhile, under which number, and decides again with the
new content before his eyes. `make soak` does 200 rounds (ROUNDS in the environment).
"""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Barrier

import pytest
from bot import clock
from bot.access import invitations
from bot.access.rows import ACCOUNTS, CHANGES, ITEMS, PROFILES
from bot.access.sessions import SessionRules, open_session
from bot.conversations.model import Command, Press
from bot.conversations.registry import ENGINE
from bot.conversations.testing import said
from bot.counter import RegisterCounter
from bot.i18n import CatalogueReader
from bot.store import audit
from bot.store.crypto import IdentityKeys
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.turning import Turning
from sqlalchemy import select

from tests.access.invariants import check_invariants
from tests.e2e.world import crowd, letters, user
from tests.snapshots import load_once
from tests.test_turning import Chat

MANAGERS = ("m0000", "m0001")
DIFFERENT, ANOTHER_FIELD, THE_SAME = range(3)
"""What the two want: another content of one field, another field, the same."""
SAME = "C'est déjà ce qui est enregistré."
MEANWHILE = "Entre-temps, quelqu'un a modifié cet utilisateur"


@dataclass
class House:
    """A register with two managers at work and one user."""

    database: Database
    keyring: Keyring
    chats: list[Chat]
    account: str
    stands: dict[str, str] = field(default_factory=dict)
    """What each field must hold, by all that was confirmed."""

    def rows(self, query):
        with self.database.read() as connection:
            return connection.execute(query).all()


@pytest.fixture
def house(database, keyring, tmp_path):
    now = datetime.now(UTC)
    load_once(database, keyring, tmp_path, crowd(2, 1), today=clock.today(), now=now)
    counter, numbers = RegisterCounter(keyring, delay=timedelta(minutes=20)), count(100)
    turning = Turning(database, keyring, ENGINE, counter, CatalogueReader)
    chats = []
    for telegram_id, key in enumerate(MANAGERS, 1):
        with database.write() as connection:
            code = invitations.invite(connection, keyring, key, now)
            bound = invitations.redeem(
                connection, keyring, code, telegram_id=telegram_id, chat_id=telegram_id, now=now
            )
            open_session(
                connection, bound.binding, how="invitation", scope=bound.scope, now=now, rules=SessionRules()
            )
        chats.append(Chat(turning, counter, telegram_id=telegram_id, numbers=numbers))
    with database.read() as connection:
        query = select(ACCOUNTS.c.id).where(ACCOUNTS.c.username == user(0))
        account = connection.execute(query).scalar_one()
    there = House(database, keyring, chats, account)
    there.stands = {name: content(there, name) for name in ("title", "first_name")}
    return there


def content(house, name):
    """What the register holds in this field of the user."""
    query = select(PROFILES.c[name]).join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id)
    ((value,),) = house.rows(query.where(ACCOUNTS.c.id == house.account))
    return value or ""


def to_the_recap(chat, account, name, value):
    chat.does(Command("edit", account))
    if "déjà ouvert" in chat.sees():  # what he wanted stood there, and he left it so
        chat.taps("Recommencer")
    fields = {b.action.value: b.label for b in chat.card.buttons() if isinstance(b.action, Press)}
    assert name in fields, chat.sees()
    chat.taps(CatalogueReader("fr").label(fields[name]))
    chat.says(value)
    assert "Récapitulatif" in chat.sees(), chat.sees()


def wishes(number):
    """What each of the two wants in this round: a field and its content."""
    first, second = f"Dr {letters(2 * number)}", f"Dr {letters(2 * number + 1)}"
    match number % 3:
        case 0:
            return DIFFERENT, [("title", first), ("title", second)]
        case 1:
            return ANOTHER_FIELD, [("title", first), ("first_name", letters(number))]
    return THE_SAME, [("title", first), ("title", first)]


def one_round(house, pool, number):
    """Both confirm at once; which of them was first, 0 or 1."""
    kind, wanted = wishes(number)
    together = Barrier(2, timeout=60)

    def confirms(chat):
        together.wait()
        chat.taps("Confirmer")

    list(pool.map(lambda chat, wish: to_the_recap(chat, house.account, *wish), house.chats, wanted))
    list(pool.map(confirms, house.chats))
    first, second = sorted((0, 1), key=lambda place: house.chats[place].card is not None)
    assert house.chats[first].card is None, "his change is recorded, his dialogue over"
    late = house.chats[second]
    last = house.rows(select(CHANGES.c.number).order_by(CHANGES.c.number.desc()).limit(1))[0].number
    assert MEANWHILE in late.sees(), late.sees()
    assert last in late.sees()
    name, value = wanted[first]
    house.stands[name] = value
    assert content(house, name) == value
    if kind is THE_SAME:
        late.taps("Confirmer")
        assert SAME in late.sees(), "what he wanted stands there already"
        return first
    name, value = wanted[second]
    assert house.stands[name] in said(late.card, "fr"), (
        "he decides with what stands there now before his eyes"
    )
    late.taps("Confirmer")
    assert late.card is None, late.sees()
    house.stands[name] = value
    assert content(house, name) == value
    return first


def trail_of(house):
    """Field, before and after of each correction, as the audit trail tells it, in its order."""
    with house.database.read() as connection:
        keys, told = IdentityKeys(connection, house.keyring), []
        for link in audit.links(connection):
            if link.values["act"] == "change-user":
                place = audit.personal_place(link.values["chain"], link.values["seq"])
                shows = json.loads(keys.unseal(link.values["subject_id"], link.values["personal"], place))
                told.append((link.values["body"]["key"], shows["before"], shows["after"]))
    return told


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(12),
        pytest.param(
            int(os.environ.get("ROUNDS", "200")), marks=[pytest.mark.soak, pytest.mark.timeout(1800)]
        ),
    ],
)
def test_of_two_managers_on_one_user_nothing_is_lost_and_the_second_sees_the_difference(house, rounds):
    begin, stood = time.monotonic(), dict(house.stands)
    with ThreadPoolExecutor(2) as pool:
        firsts = [one_round(house, pool, number) for number in range(rounds)]
    corrections = sum(1 if wishes(number)[0] is THE_SAME else 2 for number in range(rounds))
    trail = trail_of(house)
    assert len(trail) == corrections
    for name, before, after in trail:
        assert before == stood[name], "what one of them wrote was overwritten unseen"
        stood[name] = after
    assert stood == house.stands == {name: content(house, name) for name in stood}
    query = select(ITEMS.c.after).where(ITEMS.c.account_id == house.account).order_by(ITEMS.c.change_number)
    versions = [row.after["account_version"] for row in house.rows(query)]
    assert versions == list(range(versions[0], versions[0] + corrections))
    with house.database.read() as connection:
        check_invariants(connection, house.keyring)
    print(
        f"\n{rounds} rounds, {corrections} corrections, {time.monotonic() - begin:.0f} s: 0 lost, the second saw the"
        f" difference each time; the first manager was first {firsts.count(0)} times"
    )

import pytest
import time_machine
from bot import clock
from bot.conversations.model import Press, Tap
from bot.handlers.callbacks import Codes
from bot.handlers.mailroom import StoreInbox, StoreOutbox, callback_keys
from bot.handlers.ports import Mail, Waiting
from bot.store import inbox, outbox
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.store.schema import upgrade
from tests.handlers.fakes import arrived, letter

ANNE, BERT = 5_000_000_001, 5_000_000_002


@pytest.fixture
def keyring():
    return Keyring.of(new_root_key())


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/accessbot.db")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def letters(database, keyring):
    def put(key, chat_id=ANNE, **options):
        with database.write() as connection:
            outbox.put(
                connection,
                keyring,
                key,
                chat_id=chat_id,
                kind="message",
                payload=letter(key),
                now=clock.now(),
                **options,
            )

    return put


def test_an_update_waits_in_its_lane_until_it_is_done(database, keyring):
    box = StoreInbox(database, keyring)
    box.keep([arrived(1, ANNE, "un"), arrived(2, BERT, "x"), arrived(3, ANNE, "deux")])
    box.keep([arrived(1, ANNE, "un")])
    assert box.open_lanes() == [ANNE, BERT]
    assert box.next_in(ANNE) == Waiting(1, ANNE, arrived(1, ANNE, "un").body, 0)
    assert [box.count_attempt(1), box.count_attempt(1)] == [1, 2]
    with database.write() as connection:
        inbox.mark_done(connection, 1, clock.now())
    assert (box.count_attempt(1), box.next_in(ANNE).update_id) == (0, 3)
    box.set_aside(3, "ValueError at x:1", "4F2A")
    assert (box.next_in(ANNE), box.open_lanes()) == (None, [BERT])


def test_a_body_of_another_key_cannot_be_read_and_says_so(database, keyring):
    StoreInbox(database, keyring).keep([arrived(1, ANNE, "un")])
    assert StoreInbox(database, Keyring.of(new_root_key())).next_in(ANNE).body is None


def test_mail_is_lent_once_to_its_turn_first_and_again_after_its_wait(database, keyring, letters):
    box = StoreOutbox(database, keyring)
    with time_machine.travel("2026-11-24T09:00:00Z", tick=False) as time:
        letters("un", silent=True)
        letters("autre", BERT)
        (mail,) = box.take_for(ANNE)
        assert mail == Mail(mail.id, ANNE, "message", letter("un"), silent=True, attempts=0)
        assert box.take(9) == [], "a fresh row is left to the turn that wrote it"
        time.shift(2)
        (other,) = box.take(9)
        assert (other.chat_id, box.take(9)) == (BERT, [])
        box.later(mail.id, 30)
        box.sent(other.id, 7)
        time.shift(29)
        assert box.take(9) == []
        time.shift(2)
        (again,) = box.take(9)
        assert (again.id, again.attempts) == (mail.id, 1)
        box.ended(again.id, "blocked")
        time.shift(1_000)
        assert box.take(9) == []


def test_buttons_made_before_the_root_key_turned_still_work():
    old, new = new_root_key(), new_root_key()
    button = Codes(callback_keys(Keyring.of(f"1:{old}"))).encode(ANNE, 3, Press("ok"))
    turned = Keyring.of(f"1:{old}\n2:{new}")
    assert Codes(callback_keys(turned)).decode(ANNE, button) == Tap(3, "ok")
    assert callback_keys(turned)[0] == Keyring.of(f"2:{new}").key("callback")

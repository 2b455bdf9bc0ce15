import random

import pytest
from bot.conversations.model import Command, Door, Press, Tap
from bot.handlers.callbacks import LIMIT, REFUSED, Codes
from hypothesis import given
from hypothesis import strategies as st

CHAT = 5_000_000_001
CODES = Codes([b"k" * 32])


@given(
    rev=st.integers(0, 10**12),
    verb=st.from_regex(r"[a-z0-9_]{1,8}", fullmatch=True),
    value=st.text(st.characters(codec="utf-8"), max_size=24).filter(lambda text: len(text.encode()) <= 24),
    chat=st.integers(1, 2**52),
)
def test_a_press_comes_back_as_the_tap_it_was_made_for(rev, verb, value, chat):
    code = CODES.encode(chat, rev, Press(verb, value))
    assert len(code.encode()) <= LIMIT
    assert CODES.decode(chat, code) == Tap(rev, verb, value)


@pytest.mark.parametrize(
    ("flow", "args"), [("grant", ""), ("status", "2026-000123"), ("start", "é" * 10), ("a" * 32, "b" * 19)]
)
def test_a_door_comes_back_as_the_command(flow, args):
    code = CODES.encode(CHAT, 7, Door(flow, args))
    assert len(code.encode()) <= LIMIT
    assert CODES.decode(CHAT, code) == Command(flow, args)


def test_a_door_does_not_depend_on_the_cards_rev():
    assert CODES.encode(CHAT, 1, Door("grant")) == CODES.encode(CHAT, 99, Door("grant"))


def test_a_code_of_another_chat_is_refused():
    for action in (Press("ok"), Door("grant")):
        assert CODES.decode(CHAT + 1, CODES.encode(CHAT, 3, action)) == REFUSED


def test_a_code_of_another_key_is_refused():
    assert CODES.decode(CHAT, Codes([b"x" * 32]).encode(CHAT, 3, Press("ok"))) == REFUSED


def test_after_a_rotation_of_the_key_old_buttons_still_work():
    old, rotated = Codes([b"k" * 32]), Codes([b"n" * 32, b"k" * 32])
    assert rotated.decode(CHAT, old.encode(CHAT, 3, Press("ok", "1"))) == Tap(3, "ok", "1")
    assert old.decode(CHAT, rotated.encode(CHAT, 3, Press("ok", "1"))) == REFUSED


@pytest.mark.parametrize(
    "action",
    [
        Press("toolongverb"),
        Press(""),
        Press("Ok"),
        Press("a.b"),
        Press("ok", "x" * 27),
        Press("ok", "é" * 14),
        Door(""),
    ],
)
def test_what_no_button_can_carry_is_a_fault_of_the_flow(action):
    with pytest.raises(ValueError, match="not a"):
        CODES.encode(CHAT, 1, action)


def test_a_door_over_64_bytes_is_a_fault_of_the_flow():
    with pytest.raises(ValueError, match="over 64 bytes"):
        CODES.encode(CHAT, 1, Door("status", "x" * 60))


@pytest.mark.parametrize(
    "code",
    ["", ".", "p", "d", "x" * 64, "p1.ok.", "dgrant.", "\x00" * 30, "p1.ok.1é", "\ud800" * 20, "🙂" * 100],
)
def test_garbled_codes_are_refused(code):
    assert CODES.decode(CHAT, code) == REFUSED


def test_none_of_100000_random_and_mutated_payloads_is_accepted():
    dice = random.Random(20261124)
    genuine = [
        CODES.encode(CHAT, rev, action)
        for rev in (1, 35, 999)
        for action in (Press("ok"), Press("pick", "a1b2c3d4e5f6"), Door("grant"))
    ]
    known = set(genuine)
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-ABCXYZé\x00"
    for attempt in range(100_000):
        code = _random(dice, alphabet) if attempt % 2 else _mutated(dice, dice.choice(genuine), alphabet)
        if code not in known:
            assert CODES.decode(CHAT, code) == REFUSED


def _random(dice, alphabet):
    return dice.choice(["", "p", "d", "p1.ok."]) + "".join(dice.choices(alphabet, k=dice.randrange(64)))


def _mutated(dice, code, alphabet):
    letters = list(code)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(letters))
        match dice.randrange(4):
            case 0:
                letters[at] = dice.choice(alphabet)
            case 1:
                letters.insert(at, dice.choice(alphabet))
            case 2 if len(letters) > 1:
                del letters[at]
            case _:
                other = dice.randrange(len(letters))
                letters[at], letters[other] = letters[other], letters[at]
    return "".join(letters)

"""100,000 random and mutated buttons through the codes and the dialogues: no change, no crash; and signed ones with foreign values."""

from __future__ import annotations

import random

from bot.access.requests import Lock
from bot.conversations.model import Command, Perform, Press, State, Tap
from bot.conversations.registry import ENGINE
from bot.conversations.screens import NAVIGATION
from bot.conversations.testing import Talk, sample
from bot.handlers.callbacks import REFUSED, Codes

CHAT = 7_000_000_001
FORGED, SIGNED = 100_000, 4_000
VERBS = [*sorted(NAVIGATION - {"ok"}), "a", "on", "off", "who", "new", "all", "page", "day", "month", "skip", "stay_put", "list", "x"]  # fmt: skip
VALUES = ["", "0", "-1", "99999", "grant", "grant:midi", "status:2026-000001", "portal:2026-000001", "start:x", "midi", "aube", "quai", "a0001", "a9999", "colindos", "2026-02-31", "2026-13", "9999-12-31", "lang", "é" * 12, "\x00", "'; drop", "<b>", "language"]  # fmt: skip


def at_the_recap() -> Talk:
    talk = Talk(ENGINE, sample())
    talk.command("grant")
    talk.taps("Hôpitaux", "Peeters Jan · Cardiologie", "Colindos", "Suivant")
    assert "Récapitulatif" in talk.sees()
    return talk


def test_none_of_100000_random_and_mutated_buttons_changes_anything():
    dice, codes = random.Random(20261125), Codes([b"k" * 32])
    talk = at_the_recap()
    state, ctx = talk.state, talk.context
    genuine = [codes.encode(CHAT, state.rev, Press("ok")), codes.encode(CHAT + 1, state.rev, Press("ok")), codes.encode(CHAT, state.rev - 1, Press("ok"))]  # fmt: skip
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-ABCXYZé\x00"
    shown = ENGINE.view(state, ctx)
    seen = 0
    for number in range(FORGED):
        code = _mutated(dice, dice.choice(genuine), alphabet) if number % 2 else _random(dice, alphabet)
        event = codes.decode(CHAT, code)
        if code == genuine[0] or (code == genuine[2] and event != REFUSED):
            continue
        assert event == REFUSED, code
        if number % 10 == 0:  # they are all the same to the dialogues
            reply = ENGINE.step(state, event, ctx)
            assert (reply.state, reply.effects, reply.view) == (state, (), shown)
            seen += 1
    assert seen > FORGED / 11


def test_a_foreign_or_mad_value_that_is_signed_records_nothing():
    dice = random.Random(20261125)
    talk = at_the_recap()
    state, ctx = talk.state, talk.context
    for number in range(SIGNED):
        if number % 10 == 0:
            state = talk.state
        value = dice.choice(VALUES)
        event = (
            Tap(state.rev, dice.choice(VERBS), value)
            if number % 4
            else Command(dice.choice([*ENGINE.flows]), value)
        )
        reply = ENGINE.step(state, event, ctx)
        asked = [effect.request for effect in reply.effects if isinstance(effect, Perform)]
        assert [request for request in asked if request != Lock()] == [], event  # to lock is anybody's right
        assert State.from_json(reply.state.to_json()) == reply.state
        state = reply.state


def _random(dice, alphabet):
    return dice.choice(["", "p", "d", "p1.ok."]) + "".join(dice.choices(alphabet, k=dice.randrange(64)))


def _mutated(dice, code, alphabet):
    letters = list(code)
    for _ in range(dice.randint(1, 3)):
        letters[dice.randrange(len(letters))] = dice.choice(alphabet)
    return "".join(letters)

"""What people are told of how long something lasts is what the operator set."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bot.app import keeping_of
from bot.conversations.ports import Actor, Settings
from bot.conversations.registry import ENGINE
from bot.conversations.spans import Keeping, kept, lasting
from bot.conversations.testing import Talk, sample
from bot.i18n import speaker
from bot.settings import Settings as Environment

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=90), "2 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=15), "15 minutes"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=8), "8 heures"),
        (DAY, "24 heures"),
        (7 * DAY, "7 jours"),
        (366 * DAY, "366 jours"),
        (365 * DAY, "1 an"),
        (3650 * DAY, "10 ans"),
    ],
)
def test_a_span_is_said_in_its_largest_whole_unit(span, said):
    assert speaker("fr").plain(lasting(span)) == said


@pytest.mark.parametrize(
    ("lang", "said"),
    [("fr", "Après 5 minutes"), ("nl", "Na 5 minuten"), ("de", "Nach 5 Minuten"), ("en", "After 5 minutes")],
)
def test_home_says_after_how_long_the_chat_locks(lang, said):
    settings = Settings(pages="https://bot.example", idle=timedelta(minutes=5))
    nobody = Actor("delcourt", "Anne Delcourt", secured=False)  # without a way back
    talk = Talk(ENGINE, sample(), lang=lang, settings=settings, actor=nobody).command("home")
    assert said in talk.sees()


def test_a_dialogue_put_aside_is_there_for_as_long_as_is_said():
    settings = Settings(keeping=Keeping(dialogues=3 * DAY))
    talk = Talk(ENGINE, sample(), settings=settings).command("grant").taps("Hôpitaux").says("01.09.22-997.08")
    talk.taps("Annuler", "Garder pour plus tard")
    assert "Gardé pendant 3 jours" in talk.sees()
    talk.now += 3 * DAY
    assert "Reprendre" in talk.command("home").sees()
    talk.now += DAY
    assert "Reprendre" not in talk.command("home").sees()


def test_the_privacy_notice_says_what_the_operator_set():
    environment = Environment(keep_dialogues_days=2, keep_departed_days=90, keep_audit_years=30)
    keeping = keeping_of(environment)
    shown = Talk(ENGINE, sample(), settings=Settings(keeping=keeping)).command("privacy").sees()
    for said in ("2 jours", "90 jours", "30 ans"):
        assert said in shown
    assert speaker("de").plain(kept(Keeping())).count("10 Jahre") == 1

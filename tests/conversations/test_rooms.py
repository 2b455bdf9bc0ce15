"""Start, strangers, home, status: what everybody meets."""

from __future__ import annotations

import pytest
from bot.access.requests import Join
from bot.conversations.model import State, Tap
from bot.conversations.registry import ENGINE
from bot.conversations.testing import Talk, sample

CODE = "A" * 22


@pytest.fixture
def stranger() -> Talk:
    return Talk(ENGINE, sample(), actor=None)


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, sample())


def test_a_stranger_is_told_what_this_is_and_whom_to_ask_and_nothing_else(stranger: Talk) -> None:
    for event in ("start", "grant", "status", "me", "home", "entity"):
        stranger.command(event)
        assert "réservé aux gestionnaires d'accès invités" in stranger.sees()
        assert "Hôpitaux du Midi" not in stranger.sees()
    stranger.says("Peeters")
    assert "Peeters" not in stranger.sees()


def test_a_stranger_chooses_his_language(stranger: Talk) -> None:
    stranger.command("start").taps("Deutsch")
    assert "eingeladene Zugangsverwalter" in stranger.sees()


def test_an_invitation_leads_over_language_and_notice_to_home(stranger: Talk) -> None:
    stranger.command("start", CODE).taps("English")
    assert "Telegram carries your messages" in stranger.sees()
    stranger.taps("I have read this")
    assert stranger.requests == [Join(CODE)]
    assert "Hello Anne Delcourt." in stranger.sees()
    assert "[➕ Give access]" in stranger.sees()


def test_a_spent_invitation_says_so_and_asks_for_another(stranger: Talk) -> None:
    stranger.command("start", "B" * 22)
    assert "Ce code n'est pas ou plus valable" in stranger.sees()
    stranger.taps("Français").says("C" * 22)
    assert "Ce code n'est pas ou plus valable" in stranger.sees()
    stranger.says(CODE).taps("J'ai lu")
    assert stranger.requests == [Join(CODE)]


def test_home_shows_the_role_in_each_entity(talk: Talk) -> None:
    talk.command("start")
    assert "Hôpitaux du Midi · 710999-11 · vous y êtes co-responsable" in talk.sees()


def test_the_overview_counts_what_is_active_and_ending(talk: Talk) -> None:
    talk.command("status")
    assert "🟢 2 accès actifs" in talk.sees()
    assert "⏳ 1 se termine dans les 30 jours" in talk.sees()
    talk.taps("Fin proche", "Maes Wout")
    assert "Colindos, actif depuis le 12-03-2026 · jusqu'au 03-12-2026" in talk.sees()


def test_an_application_tells_who_has_it(talk: Talk) -> None:
    talk.command("status", "colindos")
    assert "Claes Mieke" in talk.sees()
    assert "Peeters" not in talk.sees()


def test_a_change_is_found_by_its_number(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos").taps("Confirmer")
    talk.says("2026-1")
    assert "2026-000001" in talk.sees()
    assert "devrait être actif à 10:20" in talk.sees()


def test_text_on_a_status_page_is_a_new_query(talk: Talk) -> None:
    talk.command("status").says("mieke")
    assert "mclaes01" in talk.sees()
    talk.says("Qqqqqq")
    assert "Personne ne correspond" in talk.sees()


def test_a_button_of_an_old_card_says_that_it_has_expired_and_shows_the_current_one(talk: Talk) -> None:
    talk.command("grant")
    old = Tap(talk.state.rev, "a", "midi", on_card=False)
    talk.command("status")
    before = talk.state
    reply = talk.feed(old)
    assert reply.toast and reply.toast.msg.key == "engine.expired"
    assert (talk.state, reply.anew) == (before, True)
    assert "État des accès" in talk.sees()


def test_a_double_tap_acts_once_and_is_answered_silently(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos")
    confirm = Tap(talk.state.rev, "ok")
    talk.feed(confirm)
    for _ in range(3):
        reply = talk.feed(confirm)
        assert reply.toast is None
        assert reply.view is None
    assert len(talk.requests) == 1


def test_two_quick_ticks_both_count(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie")
    rev = talk.state.rev
    talk.feed(Tap(rev, "on", "colindos"))
    talk.feed(Tap(rev, "on", "hospiliss"))
    talk.feed(Tap(rev, "on", "hospiliss"))
    assert talk.state.rev == rev
    assert "[☑ Colindos]" in talk.sees()
    assert "[☑ Hospiliss]" in talk.sees()


def test_help_is_of_the_moment(talk: Talk) -> None:
    talk.command("help")
    assert "tapez un nom, un NISS" in talk.sees()
    talk.command("grant").command("help")
    assert "Rien n'est enregistré avant" in talk.sees()
    talk.taps("Reprendre : Donner un accès")
    assert "Pour quelle entité" in talk.sees()


def test_a_dialogue_that_no_longer_exists_after_a_deploy_is_left_out(talk: Talk) -> None:
    state = State.from_json(
        {
            **talk.command("grant").state.to_json(),
            "frames": [{**talk.state.frames[0].to_json(), "flow": "gone"}],
        }
    )
    reply = ENGINE.step(state, Tap(state.rev, "a", "midi"), talk.context)
    assert reply.state.frames == ()
    assert reply.toast is not None

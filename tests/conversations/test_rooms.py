"""Start, strangers, home, status: what everybody meets."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from bot.access.requests import Join
from bot.conversations.flow import press
from bot.conversations.model import Command, Event, Forget, Redraw, State, Tap, Text, Unreadable
from bot.conversations.ports import Holding
from bot.conversations.registry import ENGINE
from bot.conversations.testing import AUBE, MIDI, Talk, said, sample
from bot.msg import m

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
    assert "Ce code n'est pas valable, ou ne l'est plus" in stranger.sees()
    stranger.taps("Français").says("C" * 22)
    assert "Ce code n'est pas valable, ou ne l'est plus" in stranger.sees()
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


def updated(talk: Talk, **older: object) -> Talk:
    """The chat as an older version of the program left it: its top dialogue had these parts."""
    state = talk.state.to_json()
    state["frames"][-1] |= older
    talk.state = State.from_json(state)
    return talk


@pytest.mark.parametrize("event", [Tap(2, "a", "midi"), Text("Peeters"), Command("status"), Redraw()])
def test_a_dialogue_that_no_longer_exists_after_an_update_is_left_out_with_a_sentence_said_once(
    talk: Talk, event: Event
) -> None:
    updated(talk.command("grant"), flow="gone")
    assert ENGINE.view(talk.state, talk.context) is not None, "the card can be drawn before anybody acts"
    reply = ENGINE.step(talk.state, event, talk.context)
    assert "gone" not in [frame.flow for frame in reply.state.frames]
    assert reply.view is not None
    assert "n'existe plus depuis la mise à jour" in said(reply.view, "fr")
    assert (reply.toast is not None) == isinstance(event, Tap)
    again = ENGINE.step(reply.state, Text("Peeters"), talk.context)
    assert again.view is not None
    assert "mise à jour" not in said(again.view, "fr")


def test_one_kept_for_later_goes_the_same_way(talk: Talk) -> None:
    state = talk.command("grant").taps("Hôpitaux").state.to_json()
    state["kept"], state["frames"] = [{**state["frames"][0], "flow": "gone"}], []
    talk.state = State.from_json(state)
    assert ENGINE.view(talk.state, talk.context) is not None
    assert "n'existe plus depuis la mise à jour" in talk.command("home").sees()
    assert talk.state.kept == ()


def test_steps_that_no_longer_exist_are_as_if_they_had_never_been_asked(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux")
    frame = talk.state.frames[-1]
    updated(
        talk,
        editing="gone",
        answers={**frame.answers, "gone": [1]},
        trail=[*frame.trail, "gone"],
        proposals={"gone": 1},
    )
    assert "À qui ?" in talk.command("help").taps("Reprendre").sees()
    assert "Pour quelle entité" in talk.taps("Précédent").sees()


def test_text_typed_on_the_home_card_looks_for_a_change_or_a_person(talk: Talk) -> None:
    talk.command("home").says("claes")
    assert "Claes Mieke" in talk.sees()
    talk.command("home").says("2026-000999")
    assert "Il n'y a pas de n° 2026-000999" in talk.sees()


def test_home_above_a_dialogue_still_looks_and_leads_back(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").command("home").says("claes")
    assert "Colindos, actif depuis le 12-03-2026" in talk.sees()
    talk.taps("Reprendre : Donner un accès")
    assert "À qui" in talk.sees()


@pytest.mark.parametrize(
    "command", [("status", "79.08.23-997.28"), ("nonsense", "79.08.23-997.28"), ("79082399728", "")]
)
def test_a_national_number_in_a_command_is_deleted_too(talk: Talk, command: tuple[str, str]) -> None:
    talk.command(*command)
    assert Forget() in talk.replies[-1].effects
    assert "je l'ai supprimé" in talk.sees()
    assert "79.08.23-997.28" not in talk.sees()


def test_status_with_a_national_number_finds_its_person(talk: Talk) -> None:
    talk.command("status", "79.08.23-997.28")
    assert "jpeeters" in talk.sees()


def test_what_is_not_text_says_so_and_loses_nothing(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").feed(Unreadable())
    assert "⚠ Je ne lis que du texte" in talk.sees()
    talk.feed(Unreadable("corrected", secret=True))
    assert "⚠ Je ne relis pas un message modifié" in talk.sees()
    assert Forget() in talk.replies[-1].effects
    assert "À qui" in talk.sees()


def test_a_stranger_hears_of_no_command(stranger: Talk) -> None:
    for name in ("end", "nonsense", "grant"):
        stranger.command(name)
        assert "/grant" not in stranger.sees()
        assert "réservé aux gestionnaires" in stranger.sees()


def test_an_auditor_chooses_entity_and_quality_though_he_may_give_nothing(talk: Talk) -> None:
    talk.directory.acts = frozenset()
    talk.command("entity").taps("Clinique")
    assert "Aucune qualité" not in talk.sees()
    assert talk.state.memory["quality"] == "aube-h"


def test_a_dialogue_that_makes_room_for_one_resumed_is_kept(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux").says("01.09.22-997.08").taps("Annuler", "Garder")
    talk.command("entity").command("portal").command("language")
    talk.press(press(m("common.resume"), "resume", "grant"))
    assert [frame.flow for frame in talk.state.frames] == ["portal", "language", "grant"]
    assert [frame.flow for frame in talk.state.kept] == ["entity"]


def test_a_long_list_of_people_is_paged_over_all_entities(talk: Talk) -> None:
    for number in range(9):
        talk.directory.add(
            "Wouters", f"Naam{number}", entity=MIDI if number < 7 else AUBE, username=f"wout{number}"
        )
    talk.command("status", "wouters")
    assert "« wouters » : 9 utilisateurs trouvés" in talk.sees()
    seen = []
    for _ in range(3):
        seen += re.findall(r"\[Wouters (Naam\d)", talk.sees())
        talk.taps("›")
    assert sorted(seen) == [f"Naam{number}" for number in range(9)]


def test_an_application_held_by_many_shows_each_of_them_once(talk: Talk) -> None:
    held = (Holding("application", "colindos", "active", date(2026, 3, 12)),)
    for number in range(8):
        talk.directory.add("Wouters", f"Naam{number}", username=f"wout{number}", holdings=held)
    talk.command("status", "colindos")
    seen = []
    for _ in range(3):
        seen += re.findall(r"\[((?:Claes|Maes|Wouters) \w+)", talk.sees())
        talk.taps("›")
    assert sorted(seen) == ["Claes Mieke", "Maes Wout", *(f"Wouters Naam{number}" for number in range(8))]


def test_more_than_a_thousand_are_not_counted_to_the_end(talk: Talk) -> None:
    for number in range(1003):
        talk.directory.add("Wouters", f"Naam{number}", username=f"wout{number}")
    talk.command("status", "wouters")
    assert "plus de 1\N{NARROW NO-BREAK SPACE}000 utilisateurs" in talk.sees()


def test_a_list_counts_accesses_and_not_people(talk: Talk) -> None:
    both = (("application", "colindos"), ("function", "collaborator-hospital-pharmacist"))
    held = [Holding(kind, key, "pending", date(2026, 12, 1)) for kind, key in both]
    talk.directory.add("Wouters", "Lena", username="lwouters", holdings=held)
    talk.command("status").taps("En attente")
    assert "2 accès" in talk.sees()
    assert talk.sees().count("[Wouters Lena]") == 1


def test_a_wrong_number_after_status_is_said(talk: Talk) -> None:
    talk.command("status", "79082499728")
    assert "au moins un chiffre est faux" in talk.sees()
    assert "Vue d'ensemble" not in talk.sees()


def test_who_manages_nothing_sees_only_what_is_his(talk: Talk) -> None:
    talk.directory.places = ()
    talk.directory.own = ("a0001",)
    for words in ("", "claes", "colindos", "2026-000001"):
        talk.command("status", words)
        assert "jpeeters" in talk.sees()
        assert "Claes" not in talk.sees()
    talk.command("help")
    assert "Donner un accès" not in talk.sees()


def test_help_does_not_send_an_auditor_to_what_he_may_not_do(talk: Talk) -> None:
    talk.directory.acts = frozenset()
    talk.command("home").command("help")
    assert "Donner un accès" not in talk.sees()
    assert "2026-000123" in talk.sees()


def test_a_change_due_today_tells_the_time_and_one_for_later_the_day(talk: Talk) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos").taps("Confirmer")
    talk.command("status", "2026-000001")
    assert "devrait être actif à 10:20" in talk.sees()
    talk.command("grant").taps("Hôpitaux", "Claes Mieke")
    talk.says("Colindos", "Collaborateur médecin-spécialiste", "1.12.2026").taps("Confirmer")
    talk.command("status", "2026-000002")
    assert "en attente, prévu le 01-12-2026" in talk.sees()


def test_an_invitation_made_in_a_language_speaks_it_from_the_first_card(stranger: Talk) -> None:
    stranger.directory.invited_in = "de"
    stranger.command("start", CODE)
    assert "In welcher Sprache" in stranger.sees()
    stranger.taps("Deutsch")
    assert "Dieser Assistent" in stranger.sees()
    stranger.taps("Gelesen")
    assert stranger.requests == [Join(CODE)]
    assert "Startseite" in stranger.sees()


def test_a_text_that_means_a_person_and_an_application_finds_both(talk: Talk) -> None:
    talk.directory.add("Colin", "Eva", username="ecolin01")
    talk.command("status", "colin")
    assert "« colin » : 1 utilisateur trouvé" in talk.sees()
    assert "[📦 Colindos]" in talk.sees()
    talk.taps("Colin Eva")
    assert "ecolin01" in talk.sees()
    talk.says("colin").taps("Colindos")
    assert "Claes Mieke" in talk.sees()


def test_the_beginning_of_several_applications_offers_them(talk: Talk) -> None:
    other = replace(talk.catalogue.application("hospiliss"), key="hospinet", name="Hospinet", aliases=())
    talk.catalogue = talk.catalogue.with_applications([other])
    talk.command("status", "hosp")
    assert "« hosp » : 0 utilisateur" in talk.sees()
    assert "[📦 Hospiliss]" in talk.sees()
    assert "[📦 Hospinet]" in talk.sees()


@pytest.mark.parametrize("typed", ["colindso", "Clindos", "colin"])
def test_an_application_with_a_typing_error_is_found_where_no_person_is_meant(talk: Talk, typed: str) -> None:
    talk.command("status", typed)
    assert "Claes Mieke" in talk.sees()


@pytest.mark.parametrize("typed", ["1", "000001", "n° 1", "nr 1", "No. 2026-1"])
def test_a_change_is_found_by_its_number_without_year_and_zeros(talk: Talk, typed: str) -> None:
    talk.command("grant").taps("Hôpitaux", "Peeters Jan · Cardiologie").says("Colindos").taps("Confirmer")
    talk.command("status", typed)
    assert "2026-000001" in talk.sees()
    assert "devrait être actif à 10:20" in talk.sees()


@pytest.mark.parametrize(
    "event",
    [
        Text("Welkom2026!"),
        Text("mot de passe : soleil"),
        Command("status", "Welkom2026!"),
        Unreadable("password"),
    ],
    ids=["an answer", "a sentence", "the words of a command", "a corrected message"],
)
def test_a_typed_password_is_refused_and_deleted_and_quoted_nowhere(talk: Talk, event: Event) -> None:
    before = talk.command("grant").taps("Hôpitaux").state
    reply = talk.feed(event)
    assert reply.effects == (Forget(),)
    assert "⚠ Cela ressemble à un mot de passe" in talk.sees()
    assert "À qui" in talk.sees()
    assert [frame.answers for frame in talk.state.frames] == [frame.answers for frame in before.frames]
    assert "Welkom" not in str(talk.state.to_json()) + talk.sees()


def test_a_strangers_password_is_deleted_too(stranger: Talk) -> None:
    assert stranger.feed(Text("Welkom2026!")).effects == (Forget(),)


def test_a_dialogue_in_which_nothing_was_answered_makes_room_for_a_fourth() -> None:
    talk = Talk(ENGINE, sample())
    for command in ("grant", "end", "edit", "newuser"):
        talk.command(command)
    assert [frame.flow for frame in talk.state.frames] == ["end", "edit", "newuser"]


def test_a_dialogue_with_an_answer_is_not_lost_for_a_fourth() -> None:
    talk = Talk(ENGINE, sample())
    for command in ("grant", "end", "edit"):
        talk.command(command).taps("Hôpitaux")
    talk.command("newuser")
    assert [frame.flow for frame in talk.state.frames] == ["grant", "end", "edit"]
    assert "Trois dialogues sont déjà ouverts" in talk.sees()


def test_a_remembered_entity_that_a_dialogue_does_not_offer_is_asked_for_anew_with_its_quality() -> None:
    for flow in ENGINE.flows:
        talk = Talk(ENGINE, sample(), state=State(memory={"entity": "gone", "quality": "gone-h"}))
        talk.command(flow)
        assert talk.view or talk.receipts, flow

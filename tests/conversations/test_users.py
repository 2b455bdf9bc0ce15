"""The list of users and what is done to several of them, as people have it. Each test is a transcript."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from bot.access.requests import ActOnUsers, ChangeEnd, ExportUsers, Refused
from bot.conversations.model import Forget
from bot.conversations.ports import Holding, UserFilter
from bot.conversations.registry import ENGINE
from bot.conversations.testing import MIDI, NOW, PORTAL, MemoryDirectory, Talk, plain, said
from bot.conversations.userlist import MOST
from bot.conversations.users import numbered
from bot.msg import m


def ward(users: int = 0) -> MemoryDirectory:
    """One entity with as many users as wanted besides three."""
    directory = MemoryDirectory(places=(MIDI,))
    ends = NOW.date() + timedelta(days=9)
    held = Holding("application", "colindos", "active", date(2026, 3, 12), ends, NOW)
    directory.add("Claes", "Mieke", username="mclaes01", niss="79082399728", holdings=(held,))
    directory.add("De Boer", "Jan", username="jdeboer1", subdivision="Cardiologie")
    directory.add("Lambert", "Zoé", username="zlambert", status="blocked")
    for number in range(users):
        directory.add(f"Naam{number:04d}", "Piet", username=f"user{number:04d}")
    return directory


@pytest.fixture
def talk() -> Talk:
    return Talk(ENGINE, ward(10)).command("users")


def test_a_person_among_five_thousand_gets_another_end_in_five_interactions_at_most(capsys) -> None:
    talk = Talk(ENGINE, ward(4_997)).command("users")
    assert "plus de 1\N{NARROW NO-BREAK SPACE}000 utilisateurs" in talk.sees()
    talk.says("claes").taps("Claes Mieke")
    assert "Colindos" in talk.sees()
    assert "[Reprendre : Utilisateurs]" in talk.sees()
    talk.taps("Modifier un accès").says("25-02-2027").taps("Confirmer")
    request = talk.requests[-1]
    assert isinstance(request, ChangeEnd)
    assert (request.account, request.ends_on) == ("a0001", date(2027, 2, 25))
    with capsys.disabled():
        print(f"\n  interactions, a person among 5,000 gets another end: {talk.interactions} (target 5)")
    assert talk.interactions <= 5


def test_blocking_three_selected_people_takes_seven_interactions_at_most(capsys) -> None:
    directory = ward(20)
    directory.places = (*MemoryDirectory().places,)
    talk = Talk(ENGINE, directory).command("users").taps("Hôpitaux du Midi", "Sélectionner")
    talk.taps("Claes Mieke", "De Boer Jan", "Naam0000", "Bloquer")
    assert "3 personnes : Claes Mieke, De Boer Jan · Cardiologie, Naam0000 Piet" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ActOnUsers("block", (("a0001", 1), ("a0002", 1), ("a0004", 1)))]
    assert "3 comptes bloqués" in said(talk.receipts[-1], "fr")
    with capsys.disabled():
        print(f"\n  interactions, three selected people blocked: {talk.interactions} (target 7)")
    assert talk.interactions <= 7


def test_ticks_stay_across_pages_and_searches(talk: Talk) -> None:
    talk.taps("Sélectionner", "Claes Mieke", "›", "Naam0005").says("boer").taps("De Boer Jan")
    assert "3 personnes sélectionnées" in talk.sees()
    talk.taps("Toute la liste")
    assert "[☑ Claes Mieke]" in talk.sees()
    assert "[☑ De Boer Jan · Cardiologie]" in talk.sees()


def test_the_pages_have_numbers_and_go_both_ways(talk: Talk) -> None:
    assert "[‹] [Page 1/3] [›]" in talk.sees() or "1/3" in talk.sees()
    first = talk.sees()
    talk.taps("›")
    assert "2/3" in talk.sees()
    talk.taps("‹")
    assert talk.sees() == first


def test_filters_combine_are_said_and_can_be_taken_away(talk: Talk) -> None:
    talk.taps("Filtrer", "Application", "Colindos", "Filtrer", "Fin proche", "Se termine dans les 30 jours")
    assert "Application : Colindos" in plain(talk.sees())
    assert "1 utilisateur trouvé" in talk.sees()
    talk.taps("Filtrer", "Application", "Enlever ce critère", "Filtrer", "Effacer tous")
    assert "13 utilisateurs trouvés" in talk.sees()


def test_a_filter_is_typed_where_it_is_asked_for(talk: Talk) -> None:
    talk.taps("Filtrer", "Statut").says("bloqué")
    assert "[⛔ Lambert Zoé]" in talk.sees()
    assert "Lambert Zoé : compte bloqué" in plain(talk.sees())
    talk.taps("Filtrer", "Effacer tous", "Filtrer", "Prénom").says("jan")
    assert "1 utilisateur trouvé" in talk.sees()


def test_a_typed_number_finds_its_person_and_goes_from_the_chat(talk: Talk) -> None:
    talk.says("79.08.23-997.28")
    assert Forget() in talk.replies[-1].effects
    assert "1 utilisateur trouvé" in talk.sees()
    assert "79" not in str(talk.state.to_json()["frames"])


def test_a_typing_error_shows_who_may_be_meant_and_nothing_is_lost(talk: Talk) -> None:
    talk.taps("Sélectionner", "De Boer").says("Clase Mieke")
    assert "Claes Mieke" in talk.sees()
    assert "1 personne sélectionnée" in talk.sees()


def test_deleting_says_how_many_and_whom_and_asks_why(talk: Talk) -> None:
    talk.taps("Sélectionner", "Claes Mieke", "Lambert Zoé", "Supprimer")
    assert "Pour quel motif" in talk.sees()
    talk.says("a quitté l'hôpital")
    assert "2 personnes : Claes Mieke, Lambert Zoé" in plain(talk.sees())
    assert "a quitté l'hôpital" in talk.sees()
    talk.taps("Confirmer")
    assert talk.requests == [ActOnUsers("delete", (("a0001", 1), ("a0003", 1)), reason="a quitté l'hôpital")]
    talk.command("users")
    assert "11 utilisateurs trouvés" in talk.sees()


@pytest.fixture
def there() -> Talk:
    """Three users of a hospital of the portal, each with Colindos."""
    directory = MemoryDirectory(places=(PORTAL,))
    for first in ("An", "Bo", "Cis"):
        held = Holding("application", "colindos", "active", date(2026, 3, 12), None, NOW)
        directory.add("Aerts", first, entity=PORTAL, username=f"aerts{first.lower()}01", holdings=(held,))
    return Talk(ENGINE, directory).command("users")


@pytest.mark.parametrize(
    ("answers", "noted"),
    [
        (("Bloquer",), "Blocage noté pour 3 comptes ; ils ne sont pas encore bloqués sur le portail"),
        (("Fin des accès", "Maintenant"), "rien n'a encore changé sur le portail"),
        (("Supprimer", "parti"), "Suppression notée pour 3 comptes ; ils existent encore sur le portail"),
    ],
)
def test_on_the_portal_an_act_on_several_is_noted_with_every_number(there: Talk, answers, noted: str) -> None:
    there.taps("Sélectionner", "Aerts An", "Aerts Bo", "Aerts Cis", answers[0])
    for answer in answers[1:]:
        there.says(answer)
    there.taps("Confirmer")
    receipt = plain(said(there.receipts[-1], "fr"))
    assert noted in receipt
    assert "N° 2026-000001 à 2026-000003" in receipt
    assert "☑ Étapes sur le portail" in receipt
    assert not re.search(r"comptes? (?:bloqué|supprimé)", receipt)


def test_numbers_with_another_between_are_all_said() -> None:
    assert numbered(("2026-000003", "2026-000005")).params == (("number", ("2026-000003", "2026-000005")),)
    assert numbered(("2026-000003",)).key == "users.number"


def test_a_block_that_is_only_noted_is_shown_as_such_with_the_way_to_do_it(there: Talk) -> None:
    there.taps("Sélectionner", "Aerts An", "Bloquer", "Confirmer")
    for command in ("user", "status"):
        there.command(command, "aerts an")
        assert "Statut: bloqué ☑ noté, encore à faire sur le portail" in plain(there.sees())
        assert "[☑ Étapes sur le portail]" in there.sees()
        assert "🟢 Colindos" in there.sees(), "there the account is open still"
    there.command("users")
    assert "Aerts An : compte bloqué ☑ noté" in plain(there.sees())
    there.command("portal", "2026-000001").taps("Fait")
    there.command("user", "aerts an")
    assert "Statut: bloqué\n" in plain(there.sees())
    assert "⛔ Colindos, dès le 12-03-2026" in there.sees()
    assert "sans effet tant que le compte est bloqué" in plain(there.sees())
    assert "☑" not in there.sees()


def test_an_end_that_is_only_noted_is_shown_as_such_with_the_way_to_do_it(there: Talk) -> None:
    there.taps("Sélectionner", "Aerts An", "Fin des accès").says("Maintenant").taps("Confirmer")
    for command in ("user", "status"):
        there.command(command, "aerts an")
        line = "☑ Colindos (fin de l'application) : noté, encore à faire sur le portail (n° 2026-000001)"
        assert line in plain(there.sees())
        assert "Aucune application" not in there.sees()
        assert "[☑ Étapes sur le portail]" in there.sees()
    there.directory.acts -= {"hand_over"}
    assert "Étapes sur le portail" not in there.command("user", "aerts an").sees()


def test_what_a_blocked_account_holds_is_not_said_to_be_active(talk: Talk) -> None:
    talk.taps("Sélectionner", "Claes Mieke", "Bloquer", "Confirmer")
    for command in ("user", "status"):
        talk.command(command, "claes")
        assert "sans effet tant que le compte est bloqué" in plain(talk.sees())
        assert "🟢" not in talk.sees()


def test_whom_an_act_does_not_concern_is_left_out_and_said(talk: Talk) -> None:
    talk.taps("Sélectionner", "Claes Mieke", "Lambert Zoé", "Bloquer")
    assert "Sans objet pour Lambert Zoé" in plain(talk.sees())
    talk.taps("Confirmer")
    assert talk.requests == [ActOnUsers("block", (("a0001", 1),))]


def test_an_act_without_anybody_says_what_to_do_first(talk: Talk) -> None:
    talk.taps("Sélectionner", "Bloquer")
    assert "⚠ Touchez d'abord les personnes" in talk.sees()


def test_back_from_the_recap_finds_the_ticks_and_the_filter_again(talk: Talk) -> None:
    talk.says("claes").taps("Sélectionner", "Claes Mieke", "Bloquer", "Précédent")
    assert "[☑ Claes Mieke]" in talk.sees()
    assert "Recherche : claes" in plain(talk.sees())


def test_who_was_changed_meanwhile_is_named_and_the_choice_stands(talk: Talk) -> None:
    talk.taps("Sélectionner", "Claes Mieke", "Bloquer")
    card = talk.directory.cards["a0001"]
    talk.directory.cards["a0001"] = replace(card, ref=replace(card.ref, version=4))
    talk.directory.refusal = Refused(m("act.users.changed", who=("Claes Mieke",)), "people")
    talk.taps("Confirmer")
    assert "quelqu'un a modifié : Claes Mieke" in plain(talk.sees())
    talk.taps("Bloquer", "Confirmer")
    assert talk.requests[-1] == ActOnUsers("block", (("a0001", 4),))


def test_a_selection_has_an_end() -> None:
    talk = Talk(ENGINE, ward(MOST)).command("users").taps("Sélectionner")
    ticks = list(talk.directory.cards)[:MOST]
    frame = talk.state.top
    assert frame
    talk.state = talk.state.with_top(replace(frame, ui={**frame.ui, "ticks": [*ticks[1:], "a0001"]}))
    talk.says("Naam0199").taps("Naam0199")
    assert f"au plus {MOST} personnes" in talk.sees()


def test_who_may_only_look_has_nothing_to_select() -> None:
    directory = ward()
    directory.acts = frozenset({"list_users"})
    talk = Talk(ENGINE, directory).command("users")
    assert "[Filtrer]" in talk.sees()
    assert "Sélectionner" not in talk.sees()


def test_the_list_is_exported_as_it_is_filtered_in_three_interactions(talk: Talk) -> None:
    talk.says("naam").taps("Exporter la liste", "Excel")
    seen = talk.sees()
    assert "Recherche : naam" in seen
    assert "Colonnes: Celles du portail" in seen
    assert "NISS: Masqués" in seen
    talk.taps("Confirmer")
    assert talk.requests == [ExportUsers("midi", UserFilter(text="naam"), "xlsx", "fr")]
    assert "Le fichier arrive dans cette conversation" in said(talk.receipts[-1], "fr")


def test_numbers_in_full_are_offered_only_to_whoever_may_have_them() -> None:
    directory = ward()
    directory.acts -= {"export_national_numbers"}
    talk = Talk(ENGINE, directory).command("users", "midi").taps("Exporter la liste", "CSV")
    assert "NISS:" not in talk.sees()
    directory.acts -= {"export_users"}
    assert "Exporter" not in Talk(ENGINE, directory).command("users", "midi").sees()


def test_a_new_user_is_made_from_the_list_by_whoever_may(talk: Talk) -> None:
    talk.taps("Nouvel utilisateur")
    assert talk.state.top.flow == "newuser"
    assert talk.state.top.answers["entity"] == "midi"
    other = Talk(ENGINE, ward(2))
    other.directory.acts -= {"create_user"}
    assert "Nouvel utilisateur" not in other.command("users").sees()

"""The subdivisions as dialogues: the tree, a card, and how few steps it takes to make, rename, move and close one."""

from __future__ import annotations

import pytest
from bot.access.claims import takes_proof
from bot.access.requests import (
    CloseSubdivision,
    Conflict,
    CreateSubdivision,
    MoveSubdivision,
    RenameSubdivision,
)
from bot.conversations.ports import SubdivisionRef
from bot.conversations.registry import ENGINE
from bot.conversations.testing import MIDI, Talk, said, sample
from bot.msg import m
from tests.conversations.subdivisionroads import led, wards


@pytest.fixture
def talk() -> Talk:
    """Anne, with a tree of subdivisions in her hospital."""
    return Talk(ENGINE, wards(sample()))


def there(talk: Talk) -> Talk:
    return talk.command("subdivisions", "midi-h")


def test_the_tree_says_who_is_where_and_who_manages(talk):
    led(talk.directory)
    there(talk)
    assert "1 Cardiologie · 1 utilisateur · 🔑 Claes Mieke" in talk.sees().replace("<b>", "").replace(
        "</b>", ""
    )
    assert "↳ Cathétérisme · 0 utilisateur" in talk.sees()
    talk.taps("1 · Cardiologie")
    assert "Gestionnaires: Claes Mieke" in talk.sees()
    talk.taps("↳ Cathétérisme")
    assert "Cardiologie › Cathétérisme" in talk.sees()


def test_one_is_found_by_a_part_of_its_name_or_nearly(talk):
    there(talk).says("sterili")
    assert "Pharmacie › Stérilisation" in talk.sees()
    talk.taps("Toutes").says("Oncollogie")
    assert "Subdivision: Oncologie" in talk.sees()
    talk.taps("Toutes").says("c")
    assert "2 résultats pour « c »" in talk.sees()
    talk.taps("2 · Cathétérisme")
    assert "Cardiologie › Cathétérisme" in talk.sees()


def test_its_users_are_the_list_of_users_narrowed_to_it(talk):
    there(talk).taps("1 · Cardiologie", "Voir les utilisateurs")
    assert "Subdivision : Cardiologie" in talk.sees()
    assert "1 utilisateur trouvé" in talk.sees()
    talk.taps("Subdivisions")
    assert "8 subdivisions" in talk.sees()


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("Nouvelle subdivision", "=Salle 3", "Confirmer"), CreateSubdivision("midi-h", "Salle 3")),
        (
            ("1 · Cardiologie", "Nouvelle subdivision", "=Salle 3", "Confirmer"),
            CreateSubdivision("midi-h", "Salle 3", "c"),
        ),
        (("1 · Cardiologie", "Renommer", "=Cœur", "Confirmer"), RenameSubdivision("c", 1, "Cœur")),
        (
            ("2 · Cathétérisme", "Déplacer", "=Pharmacie", "Confirmer"),
            MoveSubdivision("k", 1, "p", 0),
        ),
        (("4 · Dialyse", "Fermer", "Confirmer"), CloseSubdivision("d", 1)),
        (
            ("1 · Cardiologie", "Fermer", "=Pharmacie", "Confirmer"),
            CloseSubdivision("c", 1, 1, ("k",), (), "p"),
        ),
    ],
)
def test_it_takes_few_steps(talk, steps, expected):
    there(talk)
    for step in steps:
        talk.says(step[1:]) if step.startswith("=") else talk.taps(step)
    assert talk.requests == [expected]
    assert talk.interactions == len(steps) <= 4
    print(f"{type(expected).__name__}: {talk.interactions} interactions after /subdivisions")
    talk.taps("Subdivisions")
    assert "subdivisions" in talk.sees()


def test_what_closing_takes_along_is_said_before_and_its_managers_take_a_proof(talk):
    led(talk.directory)
    there(talk).taps("1 · Cardiologie", "Fermer").says("Aucune subdivision")
    assert (
        "Cardiologie (1 utilisateur, 1 subdivision en dépend et se ferme avec elle : Cathétérisme,"
        " 1 mandat de gestionnaire prend fin : Claes Mieke)"
    ) in talk.sees()
    request = CloseSubdivision("c", 1, 1, ("k",), ("m",), None)
    assert ENGINE.unproved(talk.state, talk.context).request == request
    assert takes_proof(request)


def test_who_manages_it_himself_cannot_close_it_and_is_told_why(talk):
    led(talk.directory, oneself=True)
    there(talk).taps("1 · Cardiologie")
    assert "Fermer" not in talk.sees()
    assert "un autre gestionnaire doit la fermer" in talk.sees()
    talk.command("subclose", "c")
    assert "Quelle subdivision" in talk.sees(), "a button of before does not lead further"
    talk.says("Cardiologie")
    assert "⚠ Vous gérez vous-même cette subdivision" in talk.sees()


def test_who_manages_a_branch_decides_what_hangs_in_it_only(talk):
    talk.directory.topmost = False
    there(talk)
    assert "Nouvelle subdivision" not in talk.sees()
    talk.taps("1 · Cardiologie")
    assert "Déplacer" not in talk.sees()
    talk.taps("↳ Cathétérisme", "Déplacer")
    assert "premier niveau" not in talk.sees()


def test_another_one_after_the_first_hangs_on_the_same(talk):
    there(talk).taps("1 · Cardiologie", "Nouvelle subdivision").says("Salle 3").taps("Confirmer")
    talk.taps("Encore une subdivision").says("Salle 4").taps("Confirmer")
    assert [request.within for request in talk.requests] == ["c", "c"]


def test_what_changed_meanwhile_is_told_and_decided_again(talk):
    there(talk).taps("1 · Cardiologie", "Renommer").says("Cœur")
    talk.directory.conflict = Conflict(
        (m("act.changed.ward_renamed", name="Cardio", number="2026-000009"),), 5
    )
    talk.taps("Confirmer")
    assert "quelqu'un a modifié cette subdivision" in talk.sees()
    assert "« Cardio » (n° 2026-000009)" in talk.sees()
    talk.directory.conflict = None
    talk.taps("Confirmer")
    assert talk.requests[-1] == RenameSubdivision("c", 5, "Cœur")


def test_a_closing_whose_users_are_others_by_now_is_asked_anew(talk):
    there(talk).taps("1 · Cardiologie", "Fermer").says("Pharmacie")
    talk.directory.add("Wauters", "Pia", entity=MIDI, subdivision="Cardiologie")
    talk.directory.conflict = Conflict((m("act.changed.ward_people", n=2),), 1)
    talk.taps("Confirmer")
    assert "Elle compte maintenant 2 utilisateurs" in talk.sees()
    assert "À redemander" in talk.sees()
    talk.directory.conflict = None
    talk.says("Cardiologie").taps("Confirmer")
    assert talk.requests[-1] == CloseSubdivision("c", 1, 2, ("k",), (), "p")


def test_one_that_is_closed_is_offered_nowhere(talk):
    there(talk).taps("6 · Hématologie", "Fermer", "Confirmer")
    assert "h" not in talk.directory.wards
    for command in ("subname", "submove", "subclose"):
        talk.command(command)
        talk.says("1")
        assert "Hématologie" not in talk.sees()
        assert "Oncologie" in talk.sees()
        talk.taps("Annuler", "Oui, annuler")
    talk.command("users", "midi").taps("Filtrer", "Subdivision")
    assert "Hématologie" not in talk.sees()


def test_from_home_and_from_the_users_it_is_a_tap_away(talk):
    talk.command("home").taps("Subdivisions").says("1")
    assert "8 subdivisions" in talk.sees()
    talk.taps("Utilisateurs", "Subdivisions")
    assert "8 subdivisions" in talk.sees()


def test_on_the_portal_the_checklist_says_what_to_do_in_its_second_tab():
    directory = wards(sample(), "quai")
    directory.wards["x"] = SubdivisionRef(
        "x", "quai-h", "Salle 1", "Cardiologie › Cathétérisme › Salle 1", "k"
    )
    directory.add("Peeters", "Jan", entity=directory.places[2], subdivision="Cathétérisme")
    talk = Talk(ENGINE, directory)
    talk.command("subclose", "k").says("Pharmacie").taps("Confirmer")
    assert "encore à faire sur le portail" in said(talk.receipts[0], "fr")
    talk.taps("Étapes sur le portail")
    seen = talk.sees()
    assert "Ouvrez l'onglet « Subdivision »" in seen
    assert "Déplacez d'abord l'utilisateur (1) de « Cathétérisme » vers : Pharmacie." in seen
    assert "Supprimez « Cathétérisme »" in seen

"""What typed text means among options."""

from __future__ import annotations

import pytest
from bot.conversations.matching import Found, match

OPTIONS = (
    ("Colindos",),
    ("Hospiliss",),
    ("Tumorothèque Virtuelle Belge", "Belgische Virtuele Tumorbank", "BVTc"),
    ("Cellule Technique via le web", "Technische Cel via het web"),
)


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("1", 0),
        ("2.", 1),
        ("colindos", 0),
        ("COLINDÔS", 0),
        ("☐ Colindos", 0),
        ("col", 0),
        ("bvt", 2),
        ("virtuelle", 2),
        ("web technique", 3),
        ("Colndos", 0),
        ("hospilis", 1),
        ("ospiliss", 1),
        ("tumorotek", 2),
        ("celule tecnique", 3),
        ("technsche", 3),
    ],
)
def test_a_number_a_label_a_part_of_it_and_a_typing_error_are_understood(typed: str, place: int) -> None:
    assert match(typed, OPTIONS) == Found((place,), sure=True)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "5",
        "0",
        "xyz",
        "tout sauf colindos",
        "pas hospiliss",
        "je ne sais pas si c'est Colindos",
        "???",
    ],
)
def test_what_is_no_option_is_not_taken_for_one(typed: str) -> None:
    assert match(typed, OPTIONS) == Found((), sure=False)


def test_what_fits_two_options_is_asked_again() -> None:
    assert match("peet", [("Peeters Jan",), ("Peeters An",)]) == Found((0, 1), sure=False)
    assert match("peters", [("Peeters Jan",), ("Peeters An",)]) == Found((0, 1), sure=False)

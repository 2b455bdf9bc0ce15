"""Roads through the subdivisions, for the walk: the tree, a card, and each of the four acts with what they are refused.

Each step is the same from everywhere, so these are walked straight. Names are those of `wards`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from bot.access.requests import MOST_MOVED, Conflict
from bot.conversations.model import Command, Event, Tap, Text
from bot.conversations.ports import ManagerRef, QualityRef, SubdivisionRef
from bot.conversations.testing import MIDI, MemoryDirectory, sample
from tests.texts import message

NUMBER = "2026-000001"
"""The change that each of these roads makes."""
TREE = (
    ("c", "Cardiologie", ""),
    ("k", "Cathétérisme", "c"),
    ("p", "Pharmacie", ""),
    ("s", "Stérilisation", "p"),
    ("n", "Néphrologie", ""),
    ("d", "Dialyse", "n"),
    ("o", "Oncologie", ""),
    ("h", "Hématologie", "o"),
)
"""Id, name, and the one above: more than a page of them."""

WORDS = (
    *(name for _, name, _ in TREE),
    *("Apotheek", "Coeur", "Niveau", "Salle", "c", "cardio", "cathé", "Cathéterisme", "pharmacie", "a" * 61),
    *("cardiologie", "oncologie", "Кардиология"),
)
"""Names of subdivisions, and what is typed on these roads."""


def tap(verb: str, value: str = "") -> Tap:
    """A tap; its `rev` is set when it is made."""
    return Tap(0, verb, value)


def wards(directory: MemoryDirectory, entity: str = "midi") -> MemoryDirectory:
    """The register with a tree of subdivisions, which the actor may change."""
    directory.wards = {}
    names = {key: name for key, name, _ in TREE}
    for key, name, above in TREE:
        path = f"{names[above]} › {name}" if above else name
        directory.wards[key] = SubdivisionRef(key, f"{entity}-h", name, path, above)
    directory.acts |= {"manage_subdivisions"}
    return directory


def led(directory: MemoryDirectory, **fields: bool) -> MemoryDirectory:
    """Somebody manages the cardiology."""
    directory.mandates["m"] = ManagerRef(
        "m", "midi", "subdivision", "Claes Mieke", quality="midi-h", quality_key="hospital", subdivision="c",
        subdivision_name="Cardiologie", since=date(2020, 1, 1), changeable=True,
    )  # fmt: skip
    directory.mandates["m"] = replace(directory.mandates["m"], **fields)
    return directory


def deep(directory: MemoryDirectory) -> MemoryDirectory:
    """One below the other, as deep as they go; the topmost has more below it than a page."""
    wards(directory)
    above, path = "c", "Cardiologie"
    for level in range(2, 6):
        key, name = f"l{level}", f"Niveau {level}"
        path = f"{path} › {name}"
        directory.wards[key] = SubdivisionRef(key, "midi-h", name, path, above)
        above = key
    for number in range(8):
        key, name = f"x{number}", f"Salle {number}"
        directory.wards[key] = SubdivisionRef(key, "midi-h", name, f"Cardiologie › {name}", "c")
    return directory


def roads() -> Iterator[tuple[MemoryDirectory, tuple[Event, ...]]]:
    """Each a register and what is said and tapped there."""
    ok, edit, cancel, stay, back = (tap(verb) for verb in ("ok", "edit", "cancel", "stay", "back"))
    see = (Command("subdivisions", "midi-h"),)
    yield wards(sample()), (Command("subdivisions"), Text("1"), Command("help"))
    yield (
        led(wards(sample())),
        (*see, tap("page", "1"), tap("ward", "gone"), Text("Zzzzzzz"), Text("c"), Text("2"), tap("all"),
         Text("Cathéterisme"), tap("all"), tap("ward", "c"), tap("open", "users:c"), tap("panel")),
    )  # fmt: skip
    yield led(wards(sample()), oneself=True), (*see, tap("ward", "c"))
    yield deep(sample()), (*see, tap("ward", "c"), tap("all"), tap("ward", "l5"))
    yield sample(), (Command("subdivisions", "aube-h"),)
    bound = wards(sample())
    bound.topmost = False
    yield bound, (*see, tap("ward", "c"))
    looking = wards(sample())
    looking.acts -= {"manage_subdivisions"}
    yield looking, (*see, tap("ward", "c"), Command("subnew"))
    # -- a new one --
    wrong = (" ", "<b>", "a" * 61, "Кардиология", "cardiologie")
    yield (
        wards(sample()),
        (Command("subnew", "midi-h"), *map(Text, wrong), Text("Salle 3"), edit, tap("fix", "within"), Text("cardio"), tap("a", "c"),  cancel, stay, ok),
    )  # fmt: skip
    yield wards(sample()), (Command("subnew", "c"), Text("Salle 3"), ok, Command("status", "2026-000001"))
    yield wards(sample()), (Command("subnew"), Text("1"))
    two = wards(sample())
    two.rooms["midi-c"] = QualityRef("midi-c", "midi", "health-care", "710999-11")
    yield two, (Command("subnew"), Text("1"), Text("1"))
    yield two, (Command("subdivisions"), Text("1"), Text("2"))
    none = wards(sample())
    none.topmost, none.wards = False, {}
    yield none, (Command("subnew", "midi-h"),)
    # -- another name --
    other = wards(sample())
    other.conflict = Conflict((message("act.changed.ward_renamed"),), 1)
    yield (
        wards(sample()),
        (Command("subname"), Text("1"), Text("pharmacie"), Text("Pharmacie"), Text("Apotheek"), edit, tap("fix", "name"),
         back, cancel, stay, ok, Command("status", NUMBER)),
    )  # fmt: skip
    yield other, (Command("subname", "p"), Text("Apotheek"), ok)
    yield none, (Command("subname", "midi"), Text("1"))
    # -- another place --
    yield (
        wards(sample()),
        (Command("submove"), Text("1"), Text("cathé"), tap("a", "p"), edit, tap("fix", "within"), back, cancel, ok),
    )  # fmt: skip
    yield (
        wards(sample()),
        (Command("submove", "k"), tap("a", "-"), cancel, Command("submove", "k"), tap("a", "p"), ok),
    )
    yield (
        wards(sample()),
        (Command("submove"), Text("1"), Text("Zzzzzzz"), Text("1"), Text("Zzzzzzz"), cancel, stay, cancel),
    )
    lone = wards(sample())
    lone.wards = {"c": lone.wards["c"]}
    yield lone, (Command("submove", "c"),)
    # -- closed --
    yield (
        wards(sample()),
        (Command("subclose"), Text("1"), Text("Zzzzzzz"), Text("cardio"), tap("a", "c"), tap("a", "p"), edit, tap("fix", "heir"), back,
         cancel, stay, ok),
    )  # fmt: skip
    yield led(wards(sample())), (Command("subclose", "c"), tap("a", "-"))
    yield wards(sample()), (Command("subclose", "n"), ok, Command("status", NUMBER))
    yield led(wards(sample()), oneself=True), (Command("subclose", "midi"), Text("1"), Text("cardiologie"))
    yield (
        led(wards(sample()), changeable=False),
        (Command("subclose", "midi"), Text("1"), Text("cardiologie")),
    )
    bound_heir = wards(sample())
    bound_heir.topmost, bound_heir.wards = False, {"c": bound_heir.wards["c"]}
    yield bound_heir, (Command("subclose", "c"),)
    full = wards(sample())
    for number in range(MOST_MOVED + 1):
        full.add("Peeters", f"Jan {number}", entity=MIDI, subdivision="Oncologie")
    yield full, (Command("subclose", "midi"), Text("1"), Text("oncologie"))
    # -- on the portal --
    portal = wards(sample(), "quai")
    portal.add("Peeters", "Jan", entity=portal.places[2], subdivision="Cathétérisme")
    yield (
        copied(portal),
        (Command("subnew", "c"), Text("Salle 3"), ok, Command("portal", NUMBER), Command("status", NUMBER)),
    )
    for begin in (
        (Command("subnew", "quai-h"), Text("Salle 3")),
        (Command("subname", "c"), Text("Coeur")),
        (Command("submove", "k"), tap("a", "p")),
        (Command("submove", "k"), tap("a", "-")),
        (Command("subclose", "k"), tap("a", "c")),
        (Command("subclose", "k"), tap("a", "-")),
    ):
        yield copied(portal), (*begin, ok, Command("portal", NUMBER), tap("a", "done"))


def copied(directory: MemoryDirectory) -> MemoryDirectory:
    """Another one with the same in it."""
    fresh = MemoryDirectory(**vars(directory))
    fresh.cards, fresh.changes = dict(directory.cards), dict(directory.changes)
    fresh.wards = dict(directory.wards)
    return fresh

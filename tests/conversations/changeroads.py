"""Roads for the walk through *change*: what has ended is given again, functions come and go, an account is empty or blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from bot.conversations.model import Command, Event, Tap, Text
from bot.conversations.ports import ChangeCard, ChangeItem, Holding
from bot.conversations.testing import AUBE, NOW, MemoryDirectory

PHYSICIANS = "collaborator-specialist-physician"
OLD, SOON = date(2026, 3, 12), NOW.date() + timedelta(days=9)
THYS = {first: f"a{number:04d}" for number, first in enumerate(("Had", "Kind", "Runs", "Lacks", "Has"), 18)}
"""Five people of one name, by what is the matter with them, with their accounts."""
MOVED = "2026-000009"
Road = tuple[MemoryDirectory, tuple[Event, ...]]


def said(who: str, *texts: str) -> tuple[Event, ...]:
    return (Command("change", THYS.get(who, who)), *(Text(text) for text in texts))


def former(directory: MemoryDirectory) -> MemoryDirectory:
    """A collaborator who had everything, one of no known kind, one whose function still runs, one without it, one who has it all."""
    ended = Holding("application", "colindos", "ended", OLD, OLD, NOW)
    function = Holding("function", PHYSICIANS, "active", OLD, SOON, NOW)
    runs = Holding("application", "colindos", "active", OLD, None, NOW)
    people = {
        "Had": (ended, Holding("function", PHYSICIANS, "ended", OLD, OLD, NOW)),
        "Kind": (ended,),
        "Runs": (ended, function),
        "Lacks": (runs,),
        "Has": (runs, function),
    }
    for first, holdings in people.items():
        account = directory.add(
            "Thys", first, entity=AUBE, username=first.lower(), profession="collaborator", holdings=holdings
        )
        assert account == THYS[first]
    return directory


def moved(directory: MemoryDirectory, state: str) -> MemoryDirectory:
    """Another end that was recorded, so far."""
    item, later = ChangeItem("grant", "colindos", state, OLD, SOON, moves=True), NOW + timedelta(minutes=20)
    when, who = (NOW, NOW.date(), state, later, later.date()), ("a0005", "Maes Wout", "wmaes001")
    change = ChangeCard(MOVED, AUBE, "Delcourt Anne", *when, *who, (item,))
    directory.changes[MOVED] = change
    return directory


def roads(register: Callable[[], MemoryDirectory]) -> Iterator[Road]:
    """Each a register and what is said and tapped there; a tap's `rev` is set when it is made."""
    ok, edit, back, cancel, stay, anew = (
        Tap(0, verb) for verb in ("ok", "edit", "back", "cancel", "stay", "anew")
    )

    def fix(step: str) -> tuple[Event, ...]:
        return (edit, Tap(0, "fix", step))

    again = said("Had", "zzzz", "Colindos")
    yield former(register()), (*again, Text("25-11-2026"), *fix("applications"), back, *fix("end"), back)
    yield former(register()), (*again, Text("25-11-2026"), *fix("end"), Text("24-11-2026"), ok)
    yield former(register()), (*again, Text("25-11-2026"), *fix("applications"), Text("Colindos"), ok)
    yield former(register()), (*again, Text("25-11-2026"), cancel, stay, Command("change"), anew)
    yield (
        former(register()),
        (*said("Had", "Collaborateur médecin", "25-11-2026"), *fix("function"), back, ok),
    )
    yield former(register()), (*said("Kind", "Colindos", "3", "01-10-2026", "25-11-2026"), ok)
    yield former(register()), (*said("Runs", "Colindos", "01-12-2026", "31-12-2026"), ok)
    yield former(register()), said("Lacks")
    yield former(register()), (*said("Has", "Colindos"), Tap(0, "now"), Text("1"), Text("1"), ok)
    yield (
        former(register()),
        (*said("Has", "3"), Tap(0, "next"), Text("1, 2"), Tap(0, "now"), Text("1"), ok),
    )
    yield former(register()), (*said("a0004", "1"), ok)
    edit_had = (Command("edit", THYS["Has"]), Text("Profession"), Tap(0, "a", "specialist-physician"))
    yield former(register()), (*edit_had, Text("Colindos"), Text("1"), *fix("along"), back, ok)
    for choice in ("1", "3"):
        physician = former(register())
        card = physician.cards[THYS["Lacks"]]
        physician.cards[THYS["Lacks"]] = replace(
            card, ref=replace(card.ref, profession="specialist-physician")
        )
        becomes = (Command("edit", THYS["Lacks"]), Text("Profession"), Tap(0, "a", "collaborator"))
        yield physician, (*becomes, Text(choice), ok)
    for state in ("pending", "active"):
        yield moved(register(), state), (Command("status", MOVED),)
    yield former(register()), said("Thys")
    less = former(register())
    less.acts = frozenset({"give_access"})
    yield less, said("a0004")

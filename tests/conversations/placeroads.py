"""Roads through entities and qualities, for the walk: a search among many, both portals' words, a quality that becomes active.

Each step is the same from everywhere, so these are walked straight instead of from every state. Names are those of the sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from bot.conversations.model import Command, Event, Tap, Text
from bot.conversations.ports import EntityRef, Post, QualityRef
from bot.conversations.testing import AUBE, MIDI, PORTAL, MemoryDirectory, sample

DUNE = replace(MIDI, id="dune", number="721999-69", portal="new")
"""An entity of the new portal: what it has are groups."""
FORTY = tuple(
    replace((MIDI, AUBE)[at % 2], id=f"e{at:02d}", number=f"{710900 + at}-{at + 10}") for at in range(40)
)
SINCE = date(2026, 3, 12)


def room(entity: EntityRef, key: str = "health-care", *, active: bool = False) -> QualityRef:
    """A quality of the entity."""
    return QualityRef(f"{entity.id}-{key[0]}{key[-1]}", entity.id, key, entity.number, active)


def places(*entities: EntityRef) -> MemoryDirectory:
    """The sample with these entities; each has a hospital's quality since March and a second one that is not active."""
    directory = sample()
    directory.places = entities
    directory.acts |= {"activate_quality"}
    directory.rooms = {}
    for entity in entities:
        first = QualityRef(f"{entity.id}-h", entity.id, "hospital", entity.number, since=SINCE)
        directory.rooms |= {each.id: each for each in (first, room(entity))}
    return directory


def groups(*, active: bool = True) -> MemoryDirectory:
    """The new portal's entity with two groups, whose managers may be appointed."""
    directory = places(DUNE)
    if active:
        first, second = directory.rooms.values()
        for each in (replace(first, since=None), replace(second, active=True)):
            directory.rooms[each.id] = each
    else:
        directory.rooms = {key: replace(each, active=False) for key, each in directory.rooms.items()}
    directory.acts |= {"appoint_group", "list_users"}
    directory.vacancies["dune"] = tuple(Post("group", each) for each in directory.rooms)
    return directory


def roads() -> Iterator[tuple[MemoryDirectory, tuple[Event, ...]]]:
    """Each a register and what is said and tapped there; a tap's `rev` is set when it is made."""
    ok, edit, cancel, stay, back = (Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay", "back"))
    search = (Text("hosp"), Tap(0, "page", "1"), Tap(0, "all"), Text("Zzzzzzz"), Text("710903"))
    yield places(*FORTY), (Command("entity"), *search)
    yield places(*FORTY), (Command("home"),)
    yield places(MIDI, PORTAL), (Command("qualities"), Text("1"), Tap(0, "open", "activate:midi"))
    yield (
        places(MIDI, PORTAL),
        (
            Command("activate"),
            Text("1"),
            edit,
            Tap(0, "fix", "quality"),
            back,
            cancel,
            stay,
            ok,
            Command("status"),
        ),
    )
    noted = (Command("activate"), Text("2"), ok)
    number = "2026-000001"
    yield (
        places(MIDI, PORTAL),
        (*noted, Command("qualities", "quai"), Command("portal"), Command("status", number)),
    )
    yield places(MIDI, PORTAL), (*noted, Command("portal", number), Tap(0, "a", "done"))
    twice = places(PORTAL, replace(AUBE, delivery="portal"))
    yield twice, (Command("activate", "quai"), ok, Command("activate", "aube"), ok, Command("portal"))
    yield places(PORTAL), (*(Command("activate"), ok), Command("activate"))
    watching = places(MIDI)
    watching.acts = frozenset()
    yield watching, (Command("qualities"),)
    open_since_ever = places(MIDI)
    open_since_ever.rooms = {"midi-h": replace(open_since_ever.rooms["midi-h"], since=None)}
    yield open_since_ever, (Command("qualities"),)
    bare = places(MIDI)
    bare.rooms = {}
    yield bare, (Command("qualities"),)
    yield groups(), (Command("qualities"),)
    yield places(DUNE), (Command("qualities"), Command("home"))
    yield groups(active=False), (Command("qualities"), Command("grant"))
    yield groups(), (Command("grant"), Text("1"), Text("01.09.22-997.08"), Text("Vermeulen"), Text("Tom"),
                     Text("tom.vermeulen@example.org"), Text("Hospiliss"), edit)  # fmt: skip
    yield groups(), (Command("appoint"), Text("1"))
    offices = groups()
    offices.acts |= {"appoint_local", "appoint_co_local"}
    offices.vacancies["dune"] += tuple(Post(office, "dune-h") for office in ("local", "co-local"))
    yield offices, (Command("appoint"), Text("1"))

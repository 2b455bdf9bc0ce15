"""Roads for the walk through the links between collaborators and whoever answers for them, and through deputies: each step once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

from bot.conversations.memorylinks import Linked
from bot.conversations.model import Command, Event, Tap, Text
from bot.conversations.ports import DeputyRef, Holding
from bot.conversations.testing import AUBE, NOW, PORTAL, MemoryDirectory

PHYSICIANS = "collaborator-specialist-physician"
BEGUN, SOON = date(2026, 3, 12), NOW.date() + timedelta(days=9)
NIJS, PEETERS = "a0014", "a0001"
Road = tuple[MemoryDirectory, tuple[Event, ...]]


def said(name: str, *texts: str) -> tuple[Event, ...]:
    words, _, args = name.partition(" ")
    return (Command(words, args), *(Text(text) for text in texts))


def linked(directory: MemoryDirectory) -> MemoryDirectory:
    """Links of each state: counting, to come, to do, of somebody blocked, from a file, and more than one page of them."""
    directory.acts |= {"link_responsible"}
    link = Linked(NIJS, PEETERS, PHYSICIANS, BEGUN, SOON)
    links = [link, replace(link, starts_on=SOON, ends_on=None, state="pending")]
    blocked = directory.add("Aerts", "Max", profession="specialist-physician", status="blocked")
    links += [replace(link, responsible=blocked), replace(link, own=False, state="to_do")]
    for number in range(6):
        held = Holding("function", PHYSICIANS, "active", BEGUN)
        links.append(replace(link, account=directory.add("Wouters", f"An{number}", holdings=(held,))))
    directory.unseen = frozenset({links[-1].account})
    directory.linked = {f"l{number:04d}": each for number, each in enumerate(links)}
    for entity in (AUBE, PORTAL):
        directory.add("Somers", "An", entity=entity, profession="specialist-physician")
        held = Holding("function", PHYSICIANS, "active", BEGUN)
        account = directory.add("Thys", "Lou", entity=entity, holdings=(held,))
        directory.linked[entity.id] = replace(link, account=account, responsible=blocked)
    return directory


def roads(register: Callable[[], MemoryDirectory]) -> Iterator[Road]:
    """Each a register and what is said and tapped there; a tap's `rev` is set when it is made."""
    ok, edit, cancel, stay, anew = (Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay", "anew"))
    page = Tap(0, "page", "1")
    new = said("lead", "1", "x", "Lambert", "Claes", "Nijs", "1", "Nijs", "Goossens An", "Lenaerts")
    yield (
        linked(register()),
        (*new, Text("Hermans Stijn"), Text("01-12-2026"), edit, Tap(0, "fix", "end"), stay),
    )
    yield linked(register()), (*said("lead", "2", "1"), Text("Thys"), cancel, stay, Command("lead"), anew)
    yield linked(register()), (*said("lead", "3", "Thys", "Somers", "aujourd'hui"), ok)
    yield linked(register()), (*said(f"lead r:{PEETERS}", "Wouters An0", "aujourd'hui", "04-12-2026"), ok)
    yield linked(register()), said("lead r:a0003")
    yield (
        linked(register()),
        (*said("lead", "1"), Text("Nijs"), Text("1"), Text("Peeters Jan"), Text("24-11-2026")),
    )
    end = said("leadend", "1", "Claes", "Nijs", "2", "01-12-2026", "31-12-2040", "maintenant")
    yield (
        linked(register()),
        (*end, edit, Tap(0, "fix", "until"), stay, cancel, stay, Command("leadend"), anew),
    )
    yield linked(register()), (*said("leadend l0000", "03-12-2026", "04-12-2026"), ok)
    yield linked(register()), (*said("leadend l0000", "now"), Tap(0, "now"), ok)
    yield linked(register()), (*said("leadend l0000"), Tap(0, "skip"), ok)
    yield linked(register()), (*said("leadend", "2", "1", "Thys"), Tap(0, "now"), ok)
    yield linked(register()), (*said("leadend", "3", "Thys"), Tap(0, "now"), ok)
    yield linked(register()), (*said(f"functions {PEETERS}"), Tap(0, "links", PEETERS), page)
    yield linked(register()), (*said(f"functions {NIJS}"), Tap(0, "links", NIJS), Tap(0, "links", "gone"))
    yield linked(register()), (*said("functions"), Tap(0, "links", "a0002"), page)
    yield linked(register()), said(f"user {PEETERS}")
    yield linked(register()), (*said(f"end {PEETERS}"), Tap(0, "a", "blocked"), ok)
    pick = (*said("users", "1"), Tap(0, "pick"), Tap(0, "on", PEETERS), Tap(0, "act", "block"))
    yield linked(register()), pick


def standing_in(directory: MemoryDirectory) -> MemoryDirectory:
    """Deputies now and to come, of the actor and of others, in two entities."""
    directory.acts |= {"appoint_deputy"}
    own = DeputyRef("s1", "midi", "Delcourt Anne", "Peeters Jan", BEGUN, SOON, mine="principal", endable=True)
    for_another = replace(own, id="s2", principal="Maes Wout", deputy="Delcourt Anne", mine="deputy")
    unknown = replace(own, id="s3", entity="aube", principal="", deputy="", mine="", begun=False)
    directory.standins = {each.id: each for each in (own, for_another, unknown)}
    return directory


def deputies(register: Callable[[], MemoryDirectory]) -> Iterator[Road]:
    """The same for deputies."""
    ok, edit, cancel, stay, anew = (Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay", "anew"))
    yield standing_in(register()), said("home")
    yield standing_in(register()), said("managers", "1")
    late = said(
        "deputy",
        "1",
        "x",
        "Lambert",
        "Claes",
        "Goossens An",
        "03-12-2026",
        "04-12-2026",
        "01-12-2040",
        "31-12-2026",
    )
    yield standing_in(register()), (*late, edit, stay, ok)
    yield standing_in(register()), (*said("deputy", "2", "1", "Maes"), cancel, stay, Command("deputy"), anew)
    yield standing_in(register()), (*said("deputy", "3", "Dubois", "aujourd'hui", "demain"), ok)
    yield standing_in(register()), (*said("undeputy", "1", "x", "2"), edit, stay, cancel, stay, ok)
    yield standing_in(register()), (*said("undeputy", "2"), ok)
    yield register(), said("undeputy")
    yield register(), said("deputy")

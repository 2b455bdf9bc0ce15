"""What is walked: every dialogue from its beginnings, and straight roads where each step is the same from everywhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from bot.access.requests import Refused
from bot.access.rights import OFTEN, Role
from bot.conversations.model import Command, Event, Redraw, Tap, Text
from bot.conversations.ports import Post, Settings
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.testing import MIDI, MemoryDirectory, Talk
from bot.conversations.userfilters import CHOSEN
from tests.conversations import certificateroads, changeroads, linkroads, placeroads, subdivisionroads
from tests.conversations.answers import CODE, NEW
from tests.conversations.portalroads import roads
from tests.conversations.walking import (
    ANNE,
    FIRST,
    LOCKED,
    SETTINGS,
    Walked,
    copied,
    follow,
    keep,
    straight,
    walk,
)
from tests.conversations.walkregisters import crowd, long_lived, manage, poor, register, without_functions
from tests.texts import message


def said(name: str, *texts: str) -> tuple[Event, ...]:
    """A command, and what is typed after it."""
    words, _, args = name.partition(" ")
    return (Command(words, args), *(Text(text) for text in texts))


@cache
def walked(lang: str) -> Walked:
    """Everything there is to see, for somebody who manages and for a stranger, in one language; walked once.

    A screen is made of messages, the same in all languages: what wrong answers and the world outside lead to is found in the
    first language's walk, and all that it met is drawn in each. What labels do when they are typed is tried in each.
    """
    seen = Walked(lang)
    if lang != FIRST:
        seen.views.update(walked(FIRST).views)
        seen.toasts.update(walked(FIRST).toasts)
        seen.places |= walked(FIRST).places
    directory = register()
    walk(
        seen,
        directory,
        who=ANNE,
        begin=[
            *(said(name) for name in FLOWS if name not in {"stranger", "start", "locked"}),
            *(said(f"status {number}") for number in directory.changes),
            *(said(f"portal {number}") for number in directory.changes),
            said(f"start {CODE}"),
            (*said("grant", "1"), *said("end", "1"), *said("edit", "1"), *said("newuser")),  # one too many
            said("grant", "1", "79082399728", "Hospiliss"),
            said("grant", "1", "Lenaerts", "Colindos"),
            said("grant", "1", "Hermans Stijn"),
            said("grant", "1", "Hermans Stef"),
            said("grant", "2", "2", *NEW),
            said("end", "1", "jpeeters"),
            said("end", "1", "Lambert"),
            said("end Peeters"),
            said("end", "1", "Hermans Stijn", "04-12-2026"),
            said("end", "3", "Simon", "Colindos", "24-11-2026"),
            said("end", "3", "Simon", "collaborator-hospital-pharmacist", "24-11-2026"),
            said("change", "1", "Lambert"),
            said("change", "1", "Hermans Stijn", "03-12-2026"),
            said("change", "3", "Simon", "collaborator-hospital-pharmacist", "30-04-2027"),
            said("edit", "1", "Goossens An"),
            said("edit", "1", "Claes"),
            said("edit", "1", "jpeeters"),
            said("functions a0014"),
            said("functions Goossens"),
            said("assign", "1", "Claes"),
            said("assign", "1", "Goossens An", "2", "20-11-2026"),
            said("assign", "1", "Lenaerts"),
            said("newuser", "2", "1", *NEW),
            said("user Goossens"),
            said("user Claes"),
            said("invite", "1", "Goossens An"),
            said("invite", "1", "Lenaerts"),
            said("invite", "1", "Goossens An", "1"),
            said("grant", "2", "1", *NEW, "Colindos", "3", "20-11-2026", "22-11-2026"),
            (*said("grant", "1"), *said("portal"), *said("entity"), *said("language")),
            said("users", "1"),
        ],
    )
    walk(
        seen,
        directory,
        who=None,
        begin=[said("start"), said(f"start {CODE}"), said("start wrong"), said("help"), said("privacy")],
    )
    menu = [said("home"), said("grant"), said("entity"), said("me"), said("edit"), said("newuser")]
    menu += [said("assign"), said("functions"), said("mydata"), said("messages")]
    walk(seen, poor(), who=ANNE, begin=menu)
    walk(seen, poor(MIDI), who=ANNE, begin=menu)
    linking = copied(directory)
    linking.linking = (("n1", "23"), ("n2", "47"), ("n3", "81"))
    for who in (None, LOCKED):
        walk(seen, linking, who=who, begin=[said("link"), said("link", "47")])
    walk(
        seen, directory, who=LOCKED, begin=[said("home"), said("grant"), said("help"), said(f"start {CODE}")]
    )
    look(seen)
    proofs(seen)
    oneself(seen)
    portal(seen)
    managers(seen)
    links(seen)
    changed(seen)
    places(seen)
    certificates(seen)
    subdivisions(seen)
    return seen


def links(seen: Walked) -> None:
    """Who answers for whom."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in linkroads.roads(register):
        straight(seen, directory, events, tried)
    for directory, events in linkroads.deputies(register):
        straight(seen, directory, events, tried)


def changed(seen: Walked) -> None:
    """What somebody has, changed in every way."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in changeroads.roads(register):
        straight(seen, directory, events, tried)


def portal(seen: Walked) -> None:
    """The hand-over to the portal."""
    for directory, events in roads():
        talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=SETTINGS)
        follow(seen, talk, events)
        keep(seen, talk)
        if talk.receipts and isinstance(events[0], Command):
            seen.places.add((events[0].name, "receipt"))


def places(seen: Walked) -> None:
    """Entities and their qualities."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in placeroads.roads():
        straight(seen, directory, events, tried)


def look(seen: Walked) -> None:
    """Screens that need a register of their own, looked at and left."""
    lone = register()
    lone.places = (MIDI,)
    looks = [
        (lone, said("status")),
        (crowd(), said("grant")),
        (crowd(), said("status")),
        (crowd(), said("functions")),
        (crowd(), (*said("status"), Tap(0, "list", "a:midi"))),
    ]
    looks += [
        (long_lived(), said("user a0001")),
        (long_lived(), (*said("user a0001"), Tap(0, "history", "a0001"))),
    ]
    looks.append((register(), (*said("contact", "1", "2"), Tap(0, "skip"), Text("Maes"), Tap(0, "ok"))))
    blocked = register()
    blocked.own = ("a0004",)
    looks.append((blocked, said("mydata")))
    looks.append((without_functions(), said("grant", "2", "1", *NEW, "Colindos")))
    looks += [(MemoryDirectory(places=(replace(MIDI, role=role.value),)), said("home")) for role in Role]
    looks.append((register(), (*said("grant", "2", "1", *NEW, "Colindos", "3"), Tap(10, "month", "2026-11"))))
    looks += user_lists()
    everybody = [(ANNE, *each) for each in looks]
    everybody.append((replace(ANNE, secured=False), register(), said("home")))
    everybody.append((replace(ANNE, secured=False), register(), said("return")))
    by_provider = replace(SETTINGS, provider="CSAM")
    talk = Talk(ENGINE, register(), lang=seen.lang, actor=replace(ANNE, secured=False), settings=by_provider)
    talk.command("return")
    seen.views.update({reply.view: None for reply in talk.replies if reply.view})
    waiting = (*said("grant", "1"), Redraw())
    everybody.append((LOCKED, register(), waiting))
    for who, directory, events in everybody:
        talk = Talk(ENGINE, directory, lang=seen.lang, actor=who, settings=SETTINGS)
        follow(seen, talk, events)
        for _ in range(13):
            keep(seen, talk)
            on = next((b for b in talk.view.buttons() if b.label == "›"), None) if talk.view else None
            if on is None:
                break
            talk.press(on)


def user_lists() -> list[tuple[MemoryDirectory, tuple[Event, ...]]]:
    """Lists of users narrowed in each way, and every act on some of them, with its refusals."""

    def tap(verb: str, value: str = "") -> Tap:
        return Tap(0, verb, value)

    begin = said("users", "1")
    both, lone = (tap("pick"), tap("on", "a0001"), tap("on", "a0004")), (tap("pick"), tap("on", "a0013"))
    gone = (tap("panel"), tap("by", "status"), tap("set", "2"), *lone)
    ways: list[tuple[Event, ...]] = [
        *((tap("panel"), tap("by", key), tap("set", "0"), tap("panel"), tap("by", key)) for key in CHOSEN),
        *((tap("panel"), tap("by", key), Text(text), tap("panel")) for key, text in typed_filters()),
        (tap("panel"), tap("size", "10"), tap("pick"), tap("act", "block")),
        *((tap("pick"), tap("on", "a0001"), tap("act", act)) for act in ("reactivate", "end")),
        (tap("pick"), tap("on", "a0004"), tap("act", "block")),
        *((*gone, tap("act", act)) for act in ("move", "delete")),
        *((*both, tap("act", act)) for act in ("block", "reactivate")),
        (*both, tap("act", "delete"), Text("a" * 201)),
        (*both, tap("act", "delete"), Text("Maes"), tap("ok")),
        (*both, tap("act", "move"), tap("a", "Cardiologie"), tap("ok")),
        (tap("pick"), tap("on", "a0002"), tap("act", "end"), tap("day", "2026-11-24"), tap("ok")),
        (tap("pick"), tap("on", "a0004"), tap("act", "reactivate"), tap("ok")),
        *((tap("export"), tap("a", "csv"), tap("edit"), tap("fix", key)) for key in ("columns", "numbers")),
        (tap("export"), tap("a", "xlsx"), tap("ok")),
    ]
    found = [(register(), (*begin, *way)) for way in ways]
    found.append((crowd(), said("users")))
    all_of_them = tuple(tap("on", account) for account in register().cards if account != "a0005")
    found.append((register(), (*begin, *all_of_them, tap("act", "delete"), Text("Maes"))))
    portal = (*said("users", "3"), tap("pick"), tap("on", "a0014"), tap("on", "a0015"))
    found += [(register(), (*portal, tap("act", "delete"), Text("Maes"), tap("ok")))]
    there = (*said("users", "3"), tap("pick"), tap("on", "a0016"), tap("on", "a0017"))
    found += [
        (register(), (*there, tap("act", "block"), tap("ok"))),
        (register(), (*there, tap("act", "end"), tap("now"), tap("ok"))),
    ]
    shut = register()
    for account in ("a0016", "a0017"):
        card = shut.cards[account]
        shut.cards[account] = replace(card, ref=replace(card.ref, status="blocked"))
    found += [(shut, (*there, tap("act", "reactivate"), tap("ok")))]
    return found


def typed_filters() -> list[tuple[str, str]]:
    """What is typed for each filter that is typed; the last is no number."""
    return [
        ("last", "Peeters"),
        ("first", "Jan"),
        ("username", "jpe"),
        ("account", "79082399728"),
        ("account", "Jan"),
    ]


def proofs(seen: Walked) -> None:
    """What takes a fresh proof, for somebody who may: a road of its own, since each step is the same from everywhere."""
    ok, edit, cancel, stay = (Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay"))
    niss = "79082399728"
    roads: list[tuple[Settings, Refused | None, int, tuple[Event, ...]]] = [
        (SETTINGS, None, 0, (*said("signout", "zzzz", "Peeters", "Claes"), edit, stay, cancel, stay, ok)),
        (SETTINGS, None, 0, said("status", "Claes")),
        (SETTINGS, None, 0, (*said("portal 2026-000002"), Tap(0, "a", "done"))),
        (SETTINGS, None, 0, (*said("portal 2026-000009"), Tap(0, "a", "done"))),
        (SETTINGS, None, 0, (*said("portal 2026-000012"), Tap(0, "a", "done"))),
        (SETTINGS, None, 0, (*said("end", "1", "Hermans Stijn", "25-11-2026"), ok)),
        (SETTINGS, None, 0, (*said("invite", "1", "Goossens An", "2"), ok)),
        (SETTINGS, Refused(message("proof.needed")), 0, (*said("invite", "1", "Goossens An", "2"), ok)),
        (SETTINGS, Refused(message("proof.needed")), 0, (*said("signout", "Claes"), ok)),
        (Settings(), Refused(message("proof.no_pages")), 0, (*said("signout", "Claes"), ok)),
        (SETTINGS, None, OFTEN, said("status", niss)),
        (Settings(), None, OFTEN, said("status", niss)),
        (SETTINGS, None, 0, (*said("mydata", "1", "1", "mieke@example.org"), ok)),
        (SETTINGS, None, 0, (*said("mydata", "3", "3", "2"), ok)),
    ]
    for settings, refusal, looked_up, events in roads:
        directory = register()
        directory.acts |= {"end_sessions"}
        directory.refusal, directory.looked_up = refusal, looked_up
        talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=settings)
        follow(seen, talk, events)
        keep(seen, talk)
        if talk.receipts and isinstance(events[0], Command):
            seen.places.add((events[0].name, "receipt"))


def oneself(seen: Walked) -> None:
    """What the only manager does to his own user, and where an auditor finds it."""
    ok = Tap(0, "ok")
    for settings in (SETTINGS, Settings()):
        directory = register()
        directory.solo, directory.acts = True, directory.acts | {"read_audit"}
        number = f"2026-{len(directory.changes) + 1:06d}"
        events: tuple[Event, ...] = (
            *said("grant", "1", "Claes", "Hospiliss"),
            *(ok, *said("status"), Tap(0, "own", MIDI.id), Tap(0, "change", number)),
            *(*said("status"), Tap(0, "own", "gone")),
            *(*said("user", "Claes"), Tap(0, "history", "a0003")),
        )
        talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=settings)
        follow(seen, talk, events)
        keep(seen, talk)


def managers(seen: Walked) -> None:
    """Appointing and ending, on roads of their own: it all takes a proof, and each office asks for a part of the steps."""
    ok, edit, cancel, stay, anew, back = (
        Tap(0, verb) for verb in ("ok", "edit", "cancel", "stay", "anew", "back")
    )
    fix = {key: Tap(0, "fix", key) for key in ("since", "until", "replaces", "quality", "how")}
    since = (edit, fix["since"], Text("01-01-2020"), Text("01-12-2026"))
    until = (edit, fix["until"], Text("30-11-2026"), Text("31-12-2026"))
    roads: list[tuple[Event, ...]] = [
        (
            *said("managers", "1", "Zzzzzzz", "Goossens", "1"),
            Tap(0, "all"),
            Tap(0, "page", "1"),
            Tap(0, "page", "9"),
        ),
        (*said("managers", "1", "9"), Tap(0, "mandate", "gone"), Tap(0, "a", "gone")),
        said("managers", "3", "2"),
        said("managers", "1", "8"),
        (*said("appoint", "1", "3", "Peeters", "1"), *since, *until, ok),
        (
            *said("appoint", "1", "4", "Goossens An"),
            edit,
            fix["replaces"],
            Text("2"),
            edit,
            fix["how"],
            Text("2"),
            ok,
        ),
        (*said("appoint", "1", "5", "Claes"), cancel, stay, Command("appoint"), anew),
        (*said("appoint", "1", "6", "x", "1", "Lambert", "Lenaerts"), ok),
        (*said("appoint", "1", "7", "Goossens An"), back, Text("Goossens Bo"), ok),
        (*said("appoint", "1", "1", "1"), edit, back, ok),
        (*said("appoint", "1"), Tap(0, "page", "1")),
        said("appoint", "2", "3"),
        said("appoint", "2", "6", "2"),
        said("appoint", "2", "7", "2", "Maes"),
        (*said("appoint", "3", "2", "Dubois"), ok),
        (*said("appoint", "3", "5", "Dubois"), ok),
        (*said("unseat", "1", "x", "3", "maintenant"), edit, back, cancel, stay),
        (*said("unseat", "1", "3"), Tap(0, "skip"), ok),
        said("unseat", "1", "2", "25-02-2027"),
        (*said("unseat", "3", "1", "25-02-2027"), ok),
        (*said("unseat", "3", "5", "25-02-2027"), ok),
        said("unseat", "2"),
    ]
    tried: set[tuple[object, ...]] = set()
    for events in roads:
        directory = register()
        manage(directory)
        straight(seen, directory, events, tried)
    for count in (1, 2, 14):
        directory = register()
        manage(directory)
        there = [card for card in directory.cards.values() if card.entity.id == "midi"][:count]
        model = directory.mandates["midi-group"]
        directory.mandates = {
            f"g{card.ref.id}": replace(model, id=f"g{card.ref.id}", account=card.ref.id, name=card.ref.name)
            for card in there
        }
        ticks = tuple(Tap(0, "on", card.ref.id) for card in there)
        straight(
            seen, directory, (*said("users", "1"), *ticks, Tap(0, "act", "delete"), Text("Maes"), ok), tried
        )
    for events in (said("appoint"), said("unseat"), said("managers", "1")):
        straight(seen, register(), events, tried)
    alone = register()
    manage(alone)
    alone.mandates = {}
    alone.own = ("a0001",)
    straight(seen, alone, said("appoint", "1", "1"), tried)
    straight(seen, alone, said("appoint", "1", "6", "1", "jpeeters"), tried)
    alone.vacancies["midi"] = tuple(post for post in alone.vacancies["midi"] if post.office != "subdivision")
    alone.vacancies["midi"] += (Post("subdivision", "midi-h"),)
    straight(seen, alone, said("appoint", "1", "6"), tried)


def certificates(seen: Walked) -> None:
    """Certificates, whose dialogue goes on with a file."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in certificateroads.roads():
        straight(seen, directory, events, tried)


def subdivisions(seen: Walked) -> None:
    """Subdivisions, whose dialogues take a tree to be walked in."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in subdivisionroads.roads():
        straight(seen, directory, events, tried)

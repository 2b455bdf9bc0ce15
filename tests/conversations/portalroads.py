"""Roads through the hand-over to the portal, for the walk: every kind of change, its checklist, its end, and whether it works.

Each step is the same from everywhere, so these are walked straight instead of from every state.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime

from bot.access.requests import PROBLEMS, Done, Refused
from bot.access.views import Renewal
from bot.conversations import checklist
from bot.conversations.model import Answer, Command, Event, Tap, Text
from bot.conversations.ports import ChangeItem, Holding, QualityRef, Stamp, Visit
from bot.conversations.registry import ENGINE
from bot.conversations.testing import NOW, PORTAL, MemoryDirectory, Talk, sample
from tests.texts import message

ALL, SOME, TONIGHT = "2026-000010", "2026-000011", "2026-000020"
FUNCTION = "collaborator-hospital-pharmacist"
START, END = date(2026, 12, 1), date(2027, 2, 1)


def item(kind: str, key: str = "", ends_on: date | None = END, *, moves: bool = False) -> ChangeItem:
    """Something to do on the portal, from December to January."""
    return ChangeItem(kind, key, "to_do", START, ends_on, moves=moves)


def every_item() -> tuple[ChangeItem, ...]:
    """An item of every kind that the table has, and one that it has not; a deletion leaves nothing else to do."""
    keys = {"grant": "colindos", "assignment": FUNCTION, "manager": "responsible", "quality": "hospital"}
    known = [
        item(kind, keys.get(kind.split("-")[-1], ""))
        for kind in checklist.KINDS
        if kind not in {"declare-user", "delete-user"}
    ]
    return (
        *known,
        item("grant", "bvtc", moves=True),
        item("assignment", FUNCTION, moves=True),
        item("assignment", FUNCTION, None, moves=True),
        item("assignment", FUNCTION, None),
        item("end-assignment", FUNCTION, None),
        replace(item("end-grant", "colindos"), at_once=True),
        item("link-responsible", FUNCTION, moves=True),
        item("unlink-responsible", FUNCTION, None),
        *(item("appoint-manager", office) for office in ("co-responsible", "local", "co-local")),
        item("something-new", "x"),
        ChangeItem("change-user", "", "to_do", fields=frozenset({"profession"})),
    )


def portal_register() -> MemoryDirectory:
    """The sample, and a hospital of the portal with everything to do, for a person whose number is known and one without."""
    directory = sample()
    directory.rooms["quai-c"] = QualityRef("quai-c", "quai", "health-care", "720999-02")
    talk = Talk(ENGINE, directory)
    talk.command("grant", "quai").taps("Prestataire", "Nouvel utilisateur").says(
        "Dubois", "Léa", "lea@example.org", "Hospiliss"
    ).taps("Confirmer")
    model = directory.changes["2026-000001"]
    held = Holding("application", "hospiliss", "active", START, None, NOW, renewal=Renewal(ALL))
    known = directory.add(
        "Wouters", "Eva", entity=PORTAL, niss="01092299708", username="ewouters", holdings=(held,),
        profession="specialist-physician",
    )  # fmt: skip
    ref = directory.cards[known].ref
    hers = replace(model, account=known, person=ref.name, username=ref.username)
    later = replace(held, renewal=Renewal(ALL, END))
    chief = directory.add("Somers", "An", entity=PORTAL, holdings=(later,))
    directory.cards[chief] = replace(
        directory.cards[chief], ref=replace(directory.cards[chief].ref, quality="quai-c")
    )
    his = replace(model, account=chief, person="Somers An", username="")
    done = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    stamps = (
        Stamp("done", done, NOW.date(), "Delcourt Anne"),
        Stamp("active", done, NOW.date()),
        Stamp("verified", done, NOW.date(), "Delcourt Anne"),
    )
    active = replace(item("grant", "colindos"), state="active")
    changes = (
        replace(hers, items=every_item()),
        replace(hers, items=(item("grant", "colindos"),), problem="no_function"),
        replace(hers, items=(item("grant", "bvtc", moves=True),)),
        replace(hers, items=(item("block-user"),)),
        replace(hers, items=(replace(item("block-user"), starts_on=None),)),
        replace(model, items=(replace(item("create-user"), starts_on=None),)),
        replace(his, items=(item("appoint-manager", "group"), item("end-manager", "group"))),
        replace(hers, items=(active,), state="active", stamps=stamps[:2]),
        replace(hers, items=(active,), state="verified", stamps=stamps),
        replace(hers, items=(item("delete-user"), item("end-grant", "colindos"))),
        replace(hers, items=(item("end-grant", "colindos", NOW.date()),)),
    )
    for number, change in enumerate(changes, 10):
        directory.changes[f"2026-{number:06d}"] = replace(change, number=f"2026-{number:06d}")
    directory.further = (Visit("quai", PORTAL, None, 1, 1),)
    return directory


def roads() -> Iterator[tuple[MemoryDirectory, tuple[Event, ...]]]:
    """Each a register and what is said and tapped there; a tap's `rev` is set when it is made."""
    everything = portal_register()
    for number in everything.changes:
        yield portal_register(), (Command("portal", number), Tap(0, "a", "done"))
        yield portal_register(), (Command("status", number),)
    for account in everything.cards:
        yield portal_register(), (Command("status", everything.cards[account].ref.name),)
    visit = Command("portal", "quai-h")
    tick = (Tap(0, "on", SOME), Tap(0, "on", ALL), Tap(0, "off", ALL), Text(ALL))
    turn = (Tap(0, "page", "1"), Tap(0, "page", "0"))
    yield portal_register(), (visit, Tap(0, "next"), Text("?"), *turn, *tick, Tap(0, "next"))
    yield portal_register(), (visit, Text("Tout est fait"), Tap(0, "steps"), Tap(0, "a", "all"))
    yield portal_register(), (visit, Tap(0, "on", "2026-000013"), Tap(0, "on", "2026-000014"), Tap(0, "next"))
    today = portal_register()
    for number, change in today.changes.items():
        items = tuple(replace(each, starts_on=None) for each in change.items)
        today.changes[number] = replace(change, items=items)
    yield today, (visit, Tap(0, "a", "all"), Tap(0, "a", "sure"))
    yield (
        portal_register(),
        (Command("portal"), Text("2"), Tap(0, "back"), Text("2"), Tap(0, "cancel"), Tap(0, "stay")),
    )
    yield portal_register(), (Command("portal"), Text(SOME), Tap(0, "a", "done"))
    yield portal_register(), (Command("portal", SOME), Answer(Done(SOME)))
    yield MemoryDirectory(places=(PORTAL,)), (Command("portal"),)
    yield portal_register(), (Command("portal", "2026-000017"),)
    active = "2026-000017"
    yield (
        portal_register(),
        (Command("verify"), Text("2026-999999"), Text(active), Tap(0, "cancel"), Tap(0, "stay")),
    )
    yield portal_register(), (Command("verify", active), Tap(0, "a", "yes"))
    for problem in PROBLEMS:
        failed = (
            Command("verify", active),
            Tap(0, "a", "no"),
            Tap(0, "a", problem),
            Command("portal", active),
        )
        yield portal_register(), failed
    for key in ("verify.too_early", "verify.no_word"):
        directory = portal_register()
        directory.refusal = Refused(message(key))
        yield directory, (Command("verify", active), Tap(0, "a", "yes"))
    auditor = portal_register()
    auditor.acts = frozenset()
    yield auditor, (Command("status"), Tap(0, "list", "t:quai"))
    yield auditor, (Command("status", active),)
    yield portal_register(), (Command("home"),)
    blocked, creation = portal_register(), "2026-000015"
    dubois = blocked.changes[creation].account
    card = blocked.cards[dubois]
    blocked.cards[dubois] = replace(card, ref=replace(card.ref, status="blocked"))
    yield blocked, (Command("portal", creation), Text(creation))
    yield deepcopy(blocked), (Command("portal", creation), Tap(0, "made", creation))

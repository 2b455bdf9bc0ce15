"""The registers that are walked in: one with something of everything, and those that need one of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.access.offices import OFFICES
from bot.access.periods import start_instant
from bot.access.requests import SUBJECTS
from bot.conversations.ports import (
    COUNTED,
    ChangeCard,
    ChangeItem,
    EntityRef,
    Holding,
    ManagerRef,
    QualityRef,
    SentMessage,
    SubdivisionRef,
)
from bot.conversations.registry import ENGINE
from bot.conversations.testing import MIDI, NOW, PORTAL, MemoryDirectory, Talk, sample


def register() -> MemoryDirectory:
    """The sample, and what makes its screens different: two qualities, holdings and changes of each state, a long list."""
    directory = sample()
    directory.mails = True
    for name in ("Cardiologie", "Pharmacie"):
        directory.wards[name] = SubdivisionRef(name, "midi-h", name, name)
    directory.rooms["aube-c"] = QualityRef("aube-c", "aube", "health-care", "719998-33")
    old, soon = date(2026, 3, 12), NOW.date() + timedelta(days=9)
    since = datetime(2026, 3, 12, tzinfo=UTC)
    for first in ("An", "Bo", "Cis", "Dirk"):
        directory.add("Goossens", first, username=f"goossen{first[0].lower()}", email="goossens@example.org")
    directory.add(
        "Lenaerts",
        "Bob",
        username="blenaert",
        profession="hospital-pharmacist",
        holdings=(
            Holding("application", "colindos", "active", old, None, since),
            Holding("application", "hospiliss", "pending", soon, soon + timedelta(days=9), None),
        ),
    )
    for first, state, begun in (("Stijn", "active", since), ("Stef", "pending", None)):
        holding = Holding("application", "colindos", state, old if begun else NOW.date(), soon, begun)
        directory.add("Hermans", first, profession="specialist-physician", holdings=(holding,))
    directory.add("Aerts", "Ine", username="iaerts01", status="deleted")
    collaborator = "collaborator-specialist-physician"
    begun = Holding("function", collaborator, "active", old, soon, since)
    to_come = Holding("function", "collaborator-hospital-pharmacist", "pending", soon, None)
    directory.add("Nijs", "Lore", profession="collaborator", holdings=(begun, to_come))
    directory.own = ("a0003", "a0004", "a0010", "a0013", "a0005")
    directory.cards["a0003"] = replace(directory.cards["a0003"], email="tom.vermeulen@example.org")
    own = directory.add("Wauters", "Pia", entity=PORTAL, username="pwauters")
    directory.own = (*directory.own, own)
    directory.written = tuple(
        SentMessage("730025", subject, state, NOW)
        for subject, state in zip(SUBJECTS, ("sent", "waiting", "failed"), strict=False)
    )
    talk = Talk(ENGINE, directory)
    talk.command("grant").taps("Hôpital du Quai", "Nouvel utilisateur").says(
        "Dubois", "Léa", "lea@example.org", "Hospiliss"
    ).taps("Confirmer")
    talk.command("grant").taps("Hôpital du Quai", "Nouvel utilisateur").says(
        "Simon", "Lou", "lou@example.org", "Colindos", "Collaborateur pharmacien", "01-12-2026"
    ).taps("Confirmer")
    talk.command("grant").taps("Hôpitaux du Midi").says("Goossens An", "Hospiliss").taps("Confirmer")
    to_do, pending = directory.changes["2026-000002"], directory.changes["2026-000003"]
    kinds = tuple(
        ChangeItem(kind, "", "active", old, None)
        for kind in ("create-user", "change-user", "reactivate-user")
    )
    offices = tuple(
        ChangeItem(kind, "co-local", "active", old, None) for kind in ("appoint-manager", "end-manager")
    )
    taken = tuple(
        ChangeItem(kind, key, "active", old, None)
        for kind, key in (
            ("end-grant", "colindos"),
            ("end-assignment", "collaborator-hospital-pharmacist"),
            ("block-user", ""),
        )
    )
    deleted = (ChangeItem("delete-user", "", "active", old, None),)
    for change in (
        replace(pending, number="2026-000004", due=start_instant(soon), due_on=soon),
        replace(pending, number="2026-000005", state="active", items=(*kinds, *offices)),
        replace(pending, number="2026-000006", state="ended"),
        replace(to_do, number="2026-000007", entity=replace(to_do.entity, portal="new")),
        replace(to_do, number="2026-000008", items=(*to_do.items, *kinds)),
        replace(to_do, number="2025-000009", items=taken),
        replace(to_do, number="2025-000010", items=deleted),
    ):
        directory.changes[change.number] = change
    took = (
        ChangeItem("end-grant", "hospiliss", "recorded", old, NOW.date()),
        ChangeItem("end-grant", "colindos", "recorded", old, soon),
        ChangeItem("end-assignment", "collaborator-hospital-pharmacist", "recorded", old, soon),
        ChangeItem("block-user", "", "recorded"),
    )
    for change in (
        replace(to_do, number="2026-000009", items=took),
        replace(to_do, number="2026-000010", items=(*to_do.items, *took)),
        replace(pending, number="2026-000011", items=took, state="done"),
        replace(to_do, number="2026-000012", items=(ChangeItem("change-user", "email", "recorded"),)),
        replace(to_do, number="2026-000013", items=(ChangeItem("change-user", "niss", "recorded"),)),
    ):
        directory.changes[change.number] = change
    return directory


def poor(*places: EntityRef) -> MemoryDirectory:
    """A register in which nothing can be given."""
    directory = MemoryDirectory(places=places)
    directory.rooms = {key: replace(room, active=False) for key, room in directory.rooms.items()}
    return directory


def crowd() -> MemoryDirectory:
    """More users than are counted, of whom each holds something in every state."""
    directory = MemoryDirectory(places=(MIDI,))
    since, until, function = date(2026, 3, 12), date(2026, 12, 10), "collaborator-specialist-physician"
    held = (
        Holding("application", "hospiliss", "active", since, until, NOW),
        Holding("application", "colindos", "to_do", since, None, None),
        Holding("function", function, "pending", since, None, NOW),
    )
    for number in range(COUNTED + 1):
        directory.add("Peeters", f"Jan {number}", holdings=held)
    return directory


def long_lived() -> MemoryDirectory:
    """Somebody of long ago: a technical user with every date, ended accesses, and more changes than are counted."""
    directory = MemoryDirectory(places=(MIDI,))
    old, since = date(2016, 3, 12), datetime(2016, 3, 12, tzinfo=UTC)
    account = directory.add(
        "Peeters", "", holdings=(Holding("application", "hospiliss", "ended", old, old, since),)
    )
    card = replace(directory.cards[account], type="technical", created_on=old, changed_on=old)
    directory.cards[account] = card
    item = ChangeItem("change-user", "email", "active")
    for number in range(COUNTED + 1):
        directory.changes[f"2016-{number:06d}"] = ChangeCard(
            f"2016-{number:06d}",
            MIDI,
            "Delcourt Anne",
            since,
            old,
            "active",
            since,
            old,
            account,
            "",
            "",
            (item,),
        )
    return directory


def without_functions() -> MemoryDirectory:
    """The register of somebody who gives access, but no functions."""
    directory = register()
    directory.acts = frozenset({"give_access"})
    return directory


def manage(directory: MemoryDirectory) -> None:
    """Managers in two entities, in every office, with dates of each kind; the actor may appoint to all."""
    directory.acts |= {"list_users", *(office.act.value for office in OFFICES.values())}
    first, second = date(2026, 12, 1), date(2027, 1, 31)
    directory.with_managers("midi", "a0006")
    directory.with_managers("quai", "a0014")
    directory.vacancies["aube"] = tuple(
        replace(post, quality=room, subdivision=room[-1:] if post.subdivision else "")
        for post in directory.vacancies["midi"]
        for room in (("aube-h", "aube-c") if post.quality else ("",))
    )
    day = {
        "midi-respons": (None, None),
        "midi-co-resp": (None, second),
        "midi-group": (first, None),
        "midi-auditor": (first, second),
    }
    for key, (since, until) in day.items():
        old = directory.mandates[key]
        new = replace(old, since=since, until=until, begun=since is None)
        directory.mandates[key] = new
    for key in ("midi-local", "quai-co-resp"):
        directory.mandates[key] = replace(directory.mandates[key], account="", name="", oneself=True)
    directory.mandates["midi-wet"] = ManagerRef("midi-wet", "midi", "legal-representative", "Delcourt Anne")

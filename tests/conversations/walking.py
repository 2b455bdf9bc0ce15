"""A walk over every dialogue, breadth first: each step × each button, a valid answer, each kind of wrong answer, in one language.

The walk keeps every screen that it meets, also those of wrong answers, as messages; whoever checks them draws them as
the edge does. A few moves come from outside the card too: commands in the middle, an old button, a picture, another
manager's change, a refusal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

from bot.access.offices import OFFICES
from bot.access.periods import start_instant
from bot.access.requests import SUBJECTS, Conflict, Done, Refused
from bot.access.rights import OFTEN, Role
from bot.conversations.changes import way
from bot.conversations.days import NOW as NOW_AT_ONCE
from bot.conversations.flow import Asking
from bot.conversations.frames import settle
from bot.conversations.model import (
    Answer,
    Button,
    Command,
    Event,
    Press,
    Redraw,
    State,
    Tap,
    Text,
    Unreadable,
    View,
)
from bot.conversations.ports import (
    COUNTED,
    Actor,
    ChangeCard,
    ChangeItem,
    Context,
    EntityRef,
    Holding,
    ManagerRef,
    Post,
    QualityRef,
    SentMessage,
    Settings,
    SubdivisionRef,
)
from bot.conversations.registry import ENGINE, FLOWS
from bot.conversations.screens import INTERLUDES
from bot.conversations.testing import MIDI, NOW, PORTAL, MemoryDirectory, Talk, sample
from bot.conversations.userfilters import CHOSEN
from bot.msg import Msg, Say
from tests.conversations import certificateroads, changeroads, linkroads, placeroads, subdivisionroads
from tests.conversations.answers import CODE, COMMANDS, NEW, VALID, WRONG
from tests.conversations.portalroads import roads
from tests.texts import entries, message


@dataclass
class Walked:
    """What a walk met. `places` are (flow, step), and (flow, "page", "recap", "leaving", "again", "fixing" or "receipt")."""

    lang: str
    views: dict[View, None] = field(default_factory=dict)
    toasts: dict[Msg, None] = field(default_factory=dict)
    places: set[tuple[str, str]] = field(default_factory=set)
    mistyped: list[str] = field(default_factory=list)
    states: int = 0

    def says(self) -> Iterator[Say]:
        """Everything said, texts of the register and of people included."""
        for view in self.views:
            yield from says(view)
        yield from self.toasts

    def keys(self) -> set[str]:
        """The keys of everything said, in parameters too."""
        return {key for say in self.says() for key in keys(say)}


def says(view: View) -> Iterator[Say]:
    """Everything that a view says."""
    facts = (part for fact in view.facts for part in fact)
    labels = (button.label for button in view.buttons())
    for say in (
        view.title,
        view.subject,
        view.error,
        *view.notes,
        *view.body,
        *facts,
        *view.after,
        *labels,
    ):
        if say is not None:
            yield say


def keys(say: object) -> Iterator[str]:
    """The message keys in something said."""
    match say:
        case Msg(key, params):
            yield key
            for _, value in params:
                yield from keys(value)
        case tuple():
            for item in say:
                yield from keys(item)


_looked: tuple[Talk, State, Context] | None = None


def context(talk: Talk) -> Context:
    """Its context, the same one while it stands there: what the engine works out from a context it works out once."""
    global _looked  # noqa: PLW0603 - one slot
    if _looked is None or _looked[0] is not talk or _looked[1] is not talk.state:
        _looked = (talk, talk.state, talk.context)
    return _looked[2]


def shape(talk: Talk, *, typed: bool = True) -> tuple[object, ...]:
    """What makes two states the same for the walk: the question asked, and whatever decides on the questions to come."""
    state = talk.state
    if state.top is None:
        return (len(state.kept), state.resting, talk.actor is None, context(talk).present)
    frame, flow = state.top, FLOWS[state.top.flow]
    step = settle(flow, frame, context(talk)).step
    if flow.key == "users" and step and step.key == "people" and not frame.ui.keys() & INTERLUDES:
        ui, again = (
            frame.ui,
            "act" in frame.answers,
        )  # what narrows and turns the list leads to no other question
        panel = ui.get("panel")
        return (flow.key, panel) if panel else (flow.key, bool(ui.get("pick")), bool(ui.get("ticks")), again)
    query = frame.answers.get("query") or {}
    person = frame.answers.get("person") or {}
    return (
        flow.key,
        step.key if step else None,
        frame.editing,
        tuple(sorted(key for key, value in frame.ui.items() if value or key in INTERLUDES)),
        len(state.frames) > 1,
        typed
        and frame.typed
        and flow.key != "grant",  # in the longest dialogue a wrong answer comes first anyway
        "code" in frame.answers,
        query.get("see"),
        query.get("what"),
        "account" in person,
        frame.answers.get("profession"),
        frame.answers.get("how"),
        frame.answers.get("field"),
        step is None and frame.answers.get("entity") == "quai",
        frame.answers.get("act"),
        (way(frame.answers), frame.answers.get("when") == NOW_AT_ONCE) if flow.key == "change" else None,
    )


def standing(talk: Talk) -> tuple[object, ...]:
    """The question or page that wrong answers, and what comes from outside the card, are tried at once each."""
    state = talk.state
    if state.top is None:
        return (talk.actor is None, context(talk).present)
    frame, flow = state.top, FLOWS[state.top.flow]
    step = settle(flow, frame, context(talk)).step
    interlude = tuple(sorted(frame.ui.keys() & INTERLUDES))
    return (flow.key, step.key if step else None, interlude, "start" in frame.answers)


def moves(talk: Talk, *, wrong: bool) -> Iterator[Event | Button]:
    """Valid answers and each button; at a place that is new, wrong answers too, and what comes from outside the card.

    Text first: who has typed is asked before his dialogue is dropped.
    """
    view = talk.view
    buttons = [b for b in view.buttons() if isinstance(b.action, Press)] if view else []
    # two days of a calendar stand for all
    days = [b for b in buttons if isinstance(b.action, Press) and b.action.verb == "day"]
    if wrong or len(talk.state.frames) == 1:  # above another dialogue a valid answer leads nowhere else
        yield from (Text(text) for text in VALID)
    yield from (b for b in buttons if b not in days)
    yield from days[:2]
    if wrong:
        yield from (Text(text) for text in WRONG.values())
        yield from (Unreadable(), Unreadable("corrected"))
        yield Tap(talk.state.rev - 1, "a", "old")
        yield from (Tap(talk.state.rev, verb, "gone") for verb in ("a", "who", "list"))
        if talk.state.top:  # the dialogue that is open already
            yield Command(talk.state.top.flow, CODE if talk.state.top.flow == "start" else "")
        yield from (Command(name) for name in COMMANDS)


def after(talk: Talk, state: State, move: Event | Button) -> Talk:
    """Another chat in `state` of `talk`, with a register of its own, after one move."""
    other = _like(talk, copied(talk.directory), state)
    other.view = talk.view
    other.press(move) if isinstance(move, Button) else other.feed(move)
    return other


def _like(talk: Talk, directory: MemoryDirectory, state: State) -> Talk:
    return Talk(ENGINE, directory, lang=talk.lang, actor=talk.actor, state=state, settings=talk.settings)


def copied(directory: MemoryDirectory) -> MemoryDirectory:
    """A register that one move may change."""
    fresh = MemoryDirectory(**vars(directory))
    fresh.cards, fresh.changes = dict(directory.cards), dict(directory.changes)
    fresh.codes, fresh.numbers = set(directory.codes), dict(directory.numbers)
    fresh.taken = set(directory.taken)
    fresh.mandates = dict(directory.mandates)
    fresh.wards = dict(directory.wards)
    fresh.linked = dict(directory.linked)
    fresh.rooms = dict(directory.rooms)
    fresh.standins = dict(directory.standins)
    fresh.kept = dict(directory.kept)
    return fresh


def elsewhere(talk: Talk) -> Iterator[Talk]:
    """The same confirmation, had somebody else been quicker, or had the register refused it."""
    buttons = talk.view.buttons() if talk.view else ()
    last = next(
        (b for b in buttons if b.action in {Press("ok"), Press("a", "done"), Press("a", "yes")}), None
    )
    if last is None:
        return
    refusals = [message(key) for key in entries("fr") if key.startswith(("act.", "rights."))]
    changes = tuple(msg for msg in refusals if msg.key.startswith("act.changed."))
    for laid in (Conflict(changes, 7), *(Refused(msg, "username") for msg in refusals if msg not in changes)):
        directory = copied(talk.directory)
        directory.conflict = laid if isinstance(laid, Conflict) else None
        directory.refusal = laid if isinstance(laid, Refused) else None
        other = _like(talk, directory, talk.state)
        other.view = talk.view
        other.press(last)
        yield other
    if talk.state.top and talk.state.top.flow == "portal":  # ticked off before its first day
        other = _like(talk, copied(talk.directory), talk.state)
        other.feed(Answer(Done("2026-000001")))
        yield other


def note_place(talk: Talk, walked: Walked) -> None:
    """Which question, page or interlude the chat stands at."""
    state, view = talk.state, talk.view
    if view is None:
        return
    ctx = context(talk)
    if state.top is None or (not ctx.present and not FLOWS[state.top.flow].public):
        root = "stranger" if talk.actor is None else "home" if ctx.present else "locked"
        walked.places.add((root, "page"))
        return
    frame, flow = state.top, FLOWS[state.top.flow]
    interlude = next((each for each in ("leaving", "again", "fixing") if each in frame.ui), None)
    settled = settle(flow, frame, ctx)
    step = settled.step
    if interlude:
        walked.places.add((flow.key, interlude))
    elif step:
        asked = Asking(ctx, settled.answers)
        assert step.question(asked) in view.body, (flow.key, step.key)
        walked.places.add((flow.key, step.key))
    else:
        walked.places.add((flow.key, "page" if flow.page else "recap"))


def check_typed(talk: Talk, button: Button, tapped: Talk, walked: Walked) -> None:
    """A label of ours, typed, does what a tap on it does; a person's name may be borne by two."""
    if isinstance(button.label, str) or not isinstance(button.action, Press):
        return
    label = talk.context.reader.label(button.label)
    if button.action.verb in {"stay_put", "page", "list", "change", "month"} or not label.strip():
        return
    typed = after(talk, talk.state, Text(label))
    frame, flow = talk.state.top, FLOWS[talk.state.top.flow] if talk.state.top else None
    ticked = button.action.verb in {"on", "off"}  # a typed name is the whole answer, a tap is one of several
    if not ticked and shape(typed, typed=False) != shape(tapped, typed=False):
        where = f"{flow.key if flow else 'home'} {sorted(frame.ui) if frame else ''}"
        walked.mistyped.append(f"{talk.lang} {where}: '{label}' typed is not what it is tapped")


FIRST = "fr"
"""The language that is walked with wrong answers too."""
ANNE = Actor("delcourt", "Anne Delcourt")
LOCKED = Actor("delcourt", locked=True)
SETTINGS = Settings(pages="https://access.example.org", mails=True, desk=True)


def walk(
    walked: Walked, directory: MemoryDirectory, *, who: Actor | None, begin: Iterable[tuple[Event, ...]]
) -> None:
    """After each of these beginnings, by every move, to every state of a new shape; adds to `walked`."""
    visited: set[tuple[object, ...]] = set()
    tried: set[tuple[object, ...]] = set()
    queue: deque[tuple[State, MemoryDirectory]] = deque()

    def met(talk: Talk) -> None:
        for reply in talk.replies:
            if reply.view:
                walked.views.setdefault(reply.view)
            if reply.toast:
                walked.toasts.setdefault(reply.toast.msg)
        for receipt in talk.receipts:
            walked.views.setdefault(receipt)
        note_place(talk, walked)
        key = shape(talk)
        if key not in visited:
            visited.add(key)
            queue.append((talk.state, talk.directory))

    for events in begin:
        talk = Talk(ENGINE, copied(directory), lang=walked.lang, actor=who, settings=SETTINGS)
        for event in events:
            talk.feed(event)
            met(talk)
    while queue:
        state, register = queue.popleft()
        walked.states += 1
        talk = Talk(ENGINE, register, lang=walked.lang, state=state, actor=who, settings=SETTINGS)
        talk.view = ENGINE.view(state, talk.context)
        place = standing(talk)
        new, _ = place not in tried, tried.add(place)
        for move in moves(talk, wrong=new and walked.lang == FIRST):
            other = after(talk, state, move)
            if other.receipts and state.top:
                walked.places.add((state.top.flow, "receipt"))
            met(other)
            if new and isinstance(move, Button):
                check_typed(talk, move, other, walked)
        for other in elsewhere(talk) if new and walked.lang == FIRST else ():
            met(other)


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
        _road(seen, directory, events, tried)
    for directory, events in linkroads.deputies(register):
        _road(seen, directory, events, tried)


def changed(seen: Walked) -> None:
    """What somebody has, changed in every way."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in changeroads.roads(register):
        _road(seen, directory, events, tried)


def portal(seen: Walked) -> None:
    """The hand-over to the portal."""
    for directory, events in roads():
        talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=SETTINGS)
        for event in events:
            talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
            note_place(talk, seen)
        seen.views.update({reply.view: None for reply in talk.replies if reply.view})
        seen.views.update(dict.fromkeys(talk.receipts))
        seen.toasts.update({reply.toast.msg: None for reply in talk.replies if reply.toast})
        if talk.receipts and isinstance(events[0], Command):
            seen.places.add((events[0].name, "receipt"))


def places(seen: Walked) -> None:
    """Entities and their qualities."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in placeroads.roads():
        _road(seen, directory, events, tried)


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
        for event in events:
            talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
        note_place(talk, seen)
        for _ in range(13):
            seen.views.update({reply.view: None for reply in talk.replies if reply.view})
            seen.views.update(dict.fromkeys(talk.receipts))
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
        for event in events:
            talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
            note_place(talk, seen)
        seen.views.update({reply.view: None for reply in talk.replies if reply.view})
        seen.views.update(dict.fromkeys(talk.receipts))
        seen.toasts.update({reply.toast.msg: None for reply in talk.replies if reply.toast})
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
        for event in events:
            talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
            note_place(talk, seen)
        seen.views.update({reply.view: None for reply in talk.replies if reply.view})
        seen.views.update(dict.fromkeys(talk.receipts))


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
        _road(seen, directory, events, tried)
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
        _road(
            seen, directory, (*said("users", "1"), *ticks, Tap(0, "act", "delete"), Text("Maes"), ok), tried
        )
    for events in (said("appoint"), said("unseat"), said("managers", "1")):
        _road(seen, register(), events, tried)
    alone = register()
    manage(alone)
    alone.mandates = {}
    alone.own = ("a0001",)
    _road(seen, alone, said("appoint", "1", "1"), tried)
    _road(seen, alone, said("appoint", "1", "6", "1", "jpeeters"), tried)
    alone.vacancies["midi"] = tuple(post for post in alone.vacancies["midi"] if post.office != "subdivision")
    alone.vacancies["midi"] += (Post("subdivision", "midi-h"),)
    _road(seen, alone, said("appoint", "1", "6"), tried)


def certificates(seen: Walked) -> None:
    """Certificates, whose dialogue goes on with a file."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in certificateroads.roads():
        _road(seen, directory, events, tried)


def subdivisions(seen: Walked) -> None:
    """Subdivisions, whose dialogues take a tree to be walked in."""
    tried: set[tuple[object, ...]] = set()
    for directory, events in subdivisionroads.roads():
        _road(seen, directory, events, tried)


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


def _road(
    seen: Walked, directory: MemoryDirectory, events: Iterable[Event], tried: set[tuple[object, ...]]
) -> None:
    """These events one after the other, with all that is shown on the way."""
    talk = Talk(ENGINE, directory, lang=seen.lang, actor=ANNE, settings=SETTINGS)
    for event in events:
        flow = talk.state.top.flow if talk.state.top else ""
        talk.feed(replace(event, rev=talk.state.rev) if isinstance(event, Tap) else event)
        note_place(talk, seen)
        if talk.receipts and flow:
            seen.places.add((flow, "receipt"))
        place = standing(talk)
        for button in talk.view.buttons() if talk.view and place not in tried else ():
            check_typed(talk, button, after(talk, talk.state, button), seen)
        tried.add(place)
    seen.views.update({reply.view: None for reply in talk.replies if reply.view})
    seen.views.update(dict.fromkeys(talk.receipts))
    seen.toasts.update({reply.toast.msg: None for reply in talk.replies if reply.toast})

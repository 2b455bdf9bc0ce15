"""The managers of an entity: who, in which office, where, from when to when; from here they are appointed and ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.access.offices import OFFICES
from bot.conversations.basics import every_entity
from bot.conversations.flow import (
    HOME_ROW,
    Accepted,
    Asking,
    Flow,
    Page,
    Pick,
    Rejected,
    Said,
    Screen,
    Step,
    Verdict,
    press,
)
from bot.conversations.mandates import KEY, UNSEAT, named, office_at
from bot.conversations.matching import match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.named import prefill
from bot.conversations.place import entity_choice, entity_name, quality_word
from bot.conversations.ports import Context, DeputyRef, EntityRef, ManagerRef
from bot.conversations.steps import GONE, page_row, paged
from bot.msg import Msg, Say, m

APPOINT = "appoint"
DEPUTY, UNDEPUTY = "deputy", "undeputy"
REPLACE = "r:"
"""Before the mandate to replace, in the argument of `appoint`."""


def appointing(ctx: Context) -> tuple[EntityRef, ...]:
    """The entities where the actor may appoint somebody."""
    found = {e.id: e for office in OFFICES.values() for e in ctx.directory.entities(office.act.value)}
    return tuple(e for e in ctx.directory.entities() if e.id in found)


def mandate_of(ctx: Context, mandate: str) -> ManagerRef | None:
    """A mandate by its id, where the actor may see it."""
    places = ctx.directory.entities()
    return next((each for e in places for each in ctx.directory.managers(e.id) if each.id == mandate), None)


# -- in words -------------------------------------------------------------------------------------


def days_of(manager: ManagerRef) -> Msg:
    """From when to when."""
    since, until = manager.since, manager.until
    if since and until:
        return m("managers.between", since=since, until=until)
    if since:
        return m("managers.since" if manager.begun else "managers.from", since=since)
    return m("managers.until", until=until) if until else m("managers.open")


def label_of(manager: ManagerRef, number: int) -> Say:
    """A button's: the number of the line, and the name."""
    return f"{number} · {manager.name}" if manager.name else m("managers.nameless", number=number)


# -- the page -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SeeStep(Step):
    """What to look at: `{"page": n}` of the list, or `{"mandate": id}`."""

    def screen(self, asking: Asking) -> Screen:
        return Screen()

    def accept(self, asking: Asking, said: Said) -> Verdict:
        there = asking.ctx.directory.managers(asking.answers["entity"])
        match said:
            case Pick("page", value) if value.isdecimal() and len(value) < 6:
                return Accepted({"page": int(value)})
            case Pick("all"):
                return Accepted({"page": 0})
            case Pick("mandate", value) if any(each.id == value for each in there):
                return Accepted({"mandate": value})
            case Pick():
                return Rejected(GONE)
            case Text(text):
                found = match(text, [(each.name,) for each in there])
                if found.sure:
                    return Accepted({"mandate": there[found.places[0]].id})
                if found.places:
                    return Rejected(m("managers.several"))
                return Rejected(m("managers.none", said=" ".join(text.split())[:40]))

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def page(ctx: Context, answers: Answers) -> Page:
    """The list, or one mandate of it."""
    there = ctx.directory.managers(answers["entity"])
    see = answers["see"]
    chosen = next((each for each in there if each.id == see.get("mandate")), None)
    return (
        mandate_page(ctx, chosen) if chosen else list_page(ctx, answers["entity"], there, see.get("page", 0))
    )


def list_page(ctx: Context, entity: str, there: Sequence[ManagerRef], at: int) -> Page:
    """Everybody, some at a time, each with a button."""
    shown, at, pages = paged(list(enumerate(there, 1)), at)
    lines = [
        m(
            "managers.line",
            number=str(number),
            name=named(each),
            what=office_at(ctx, each),
            when=days_of(each),
        )
        for number, each in shown
    ]
    rows: list[Row] = [(press(label_of(each, number), "mandate", each.id),) for number, each in shown]
    rows += page_row(at, pages)
    if any(place.id == entity for place in appointing(ctx)):
        rows.append((press(m("appoint.title"), "open", f"{APPOINT}:{entity}", mark="➕"),))
    rows += deputy_rows(ctx, entity)
    deputies = tuple(deputy_line(each) for each in ctx.directory.deputies(entity))
    return Page((m("managers.count", n=len(there)), *lines, *deputies), rows=(*rows, HOME_ROW))


def deputy_line(deputy: DeputyRef) -> Msg:
    """Who stands in for whom, from when to when."""
    names = {"principal": deputy.principal or m("managers.unknown")}
    names |= {"deputy": deputy.deputy or m("managers.unknown")}
    return m("deputy.line", **names, since=deputy.since, until=deputy.until)


def deputy_rows(ctx: Context, entity: str) -> tuple[Row, ...]:
    """A deputy for oneself, and the end of those that the actor may end."""
    rows: list[Row] = []
    if any(place.id == entity for place in ctx.directory.entities("appoint_deputy")):
        rows.append((press(m("deputy.title"), "open", f"{DEPUTY}:{entity}", mark="🔁"),))
    if any(each.endable for each in ctx.directory.deputies(entity)):
        rows.append((press(m("undeputy.title"), "open", f"{UNDEPUTY}:{entity}", mark="🔁"),))
    return tuple(rows)


def mandate_page(ctx: Context, manager: ManagerRef) -> Page:
    """One mandate, and what the actor may do about it."""
    facts: list[tuple[Say, Say]] = [
        (m("field.person"), named(manager)),
        (m("field.office"), m(f"role.{manager.office}")),
    ]
    if manager.quality:
        facts.append((quality_word(ctx, manager.entity), ctx.catalogue.quality(manager.quality_key).label))
    if manager.subdivision:
        facts.append((m("field.subdivision"), manager.subdivision_name))
    facts.append((m("managers.when"), days_of(manager)))
    rows: list[Row] = []
    if manager.changeable:
        rows = [
            (press(m("managers.replace"), "open", f"{APPOINT}:{REPLACE}{manager.id}"),),
            (press(m("unseat.title"), "open", f"{UNSEAT}:{manager.id}"),),
        ]
    after: tuple[Say, ...] = (m("managers.oneself"),) if manager.oneself else ()
    return Page((), tuple(facts), after, (*rows, (press(m("managers.all"), "all"),), HOME_ROW))


def managers_prefill(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The list of the entity worked in, or of the one that a button names."""
    chosen = prefill(memory, "")
    entity = args.strip() or chosen.get("entity")
    found = {"entity": entity} if entity and ctx.directory.entity(entity) else {}
    return {**found, "see": {"page": 0}}


MANAGERS = Flow(
    key=KEY,
    icon="🔑",
    title=m("managers.title"),
    steps=(
        entity_choice(every_entity, none=m("place.no_entity")),
        SeeStep("see", ask=m("managers.title"), label=m("managers.title"), after=frozenset({"entity"})),
    ),
    page=page,
    prefill=managers_prefill,
    subject=entity_name,
    retype="see",
)

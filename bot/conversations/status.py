"""The state of accesses: of a person, an application, a change, and the manager's overview. Pure.

One step, *query*, and a page: text typed on the page is a new query, and so are the page's own buttons. It asks nothing
to be done, so it may stand in the middle of any dialogue and leads back to it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.conversations import onportal
from bot.conversations.end import change_rows
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
from bot.conversations.lists import one_after_the_other
from bot.conversations.mine import own_page
from bot.conversations.model import Answers, Button, CopyText, Json, Row, Text
from bot.conversations.people import found, people_rows
from bot.conversations.ports import (
    COUNTED,
    ChangeCard,
    Context,
    EntityRef,
    Holding,
    Line,
    Listing,
    PersonCard,
    PersonRef,
    QualityRef,
)
from bot.conversations.search import (
    all_qualities,
    application_rows,
    applications,
    nearly,
    offered,
    understood,
)
from bot.conversations.signout import signout_row
from bot.conversations.steps import GONE, PAGE_SIZE, page_row, tuple_of
from bot.conversations.verify import verify_row
from bot.conversations.wayin import invite_row
from bot.conversations.wording import about, change_item, held_lines, line_of, stamped, state_of_change
from bot.msg import Msg, Say, from_json, m, to_json

AT_ONCE = 4
"""Entities on a page of the overview, where there are more than a list's page."""
LISTS = ("active", "pending", "to_do", "ending")
SHORT = {"a": "active", "p": "pending", "t": "to_do", "e": "ending"}
"""The lists of an overview, with a letter each for the button's value."""


@dataclass(frozen=True)
class QueryStep(Step):
    """What to look at: `{"see": "overview" | "person" | "application" | "change" | "list" | "find", …}`."""

    takes_niss: bool = True

    def screen(self, asking: Asking) -> Screen:
        return Screen((m("status.how"),))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("who", value):
                return Accepted({"see": "person", "account": value})
            case Pick("list", value) if value[:1] in SHORT:
                return Accepted({"see": "list", "what": SHORT[value[0]], "entity": value[2:], "page": 0})
            case Pick("own", value):
                return Accepted({"see": "own", "entity": value, "page": 0})
            case Pick("change", value):
                return Accepted({"see": "change", "number": value})
            case Pick("app", value) if any(a.key == value for a in offered(asking.ctx)):
                return Accepted({"see": "application", "application": value})
            case Pick("all"):
                return Accepted({"see": "overview"})
            case Pick("page", value) if value.isdecimal() and isinstance(asking.proposal, dict):
                return Accepted({**asking.proposal, "page": int(value)})
            case Pick():
                return Rejected(GONE)
            case Text(text):
                return understood(asking.ctx, text)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


# -- pages ----------------------------------------------------------------------------------------


def page(ctx: Context, answers: Answers) -> Page:
    """The page that the query asks for; what cannot be found is said, with the overview."""
    query = answers["query"]
    if not ctx.directory.entities():
        return own_page(ctx)
    match query["see"]:
        case "person":
            card = ctx.directory.person(query["account"])
            return person_page(ctx, card) if card else overview(ctx, m("status.gone"))
        case "change":
            change = ctx.directory.change(query["number"])
            return (
                change_page(ctx, change)
                if change
                else overview(ctx, m("status.no_change", number=query["number"]))
            )
        case "application":
            return application_page(ctx, query)
        case "list":
            return list_page(ctx, query)
        case "own":
            return own_changes_page(ctx, query)
        case "find":
            return find_page(ctx, query)
        case _:
            return overview(ctx, from_json(query.get("said")), query.get("page", 0))


def overview(ctx: Context, said: Msg | None = None, at: int = 0) -> Page:
    """For each entity, some at a time: how many people, and what is active, pending, to do, ending within 30 days."""
    every = ctx.directory.entities()
    pages = 1 if len(every) <= PAGE_SIZE else -(-len(every) // AT_ONCE)
    at = min(max(0, at), pages - 1)
    entities = every if pages == 1 else every[at * AT_ONCE : (at + 1) * AT_ONCE]
    body: list[Say] = [said] if said else []
    rows: list[Row] = []
    checklists = {visit.entity.id for visit in ctx.directory.visits()}
    for entity in entities:
        counts = ctx.directory.counts(entity.id)
        body.append(m("status.entity", name=entity.name, people=found(counts.people)))
        numbers = {
            "active": counts.active,
            "pending": counts.pending,
            "to_do": counts.to_do,
            "ending": counts.ending,
        }
        body += [
            m(f"status.count.{what}", n=number)
            if number <= COUNTED
            else m(f"status.count_many.{what}", limit=COUNTED)
            for what, number in numbers.items()
            if number or what != "to_do"
        ]
        body += [m("status.count.own", n=counts.own)] if counts.own else []
        if len(every) > 1:
            rows.append((press(entity.name, "list", f"a:{entity.id}"),))
        shown = [what for what in LISTS if numbers[what] and not (what == "active" and len(every) > 1)]
        buttons = [
            press(m("status.button.to_do"), "open", f"portal:{entity.id}")
            if what == "to_do" and entity.id in checklists
            else press(m(f"status.button.{what}"), "list", f"{_letter(what)}:{entity.id}")
            for what in shown
        ]
        buttons += [press(m("status.button.own"), "own", entity.id)] if counts.own else []
        rows += [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    rows += page_row(at, pages)
    rows += [
        (press(_line(ctx, change), "change", change.number),)
        for change in ctx.directory.recent_changes(limit=3)
    ]
    return Page(tuple(body), after=(m("status.how"),), rows=(*rows, HOME_ROW), title=m("status.title"))


def _line(ctx: Context, change: ChangeCard) -> Msg:
    return m("status.change_line", number=change.number, person=about(ctx, change))


def _letter(what: str) -> str:
    return next(letter for letter, name in SHORT.items() if name == what)


def person_page(ctx: Context, card: PersonCard) -> Page:
    """A user account: who, with which user name and state, and every application and function."""
    ref = card.ref
    facts: list[tuple[Say, Say]] = [(m("field.person"), ref.name)]
    optional: tuple[tuple[Msg, Say], ...] = (
        (m("field.niss"), ref.masked),
        (m("field.username"), ref.username),
        (m("field.subdivision"), ref.subdivision),
    )
    facts += [(label, value) for label, value in optional if value]
    if ref.profession:
        facts.append((m("field.profession"), m(f"declared.{ref.profession}")))
    facts.append((m("field.status"), onportal.status(card)))
    lines = held_lines(ctx, card)
    whole: Row = (press(m("user.open"), "open", f"user:{ref.id}", mark="👤"),)
    rows = (
        whole,
        *onportal.doors(ctx, card),
        *change_rows(ctx, card),
        *invite_row(ctx, card),
        *signout_row(ctx, card),
        BACK_ROW,
        HOME_ROW,
    )
    return Page((), tuple(facts), lines, rows, title=m("status.title"), subject=card.entity.name)


def change_page(ctx: Context, change: ChangeCard) -> Page:
    """A change: who recorded it and when, for whom, and how far it is."""
    facts: tuple[tuple[Say, Say], ...] = (
        (m("field.number"), change.number),
        *(((m("field.person"), change.person),) if change.person else ()),
        (
            m("field.recorded"),
            m("change.recorded", day=change.recorded_on, time=change.recorded_at, author=change.author),
        ),
        *(((m("field.own"), m("change.own")),) if change.own else ()),
        (m("field.status"), state_of_change(ctx, change)),
        (m("field.content"), tuple_of([change_item(ctx, item) for item in change.items])),
        *((m(f"stamp.{stamp.state}"), stamped(stamp)) for stamp in change.stamps),
    )
    rows: list[Row] = [(Button(m("common.copy_number"), CopyText(change.number), "📋"),)]
    if change.state == "to_do":
        rows.insert(0, (press(m("portal.open"), "open", f"portal:{change.number}", mark="☑"),))
    rows += verify_row(ctx, change)
    if change.account:
        rows.append((press(m("status.see_person"), "who", change.account),))
    return Page(
        (), facts, (), (*rows, BACK_ROW, HOME_ROW), title=m("status.title"), subject=change.entity.name
    )


def application_page(ctx: Context, query: Json) -> Page:
    """Who has an application, in every entity of the actor."""
    application = ctx.catalogue.application(query["application"])
    entities = ctx.directory.entities()

    def listing(entity: EntityRef, page: int) -> Listing[Line[Holding]]:
        return ctx.directory.listed(entity.id, "active", key=application.key, page=page, size=PAGE_SIZE)

    sheet = one_after_the_other(entities, listing, query.get("page", 0))
    counts = (
        m("status.application_in", name=entity.name, count=found(total))
        for entity, total in zip(entities, sheet.totals, strict=True)
        if total or len(entities) <= PAGE_SIZE  # of many, those where there is somebody
    )
    return Page(
        (m("status.application", name=application.name, about=application.description), *counts),
        rows=(
            *people_rows([line.person for line in sheet.items]),
            *page_row(sheet.page, sheet.pages),
            BACK_ROW,
            HOME_ROW,
        ),
        title=m("status.title"),
    )


def list_page(ctx: Context, query: Json) -> Page:
    """The accesses of one list of the overview, with their people."""
    entity: EntityRef | None = ctx.directory.entity(query["entity"])
    if entity is None:
        return overview(ctx, m("status.gone"))
    listing = ctx.directory.listed(entity.id, query["what"], page=query["page"], size=PAGE_SIZE)
    lines = tuple(
        m("status.person_line", name=line.person.name, what=line_of(ctx, line)) for line in listing.items
    )
    total = (
        m("status.lines", n=listing.total)
        if listing.total <= COUNTED
        else m("status.lines_many", limit=COUNTED)
    )
    rows = (
        *people_rows([line.person for line in listing.items]),
        *page_row(listing.page, listing.pages),
        BACK_ROW,
        HOME_ROW,
    )
    body = (m(f"status.list.{query['what']}"), total, *lines)
    return Page(body, rows=rows, title=m("status.title"), subject=entity.name)


def own_changes_page(ctx: Context, query: Json) -> Page:
    """What managers changed of their own user, being alone: for the auditor, and whoever else may read the audit trail."""
    entity: EntityRef | None = ctx.directory.entity(query["entity"])
    if entity is None:
        return overview(ctx, m("status.gone"))
    listing = ctx.directory.own_changes(entity.id, page=query["page"], size=PAGE_SIZE)
    lines = tuple(
        m(
            "user.past",
            number=change.number,
            when=m("change.recorded", day=change.recorded_on, time=change.recorded_at, author=change.author),
            what=tuple_of([change_item(ctx, item) for item in change.items]),
        )
        for change in listing.items
    )
    rows = (
        *((press(_line(ctx, change), "change", change.number),) for change in listing.items),
        *page_row(listing.page, listing.pages),
        BACK_ROW,
        HOME_ROW,
    )
    body = (m("status.list.own"), m("user.changes", n=listing.total), *lines)
    return Page(body, rows=rows, title=m("status.title"), subject=entity.name)


def find_page(ctx: Context, query: Json) -> Page:
    """Everybody whose name begins so, or nearly, and the applications meant; what is alone is shown at once."""
    text = query["find"]
    rooms = all_qualities(ctx)
    meant = applications(ctx, text)

    def listing(room: QualityRef, page: int) -> Listing[PersonRef]:
        return ctx.directory.people(room.id, find=text, page=page, size=PAGE_SIZE)

    sheet = one_after_the_other(rooms, listing, query.get("page", 0))
    total = sum(sheet.totals)
    if total == 1 and not meant and (card := ctx.directory.person(sheet.items[0].id)):
        return person_page(ctx, card)
    if total == 0 and len(meant) == 1:
        return application_page(ctx, {**query, "application": meant[0].key})
    if total or meant:
        return Page(
            (m("person.found_for", what=text, count=found(total)),),
            rows=(
                *application_rows(meant),
                *people_rows(sheet.items),
                *page_row(sheet.page, sheet.pages),
                BACK_ROW,
                HOME_ROW,
            ),
            title=m("status.title"),
        )
    if near := nearly(ctx, text, PAGE_SIZE):
        return Page(
            (m("person.nearly", said=text),),
            rows=(*people_rows(near), BACK_ROW, HOME_ROW),
            title=m("status.title"),
        )
    return overview(ctx, m("status.none", said=text))


BACK_ROW: Row = (press(m("status.overview"), "all"),)


def prefill(ctx: Context, args: str) -> Answers:
    """The words after /status, or a receipt's number; without any, the overview."""
    if not args.strip():
        return {"query": {"see": "overview"}}
    verdict = understood(ctx, args)
    match verdict:
        case Accepted(value):
            return {"query": value}
        case Rejected(error):
            return {"query": {"see": "overview", "said": to_json(error)}}
    raise TypeError(verdict)


STATUS = Flow(
    key="status",
    icon="📋",
    title=m("status.title"),
    steps=(QueryStep("query", ask=m("status.ask"), label=m("status.title")),),
    page=page,
    prefill=lambda ctx, _, args: prefill(ctx, args),
    retype="query",
)

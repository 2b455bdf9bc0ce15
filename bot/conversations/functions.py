"""Functions: who exercises which, from when to when, and what each application needs. Pure.

One step, *query*, and a page, like the state of accesses; the doors lead to `assigning`, where a function is given, and to
`end` and `change`, where one is ended, removed before it begins, or gets another end.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2s

from bot.conversations import hierarchy, onportal
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
from bot.conversations.matching import match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.people import people_rows
from bot.conversations.place import may
from bot.conversations.ports import COUNTED, Context, EntityRef, Holding, Line, Listing, PersonCard
from bot.conversations.steps import GONE, PAGE_SIZE, page_row
from bot.conversations.usercard import CardStep, those_found
from bot.conversations.wording import called, holding_line, line_of
from bot.errors import Invalid
from bot.msg import Say, m

SHORT = 24
"""Bytes of a button's value."""


def ref(key: str) -> str:
    """What a button carries for a function: its key, or a digest where that is too long."""
    return key if len(key.encode()) <= SHORT else blake2s(key.encode(), digest_size=6).hexdigest()


def key_of(ctx: Context, carried: str) -> str:
    """The key of the function that a button carries; empty where the catalogue has it no more."""
    return next((f.key for f in ctx.catalogue.functions if ref(f.key) == carried), "")


@dataclass(frozen=True)
class FunctionsStep(Step):
    """What to look at: `{"see": "all" | "person" | "needs" | "find" | "links" | "unled", …}`; `all` may be of one function only."""

    takes_niss: bool = True

    def screen(self, asking: Asking) -> Screen:
        return Screen((m("user.how"),))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("who", value):
                return Accepted({"see": "person", "account": value})
            case Pick("only", value):
                return Accepted({"see": "all", "key": key_of(asking.ctx, value), "page": 0})
            case Pick("all"):
                return Accepted({"see": "all", "key": "", "page": 0})
            case Pick("links", value):
                return Accepted({"see": "links", "account": value, "page": 0})
            case Pick("unled"):
                return Accepted({"see": "unled", "page": 0})
            case Pick("needs"):
                return Accepted({"see": "needs"})
            case Pick("page", value) if value.isdecimal() and isinstance(asking.proposal, dict):
                return Accepted({**asking.proposal, "page": int(value)})
            case Pick():
                return Rejected(GONE)
            case Text(text):
                return understood(asking, text)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def understood(asking: Asking, text: str) -> Verdict:
    """A function by its name, else a person as on a user's card."""
    functions = asking.ctx.catalogue.functions
    hit = match(
        text, [(*asking.ctx.reader.labels(f.short), *asking.ctx.reader.labels(f.label)) for f in functions]
    )
    if hit.sure and not text.strip().isdecimal() and len(text.strip()) > 2:
        return Accepted({"see": "all", "key": functions[hit.places[0]].key, "page": 0})
    verdict = CardStep("query", ask=m("user.ask"), label=m("user.title")).accept(asking, Text(text))
    if isinstance(verdict, Accepted) and verdict.value["see"] == "card":
        return Accepted({"see": "person", "account": verdict.value["account"]})
    return verdict


# -- pages ----------------------------------------------------------------------------------------


def page(ctx: Context, answers: Answers) -> Page:
    """The overview, one person's functions, what applications need, or people to choose from."""
    query = answers["query"]
    match query["see"]:
        case "person":
            card = ctx.directory.person(query["account"])
            return person_page(ctx, card) if card else overview(ctx, {"key": "", "page": 0})
        case "links" if card := ctx.directory.person(query["account"]):
            return hierarchy.links_page(ctx, card, query["page"], BACK_ROW)
        case "unled":
            return hierarchy.unled_page(ctx, query, BACK_ROW)
        case "needs":
            return Page(tuple(needs(ctx)), rows=(BACK_ROW, HOME_ROW), title=m("functions.needs_title"))
        case "find":
            return find_page(ctx, query)
        case "all":
            return overview(ctx, query)
        case _:
            return overview(ctx, {"key": "", "page": 0})


def overview(ctx: Context, query: Json) -> Page:
    """People and functions of every entity of the actor, with counts; one function only where one was chosen."""
    entities, key = ctx.directory.entities(), query["key"]

    def listing(entity: EntityRef, at: int) -> Listing[Line[Holding]]:
        return ctx.directory.listed(entity.id, "live", key=key, kind="function", page=at, size=PAGE_SIZE)

    sheet = one_after_the_other(entities, listing, query["page"])
    body: list[Say] = [m("functions.only", name=called(ctx, "function", key))] if key else []
    totals: dict[str, int] = {}
    unled = False
    for entity in entities:
        counts = ctx.directory.function_counts(entity.id)
        if not counts.people and len(entities) > PAGE_SIZE:
            continue  # of many, those where there is something
        people = (
            m("functions.people", n=counts.people)
            if counts.people <= COUNTED
            else m("functions.people_many", limit=COUNTED)
        )
        body.append(m("functions.in", name=entity.name, count=people))
        for each, number in counts.each:
            name = called(ctx, "function", each)
            many = m("functions.of_many", name=name, limit=COUNTED)
            body.append(m("functions.of", name=name, n=number) if number <= COUNTED else many)
        totals.update(dict.fromkeys(dict(counts.each), 1))
        if missing := hierarchy.unled_count(ctx, entity):
            body.append(missing)
            unled = True
    body += [m("status.person_line", name=line.person.name, what=line_of(ctx, line)) for line in sheet.items]
    filters = (
        ()
        if key
        else tuple((press(f.short, "only", ref(f.key)),) for f in ctx.catalogue.functions if f.key in totals)
    )
    rows: tuple[Row, ...] = (
        *people_rows([line.person for line in sheet.items]),
        *page_row(sheet.page, sheet.pages),
        *filters,
        *(((press(m("links.unled"), "unled", mark="🔗"),),) if unled else ()),
        *(((press(m("functions.all"), "all"),),) if key else ()),
        (press(m("functions.needs_title"), "needs", mark="❔"),),
        HOME_ROW,
    )
    return Page(tuple(body), after=(m("functions.how"),), rows=rows)


def person_page(ctx: Context, card: PersonCard) -> Page:
    """One person's functions, and the doors to end them, to move their ends, to give a further one."""
    held, links = functions_of(card), ctx.directory.links(card.ref.id)
    lines: tuple[Say, ...] = tuple(holding_line(ctx, each, shut=onportal.shut(card)) for each in held) or (
        m("functions.none"),
    )
    lines = (*lines, *hierarchy.link_lines(ctx, card, links))
    facts: list[tuple[Say, Say]] = [(m("field.person"), card.ref.name)]
    if card.ref.profession:
        facts.append((m("field.profession"), m(f"declared.{card.ref.profession}")))
    rows: list[Row] = []
    if held:
        rows += change_rows(ctx, card)
    if may(ctx, card, "assign_function") and card.ref.status == "active":
        rows.append((press(m("assign.title"), "open", f"assign:{card.ref.id}", mark="➕"),))
    rows += hierarchy.link_rows(ctx, card, links)
    rows.append((press(m("user.open"), "open", f"user:{card.ref.id}", mark="👤"),))
    return Page((), tuple(facts), lines, (*rows, BACK_ROW, HOME_ROW), subject=card.entity.name)


def functions_of(card: PersonCard) -> list[Holding]:
    """What the person exercises, now or later."""
    return [each for each in card.holdings if each.kind == "function" and each.state != "ended"]


def asked_of_collaborators(ctx: Context, applications: Collection[str]) -> list[Say]:
    """Which function each of these applications needs, in words; nothing for those that need none."""
    labels = {function.key: function.label for function in ctx.catalogue.functions}
    return [
        m("functions.needs", name=a.name, what=tuple(labels[key] for key in a.functions))
        for a in ctx.catalogue.applications
        if a.requires_function and a.key in applications
    ]


def needs(ctx: Context) -> list[Say]:
    """What each application asks of a collaborator, in words."""
    free = tuple(a.name for a in ctx.catalogue.applications if not a.requires_function)
    led = tuple(a.name for a in ctx.catalogue.applications if a.requires_responsible)
    said = asked_of_collaborators(ctx, {a.key for a in ctx.catalogue.applications})
    said += [m("functions.needs_nothing", what=free)] if free else []
    return [*said, m("functions.responsible", what=led) if led else m("functions.no_responsible")]


def find_page(ctx: Context, query: Json) -> Page:
    """Several people of one name, or of nearly that one."""
    said, rows = those_found(ctx, query)
    return Page((said,), rows=(*rows, BACK_ROW, HOME_ROW))


BACK_ROW: Row = (press(m("functions.all"), "all"),)


def prefill(ctx: Context, args: str) -> Answers:
    """The account of a button, the words after the command, or the overview. Raises Invalid for words that mean nobody."""
    everything: Answers = {"query": {"see": "all", "key": "", "page": 0}}
    if not args.strip():
        return everything
    if ctx.directory.person(args.strip()):
        return {"query": {"see": "person", "account": args.strip()}}
    verdict = understood(Asking(ctx, {}), args)
    if isinstance(verdict, Rejected):
        raise Invalid(verdict.error)
    return {"query": verdict.value} if isinstance(verdict, Accepted) else everything


FUNCTIONS = Flow(
    key="functions",
    icon="🎓",
    title=m("functions.title"),
    steps=(FunctionsStep("query", ask=m("functions.ask"), label=m("functions.title")),),
    page=page,
    prefill=lambda ctx, _, args: prefill(ctx, args),
    retype="query",
)

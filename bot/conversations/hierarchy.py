"""Who answers for whom, in words: the lines and doors of a person's card, the page of his links, who has nobody. Pure.

What somebody leaves behind who answers for others is said before he is blocked or deleted (`losses`).
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.conversations.days import until_day
from bot.conversations.flow import HOME_ROW, Page, press
from bot.conversations.lists import one_after_the_other
from bot.conversations.model import Json, Row
from bot.conversations.people import found, told_apart
from bot.conversations.place import may
from bot.conversations.ports import COUNTED, Context, EntityRef, LinkRef, Listing, PersonCard, PersonRef
from bot.conversations.steps import PAGE_SIZE, page_row, paged
from bot.msg import Msg, Say, m

ACT, KEY, END_KEY = "link_responsible", "lead", "leadend"
LED_BY = "r:"
"""Before the account of the responsible, in the argument of the dialogue that links."""
SHOWN = 3
"""So many links stand on a person's own page; all of them on the page behind."""


def may_link(ctx: Context, card: PersonCard) -> bool:
    """Whether the actor may link accounts of the card's quality."""
    return may(ctx, card, ACT)


def led_functions(ctx: Context, card: PersonCard | None) -> tuple[str, ...]:
    """What the person exercises, now or later, under somebody's responsibility."""
    asking = {each.key for each in ctx.catalogue.functions if each.responsible}
    held = [h.key for h in card.holdings if h.kind == "function" and h.state != "ended"] if card else []
    return tuple(dict.fromkeys(key for key in held if key in asking))


def answers_for(ctx: Context, function: str) -> str:
    """The profession of whoever answers for this function; empty where nobody has to."""
    found = next((each for each in ctx.catalogue.functions if each.key == function), None)
    return found.responsible.value if found and found.responsible else ""


def can_lead(ctx: Context, card: PersonCard) -> bool:
    """Whether the person is of a profession that answers for collaborators."""
    leading = {each.responsible for each in ctx.catalogue.functions if each.responsible}
    return card.ref.status == "active" and card.ref.profession in leading


# -- in words -------------------------------------------------------------------------------------


def who(link: LinkRef) -> Say:
    """The other one, as far as the actor may see him."""
    return link.name or m("links.elsewhere")


def link_line(link: LinkRef) -> Msg:
    """One link: who is the other one, from when to when, and whether it counts."""
    until = until_day(link.ends_on)
    when = m(f"links.{link.state}", since=link.starts_on, until=until)
    line = m("links.above" if link.leads else "links.below", name=who(link), when=when)
    return line if link.counts else m("links.idle", line=line)


def link_lines(ctx: Context, card: PersonCard, links: Sequence[LinkRef]) -> tuple[Say, ...]:
    """A person's links, the first of them; and that somebody is missing where there must be one."""
    lines: list[Say] = [link_line(each) for each in links[:SHOWN]]
    if len(links) > SHOWN:
        lines.append(m("links.more", n=len(links) - SHOWN))
    led = {each.function for each in links if each.leads and each.counts}
    asking = ctx.catalogue.asking_for_link()
    held = {each.key for each in card.holdings if each.kind == "application" and each.state != "ended"}
    needing = {key for key, by in asking.items() if by is None or by & held}
    if any(key in needing and key not in led for key in led_functions(ctx, card)):
        lines.append(m("links.missing"))
    return tuple(lines)


def link_rows(ctx: Context, card: PersonCard, links: Sequence[LinkRef]) -> tuple[Row, ...]:
    """The doors on a person's page: his links, and a new one from his side."""
    rows: list[Row] = []
    if links:
        rows.append((press(m("links.title"), "links", card.ref.id, mark="🔗"),))
    return (*rows, *new_rows(ctx, card))


def new_rows(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """A new link: to a responsible, or of a collaborator."""
    if card.ref.status != "active" or not may_link(ctx, card):
        return ()
    if led_functions(ctx, card):
        return ((press(m("lead.title"), "open", f"{KEY}:{card.ref.id}", mark="➕"),),)
    if can_lead(ctx, card):
        return ((press(m("links.add_below"), "open", f"{KEY}:{LED_BY}{card.ref.id}", mark="➕"),),)
    return ()


# -- pages ----------------------------------------------------------------------------------------


def links_page(ctx: Context, card: PersonCard, at: int, back: Row) -> Page:
    """All links of a person, some at a time, each with a button where its end can be moved."""
    links = ctx.directory.links(card.ref.id)
    shown, at, pages = paged(links, at)
    rows: list[Row] = []
    if may_link(ctx, card):
        rows += [
            (press(f"{number} · {each.name}", "open", f"{END_KEY}:{each.id}", mark="📅"),)
            for number, each in enumerate(shown, at * PAGE_SIZE + 1)
            if each.changeable and each.name
        ]
    rows += [*page_row(at, pages), *new_rows(ctx, card)]
    rows.append((press(m("functions.title"), "who", card.ref.id, mark="🎓"),))
    body: tuple[Say, ...] = tuple(
        m("step.line", number=str(number), what=link_line(each))
        for number, each in enumerate(shown, at * PAGE_SIZE + 1)
    ) or (m("links.none"),)
    facts: tuple[tuple[Say, Say], ...] = ((m("field.person"), card.ref.name),)
    return Page(
        (m("links.count", n=len(links)),),
        facts,
        (*body, m("links.how")) if rows[:-1] else body,
        (*rows, back, HOME_ROW),
        m("links.title"),
        card.entity.name,
    )


def unled_page(ctx: Context, query: Json, back: Row) -> Page:
    """The collaborators of every entity of the actor who must have somebody to answer for them, and have nobody."""
    entities = ctx.directory.entities()

    def listing(entity: EntityRef, page: int) -> Listing[PersonRef]:
        return ctx.directory.unled(entity.id, page=page, size=PAGE_SIZE)

    sheet = one_after_the_other(entities, listing, query.get("page", 0))
    once = sheet.items
    rows = [(press(label, "who", person.id),) for person, label in zip(once, told_apart(once), strict=True)]
    body = (m("links.unled_what"), found(sum(sheet.totals)), *asked_by(ctx))
    return Page(
        body, rows=(*rows, *page_row(sheet.page, sheet.pages), back, HOME_ROW), title=m("links.unled")
    )


def asked_by(ctx: Context) -> tuple[Msg, ...]:
    """Which applications ask for a link, where it is not the function alone."""
    led = tuple(a.name for a in ctx.catalogue.applications if a.requires_responsible)
    return (m("functions.responsible", what=led),) if led else ()


def unled_count(ctx: Context, entity: EntityRef) -> Msg | None:
    """How many collaborators of the entity must have somebody and have nobody."""
    total = ctx.directory.unled(entity.id, size=1).total
    if total > COUNTED:
        return m("links.unled_many", limit=COUNTED)
    return m("links.unled_in", n=total) if total else None


# -- what is lost ---------------------------------------------------------------------------------


def losses(ctx: Context, accounts: Sequence[str]) -> tuple[Msg, ...]:
    """For each of these who answers for others: who they are, and what they need him for."""
    said: list[Msg] = []
    needing = {a.key for a in ctx.catalogue.applications if a.requires_responsible}
    for account in accounts:
        card = ctx.directory.person(account)
        if card is None or not can_lead(ctx, card):
            continue
        below = [each for each in ctx.directory.links(account) if not each.leads]
        if not below:
            continue
        people = tuple(dict.fromkeys(who(each) for each in below))
        said.append(m("links.loses", name=card.ref.name, n=len(people), who=people[:NAMED]))
        alone = tuple(dict.fromkeys(who(each) for each in below if each.alone))
        if alone:
            said.append(m("links.loses_all", n=len(alone), who=alone[:NAMED]))
        held = [ctx.directory.person(each.account) for each in below if each.alone and each.account]
        keys = {h.key for one in held if one for h in one.holdings if h.state != "ended"} & needing
        if keys:
            names = tuple(a.name for a in ctx.catalogue.applications if a.key in keys)
            said.append(m("links.loses_access", what=names))
    return tuple(said)


NAMED = 10
"""So many names are said."""

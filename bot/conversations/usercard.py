"""The card of a user account: all its fields, what it holds, its history, and what one may do with it. Pure.

One step, *query*, and a page, like the state of accesses: text typed on the card looks for somebody else. `ROWS` are the
doors to what may be done; a dialogue about one account adds its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.access.identifiers import looks_like_niss
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
from bot.conversations.lists import Sheet, one_after_the_other
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.newuser import newuser_row
from bot.conversations.people import found, people_rows
from bot.conversations.place import may
from bot.conversations.ports import COUNTED, Context, Listing, PastChange, PersonCard, PersonRef, QualityRef
from bot.conversations.search import all_qualities, by_number, nearly
from bot.conversations.signout import signout_row
from bot.conversations.steps import GONE, PAGE_SIZE, page_row
from bot.conversations.wayin import invite_row
from bot.conversations.wording import change_item, held_lines
from bot.errors import Invalid
from bot.msg import Msg, Say, m


@dataclass(frozen=True)
class CardStep(Step):
    """What to look at: `{"see": "card" | "history" | "find", …}`."""

    takes_niss: bool = True

    def screen(self, asking: Asking) -> Screen:
        return Screen((m("user.how"),), newuser_row(asking.ctx))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("who" | "card", value):
                return Accepted({"see": "card", "account": value})
            case Pick("history", value):
                return Accepted({"see": "history", "account": value, "page": 0})
            case Pick("page", value) if value.isdecimal() and isinstance(asking.proposal, dict):
                return Accepted({**asking.proposal, "page": int(value)})
            case Pick():
                return Rejected(GONE)
            case Text(text) if looks_like_niss(text):
                match by_number(asking.ctx, text):
                    case Accepted(value):
                        return Accepted({**value, "see": "card"})
                    case verdict:
                        return verdict
            case Text(text):
                return self._named(asking.ctx, " ".join(text.split())[:60])

    @staticmethod
    def _named(ctx: Context, text: str) -> Verdict:
        sheet = _sheet(ctx, text, 0)
        match sum(sheet.totals):
            case 0 if not nearly(ctx, text, 1):
                return Rejected(m("status.none", said=text))
            case 1:
                return Accepted({"see": "card", "account": sheet.items[0].id})
            case _:
                return Accepted({"see": "find", "find": text, "page": 0})

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def _sheet(ctx: Context, text: str, page: int) -> Sheet[PersonRef]:
    def listing(room: QualityRef, at: int) -> Listing[PersonRef]:
        return ctx.directory.people(room.id, find=text, page=at, size=PAGE_SIZE)

    return one_after_the_other(all_qualities(ctx), listing, page)


# -- pages ----------------------------------------------------------------------------------------


def those_found(ctx: Context, query: Json) -> tuple[Msg, tuple[Row, ...]]:
    """Everybody of that name, or where that is nobody those with nearly that one, to choose from."""
    text = query["find"]
    sheet = _sheet(ctx, text, query["page"])
    if total := sum(sheet.totals):
        said = m("person.found_for", what=text, count=found(total))
        return said, (*people_rows(sheet.items), *page_row(sheet.page, sheet.pages))
    return m("person.nearly", said=text), tuple(people_rows(nearly(ctx, text, PAGE_SIZE)))


def page(ctx: Context, answers: Answers) -> Page:
    """The card, its history, or the people to choose from."""
    query = answers["query"]
    if query["see"] == "find":
        said, rows = those_found(ctx, query)
        return Page((said, m("user.how")), rows=(*rows, HOME_ROW))
    card = ctx.directory.person(query["account"])
    if card is None:
        return Page((m("status.gone"), m("user.how")), rows=(HOME_ROW,))
    if query["see"] == "history":
        return history_page(ctx, card, query["page"])
    return card_page(ctx, card)


def card_page(ctx: Context, card: PersonCard) -> Page:
    """All fields, then what is held, then how the two passwords differ."""
    ended = sum(h.state == "ended" for h in card.holdings)
    lines: tuple[Say, ...] = (
        *held_lines(ctx, card),
        *((m("user.ended", n=ended),) if ended else ()),
        *hierarchy.link_lines(ctx, card, ctx.directory.links(card.ref.id)),
        *((m("user.passwords"),) if card.type != "technical" else ()),
    )
    rows = tuple(row for rows in ROWS for row in rows(ctx, card))
    return Page((), facts_of(card), lines, (*rows, HOME_ROW), subject=card.entity.name)


def facts_of(card: PersonCard) -> tuple[tuple[Say, Say], ...]:
    """The fields of `domain.md` 1.5 that are filled in, with the account's dates and state."""
    ref = card.ref
    kind: Say = m(f"user.type.{card.type}") if card.type in KINDS else card.type
    facts: tuple[tuple[Msg, Say | None], ...] = (
        (m("field.last_name"), card.last_name),
        (m("field.first_name"), card.first_name),
        (m("field.title"), card.title),
        (m("field.niss"), ref.masked),
        (m("field.username"), ref.username),
        (m("field.type"), kind),
        (m("field.status"), onportal.status(card)),
        (m("field.profession"), m(f"declared.{ref.profession}") if ref.profession else None),
        (m("field.subdivision"), ref.subdivision),
        (m("field.language"), m(f"language.{card.language}") if card.language else None),
        (m("field.email"), card.email),
        (m("field.local_email"), card.local_email),
        (m("field.created"), m("day.is", day=card.created_on) if card.created_on else None),
        (m("field.changed"), m("day.is", day=card.changed_on) if card.changed_on else None),
    )
    return tuple((label, value) for label, value in facts if value)


KINDS = frozenset({"user", "technical"})
"""The types of accounts that have a word of their own; others are shown as they stand."""


def history_page(ctx: Context, card: PersonCard, at: int) -> Page:
    """What was done to the account: when, by whom, under which number."""
    listing = ctx.directory.history(card.ref.id, page=at, size=PAGE_SIZE)
    total = (
        m("user.changes", n=listing.total)
        if listing.total <= COUNTED
        else m("user.changes_many", limit=COUNTED)
    )
    body: tuple[Say, ...] = (card.ref.name, total, *(_past(ctx, past) for past in listing.items))
    back: Row = (press(m("user.back"), "card", card.ref.id, mark="👤"),)
    rows = (*page_row(listing.page, listing.pages), back, HOME_ROW)
    return Page(body, rows=rows, title=m("user.history"), subject=card.entity.name)


def _past(ctx: Context, past: PastChange) -> Msg:
    what = tuple(change_item(ctx, item) for item in past.items)
    when = m("change.recorded", day=past.recorded_on, time=past.recorded_at, author=past.author or "–")
    line = m("user.past", number=past.number, when=when, what=what)
    return m("user.past_own", line=line) if past.own else line


# -- what may be done -----------------------------------------------------------------------------


def edit_row(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """*Modifier*, for whoever may."""
    if card.ref.status == "deleted" or not may(ctx, card, "change_user"):
        return ()
    return ((press(m("common.edit"), "open", f"edit:{card.ref.id}", mark="✏"),),)


def grant_row(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """*Donner un accès*, with this person chosen already."""
    if card.ref.status != "active" or not may(ctx, card, "give_access"):
        return ()
    return ((press(m("grant.title"), "open", f"grant:{card.ref.id}", mark="➕"),),)


def history_row(_: Context, card: PersonCard) -> tuple[Row, ...]:
    """What was done so far."""
    return ((press(m("user.history"), "history", card.ref.id, mark="🕘"),),)


def functions_row(_: Context, card: PersonCard) -> tuple[Row, ...]:
    """On a person's card: the door here."""
    if card.type == "technical":
        return ()
    return ((press(m("functions.title"), "open", f"functions:{card.ref.id}", mark="🎓"),),)


RowsOf = Callable[[Context, PersonCard], tuple[Row, ...]]
ROWS: tuple[RowsOf, ...] = (
    onportal.doors,
    edit_row,
    grant_row,
    change_rows,
    functions_row,
    hierarchy.new_rows,
    history_row,
    invite_row,
    signout_row,
)
"""The doors on a card, in their order; each says for itself whether it is there."""


def prefill(ctx: Context, args: str) -> Answers:
    """The account of a button, or the words after the command. Raises Invalid where they mean nobody."""
    if not args.strip():
        return {}
    if ctx.directory.person(args.strip()):
        return {"query": {"see": "card", "account": args.strip()}}
    verdict = CardStep("query", ask=m("user.ask"), label=m("user.title")).accept(Asking(ctx, {}), Text(args))
    if isinstance(verdict, Rejected):
        raise Invalid(verdict.error)
    return {"query": verdict.value} if isinstance(verdict, Accepted) else {}


USER = Flow(
    key="user",
    icon="👤",
    title=m("user.title"),
    steps=(CardStep("query", ask=m("user.ask"), label=m("user.title")),),
    page=page,
    prefill=lambda ctx, _, args: prefill(ctx, args),
    retype="query",
)

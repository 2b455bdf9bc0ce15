"""The subdivisions of a quality as a tree, and the card of one: how many users, who manages, what may be done. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.access.requests import DEEPEST
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
from bot.conversations.mandates import named
from bot.conversations.matching import fold, match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.place import entity_name, entity_step, quality_options, quality_step, quality_word
from bot.conversations.ports import Context, ManagerRef, SubdivisionCard
from bot.conversations.steps import GONE, PAGE_SIZE, page_row, paged
from bot.msg import Msg, Say, m

KEY, NEW, RENAME, MOVE, CLOSE = "subdivisions", "subnew", "subname", "submove", "subclose"
LOOK, ACT = "list_users", "manage_subdivisions"
LONGEST = 40


def seen_in(ctx: Context, entity: str, quality: str) -> tuple[SubdivisionCard, ...]:
    """The subdivisions of a quality that the actor sees, each below the one it hangs on."""
    return tuple(each for each in ctx.directory.branches(entity) if each.quality == quality)


def inside(there: Sequence[SubdivisionCard], top: str) -> tuple[SubdivisionCard, ...]:
    """Those that hang on one, without itself."""
    found = {top}
    for each in there:  # who hangs on one stands after it
        if each.parent in found:
            found.add(each.id)
    return tuple(each for each in there if each.id in found and each.id != top)


def may_rise(ctx: Context, card: SubdivisionCard, there: Sequence[SubdivisionCard]) -> bool:
    """Whether the actor decides where it hangs: that is decided above it."""
    if card.parent:
        return any(each.id == card.parent and each.changeable for each in there)
    return card.quality in ctx.directory.roots(card.entity)


def led_by(ctx: Context, entity: str) -> dict[str, list[ManagerRef]]:
    """The managers of each subdivision, by its id."""
    found: dict[str, list[ManagerRef]] = {}
    for each in ctx.directory.managers(entity):
        if each.subdivision:
            found.setdefault(each.subdivision, []).append(each)
    return found


def people_in(card: SubdivisionCard) -> Msg:
    """How many users it has, and how many with what hangs on it."""
    if card.people == card.everybody:
        return m("subdivisions.people", n=card.people)
    return m("subdivisions.people_all", n=card.everybody, own=card.people)


def narrowed(there: Sequence[SubdivisionCard], find: str) -> tuple[SubdivisionCard, ...]:
    """Those in whose name each word begins a word; all of them where nothing is looked for, or nothing found."""
    words = fold(find).split()
    hits = tuple(
        each
        for each in there
        if all(any(part.startswith(word) for part in fold(each.name).split()) for word in words)
    )
    return hits or tuple(there)


# -- what is looked at ----------------------------------------------------------------------------


@dataclass(frozen=True)
class SeeStep(Step):
    """What to look at: `{"page": n, "find": text}` of the tree, or `{"ward": id}`."""

    def screen(self, asking: Asking) -> Screen:
        return Screen()

    def accept(self, asking: Asking, said: Said) -> Verdict:
        there = seen_in(asking.ctx, asking.answers["entity"], asking.answers["quality"])
        shown: dict[str, Any] = asking.proposal if isinstance(asking.proposal, dict) else {}
        match said:
            case Pick("page", value) if value.isdecimal() and len(value) < 6:
                return Accepted({"page": int(value), "find": shown.get("find", "")})
            case Pick("all"):
                return Accepted({"page": 0, "find": ""})
            case Pick("ward", value) if any(each.id == value for each in there):
                return Accepted({"ward": value})
            case Pick():
                return Rejected(GONE)
            case Text(text):
                return self._typed(there, narrowed(there, shown.get("find", "")), text)

    @staticmethod
    def _typed(there: Sequence[SubdivisionCard], listed: Sequence[SubdivisionCard], text: str) -> Verdict:
        for some in (listed, there):
            found = match(text, [(each.name,) for each in some])
            if found.sure:
                return Accepted({"ward": some[found.places[0]].id})
        text = " ".join(text.split())[:LONGEST]
        if len(narrowed(there, text)) == len(there):
            return Rejected(m("subdivisions.nothing", said=text))
        return Accepted({"page": 0, "find": text})

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def page(ctx: Context, answers: Answers) -> Page:
    """The tree, or one subdivision of it."""
    there = seen_in(ctx, answers["entity"], answers["quality"])
    see = answers["see"]
    chosen = next((each for each in there if each.id == see.get("ward")), None)
    return card_page(ctx, chosen, there) if chosen else tree_page(ctx, answers, there)


def tree_page(ctx: Context, answers: Answers, there: Sequence[SubdivisionCard]) -> Page:
    """Some at a time, each with its users and managers, and a button."""
    entity, quality, find = answers["entity"], answers["quality"], answers["see"].get("find", "")
    listed = narrowed(there, find)
    shown, at, pages = paged(list(enumerate(listed, 1)), answers["see"].get("page", 0))
    leaders = led_by(ctx, entity) if shown else {}
    body: list[Say] = [m("subdivisions.count", n=len(there)) if there else m("subdivisions.empty")]
    if find:
        body.append(m("subdivisions.found", n=len(listed), what=find))
    elif pages > 1:
        body.append(m("subdivisions.how"))
    body += [line(number, each, leaders.get(each.id, ())) for number, each in shown]
    rows: list[Row] = [(press(f"{number} · {each.name}", "ward", each.id),) for number, each in shown]
    rows += page_row(at, pages)
    if find:
        rows.append((press(m("search.all"), "all"),))
    if quality in ctx.directory.roots(entity):
        rows.append((press(m("subnew.title"), "open", f"{NEW}:{quality}", mark="➕"),))
    rows.append((press(m("users.title"), "open", f"users:{entity}", mark="👥"),))
    return Page(tuple(body), rows=(*rows, HOME_ROW))


def line(number: int, card: SubdivisionCard, leaders: Sequence[ManagerRef]) -> Msg:
    """One line of the tree: further in, the deeper it hangs."""
    name = f"{'↳ ' * card.depth}{card.name}"
    said = m("subdivisions.line", number=str(number), name=name, people=people_in(card))
    return m("subdivisions.led", line=said, who=tuple(map(named, leaders))) if leaders else said


def card_page(ctx: Context, card: SubdivisionCard, there: Sequence[SubdivisionCard]) -> Page:
    """All about one, and what the actor may do about it."""
    leaders = led_by(ctx, card.entity).get(card.id, [])
    room = ctx.directory.quality(card.quality)
    parts = [each for each in there if each.parent == card.id]
    facts: list[tuple[Say, Say]] = [(m("field.subdivision"), card.path)]
    if room:
        facts.append((quality_word(ctx, card.entity), ctx.catalogue.quality(room.key).label))
    facts.append((m("users.title"), people_in(card)))
    if leaders:
        facts.append((m("managers.title"), m("step.list", what=tuple(map(named, leaders)))))
    rows: list[Row] = [(press(m("subdivisions.users"), "open", f"users:{card.id}", mark="👥"),)]
    rows += [(press(f"↳ {each.name}", "ward", each.id),) for each in parts[:PAGE_SIZE]]
    if len(parts) > PAGE_SIZE:
        facts.append((m("subdivisions.below"), m("subdivisions.count", n=len(parts))))
    after: tuple[Say, ...] = ()
    if card.changeable:
        rows += act_rows(ctx, card, there)
        if any(each.oneself for each in over(ctx, card, there)):
            after = (m("subdivisions.own"),)
    rows.append((press(m("subdivisions.all"), "all"),))
    return Page((), tuple(facts), after, (*rows, HOME_ROW))


def over(ctx: Context, card: SubdivisionCard, there: Sequence[SubdivisionCard]) -> list[ManagerRef]:
    """Who manages it, or something that hangs on it."""
    leaders = led_by(ctx, card.entity)
    return [each for ward in (card, *inside(there, card.id)) for each in leaders.get(ward.id, ())]


def act_rows(ctx: Context, card: SubdivisionCard, there: Sequence[SubdivisionCard]) -> list[Row]:
    """What may be done about it."""
    rows: list[Row] = []
    if card.path.count(" › ") + 1 < DEEPEST:
        rows.append((press(m("subdivisions.new_below"), "open", f"{NEW}:{card.id}", mark="➕"),))
    rename = press(m("subdivisions.rename"), "open", f"{RENAME}:{card.id}", mark="✏")
    if may_rise(ctx, card, there):
        rows.append((rename, press(m("subdivisions.move"), "open", f"{MOVE}:{card.id}", mark="↳")))
    else:
        rows.append((rename,))
    if not any(each.oneself for each in over(ctx, card, there)):
        rows.append((press(m("subdivisions.close"), "open", f"{CLOSE}:{card.id}", mark="✖"),))
    return rows


def known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The subdivision, the quality or the entity that a button names; else where one works."""
    word = args.strip()
    if word and (card := ctx.directory.subdivision(word)):
        return {"entity": card.entity, "quality": card.quality, "see": {"ward": card.id}}
    if word and (room := ctx.directory.quality(word)):
        return {"entity": room.entity, "quality": room.id}
    entity = word or memory.get("entity")
    if not entity or ctx.directory.entity(entity) is None:
        return {}
    quality = memory.get("quality")
    rooms = {option.id for option in quality_options(ctx, entity, LOOK)}
    return {"entity": entity, "quality": quality} if quality in rooms else {"entity": entity}


SUBDIVISIONS = Flow(
    key=KEY,
    icon="🗂",
    title=m("subdivisions.title"),
    steps=(
        entity_step(LOOK),
        quality_step(LOOK),
        SeeStep(
            "see",
            ask=m("subdivisions.title"),
            label=m("subdivisions.title"),
            after=frozenset({"entity", "quality"}),
            proposes=lambda _, __: {"page": 0, "find": ""},
            stands=True,
        ),
    ),
    page=page,
    prefill=known,
    subject=entity_name,
    retype="see",
)

"""A subdivision made, renamed or hung elsewhere: dialogues that begin on its card, or by their command. Pure.

Which subdivision, is answered with what the manager saw of it, so that the register can tell him what changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.access.names import fold, parse_place
from bot.access.requests import DEEPEST, CreateSubdivision, Done, MoveSubdivision, RenameSubdivision, Request
from bot.conversations.flow import Accepted, Asking, Flow, Rejected, Said, Screen, Step, Verdict
from bot.conversations.model import Answers, Button, Door, Json, Row, View
from bot.conversations.place import entity_name, entity_step, quality_options, quality_step, worked_in
from bot.conversations.ports import Context, SubdivisionCard
from bot.conversations.receipts import WAY_HOME, to_portal
from bot.conversations.searching import SearchChoice
from bot.conversations.steps import Ask, Option
from bot.conversations.subdivisions import (
    ACT,
    KEY,
    MOVE,
    NEW,
    RENAME,
    inside,
    may_rise,
    over,
    people_in,
    seen_in,
)
from bot.errors import Invalid
from bot.msg import Msg, Say, m

TOP = "-"
"""Below none, or into none."""
Cards = Callable[[Context, Answers], Sequence[SubdivisionCard]]
Submit = Callable[[Context, Answers], Request]
Receipt = Callable[[Context, Answers, Done], View]


def changeable(ctx: Context, answers: Answers) -> Sequence[SubdivisionCard]:
    """The subdivisions of the entity that the actor may change."""
    return [each for each in ctx.directory.branches(answers["entity"]) if each.changeable]


def movable(ctx: Context, answers: Answers) -> Sequence[SubdivisionCard]:
    """Those of which he decides where they hang."""
    there = changeable(ctx, answers)
    return [each for each in there if may_rise(ctx, each, there)]


def option_of(card: SubdivisionCard) -> Option:
    """One to choose, by its whole path."""
    line = m("subdivisions.option", name=card.path, people=people_in(card))
    return Option(card.id, card.path, line, words=(card.name,))


def card_of(ctx: Context, answers: Answers) -> SubdivisionCard | None:
    """The subdivision chosen, as it is now."""
    chosen = answers.get("ward")
    return ctx.directory.subdivision(chosen["id"]) if isinstance(chosen, dict) else None


def seen(ctx: Context, card: SubdivisionCard) -> dict[str, Json]:
    """What the manager sees of it, to be compared when he confirms."""
    there = seen_in(ctx, card.entity, card.quality)
    return {
        "id": card.id,
        "v": card.version,
        "people": card.everybody,
        "parts": sorted(each.id for each in inside(there, card.id)),
        "mandates": sorted(each.id for each in over(ctx, card, there)),
    }


@dataclass(frozen=True)
class WardStep(SearchChoice):
    """A subdivision, with what is seen of it; `exact` where the number of its users, its parts and its managers decide."""

    exact: bool = False

    @staticmethod
    def _plain(asking: Asking) -> Asking:
        chosen = asking.proposal
        return replace(asking, proposal=chosen["id"]) if isinstance(chosen, dict) else asking

    def screen(self, asking: Asking) -> Screen:
        return super().screen(self._plain(asking))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(self._plain(asking), said)
        if not isinstance(verdict, Accepted):
            return verdict
        card = asking.ctx.directory.subdivision(verdict.value)
        assert card
        if stop := self.refused(asking.ctx, card):
            return Rejected(stop)
        return replace(verdict, value=seen(asking.ctx, card))

    def refused(self, ctx: Context, card: SubdivisionCard) -> Msg | None:
        """Why this one cannot be taken."""
        return None

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return super().reads(asking, value["id"])

    def holds(self, asking: Asking, value: Json) -> bool:
        card = asking.ctx.directory.subdivision(value["id"])
        if card is None or not super().holds(asking, card.id):
            return False
        return not self.exact or (seen(asking.ctx, card) == value and not self.refused(asking.ctx, card))


def ward_step(step: type[WardStep], cards: Cards, *, exact: bool = False) -> WardStep:
    """Asks for the subdivision, by its path."""
    return step(
        "ward",
        ask=m("subdivisions.ask"),
        label=m("field.subdivision"),
        options=lambda ctx, answers: [option_of(each) for each in cards(ctx, answers)],
        after=frozenset({"entity"}),
        none=m("subdivisions.none"),
        exact=exact,
    )


def chosen(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """The subdivision that a button names; else the entity worked in."""
    card = ctx.directory.subdivision(args.strip()) if args.strip() else None
    if card:
        return {"entity": card.entity, "ward": seen(ctx, card)}
    return worked_in(memory)


def rebased(answers: Answers, version: int) -> Answers:
    """The same subdivision, as it is now."""
    return {**answers, "ward": {**answers["ward"], "v": version}}


def staying(ctx: Context, answers: Answers, done: Done, title: Msg, said: Msg, *more: Row) -> View:
    """A receipt: what was recorded, what is still to do on the portal, and the way back to the tree."""
    change = ctx.directory.change(done.number)
    body: list[Say] = [said, m("users.number", number=done.number)]
    rows: list[Row] = []
    if change is not None and change.state == "to_do":
        body.append(m("subdivisions.portal"))
        rows.append((to_portal(done.number),))
    place = answers.get("quality") or (change.quality if change else "") or answers["entity"]
    rows += [*more, (Button(m("subdivisions.title"), Door(KEY, place), "🗂"),)]
    return View(
        mark="✔", title=title, subject=entity_name(ctx, answers), body=tuple(body), rows=(*rows, WAY_HOME)
    )


def ward_flow(key: str, title: Msg, steps: tuple[Step, ...], *, submit: Submit, receipt: Receipt) -> Flow:
    """A dialogue about one subdivision: first which, the rest is its own."""
    return Flow(
        key=key,
        icon="🗂",
        title=title,
        steps=(entity_step(ACT, none=m("subdivisions.no_entity")), *steps),
        submit=submit,
        prefill=chosen,
        subject=entity_name,
        receipt=receipt,
        rebase=rebased,
        restarts=True,
        needs=ACT,
        meanwhile=m("subdivisions.meanwhile"),
    )


# -- names ----------------------------------------------------------------------------------------


def free_name(there: Sequence[SubdivisionCard], text: str, own: str = "") -> str:
    """The name in its normal form. Raises Invalid, also where another one reads the same."""
    name = parse_place(text)
    for each in there:
        if each.id == own and each.name == name:
            raise Invalid(m("act.ward.same"))
        if each.id != own and fold(each.name) == fold(name):
            raise Invalid(m("act.ward.taken", name=each.name))
    return name


# -- a new one ------------------------------------------------------------------------------------


def above(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Below none, or below each that is not too deep."""
    entity, quality = answers["entity"], answers["quality"]
    top = [Option(TOP, m("subdivisions.top"))] if quality in ctx.directory.roots(entity) else []
    there = seen_in(ctx, entity, quality)
    fits = [each for each in there if each.changeable and each.path.count(" › ") + 1 < DEEPEST]
    return [*top, *map(option_of, fits)]


def new_known(ctx: Context, memory: Mapping[str, str], args: str) -> Answers:
    """Where a button begins: at a subdivision to hang it on, or a quality."""
    word = args.strip()
    if word and (card := ctx.directory.subdivision(word)):
        return {"entity": card.entity, "quality": card.quality, "within": card.id}
    if word and (room := ctx.directory.quality(word)):
        return {"entity": room.entity, "quality": room.id}
    entity, quality = memory.get("entity"), memory.get("quality")
    found = {"entity": entity} if entity else {}
    rooms = {option.id for option in quality_options(ctx, entity, ACT)} if entity else set()
    return {**found, "quality": quality} if quality in rooms else found


def made(ctx: Context, answers: Answers, done: Done) -> View:
    """That it is there, and another one beside it."""
    within = answers["within"]
    again = Door(NEW, answers["quality"] if within == TOP else within)
    said = m("subnew.done", name=answers["name"])
    return staying(ctx, answers, done, m("subnew.title"), said, (Button(m("subnew.again"), again, "➕"),))


NEW_FLOW = Flow(
    key=NEW,
    icon="🗂",
    title=m("subnew.title"),
    steps=(
        entity_step(ACT, none=m("subdivisions.no_entity")),
        quality_step(ACT),
        SearchChoice(
            "within",
            ask=m("subnew.ask_within"),
            label=m("subdivisions.above"),
            options=above,
            after=frozenset({"entity", "quality"}),
            proposes=lambda ctx, answers: (
                next((option.id for option in above(ctx, answers)), None) if "quality" in answers else None
            ),
            stands=True,
            none=m("subdivisions.none"),
        ),
        Ask(
            "name",
            ask=m("subnew.ask_name"),
            label=m("subdivisions.name"),
            parse=lambda ctx, answers, text: free_name(
                seen_in(ctx, answers["entity"], answers["quality"]), text
            ),
            after=frozenset({"entity", "quality"}),
        ),
    ),
    submit=lambda _, answers: CreateSubdivision(
        answers["quality"], answers["name"], None if answers["within"] == TOP else answers["within"]
    ),
    prefill=new_known,
    subject=entity_name,
    receipt=made,
    restarts=True,
    needs=ACT,
)


# -- another name ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class NameStep(Ask):
    """The new name, asked with the old one."""

    def question(self, asking: Asking) -> Msg:
        card = card_of(asking.ctx, asking.answers)
        return m("subname.ask", name=card.name) if card else self.ask


def new_name(ctx: Context, answers: Answers, text: str) -> str:
    """A name that no other one has."""
    card = card_of(ctx, answers)
    return free_name(seen_in(ctx, card.entity, card.quality), text, card.id) if card else parse_place(text)


def renamed(ctx: Context, answers: Answers, done: Done) -> View:
    """Under which name it stands from now on."""
    return staying(ctx, answers, done, m("subname.title"), m("subname.done", name=answers["name"]))


RENAME_FLOW = ward_flow(
    RENAME,
    m("subname.title"),
    (
        ward_step(WardStep, changeable),
        NameStep(
            "name",
            ask=m("subnew.ask_name"),
            label=m("subname.name"),
            parse=new_name,
            after=frozenset({"entity", "ward"}),
        ),
    ),
    submit=lambda _, answers: RenameSubdivision(answers["ward"]["id"], answers["ward"]["v"], answers["name"]),
    receipt=renamed,
)


# -- another place --------------------------------------------------------------------------------


def places(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Below none, or below each that does not hang on it, as far as that is not too deep."""
    card = card_of(ctx, answers)
    if card is None:
        return []
    there = seen_in(ctx, card.entity, card.quality)
    below = inside(there, card.id)
    height = max([each.depth for each in below], default=card.depth) - card.depth + 1
    own = {card.id, card.parent, *(each.id for each in below)}
    fits = [
        each
        for each in there
        if each.changeable and each.id not in own and each.path.count(" › ") + 1 + height <= DEEPEST
    ]
    rises = card.parent and card.quality in ctx.directory.roots(card.entity)
    return [*([Option(TOP, m("subdivisions.top"))] if rises else []), *map(option_of, fits)]


@dataclass(frozen=True)
class MovedStep(WardStep):
    """The subdivision to hang elsewhere, with its users in the recap."""

    def reads(self, asking: Asking, value: Json) -> Say | None:
        card = asking.ctx.directory.subdivision(value["id"])
        people = m("subdivisions.people", n=value["people"])
        return m("subdivisions.option", name=card.path, people=people) if card else None


def moved(ctx: Context, answers: Answers, done: Done) -> View:
    """Where it hangs from now on."""
    card = card_of(ctx, answers)
    return staying(ctx, answers, done, m("submove.title"), m("submove.done", name=card.path if card else ""))


MOVE_FLOW = ward_flow(
    MOVE,
    m("submove.title"),
    (
        ward_step(MovedStep, movable, exact=True),
        SearchChoice(
            "within",
            ask=m("submove.ask"),
            label=m("subdivisions.above"),
            options=places,
            after=frozenset({"entity", "ward"}),
            none=m("submove.nowhere"),
        ),
    ),
    submit=lambda _, answers: MoveSubdivision(
        answers["ward"]["id"],
        answers["ward"]["v"],
        None if answers["within"] == TOP else answers["within"],
        answers["ward"]["people"],
    ),
    receipt=moved,
)

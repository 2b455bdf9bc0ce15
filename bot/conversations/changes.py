"""What can be changed of what a person has: another end, something given again, one more function, the account. Pure.

One question, *do*, above everything that the person has and had, with dates. Its answer is the opaque id of what is to end
on another day, `AGAIN` before the id of what has ended, or one of `SEVERAL`, `FUNCTION` and `FREE`. What of the further
questions concerns whom, the answer alone tells (`way`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.access import ground
from bot.access.catalogue import Profession
from bot.access.ground import APPLICATION, Thing
from bot.conversations import assigning, functions, holding
from bot.conversations.changing import replace
from bot.conversations.flow import Accepted, Asking, Said, Screen, Step, Verdict, press
from bot.conversations.grant import application_option
from bot.conversations.holding import called, id_of, short, spans
from bot.conversations.matching import match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.named import known_person
from bot.conversations.place import may
from bot.conversations.ports import Context, Holding, PersonCard
from bot.conversations.steps import GONE, Choice, Day, Option, numbered, readings, tuple_of
from bot.conversations.wording import holding_line
from bot.msg import Say, m

SEVERAL, FUNCTION, FREE, AGAIN = "several", "function", "free", "r"
END, ASSIGN, GRANT, REACTIVATE = "end", "assign", "grant", "reactivate"
"""The ways on: another end or none at all, a function, an application that has ended, the account."""
FORMER = 4
"""So much of what has ended is offered to be given again: what ended last."""
MAY_ASSIGN = "assign_function"
MARKS = {SEVERAL: "☐", FUNCTION: "➕", FREE: "🔓"}


def way(answers: Answers) -> str:
    """Which of the ways the answer to *do* leads; empty while there is none."""
    do = answers.get("do", "")
    if do == FREE:
        return REACTIVATE
    if do == FUNCTION or do.startswith(f"{AGAIN}{ground.FUNCTION[0]}"):
        return ASSIGN
    if do.startswith(AGAIN):
        return GRANT
    return END if do else ""


# -- what the person has, and had -----------------------------------------------------------------


def present(ctx: Context, card: PersonCard) -> Mapping[str, Thing]:
    """What can end on another day, by its id."""
    return holding.ids(card, ctx, MAY_ASSIGN)


def former(ctx: Context, card: PersonCard) -> Mapping[str, Thing]:
    """What has ended and can be given again, by its id; of a blocked account nothing."""
    ended = [each for each in card.holdings if each.state == "ended"]
    room = ctx.directory.quality(card.ref.quality) if ended else None
    if room is None or not room.active or card.ref.status != "active":
        return {}
    held = {(each.kind, each.key) for each in holding.live(card)}
    offered: set[Thing] = {(APPLICATION, each.key) for each in ctx.catalogue.applications_of(room.key)}
    offered |= {(ground.FUNCTION, key) for key in _assignable(ctx, card)}
    ended.sort(key=lambda each: each.ends_on or each.starts_on, reverse=True)
    things = dict.fromkeys((each.kind, each.key) for each in ended)
    again = [thing for thing in things if thing in offered and thing not in held][:FORMER]
    return {f"{AGAIN}{id_of(thing)}": thing for thing in again}


def _assignable(ctx: Context, card: PersonCard) -> list[str]:
    """The functions that the actor may give this person."""
    if card.ref.status != "active" or not may(ctx, card, MAY_ASSIGN):
        return []
    return [each.key for each in assigning.possible(ctx, card)]


def doings(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Everything that can be done, as buttons; what there is and was with its state and its dates."""
    card = known_person(ctx, answers)
    if card is None:
        return []
    now = present(ctx, card)
    found = [
        Option(key, short(ctx, thing), _dates(ctx, card, thing), (thing[1],))
        for key, thing in {**now, **former(ctx, card)}.items()
    ]
    if len(now) > 1:
        found.append(Option(SEVERAL, m("change.several")))
    if _assignable(ctx, card):
        found.append(Option(FUNCTION, m("assign.title")))
    if card.ref.status == "blocked" and may(ctx, card, "block_user"):
        found.append(Option(FREE, m("person.reactivate")))
    return found


def _dates(ctx: Context, card: PersonCard, thing: Thing) -> Say:
    mine = [each for each in card.holdings if (each.kind, each.key) == thing]
    current = [each for each in mine if each.state != "ended"]
    return tuple_of([holding_line(ctx, each) for each in current or [_last(mine)]])


def _last(held: Sequence[Holding]) -> Holding:
    return max(held, key=lambda each: each.ends_on or each.starts_on)


def _state(ctx: Context, card: PersonCard) -> list[Say]:
    """What is to be known of the account: that it holds nothing, is blocked, or lacks a function."""
    said: list[Say] = [] if holding.live(card) else [m("ending.holds_nothing")]
    if card.ref.status == "blocked":
        said.append(m("change.blocked"))
    labels = {each.key: each.label for each in ctx.catalogue.functions}
    for key in ground.groundless(ctx.catalogue, card.ref.profession or None, spans(card), ctx.today):
        needed = tuple(labels[each] for each in ctx.catalogue.application(key).functions)
        said.append(m("change.lacks", name=called(ctx, (APPLICATION, key)), what=needed))
    return said


# -- the question ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class DoStep(Choice):
    """What to change. Where there is one thing only, a day that is typed is its new last day; `day` is the step that reads it."""

    day: Day

    def screen(self, asking: Asking) -> Screen:
        options, card = self.listed(asking), known_person(asking.ctx, asking.answers)
        if card is None:
            return Screen((GONE,))
        now, past = present(asking.ctx, card), former(asking.ctx, card)
        marks = {**dict.fromkeys(now, "📅"), **dict.fromkeys(past, "🔁"), **MARKS}
        rows: list[Row] = [
            (press(each.label, "a", each.id, mark="✔" if each.id == asking.proposal else marks[each.id]),)
            for each in options
        ]
        how = [m("change.how_end")] if now else []
        how += [m("change.how_again")] if past else []
        if not options and self.none:
            how.append(self.none)
        return Screen((*_state(asking.ctx, card), *numbered(options), *how), tuple(rows))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        if isinstance(said, Text) and (day := self._typed_day(asking, said)):
            return day
        return super().accept(asking, said)

    def _typed_day(self, asking: Asking, said: Text) -> Verdict | None:
        words = said.text.strip().rstrip(".")
        if words.isdecimal() or not any(sign.isdecimal() for sign in words):
            return None
        card = known_person(asking.ctx, asking.answers)
        things = present(asking.ctx, card) if card else {}
        if len(things) != 1 or match(words, readings(asking, self.listed(asking))).sure:
            return None
        [only] = things
        chosen = {**asking.answers, "do": only, "what": [only]}
        verdict = self.day.accept(replace(asking, answers=chosen), said)
        if isinstance(verdict, Accepted):
            return Accepted(only, also={self.day.key: verdict.value}, notes=verdict.notes)
        return verdict

    def reads(self, asking: Asking, value: Json) -> Say | None:
        """In the recap: what becomes of what."""
        card = known_person(asking.ctx, asking.answers)
        things = {**present(asking.ctx, card), **former(asking.ctx, card)} if card else {}
        if (thing := things.get(value)) is None:
            return super().reads(asking, value)
        name = called(asking.ctx, thing)
        return m("change.reads_again" if value.startswith(AGAIN) else "change.reads_end", name=name)


# -- what the answer to it says already -----------------------------------------------------------


@dataclass(frozen=True)
class Tapped(Step):
    """Beside a step that proposes what was tapped: that is not read out twice, and another answer must hold it."""

    def reads(self, asking: Asking, value: Json) -> Say | None:
        own = self.propose(asking.ctx, asking.answers)
        return None if own is not None and value == own else super().reads(asking, value)

    def holds(self, asking: Asking, value: Json) -> bool:
        own = self.propose(asking.ctx, asking.answers)
        has_it = own is None or (set(own) <= set(value) if isinstance(own, list) else own == value)
        return has_it and super().holds(asking, value)


def what(ctx: Context, answers: Answers) -> Json:
    """The one thing that was tapped."""
    card, do = known_person(ctx, answers), answers.get("do")
    return [do] if card and do in present(ctx, card) else None


def applications(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The applications that can be given again."""
    card = known_person(ctx, answers)
    keys = [key for kind, key in former(ctx, card).values() if kind == APPLICATION] if card else []
    return [application_option(ctx.catalogue.application(key)) for key in keys]


def application(ctx: Context, answers: Answers) -> Json:
    """The application that was tapped, to be given again."""
    thing = _again(ctx, answers)
    return [thing[1]] if thing else None


def function(ctx: Context, answers: Answers) -> Json:
    """The function that was tapped, to be given again."""
    thing = _again(ctx, answers)
    return functions.ref(thing[1]) if thing else None


def _again(ctx: Context, answers: Answers) -> Thing | None:
    card = known_person(ctx, answers)
    return former(ctx, card).get(answers.get("do", "")) if card else None


def profession(ctx: Context, answers: Answers) -> Json:
    """What the register knows; of a collaborator the kind that he was, too."""
    card = known_person(ctx, answers)
    if card is None:
        return None
    mine = [each for each in card.holdings if each.kind == ground.FUNCTION]
    held = [each.key for each in mine if each.state != "ended"]
    return Profession.of(card.ref.profession or None, held or [_last(mine).key] if mine else [])

"""What is still to do on the portal: the list of visits, and the checklist of one visit. Pure.

One visit goes through a quality's people by name, one person a page, and ticks off the changes one by one or all at once;
a receipt's button opens the checklist of its change alone. Before *Fait* no text says that anybody has access.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from bot.access.periods import begins_later, brussels_day
from bot.access.requests import Done, MarkDone
from bot.conversations import checklist
from bot.conversations.flow import (
    Accepted,
    Asking,
    Flow,
    Pick,
    Rejected,
    Said,
    Screen,
    Shown,
    Step,
    Verdict,
    press,
)
from bot.conversations.model import Answers, App, Button, CopyText, Door, Json, Row, Text, View
from bot.conversations.people import found
from bot.conversations.ports import Context, Sheet, Visit
from bot.conversations.receipts import WAY_HOME, to_status
from bot.conversations.searching import SearchChoice
from bot.conversations.steps import GONE, Option, one_after_another, page_of, page_row, turned
from bot.msg import Msg, Say, m

ACT = "hand_over"
ALL, SURE = "all", "sure"
NUMBER = re.compile(r"\d{4}-\d{6}")
"""A change's number, which is a visit of its own."""


# -- which visit ----------------------------------------------------------------------------------


def quality_of(ctx: Context, visit: Visit) -> Say:
    """The quality of a visit in the portal's words; a visit to the entity as a whole is about its managers."""
    key = visit.quality.key if visit.quality else ""
    return next((each.label for each in ctx.catalogue.qualities if each.key == key), m("portal.managers"))


def visit_options(ctx: Context, _: Answers) -> Sequence[Option]:
    """The visits that there are to make, each with what it would do."""
    return [
        Option(
            visit.id,
            m("portal.visit", name=visit.entity.name, count=visit.changes),
            m(
                "portal.visit_line" if visit.people else "portal.visit_place",
                name=visit.entity.name,
                quality=quality_of(ctx, visit),
                changes=m("portal.changes", n=visit.changes),
                **({"people": found(visit.people)} if visit.people else {}),
            ),
        )
        for visit in ctx.directory.visits()
    ]


def only_visit(ctx: Context, _: Answers) -> Json:
    """Nobody is asked where there is one."""
    visits = ctx.directory.visits()
    return visits[0].id if len(visits) == 1 else None


def sheets_of(ctx: Context, visit: Json) -> tuple[Sheet, ...]:
    """What is to do in a visit, or of a single change by its number."""
    if not isinstance(visit, str):
        return ()
    if not NUMBER.fullmatch(visit):
        return ctx.directory.visit(visit)
    sheet = ctx.directory.sheet(visit)
    return (sheet,) if sheet and checklist.items_of([sheet]) else ()


@dataclass(frozen=True)
class VisitStep(SearchChoice):
    """A visit to the portal, or the number of a change, which is a visit of its own."""

    def accept(self, asking: Asking, said: Said) -> Verdict:
        if isinstance(said, Text) and asking.ctx.directory.sheet(said.text.strip()):
            return Accepted(said.text.strip())
        return super().accept(asking, said)

    def holds(self, asking: Asking, value: Json) -> bool:
        return isinstance(value, str) and (
            asking.ctx.directory.sheet(value) is not None or super().holds(asking, value)
        )


# -- the checklist --------------------------------------------------------------------------------


def by_person(sheets: Sequence[Sheet]) -> list[list[Sheet]]:
    """The changes of each person together."""
    return [list(group) for _, group in groupby(sheets, key=lambda sheet: sheet.who)]


@dataclass(frozen=True)
class ChecklistStep(Step):
    """The portal's screens, one person a page. The answer is the list of the numbers that are done."""

    def screen(self, asking: Asking) -> Screen:
        sheets = sheets_of(asking.ctx, asking.answers["visit"])
        if not sheets:
            return Screen((m("portal.nothing_to_do"),))
        people, ready = by_person(sheets), _ready(asking.ctx, sheets)
        if ready and asking.ui.get("sure") == len(ready):
            return _sure(ready)
        page = page_of(asking.ui.get("page", 0), len(people))
        body = _person_body(asking.ctx, people[page], first=page == 0, last=page == len(people) - 1)
        rows = (
            *_private(asking.ctx, people[page]),
            *_copies(people[page]),
            *self._ticks(asking, sheets, people[page]),
        )
        return Screen(body, (*rows, *page_row(page, len(people))))

    def _ticks(self, asking: Asking, sheets: Sequence[Sheet], shown: Sequence[Sheet]) -> tuple[Row, ...]:
        made = tuple((press(m("portal.made"), "made", number, mark="✔"),) for number in _creations(shown))
        if len(sheets) == 1:
            if checklist.waits_for(sheets[0], asking.ctx.today):
                return made
            return ((press(m("portal.done_button"), "a", "done", mark="✔"),),)
        ticked = self._ticked(asking, sheets)
        rows: list[Row] = [
            (
                press(
                    number, "off" if number in ticked else "on", number, mark="☑" if number in ticked else "☐"
                ),
            )
            for number in (
                sheet.change.number for sheet in shown if not checklist.waits_for(sheet, asking.ctx.today)
            )
        ]
        rows = [*made, *rows]
        if all(checklist.waits_for(sheet, asking.ctx.today) for sheet in sheets):
            return tuple(rows)
        rows.append((press(m("portal.done_ticked"), "next", mark="✔"),))
        every = m("portal.all_done", count=len(_ready(asking.ctx, sheets)))
        return (*rows, (press(every, "a", ALL, mark="✔"),))

    @staticmethod
    def _ticked(asking: Asking, sheets: Sequence[Sheet]) -> list[str]:
        ticks = asking.ui.get("ticks") or []
        return [sheet.change.number for sheet in sheets if sheet.change.number in ticks]

    def accept(self, asking: Asking, said: Said) -> Verdict:
        found = sheets_of(asking.ctx, asking.answers["visit"])
        sheets = _ready(asking.ctx, found)
        meant = said.text.strip() if isinstance(said, Text) else said.value
        turns = isinstance(said, Pick) and turned(said) is not None
        if (made := self._made(asking, found, said)) is not None:
            return made
        for sheet in found if not turns else ():
            why = checklist.waits_for(sheet, asking.ctx.today)
            if why and (meant == sheet.change.number or not sheets):
                return Rejected(why)
        numbers = [sheet.change.number for sheet in sheets]
        ticked = self._ticked(asking, sheets)
        match said:
            case Pick("a", "done") if len(numbers) == 1:
                return Accepted(numbers)
            case Pick("a", value) if numbers and value == ALL:
                return _all(found, numbers)
            case Pick("a", value) if numbers and value == SURE:
                return Accepted(numbers) if asking.ui.get("sure") == len(numbers) else _all(found, numbers)
            case Pick("steps"):
                return Shown({"sure": 0})
            case Pick("on", value) if value in numbers:
                return Shown({"ticks": [*(each for each in ticked if each != value), value]})
            case Pick("off", value) if value in numbers:
                return Shown({"ticks": [each for each in ticked if each != value]})
            case Pick("next") if len(numbers) > 1:
                return Accepted(ticked) if ticked else Rejected(m("portal.tick_first"))
            case Pick():
                return turned(said) or Rejected(GONE)
            case Text(text):
                return self._typed(asking, found, numbers, text)

    @staticmethod
    def _made(asking: Asking, sheets: Sequence[Sheet], said: Said) -> Verdict | None:
        """Somebody who is blocked here was created there all the same: that is done, and his block is to do from now on."""
        parked = _creations(sheets)
        match said:
            case Pick("made", value):
                return Accepted([value]) if value in parked else Rejected(GONE)
            case Text(text) if len(parked) == 1:
                labels = {label.casefold() for label in asking.ctx.reader.labels(m("portal.made"))}
                return Accepted(parked) if text.strip().casefold() in labels else None
        return None

    @staticmethod
    def _typed(asking: Asking, sheets: Sequence[Sheet], numbers: list[str], text: str) -> Verdict:
        """A number ticks its change; the labels of the buttons do what the buttons do."""
        said, count = text.strip().casefold(), len(numbers)
        one, every, sure = (
            {label.casefold() for label in asking.ctx.reader.labels(msg)}
            for msg in (
                m("portal.done_button"),
                m("portal.all_done", count=count),
                m("portal.sure_yes", count=count),
            )
        )
        if numbers and asking.ui.get("sure") == count and said in sure:
            return Accepted(numbers)
        if numbers and said in every | {label.removesuffix(f" ({count})") for label in every}:
            return _all(sheets, numbers)
        if said in one and count == 1:
            return Accepted(numbers)
        ticked = ChecklistStep._ticked(asking, sheets)
        if len(numbers) > 1 and text.strip() in numbers:
            return Shown({"ticks": [*(each for each in ticked if each != text.strip()), text.strip()]})
        return Rejected(m("portal.how") if numbers else GONE)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return None


def _creations(sheets: Sequence[Sheet]) -> list[str]:
    """The changes by which somebody is to be created who is blocked meanwhile."""
    return [
        sheet.change.number
        for sheet in sheets
        if sheet.parked and any(item.kind == "create-user" for item in sheet.change.items)
    ]


def _ready(ctx: Context, sheets: Sequence[Sheet]) -> list[Sheet]:
    """The changes that can be done today."""
    return [sheet for sheet in sheets if not checklist.waits_for(sheet, ctx.today)]


def _all(sheets: Sequence[Sheet], numbers: list[str]) -> Verdict:
    """All of it is done; where not all of it stands on the page that is shown, that is asked once."""
    return Accepted(numbers) if len(by_person(sheets)) == 1 else Shown({"sure": len(numbers)})


def _sure(ready: Sequence[Sheet]) -> Screen:
    people = {sheet.who for sheet in ready}
    asked = m(
        "portal.sure", changes=m("portal.changes", n=len(ready)), people=m("portal.people", n=len(people))
    )
    yes = press(m("portal.sure_yes", count=len(ready)), "a", SURE, mark="✔")
    return Screen((asked,), ((yes,), (press(m("portal.sure_no"), "steps", mark="↩"),)))


def _person_body(ctx: Context, sheets: Sequence[Sheet], *, first: bool, last: bool) -> tuple[Say, ...]:
    """The way in on the first page, then whom it is about, what to do, what to leave out."""
    body: list[Say] = list(checklist.way_in(sheets[0], ctx.catalogue)) if first else []
    name: Say = sheets[0].change.person or f"{sheets[0].last_name} {sheets[0].first_name}".strip()
    name = name or next((q.label for q in ctx.catalogue.qualities if q.key == sheets[0].quality_key), "")
    numbers = tuple(sheet.change.number for sheet in sheets)
    body.append(m("portal.person", name=name, numbers=numbers))
    body += [
        m("portal.problem", number=s.change.number, why=m(f"verify.problem.{s.change.problem}"))
        for s in sheets
        if s.change.problem
    ]
    body += checklist.steps(sheets, ctx.catalogue)
    waiting = [(s, checklist.waits_for(s, ctx.today)) for s in sheets]
    body += [why for s, why in waiting if why and not s.parked]
    evening = [s for s in sheets if not s.parked and checklist.tonight(s, ctx.today)]
    body += [m("portal.tonight", number=s.change.number) for s in evening]
    left = checklist.leave_out(sheets, ctx.catalogue)
    body += [m("portal.leave"), *left] if left else []
    return (*body, m("portal.then")) if last else tuple(body)


def _private(ctx: Context, sheets: Sequence[Sheet]) -> tuple[Row, ...]:
    """The way to the national number, where the portal asks for it and it is known: on a private page, once."""
    asked = next((sheet for sheet in sheets if checklist.takes_number(sheet)), None)
    if asked is None or not ctx.settings.pages:
        return ()
    door = App(f"{ctx.settings.pages}/app/number/{asked.change.number}")
    return ((Button(m("portal.number"), door, "🔒"),),)


def _copies(sheets: Sequence[Sheet]) -> tuple[Row, ...]:
    """A button for each value to type; two of one name say which. A national number is never among them: it opens in private."""
    values = checklist.values(sheets)
    labels = [typed.label for typed in values]

    def called(typed: checklist.Typed) -> Say:
        twice = labels.count(typed.label) > 1
        return one_after_another(typed.label, typed.text) if twice else typed.label

    return tuple(
        (Button(m("portal.copy", what=called(typed)), CopyText(typed.text), "📋"),) for typed in values
    )


def visit_entity(ctx: Context, answers: Answers) -> Say | None:
    """The entity of the visit, for the card."""
    visit = answers.get("visit")
    if isinstance(visit, str) and NUMBER.fullmatch(visit):
        sheet = ctx.directory.sheet(visit)
        return sheet.change.entity.name if sheet else None
    return next((each.entity.name for each in ctx.directory.visits() if each.id == visit), None)


def prefill(ctx: Context, args: str) -> Answers:
    """A change's number, a visit, or an entity with only one."""
    args = args.strip()
    if NUMBER.fullmatch(args):
        return {"visit": args}
    here = [visit.id for visit in ctx.directory.visits() if args in {visit.id, visit.entity.id}]
    return {"visit": here[0]} if len(here) == 1 else {}


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """From now on the 20 minutes count; a start to come has its own day. Access is spoken of where somebody gets one."""
    numbers = answers.get("done") or [done.number]
    cards = [sheet for number in numbers if (sheet := ctx.directory.sheet(number))]
    what = "access" if any(checklist.gives(sheet) for sheet in cards) else "change"
    mark, title = "✔", m("portal.done_title")
    if len(cards) == 1 and cards[0].change.state == "done":
        body = m("portal.done_end", number=done.number)
    elif done.due is None:
        mark, title = "☑", m("portal.title")
        body = m("portal.done_partly", number=done.number)
    elif len(numbers) > 1:
        body = m(f"portal.many.{what}", n=len(numbers), due=_when(ctx, done))
    elif begins_later(done.due, ctx.now):
        body = m(f"portal.later.{what}", number=done.number, day=brussels_day(done.due))
    else:
        body = m(f"portal.done.{what}", number=done.number, due=done.due)
    rows: list[Row] = []
    if len(numbers) == 1:
        rows.append((to_status(done.number),))
    if ctx.directory.visits():
        rows.append((Button(m("portal.more"), Door("portal"), "☑"),))
    shut = (m("portal.made_blocked"),) if any(_made_blocked(ctx, sheet) for sheet in cards) else ()
    return View(mark=mark, title=title, body=(body, *shut), rows=(*rows, WAY_HOME))


def _made_blocked(ctx: Context, sheet: Sheet) -> bool:
    """Whether the change created somebody there who is blocked here."""
    created = any(item.kind == "create-user" for item in sheet.change.items)
    card = ctx.directory.person(sheet.change.account) if created else None
    return card is not None and card.ref.status == "blocked"


def _when(ctx: Context, done: Done) -> Msg:
    assert done.due
    if begins_later(done.due, ctx.now):
        return m("portal.on_day", day=brussels_day(done.due))
    return m("portal.at_time", due=done.due)


PORTAL_FLOW = Flow(
    key="portal",
    icon="☑",
    title=m("portal.title"),
    steps=(
        VisitStep(
            "visit",
            ask=m("portal.ask_visit"),
            label=m("portal.title"),
            options=visit_options,
            proposes=only_visit,
            stands=True,
            none=m("portal.nothing"),
        ),
        ChecklistStep("done", ask=m("portal.ask"), label=m("portal.title"), after=frozenset({"visit"})),
    ),
    submit=lambda _, answers: MarkDone(answers["done"][0], more=tuple(answers["done"][1:])),
    prefill=lambda ctx, _, args: prefill(ctx, args),
    subject=visit_entity,
    receipt=receipt,
    recap=False,
    restarts=True,
)

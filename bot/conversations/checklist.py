"""The portal's own screens for a change: a table from the kind of change to the screens it passes, in the portal's order. Pure.

A new kind of change is a row of `KINDS`; a new screen is a function of `SCREENS`, which stand in the order in which the
portal has them (`portal-guide.fr.md`), so that several changes of one person become one way through. `LEAVE` says what
not to do there. Nothing here says that anybody has access.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.access.catalogue import Catalogue
from bot.access.offices import AT_CSAM
from bot.access.views import ChangeItem, Sheet
from bot.conversations.days import until_day
from bot.msg import Msg, Say, m

KINDS_OF_CHANGE = """
create-user          | add form confirm
change-user          | find data confirm
declare-user         |
number-user          | find number confirm
reactivate-user      | status unblock
block-user           | status block
delete-user          | delete
move-user            | find move confirm
grant                | find tick confirm
change-grant         |
end-grant            | find untick confirm
assignment           | functions add_function
change-assignment    | functions change_function
end-assignment       | functions change_function
remove-assignment    | functions remove_function
link-responsible     | functions hierarchy link
change-link-responsible | functions hierarchy relink
unlink-responsible   | functions hierarchy unlink
activate-quality     | activate
create-subdivision   | subdivision
rename-subdivision   | subdivision
move-subdivision     | subdivision
close-subdivision    | subdivision
appoint-manager      | csam appoint
replace-manager      | csam replace
end-manager          | csam dismiss
appoint-deputy       |
end-deputy           |
"""
"""The kind of an item, and the screens it passes. A kind without screens leaves nothing to do there, and `LEAVE` says so.
`change-…`: other days for what is held; `declare-user`: the profession alone; `number-user`: the national number. An unknown kind has the screen `other`."""

KINDS: Mapping[str, tuple[str, ...]] = {
    kind.strip(): tuple(screens.split())
    for kind, screens in (line.split("|") for line in KINDS_OF_CHANGE.strip().splitlines())
}
PLACES = frozenset({"create-subdivision", "rename-subdivision", "move-subdivision", "close-subdivision"})
"""About a subdivision, whose name is the item's key."""
RECORDED = KINDS.keys() - {"declare-user", "number-user"}
"""Those that a change's item can be of: the profession or the number alone is an item `change-user`."""
GIVING = frozenset({"grant", "assignment"})
"""Kinds by which somebody gets an access: another end, sooner or later, is a change of one that he has."""
GOES_ON = frozenset(
    {
        "delete-user",
        *(kind for kind, screens in KINDS.items() if {"csam", "activate", "subdivision"} & set(screens)),
    }
)
"""What is still to do where the user himself is deleted."""
OFFICES_ELSEWHERE = frozenset({"group", "subdivision"})
"""Managers that are appointed on the portal itself; the others in CSAM (`domain.md` 1.1)."""


@dataclass(frozen=True, slots=True)
class Done:
    """An item as a screen meets it: its kind in `KINDS`, and what it is about."""

    kind: str
    item: ChangeItem
    sheet: Sheet


@dataclass(frozen=True, slots=True)
class Typed:
    """A value to type on the portal, to be copied with a tap."""

    label: Msg
    text: str


def kind_of(item: ChangeItem) -> str:
    """The row of `KINDS` for an item, or its own kind where there is none."""
    if item.kind == "change-user" and item.fields and item.fields <= {"profession"}:
        return "declare-user"
    if item.kind == "end-assignment" and item.at_once and _later(item.starts_on, item.ends_on):
        return "remove-assignment"
    if item.kind == "change-user" and item.key == "niss":
        return "number-user"
    return f"change-{item.kind}" if item.moves and f"change-{item.kind}" in KINDS else item.kind


def items_of(sheets: Sequence[Sheet]) -> tuple[Done, ...]:
    """All that is to do in these changes. With a user all goes that he holds there: of him only the deletion is to do."""
    todo = [
        Done(kind_of(item), item, sheet)
        for sheet in sheets
        for item in sheet.change.items
        if item.state in {"to_do", "recorded"}
    ]
    gone = {done.sheet.change.account for done in todo if done.kind == "delete-user"}
    return tuple(done for done in todo if done.kind in GOES_ON or done.sheet.change.account not in gone)


def waits_for(sheet: Sheet, today: date) -> Msg | None:
    """Why nothing of the change counts as done today; None where it can be done."""
    number = sheet.change.number
    if sheet.parked:
        return m("portal.parked", number=number)
    day = not_before(sheet, today)
    return m("portal.not_before", number=number, day=day) if day else None


def not_before(sheet: Sheet, today: date) -> date | None:
    """The day to come on which an application is to be unticked: before it, nothing of the change counts as done."""
    return max((day for day in _evenings(sheet) if day > today), default=None)


def tonight(sheet: Sheet, today: date) -> bool:
    """Whether an application is to be unticked this evening. It can be ticked off all day: nobody knows when an evening begins."""
    return today in _evenings(sheet)


def _evenings(sheet: Sheet) -> list[date]:
    """The days on whose evening an application is to be unticked."""
    return [
        done.item.ends_on
        for done in items_of([sheet])
        if done.item.kind == "end-grant" and done.item.ends_on and not done.item.at_once
    ]


def gives(sheet: Sheet) -> bool:
    """Whether somebody gets an access by this change: only then one may be promised after *Fait*."""
    return any(kind_of(item) in GIVING for item in sheet.change.items)


# -- the way in -----------------------------------------------------------------------------------


def way_in(sheet: Sheet, catalogue: Catalogue) -> tuple[Say, ...]:
    """The screens before the people: log-in, entity, and its quality or, on the new portal, its group."""
    entity = sheet.change.entity
    steps: list[Say] = [
        m("portal.step.log_in"),
        m("portal.step.entity", name=entity.name, number=entity.number),
    ]
    label = next((each.label for each in catalogue.qualities if each.key == sheet.quality_key), None)
    if label is not None and any(done.kind != "activate-quality" for done in items_of([sheet])):
        steps.append(m("portal.step.quality" if entity.portal == "old" else "portal.step.group", name=label))
    return tuple(steps)


# -- the screens ----------------------------------------------------------------------------------

Screen = Callable[[Sequence[Done], Catalogue], Iterator[Say]]


def _once(key: str) -> Screen:
    def screen(_: Sequence[Done], __: Catalogue) -> Iterator[Say]:
        yield m(key)

    return screen


def _person(key: str) -> Screen:
    def screen(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
        yield m(key, name=passing[0].sheet.change.person or _name(passing[0].sheet))

    return screen


def _what(key: str) -> Screen:
    def screen(passing: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
        yield m(key, what=_names(passing, catalogue))

    return screen


def _each(key: str) -> Screen:
    def screen(passing: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
        for done in passing:
            yield m(key, what=_called(done, catalogue))

    return screen


def _name(sheet: Sheet) -> str:
    return f"{sheet.last_name} {sheet.first_name}".strip()


def _called(done: Done, catalogue: Catalogue) -> Say:
    """What an item is about: an application's name, a function's official words, else the item's own word."""
    key = done.item.key
    names: dict[str, Say] = {each.key: each.name for each in catalogue.applications}
    names |= {each.key: each.label for each in catalogue.functions}
    names |= {each.key: each.label for each in catalogue.qualities}
    return names.get(key, key)


def _names(passing: Sequence[Done], catalogue: Catalogue) -> tuple[Say, ...]:
    return tuple(dict.fromkeys(_called(done, catalogue) for done in passing))


def _add(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    yield m("portal.step.add") if passing[0].sheet.numbered else m("portal.step.add_without")


def _find(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    sheet = passing[0].sheet
    yield m("portal.step.find", name=sheet.change.person or _name(sheet), username=sheet.username or "–")


def _form(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    yield m("portal.step.form", language=m(f"language.{passing[0].sheet.language or 'fr'}"))


def _add_function(passing: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
    for done in passing:
        name, start = _called(done, catalogue), done.item.starts_on or done.sheet.change.recorded_on
        if done.item.ends_on:
            yield m("portal.step.add_function_until", what=name, start=start, end=done.item.ends_on)
        else:
            yield m("portal.step.add_function", what=name, start=start)


def _change_function(passing: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
    for done in passing:
        name = _called(done, catalogue)
        if done.item.ends_on:
            yield m("portal.step.change_function", what=name, end=done.item.ends_on)
        elif done.kind == "change-assignment":
            yield m("portal.step.clear_function", what=name)
        else:
            yield m("portal.step.end_function", what=name)


def _untick(passing: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
    """The portal has no end date for an application: the evening of the day is for that, today's too."""
    for done in passing:
        name, day = _called(done, catalogue), done.item.ends_on
        if day and day >= done.sheet.change.recorded_on and not done.item.at_once:
            yield m("portal.step.untick_on", what=name, day=day)
        else:
            yield m("portal.step.untick", what=name)


def _link(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    """The portal's second tab; the days are typed there as they are for a function."""
    for done in passing:
        name, start = done.item.other or "–", done.item.starts_on or done.sheet.change.recorded_on
        end = until_day(done.item.ends_on)
        key = "portal.step.relink" if done.item.moves else "portal.step.link"
        yield m(key, name=name, start=start, end=end)


def _unlink(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    for done in passing:
        name, day = done.item.other or "–", done.item.ends_on
        if day and day > done.sheet.change.recorded_on:
            yield m("portal.step.unlink_on", name=name, day=day)
        else:
            yield m("portal.step.unlink", name=name)


def _csam(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    elsewhere = all(done.item.key in OFFICES_ELSEWHERE for done in passing)
    yield m("portal.step.csam_portal") if elsewhere else m("portal.step.csam")
    if any(done.item.key == "responsible" for done in passing):
        yield m("portal.step.csam_legal")


def _office(key: str) -> Screen:
    def screen(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
        for done in passing:
            name = _name(done.sheet) or done.sheet.change.person
            office = done.item.key
            role = m(f"csam.role.{office}") if office in AT_CSAM else m(f"role.{office}")
            yield m(key, name=name, role=role)

    return screen


def _subdivision(passing: Sequence[Done], _: Catalogue) -> Iterator[Say]:
    """The second tab of the list of users; a subdivision is empty before it is closed, and what is below it goes first."""
    yield m("portal.step.subdivision")
    closing = [done for done in passing if done.kind == "close-subdivision"]
    for done in (*(each for each in passing if each not in closing), *reversed(closing)):
        item, kind = done.item, done.kind.removesuffix("-subdivision")
        if kind == "close" and item.people:
            to: Say = item.other or m("users.no_subdivision")
            yield m("portal.ward.empty", name=item.key, n=item.people, to=to)
        if kind in {"create", "move"} and not item.other:
            yield m(f"portal.ward.{kind}_top", name=item.key)
        elif kind == "close":
            yield m("portal.ward.close", name=item.key)
        else:
            yield m(f"portal.ward.{kind}", name=item.key, other=item.other)


SCREENS: Mapping[str, Screen] = {
    "csam": _csam,
    "dismiss": _office("portal.step.dismiss"),
    "replace": _office("portal.step.replace"),
    "appoint": _office("portal.step.appoint"),
    "activate": _what("portal.step.activate"),
    "subdivision": _subdivision,
    "status": _person("portal.step.status"),
    "block": _once("portal.step.block"),
    "unblock": _once("portal.step.unblock"),
    "delete": _person("portal.step.delete"),
    "add": _add,
    "find": _find,
    "form": _form,
    "data": _once("portal.step.data"),
    "number": _once("portal.step.number"),
    "move": _once("portal.step.move"),
    "tick": _what("portal.step.tick"),
    "untick": _untick,
    "other": _person("portal.step.other"),
    "confirm": _once("portal.step.confirm"),
    "functions": _person("portal.step.functions"),
    "remove_function": _each("portal.step.remove_function"),
    "change_function": _change_function,
    "add_function": _add_function,
    "hierarchy": _once("portal.step.hierarchy"),
    "unlink": _unlink,
    "link": _link,
    "relink": _link,
}
"""In the portal's order: the managers elsewhere, the list of users, the user's form, then the functions."""


def steps(sheets: Sequence[Sheet], catalogue: Catalogue) -> tuple[Say, ...]:
    """The way through the portal for the changes of one person."""
    if any(sheet.parked for sheet in sheets):
        return (m("portal.step.parked"),)
    todo = items_of(sheets)
    passed = {done: KINDS.get(done.kind, ("find", "other", "confirm")) for done in todo}
    said: list[Say] = []
    added = any("add" in screens for screens in passed.values())
    for name, screen in SCREENS.items():
        passing = [done for done, screens in passed.items() if name in screens]
        if passing and not (name == "find" and added):  # the form of somebody new is open already
            said += screen(passing, catalogue)
    return tuple(said) or (m("portal.step.nothing"),)


def takes_number(sheet: Sheet) -> bool:
    """Whether one of these screens asks for the national number, and it is known: to add, to appoint, to correct it."""
    kinds = {done.kind for done in items_of([sheet])}
    return sheet.numbered and not sheet.parked and bool(kinds & _NUMBERED)


_NUMBERED = frozenset({"create-user", "number-user", "appoint-manager", "replace-manager"})


# -- what to leave out, and what to type ----------------------------------------------------------


def leave_out(sheets: Sequence[Sheet], catalogue: Catalogue) -> tuple[Say, ...]:
    """What not to do on the portal for these changes of one person."""
    return tuple(_left_out(items_of([each for each in sheets if not each.parked]), catalogue))


def _left_out(todo: Sequence[Done], catalogue: Catalogue) -> Iterator[Say]:
    kinds = {done.kind for done in todo}
    if "create-user" in kinds:
        yield m("portal.leave.password")
    kept = [done for done in todo if done.kind == "change-grant"]
    if kept:
        yield m("portal.leave.keep", what=_names(kept, catalogue))
    dated = [
        done
        for done in todo
        if done.kind == "grant"
        and (done.item.ends_on or _later(done.item.starts_on, done.sheet.change.recorded_on))
    ]
    if dated:
        yield m("portal.leave.dates", what=_names(dated, catalogue))
    if "declare-user" in kinds:
        yield m("portal.leave.profession")
    needing = {each.key for each in catalogue.applications if each.requires_function}
    given = any(done.kind == "grant" and done.item.key in needing for done in todo)
    professional = todo and todo[0].sheet.profession in {"specialist-physician", "hospital-pharmacist"}
    if given and professional and "assignment" not in kinds:
        yield m("portal.leave.function")


def _later(start: date | None, than: date | None) -> bool:
    return start is not None and than is not None and start > than


def values(sheets: Sequence[Sheet]) -> tuple[Typed, ...]:
    """The values to type for these changes of one person, in the order of the screens. Never a national number, nor a password."""
    todo = items_of([sheet for sheet in sheets if not sheet.parked])
    if not todo:
        return ()
    sheet, kinds = todo[0].sheet, {done.kind for done in todo}
    found: list[tuple[Msg, str]] = []
    if kinds & {"create-user", "change-user"}:
        found += [
            (m(f"field.{name}"), text)
            for name, text in (
                ("username", sheet.username),
                ("last_name", sheet.last_name),
                ("first_name", sheet.first_name),
                ("title", sheet.title),
                ("email", sheet.email),
                ("local_email", sheet.local_email),
            )
        ]
    elif named := [done for done in todo if done.kind in {"create-subdivision", "rename-subdivision"}]:
        found += [(m("field.subdivision"), done.item.key) for done in named]
    elif any(screen == "csam" for kind in kinds for screen in KINDS.get(kind, ())):
        found += [(m("field.last_name"), sheet.last_name), (m("field.first_name"), sheet.first_name)]
    else:
        found += [
            (m("field.username"), sheet.username)
            if sheet.username
            else (m("field.last_name"), sheet.last_name)
        ]
    for done in todo:
        if "assignment" in done.kind and done.kind != "remove-assignment":
            starts = done.item.starts_on if done.kind == "assignment" else None
            found += [(m("field.start"), _typed(starts)), (m("field.end"), _typed(done.item.ends_on))]
    return tuple(Typed(label, text) for label, text in dict.fromkeys(found) if text)


def _typed(day: date | None) -> str:
    """A day as the portal takes it: jj-mm-aaaa, the same in every language."""
    return f"{day:%d-%m-%Y}" if day else ""

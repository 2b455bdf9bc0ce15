"""What a list of users is narrowed to: the filters, their questions, and how they read. Pure.

A filter is kept as a small object by the names of `UserFilter`, without what is empty; a national number stands in none:
it is looked up at once, and the account found is kept instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.access.identifiers import looks_like_niss, parse_niss
from bot.conversations.flow import Asking, Pick, Rejected, Screen, Shown, Verdict, press
from bot.conversations.matching import match
from bot.conversations.model import Json, Row
from bot.conversations.people import private_number
from bot.conversations.ports import Context, UserFilter
from bot.conversations.steps import GONE, Option, page_row, paged
from bot.errors import Invalid
from bot.msg import Msg, Say, m

TYPED = ("last", "first", "username", "account")
"""Filters that are typed; `account` by its national number."""
CHOSEN = ("status", "application", "function", "subdivision", "type", "ending")
"""Filters with a list to choose from."""
FIELDS = ("last", "first", "username", "account", *CHOSEN)
SIZES = (6, 10, 20)
STATES = ("active", "blocked", "deleted")
TYPES = ("user", "technical")
LONGEST = 60


def filter_of(kept: Json) -> UserFilter:
    """The filter as the register takes it."""
    return UserFilter(**kept)


def reads(ctx: Context, entity: str, kept: Json) -> tuple[Say, ...]:
    """What the filter says, one line for each part, the typed search first."""
    parts = [m("users.by.text", what=kept["text"])] if kept.get("text") else []
    parts += [
        m("users.filter", what=m(f"users.by.{key}"), value=_value(ctx, entity, key, kept[key]))
        for key in FIELDS
        if kept.get(key)
    ]
    return tuple(parts)


def _value(ctx: Context, entity: str, key: str, value: Any) -> Say:
    if key == "account":
        card = ctx.directory.person(value)
        return card.ref.masked or card.ref.name if card else "–"
    if key in TYPED:
        return str(value)
    named = {option.id: option.label for option in _named(ctx, entity, key)}
    return named.get(str(value), "–" if key == "subdivision" else str(value))  # one that was closed since


def options(ctx: Context, entity: str, key: str) -> list[Option]:
    """What may be chosen, with short ids for the buttons: the place in the list where a key may be long."""
    return [
        Option(str(place), option.label, words=option.words)
        for place, option in enumerate(_named(ctx, entity, key))
    ]


def _named(ctx: Context, entity: str, key: str) -> Sequence[Option]:
    match key:
        case "status":
            return [Option(each, m(f"account.{each}")) for each in STATES]
        case "type":
            return [Option(each, m(f"users.type.{each}")) for each in TYPES]
        case "ending":
            return [Option("True", m("users.ending_soon"))]
        case "function":
            return [Option(f.key, f.short) for f in ctx.catalogue.functions]
        case "subdivision":
            return [Option(each.id, each.path) for each in ctx.directory.subdivisions(entity)]
        case "application":
            rooms = {room.key for room in ctx.directory.qualities(entity)}
            offered = [a for a in ctx.catalogue.applications if rooms & set(a.qualities)]
            return [Option(a.key, a.name, words=a.names) for a in offered]
        case _:
            return []


# -- the panel ------------------------------------------------------------------------------------


def screen(asking: Asking, entity: str, panel: str, kept: Json, size: int) -> Screen:
    """All filters, or the one that is being set."""
    said = reads(asking.ctx, entity, kept)
    back: Row = (press(m("users.to_list"), "show"),)
    if panel not in FIELDS:
        buttons = [
            press(m(f"users.by.{key}"), "by", key, mark="✔" if kept.get(key) else "") for key in FIELDS
        ]
        rows: list[Row] = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
        sizes = tuple(press(str(each), "size", str(each), mark="✔" if each == size else "") for each in SIZES)
        rows += [sizes, *([(press(m("users.no_filter"), "clear"),)] if said else []), back]
        return Screen((m("users.filter_how"), *said, m("users.size_how")), tuple(rows))
    rows = []
    if panel in CHOSEN:
        offered = options(asking.ctx, entity, panel)
        shown, page, pages = paged(offered, asking.ui.get("page", 0))
        rows = [*((press(option.label, "set", option.id),) for option in shown), *page_row(page, pages)]
    elif panel == "account" and asking.ctx.settings.pages:
        rows = [(private_number(asking.ctx),)]
    if kept.get(panel):
        rows.append((press(m("users.any"), "unset"),))
    rows.append(back)
    how = m(f"users.how.{panel}") if panel in TYPED else m("users.how.chosen", what=m(f"users.by.{panel}"))
    return Screen((how, *said), tuple(rows))


def picked(asking: Asking, entity: str, panel: str, kept: Json, said: Pick) -> Verdict:
    """A tap on the panel."""
    match said:
        case Pick("by", value) if value in FIELDS:
            return Shown({"panel": value, "page": 0})
        case Pick("clear"):
            return narrowed({})
        case Pick("size", value) if value in {str(each) for each in SIZES}:
            return Shown({"size": int(value), "after": "", "before": "", "panel": ""})
        case Pick("unset") if panel in FIELDS:
            return narrowed({key: value for key, value in kept.items() if key != panel})
        case Pick("set", value) if panel in CHOSEN and value.isdecimal():
            named = _named(asking.ctx, entity, panel)
            return set_to(panel, kept, named[int(value)].id) if int(value) < len(named) else Rejected(GONE)
        case Pick("page", value) if value.isdecimal() and len(value) < 4:
            return Shown({"page": int(value)})
        case _:
            return Rejected(GONE)


def typed(asking: Asking, entity: str, panel: str, kept: Json, text: str) -> Verdict:
    """A text typed on the panel of one filter."""
    if panel == "account":
        return by_number(asking, entity, kept, text)
    if panel in TYPED:
        return set_to(panel, kept, " ".join(text.split())[:LONGEST])
    named = _named(asking.ctx, entity, panel)
    labels = [(*asking.ctx.reader.labels(option.label), *option.words) for option in named]
    hit = match(text, labels)
    if hit.sure:
        return set_to(panel, kept, named[hit.places[0]].id)
    example = named[0].label if named else ""
    return Rejected(m("step.not_an_option", said=" ".join(text.split())[:40], example=example))


def by_number(asking: Asking, entity: str, kept: Json, text: str) -> Verdict:
    """The account of this national number; the number itself is kept nowhere."""
    if not looks_like_niss(text):
        return Rejected(m("users.not_a_number"))
    try:
        niss = parse_niss(text, today=asking.ctx.today)
    except Invalid as invalid:
        return Rejected(invalid.msg)
    directory = asking.ctx.directory
    # every quality is asked, whatever the first ones answer: known elsewhere and unknown cost the same
    found = [directory.by_niss(room.id, niss.digits) for room in directory.qualities(entity) if room.active]
    person = next((person for person in found if person), None)
    return set_to("account", kept, person.id) if person else Rejected(m("status.niss_unknown"))


def set_to(key: str, kept: Json, value: str) -> Verdict:
    """The list, narrowed by one more."""
    return narrowed({**kept, key: True if key == "ending" else value})


def narrowed(kept: Json) -> Shown:
    """The list from its beginning, narrowed so."""
    return Shown({"f": kept, "near": [], "after": "", "before": "", "panel": ""})


def summary(ctx: Context, entity: str, kept: Json) -> tuple[Msg, ...]:
    """The filter above a list, in one line; nothing where there is none."""
    said = reads(ctx, entity, kept)
    return (m("users.narrowed", what=said),) if said else ()

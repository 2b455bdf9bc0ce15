"""One field for everything: what a typed text looks for, a change, a person, an application. Pure.

A text that can mean a person and an application ("Colin") finds both: neither hides the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.access.catalogue import Application
from bot.access.identifiers import looks_like_niss, parse_niss
from bot.conversations.flow import Accepted, Rejected, Verdict, press
from bot.conversations.matching import fold, match
from bot.conversations.model import Row
from bot.conversations.ports import Context, PersonCard, PersonRef, QualityRef
from bot.errors import Invalid
from bot.msg import m

NUMBER = re.compile(r"(?:n[°ºr]?\.?\s*|no\.?\s*)?(\d{4}-\d{1,6})", re.IGNORECASE)
BARE = re.compile(r"(?:n[°ºr]\.?\s*|no\.?\s*)?(\d{1,6})", re.IGNORECASE)
"""A change's number without its year: this year's, where there is one."""
SHORTEST = 3
"""Letters from which on a text can be the beginning of an application's name."""
LONGEST = 60


def understood(ctx: Context, text: str) -> Verdict:
    """What a typed text asks for, as the answer of the query."""
    if number := NUMBER.fullmatch(text.strip()):
        year, count = number[1].split("-")
        return Accepted({"see": "change", "number": f"{year}-{int(count):06d}"})
    if looks_like_niss(text):
        return by_number(ctx, text)
    if bare := BARE.fullmatch(text.strip()):
        of_this_year = f"{ctx.today.year}-{int(bare[1]):06d}"
        if ctx.directory.change(of_this_year):
            return Accepted({"see": "change", "number": of_this_year})
    for application in offered(ctx):
        if fold(text) in {fold(name) for name in application.names}:
            return Accepted({"see": "application", "application": application.key})
    return Accepted({"see": "find", "find": " ".join(text.split())[:LONGEST]})


def by_number(ctx: Context, text: str) -> Verdict:
    """The account in scope that a typed national number belongs to."""
    try:
        niss = parse_niss(text, today=ctx.today)
    except Invalid as invalid:
        return Rejected(invalid.msg)
    # every quality is asked, whatever the first ones answer: known elsewhere and unknown cost the same
    found = [ctx.directory.by_niss(quality.id, niss.digits) for quality in all_qualities(ctx)]
    person = next((person for person in found if person), None)
    return Accepted({"see": "person", "account": person.id}) if person else Rejected(m("status.niss_unknown"))


def person_named(ctx: Context, text: str, act: str) -> PersonCard | Sequence[QualityRef]:
    """Whom the words after a command mean, where the actor may do `act`: the one person, or where those are who match, or nearly do.

    Nowhere for the name of an application. Raises Invalid for words that mean nothing.
    """
    if looks_like_niss(text):
        match by_number(ctx, text):
            case Accepted(value) if card := ctx.directory.person(value["account"]):
                return card
            case Rejected(error):
                raise Invalid(error)
            case _:
                raise Invalid(m("status.niss_unknown"))
    text = " ".join(text.split())[:LONGEST]
    rooms = [room for place in ctx.directory.entities(act) for room in ctx.directory.qualities(place.id, act)]
    found = {room: ctx.directory.people(room.id, find=text, size=2).items for room in rooms}
    people = {person.id for each in found.values() for person in each}
    if len(people) == 1 and (card := ctx.directory.person(people.pop())):
        return card
    there = [room for room in rooms if found[room]]
    there = there or [room for room in rooms if ctx.directory.alike(room.id, text, limit=1)]
    if not there and not applications(ctx, text):
        raise Invalid(m("status.none", said=text))
    return there


def nearly(ctx: Context, text: str, limit: int) -> list[PersonRef]:
    """The people, anywhere that the actor may look into, whose name is nearly that."""
    near = [each for room in all_qualities(ctx) for each in ctx.directory.alike(room.id, text, limit=limit)]
    return near[:limit]


def all_qualities(ctx: Context) -> list[QualityRef]:
    """Every active quality that the actor may look into."""
    return [q for e in ctx.directory.entities() for q in ctx.directory.qualities(e.id) if q.active]


def offered(ctx: Context) -> list[Application]:
    """The applications that can be given somewhere."""
    return [application for application in ctx.catalogue.applications if any(application.qualities)]


def applications(ctx: Context, text: str) -> list[Application]:
    """The applications that a text can mean: the beginning of a name, or nearly one."""
    if len(text.strip()) < SHORTEST or text.strip().isdecimal():
        return []
    known = offered(ctx)
    return [known[place] for place in match(text, [each.names for each in known]).places]


def application_rows(found: Sequence[Application]) -> tuple[Row, ...]:
    """A button for each application found."""
    return tuple((press(each.name, "app", each.key, mark="📦"),) for each in found)

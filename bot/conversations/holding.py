"""What a user account holds, as something to choose from: for the dialogues that end it or move its end. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from zlib import crc32

from bot.access.ground import APPLICATION, FUNCTION, Span, Thing, groundless
from bot.conversations import wording
from bot.conversations.days import until_day
from bot.conversations.flow import (
    Accepted,
    Asking,
    Pick,
    Rejected,
    Said,
    Screen,
    Shown,
    Verdict,
    press,
)
from bot.conversations.matching import match
from bot.conversations.model import Answers, Json, Row, Text
from bot.conversations.named import known_person
from bot.conversations.people import PersonStep
from bot.conversations.place import may
from bot.conversations.ports import Context, Holding, Listing, PersonCard, PersonRef
from bot.conversations.steps import GONE, PAGE_SIZE, Option
from bot.msg import Say, m


def called(ctx: Context, thing: Thing) -> Say:
    """What an application or a function is called; its key where the catalogue no longer has it."""
    return wording.called(ctx, *thing)


def short(ctx: Context, thing: Thing) -> Say:
    """The same for a button."""
    kind, key = thing
    if kind == APPLICATION:
        return called(ctx, thing)
    return next((f.short for f in ctx.catalogue.functions if f.key == key), key)


def id_of(thing: Thing) -> str:
    """An opaque id of a few bytes, the same whoever else is in the catalogue."""
    kind, key = thing
    return f"{kind[0]}{crc32(key.encode()):08x}"


def live(card: PersonCard) -> tuple[Holding, ...]:
    """What the person has or will have."""
    return tuple(holding for holding in card.holdings if holding.state != "ended")


def spans(card: PersonCard) -> tuple[Span, ...]:
    """The same as days."""
    return tuple(Span(h.kind, h.key, h.starts_on, h.ends_on) for h in live(card))


def ids(card: PersonCard, ctx: Context, function_act: str) -> dict[str, Thing]:
    """What may be chosen: applications, then functions where the actor's role may touch them."""
    functions = may(ctx, card, function_act)
    things = dict.fromkeys((h.kind, h.key) for h in live(card) if functions or h.kind == APPLICATION)
    return {id_of(thing): thing for thing in sorted(things, key=lambda each: each[0] == FUNCTION)}


def options(ctx: Context, answers: Answers, function_act: str) -> Sequence[Option]:
    """What the person holds, with its state and its dates."""
    card = known_person(ctx, answers)
    if card is None:
        return []
    return [
        Option(
            key,
            short(ctx, thing),
            _line(ctx, thing, [h for h in live(card) if (h.kind, h.key) == thing]),
            (thing[1],),
        )
        for key, thing in ids(card, ctx, function_act).items()
    ]


def _line(ctx: Context, thing: Thing, held: Sequence[Holding]) -> Say:
    last = max(held, key=lambda each: each.starts_on)
    until = until_day(last.ends_on)
    return m("ending.held", name=called(ctx, thing), since=held[0].starts_on, until=until)


def chosen(ctx: Context, answers: Answers, function_act: str) -> frozenset[Thing]:
    """The things ticked."""
    card = known_person(ctx, answers)
    if card is None:
        return frozenset()
    known = ids(card, ctx, function_act)
    return frozenset(known[key] for key in answers.get("what") or () if key in known)


def lost(ctx: Context, card: PersonCard, after: Sequence[Span]) -> tuple[str, ...]:
    """The applications that lose the ground under them where only `after` is left."""
    declared = card.ref.profession or None
    before = groundless(ctx.catalogue, declared, spans(card), ctx.today)
    will = groundless(ctx.catalogue, declared, after, ctx.today)
    return tuple(key for key, day in will.items() if key not in before or day < before[key])


@dataclass(frozen=True)
class HolderStep(PersonStep):
    """A user account, or first an application and then one of those who hold it: then that is what is chosen of it."""

    _: KW_ONLY
    newcomers: bool = False
    as_is: bool = True  # somebody blocked may hold something all the same
    function_act: str

    def _listing(self, asking: Asking) -> Listing[PersonRef]:
        application = asking.ui.get("application", "")
        if not application or asking.ui.get("near"):
            return super()._listing(asking)
        page = asking.ui.get("page", 0)
        return asking.ctx.directory.people(
            asking.answers[self.quality],
            find=asking.ui.get("find", ""),
            page=page if isinstance(page, int) else 0,
            size=PAGE_SIZE,
            holding=application,
        )

    def screen(self, asking: Asking) -> Screen:
        if asking.ui.get("first"):
            rows: list[Row] = [
                (press(label, "app", key),) for key, label in self._applications(asking).items()
            ]
            return Screen((m("ending.which_application"),), (*rows, (press(m("person.all"), "all"),)))
        screen = super().screen(asking)
        application = asking.ui.get("application", "")
        if not application:
            return Screen(screen.body, (*screen.rows, (press(m("ending.application_first"), "first"),)))
        name = called(asking.ctx, (APPLICATION, application))
        back = (press(m("person.all"), "all"),)
        more = () if asking.ui.get("find") or asking.ui.get("near") else (back,)
        return Screen((m("ending.with_application", name=name), *screen.body[1:]), (*screen.rows, *more))

    def _applications(self, asking: Asking) -> dict[str, Say]:
        quality = asking.ctx.directory.quality(asking.answers[self.quality])
        offered = asking.ctx.catalogue.applications_of(quality.key) if quality else ()
        return {application.key: application.name for application in offered}

    def accept(self, asking: Asking, said: Said) -> Verdict:
        match said:
            case Pick("first"):
                return Shown({"first": True, "application": ""})
            case Pick("app", key):
                return self._of(key) if key in self._applications(asking) else Rejected(GONE)
            case Pick("all"):
                return Shown({**_EVERYBODY, "find": "", "near": ""})
            case Text(text):
                if named := self._named(asking, text):
                    return self._of(named)
            case _:
                pass
        verdict = super().accept(asking, said)
        application = asking.ui.get("application", "")
        if not isinstance(verdict, Accepted) or not application:
            return verdict
        what = id_of((APPLICATION, application))
        card = asking.ctx.directory.person(verdict.value["account"])
        holds = card is not None and what in ids(card, asking.ctx, self.function_act)
        return replace(verdict, also={"what": [what]}) if holds else verdict

    @staticmethod
    def _of(application: str) -> Shown:
        return Shown({**_EVERYBODY, "application": application, "find": "", "near": ""})

    def _named(self, asking: Asking, text: str) -> str | None:
        """The application that is named; a number counts only where applications are listed."""
        offered = self._applications(asking)
        names = {a.key: a.names for a in asking.ctx.catalogue.applications if a.key in offered}
        listed = bool(asking.ui.get("first"))
        if not listed and (text.strip().rstrip(".").isdecimal() or len(text.strip()) < 4):
            return None
        order = list(offered)
        hit = match(text, [names[key] for key in order])
        return order[hit.places[0]] if hit.sure else None


_EVERYBODY: dict[str, Json] = {"first": False, "application": "", "page": 0, "blocked": ""}

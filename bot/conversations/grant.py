"""Give somebody access: the main dialogue (`product.md`, "The main job"). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from bot.access.catalogue import Application, Profession
from bot.access.credentials import check_username, propose_usernames
from bot.access.periods import check_end, check_start
from bot.access.requests import Done, GrantAccess
from bot.conversations import moves
from bot.conversations.days import end_step, start_of, start_step
from bot.conversations.flow import Asking, Flow, Pick, Rejected, Said, Screen, Verdict
from bot.conversations.held import ends_to_move, has_it, holding_line
from bot.conversations.model import Answers, Button, Door, Json, Text, View
from bot.conversations.named import known_person, welcome
from bot.conversations.people import PersonStep, is_new, rebased
from bot.conversations.persondata import language_step, new_user, typed
from bot.conversations.place import entity_name, place_steps
from bot.conversations.ports import Context
from bot.conversations.receipts import number_row, on_portal, recorded, to_portal, to_status, when_active
from bot.conversations.steps import Ask, Choice, Day, MultiChoice, Option
from bot.errors import Invalid
from bot.msg import m

ACT = "give_access"


# -- what is asked of the register ----------------------------------------------------------------


def applications(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What the quality can be given. What the person has already is said, and can be ticked only to make it longer."""
    card = known_person(ctx, answers)
    if card is None:
        return [application_option(a) for a in _applications(ctx, answers)]
    return [
        application_option(a, longer=has_it(card, a))
        for a in _applications(ctx, answers)
        if not has_it(card, a) or ends_to_move(card, a, ctx.today)
    ]


@lru_cache(maxsize=512)
def application_option(application: Application, *, longer: bool = False) -> Option:
    """An application to tick, with its description; everything that it is called may be typed."""
    return Option(
        application.key,
        m("grant.longer", name=application.name) if longer else application.name,
        m("application.line", name=application.name, about=application.description),
        application.names,
    )


def _applications(ctx: Context, answers: Answers) -> Sequence[Application]:
    quality = ctx.directory.quality(answers["quality"])
    return ctx.catalogue.applications_of(quality.key) if quality else ()


@dataclass(frozen=True)
class ApplicationsStep(MultiChoice):
    """The applications, with those that the person has already said above the list."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        card = known_person(asking.ctx, asking.answers)
        if card is None:
            return screen
        held = tuple(
            holding_line(card, a, asking.ctx.today)
            for a in _applications(asking.ctx, asking.answers)
            if card.holds("application", a.key)
        )
        return Screen((*held, *screen.body), screen.rows)

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        card = known_person(asking.ctx, asking.answers)
        if card and isinstance(verdict, Rejected) and isinstance(said, Text | Pick):
            words = (said.text if isinstance(said, Text) else said.value).casefold().strip()
            for application in _applications(asking.ctx, asking.answers):
                if has_it(card, application) and words in {name.casefold() for name in application.names}:
                    return Rejected(holding_line(card, application, asking.ctx.today))
        return verdict


# -- conditions -----------------------------------------------------------------------------------


def chosen(ctx: Context, answers: Answers) -> tuple[Application, ...]:
    keys = answers.get("applications")
    return tuple(a for a in ctx.catalogue.applications if a.key in keys) if keys else ()


def asks_profession(ctx: Context, answers: Answers) -> bool:
    """Only an application that needs a function makes the profession matter."""
    return any(a.requires_function for a in chosen(ctx, answers))


def function_of(ctx: Context, answers: Answers) -> str | None:
    """The function that a collaborator needs; physicians and pharmacists must have none (`domain.md`, trap 6)."""
    profession = answers.get("profession")
    if not profession or not asks_profession(ctx, answers):
        return None
    return Profession(profession).function


def needs_function(ctx: Context, answers: Answers) -> bool:
    """A collaborator who does not hold the function yet."""
    function = function_of(ctx, answers)
    if function is None:
        return False
    card = known_person(ctx, answers)
    return not (card and card.holds("function", function))


def prolongs(ctx: Context, answers: Answers) -> bool:
    """Whether something chosen is held already and ends: it is to become longer."""
    return bool(_ends_to_move(ctx, answers))


def needs_end(ctx: Context, answers: Answers) -> bool:
    """A new assignment may have an end; where something becomes longer, its new end is asked anyway."""
    return not prolongs(ctx, answers) and needs_function(ctx, answers)


def _ends_to_move(ctx: Context, answers: Answers) -> tuple[date, ...]:
    if not answers.get("applications") or (card := known_person(ctx, answers)) is None:
        return ()
    return tuple(end for a in chosen(ctx, answers) for end in ends_to_move(card, a, ctx.today))


def function_ends(ctx: Context, answers: Answers) -> bool:
    """Whether the function that the person holds ends by itself, and so becomes longer with the application."""
    function, card = function_of(ctx, answers), known_person(ctx, answers)
    held = card.holds("function", function) if card and function else None
    return held is not None and held.ends_on is not None and held.starts_on <= ctx.today


def _after_the_end(ctx: Context, answers: Answers) -> date:
    """The first day that makes something longer; where a function is added, it may end with what is there."""
    more = timedelta(days=0 if needs_function(ctx, answers) else 1)
    return max(ctx.today, min(_ends_to_move(ctx, answers), default=ctx.today) + more)


def new_person(_: Context, answers: Answers) -> bool:
    return "person" in answers and is_new(answers)


def known_profession(ctx: Context, answers: Answers) -> Json:
    """What the register already knows; a collaborator's kind is told by the function he holds."""
    card = known_person(ctx, answers)
    if card is None:
        return None
    held = [h.key for h in card.holdings if h.kind == "function" and h.state != "ended"]
    return Profession.of(card.ref.profession or None, held)


def professions(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The four, or the two that need no function where the actor's role may not assign one."""
    functions = may_assign(ctx, answers)
    return [
        Option(profession.value, profession.label)
        for profession in Profession
        if functions or profession.function is None
    ]


def may_assign(ctx: Context, answers: Answers) -> bool:
    """Whether the actor may give functions in the quality chosen: group and subdivision managers may not."""
    rooms = ctx.directory.qualities(answers["entity"], "assign_function")
    return any(room.id == answers["quality"] for room in rooms)


@dataclass(frozen=True)
class ProfessionStep(Choice):
    """The profession; who may not assign functions is told at once, and not at the end."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        if may_assign(asking.ctx, asking.answers):
            return screen
        return Screen((m("grant.no_functions"), *screen.body), screen.rows)


# -- a new user's data ----------------------------------------------------------------------------


def free_username(ctx: Context, answers: Answers) -> Json:
    """The first proposal that nobody bears; unique over everything, like the portal's own (`domain.md`, trap 15)."""
    if not {"last_name", "first_name"} <= answers.keys():
        return None
    proposals = propose_usernames(answers["first_name"], answers["last_name"], ctx.settings.usernames)
    return next(name for name in proposals if ctx.directory.username_free(name))


def username(ctx: Context, answers: Answers, text: str) -> str:
    name = check_username(text, ctx.settings.usernames)
    if not ctx.directory.username_free(name):
        raise Invalid(m("username.taken", example=str(free_username(ctx, answers) or name)))
    return name


def request(ctx: Context, answers: Answers) -> GrantAccess:
    """The answers as one request."""
    person = answers["person"]
    dated, longer = needs_function(ctx, answers), prolongs(ctx, answers)
    start = answers["start"] if dated else ctx.today.isoformat() if longer else None
    end = answers["until"] if longer else answers.get("end") if dated else None
    return GrantAccess(
        quality=answers["quality"],
        applications=tuple(answers["applications"]),
        account=person.get("account"),
        version=person.get("version"),
        user=new_user(answers, person.get("niss")) if is_new(answers) else None,
        profession=answers.get("profession"),
        function=function_of(ctx, answers) if dated or (longer and function_ends(ctx, answers)) else None,
        starts_on=date.fromisoformat(start) if start else None,
        ends_on=date.fromisoformat(end) if end else None,
        reactivate=bool(person.get("reactivate")),
    )


# -- the receipt ----------------------------------------------------------------------------------


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What was recorded, under which number, and when it is expected to be active. Claims no access before that."""
    portal = on_portal(ctx, answers)
    if portal:
        said = m("grant.noted", number=done.number)
    elif (change := ctx.directory.change(done.number)) and moves.only_end(change):
        day = answers.get("until")
        said = moves.recorded(done.number, date.fromisoformat(day) if day else None)
    else:
        said = when_active(done.number, done.due, ctx.now)
    mailed = (m("grant.mailed", name=answers["first_name"]),) if done.mailed else ()
    return recorded(
        ctx,
        answers,
        (said, *mailed),
        (to_portal(done.number) if portal else to_status(done.number),),
        (Button(m("grant.another"), Door("grant", answers["entity"])),),
        number_row(done.number),
    )


NEW = frozenset({"person"})
NAMED = frozenset({"person", "last_name", "first_name"})
DATED = frozenset({"person", "applications", "profession"})

GRANT = Flow(
    key="grant",
    icon="➕",
    title=m("grant.title"),
    steps=(
        *place_steps(ACT, none=m("grant.no_entity")),
        PersonStep(
            "person",
            ask=m("grant.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
        ),
        *(typed(field, after=NEW, when=new_person) for field in ("last_name", "first_name", "email")),
        ApplicationsStep(
            "applications",
            ask=m("grant.ask.applications"),
            label=m("field.applications"),
            options=applications,
            after=frozenset({"entity", "quality", "person"}),
        ),
        ProfessionStep(
            "profession",
            ask=m("grant.ask.profession"),
            label=m("field.profession"),
            options=professions,
            after=frozenset({"entity", "quality", "person", "applications"}),
            when=asks_profession,
            proposes=known_profession,
            stands=True,
        ),
        start_step(DATED, when=needs_function, check=lambda ctx, _, day: check_start(day, today=ctx.today)),
        end_step(
            DATED,
            when=needs_end,
            check=lambda ctx, answers, day: check_end(day, starts_on=start_of(ctx, answers), today=ctx.today),
        ),
        Day(
            "until",
            ask=m("grant.ask.until"),
            label=m("field.end"),
            after=DATED,
            when=prolongs,
            optional=m("day.no_end"),
            earliest=_after_the_end,
            check=lambda ctx, answers, day: check_end(
                day, starts_on=_after_the_end(ctx, answers), today=ctx.today
            ),
        ),
        Ask(
            "username",
            ask=m("grant.ask.username"),
            label=m("field.username"),
            after=NAMED,
            when=new_person,
            proposes=free_username,
            stands=True,
            parse=username,
        ),
        language_step(after=NEW, when=new_person),
        *(typed(field, after=NEW, when=new_person) for field in ("title", "local_email")),
    ),
    submit=request,
    prefill=lambda ctx, memory, args: welcome(ctx, memory, args, ACT),
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)

"""End an access: now, tonight, or on a day; with the function that nothing needs any more, or the account left empty. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.access.ground import APPLICATION, FUNCTION, Thing, ended, idle
from bot.access.periods import brussels_day, check_end
from bot.access.requests import Done, EndAccess
from bot.conversations import hierarchy, holding, mandates
from bot.conversations.days import NOW, WhenStep
from bot.conversations.endsteps import end_steps
from bot.conversations.flow import Asking, Flow, Screen, press
from bot.conversations.holding import HolderStep, called, chosen, lost, spans
from bot.conversations.model import Answers, Button, Door, Json, Row, View
from bot.conversations.named import known, known_person
from bot.conversations.people import rebased
from bot.conversations.place import entity_name, may, place_steps, the_only
from bot.conversations.ports import Context, PersonCard
from bot.conversations.receipts import number_row, recorded, to_portal, to_status
from bot.conversations.steps import Choice, MultiChoice, Option, one_after_another
from bot.errors import Invalid
from bot.msg import Say, m

ACT, FUNCTIONS = "end_access", "end_function"
YES, NO = "yes", "no"
BLOCK, REACTIVATE = "blocked", "active"


def held(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What can be ended."""
    return holding.options(ctx, answers, FUNCTIONS)


def holds_something(ctx: Context, answers: Answers) -> bool:
    return bool(held(ctx, answers))


def only_one_of(options: Sequence[Option]) -> Json:
    """The one thing that the person holds need not be asked."""
    only = the_only(options)
    return [only] if only else None


def things(ctx: Context, answers: Answers) -> frozenset[Thing]:
    """Everything that is to end: what was ticked, and what goes with it."""
    ticked = chosen(ctx, answers, FUNCTIONS)
    if answers.get("along") == YES:
        ticked |= {(FUNCTION, key) for key in idle_functions(ctx, answers)}
    if answers.get("ground") == YES:
        ticked |= {(APPLICATION, key) for key in groundless(ctx, answers)}
    return ticked


def ends_on(answers: Answers) -> date | None:
    """The last day; None for at once."""
    when = answers.get("when", NOW)
    return None if when == NOW else date.fromisoformat(when)


def idle_functions(ctx: Context, answers: Answers) -> tuple[str, ...]:
    """The functions that no application needs once these have ended, where the actor may end functions."""
    card = known_person(ctx, answers)
    if card is None or "when" not in answers:
        return ()
    offered = set(holding.ids(card, ctx, FUNCTIONS).values())
    ticked = chosen(ctx, answers, FUNCTIONS)
    found = idle(ctx.catalogue, spans(card), ticked, ends_on(answers))
    return tuple(key for key in found if (FUNCTION, key) in offered and (FUNCTION, key) not in ticked)


def groundless(ctx: Context, answers: Answers) -> tuple[str, ...]:
    """The applications that would be left without the function that they need."""
    card = known_person(ctx, answers)
    if card is None or "when" not in answers:
        return ()
    return lost(ctx, card, ended(spans(card), chosen(ctx, answers, FUNCTIONS), ends_on(answers)))


def leaves_a_function(ctx: Context, answers: Answers) -> bool:
    return bool(idle_functions(ctx, answers))


def takes_the_ground(ctx: Context, answers: Answers) -> bool:
    return bool(groundless(ctx, answers))


def account_options(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What may become of the account: with nothing to end, only the change itself is a choice."""
    card = known_person(ctx, answers)
    if card is None:
        return []
    block, free = Option(BLOCK, m("ending.block")), Option(REACTIVATE, m("person.reactivate"))
    if not holds_something(ctx, answers):
        return [free if card.ref.status == "blocked" else block]
    return [Option(NO, m("ending.leave")), block]


def empties(ctx: Context, answers: Answers) -> bool:
    """Whether nothing is left of the account, and the actor may block it."""
    card = known_person(ctx, answers)
    if card is None or not may(ctx, card, "block_user"):
        return False
    if not holding.live(card):
        return True
    left = ended(spans(card), things(ctx, answers), None)
    return card.ref.status == "active" and answers.get("when") == NOW and not left


def check_when(ctx: Context, answers: Answers, day: date) -> None:
    """Raises Invalid for a day that moves nothing."""
    check_end(day, starts_on=ctx.today, today=ctx.today)
    card = known_person(ctx, answers)
    ticked = chosen(ctx, answers, FUNCTIONS)
    mine = [span for span in spans(card) if span.thing in ticked] if card else []
    if mine and all(span.ends_on and span.ends_on <= day for span in mine):
        raise Invalid(m("ending.sooner", day=max(span.ends_on for span in mine if span.ends_on)))


@dataclass(frozen=True)
class AlongStep(Choice):
    """The function that is left over, named, and whether it ends too."""

    def screen(self, asking: Asking) -> Screen:
        names = tuple(
            called(asking.ctx, (FUNCTION, key)) for key in idle_functions(asking.ctx, asking.answers)
        )
        screen = super().screen(asking)
        return Screen((m("ending.left_over", what=names), *screen.body), screen.rows)


@dataclass(frozen=True)
class GroundStep(Choice):
    """The accesses that count for nothing without the function: they can only end with it."""

    def screen(self, asking: Asking) -> Screen:
        names = tuple(
            called(asking.ctx, (APPLICATION, key)) for key in groundless(asking.ctx, asking.answers)
        )
        screen = super().screen(asking)
        return Screen((m("ending.no_ground", what=names), *screen.body), screen.rows)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        names = tuple(
            called(asking.ctx, (APPLICATION, key)) for key in groundless(asking.ctx, asking.answers)
        )
        return m("step.list", what=names)


@dataclass(frozen=True)
class AccountStep(Choice):
    """What becomes of an account with nothing left."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        left = holds_something(asking.ctx, asking.answers)
        said = m("ending.empty") if left else m("ending.holds_nothing")
        return Screen((said, *_losses(asking), *screen.body), screen.rows)

    def reads(self, asking: Asking, value: Json) -> Say | None:
        said = super().reads(asking, value)
        lost = _losses(asking) if value == BLOCK else ()
        return one_after_another(said, *lost) if said else None


def _losses(asking: Asking) -> tuple[Say, ...]:
    """Who loses his responsible where this account is blocked, and which mandates go on."""
    account = asking.answers["person"]["account"]
    on = mandates.kept(asking.ctx, asking.answers["entity"], [account])
    return (*hierarchy.losses(asking.ctx, [account]), *on)


def request(ctx: Context, answers: Answers) -> EndAccess:
    """The answers as one request."""
    person, ending = answers["person"], sorted(things(ctx, answers))
    becomes = answers.get("account", NO)
    return EndAccess(
        account=person["account"],
        version=person["version"],
        applications=tuple(key for kind, key in ending if kind == APPLICATION),
        functions=tuple(key for kind, key in ending if kind == FUNCTION),
        ends_on=ends_on(answers),
        becomes="" if becomes == NO else becomes,
    )


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """What was recorded, and when it ends; on a portal entity what is still to do there. Claims no end before that."""
    change = ctx.directory.change(done.number)
    portal = change is not None and change.state == "to_do"
    if portal and change:
        body: tuple[Say, ...] = (m("ending.noted", number=done.number), *end_steps(ctx, change))
    elif done.due is not None:
        last = brussels_day(done.due - timedelta(seconds=1))
        body = (m("ending.recorded_until", number=done.number, day=last),)
    else:
        body = (m("ending.recorded", number=done.number),)
    rows: tuple[Row, ...] = ()
    if answers.get("account") == BLOCK:
        account = answers["person"]["account"]
        body = (*body, *mandates.kept(ctx, answers["entity"], [account]))
        rows = mandates.kept_rows(ctx, answers["entity"], [account])
    return recorded(
        ctx,
        answers,
        body,
        (to_portal(done.number) if portal else to_status(done.number),),
        *rows,
        (Button(m("ending.another"), Door("end", answers["entity"])),),
        number_row(done.number),
    )


def change_rows(ctx: Context, card: PersonCard) -> tuple[Row, ...]:
    """On a person's card: the doors to change and to end, for whoever may; who holds nothing can still be given or blocked."""
    rows: tuple[Row, ...] = ()
    if card.ref.status != "deleted" and may(ctx, card, "give_access"):
        rows = ((press(m("change.title"), "open", f"change:{card.ref.id}", mark="📅"),),)
    if may(ctx, card, ACT):
        rows = (*rows, (press(m("end.title"), "open", f"end:{card.ref.id}", mark="➖"),))
    return rows


PERSON = frozenset({"entity", "quality", "person"})
WHEN = PERSON | {"what", "when"}

END = Flow(
    key="end",
    icon="➖",
    title=m("end.title"),
    steps=(
        *place_steps(ACT, inactive=True),
        HolderStep(
            "person",
            ask=m("ending.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
            function_act=FUNCTIONS,
        ),
        MultiChoice(
            "what",
            ask=m("ending.ask.what"),
            label=m("ending.what"),
            options=held,
            after=PERSON,
            when=holds_something,
            proposes=lambda ctx, answers: only_one_of(held(ctx, answers)) if "person" in answers else None,
            stands=True,
        ),
        WhenStep(
            "when",
            ask=m("ending.ask.when"),
            label=m("ending.when"),
            after=PERSON | {"what"},
            when=holds_something,
            earliest=lambda ctx, _: ctx.today,
            check=check_when,
        ),
        AlongStep(
            "along",
            ask=m("ending.ask.along"),
            label=m("ending.along"),
            options=lambda _, __: [Option(YES, m("ending.along_yes")), Option(NO, m("ending.along_no"))],
            after=WHEN,
            when=leaves_a_function,
        ),
        GroundStep(
            "ground",
            ask=m("ending.ask.ground"),
            label=m("ending.ground"),
            options=lambda _, __: [Option(YES, m("ending.ground_yes"))],
            after=WHEN,
            when=takes_the_ground,
        ),
        AccountStep(
            "account",
            ask=m("ending.ask.account"),
            label=m("ending.account"),
            options=account_options,
            after=WHEN | {"along", "ground"},
            when=empties,
        ),
    ),
    submit=request,
    prefill=lambda ctx, memory, args: known(ctx, memory, args, ACT),
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)

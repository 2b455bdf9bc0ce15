"""Changing one field of a user account: who, which field, what from now on. Pure.

The recap shows what stands there and what will. What a field takes is `access.userfields`' affair; the act reads the answer
again and decides who may (`access.userchange`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

from bot.access.catalogue import Declared
from bot.access.ground import APPLICATION, FUNCTION, Span, Thing, unfit
from bot.access.identifiers import Niss
from bot.access.requests import ChangeUser, Done
from bot.access.userfields import FIELDS, NUMBER, OF_HUMANS, OPTIONAL, read_field
from bot.conversations import functions, hierarchy
from bot.conversations.flow import (
    Accepted,
    Asking,
    Condition,
    Flow,
    Rejected,
    Said,
    Screen,
    Step,
    Verdict,
    press,
)
from bot.conversations.holding import called, live, spans
from bot.conversations.model import Answers, Button, Door, Json, Row, View
from bot.conversations.named import known, known_person
from bot.conversations.people import PersonStep, private_number, rebased
from bot.conversations.persondata import languages
from bot.conversations.place import entity_name, may, place_steps
from bot.conversations.ports import Context, PersonCard
from bot.conversations.receipts import WAY_HOME, recorded, to_portal, when_active
from bot.conversations.steps import Ask, Choice, Option, nothing_in, numbered, one_after_another
from bot.conversations.usernames import UsernameStep
from bot.msg import Msg, Say, m

ACT = "change_user"


@dataclass(frozen=True)
class AccountStep(PersonStep):
    """A user account of the quality, a blocked one too: its data can be corrected."""

    _: KW_ONLY
    newcomers: bool = False
    as_is: bool = True


# -- the field, and what stands in it ------------------------------------------------------------


def stands(card: PersonCard | None, field: str) -> str:
    """What the field holds now, as it is kept; empty for nothing."""
    if card is None:
        return ""
    if field == NUMBER:
        return card.ref.masked
    return str(getattr(card.ref if field in {"username", "profession"} else card, field))


def shown(field: str, value: str) -> Say:
    """A field's content in words."""
    if not value:
        return nothing_in(field)
    if field == NUMBER and value.isdecimal():
        return Niss(value).masked
    words = {"language": m(f"language.{value}"), "profession": m(f"declared.{value}")}
    return words.get(field, value)


def fields(ctx: Context, answers: Answers) -> Sequence[Option]:
    """Every field that can be changed, with what stands in it. A technical user is no human, and has no such data."""
    card = known_person(ctx, answers)
    technical = card is not None and card.type == "technical"
    return [
        Option(
            field,
            m(f"field.{field}"),
            m("edit.line", what=m(f"field.{field}"), value=shown(field, stands(card, field))),
        )
        for field in FIELDS
        if not (technical and field in OF_HUMANS)
    ]


@dataclass(frozen=True)
class FieldStep(Choice):
    """The field; all of them on one card."""

    def screen(self, asking: Asking) -> Screen:
        options = self.options(asking.ctx, asking.answers)
        rows = super().screen(replace(asking, ui={"page": 0})).rows[: len(options)]
        more = super().screen(replace(asking, ui={"page": 1})).rows
        buttons = tuple(row for row in (*rows, *more) if len(row) == 1)
        return Screen(numbered(options), buttons)


def is_field(field: str) -> Condition:
    """The condition that this field was chosen."""
    return lambda _, answers: answers.get("field") == field


@dataclass(frozen=True)
class Corrected(Step):
    """Beside a step: what stands in the field now, refused as an answer, and shown before the new one in the recap."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        now = m("edit.now", value=shown(self.key, stands(known_person(asking.ctx, asking.answers), self.key)))
        return replace(screen, body=(now, *screen.body))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        same = stands(known_person(asking.ctx, asking.answers), self.key)
        if isinstance(verdict, Accepted) and verdict.value == same:
            return Rejected(m("act.user.same"))
        return verdict

    def reads(self, asking: Asking, value: Json) -> Say | None:
        before = stands(known_person(asking.ctx, asking.answers), self.key)
        return m("edit.reads", before=shown(self.key, before), after=shown(self.key, value))


@dataclass(frozen=True)
class TextField(Corrected, Ask):
    """A field that is typed."""


@dataclass(frozen=True)
class NameField(Corrected, UsernameStep):
    """The user name, with free ones to choose from."""


@dataclass(frozen=True)
class NumberField(Corrected, Ask):
    """The national number, typed or given on the private page; somebody else's is refused, and who has it shown where one may."""

    takes_niss: bool = True

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        rows: list[Row] = list(screen.rows)
        if other := asking.ui.get("known"):
            rows.insert(0, (press(m("user.open"), "open", f"user:{other}", mark="👤"),))
        if asking.ctx.settings.pages:
            rows.insert(0, (private_number(asking.ctx),))
        return replace(screen, body=(*screen.body, m("newuser.niss_how")), rows=tuple(rows))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        if not isinstance(verdict, Accepted):
            return verdict
        known = asking.ctx.directory.by_niss(asking.answers["quality"], verdict.value)
        if known is None:
            return verdict
        if known.id == asking.answers["person"]["account"]:
            return Rejected(m("act.user.same"))
        return Rejected(m("newuser.known", name=known.name), {"known": known.id})

    def holds(self, asking: Asking, value: Json) -> bool:
        known = value and asking.ctx.directory.by_niss(asking.answers["quality"], value)
        return super().holds(asking, value) and not known


WRONG, ANOTHER = "wrong", "another"


def replaces_a_number(ctx: Context, answers: Answers) -> bool:
    """Whether a number is known already: it was a mistake, or the person has a new one."""
    return answers.get("field") == NUMBER and bool(stands(known_person(ctx, answers), NUMBER))


@dataclass(frozen=True)
class ChoiceField(Corrected, Choice):
    """A field with a few possible values."""


def parse_as(field: str) -> Ask:
    """The step that asks for a text field."""
    return TextField(
        field,
        ask=m(f"edit.ask.{field}"),
        label=m(f"field.{field}"),
        after=ON_FIELD,
        when=is_field(field),
        optional=nothing_in(field) if field in OPTIONAL else None,
        parse=lambda ctx, _, text: read_field(field, text, ctx.settings.usernames, ctx.today),
    )


def professions(_: Context, __: Answers) -> Sequence[Option]:
    """As the register keeps them: declared, never a licence."""
    return [Option(declared.value, m(f"declared.{declared.value}")) for declared in Declared]


def names_of(ctx: Context, answers: Answers) -> tuple[str, str]:
    """First and last name of the person chosen."""
    card = known_person(ctx, answers)
    return (card.first_name, card.last_name) if card else ("", "")


# -- another profession -------------------------------------------------------------------------

ENDS = "ends"
"""What cannot stay ends; else the answer is the function that keeps it."""


def lost(ctx: Context, answers: Answers) -> tuple[Thing, ...]:
    """What cannot stay with the new profession."""
    card, new = known_person(ctx, answers), answers.get("profession")
    if card is None or not new:
        return ()
    return unfit(ctx.catalogue, card.ref.profession or None, new, spans(card), ctx.today)


def loses(ctx: Context, answers: Answers) -> bool:
    return answers.get("field") == "profession" and bool(lost(ctx, answers))


def takes_functions(things: Sequence[Thing]) -> bool:
    """Whether it is functions that cannot stay, not applications."""
    return any(kind == FUNCTION for kind, _ in things)


def ways(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What can become of that, as far as the actor may: it ends, or a function is given, on which all of it can stay."""
    card, things = known_person(ctx, answers), lost(ctx, answers)
    if card is None or not things:
        return []
    ends = "end_function" if takes_functions(things) else "end_access"
    found = [Option(ENDS, m("ending.ground_yes"))] if may(ctx, card, ends) else []
    if takes_functions(things) or card.ref.status == "blocked" or not may(ctx, card, "assign_function"):
        return found
    keeping = [
        Option(functions.ref(each.key), each.short, m("edit.keeps", name=each.label))
        for each in ctx.catalogue.functions
        if not unfit(
            ctx.catalogue,
            card.ref.profession or None,
            answers["profession"],
            [*spans(card), Span(FUNCTION, each.key, ctx.today)],
            ctx.today,
        )
    ]
    return [*keeping, *found]


def named(ctx: Context, answers: Answers) -> tuple[Say, ...]:
    """What cannot stay, by name."""
    return tuple(called(ctx, thing) for thing in lost(ctx, answers))


@dataclass(frozen=True)
class ProfessionField(ChoiceField):
    """The profession: what the applications held ask of a collaborator is said, and who would have nobody to answer for him."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        card = known_person(asking.ctx, asking.answers)
        held = {each.key for each in live(card) if each.kind == APPLICATION} if card else set()
        return replace(screen, body=(*screen.body, *functions.asked_of_collaborators(asking.ctx, held)))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        if isinstance(verdict, Accepted):
            answers = {**asking.answers, "profession": verdict.value}
            things = lost(asking.ctx, answers)
            if things and not ways(asking.ctx, answers):  # a group or subdivision manager touches no function
                held = m("act.function_held" if takes_functions(things) else "act.function_needed")
                return Rejected(held)
        return verdict

    def reads(self, asking: Asking, value: Json) -> Say | None:
        said = super().reads(asking, value)
        below = hierarchy.losses(asking.ctx, [asking.answers["person"]["account"]])
        return one_after_another(said, *below) if said else None


@dataclass(frozen=True)
class AlongStep(Choice):
    """What cannot stay, named, and what becomes of it."""

    def question(self, asking: Asking) -> Msg:
        return m("ending.ask.ground") if takes_functions(lost(asking.ctx, asking.answers)) else self.ask

    def screen(self, asking: Asking) -> Screen:
        screen, what = super().screen(asking), named(asking.ctx, asking.answers)
        functions_go = takes_functions(lost(asking.ctx, asking.answers))
        said = (
            m("edit.loses_functions", what=what) if functions_go else m("edit.loses_applications", what=what)
        )
        return replace(screen, body=(said, *screen.body))

    def reads(self, asking: Asking, value: Json) -> Say | None:
        what = named(asking.ctx, asking.answers)
        if value == ENDS:
            return m("edit.reads_ends", what=what)
        function = called(asking.ctx, (FUNCTION, functions.key_of(asking.ctx, value)))
        return m("edit.reads_keeps", name=function, what=what)


# -- the dialogue ---------------------------------------------------------------------------------


def request(ctx: Context, answers: Answers) -> ChangeUser:
    """The answers as one request."""
    field, person = answers["field"], answers["person"]
    own = answers.get("why") == ANOTHER
    change = ChangeUser(person["account"], person["version"], field, answers[field], was_own=own)
    match answers.get("along"):
        case None:
            return change
        case "ends":
            return replace(change, ends=True)
        case function:
            return replace(change, function=functions.key_of(ctx, function))


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Under which number; at once here, later where the portal has to be told."""
    noted = m("grant.noted", number=done.number) if done.due is None else m("edit.done", number=done.number)
    if done.due is not None and done.due > ctx.now:  # a function begins with it
        noted = when_active(done.number, done.due, ctx.now)
    opened = Button(m("user.open"), Door("user", done.account), "👤")
    first = to_portal(done.number) if done.due is None else opened
    another: Row = (Button(m("edit.another"), Door("edit", done.account), "✏"),)
    return recorded(ctx, answers, (noted,), (first,), another, WAY_HOME)


ON_FIELD = frozenset({"person", "field"})
EDIT = Flow(
    key="edit",
    icon="✏",
    title=m("edit.title"),
    steps=(
        *place_steps(ACT, none=m("edit.no_entity")),
        AccountStep(
            "person",
            ask=m("edit.ask.person"),
            label=m("field.person"),
            after=frozenset({"entity", "quality"}),
        ),
        FieldStep(
            "field",
            ask=m("edit.ask.field"),
            label=m("edit.field"),
            options=fields,
            after=frozenset({"person"}),
        ),
        *(parse_as(field) for field in ("last_name", "first_name", "title", "email", "local_email")),
        NumberField(
            NUMBER,
            ask=m("edit.ask.niss"),
            label=m("field.niss"),
            after=ON_FIELD | {"quality"},
            when=is_field(NUMBER),
            parse=lambda ctx, _, text: read_field(NUMBER, text, ctx.settings.usernames, ctx.today),
        ),
        Choice(
            "why",
            ask=m("edit.ask.why"),
            label=m("edit.why"),
            options=lambda _, __: [
                Option(WRONG, m("edit.number.wrong"), m("edit.number.wrong_what")),
                Option(ANOTHER, m("edit.number.another"), m("edit.number.another_what")),
            ],
            after=ON_FIELD,
            when=replaces_a_number,
        ),
        NameField(
            "username",
            ask=m("grant.ask.username"),
            label=m("field.username"),
            after=ON_FIELD,
            when=is_field("username"),
            names=names_of,
        ),
        ChoiceField(
            "language",
            ask=m("grant.ask.language"),
            label=m("field.language"),
            after=ON_FIELD,
            when=is_field("language"),
            options=languages,
        ),
        ProfessionField(
            "profession",
            ask=m("grant.ask.profession"),
            label=m("field.profession"),
            after=ON_FIELD,
            when=is_field("profession"),
            options=professions,
        ),
        AlongStep(
            "along",
            ask=m("edit.ask.along"),
            label=m("edit.along"),
            options=ways,
            after=ON_FIELD | {"profession"},
            when=loses,
        ),
    ),
    submit=request,
    prefill=lambda ctx, memory, args: known(ctx, memory, args, ACT),
    subject=entity_name,
    receipt=receipt,
    rebase=rebased,
    needs=ACT,
)

"""Creating a user without giving access yet: all fields of `domain.md` 1.5, most of them proposed and not asked. Pure.

A technical user is a program's account: it has a name, an address and a user name, and nothing that only humans have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.access.catalogue import Declared
from bot.access.identifiers import Niss, parse_niss
from bot.access.requests import CreateUser, Done
from bot.conversations.flow import Accepted, Asking, Flow, Rejected, Said, Screen, Verdict, press
from bot.conversations.model import Answers, Button, Door, Json, Row, View
from bot.conversations.named import prefill
from bot.conversations.people import private_number
from bot.conversations.persondata import language_step, new_user, typed
from bot.conversations.place import entity_name, place_steps
from bot.conversations.ports import Context
from bot.conversations.receipts import WAY_HOME, recorded, to_portal
from bot.conversations.steps import Ask, Choice, Option
from bot.conversations.usernames import UsernameStep, free_names
from bot.msg import Say, m

ACT = "create_user"
HUMAN, TECHNICAL = "user", "technical"
NONE = "none"
"""No profession declared."""


def types(_: Context, __: Answers) -> Sequence[Option]:
    """A human, or a program."""
    return [Option(key, m(f"user.type.{key}"), m(f"newuser.type.{key}")) for key in (HUMAN, TECHNICAL)]


def is_human(_: Context, answers: Answers) -> bool:
    """What only humans have is asked of humans only."""
    return bool(answers.get("type", HUMAN) == HUMAN)


@dataclass(frozen=True)
class NissStep(Ask):
    """The national number, or none; somebody who is a user of the quality already is shown instead."""

    takes_niss: bool = True

    def screen(self, asking: Asking) -> Screen:
        rows: list[Row] = list(super().screen(asking).rows)
        if known := asking.ui.get("known"):
            rows.insert(0, (press(m("user.open"), "open", f"user:{known}", mark="👤"),))
        if asking.ctx.settings.pages:
            rows.insert(0, (private_number(asking.ctx),))
        return Screen((m("newuser.niss_how"),), tuple(rows))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        verdict = super().accept(asking, said)
        if not isinstance(verdict, Accepted) or not verdict.value:
            return verdict
        known = asking.ctx.directory.by_niss(asking.answers["quality"], verdict.value)
        return Rejected(m("newuser.known", name=known.name), {"known": known.id}) if known else verdict

    def reads(self, asking: Asking, value: Json) -> Say | None:
        return Niss(value).masked if value else self.optional

    def holds(self, asking: Asking, value: Json) -> bool:
        known = value and asking.ctx.directory.by_niss(asking.answers["quality"], value)
        return super().holds(asking, value) and not known


@dataclass(frozen=True)
class ProposedName(UsernameStep):
    """The user name; the first free one stands until another is chosen."""

    def propose(self, ctx: Context, answers: Answers) -> Json:
        if "last_name" not in answers:
            return None
        free = free_names(ctx, *self.names(ctx, answers), wanted=1)
        return free[0] if free else None


def professions(_: Context, __: Answers) -> Sequence[Option]:
    """As the register keeps them, or none so far."""
    declared = [Option(each.value, m(f"declared.{each.value}")) for each in Declared]
    return [*declared, Option(NONE, m("newuser.no_profession"))]


def request(_: Context, answers: Answers) -> CreateUser:
    """The answers as one request."""
    user = new_user(answers, answers.get("niss"), kind=answers["type"])
    profession = answers.get("profession", NONE)
    return CreateUser(answers["quality"], user, None if profession == NONE else profession)


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Under which number, what is still missing, and which password comes from where."""
    portal = done.due is None
    noted = m("grant.noted", number=done.number) if portal else m("newuser.done", number=done.number)
    mailed = (m("grant.mailed", name=answers.get("first_name", "")),) if done.mailed else ()
    passwords = (m("user.passwords"),) if is_human(ctx, answers) else ()
    checklist: tuple[Row, ...] = ((to_portal(done.number),),) if portal else ()
    return recorded(
        ctx,
        answers,
        (noted, *mailed, *passwords),
        *checklist,
        (Button(m("grant.title"), Door("grant", done.account), "➕"),),
        (Button(m("user.open"), Door("user", done.account), "👤"),),
        (Button(m("newuser.another"), Door("newuser", answers["entity"])),),
        WAY_HOME,
    )


OF_HUMANS = frozenset({"type"})
NEWUSER = Flow(
    key="newuser",
    icon="➕",
    title=m("newuser.title"),
    steps=(
        *place_steps(ACT, none=m("newuser.no_entity")),
        Choice(
            "type",
            ask=m("newuser.ask.type"),
            label=m("field.type"),
            options=types,
            proposes=lambda _, __: HUMAN,
            stands=True,
        ),
        NissStep(
            "niss",
            ask=m("newuser.ask.niss"),
            label=m("field.niss"),
            after=OF_HUMANS | {"entity", "quality"},
            when=is_human,
            optional=m("newuser.no_niss"),
            parse=lambda ctx, _, text: parse_niss(text, today=ctx.today).digits,
        ),
        replace(typed("last_name"), ask=m("newuser.ask.last_name")),
        typed("first_name", after=OF_HUMANS, when=is_human),
        typed("email"),
        ProposedName(
            "username",
            ask=m("grant.ask.username"),
            label=m("field.username"),
            after=frozenset({"last_name", "first_name"}),
            stands=True,
            names=lambda _, answers: (answers.get("first_name", ""), answers.get("last_name", "")),
        ),
        language_step(),
        typed("title", after=OF_HUMANS, when=is_human),
        typed("local_email"),
        Choice(
            "profession",
            ask=m("grant.ask.profession"),
            label=m("field.profession"),
            after=OF_HUMANS,
            when=is_human,
            options=professions,
            proposes=lambda _, __: NONE,
            stands=True,
        ),
    ),
    submit=request,
    prefill=lambda _, memory, args: prefill(memory, args),
    subject=entity_name,
    receipt=receipt,
    needs=ACT,
)


def newuser_row(ctx: Context) -> tuple[Row, ...]:
    """The door here, for whoever may make users somewhere."""
    if not ctx.directory.entities(ACT):
        return ()
    return ((press(m("newuser.title"), "open", "newuser", mark="➕"),),)

"""One's own data: seen, and changed where they are one's own to change: addresses and language (`product.md` S13). Pure.

A name, a national number and a user name are the manager's: they stand there, and it is said whom to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.access.names import parse_email
from bot.access.requests import ADDRESSES, ChangeOwn, Done
from bot.conversations.flow import Asking, Flow, Rejected, Said, Screen, Verdict, press
from bot.conversations.model import Answers, App, Button, Door, Row, Text, View
from bot.conversations.ports import Context, PersonCard
from bot.conversations.receipts import WAY_HOME
from bot.conversations.session import session_rows, stored_row
from bot.conversations.steps import Ask, Choice, Option, nothing_in
from bot.errors import Invalid
from bot.msg import Msg, Say, m

FIELD = frozenset({"account", "field"})


def own_rows(ctx: Context) -> tuple[Row, ...]:
    """Beside one's own access: the ways to one's data and password."""
    user = bool(profiles(ctx))
    data: tuple[Row, ...] = (
        ((press(m("mydata.title"), "open", "mydata", mark="✏"),),) if user or ctx.directory.entities() else ()
    )
    pages = ctx.settings.pages
    password = ((Button(m("me.password"), App(f"{pages}/app/me"), "🔑"),),) if pages and user else ()
    return (*data, *password)


def profiles(ctx: Context) -> list[PersonCard]:
    """One account of the actor in each entity: what an entity knows of him, it knows once."""
    active = [card for card in ctx.directory.mine() if card.ref.status == "active"]
    return list({card.entity.id: card for card in reversed(active)}.values())[::-1]


def places(ctx: Context, _: Answers) -> Sequence[Option]:
    """The entities that know the actor as a user, by the account there."""
    return [
        Option(card.ref.id, m("entity.label", name=card.entity.name, number=card.entity.number))
        for card in profiles(ctx)
    ]


def own_card(ctx: Context, answers: Answers) -> PersonCard | None:
    """The account chosen, or the only one."""
    return next((card for card in profiles(ctx) if card.ref.id == answers.get("account")), None)


def fields(ctx: Context, answers: Answers) -> Sequence[Option]:
    """What may be changed, with what is recorded now. An address takes a proof, so it takes the private pages."""
    card = own_card(ctx, answers)
    if card is None:
        return []
    values = {"email": card.email, "local_email": card.local_email, "language": card.language}
    return [
        Option(key, m(f"field.{key}"), m("mydata.line", what=m(f"field.{key}"), value=_worded(key, value)))
        for key, value in values.items()
        if ctx.settings.pages or key not in ADDRESSES
    ]


def _worded(key: str, value: str) -> Say:
    return m(f"language.{value}") if key == "language" and value else value or nothing_in(key)


def languages(ctx: Context, answers: Answers) -> Sequence[Option]:
    """The portal's languages, but the one that is recorded."""
    card = own_card(ctx, answers)
    known = card.language if card else ""
    return [Option(lang, m(f"language.{lang}")) for lang in ctx.settings.languages if lang != known]


@dataclass(frozen=True)
class AccountStep(Choice):
    """The entity whose data they are. Whoever is no user anywhere is asked nothing: he sees what is known of him, and where."""

    def question(self, asking: Asking) -> Msg:
        return self.ask if profiles(asking.ctx) else m("mydata.known")

    def screen(self, asking: Asking) -> Screen:
        ctx = asking.ctx
        if profiles(ctx):
            return super().screen(asking)
        name = ctx.actor.name if ctx.actor else ""
        facts: list[tuple[Say, Say]] = [(m("field.person"), name)] if name else []
        facts.append((m("mydata.chat_language"), m(f"language.{ctx.lang}")))
        lines: list[Say] = [m("mydata.line", what=what, value=value) for what, value in facts]
        lines += [
            m("home.entity", name=e.name, number=e.number, role=m(f"role.short.{e.role}"))
            for e in ctx.directory.entities()
        ]
        blocked = bool(ctx.directory.mine())
        lines.append(m("mydata.blocked") if blocked else m("mydata.none"))
        language: Row = (press(m("language.title"), "open", "language"),)
        return Screen(tuple(lines), (*session_rows(ctx)[:1], *stored_row(ctx), language))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        if isinstance(said, Text) and not profiles(asking.ctx):
            return Rejected(m("engine.use_buttons"))
        return super().accept(asking, said)


@dataclass(frozen=True)
class FieldStep(Choice):
    """What to change, under what nobody changes for himself."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        card = own_card(asking.ctx, asking.answers)
        if card is None:
            return screen
        fixed = [(m("field.person"), card.ref.name), (m("field.username"), card.ref.username)]
        fixed.append((m("field.niss"), card.ref.masked))
        lines = tuple(m("mydata.line", what=what, value=value) for what, value in fixed if value)
        return Screen((*lines, m("mydata.fixed"), *screen.body), screen.rows)


def address(key: str) -> Callable[[Context, Answers, str], str]:
    """Reads an address that is not the one recorded."""

    def read(ctx: Context, answers: Answers, text: str) -> str:
        new, card = parse_email(text), own_card(ctx, answers)
        if card and new == getattr(card, key):
            raise Invalid(m("act.user.same"))
        return new

    return read


def is_field(key: str) -> Callable[[Context, Answers], bool]:
    """Whether that is what is changed."""
    return lambda _, answers: answers.get("field") == key


def request(_: Context, answers: Answers) -> ChangeOwn:
    """The one change."""
    return ChangeOwn(answers["account"], answers["field"], answers[answers["field"]])


def entity_of(ctx: Context, answers: Answers) -> Say | None:
    """The entity whose data they are."""
    card = own_card(ctx, answers)
    return card.entity.name if card else None


def receipt(ctx: Context, answers: Answers, done: Done) -> View:
    """Recorded; where the account lives on the portal, its data there are changed there."""
    card = own_card(ctx, answers)
    portal = card is not None and card.entity.delivery == "portal"
    body = (m("mydata.done", number=done.number), *((m("mydata.portal"),) if portal else ()))
    rows: tuple[Row, ...] = ((Button(m("me.title"), Door("me")),), WAY_HOME)
    return View(mark="✔", title=m("mydata.title"), subject=entity_of(ctx, answers), body=body, rows=rows)


MYDATA = Flow(
    key="mydata",
    icon="✏",
    title=m("mydata.title"),
    steps=(
        AccountStep(
            "account",
            ask=m("grant.ask.entity"),
            label=m("field.entity"),
            options=places,
            proposes=lambda ctx, _: only[0].ref.id if len(only := profiles(ctx)) == 1 else None,
            stands=True,
        ),
        FieldStep(
            "field",
            ask=m("mydata.ask.field"),
            label=m("mydata.field"),
            options=fields,
            after=frozenset({"account"}),
        ),
        Ask(
            "email",
            ask=m("mydata.ask.email"),
            label=m("mydata.value"),
            after=FIELD,
            when=is_field("email"),
            parse=address("email"),
        ),
        Ask(
            "local_email",
            ask=m("mydata.ask.local_email"),
            label=m("mydata.value"),
            after=FIELD,
            when=is_field("local_email"),
            optional=nothing_in("local_email"),
            parse=address("local_email"),
        ),
        Choice(
            "language",
            ask=m("mydata.ask.language"),
            label=m("mydata.value"),
            after=FIELD,
            when=is_field("language"),
            options=languages,
        ),
    ),
    submit=request,
    prefill=lambda _, __, args: {"account": args} if args else {},
    subject=entity_of,
    receipt=receipt,
)

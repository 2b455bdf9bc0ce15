"""The data of a new user, asked alike by the dialogues that make one (`domain.md` 1.5). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.access.requests import NewUser
from bot.access.userfields import OPTIONAL, read_field
from bot.conversations.flow import Condition
from bot.conversations.model import Answers, Json
from bot.conversations.ports import Context
from bot.conversations.steps import Ask, Choice, Option, nothing_in
from bot.msg import m

ALWAYS: frozenset[str] = frozenset()


def typed(field: str, *, after: frozenset[str] = ALWAYS, when: Condition | None = None) -> Ask:
    """Asks for a field that is typed; what is optional stays empty until it is edited."""
    optional = field in OPTIONAL
    return Ask(
        field,
        ask=m(f"grant.ask.{field}"),
        label=m(f"field.{field}"),
        after=after,
        when=when,
        optional=nothing_in(field) if optional else None,
        proposes=(lambda _, __: "") if optional else None,
        stands=optional,
        parse=lambda ctx, _, text: read_field(field, text, ctx.settings.usernames, ctx.today),
    )


def languages(ctx: Context, _: Answers) -> Sequence[Option]:
    """Those of the portal."""
    return [Option(lang, m(f"language.{lang}")) for lang in ctx.settings.languages]


def own_language(ctx: Context, _: Answers) -> Json:
    """The manager's own, where the portal has it."""
    return ctx.lang if ctx.lang in ctx.settings.languages else ctx.settings.languages[0]


def language_step(*, after: frozenset[str] = ALWAYS, when: Condition | None = None) -> Choice:
    """Asks for the language; the manager's own stands until it is edited."""
    return Choice(
        "language",
        ask=m("grant.ask.language"),
        label=m("field.language"),
        after=after,
        when=when,
        options=languages,
        proposes=own_language,
        stands=True,
    )


def new_user(answers: Answers, niss: str | None, *, kind: str = "user") -> NewUser:
    """The answers as a new user; who is no human has no first name."""
    return NewUser(
        last_name=answers["last_name"],
        first_name=answers.get("first_name", ""),
        email=answers["email"],
        username=answers["username"],
        language=answers["language"],
        niss=niss or None,
        title=answers.get("title") or None,
        local_email=answers.get("local_email") or None,
        type=kind,
    )

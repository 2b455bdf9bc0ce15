"""The users that a filter shows as a document: what is asked after *Export*, and what is said. Part of `users`. Pure.

The answer to `people` is then everybody whom the filter shows, `{"ids": {}, "all": true, "f": the filter}`.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.access.requests import ExportUsers
from bot.access.rights import Act
from bot.conversations import userfilters
from bot.conversations.model import Answers, Button, Door, Json, View
from bot.conversations.people import found
from bot.conversations.place import entity_name
from bot.conversations.ports import Context
from bot.conversations.receipts import WAY_HOME
from bot.conversations.steps import Choice, Option
from bot.msg import Say, m

ACT = "export"
FULL, MASKED = "full", "masked"


def may(ctx: Context, entity: str, act: Act = Act.EXPORT_USERS) -> bool:
    """Whether the actor may export the users of this entity."""
    return any(each.id == entity for each in ctx.directory.entities(act.value))


def reads(ctx: Context, entity: str, value: Json) -> Say:
    """How many it is about, and what the filter says."""
    total = ctx.directory.users(entity, userfilters.filter_of(value["f"]), size=1).total
    said = (found(total), *userfilters.reads(ctx, entity, value["f"]))
    return m("step.list", what=said)


def forms(_: Context, __: Answers) -> Sequence[Option]:
    """What programs read it."""
    return [Option("xlsx", m("users.export.xlsx")), Option("csv", m("users.export.csv"))]


def columns(_: Context, __: Answers) -> Sequence[Option]:
    """The columns of the portal's list, or all there is."""
    return [
        Option("portal", m("users.export.portal"), m("users.export.portal_is")),
        Option("all", m("users.export.all"), m("users.export.all_is")),
    ]


def numbers(_: Context, __: Answers) -> Sequence[Option]:
    """Whether the national numbers stand there in full."""
    return [Option(MASKED, m("users.export.masked")), Option(FULL, m("users.export.full"))]


def exports(_: Context, answers: Answers) -> bool:
    """Whether this dialogue exports."""
    return answers.get("act") == ACT


def request(ctx: Context, answers: Answers) -> ExportUsers:
    """The answers as one request."""
    return ExportUsers(
        answers["entity"],
        userfilters.filter_of(answers["people"]["f"]),
        answers["form"],
        ctx.lang,
        columns=answers["columns"],
        numbers=answers.get("numbers") == FULL,
    )


def receipt(ctx: Context, answers: Answers) -> View:
    """That the document follows by itself."""
    home = (Button(m("users.title"), Door("users")),), WAY_HOME
    return View(
        mark="📄",
        title=m("users.export.title"),
        subject=entity_name(ctx, answers),
        body=(m("users.export.follows"),),
        rows=home,
    )


STEPS = (
    Choice(
        "form",
        ask=m("users.export.ask.form"),
        label=m("users.export.form"),
        options=forms,
        after=frozenset({"act"}),
        when=exports,
    ),
    Choice(
        "columns",
        ask=m("users.export.ask.columns"),
        label=m("users.export.columns"),
        options=columns,
        after=frozenset({"act"}),
        when=exports,
        proposes=lambda _, __: "portal",
        stands=True,
    ),
    Choice(
        "numbers",
        ask=m("users.export.ask.numbers"),
        label=m("field.niss"),
        options=numbers,
        after=frozenset({"entity", "act"}),
        when=lambda ctx, answers: (
            exports(ctx, answers) and may(ctx, answers.get("entity", ""), Act.EXPORT_NATIONAL_NUMBERS)
        ),
        proposes=lambda _, __: MASKED,
        stands=True,
    ),
)

"""Does it work? Asked once a change was done on the portal; where it does not, it is to do anew. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.access.requests import PROBLEMS, Done, Verify
from bot.conversations.flow import Flow, press
from bot.conversations.model import Answers, Row, View
from bot.conversations.portal import ACT, visit_entity
from bot.conversations.ports import ChangeCard, Context
from bot.conversations.receipts import WAY_HOME, to_portal, to_status
from bot.conversations.steps import Ask, Choice, Option
from bot.errors import Invalid
from bot.msg import m

WORKS, FAILS = "yes", "no"


def change_number(ctx: Context, _: Answers, text: str) -> str:
    """The number of a change that the actor may see."""
    if ctx.directory.sheet(text.strip()) is None:
        raise Invalid(m("status.no_change", number=text.strip()[:20]))
    return text.strip()


def verify_row(ctx: Context, change: ChangeCard) -> tuple[Row, ...]:
    """On a change's page: the question, once it should work."""
    entities = {entity.id for entity in ctx.directory.entities(ACT)}
    if change.state != "active" or change.entity.delivery != "portal" or change.entity.id not in entities:
        return ()
    return ((press(m("verify.button"), "open", f"verify:{change.number}", mark="🔎"),),)


def _verified(_: Context, answers: Answers, done: Done) -> View:
    if answers.get("works") == WORKS:
        row: Row = (to_status(done.number),)
        return View(
            mark="✔",
            title=m("verify.title"),
            body=(m("verify.yes", number=done.number),),
            rows=(row, WAY_HOME),
        )
    row = (to_portal(done.number),)
    return View(
        mark="↩", title=m("verify.title"), body=(m("verify.no", number=done.number),), rows=(row, WAY_HOME)
    )


def _answers(_: Context, __: Answers) -> Sequence[Option]:
    return [Option(WORKS, m("verify.works")), Option(FAILS, m("verify.fails"))]


def _problems(_: Context, __: Answers) -> Sequence[Option]:
    return [Option(key, m(f"verify.problem.{key}")) for key in PROBLEMS]


VERIFY = Flow(
    key="verify",
    icon="🔎",
    title=m("verify.title"),
    steps=(
        Ask("number", ask=m("verify.ask_number"), label=m("field.number"), parse=change_number),
        Choice(
            "works",
            ask=m("verify.ask"),
            label=m("verify.title"),
            options=_answers,
            after=frozenset({"number"}),
        ),
        Choice(
            "problem",
            ask=m("verify.ask_problem"),
            label=m("verify.title"),
            options=_problems,
            after=frozenset({"works"}),
            when=lambda _, answers: answers.get("works") == FAILS,
        ),
    ),
    submit=lambda _, answers: Verify(answers["number"], answers.get("problem")),
    prefill=lambda _, __, args: {"number": args.strip()} if args.strip() else {},
    subject=lambda ctx, answers: visit_entity(ctx, {"visit": answers.get("number")}),
    receipt=_verified,
    recap=False,
    restarts=True,
)

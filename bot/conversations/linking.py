"""The ways in: a button to the private page, and the number of that page to be tapped here. Pure.

The number is the chat's half of the proof (`security.md`, "Against a stolen link"): it is tapped and never typed, since one
try is all there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.access.requests import TapNumber
from bot.conversations.flow import Asking, Flow, Rejected, Said, Screen, Verdict
from bot.conversations.model import Answers, App, Button, Row, Text
from bot.conversations.ports import Context
from bot.conversations.steps import Ask, Choice, Option
from bot.msg import m


def log_in_row(ctx: Context) -> tuple[Row, ...]:
    """*Se connecter*, for whoever is not bound and has no code; nothing where there are no private pages."""
    if not ctx.settings.pages or ctx.actor is not None:
        return ()
    return ((Button(m("lock.log_in"), App(f"{ctx.settings.pages}/app/login"), "🔓"),),)


@dataclass(frozen=True)
class CodeStep(Ask):
    """The invitation's code, with the way in for whoever has none."""

    def screen(self, asking: Asking) -> Screen:
        screen = super().screen(asking)
        return replace(screen, rows=(*screen.rows, *log_in_row(asking.ctx)))


def numbers(ctx: Context, _: Answers) -> Sequence[Option]:
    """What the register offers for this chat, now."""
    return [Option(opaque, shown) for opaque, shown in ctx.directory.numbers_offered()]


@dataclass(frozen=True)
class NumberStep(Choice):
    """The number of the page, tapped: what is typed could mean a place in the list."""

    def screen(self, asking: Asking) -> Screen:
        options = numbers(asking.ctx, asking.answers)
        return super().screen(asking) if options else Screen((m("link.over"),))

    def accept(self, asking: Asking, said: Said) -> Verdict:
        if not numbers(asking.ctx, asking.answers):
            return Rejected(m("link.over"))
        return Rejected(m("link.tap")) if isinstance(said, Text) else super().accept(asking, said)


LINK = Flow(
    key="link",
    icon="🔓",
    title=m("lock.log_in"),
    steps=(NumberStep("number", ask=m("link.ask"), label=m("link.number"), options=numbers, half=True),),
    submit=lambda _, answers: TapNumber(answers["number"]),
    recap=False,
    public=True,
    restarts=True,
    urgent=True,
)

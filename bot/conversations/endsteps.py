"""What is to be done on the portal for an access that ends, as its receipt says it. Pure."""

from __future__ import annotations

from bot.conversations import checklist
from bot.conversations.ports import ChangeCard, Context
from bot.msg import Say

TAKES = frozenset({"end-grant", "end-assignment", "block-user", "delete-user", "unlink-responsible"})
"""The kinds of items that take something away."""


def end_steps(ctx: Context, change: ChangeCard) -> tuple[Say, ...]:
    """The way to the user, then what to do there; the same as on the checklist."""
    sheet = ctx.directory.sheet(change.number)
    if sheet is None:
        return ()
    return (*checklist.way_in(sheet, ctx.catalogue), *checklist.steps([sheet], ctx.catalogue))

"""What is to be done on the portal's screens for an access that ends, line by line. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.access.ground import APPLICATION, FUNCTION
from bot.conversations.holding import called
from bot.conversations.ports import ChangeCard, Context
from bot.msg import Say, m

TAKES = frozenset({"end-grant", "end-assignment", "block-user"})
"""The kinds of items that take something away."""


def end_steps(ctx: Context, change: ChangeCard) -> tuple[Say, ...]:
    """The way to the user, then what to do there."""
    room = m("portal.step.quality") if change.entity.portal == "old" else m("portal.step.group")
    return (
        m("portal.step.log_in"),
        m("portal.step.entity", name=change.entity.name, number=change.entity.number),
        room,
        m("portal.step.find_user", name=change.person, username=change.username or "–"),
        *what_to_take(ctx, change),
    )


def what_to_take(ctx: Context, change: ChangeCard) -> Iterator[Say]:
    """What to untick, to date, to block. The portal has no end date for an application: the day itself is for that."""
    for item in change.items:
        day = item.ends_on or change.recorded_on
        match item.kind:
            case "end-grant" if day > ctx.today:
                yield m("portal.step.untick_on", what=called(ctx, (APPLICATION, item.key)), day=day)
            case "end-grant":
                yield m("portal.step.untick", what=called(ctx, (APPLICATION, item.key)))
            case "end-assignment":
                yield m("portal.step.end_function", name=called(ctx, (FUNCTION, item.key)), day=day)
            case "block-user":
                yield m("portal.step.block")

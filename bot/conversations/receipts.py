"""What stays in the chat once a dialogue is done: no receipt claims more than what was recorded. Pure.

A message that stays has doors and no buttons of the card: those would be old by the time they are tapped.
"""

from __future__ import annotations

from datetime import datetime

from bot.access.periods import begins_later, brussels_day
from bot.conversations.model import Answers, Button, CopyText, Door, Row, View
from bot.conversations.place import entity_name
from bot.conversations.ports import Context
from bot.msg import Msg, Say, m

HOME_DOOR = Button(m("common.home"), Door("home"))
WAY_HOME: Row = (HOME_DOOR,)


def recorded(ctx: Context, answers: Answers, body: tuple[Say, ...], *rows: Row) -> View:
    """What was recorded for a person, and the ways on."""
    return View(title=m("grant.done_title"), subject=entity_name(ctx, answers), body=body, rows=rows)


def on_portal(ctx: Context, answers: Answers) -> bool:
    """Whether what is recorded for the entity is still to do on the portal."""
    entity = ctx.directory.entity(answers["entity"])
    return entity is not None and entity.delivery == "portal"


def to_portal(number: str) -> Button:
    """The door to the checklist of a change."""
    return Button(m("portal.open"), Door("portal", number), "☑")


def to_status(number: str) -> Button:
    """The door to the state of a change."""
    return Button(m("common.status"), Door("status", number))


def number_row(number: str) -> Row:
    """The number to copy, and the way home."""
    return Button(m("common.copy_number"), CopyText(number), "📋"), HOME_DOOR


def when_active(number: str, due: datetime | None, now: datetime) -> Msg:
    """When it is expected to be active: a time for today, a day for later."""
    if due is None:
        return m("grant.noted", number=number)
    if begins_later(due, now):
        return m("grant.recorded_from", number=number, day=brussels_day(due))
    return m("grant.recorded", number=number, due=due)

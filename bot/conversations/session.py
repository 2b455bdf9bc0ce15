"""Being there or not: the card of a locked chat, locking it, and the doors to the private pages; preparing one's return. Pure."""

from __future__ import annotations

from bot.access.requests import Lock
from bot.conversations.flow import Flow, Page, press
from bot.conversations.model import Answers, App, Button, Row
from bot.conversations.ports import Context
from bot.conversations.spans import lasting
from bot.msg import m


def locked(ctx: Context, answers: Answers) -> Page:
    """Nothing of the register, and no name; what was open waits."""
    waiting = (m("lock.waiting"),) if answers.get("below") or answers.get("kept") else ()
    rows: list[Row] = []
    if ctx.settings.pages:
        rows.append((_page(ctx, "login", "lock.log_in", "🔓"),))
    rows.append((press(m("language.title"), "open", "language"), press(m("help.title"), "open", "help")))
    return Page((m("lock.locked"), *waiting), rows=tuple(rows))


LOCKED = Flow(key="locked", icon="🔒", title=m("lock.locked_title"), page=locked, public=True)

LOCK = Flow(key="lock", icon="🔒", title=m("lock.title"), submit=lambda _, __: Lock(), recap=False)


def insecure(ctx: Context) -> bool:
    """Whether the person, once locked out, could not come back by himself."""
    return bool(ctx.settings.pages) and ctx.actor is not None and not ctx.actor.secured


def last_step(ctx: Context, answers: Answers) -> Page:
    """After an invitation: the proof to come back by is set up now, or later, with what that means."""
    name = ctx.settings.provider
    without = m("start.back_else_provider", name=name) if name else m("start.back_else")
    later = () if answers.get("below") else ((press(m("start.later"), "pop"),),)
    return Page(
        (m("start.back_why", time=lasting(ctx.settings.idle)), without), rows=(*way_back_row(ctx), *later)
    )


RETURN = Flow(
    key="return", icon="🔐", title=m("lock.secure"), page=last_step, over=lambda ctx: not insecure(ctx)
)


def way_back_row(ctx: Context) -> tuple[Row, ...]:
    """At home: the way to prepare one's return, while there is none."""
    return ((_page(ctx, "secure", "lock.secure", "🔐"),),) if insecure(ctx) else ()


def session_rows(ctx: Context) -> tuple[Row, ...]:
    """At home: one's own page, and the lock."""
    if not ctx.settings.pages:
        return ()
    return ((_page(ctx, "me", "lock.own_page", "🪪"), press(m("lock.title"), "open", "lock", mark="🔒")),)


def stored_row(ctx: Context) -> tuple[Row, ...]:
    """Beside one's own access: what is stored about oneself, on the private page and never in the chat."""
    return ((_page(ctx, "stored", "me.stored", "🗂"),),) if ctx.settings.pages else ()


def _page(ctx: Context, page: str, label: str, mark: str) -> Button:
    return Button(m(label), App(f"{ctx.settings.pages}/app/{page}"), mark)

"""One's own access: what the person who asks has himself, in each entity. Pure."""

from __future__ import annotations

from bot.conversations import onportal
from bot.conversations.certificates import certificates_row
from bot.conversations.flow import HOME_ROW, Flow, Page
from bot.conversations.model import Answers
from bot.conversations.mydata import own_rows
from bot.conversations.ports import Context
from bot.conversations.session import stored_row
from bot.conversations.wording import held_lines
from bot.msg import Say, m


def mine(ctx: Context, _: Answers) -> Page:
    """What the person who asks has himself, in each entity."""
    rows = (*own_rows(ctx), *certificates_row(ctx), *stored_row(ctx), HOME_ROW)
    return Page(tuple(_own_lines(ctx)) or (m("me.nothing"),), rows=rows)


def own_page(ctx: Context) -> Page:
    """The state of accesses for somebody who manages nothing: his own, and nobody else's."""
    return Page((m("status.own_only"), *(_own_lines(ctx) or [m("me.nothing")])), rows=(HOME_ROW,))


def _own_lines(ctx: Context) -> list[Say]:
    lines: list[Say] = []
    for card in ctx.directory.mine():
        status, username = onportal.status(card), card.ref.username or "–"
        lines.append(m("me.account", entity=card.entity.name, username=username, status=status))
        lines += held_lines(ctx, card)
    return lines


ME = Flow(key="me", icon="👤", title=m("me.title"), page=mine)

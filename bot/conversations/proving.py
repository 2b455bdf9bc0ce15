"""What takes more than a tap: a recap that waits for a fresh proof, and look-ups by number that became too many. Pure.

The proof itself is given on a private page. What is bound to it is the recap as it stands: `shown` holds its words, so that
a proof for one recap is none for another.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from bot.access.identifiers import parse_niss
from bot.access.requests import Request
from bot.conversations import screens
from bot.conversations.flow import Flow
from bot.conversations.frames import Settled
from bot.conversations.model import Frame, View
from bot.conversations.ports import Context
from bot.conversations.wire import view_to_json
from bot.errors import Invalid
from bot.msg import Msg, m


@dataclass(frozen=True, slots=True)
class Unproved:
    """A recap to be confirmed by a proof: as it stands, what it asks for, and the chat's counter."""

    recap: View
    request: Request
    shown: str
    rev: int


def unproved(flow: Flow, frame: Frame, settled: Settled, ctx: Context, *, rev: int) -> Unproved | None:
    """The recap, if that is where the dialogue stands and what it asks for takes a proof."""
    wish = screens.wanted(flow, settled, ctx)
    if wish is None or not screens.takes_proof(wish, ctx):
        return None
    return Unproved(screens.recap(flow, frame, settled, ctx), wish, shown(flow, settled, ctx), rev)


def shown(flow: Flow, settled: Settled, ctx: Context) -> str:
    """The recap in short: the same for the same words, in whatever language they are read."""
    view = view_to_json(screens.recap(flow, Frame(flow.key, settled.answers), settled, ctx))
    text = json.dumps([flow.key, view["subject"], view["facts"]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def too_often(text: str, ctx: Context) -> Msg | None:
    """What to say where this national number may not be looked up now; a wrong one is not looked up, and does not count."""
    try:
        parse_niss(text, today=ctx.today)
    except Invalid:
        return None
    if ctx.directory.may_look_up():
        return None
    return m("proof.lookups") if ctx.settings.pages else m("proof.lookups_wait")

"""A Telegram account was unlinked: the person's other chats are told, and the chat itself, which is a stranger's now. No name in either.

May import: `access`, `conversations` (what a message looks like), `store`, `clock`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from bot import clock
from bot.access.linked import Unlinked
from bot.conversations.model import View
from bot.conversations.wire import view_to_json
from bot.msg import Msg, m
from bot.store import chats, outbox
from bot.store.keys import Keyring


def tell(connection: Connection, keyring: Keyring, binding: str, done: Unlinked, now: datetime) -> None:
    """Lays the notices in the outbox, once for each chat, in that chat's language."""
    _put(connection, keyring, binding, done.chat, m("notice.unlinked_here"), now)
    for chat in done.others:
        if chat != done.chat:
            _put(connection, keyring, binding, chat, m("notice.unlinked"), now)


def _put(
    connection: Connection, keyring: Keyring, binding: str, chat: int, title: Msg, now: datetime
) -> None:
    row = chats.peek(connection, keyring, chat, now)
    payload = {
        "view": view_to_json(View(mark="🔓", title=title)),
        "lang": (row.lang if row else None) or "fr",
        "rev": 0,
        "replaces": None,
    }
    outbox.put(
        connection,
        keyring,
        f"unlinked:{binding}:{chat}",
        chat_id=chat,
        kind="message",
        payload=payload,
        now=now,
        silent=clock.by_night(now),
    )

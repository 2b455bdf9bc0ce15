"""Messages that should not stay in a chat: deleted there after a while, whoever runs then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.store import due, outbox
from bot.store.keys import Keyring

KIND = "fade"
"""The due row that deletes a message."""
SHOWN = timedelta(minutes=15)


def fade(connection: Connection, key: str, now: datetime) -> None:
    """The outbox's message of this key goes from its chat in a while."""
    due.put(connection, f"{KIND}:{key}", KIND, now + SHOWN, {"key": key})


def carry_out(connection: Connection, keyring: Keyring, data: dict[str, Any], now: datetime) -> list[int]:
    """What the due row stands for; the chats where something waits now. A message that never arrived is taken back."""
    found = outbox.withdraw(connection, data["key"], now)
    if found is None:
        return []
    chat, message = found
    outbox.put(
        connection,
        keyring,
        f"{KIND}:{data['key']}",
        chat_id=chat,
        kind="delete",
        payload={"message_id": message},
        now=now,
        urgency=outbox.FIRST,
    )
    return [chat]

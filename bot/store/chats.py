"""The row of a chat: its dialogues, and the card as it should be. The few statements of every turn, built once.

The card is desired state: `want` rises whenever it should change, `shown` follows when Telegram has it; whoever finds
the two apart shows it (again). The turn locks the row, so that two turns of one chat never overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from bot.store import crypto
from bot.store.keys import Keyring
from bot.store.mail import Chat
from bot.store.tables import core
from bot.store.upsert import insert_new

_chats = core(Chat)
_ROW = select(_chats).where(_chats.c.chat_id == bindparam("chat"))
_LOCKED = _ROW.with_for_update()
_CARD = select(_chats.c.card_want, _chats.c.card_shown, _chats.c.card_message_id).where(
    _chats.c.chat_id == bindparam("chat")
)
_SAVE = (
    update(_chats)
    .where(_chats.c.chat_id == bindparam("chat"), _chats.c.version == bindparam("seen"))
    .values(version=_chats.c.version + 1)
)
_SHOWN = (
    update(_chats)
    .where(_chats.c.chat_id == bindparam("chat"), _chats.c.card_shown < bindparam("seq"))
    .values(
        card_shown=bindparam("seq"), card_message_id=bindparam("message"), card_attempts=0, card_next_at=None
    )
)
_APART = _chats.c.card_shown < _chats.c.card_want
_BACK_OFF = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0)
"""Seconds before a card that could not be shown is tried again."""


class Overtaken(Exception):
    """The row changed since it was read: a safety net behind the lock. The turn is done again."""


@dataclass(frozen=True, slots=True)
class ChatRow:
    """A chat as read. `state` is the dialogues' JSON, None where there is none, or none that can still be read."""

    chat_id: int
    telegram_id: int
    lang: str | None
    state: Any
    version: int
    want: int
    mode: str
    shown: int
    message_id: int | None
    blocked: bool

    def __repr__(self) -> str:
        return f"ChatRow({self.chat_id}, version={self.version})"


def load(connection: Connection, keyring: Keyring, chat_id: int, telegram_id: int, now: datetime) -> ChatRow:
    """The chat's row under its lock, made where there is none. An expired or unreadable state is left out."""
    row = connection.execute(_LOCKED, {"chat": chat_id}).one_or_none()
    if row is None:
        insert_new(
            connection, _chats, {**_NEW, "chat_id": chat_id, "telegram_id": telegram_id, "updated_at": now}
        )
        row = connection.execute(_LOCKED, {"chat": chat_id}).one()
    return _read(keyring, row, now)


def peek(connection: Connection, keyring: Keyring, chat_id: int, now: datetime) -> ChatRow | None:
    """The chat's row, not locked."""
    row = connection.execute(_ROW, {"chat": chat_id}).one_or_none()
    return _read(keyring, row, now) if row else None


def save(
    connection: Connection,
    keyring: Keyring,
    row: ChatRow,
    state: Any,
    *,
    rev: int,
    lang: str | None,
    mode: str,
    message_id: int | None,
    now: datetime,
    keep: timedelta,
) -> int:
    """Writes the dialogues and raises the card's `want`, which is returned. Raises Overtaken.

    `mode` is edit, new or none; a card that was to come anew and never did stays so. `message_id` is the message
    that bears the card, None once it became a receipt; `keep` how long an open dialogue lives.
    """
    anew = mode == "edit" and row.mode == "new" and row.shown < row.want
    became = row.message_id is not None and message_id is None
    values = {
        "state": crypto.seal_json(keyring, "state", state, place(row.chat_id)),
        "rev": rev,
        "lang": lang,
        "card_want": row.want + 1,
        "card_mode": "new" if anew else mode,
        "card_message_id": message_id,
        # an earlier card that is noted as shown only now must not take the receipt for the card: the next would delete it
        "card_shown": row.want if became else row.shown,
        "card_next_at": None,
        "card_attempts": 0,
        "state_expires_at": now + keep,
        "updated_at": now,
        "blocked_at": None,
    }
    if not connection.execute(_SAVE.values(**values), {"chat": row.chat_id, "seen": row.version}).rowcount:
        raise Overtaken
    return row.want + 1


def card_of(connection: Connection, chat_id: int) -> tuple[int, bool, int | None] | None:
    """The card that is wanted, whether it is still to be shown, and the message that bears it now."""
    row = connection.execute(_CARD, {"chat": chat_id}).one_or_none()
    return (row.card_want, row.card_shown < row.card_want, row.card_message_id) if row else None


def shown(connection: Connection, chat_id: int, seq: int, message_id: int | None) -> bool:
    """The card `seq` stands in the chat as `message_id`. An older one than is shown changes nothing.

    Returns whether that message is the card now.
    """
    if connection.execute(_SHOWN, {"chat": chat_id, "seq": seq, "message": message_id}).rowcount:
        return True
    now_in = connection.execute(select(_chats.c.card_message_id).where(_chats.c.chat_id == chat_id)).scalar()
    return now_in == message_id


def unshown(connection: Connection, now: datetime, *, limit: int) -> Sequence[int]:
    """Chats whose card is not as it should be, and may be tried now."""
    ready = or_(_chats.c.card_next_at.is_(None), _chats.c.card_next_at <= now)
    found = (
        select(_chats.c.chat_id)
        .where(_APART, ready, _chats.c.blocked_at.is_(None))
        .order_by(_chats.c.updated_at)
        .limit(limit)
    )
    return list(connection.execute(found).scalars())


def failed(connection: Connection, chat_id: int, seq: int, now: datetime, retry_after: float | None) -> None:
    """Showing `seq` failed: not again before Telegram's own delay, else a growing one."""
    attempts = (
        connection.execute(select(_chats.c.card_attempts).where(_chats.c.chat_id == chat_id)).scalar() or 0
    )
    seconds = retry_after if retry_after is not None else _BACK_OFF[min(attempts, len(_BACK_OFF) - 1)]
    later = {"card_attempts": attempts + 1, "card_next_at": now + timedelta(seconds=seconds)}
    connection.execute(
        update(_chats).where(_chats.c.chat_id == chat_id, _chats.c.card_want == seq).values(**later)
    )


def redraw(connection: Connection, chat_id: int, now: datetime) -> None:
    """What the card may show has changed without an event: it is to be shown again, in its place."""
    connection.execute(
        update(_chats)
        .where(_chats.c.chat_id == chat_id, _chats.c.card_mode != "none")
        .values(card_want=_chats.c.card_want + 1, card_next_at=None, card_attempts=0, updated_at=now)
    )


def close(connection: Connection, chat_id: int, now: datetime) -> None:
    """The chat is nobody's any more: its dialogues go, and its card is to be shown anew. `rev` stays: older buttons must stay old."""
    over = update(_chats).where(_chats.c.chat_id == chat_id, _chats.c.state.is_not(None))
    connection.execute(over.values(state=None, version=_chats.c.version + 1))
    redraw(connection, chat_id, now)


def blocked(connection: Connection, chat_id: int, now: datetime) -> None:
    """The person blocked the bot: nothing is shown until something comes from him again."""
    connection.execute(update(_chats).where(_chats.c.chat_id == chat_id).values(blocked_at=now))


def expire(connection: Connection, now: datetime) -> int:
    """Wipes the dialogues that were left open for too long. `rev` stays: older buttons must stay old."""
    over = update(_chats).where(_chats.c.state.is_not(None), _chats.c.state_expires_at <= now)
    return connection.execute(over.values(state=None, version=_chats.c.version + 1)).rowcount


_NEW: dict[str, Any] = {
    "rev": 1,
    "version": 0,
    "card_want": 0,
    "card_mode": "new",
    "card_shown": 0,
    "card_attempts": 0,
}


def _read(keyring: Keyring, row: Any, now: datetime) -> ChatRow:
    state = None
    if row.state is not None and (row.state_expires_at is None or row.state_expires_at > now):
        try:
            state = crypto.unseal_json(keyring, "state", row.state, place(row.chat_id))
        except crypto.Unreadable:
            state = None
    # `rev` never restarts, even where the dialogues are gone: older buttons must stay old
    state = state if state is not None else {"rev": row.rev + 1} if row.version else None
    return ChatRow(
        row.chat_id,
        row.telegram_id,
        row.lang,
        state,
        row.version,
        row.card_want,
        row.card_mode,
        row.card_shown,
        row.card_message_id,
        row.blocked_at is not None,
    )


def place(chat_id: int) -> str:
    """Where a state stands, for its associated data."""
    return f"chats.state:{chat_id}"


def wipe(connection: Connection, keyring: Keyring, speaks: Callable[[str], bool]) -> int:
    """Wipes the open dialogues whose text `speaks` of somebody, and locks all that are open until the transaction ends."""
    states = select(_chats.c.chat_id, _chats.c.state).where(_chats.c.state.is_not(None))
    gone = []
    for row in connection.execute(states.order_by(_chats.c.chat_id).with_for_update()).all():
        try:
            text = crypto.unseal(keyring, "state", row.state, place(row.chat_id)).decode()
        except crypto.Unreadable:
            continue
        if speaks(text):
            gone.append(row.chat_id)
    over = update(_chats).where(_chats.c.chat_id.in_(gone))
    return connection.execute(over.values(state=None, version=_chats.c.version + 1)).rowcount


def forget(connection: Connection, chat_ids: Collection[int]) -> None:
    """The rows of these chats go: whoever writes there again is a stranger."""
    connection.execute(delete(_chats).where(_chats.c.chat_id.in_(chat_ids)))

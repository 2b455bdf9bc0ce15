"""The tables of the chats: the card of each, what came in, what goes out, what is due."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Column, Index, text
from sqlmodel import Field, SQLModel

from bot.store import tables as _tables  # noqa: F401 - sets the naming convention first
from bot.store.types import Big, Blob, Instant, Json


class Chat(SQLModel, table=True):
    """A private chat: its dialogues (encrypted), and the card as it should be (`card_want`) and is (`card_shown`)."""

    __tablename__: ClassVar[str] = "chats"
    chat_id: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    telegram_id: int = Field(sa_type=Big)
    lang: str | None = None
    state: bytes | None = Field(default=None, sa_type=Blob)
    rev: int = 1
    version: int = 0
    card_want: int = 0
    card_mode: str = "new"
    card_shown: int = 0
    card_message_id: int | None = Field(default=None, sa_type=Big)
    card_attempts: int = 0
    card_next_at: datetime | None = Field(default=None, sa_type=Instant)
    state_expires_at: datetime | None = Field(default=None, sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    blocked_at: datetime | None = Field(default=None, sa_type=Instant)


class Incoming(SQLModel, table=True):
    """An update: its body (encrypted) until its turn has committed, its id for 8 days after."""

    __tablename__: ClassVar[str] = "updates"
    __table_args__ = (
        Index(
            "ix_updates_open",
            "lane",
            "update_id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(None, "received_at"),
    )
    update_id: int = Field(sa_column=Column(Big, primary_key=True, autoincrement=False))
    lane: int | None = Field(default=None, sa_type=Big)
    body: bytes | None = Field(default=None, sa_type=Blob)
    received_at: datetime = Field(sa_type=Instant)
    attempts: int = 0
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str | None = None
    reference: str | None = None


class Outgoing(SQLModel, table=True):
    """A message that must arrive, or a deletion that must happen; `key` makes it unique."""

    __tablename__: ClassVar[str] = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_open",
            "urgency",
            "not_before",
            "id",
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(None, "chat_id", "ended_at"),
    )
    id: int | None = Field(default=None, sa_column=Column(Big, primary_key=True, autoincrement=True))
    key: str = Field(unique=True)
    chat_id: int | None = Field(default=None, sa_type=Big)
    kind: str
    payload: bytes = Field(sa_type=Blob)
    silent: bool = False
    urgency: int = 5
    not_before: datetime = Field(sa_type=Instant)
    attempts: int = 0
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    message_id: int | None = Field(default=None, sa_type=Big)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str | None = None


class Due(SQLModel, table=True):
    """Something that becomes due at an instant: an activation, an end. `data` holds ids only."""

    __tablename__: ClassVar[str] = "due"
    __table_args__ = (
        Index(
            "ix_due_open",
            "at",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(Big, primary_key=True, autoincrement=True))
    key: str = Field(unique=True)
    kind: str
    at: datetime = Field(sa_type=Instant)
    data: dict[str, Any] = Field(sa_type=Json)
    attempts: int = 0
    taken_until: datetime | None = Field(default=None, sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str | None = None

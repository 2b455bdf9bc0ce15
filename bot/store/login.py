"""The tables of proof: what somebody knows or has, the sessions that a proof opens, and the private pages.

What could be used to get in is sealed under the person's own data key, or kept as a hash where it is random enough. An
erased person's proofs can be read no more.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.store.ids import new_id
from bot.store.tables import one_of
from bot.store.types import Big, Blob, Instant, Json


class Password(SQLModel, table=True):
    """The password of a user account, for the private page: an argon2id hash, sealed. Not the portal's own password."""

    __tablename__: ClassVar[str] = "passwords"
    account_id: str = Field(primary_key=True, foreign_key="accounts.id")
    hash: bytes = Field(sa_type=Blob)
    set_at: datetime = Field(sa_type=Instant)
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)


class Authenticator(SQLModel, table=True):
    """A mobile app that makes one-time codes (TOTP). `last_step` is the newest time step used: none counts twice."""

    __tablename__: ClassVar[str] = "authenticators"
    id: str = Field(default_factory=new_id, primary_key=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    scope_entity_id: str | None = Field(default=None, foreign_key="entities.id")
    secret: bytes = Field(sa_type=Blob)
    made_at: datetime = Field(sa_type=Instant)
    confirmed_at: datetime | None = Field(default=None, sa_type=Instant)
    last_step: int = Field(default=0, sa_type=Big)
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class RecoveryCode(SQLModel, table=True):
    """A code for whoever lost the phone with the app: good once, kept as a hash."""

    __tablename__: ClassVar[str] = "recovery_codes"
    id: str = Field(default_factory=new_id, primary_key=True)
    authenticator_id: str = Field(foreign_key="authenticators.id", index=True)
    code_hash: str = Field(unique=True)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class ChatSession(SQLModel, table=True):
    """A session in a chat: opened by a proof, of a scope (None: every entity), until it is idle, old, locked or ended."""

    __tablename__: ClassVar[str] = "sessions"
    __table_args__ = (
        one_of("how", "invitation", "oidc", "totp", "recovery", "password"),
        Index(
            "uq_sessions_open",
            "binding_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    binding_id: str = Field(foreign_key="bindings.id", index=True)
    identity_id: str = Field(foreign_key="identities.id", index=True)
    scope_entity_id: str | None = Field(default=None, foreign_key="entities.id")
    how: str
    opened_at: datetime = Field(sa_type=Instant)
    used_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_why: str | None = None


class StepUp(SQLModel, table=True):
    """A fresh proof for exactly one thing: `digest` is of the recap that was shown when it was asked for."""

    __tablename__: ClassVar[str] = "step_ups"
    id: str = Field(default_factory=new_id, primary_key=True)
    session_id: str = Field(foreign_key="sessions.id", index=True)
    digest: str
    how: str
    made_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class Ticket(SQLModel, table=True):
    """A one-time link to a private page, kept as a hash: for what, for whom, and how long. `data` holds ids only."""

    __tablename__: ClassVar[str] = "tickets"
    id: str = Field(default_factory=new_id, primary_key=True)
    token_hash: str = Field(unique=True)
    purpose: str
    identity_id: str | None = Field(default=None, foreign_key="identities.id", index=True)
    account_id: str | None = Field(default=None, foreign_key="accounts.id")
    telegram_id: int | None = Field(default=None, sa_type=Big)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    made_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class Visit(SQLModel, table=True):
    """Somebody on the private pages, for some minutes: known by a key in a cookie, kept as a hash.

    `telegram_id` where the page was opened as a Mini App; `ticket_id` where a one-time link opened it. `data` is
    what the page keeps between two requests, sealed.
    """

    __tablename__: ClassVar[str] = "visits"
    id: str = Field(default_factory=new_id, primary_key=True)
    key_hash: str = Field(unique=True)
    telegram_id: int | None = Field(default=None, sa_type=Big)
    ticket_id: str | None = Field(default=None, foreign_key="tickets.id")
    lang: str | None = None
    data: bytes | None = Field(default=None, sa_type=Blob)
    opened_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class Seen(SQLModel, table=True):
    """Something that is good once (a Mini App's start, an identity provider's answer), by its hash, while it could come again."""

    __tablename__: ClassVar[str] = "seen"
    digest: str = Field(primary_key=True)
    until: datetime = Field(sa_type=Instant, index=True)


class Attempt(SQLModel, table=True):
    """Something that is counted for a person: a look-up by national number, a wrong code."""

    __tablename__: ClassVar[str] = "attempts"
    __table_args__ = (Index(None, "what", "who", "at"),)
    id: str = Field(default_factory=new_id, primary_key=True)
    what: str
    who: str
    at: datetime = Field(sa_type=Instant)


def visit_place(number: str) -> str:
    """Where a visit's data stands, for its associated data."""
    return f"{Visit.__tablename__}.data:{number}"

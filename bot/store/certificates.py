"""The certificates that an entity uses on the portal: facts about them, so that none ends unseen. The files are not kept."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.store.ids import new_id
from bot.store.types import Instant


class KeptCertificate(SQLModel, table=True):
    """A certificate of an entity. Ended by hand or by the one that replaced it; past `ends_at` it is expired without an act."""

    __tablename__: ClassVar[str] = "certificates"
    __table_args__ = (
        Index(
            "uq_certificates_kept",
            "entity_id",
            "fingerprint",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    entity_id: str = Field(foreign_key="entities.id", index=True)
    subject: str
    issuer: str
    fingerprint: str
    begins_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    added_at: datetime = Field(sa_type=Instant)
    replaces: str | None = Field(default=None, foreign_key="certificates.id")
    ended_at: datetime | None = Field(default=None, sa_type=Instant)

"""The tables of who answers for whom, and who stands in for whom, between two days."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from bot.store.ids import new_id
from bot.store.tables import in_order
from bot.store.types import Instant


class Responsibility(SQLModel, table=True):
    """A collaborator's account exercises `function` under the responsibility of another account of the same quality.

    `active_at`: from when it counts; None until a portal's step is marked done.
    """

    __tablename__: ClassVar[str] = "responsibilities"
    __table_args__ = (
        in_order("starts_on", "ends_on"),
        CheckConstraint("account_id <> responsible_id", name="another"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="accounts.id", index=True)
    responsible_id: str = Field(foreign_key="accounts.id", index=True)
    function: str
    starts_on: date
    ends_on: date | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    active_at: datetime | None = Field(default=None, sa_type=Instant)
    change_number: str | None = Field(default=None, foreign_key="changes.number", index=True)

"""The tables of who answers for whom, and who stands in for whom, between two days."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, Connection, bindparam, select
from sqlmodel import Field, SQLModel

from bot.clock import BRUSSELS
from bot.store.ids import new_id
from bot.store.tables import core, in_order
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


class Substitution(SQLModel, table=True):
    """Somebody stands in for a manager in one entity, between two days, with whatever mandates that manager holds there then.

    `account_id` is the deputy's user account, which must be active.
    """

    __tablename__: ClassVar[str] = "substitutions"
    __table_args__ = (
        in_order("since", "until"),
        CheckConstraint("principal_id <> deputy_id", name="another"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    principal_id: str = Field(foreign_key="identities.id", index=True)
    deputy_id: str = Field(foreign_key="identities.id", index=True)
    account_id: str = Field(foreign_key="accounts.id")
    entity_id: str = Field(foreign_key="entities.id", index=True)
    since: date
    until: date
    revoked_at: datetime | None = Field(default=None, sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)


_substitutions = core(Substitution)
_PRINCIPALS = (
    select(_substitutions.c.principal_id)
    .distinct()
    .where(
        _substitutions.c.deputy_id == bindparam("deputy"),
        _substitutions.c.entity_id == bindparam("entity"),
        _substitutions.c.since <= bindparam("day"),
        _substitutions.c.until >= bindparam("day"),
        _substitutions.c.revoked_at.is_(None) | (_substitutions.c.revoked_at > bindparam("at")),
    )
    .order_by(_substitutions.c.principal_id)
)


def principals(connection: Connection, deputy: str, entity: str, at: datetime) -> tuple[str, ...]:
    """For whom somebody stood in, in that entity, at that instant."""
    day = at.astimezone(BRUSSELS).date()
    found = connection.execute(_PRINCIPALS, {"deputy": deputy, "entity": entity, "day": day, "at": at})
    return tuple(found.scalars())

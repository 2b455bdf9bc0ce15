"""Sessions in a chat: a binding says whose Telegram account it is, a session that this person has just proved to be there.

A session is idle after some minutes and old after some hours; then, or when it is locked or ended, the chat shows nothing
of the register until the person proves himself again. Open dialogues stay as they are (`security.md`, "Identity").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from bot.access.periods import brussels_day
from bot.access.rows import BINDINGS, MANDATES, SESSIONS, STEP_UPS, AnyRow
from bot.store import chats, due
from bot.store.ids import new_id

KIND = "lock"
"""The due row that locks a session nobody uses."""
_NOTED = timedelta(seconds=20)
"""How precisely the last use is known: a write in each turn would cost more than it tells."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a session lasts. Without `locking` (no private page to come back in by) it lasts as long as the binding."""

    locking: bool = False
    idle: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=8)

    def ends_at(self, opened_at: datetime, used_at: datetime) -> datetime:
        """When a session that is not used again is over."""
        return min(used_at + self.idle, opened_at + self.longest)


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session as its owner sees it. `how` is the proof; `here` tells that it is the one he looks from."""

    id: str
    how: str
    opened_at: datetime
    used_at: datetime
    here: bool = False


def open_session(
    connection: Connection,
    binding: str,
    *,
    how: str,
    scope: str | None,
    now: datetime,
    rules: SessionRules,
) -> str:
    """A new session of this binding, in place of its open one; the id. `scope` is the entity that the proof is good for."""
    _end(connection, SESSIONS.c.binding_id == binding, now, "replaced")
    identity = connection.execute(select(BINDINGS.c.identity_id).where(BINDINGS.c.id == binding)).scalar_one()
    session = new_id()
    connection.execute(
        insert(SESSIONS).values(
            id=session,
            binding_id=binding,
            identity_id=identity,
            scope_entity_id=scope,
            how=how,
            opened_at=now,
            used_at=now,
        )
    )
    if rules.locking:
        due.put(connection, f"{KIND}:{session}", KIND, rules.ends_at(now, now), {"session": session})
    return session


def open_of(connection: Connection, binding: str, now: datetime, rules: SessionRules) -> AnyRow | None:
    """The session of this binding that counts now, or None."""
    query = select(SESSIONS).where(SESSIONS.c.binding_id == binding, SESSIONS.c.ended_at.is_(None))
    row = connection.execute(query).one_or_none()
    if (
        row is None
        or now >= rules.ends_at(row.opened_at, row.used_at)
        or _mandate_ended(connection, row, now)
    ):
        return None
    return row


def _mandate_ended(connection: Connection, session: AnyRow, now: datetime) -> bool:
    """Whether a mandate of the person ended since he proved himself, by whatever way: its sessions end with it, at once.

    Derived from the mandates, so that no way of ending one can forget it.
    """
    opened, today = brussels_day(session.opened_at), brussels_day(now)
    query = select(MANDATES.c.id).where(
        MANDATES.c.identity_id == session.identity_id,
        or_(
            MANDATES.c.revoked_at > session.opened_at,
            and_(MANDATES.c.revoked_at.is_(None), MANDATES.c.until >= opened, MANDATES.c.until < today),
        ),
    )
    if (
        session.scope_entity_id is not None
    ):  # a mandate over the whole enterprise counts in each of its entities
        here = MANDATES.c.entity_id
        query = query.where(here.is_(None) | (here == session.scope_entity_id))
    return connection.execute(query.limit(1)).first() is not None


def used(connection: Connection, session: str, now: datetime) -> None:
    """Somebody did something in it."""
    connection.execute(
        update(SESSIONS)
        .where(SESSIONS.c.id == session, SESSIONS.c.used_at < now - _NOTED, SESSIONS.c.ended_at.is_(None))
        .values(used_at=now)
    )


def lock(connection: Connection, binding: str, now: datetime) -> None:
    """Ends the session of this binding, by its owner's wish."""
    _end(connection, SESSIONS.c.binding_id == binding, now, "locked")


def end_of_binding(connection: Connection, binding: str, now: datetime, why: str) -> None:
    """Ends the session of a binding that is over."""
    _end(connection, SESSIONS.c.binding_id == binding, now, why)


def end_all(
    connection: Connection,
    identity: str,
    now: datetime,
    why: str,
    *,
    but: str = "",
    reaching: str | None = None,
) -> int:
    """Ends the sessions of a person, except `but`, and has their cards redrawn. How many there were.

    With `reaching` only those whose proof is good for that entity.
    """
    which = [SESSIONS.c.identity_id == identity, SESSIONS.c.id != but, SESSIONS.c.ended_at.is_(None)]
    if reaching is not None:
        which.append(SESSIONS.c.scope_entity_id.is_(None) | (SESSIONS.c.scope_entity_id == reaching))
    bindings = select(SESSIONS.c.binding_id).where(*which)
    shown = connection.execute(select(BINDINGS.c.chat_id).where(BINDINGS.c.id.in_(bindings))).scalars().all()
    ended = connection.execute(update(SESSIONS).where(*which).values(ended_at=now, ended_why=why)).rowcount
    for chat in set(shown):
        chats.redraw(connection, chat, now)
    return ended


def end_one(connection: Connection, identity: str, session: str, now: datetime) -> bool:
    """Ends one session of this person, and has its card redrawn; False where there is none open."""
    query = (
        select(BINDINGS.c.chat_id)
        .join(SESSIONS, SESSIONS.c.binding_id == BINDINGS.c.id)
        .where(SESSIONS.c.id == session, SESSIONS.c.identity_id == identity, SESSIONS.c.ended_at.is_(None))
    )
    chat = connection.execute(query).scalar()
    if chat is None:
        return False
    _end(connection, SESSIONS.c.id == session, now, "ended")
    chats.redraw(connection, chat, now)
    return True


def lock_idle(connection: Connection, data: dict[str, Any], now: datetime, rules: SessionRules) -> None:
    """What the due row stands for: locks the session if nobody used it meanwhile, and has its card redrawn without names."""
    query = (
        select(SESSIONS.c.id, SESSIONS.c.opened_at, SESSIONS.c.used_at, BINDINGS.c.chat_id)
        .join(BINDINGS, BINDINGS.c.id == SESSIONS.c.binding_id)
        .where(SESSIONS.c.id == data["session"], SESSIONS.c.ended_at.is_(None))
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return
    ends_at = rules.ends_at(row.opened_at, row.used_at)
    if rules.locking and ends_at > now:
        # a row is done once it was carried out: what it stands for goes on under the instant that it waits for now
        key = f"{KIND}:{row.id}:{int(ends_at.timestamp())}"
        due.put(connection, key, KIND, ends_at, data)
        return
    _end(connection, SESSIONS.c.id == row.id, now, "idle")
    chats.redraw(connection, row.chat_id, now)


def listed(connection: Connection, identity: str, *, here: str = "") -> tuple[SessionLine, ...]:
    """The person's open sessions, newest first."""
    query = (
        select(SESSIONS.c.id, SESSIONS.c.how, SESSIONS.c.opened_at, SESSIONS.c.used_at)
        .where(SESSIONS.c.identity_id == identity, SESSIONS.c.ended_at.is_(None))
        .order_by(SESSIONS.c.opened_at.desc(), SESSIONS.c.id)
    )
    return tuple(
        SessionLine(row.id, row.how, row.opened_at, row.used_at, row.id == here)
        for row in connection.execute(query)
    )


def _end(connection: Connection, which: Any, now: datetime, why: str) -> None:
    connection.execute(
        update(SESSIONS).where(which, SESSIONS.c.ended_at.is_(None)).values(ended_at=now, ended_why=why)
    )


# -- step-up --------------------------------------------------------------------------------------


def stepped_up(connection: Connection, session: str, digest: str, how: str, now: datetime) -> None:
    """A fresh proof was given for the recap with this digest."""
    connection.execute(
        insert(STEP_UPS).values(id=new_id(), session_id=session, digest=digest, how=how, made_at=now)
    )


FRESH = timedelta(minutes=5)


def use_step_up(connection: Connection, session: str, digest: str, now: datetime) -> bool:
    """Whether there is a fresh proof for exactly this; it is used up with the answer."""
    fresh = (
        select(STEP_UPS.c.id)
        .where(STEP_UPS.c.session_id == session, STEP_UPS.c.digest == digest)
        .where(STEP_UPS.c.used_at.is_(None), STEP_UPS.c.made_at > now - FRESH)
        .limit(1)
    )
    proof = connection.execute(fresh).scalar()
    if proof is None:
        return False
    used_up = update(STEP_UPS).where(STEP_UPS.c.id == proof, STEP_UPS.c.used_at.is_(None)).values(used_at=now)
    return connection.execute(used_up).rowcount == 1

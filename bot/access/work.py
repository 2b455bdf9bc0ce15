"""What an act has at hand, and how what it did is written down: one numbered change, its items, its audit entries.

An act changes the register in the caller's transaction and either does all or raises `Refusal`, in which case the caller
undoes all. The order of locks is the same everywhere: the account, the quality, the subdivision, the mandate, the counter of
changes, the audit's head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, update

from bot.access.catalogue import Catalogue
from bot.access.credentials import UsernamePolicy
from bot.access.due import TO_DO, reminder
from bot.access.periods import brussels_day, end_instant
from bot.access.rights import Act, MandateScope, Target, require
from bot.access.rows import CHANGES, ITEMS
from bot.access.sessions import SessionRules
from bot.access.standing import Session, mandates_of
from bot.errors import NotAllowed, Refusal
from bot.msg import Msg, m
from bot.store import audit
from bot.store.counters import next_number
from bot.store.ids import new_id
from bot.store.keys import Keyring

CREATE_USER, CHANGE_USER, REACTIVATE_USER = "create-user", "change-user", "reactivate-user"
GRANT, ASSIGNMENT = "grant", "assignment"
END_GRANT, END_ASSIGNMENT, BLOCK_USER = "end-grant", "end-assignment", "block-user"
APPOINT, REPLACE, END_MANAGER = "appoint-manager", "replace-manager", "end-manager"
DELETE_USER = "delete-user"
DEPUTY, END_DEPUTY = "appoint-deputy", "end-deputy"
LINK, UNLINK = "link-responsible", "unlink-responsible"
ACTIVATE_QUALITY = "activate-quality"
CREATE_WARD, RENAME_WARD = "create-subdivision", "rename-subdivision"
MOVE_WARD, CLOSE_WARD = "move-subdivision", "close-subdivision"
"""The kinds of items of a change."""
WARD_KINDS = frozenset({CREATE_WARD, RENAME_WARD, MOVE_WARD, CLOSE_WARD})
"""The object is a subdivision, the key its name: a place's name is nobody's data."""
APPLICATION, FUNCTION = "application", "function"
"""What a grant and an assignment give."""


AnyRow = Row[*tuple[Any, ...]]


@dataclass(slots=True)
class Insider:
    """What an act found out while it asked for its rights; `insider` writes it."""

    alone: bool = False
    """The actor acts on his own user, since nobody else could."""


@dataclass(frozen=True, slots=True)
class Work:
    """One turn's means: the transaction, the keys, who acts from where, and when.

    `session` is None for a stranger, who can only join. `today` is the Brussels day of `now`.
    """

    connection: Connection
    keyring: Keyring
    session: Session | None
    telegram_id: int
    chat_id: int
    now: datetime
    today: date
    catalogue: Catalogue
    activation_delay: timedelta = timedelta(minutes=20)
    usernames: UsernamePolicy = field(default_factory=UsernamePolicy)
    sessions: SessionRules = field(default_factory=SessionRules)
    mails: bool = False
    """Whether mail can be sent."""
    desk: bool = False
    """Whether there is a help desk to write to."""
    insider: Insider = field(default_factory=Insider)
    withdrawn: list[AnyRow] = field(default_factory=list)
    """Items that the act took back before they came about; `audited` says so."""

    @property
    def actor(self) -> Session:
        """Who acts; raises NotAllowed for a stranger."""
        if self.session is None:
            raise NotAllowed(NOT_ALLOWED)
        return self.session

    def mandates(self) -> tuple[MandateScope, ...]:
        """The actor's mandates in this session, read anew: they may have ended since the card was shown."""
        return mandates_of(self.connection, self.actor)

    def require(self, act: Act, target: Target) -> None:
        """Raises NotAllowed unless one of these mandates allows the act there, today (`rights.require`)."""
        require(self.mandates(), act, target, actor=self.actor.identity, today=self.today)


NOT_ALLOWED = m("rights.not_allowed")
"""The same for what is not there and what is not the actor's."""


class Declined(Refusal):
    """A refusal that another answer to one step of the dialogue would lift."""

    def __init__(self, msg: Msg, step: str) -> None:
        super().__init__(msg)
        self.step = step


@dataclass(frozen=True, slots=True)
class Item:
    """One thing done: to which account, on which row, for which application or function.

    `before` and `after` hold ids, keys and ISO days, never names; `due` is when it takes effect, None while that is
    not known; `settled` says that it has taken effect already. `personal` goes into the audit under the subject's key.
    """

    kind: str
    account: str | None
    object: str
    subject: str | None
    key: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    due: datetime | None = None
    settled: bool = False
    personal: str | None = None


def open_change(work: Work, kind: str, entity: str, quality: str | None) -> str:
    """A new change of the actor, with the next number of this year in Brussels; the number."""
    number = next_number(work.connection, brussels_day(work.now).year)
    work.connection.execute(
        insert(CHANGES).values(
            number=number,
            entity_id=entity,
            quality_id=quality,
            author_id=work.actor.identity,
            kind=kind,
            source="chat",
            recorded_at=work.now,
            chat_id=work.chat_id,
        )
    )
    return number


def add_items(work: Work, number: str, items: Sequence[Item], *, version: int | Sequence[int]) -> None:
    """The items of the change; `version` is the account's after it (one for each item where they are about several), by
    which a later manager sees what happened.
    """
    versions = [version] * len(items) if isinstance(version, int) else version
    rows = [
        {
            "id": new_id(),
            "change_number": number,
            "position": position,
            "kind": item.kind,
            "account_id": item.account,
            "object_id": item.object,
            "subject_id": item.subject,
            "key": item.key,
            "before": item.before,
            "after": {**(item.after or {}), "account_version": versions[position]},
            "delivery": "active" if item.settled else "recorded",
            "due_at": item.due,
            "active_at": work.now if item.settled else None,
            "version": 1,
        }
        for position, item in enumerate(items)
    ]
    work.connection.execute(insert(ITEMS), rows)
    waiting = [item for item in items if item.due is None and not item.settled]  # to be done on the portal
    if waiting:
        reminder(work.connection, TO_DO, number, max(work.now, *map(_to_do_from, waiting)))


def withdraw(work: Work, *which: ColumnElement[bool]) -> Sequence[AnyRow]:
    """Takes back those of these items that were recorded and have not come about yet: they never will. Says which."""
    gone = update(ITEMS).where(*which, ITEMS.c.undone_at.is_(None))
    gone = gone.where(ITEMS.c.delivery.in_(("recorded", "delivered")))
    taken = gone.values(undone_at=work.now, version=ITEMS.c.version + 1).returning(ITEMS)
    rows = sorted(work.connection.execute(taken), key=lambda row: (row.change_number, row.position))
    work.withdrawn.extend(rows)
    return rows


def at_once(after: Mapping[str, Any] | None) -> bool:
    """Whether an end came in the moment when it was recorded (`revoked_at`: as ends of several people were once noted)."""
    return bool(after and (after.get("revoked") or after.get("revoked_at")))


def _to_do_from(item: Item) -> datetime:
    """The instant from which it can be done: an application that ends on a day is unticked on that day's evening."""
    dated = item.kind == END_GRANT and not at_once(item.after)
    day = (item.after or {}).get("ends_on") if dated else None
    return (
        end_instant(date.fromisoformat(day)) - timedelta(hours=6) if day else datetime.min.replace(tzinfo=UTC)
    )


def audited(work: Work, entity: str, number: str, items: Sequence[Item]) -> None:
    """An audit entry for each item, and for each that was withdrawn by the act; last in the transaction, since it locks the entity's chain.

    What somebody does to his own user, being alone, is marked: in the entry, and on the change for whoever reads it here.
    """
    own = {item.object for item in items if work.insider.alone and item.subject == work.actor.identity}
    if own:
        work.connection.execute(update(CHANGES).where(CHANGES.c.number == number).values(own=True))
    for item in items:
        body: dict[str, Any] = {
            "kind": item.kind,
            "account": item.account,
            "object": item.object,
            "key": item.key,
        }
        body |= {"before": item.before, "after": item.after}
        body |= {"own": True} if item.object in own else {}
        entry = audit.Entry(
            act=item.kind,
            actor=work.actor.identity,
            subject=item.subject,
            change=number,
            body=body,
            personal=item.personal,
        )
        audit.append(work.connection, work.keyring, entity, entry, work.now)
    for row in work.withdrawn:
        gone = {"item": row.id, "kind": row.kind, "by": number}
        entry = audit.Entry("withdrawn", work.actor.identity, row.subject_id, row.change_number, gone)
        audit.append(work.connection, work.keyring, entity, entry, work.now)
    work.withdrawn.clear()

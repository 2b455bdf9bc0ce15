"""What is due, whoever made it so: activations and ends, mail that waits, cards that are not shown, what may be forgotten.

Everything is rows, so any process may do it, several at once, and nothing is lost while none runs. Each row is carried
out in one transaction with the note that it is done; a notice is laid in the outbox there too, once for its key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from bot import clock
from bot.access import activation, keptcertificates, sessions, visits
from bot.access.due import END, REVOKED
from bot.access.sessions import SessionRules
from bot.errors import DatabaseUnavailable, OperatorError, where
from bot.notices import tell
from bot.store import chats, due, fading, inbox, leases, outbox
from bot.store.database import Database
from bot.store.due import Task
from bot.store.keys import Keyring

log = structlog.get_logger(__name__)

PAUSE = 0.5
"""Seconds between two looks."""
BATCH = 50
FIRST = (REVOKED, sessions.KIND, fading.KIND, END)
"""The kinds of due rows that go before all others, in this order: what takes away before what gives."""
KEPT = timedelta(days=8)
"""How long ids of updates and ended rows are kept: longer than Telegram would deliver an update again."""
TIDY_EVERY = timedelta(hours=1)
_LONGEST = 600.0
_LONGEST_PAUSE = 2.0
"""Seconds between two looks while they fail: the database may be back at any moment."""


class Face(Protocol):
    """Telegram, as the worker needs it."""

    async def deliver_due(self, limit: int = BATCH) -> int:
        """Delivers what waits in the outbox; how many rows there were."""
        ...

    async def show_due_cards(self, limit: int = BATCH) -> int:
        """Shows the cards that are not as they should be; how many there were."""
        ...

    async def deliver_chat(self, chat_id: int) -> None:
        """Delivers what waits for one chat."""
        ...


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do at the start and then every so often, in a thread: retention, an anchor of the audit trail.

    It may be done by several processes, and again.
    """

    name: str
    every: timedelta
    do: Callable[[], object]


class Worker:
    """Does what is due until it is told to stop."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        face: Face,
        *,
        pause: float = PAUSE,
        kept: timedelta = KEPT,
        rules: SessionRules | None = None,
        chores: Sequence[Chore] = (),
    ) -> None:
        self._rules = rules or SessionRules()
        self._database = database
        self._keyring = keyring
        self._face = face
        self._pause = pause
        self._kept = kept
        self._tidied: datetime | None = None
        self._chores = {chore: datetime.min.replace(tzinfo=UTC) for chore in chores}

    async def run(self, stop: asyncio.Event) -> None:
        """Looks again and again. While the database is away it waits; whatever else fails is noted, and tried again."""
        failures = 0
        while not stop.is_set():
            try:
                more = await self.once()
                failures = 0
                if more:
                    continue
            except DatabaseUnavailable as away:
                failures += 1
                log.warning("database_away", reason=str(away))
            except Exception as error:  # noqa: BLE001 - one failure must not end what is due for everybody
                failures += 1
                _note("worker_failed", error)
            try:
                async with asyncio.timeout(min(self._pause * 2**failures, _LONGEST_PAUSE)):
                    await stop.wait()
            except TimeoutError:
                continue

    async def once(self) -> bool:
        """One look at everything; whether there may be more. The reading first: a look that finds nothing writes nothing.

        After an outage there is much of everything; so a batch of each at a time, and none waits for all of another.
        """
        tasks, mail, cards = await asyncio.to_thread(self._look)
        if tasks:
            for chats_told in await asyncio.to_thread(self.carry_out):
                await asyncio.gather(*map(self._face.deliver_chat, chats_told))
        if mail:
            mail = await self._face.deliver_due(BATCH) == BATCH
        if cards:
            await self._face.show_due_cards(BATCH)
        if self._tidied is None or clock.now() - self._tidied >= TIDY_EVERY:
            await asyncio.to_thread(self.tidy)
        for chore, when in self._chores.items():
            if clock.now() >= when:
                await asyncio.to_thread(self._do, chore)
        return tasks or mail

    def _do(self, chore: Chore) -> None:
        """A chore that fails is noted and waits an hour; what is due does not wait for it."""
        self._chores[chore] = clock.now() + min(chore.every, TIDY_EVERY)
        try:
            chore.do()
        except DatabaseUnavailable:
            raise
        except OperatorError as error:
            log.error("chore_failed", kind=chore.name, reason=str(error))  # noqa: TRY400 - its line says all
        except Exception as error:  # noqa: BLE001 - the others are due all the same
            _note("chore_failed", error)
        else:
            self._chores[chore] = clock.now() + chore.every

    def _look(self) -> tuple[bool, bool, bool]:
        now = clock.now()
        if lost := frozenset(self._database.lost):
            with self._database.write() as connection:
                due.give_back(connection, lost)
                outbox.give_back(connection, lost)
            self._database.lost -= lost
        with self._database.read() as connection:
            return (
                due.waiting(connection, now),
                outbox.waiting(connection, now),
                bool(chats.unshown(connection, now, limit=1)),
            )

    def carry_out(self) -> list[list[int]]:
        """Carries out what is due now; the chats for which a notice waits, those that are told of a loss before the others."""
        losses: list[int] = []
        others: list[int] = []
        now = clock.now()
        with leases.noted(self._database.lost, now):
            with self._database.write() as connection:
                tasks = due.take(connection, now, limit=BATCH, first=FIRST)
            for task in tasks:
                try:
                    (losses if task.kind == REVOKED else others).extend(self._one(task))
                except DatabaseUnavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - the others are due all the same
                    self._failed(task, error)
        return [list(dict.fromkeys(told)) for told in (losses, others) if told]

    def _one(self, task: Task) -> list[int]:
        now = clock.now()
        with self._database.write() as connection:
            if not due.done(connection, task.id, now):
                return []
            if task.kind == sessions.KIND:
                sessions.lock_idle(connection, task.data, now, self._rules)
                return []
            if task.kind == fading.KIND:
                return fading.carry_out(connection, self._keyring, task.data, now)
            if task.kind == keptcertificates.WARN:
                warning = keptcertificates.warn(connection, task.data, now)
                return tell(connection, self._keyring, warning, now) if warning else []
            notice = activation.run(connection, self._keyring, task.kind, task.data, now)
            return tell(connection, self._keyring, notice, now) if notice else []

    def _failed(self, task: Task, error: Exception) -> None:
        kind = type(error).__name__
        _note("due_failed", error)
        wait = timedelta(seconds=min(2.0 ** (task.attempts + 1), _LONGEST))
        with self._database.write() as connection:
            due.later(connection, task.id, clock.now() + wait, kind)

    def tidy(self) -> None:
        """Forgets what nobody needs any more: old ids of updates, ended rows, dialogues left open too long."""
        now = clock.now()
        with self._database.write() as connection:
            inbox.prune(connection, now - self._kept)
            outbox.prune(connection, now - self._kept)
            due.prune(connection, now - self._kept)
            chats.expire(connection, now)
            visits.prune(connection, now, self._kept)
        self._tidied = now


def _note(event: str, error: Exception) -> None:
    """One line of the log, without the error's text: that may hold what a person wrote."""
    log.error(event, error=where(error))

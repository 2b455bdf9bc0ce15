"""Whether another copy of the bot works on this database, and what a dead one held.

What a process has taken (mail, what is due) is its own until a loan ends. A process that was killed in between keeps
its loans for that minute, although nobody works on them. So a bot that finds itself alone at its start ends all loans:
the receipt that its forerunner had in hand goes out at once. On PostgreSQL each copy holds a shared lock as long as it
lives; whoever can have it for himself alone is alone. An SQLite file has one bot only. A copy that lost its connection is
not seen; the price is a message that is repeated.
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError

from bot.store.database import Database
from bot.store.mail import Due, Outgoing
from bot.store.tables import core

_KEY = 7_241_126
"""Of the advisory lock; any number that nobody else uses in this database."""
_outbox, _due = core(Outgoing), core(Due)


class Presence:
    """This process, as the others on the same database see it, until `close`."""

    def __init__(self, database: Database) -> None:
        self._held: Connection | None = None
        if database.sqlite:
            _end_loans(database)
            return
        with database.guarded():
            self._held = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            alone = self._held.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}).scalar_one()
            if alone:
                _end_loans(database)
            self._held.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _KEY})
            if alone:
                self._held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})

    def close(self) -> None:
        """From now on this process is not there."""
        if self._held is None:
            return
        held, self._held = self._held, None
        with suppress(DBAPIError):  # a database that is away has let go already
            held.execute(text("SELECT pg_advisory_unlock_all()"))  # at once: a session's end takes its time
        held.invalidate()
        held.close()


def _end_loans(database: Database) -> None:
    with database.write() as connection:
        for table, open_rows in ((_outbox, _outbox.c.ended_at.is_(None)), (_due, _due.c.done_at.is_(None))):
            lent = update(table).where(open_rows, table.c.taken_until.is_not(None))
            connection.execute(lent.values(taken_until=None))

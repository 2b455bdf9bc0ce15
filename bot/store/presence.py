"""Whether another copy of the bot works on this database, and what a dead one held.

What a process has taken (mail, what is due) is its own until a loan ends. A process that was killed in between keeps
its loans for that minute, although nobody works on them. So a bot that finds itself alone at its start ends all loans:
the receipt that its forerunner had in hand goes out at once. On PostgreSQL each copy holds a shared lock as long as it
lives; whoever can have it for himself alone is alone. A copy that lost its connection is not seen; the price is a message
that is repeated.

An SQLite file has one bot only: a second one is told so at its start, before it touches anything. It is the operating
system that holds that lock, on a file beside the database, so that it goes with the process, however that ends.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError

from bot.errors import ConfigurationError
from bot.store.database import Database
from bot.store.mail import Due, Outgoing
from bot.store.tables import core

_KEY = 7_241_126
"""Of the advisory lock; any number that nobody else uses in this database."""
_outbox, _due = core(Outgoing), core(Due)
NOT_ALONE = "A bot is running on the database at {url} already: an SQLite file has one at a time. End it first, or use PostgreSQL for several."


class Presence:
    """This process, as the others on the same database see it, until `close`; touches no table before `takes_over`.

    Raises ConfigurationError where another bot runs on the same SQLite file.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Connection | None = None
        self._file: IO[str] | None = None
        if database.sqlite:
            self._file = _locked(database)
            self._alone = True
            return
        with database.guarded():
            self._held = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            query = text("SELECT pg_try_advisory_lock(:key)")
            self._alone = bool(self._held.execute(query, {"key": _KEY}).scalar_one())
            if not self._alone:
                self._held.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _KEY})

    def takes_over(self) -> None:
        """Whoever is alone ends all loans; from then on others may come."""
        if self._alone:
            _end_loans(self._database)
        if self._alone and self._held is not None:
            with self._database.guarded():
                self._held.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _KEY})
                self._held.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _KEY})

    def close(self) -> None:
        """From now on this process is not there."""
        if self._file is not None:
            self._file.close()
        if self._held is None:
            return
        held, self._held = self._held, None
        with suppress(DBAPIError):  # a database that is away has let go already
            held.execute(text("SELECT pg_advisory_unlock_all()"))  # at once: a session's end takes its time
        held.invalidate()
        held.close()


def _locked(database: Database) -> IO[str]:
    """The open file whose lock says that this bot is there."""
    path = Path(f"{database.url.database}.lock")
    try:
        path.touch(mode=0o600)
        file = path.open("a", encoding="ascii")
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written ({error.strerror}): check who owns its folder."
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise ConfigurationError(NOT_ALONE.format(url=database.url.render_as_string())) from None
    return file


def _end_loans(database: Database) -> None:
    with database.write() as connection:
        for table, open_rows in ((_outbox, _outbox.c.ended_at.is_(None)), (_due, _due.c.done_at.is_(None))):
            lent = update(table).where(open_rows, table.c.taken_until.is_not(None))
            connection.execute(lent.values(taken_until=None))

"""Whose turn it is to draw in a chat, where several copies of the bot work on one database.

What the turns commit is in order whoever works them; what Telegram shows is not, unless one copy at a time sends and edits in
a chat. On PostgreSQL a copy holds an advisory lock of the chat while it does: no transaction stays open over a call, and a
copy that dies lets go. An SQLite file has one bot only, and nothing to ask.

While the database is away everybody goes on without: a card out of order is drawn again, a change is not at stake.
"""

from __future__ import annotations

from contextlib import suppress
from threading import Lock

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.errors import DatabaseUnavailable
from bot.store.database import Database

_KIND = 7_241_127
"""Of these locks among all advisory locks of the database; the chat is the second half of the key."""
_HALF = 0x7FFF_FFFF
_TAKE = text(f"SELECT pg_try_advisory_lock({_KIND}, :chat)")
_GIVE = text(f"SELECT pg_advisory_unlock({_KIND}, :chat)")


class Screens:
    """The chats in which this copy draws just now; each is taken and given back by one task at a time. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self.shared = not database.sqlite
        """Whether other copies may be there."""
        self._database = database
        self._lock = Lock()
        self._held: Connection | None = None

    def take(self, chat_id: int) -> bool:
        """Whether the chat is this copy's now; True too where the database cannot say."""
        with self._lock:
            try:
                return bool(self._asks(_TAKE, chat_id))
            except DatabaseUnavailable:
                return True

    def give(self, chat_id: int) -> None:
        """The chat is anybody's again."""
        with self._lock:
            if self._held is not None:  # else the lock went with its connection
                with suppress(DatabaseUnavailable):
                    self._asks(_GIVE, chat_id)

    def close(self) -> None:
        """Lets go of all."""
        with self._lock:
            self._drop()

    def _asks(self, statement: object, chat_id: int) -> object:
        try:
            with self._database.guarded():
                if self._held is None:
                    held = self._database.engine.connect()
                    self._held = held.execution_options(isolation_level="AUTOCOMMIT")
                return self._held.execute(statement, {"chat": chat_id & _HALF}).scalar_one()  # type: ignore[call-overload]
        except DatabaseUnavailable:
            self._drop()
            raise

    def _drop(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.invalidate()
            with suppress(DBAPIError):
                held.close()

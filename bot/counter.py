"""The register behind the turn's `Counter` port: sessions, what they see, and what they do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from bot import clock
from bot.access import acts, standing
from bot.access.catalogue import Catalogue
from bot.access.credentials import UsernamePolicy
from bot.access.directory import RegisterDirectory
from bot.access.requests import Outcome, Request
from bot.access.rows import catalogue_of
from bot.access.work import Work
from bot.conversations.ports import Actor, Directory
from bot.store.keys import Keyring
from bot.turn import Incoming


class RegisterCounter:
    """Implements `turning.Counter` over the store. A session follows from the binding, and is read anew in each turn."""

    def __init__(
        self, keyring: Keyring, *, delay: timedelta, usernames: UsernamePolicy | None = None
    ) -> None:
        self._keyring = keyring
        self._delay = delay
        self._usernames = usernames or UsernamePolicy()

    def actor(self, connection: Connection, telegram_id: int) -> Actor | None:
        """Who this Telegram account is bound to."""
        session = standing.session_of(connection, telegram_id)
        return Actor(session.identity, standing.name_of(connection, session)) if session else None

    def directory(self, connection: Connection, telegram_id: int) -> Directory:
        """What the session of this Telegram account may see."""
        session = standing.session_of(connection, telegram_id)
        catalogue = catalogue_of(connection)
        return RegisterDirectory(
            connection, self._keyring, session, today=clock.today(), now=clock.now(), catalogue=catalogue
        )

    def catalogue(self, connection: Connection) -> Catalogue:
        """The built-in catalogue with the operator's entries."""
        return catalogue_of(connection)

    def perform(self, connection: Connection, incoming: Incoming, request: Request) -> Outcome:
        """Does it within the mandate, or says why not."""
        work = Work(
            connection=connection,
            keyring=self._keyring,
            session=standing.session_of(connection, incoming.telegram_id),
            telegram_id=incoming.telegram_id,
            chat_id=incoming.chat_id,
            now=clock.now(),
            today=clock.today(),
            catalogue=catalogue_of(connection),
            activation_delay=self._delay,
            usernames=self._usernames,
        )
        return acts.perform(work, request)

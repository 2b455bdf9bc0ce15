"""The register behind the turn's `Counter` port: sessions, what they see, and what they do."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from bot import clock
from bot.access import acts, proofs, sessions, standing, stepup
from bot.access.catalogue import Catalogue
from bot.access.credentials import UsernamePolicy
from bot.access.directory import RegisterDirectory
from bot.access.requests import Outcome, Request
from bot.access.rows import catalogue_of
from bot.access.sessions import SessionRules
from bot.access.standing import Session
from bot.access.work import Work
from bot.conversations.ports import Actor, Directory
from bot.store.keys import Keyring
from bot.turn import Incoming


class RegisterCounter:
    """Implements `turning.Counter` over the store. A session follows from the binding, and is read anew in each turn."""

    def __init__(
        self,
        keyring: Keyring,
        *,
        delay: timedelta,
        usernames: UsernamePolicy | None = None,
        sessions: SessionRules | None = None,
        mails: bool = False,
        desk: bool = False,
    ) -> None:
        self._keyring = keyring
        self._delay = delay
        self._usernames = usernames or UsernamePolicy()
        self._rules = sessions or SessionRules()
        self._mails = mails
        self._desk = desk

    def used(self, connection: Connection, telegram_id: int) -> None:
        """This person did something: his session, if it still counts, goes on."""
        session = self._session(connection, telegram_id)
        if session and session.id:
            sessions.used(connection, session.id, clock.now())

    def actor(self, connection: Connection, telegram_id: int) -> Actor | None:
        """Who this Telegram account is bound to; locked where nobody has proved lately to be there."""
        session = self._session(connection, telegram_id)
        if session is None:
            return None
        name = standing.name_of(connection, session)
        secured = not self._rules.locking or proofs.can_return(connection, session.identity)
        return Actor(session.identity, name, locked=session.locked, secured=secured)

    def _session(self, connection: Connection, telegram_id: int) -> Session | None:
        return standing.session_of(connection, telegram_id, clock.now(), self._rules)

    def directory(self, connection: Connection, telegram_id: int) -> Directory:
        """What the session of this Telegram account may see."""
        session = self._session(connection, telegram_id)
        catalogue = catalogue_of(connection)
        return RegisterDirectory(
            connection,
            self._keyring,
            session,
            today=clock.today(),
            now=clock.now(),
            catalogue=catalogue,
            telegram_id=telegram_id,
        )

    def digest(self, request: Request, shown: str) -> str:
        """What a fresh proof for this request, confirmed on this recap, is bound to."""
        return stepup.digest_of(self._keyring, request, shown)

    def catalogue(self, connection: Connection) -> Catalogue:
        """The built-in catalogue with the operator's entries."""
        return catalogue_of(connection)

    def perform(
        self, connection: Connection, incoming: Incoming, request: Request, shown: str = ""
    ) -> Outcome:
        """Does it within the mandate, or says why not."""
        work = Work(
            connection=connection,
            keyring=self._keyring,
            session=self._session(connection, incoming.telegram_id),
            telegram_id=incoming.telegram_id,
            chat_id=incoming.chat_id,
            now=clock.now(),
            today=clock.today(),
            catalogue=catalogue_of(connection),
            activation_delay=self._delay,
            usernames=self._usernames,
            sessions=self._rules,
            mails=self._mails,
            desk=self._desk,
        )
        return acts.perform(work, request, shown)

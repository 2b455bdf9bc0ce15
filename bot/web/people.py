"""What the private pages do to the register: each function is one transaction, and says plainly what came of it.

Synchronous; the site calls them in a worker thread. May import: `access`, `store`, `clock`, and what puts a notice into words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy import Connection, select

from bot import clock
from bot.access import linked, proofs, sessions, standing, stepup, visits
from bot.access.credentials import PasswordPolicy, own_words
from bot.access.directory import RegisterDirectory
from bot.access.linked import LinkedAccount
from bot.access.proofs import Enrolment, Proved
from bot.access.rows import ACCOUNTS, BINDINGS, PASSWORDS, PROFILES, catalogue_of
from bot.access.sessions import SessionLine, SessionRules
from bot.access.standing import Session
from bot.access.views import PersonCard
from bot.access.visits import Visit
from bot.errors import Refusal
from bot.msg import LANGUAGES, Msg, m
from bot.store import chats
from bot.store.audit import HOUSE, Entry, append
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.web import unlinking
from bot.web.initdata import Opened

log = structlog.get_logger(__name__)
TOO_MANY = 20
"""Tries of one visitor within `_LATELY`, whatever he tries: beyond that nothing is looked at."""
_LATELY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a visitor stands: whose Telegram account it is, and by what he can prove to be there."""

    known: bool = False
    locked: bool = True
    by_code: bool = False
    by_password: bool = False
    enrolled: bool = False


@dataclass(frozen=True, slots=True)
class OwnPage:
    """What a person sees about himself. `passwords` are the ids of the accounts that have one here."""

    cards: tuple[PersonCard, ...]
    sessions: tuple[SessionLine, ...]
    linked: tuple[LinkedAccount, ...] = ()
    passwords: frozenset[str] = frozenset()
    enrolled: bool = False
    shortest: int = 12
    """Characters that a password has at least."""
    words: dict[str, str] = field(default_factory=dict)
    """For each account what its password may not contain, folded and parted by spaces."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a form: `error` stands on the page, `codes` are shown this once."""

    error: Msg | None = None
    codes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return self.error is None


WRONG = Said(m("login.wrong"))
GONE = Said(m("web.gone"))


def refused(what: str, why: Msg | None = None) -> Said:
    """A proof that was none: noted in the log, without a word of what was given or by whom (ASVS 16.3.1)."""
    log.warning("proof_refused", kind=what)
    return Said(why) if why else WRONG


class People:
    """The register behind the pages."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        rules: SessionRules,
        *,
        passwords: PasswordPolicy | None = None,
        mails: bool = False,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._rules = rules
        self._passwords = passwords or PasswordPolicy()
        self._mails = mails

    # -- coming and going -----------------------------------------------------------------------

    def enter(self, opened: Opened) -> str | None:
        """A visit for whoever opened the Mini App; None where this start was used before."""
        now = clock.now()
        with self._database.write() as connection:
            if not visits.first_time(connection, "init", opened.proof, opened.until):
                return None
            row = chats.peek(connection, self._keyring, opened.telegram_id, now)
            own = opened.lang[:2]
            spoken = (row.lang if row else None) or (own if own in LANGUAGES else "fr")
            key = visits.enter(connection, now=now, telegram_id=opened.telegram_id, lang=spoken)
            entered = visits.visit(connection, self._keyring, key, now)
            assert entered is not None
            visits.keep(connection, self._keyring, entered.id, lang=spoken, data={"account": opened.name})
            return key

    def visit(self, key: str) -> Visit | None:
        """The visit that the cookie stands for."""
        if not key:
            return None
        with self._database.read() as connection:
            return visits.visit(connection, self._keyring, key, clock.now())

    def speak(self, visit: Visit, lang: str) -> None:
        """The pages in another language from now on."""
        with self._database.write() as connection:
            visits.keep(connection, self._keyring, visit.id, lang=lang, data=visit.data)

    # -- who is there ---------------------------------------------------------------------------

    def _session(self, connection: Connection, visit: Visit) -> Session | None:
        if visit.telegram_id is None:
            return None
        return standing.session_of(connection, visit.telegram_id, clock.now(), self._rules)

    def standing(self, visit: Visit) -> Standing:
        """Where the visitor stands."""
        with self._database.read() as connection:
            session = self._session(connection, visit)
            if session is None:
                return Standing()
            enrolled = proofs.enrolled(connection, session.identity)
            password = proofs.can_return(connection, session.identity) and not enrolled
            return Standing(True, session.locked, enrolled, password, enrolled)

    def log_in(self, visit: Visit, *, code: str = "", username: str = "", password: str = "") -> Said:
        """Opens a session of the chat by a proof. Who has an app proves himself by its code; a password is for who has none."""
        with self._database.write() as connection:
            now = clock.now()
            session = self._session(connection, visit)
            if session is None or visit.telegram_id is None:
                return GONE
            if self._too_often(connection, visit):
                return Said(m("login.wait", until=now + _LATELY))
            try:
                proved = self._proved(connection, session, code, username, password)
            except Refusal as refusal:
                return refused("log-in", refusal.msg)
            if proved is None or proved.identity != session.identity:
                return refused("log-in")
            sessions.open_session(
                connection,
                session.binding,
                how=proved.how,
                scope=self._scope(connection, session, proved),
                now=now,
                rules=self._rules,
            )
            entry = Entry(
                "log-in", actor=session.identity, subject=session.identity, body={"how": proved.how}
            )
            append(connection, self._keyring, proved.scope or HOUSE, entry, now)
            chats.redraw(connection, visit.telegram_id, now)
            return Said()

    def _proved(
        self, connection: Connection, session: Session, code: str, username: str, password: str
    ) -> Proved | None:
        now = clock.now()
        if proofs.enrolled(connection, session.identity):
            return proofs.try_code(connection, self._keyring, session.identity, code, now)
        return proofs.try_password(connection, self._keyring, username, password, now)

    @staticmethod
    def _scope(connection: Connection, session: Session, proved: Proved) -> str | None:
        """A proof opens what it is good for, and never more than the binding it comes back to."""
        query = select(BINDINGS.c.scope_entity_id).where(BINDINGS.c.id == session.binding)
        bound: str | None = connection.execute(query).scalar()
        return proved.scope or bound

    @staticmethod
    def _too_often(connection: Connection, visit: Visit) -> bool:
        return (
            visits.count(connection, "log-in", str(visit.telegram_id or visit.id), clock.now(), _LATELY)
            > TOO_MANY
        )

    # -- a fresh proof --------------------------------------------------------------------------

    def challenged(self, visit: Visit) -> bool:
        """Whether the visitor's next look-up by number waits for a proof."""
        with self._database.read() as connection:
            session = self._session(connection, visit)
            return (
                session is not None
                and not session.locked
                and stepup.challenged(connection, session, clock.now())
            )

    def step_up(
        self, visit: Visit, digest: str, *, code: str = "", username: str = "", password: str = ""
    ) -> Said:
        """Takes a fresh proof for `digest` in the open session; a proof that is good for less than the session is none."""
        with self._database.write() as connection:
            now = clock.now()
            session = self._session(connection, visit)
            if session is None or session.locked or not session.id:
                return GONE
            if self._too_often(connection, visit):
                return Said(m("login.wait", until=now + _LATELY))
            try:
                proved = self._proved(connection, session, code, username, password)
            except Refusal as refusal:
                return refused("step-up", refusal.msg)
            if proved is None or proved.identity != session.identity:
                return refused("step-up")
            if proved.scope is not None and session.scope != frozenset({proved.scope}):
                return Said(m("web.proof.narrow"))
            sessions.stepped_up(connection, session.id, digest, proved.how, now)
            sessions.used(connection, session.id, now)
            return Said()

    # -- the app with the codes -----------------------------------------------------------------

    def enrolment(
        self, visit: Visit, *, code: str = "", username: str = "", password: str = ""
    ) -> Enrolment | None:
        """The app to set up: the one that waits, else a new one. None while the chat is locked, and where what the person proves himself
        by (the app before it, a password) is there and not given: a phone left lying must not become somebody else's key.
        """
        with self._database.write() as connection:
            now = clock.now()
            session = self._session(connection, visit)
            if session is None or session.locked:
                return None
            waiting = proofs.waiting_enrolment(connection, self._keyring, session.identity, now)
            if waiting is not None:
                return waiting
            if proofs.can_return(connection, session.identity):
                if not (code or password) or self._too_often(connection, visit):
                    return None
                try:
                    proved = self._proved(connection, session, code, username, password)
                except Refusal:
                    proved = None
                if proved is None or proved.identity != session.identity:
                    refused("app")
                    return None
            scope = next(iter(session.scope)) if session.scope else None
            return proofs.enrol(connection, self._keyring, session.identity, scope, now)

    def confirm(self, visit: Visit, code: str) -> Said:
        """Takes the first code of the app."""
        with self._database.write() as connection:
            session = self._session(connection, visit)
            if session is None or session.locked or visit.telegram_id is None:
                return GONE
            try:
                codes = proofs.confirm(connection, self._keyring, session.identity, code, clock.now())
            except Refusal as refusal:
                return Said(refusal.msg)
            if codes is None:
                return refused("app")
            chats.redraw(connection, visit.telegram_id, clock.now())
            return Said(codes=codes)

    # -- one's own page -------------------------------------------------------------------------

    def own_page(self, visit: Visit) -> OwnPage | None:
        """What a person sees about himself; None while the chat is locked."""
        with self._database.read() as connection:
            session = self._session(connection, visit)
            if session is None or session.locked:
                return None
            directory = RegisterDirectory(
                connection,
                self._keyring,
                session,
                today=clock.today(),
                now=clock.now(),
                catalogue=catalogue_of(connection),
            )
            cards = directory.mine()
            having = select(PASSWORDS.c.account_id).where(
                PASSWORDS.c.account_id.in_([card.ref.id for card in cards])
            )
            return OwnPage(
                cards,
                sessions.listed(connection, session.identity, here=session.id),
                linked.listed(connection, session),
                frozenset(connection.execute(having).scalars()),
                proofs.enrolled(connection, session.identity),
                self._passwords.shortest,
                {
                    card.ref.id: " ".join(own_words(card.ref.username or "", (card.ref.name,)))
                    for card in cards
                },
            )

    def end_session(self, visit: Visit, number: str) -> Said:
        """Ends one of one's own sessions, or all others."""
        with self._database.write() as connection:
            session = self._session(connection, visit)
            if session is None or session.locked:
                return GONE
            if number == "others":
                sessions.end_all(connection, session.identity, clock.now(), "ended", but=session.id)
                return Said()
            return Said() if sessions.end_one(connection, session.identity, number, clock.now()) else GONE

    def unlink(
        self, visit: Visit, binding: str, *, code: str = "", username: str = "", password: str = ""
    ) -> Said:
        """Unlinks one of one's own Telegram accounts, by a fresh proof; the person's chats hear of it."""
        with self._database.write() as connection:
            now = clock.now()
            session = self._session(connection, visit)
            if session is None or session.locked:
                return GONE
            if self._too_often(connection, visit):
                return Said(m("login.wait", until=now + _LATELY))
            try:
                proved = self._proved(connection, session, code, username, password)
                if proved is None or proved.identity != session.identity:
                    return refused("unlink")
                done = linked.unlink(
                    connection, self._keyring, session, binding, proved, now, mails=self._mails
                )
            except Refusal as refusal:
                return refused("unlink", refusal.msg)
            unlinking.tell(connection, self._keyring, binding, done, now)
            return Said()

    def set_password(self, visit: Visit, account: str, text: str, again: str, proof: str) -> Said:
        """One's own account's password of this assistant. `proof` is the old one, or the app's code where there is one."""
        with self._database.write() as connection:
            now = clock.now()
            session = self._session(connection, visit)
            if session is None or session.locked or not self._own(connection, session, account):
                return GONE
            try:
                if not self._may_change(connection, session, account, proof):
                    return refused("password")
                if text != again:
                    return Said(m("password.differ"))
                proofs.set_password(connection, self._keyring, account, text, self._passwords, now)
            except Refusal as refusal:
                return Said(refusal.msg)
            return Said()

    def _may_change(self, connection: Connection, session: Session, account: str, proof: str) -> bool:
        now = clock.now()
        if proofs.enrolled(connection, session.identity):
            return proofs.try_code(connection, self._keyring, session.identity, proof, now) is not None
        if not proofs.has_password(connection, account):
            return True
        query = select(ACCOUNTS.c.username_fold).where(ACCOUNTS.c.id == account)
        username = connection.execute(query).scalar() or ""
        return proofs.try_password(connection, self._keyring, username, proof, now) is not None

    @staticmethod
    def _own(connection: Connection, session: Session, account: str) -> bool:
        query = (
            select(PROFILES.c.entity_id)
            .join(ACCOUNTS, ACCOUNTS.c.profile_id == PROFILES.c.id)
            .where(
                ACCOUNTS.c.id == account,
                ACCOUNTS.c.status != "deleted",
                PROFILES.c.identity_id == session.identity,
            )
        )
        entity = connection.execute(query).scalar()
        return entity is not None and session.covers(entity)

"""Linking a Telegram account to a person, by a proof on a private page: the register's side. One function, one transaction.

The proof comes from a user name and password (with the app's code where the person has an app), or from an identity provider.
It binds nothing by itself: the page names both ends, then shows a number that must be tapped in the chat (`access.linking`).
Synchronous; may import: `access`, `store`, `clock`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy import Connection, select

from bot import clock
from bot.access import identities, linking, proofs, standing, visits
from bot.access.identifiers import parse_niss
from bot.access.linking import Pending
from bot.access.proofs import Proved
from bot.access.rows import IDENTITIES
from bot.access.standing import Session
from bot.access.visits import Ticket, Visit
from bot.errors import Invalid, Refusal
from bot.msg import Msg, m
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.web.oidc import Proof

log = structlog.get_logger(__name__)
STATE = "oidc"
"""The purpose of the one-time link that is the `state` of a log-in at the provider."""
TOO_MANY = 20
_LATELY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Ends:
    """What a link would bring together: how Telegram calls the account, and the person as the proof's entities know him."""

    account: str
    person: str
    link: Pending


class Linker:
    """The register behind the pages that link an account."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def visit(self, key: str) -> Visit | None:
        """The visit that the cookie stands for."""
        with self._database.read() as connection:
            return visits.visit(connection, self._keyring, key, clock.now()) if key else None

    # -- proofs ---------------------------------------------------------------------------------

    def by_password(self, visit: Visit, *, username: str, password: str, code: str) -> Msg | None:
        """Notes the proof; the sentence for the page where there is none. A wrong name, password and code are one answer."""
        if visit.telegram_id is None:
            return m("web.gone")
        with self._database.write() as connection:
            now = clock.now()
            if self._too_often(connection, visit.telegram_id):
                return m("login.wait", until=now + _LATELY)
            try:
                proved = self._proved(connection, username, password, code)
                if proved is None:
                    log.warning("proof_refused", kind="link")
                    return m("bind.wrong")
                self._keep(connection, visit, self._propose(connection, proved, visit))
            except Refusal as refusal:
                log.warning("proof_refused", kind="link")
                return refusal.msg
            return None

    def _proved(self, connection: Connection, username: str, password: str, code: str) -> Proved | None:
        now = clock.now()
        by_password = proofs.try_password(connection, self._keyring, username, password, now)
        if by_password is None or not proofs.enrolled(connection, by_password.identity):
            return by_password
        by_code = proofs.try_code(connection, self._keyring, by_password.identity, code, now)
        # as wide as the account's entity: the code is a second proof, and opens nothing more
        return Proved(by_password.identity, by_code.how, by_password.scope) if by_code else None

    def _propose(self, connection: Connection, proved: Proved, visit: Visit) -> str:
        assert visit.telegram_id is not None
        return linking.propose(
            connection, proved, telegram_id=visit.telegram_id, visit=visit.id, now=clock.now()
        )

    def _keep(self, connection: Connection, visit: Visit, link: str) -> None:
        data = {**visit.data, "link": link}
        visits.keep(connection, self._keyring, visit.id, lang=visit.lang, data=data)

    @staticmethod
    def _too_often(connection: Connection, telegram_id: int) -> bool:
        return visits.count(connection, "log-in", str(telegram_id), clock.now(), _LATELY) > TOO_MANY

    # -- at the identity provider and back --------------------------------------------------------

    def departs(self, visit: Visit) -> str:
        """A new `state` for a log-in at the provider: found again only by whoever brings it back, within five minutes."""
        with self._database.write() as connection:
            return visits.make_link(
                connection,
                STATE,
                now=clock.now(),
                telegram_id=visit.telegram_id,
                data={"visit": visit.id},
            )

    def departing(self, state: str) -> tuple[str, str] | None:
        """The `state` and the language, if that log-in is still open; looking does not use it up."""
        with self._database.read() as connection:
            found = self._origin(connection, state)
            return (state, found[1].lang or "fr") if found else None

    def returns(self, state: str, code: str) -> Visit | None:
        """The visit that asked, once for each `state` and each code; None for an answer that nobody waits for, or waits no longer."""
        with self._database.write() as connection:
            now = clock.now()
            found = self._origin(connection, state)
            if found is None or not visits.use_link(connection, found[0].id, now):
                return None
            if code and not visits.first_time(connection, "oidc-code", code, now + timedelta(days=1)):
                return None
            return found[1]

    def _origin(self, connection: Connection, state: str) -> tuple[Ticket, Visit] | None:
        ticket = visits.link(connection, state, clock.now())
        if ticket is None or ticket.purpose != STATE:
            return None
        visit = visits.visit_of(connection, self._keyring, str(ticket.data.get("visit")), clock.now())
        return (ticket, visit) if visit and visit.telegram_id is not None else None

    def by_provider(self, visit: Visit, proof: Proof) -> str | Msg:
        """Notes the provider's proof and opens a visit for the browser that it came to: its key, or the sentence why not."""
        with self._database.write() as connection:
            now = clock.now()
            if self._too_often(connection, visit.telegram_id or 0):
                return m("login.wait", until=now + _LATELY)
            if not visits.first_time(connection, "oidc-answer", proof.answer, proof.until):
                return m("bind.again")
            identity = self._identity(connection, proof.number)
            if identity is None:
                return m("bind.unknown")
            try:
                link = self._propose(connection, Proved(identity, "oidc", None), visit)
            except Refusal as refusal:
                return refusal.msg
            return visits.enter(connection, now=now, ticket=link, lang=visit.lang)

    def _identity(self, connection: Connection, number: str) -> str | None:
        try:
            niss = parse_niss(number, today=clock.today())
        except Invalid:
            return None
        identity = identities.by_number(connection, self._keyring, niss.digits)
        query = select(IDENTITIES.c.erased_at).where(IDENTITIES.c.id == identity)
        row = connection.execute(query).one_or_none()
        return identity if row is not None and row.erased_at is None else None

    # -- both ends, and the number ----------------------------------------------------------------

    def ends(self, visit: Visit) -> Ends | None:
        """What this visit would link; None where nothing waits, or the time is over."""
        link = visit.ticket or visit.data.get("link")
        if not link:
            return None
        with self._database.read() as connection:
            now = clock.now()
            pending = linking.pending(connection, str(link), now)
            if pending is None:
                return None
            origin = visits.visit_of(connection, self._keyring, pending.visit, now)
            scope = frozenset({pending.scope}) if pending.scope else None
            name = standing.name_of(connection, Session(pending.identity, scope))
            return Ends(str(origin.data.get("account", "")) if origin else "", name, pending)

    def confirm(self, link: Pending) -> bool:
        """The person has read both ends and goes on."""
        with self._database.write() as connection:
            return linking.confirm(connection, link.id, clock.now())

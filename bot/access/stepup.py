"""Step-up: where the table of rights asks for it, a fresh proof, bound to exactly the recap that was shown.

The proof is given on a private page and kept as a row of the session with the recap's digest; the act uses it up, once.
The digest is keyed: a recap holds little that could not be guessed. Look-ups by national number need one proof a session
after so many within some minutes; whoever guesses numbers is stopped before he has learned anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, select

from bot.access import visits
from bot.access.claims import takes_proof
from bot.access.requests import Request
from bot.access.rights import LATELY, OFTEN
from bot.access.rows import STEP_UPS
from bot.access.sessions import use_step_up
from bot.access.standing import Session
from bot.access.work import Work
from bot.errors import Refusal
from bot.msg import m
from bot.store.keys import Keyring

LOOK_UPS = "look-ups"
"""The digest of the proof that makes look-ups by number free for the rest of a session."""


def digest_of(keyring: Keyring, request: Request, shown: str) -> str:
    """What a proof is bound to: the request to the last field, and the recap as it was shown."""
    text = json.dumps([type(request).__name__, asdict(request), shown], default=str, sort_keys=True)
    return hmac.new(keyring.key("proof"), text.encode(), hashlib.sha256).hexdigest()


def required(work: Work, request: Request, shown: str) -> None:
    """Uses up the proof that this request takes; raises Refusal where there is none for exactly this recap."""
    if takes_proof(request):
        _use_up(work, request, shown)


def required_of_oneself(work: Work, request: Request, shown: str) -> None:
    """The same, after the act, for what turned out to be about the actor's own user: where it raises, all is undone."""
    if work.insider.alone and not takes_proof(request):
        _use_up(work, request, shown)


def _use_up(work: Work, request: Request, shown: str) -> None:
    session = work.actor
    if not work.sessions.locking:
        raise Refusal(m("proof.no_pages"))
    digest = digest_of(work.keyring, request, shown)
    if not session.id or not use_step_up(work.connection, session.id, digest, work.now):
        raise Refusal(m("proof.needed"))


# -- look-ups by national number ------------------------------------------------------------------


def look_up(connection: Connection, session: Session, now: datetime) -> bool:
    """Notes one more look-up of this person; whether it may be made."""
    number = visits.count(connection, LOOK_UPS, session.identity, now, LATELY)
    return number <= OFTEN or _freed(connection, session)


def challenged(connection: Connection, session: Session, now: datetime) -> bool:
    """Whether the next look-up waits for a proof."""
    number = visits.counted(connection, LOOK_UPS, session.identity, now, LATELY)
    return number >= OFTEN and not _freed(connection, session)


def _freed(connection: Connection, session: Session) -> bool:
    query = select(STEP_UPS.c.id).where(STEP_UPS.c.session_id == session.id, STEP_UPS.c.digest == LOOK_UPS)
    return bool(session.id) and connection.execute(query.limit(1)).first() is not None

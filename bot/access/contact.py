"""A message to the help desk: written in the act's transaction, mailed by the postman, and its state for whoever wrote it.

It is a row of the outbox and nothing else: what it says is blanked once it is on its way, its key goes on telling the state
for as long as ended rows are kept. A national number in it is refused: mail is no place for one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from bot.access import visits
from bot.access.identifiers import contains_niss, format_nihii_institution
from bot.access.names import display_name, parse_email
from bot.access.reach import Reach
from bot.access.requests import MESSAGE_MAX, SUBJECTS, Done, SendMessage
from bot.access.rights import Act
from bot.access.rows import ACCOUNTS, ENTITIES, IDENTITIES, PROFILES
from bot.access.views import SentMessage
from bot.access.work import NOT_ALLOWED, Declined, Work
from bot.errors import Invalid, NotAllowed, Refusal
from bot.msg import Texts, m
from bot.store import audit, outbox

PURPOSE = "contact"
OFTEN, LATELY = 5, timedelta(hours=1)
"""Messages of one person, at most."""
VALID = timedelta(days=3)
"""How long delivery is tried."""
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Note:
    """A message to the help desk, before it is put into words."""

    subject: str
    reference: str
    text: str
    entity: Texts
    number: str
    name: str
    username: str
    email: str
    lang: str
    at: datetime
    typed: bool = False
    """Whether the address was typed for this message, and nobody has verified it."""

    def __repr__(self) -> str:
        return f"Note({self.reference})"


def send_message(work: Work, request: SendMessage) -> Done:
    """Lays the message in the outbox, under a reference. Raises Refusal."""
    who, text = work.actor.identity, request.text.strip()
    if not work.desk:
        raise Refusal(m("act.contact.no_desk"))
    if request.subject not in SUBJECTS:
        raise Declined(m("step.gone"), "subject")
    if request.entity not in entities_of(work):
        raise NotAllowed(NOT_ALLOWED)
    if contains_niss(text, today=work.today):
        raise Declined(m("contact.niss"), "text")
    if not text or len(text) > MESSAGE_MAX:
        raise Declined(m("contact.length", max=MESSAGE_MAX), "text")
    reply = _reply(request.reply)
    if visits.count(work.connection, PURPOSE, who, work.now, LATELY) > OFTEN:
        raise Refusal(m("act.contact.too_often"))
    reference = secrets.token_hex(3).upper()
    key = f"{_mine(who)}{request.subject}:{reference}:{int(work.now.timestamp())}"
    payload = {
        "purpose": PURPOSE,
        "by": who,
        "entity": request.entity,
        "subject": request.subject,
        "reference": reference,
        "text": text,
        "lang": request.lang,
        "reply": reply,
        "at": work.now.isoformat(),
        "until": (work.now + VALID).isoformat(),
        "chat": work.chat_id,
    }
    outbox.put(
        work.connection, work.keyring, key, chat_id=None, kind=outbox.LETTER, payload=payload, now=work.now
    )
    entry = audit.Entry(
        PURPOSE, actor=who, subject=who, body={"reference": reference, "subject": request.subject}
    )
    audit.append(work.connection, work.keyring, request.entity, entry, work.now)
    return Done(reference)


def _reply(typed: str) -> str:
    """The address to answer to, in its normal form; raises Declined."""
    if not typed:
        return ""
    try:
        return parse_email(typed)
    except Invalid as invalid:
        raise Declined(invalid.msg, "reply") from None


def address_of(connection: Connection, identity: str, entity: str) -> str:
    """The e-mail address that the entity knows of the person, where an answer goes; empty for none."""
    known = select(PROFILES.c.email).where(
        PROFILES.c.identity_id == identity, PROFILES.c.entity_id == entity, PROFILES.c.erased_at.is_(None)
    )
    return connection.execute(known).scalar() or ""


def entities_of(work: Work) -> frozenset[str]:
    """The entities that the actor may write about: where he manages something, or is a user."""
    managed = Reach(work.connection, work.actor, work.today)
    own = (
        select(ACCOUNTS.c.entity_id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(PROFILES.c.identity_id == work.actor.identity, ACCOUNTS.c.status != "deleted")
    )
    used = {entity for entity in work.connection.execute(own).scalars() if work.actor.covers(entity)}
    return frozenset(used | {each for each in managed.entities if managed.held(each, Act.READ_ENTITY)})


def note(connection: Connection, payload: dict[str, Any], now: datetime) -> Note | None:
    """What the mail says now; None where its writer is gone, or it waited for too long."""
    if datetime.fromisoformat(payload["until"]) <= now:
        return None
    living = select(IDENTITIES.c.id).where(IDENTITIES.c.id == payload["by"], IDENTITIES.c.erased_at.is_(None))
    entity = connection.execute(select(ENTITIES).where(ENTITIES.c.id == payload["entity"])).one_or_none()
    if entity is None or connection.execute(living).first() is None:
        return None
    # what this entity knows of the person, and nothing that another does
    known = select(PROFILES).where(
        PROFILES.c.identity_id == payload["by"],
        PROFILES.c.entity_id == entity.id,
        PROFILES.c.erased_at.is_(None),
    )
    profile = connection.execute(known).one_or_none()
    known_address = (profile.email or "") if profile else ""
    account = select(ACCOUNTS.c.username).where(ACCOUNTS.c.profile_id == (profile.id if profile else ""))
    return Note(
        subject=payload["subject"],
        reference=payload["reference"],
        text=payload["text"],
        entity=Texts(**entity.denomination),
        number=format_nihii_institution(entity.inami),
        name=display_name(profile.last_name, profile.first_name) if profile else "",
        username=connection.execute(account.order_by(ACCOUNTS.c.created_at).limit(1)).scalar() or "",
        email=known_address or payload.get("reply", ""),
        typed=not known_address and bool(payload.get("reply")),
        lang=payload["lang"],
        at=datetime.fromisoformat(payload["at"]),
    )


def sent_by(connection: Connection, identity: str) -> Sequence[SentMessage]:
    """The person's latest messages with their state, newest first, as long as the outbox remembers them."""
    rows = outbox.states(connection, _mine(identity))
    found = []
    for row in rows:
        subject, reference, written = row.key.removeprefix(_mine(identity)).split(":")
        state = "waiting" if row.ended_at is None else "sent" if row.sent_at is not None else "failed"
        found.append(SentMessage(reference, subject, state, datetime.fromtimestamp(int(written), UTC)))
    return sorted(found, key=lambda each: each.at, reverse=True)[:SHOWN]


def forget(connection: Connection, identity: str) -> None:
    """Nothing of the person's messages is kept, nor sent any more."""
    outbox.forget_keys(connection, _mine(identity))


def _mine(identity: str) -> str:
    """How the keys of a person's messages begin: the key stands in the mail's Message-ID, an inner id does not leave the house."""
    return f"{PURPOSE}:{hashlib.sha256(identity.encode()).hexdigest()[:24]}:"

"""The certificates that an entity keeps an eye on: taken in, replaced, ended, listed, and announced before they end.

Whoever may change them is told: the warnings are rows of `due`, laid when a certificate is taken in, so none depends on a
process being up on that day. The file itself is not kept.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from bot.access.activation import Notice
from bot.access.certificates import WARNED, Certificate, read_certificate, state_of
from bot.access.mandates import reaching
from bot.access.periods import BRUSSELS, brussels_day
from bot.access.reach import Reach
from bot.access.requests import Done, EndCertificate, KeepCertificate
from bot.access.rights import Act, roles_allowed
from bot.access.rows import CERTIFICATES, ENTITIES, MANDATES, AnyRow
from bot.access.standing import Session, chats_of, target_of
from bot.access.views import CertificateRef
from bot.access.work import NOT_ALLOWED, Declined, Work
from bot.errors import Invalid, NotAllowed
from bot.msg import m
from bot.store import audit, due
from bot.store.ids import new_id

WARN = "certificate"
"""The kind of a warning's row."""
MORNING = time(9)
"""When a warning comes, in Brussels."""
MOST = 50
"""Certificates of one entity that are kept at a time."""


def keep_certificate(work: Work, request: KeepCertificate) -> Done:
    """Takes a certificate in, and ends the one that it replaces. Raises Refusal."""
    _require(work, request.entity)
    found = _read(request.file, work.now)
    there = work.connection.execute(
        _KEPT.where(CERTIFICATES.c.entity_id == request.entity).with_for_update()
    ).all()
    if any(row.fingerprint == found.fingerprint for row in there):
        raise Declined(m("certificate.known"), "file")
    old = next((row for row in there if row.id == request.replaces), None)
    if request.replaces and old is None:
        raise Declined(m("step.gone"), "replaces")
    if len(there) - bool(old) >= MOST:
        raise Declined(m("act.certificates_full", max=MOST), "replaces")
    if old:
        _end(work, old)
    key = new_id()
    facts = {"subject": found.subject, "issuer": found.issuer, "fingerprint": found.fingerprint}
    days = {"begins_at": found.begins, "ends_at": found.ends, "added_at": work.now}
    row = {"id": key, "entity_id": request.entity, "replaces": request.replaces, **facts, **days}
    work.connection.execute(insert(CERTIFICATES).values(row))
    for ahead, at in warnings(found, work.now):
        due.put(work.connection, f"{WARN}:{key}:{ahead}", WARN, at, {"certificate": key, "days": str(ahead)})
    body = {"certificate": key, "fingerprint": found.fingerprint, "ends": found.ends.isoformat()}
    _audited(work, request.entity, "keep-certificate", {**body, "replaces": request.replaces})
    return Done()


def end_certificate(work: Work, request: EndCertificate) -> Done:
    """Ends it: it is no longer used, and nobody is warned of it any more. Raises Refusal."""
    _require(work, request.entity)
    query = _KEPT.where(CERTIFICATES.c.id == request.certificate, CERTIFICATES.c.entity_id == request.entity)
    row = work.connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise NotAllowed(NOT_ALLOWED)
    _end(work, row)
    _audited(work, request.entity, "end-certificate", {"certificate": row.id, "fingerprint": row.fingerprint})
    return Done()


def warnings(found: Certificate, now: datetime) -> Iterator[tuple[int, datetime]]:
    """The days ahead and the instant of each warning still to come: in the morning, so many days before the last."""
    last = brussels_day(found.ends)
    for ahead in WARNED:
        at = datetime.combine(last - timedelta(days=ahead), MORNING, BRUSSELS)
        if at > now:
            yield ahead, at


def warn(connection: Connection, data: dict[str, str], now: datetime) -> Notice | None:
    """Carries out a warning: whom to tell. None where the certificate was ended or replaced meanwhile, or is over."""
    row = connection.execute(_KEPT.where(CERTIFICATES.c.id == data["certificate"])).one_or_none()
    if row is None or row.ends_at <= now:
        return None
    left = (brussels_day(row.ends_at) - brussels_day(now)).days  # fewer where no process was up on the day
    chats = _managers(connection, row.entity_id, brussels_day(now))
    return Notice(row.id, chats, WARN, round=f"{data['days']}:{left}") if chats else None


_KEPT = select(CERTIFICATES).where(CERTIFICATES.c.ended_at.is_(None))


def _require(work: Work, entity: str) -> None:
    """Raises NotAllowed unless the actor may change the certificates of the entity."""
    target = target_of(work.connection, entity, None)
    work.require(Act.KEEP_CERTIFICATES, target)


def _read(file: str, now: datetime) -> Certificate:
    try:
        return read_certificate(base64.b64decode(file, validate=True), now)
    except binascii.Error:
        raise Declined(m("certificate.unreadable"), "file") from None
    except Invalid as invalid:  # it may have expired since it was shown
        raise Declined(invalid.msg, "file") from None


def _end(work: Work, row: AnyRow) -> None:
    ended = update(CERTIFICATES).where(CERTIFICATES.c.id == row.id).values(ended_at=work.now)
    work.connection.execute(ended)
    for ahead in WARNED:
        due.cancel(work.connection, f"{WARN}:{row.id}:{ahead}")


def _audited(work: Work, entity: str, act: str, body: dict[str, Any]) -> None:
    audit.append(
        work.connection,
        work.keyring,
        entity,
        audit.Entry(act, actor=work.actor.identity, body=body),
        work.now,
    )


def _managers(connection: Connection, entity: str, today: date) -> tuple[int, ...]:
    """The chats of everybody who may change the entity's certificates today."""
    place = connection.execute(select(ENTITIES.c.enterprise_id).where(ENTITIES.c.id == entity)).one()
    held = (
        select(MANDATES.c.identity_id)
        .distinct()
        .where(
            reaching(entity, place.enterprise_id, today),
            MANDATES.c.role.in_([role.value for role in roles_allowed(Act.KEEP_CERTIFICATES)]),
            MANDATES.c.revoked_at.is_(None),
            MANDATES.c.since.is_(None) | (MANDATES.c.since <= today),
        )
        .order_by(MANDATES.c.identity_id)
    )
    found = (chat for who in connection.execute(held).scalars() for chat in chats_of(connection, who))
    return tuple(dict.fromkeys(found))


class CertificateLists:
    """What `RegisterDirectory` answers about certificates."""

    _connection: Connection
    _session: Session | None
    _reach: Reach
    _now: datetime

    def certificates(self, entity: str) -> tuple[CertificateRef, ...]:
        """The certificates that the entity uses, the one that ends first at the top, expired ones included."""
        if not self._reach.held(entity, Act.READ_ENTITY):
            return ()
        query = _KEPT.where(CERTIFICATES.c.entity_id == entity)
        rows = self._connection.execute(query.order_by(CERTIFICATES.c.ends_at, CERTIFICATES.c.id))
        return tuple(
            CertificateRef(
                row.id,
                entity,
                row.subject,
                row.issuer,
                row.fingerprint,
                row.begins_at,
                row.ends_at,
                state_of(row.begins_at, row.ends_at, self._now),
            )
            for row in rows
        )

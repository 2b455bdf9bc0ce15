"""What a person proves himself by, beside an identity provider: a password of a user account, a one-time code of a mobile
app (TOTP, RFC 6238), a recovery code.

Every try is counted before it is judged, for the person and not for the device; a wrong one says the same as an unknown
name, after the same work. What is kept is sealed under the person's own key. None of this is ever asked for in a chat.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Table, insert, select, update

from bot.access.credentials import PasswordPolicy, check_password
from bot.access.rows import (
    ACCOUNTS,
    AUTHENTICATORS,
    ENTITIES,
    IDENTITIES,
    PASSWORDS,
    PROFILES,
    RECOVERY_CODES,
    AnyRow,
)
from bot.errors import Refusal
from bot.msg import m
from bot.store import crypto
from bot.store.audit import HOUSE, Entry, append
from bot.store.ids import new_id
from bot.store.keys import Keyring

TRIES = 5
"""Wrong answers in a row before nothing is looked at for a while."""
LOCKED = timedelta(minutes=15)
ENROLLING = timedelta(minutes=15)
"""How long an app that was begun waits for its first code: its secret should not lie about on a page."""
STEP = 30
"""Seconds of a one-time code's time step; one step before and after is accepted too, for clocks that differ."""
RECOVERY = 10
"""Recovery codes made with an authenticator."""
ISSUER = "Access assistant"
_HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Proved:
    """Somebody proved to be `identity`; `scope` is the entity that the proof is good for, None for all."""

    identity: str
    how: str
    scope: str | None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An authenticator that waits for its first code. `secret` is base32, `uri` what the QR code says."""

    id: str
    secret: str
    uri: str

    def __repr__(self) -> str:
        return f"Enrolment({self.id})"


# -- passwords ------------------------------------------------------------------------------------


def set_password(
    connection: Connection, keyring: Keyring, account: str, text: str, policy: PasswordPolicy, now: datetime
) -> None:
    """The account's password from now on. Raises Invalid with what the policy misses."""
    owner = _owner(connection, ACCOUNTS.c.id == account)
    if owner is None:
        raise Refusal(m("login.wrong"))
    check_password(
        text,
        policy,
        username=owner.username or "",
        names=(owner.last_name, owner.first_name),
        around=_denominations(connection, owner.entity_id),
    )
    # under the lock of the account's row, so that two who choose at once do not both insert
    connection.execute(select(ACCOUNTS.c.id).where(ACCOUNTS.c.id == account).with_for_update())
    sealed = crypto.IdentityKeys(connection, keyring).seal(
        owner.identity_id, _HASHER.hash(_normal(text)), _password_place(account)
    )
    values = {"hash": sealed, "set_at": now, "failures": 0, "locked_until": None}
    changed = connection.execute(
        update(PASSWORDS).where(PASSWORDS.c.account_id == account).values(**values)
    ).rowcount
    if not changed:
        connection.execute(insert(PASSWORDS).values(account_id=account, **values))
    entry = Entry(
        "set-password", actor=owner.identity_id, subject=owner.identity_id, body={"account": account}
    )
    append(connection, keyring, owner.entity_id, entry, now)


def has_password(connection: Connection, account: str) -> bool:
    """Whether the account has a password of this assistant."""
    query = select(PASSWORDS.c.account_id).where(PASSWORDS.c.account_id == account)
    return connection.execute(query).first() is not None


def try_password(
    connection: Connection, keyring: Keyring, username: str, text: str, now: datetime
) -> Proved | None:
    """Who it is, or None: unknown, wrong, blocked and without a password are one answer, after the same work.

    The failure is counted in this transaction: the caller commits it, whatever the answer. Raises Refusal
    `login.wait` while the account is locked.
    """
    owner = _owner(connection, ACCOUNTS.c.username_fold == username.strip().casefold())
    row = _locked_row(connection, PASSWORDS, PASSWORDS.c.account_id, owner.id) if owner is not None else None
    if owner is None or row is None or owner.status != "active":
        _matches(_decoy(), text)
        return None
    _refuse_locked(row, now)
    try:
        kept = crypto.IdentityKeys(connection, keyring).unseal(
            owner.identity_id, row.hash, _password_place(owner.id)
        )
    except crypto.Unreadable:
        kept = _decoy()
    if not _matches(kept, text):
        _failed(connection, PASSWORDS, PASSWORDS.c.account_id == owner.id, row, now)
        return None
    _succeeded(connection, PASSWORDS, PASSWORDS.c.account_id == owner.id)
    if _HASHER.check_needs_rehash(kept):
        sealed = crypto.IdentityKeys(connection, keyring).seal(
            owner.identity_id, _HASHER.hash(_normal(text)), _password_place(owner.id)
        )
        connection.execute(update(PASSWORDS).where(PASSWORDS.c.account_id == owner.id).values(hash=sealed))
    return Proved(owner.identity_id, "password", owner.entity_id)


def _owner(connection: Connection, which: Any) -> AnyRow | None:
    query = (
        select(
            ACCOUNTS.c.id, ACCOUNTS.c.username, ACCOUNTS.c.status, ACCOUNTS.c.entity_id,
            PROFILES.c.identity_id, PROFILES.c.last_name, PROFILES.c.first_name,
        )
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .join(IDENTITIES, IDENTITIES.c.id == PROFILES.c.identity_id)
        .where(which, ACCOUNTS.c.status != "deleted", IDENTITIES.c.erased_at.is_(None))
    )  # fmt: skip
    return connection.execute(query).one_or_none()


def _denominations(connection: Connection, entity: str) -> tuple[str, ...]:
    names = connection.execute(select(ENTITIES.c.denomination).where(ENTITIES.c.id == entity)).scalar()
    return tuple(names.values()) if names else ()


def _matches(kept: str, text: str) -> bool:
    try:
        return _HASHER.verify(kept, _normal(text))
    except (VerificationError, InvalidHashError):
        return False


@cache
def _decoy() -> str:
    """A hash to compare with where there is none, so that an unknown name takes as long as a known one."""
    return _HASHER.hash(secrets.token_urlsafe(16))


def _normal(text: str) -> str:
    """The same password from any keyboard (NIST SP 800-63B, 5.1.1.2), and never longer than hashing should take."""
    return unicodedata.normalize("NFKC", text)[:1024]


def _password_place(account: str) -> str:
    return f"passwords.hash:{account}"


# -- one-time codes of an app ---------------------------------------------------------------------


def enrol(
    connection: Connection, keyring: Keyring, identity: str, scope: str | None, now: datetime
) -> Enrolment:
    """A new authenticator, good once its first code was given. One that waited for that is dropped."""
    waiting = (AUTHENTICATORS.c.identity_id == identity, AUTHENTICATORS.c.confirmed_at.is_(None))
    connection.execute(
        update(AUTHENTICATORS).where(*waiting, AUTHENTICATORS.c.ended_at.is_(None)).values(ended_at=now)
    )
    authenticator, secret = new_id(), pyotp.random_base32()
    sealed = crypto.IdentityKeys(connection, keyring).seal(identity, secret, _secret_place(authenticator))
    connection.execute(
        insert(AUTHENTICATORS).values(
            id=authenticator,
            identity_id=identity,
            scope_entity_id=scope,
            secret=sealed,
            made_at=now,
            last_step=0,
            failures=0,
        )
    )
    return Enrolment(authenticator, secret, _uri(connection, scope, secret))


def waiting_enrolment(
    connection: Connection, keyring: Keyring, identity: str, now: datetime
) -> Enrolment | None:
    """The authenticator that waits for its first code, while it may."""
    query = select(AUTHENTICATORS).where(
        AUTHENTICATORS.c.identity_id == identity,
        AUTHENTICATORS.c.confirmed_at.is_(None),
        AUTHENTICATORS.c.ended_at.is_(None),
        AUTHENTICATORS.c.made_at > now - ENROLLING,
    )
    row = connection.execute(query.order_by(AUTHENTICATORS.c.made_at.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    secret = _secret(connection, keyring, row)
    return Enrolment(row.id, secret, _uri(connection, row.scope_entity_id, secret))


def confirm(
    connection: Connection, keyring: Keyring, identity: str, code: str, now: datetime
) -> tuple[str, ...] | None:
    """Takes the first code of the waiting authenticator, which replaces others of the same scope: the recovery codes, shown
    this once. None where the code is wrong or nothing waits any more.
    """
    waiting = waiting_enrolment(connection, keyring, identity, now)
    row = _locked_row(connection, AUTHENTICATORS, AUTHENTICATORS.c.id, waiting.id) if waiting else None
    if waiting is None or row is None:
        return None
    _refuse_locked(row, now)
    step = _step_of(waiting.secret, code, now)
    if step is None:
        _failed(connection, AUTHENTICATORS, AUTHENTICATORS.c.id == row.id, row, now)
        return None
    same_scope = (
        AUTHENTICATORS.c.scope_entity_id.is_(None)
        if row.scope_entity_id is None
        else AUTHENTICATORS.c.scope_entity_id == row.scope_entity_id
    )
    connection.execute(
        update(AUTHENTICATORS)
        .where(AUTHENTICATORS.c.identity_id == identity, AUTHENTICATORS.c.id != row.id, same_scope)
        .where(AUTHENTICATORS.c.ended_at.is_(None))
        .values(ended_at=now)
    )
    connection.execute(
        update(AUTHENTICATORS)
        .where(AUTHENTICATORS.c.id == row.id)
        .values(confirmed_at=now, last_step=step, failures=0, locked_until=None)
    )
    codes = _recovery_codes(connection, row.id)
    entry = Entry("enrol", actor=identity, subject=identity, body={"authenticator": row.id})
    append(connection, keyring, row.scope_entity_id or HOUSE, entry, now)
    return codes


def enrolled(connection: Connection, identity: str) -> bool:
    """Whether the person has an authenticator that counts."""
    return bool(_confirmed(connection, identity))


def can_return(connection: Connection, identity: str) -> bool:
    """Whether the person has any proof here, an authenticator or a password, to open a session with."""
    password = (
        select(PASSWORDS.c.account_id)
        .join(ACCOUNTS, ACCOUNTS.c.id == PASSWORDS.c.account_id)
        .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
        .where(PROFILES.c.identity_id == identity, ACCOUNTS.c.status == "active")
        .limit(1)
    )
    return enrolled(connection, identity) or connection.execute(password).first() is not None


def try_code(
    connection: Connection, keyring: Keyring, identity: str, code: str, now: datetime
) -> Proved | None:
    """The person's one-time code or recovery code, or None where it is wrong, used before or nothing is enrolled.

    Several authenticators (of several scopes) are tried in turn; a wrong code counts against each. The failure is counted in this
    transaction. Raises Refusal `login.wait` while all are locked.
    """
    rows = _confirmed(connection, identity, lock=True)
    open_rows = [row for row in rows if row.locked_until is None or row.locked_until <= now]
    if rows and not open_rows:
        _refuse_locked(rows[0], now)
    for row in open_rows:
        step = _step_of(_secret(connection, keyring, row), code, now)
        if step is not None and step > row.last_step:
            connection.execute(
                update(AUTHENTICATORS)
                .where(AUTHENTICATORS.c.id == row.id)
                .values(last_step=step, failures=0, locked_until=None)
            )
            return Proved(identity, "totp", row.scope_entity_id)
        if _use_recovery(connection, row.id, code, now):
            _succeeded(connection, AUTHENTICATORS, AUTHENTICATORS.c.id == row.id)
            entry = Entry("recovery-code", actor=identity, subject=identity, body={"authenticator": row.id})
            append(connection, keyring, row.scope_entity_id or HOUSE, entry, now)
            return Proved(identity, "recovery", row.scope_entity_id)
    for row in open_rows:
        _failed(connection, AUTHENTICATORS, AUTHENTICATORS.c.id == row.id, row, now)
    return None


def forget_authenticators(connection: Connection, identity: str, now: datetime) -> int:
    """Ends the person's authenticators (a lost phone); how many there were."""
    return connection.execute(
        update(AUTHENTICATORS)
        .where(AUTHENTICATORS.c.identity_id == identity, AUTHENTICATORS.c.ended_at.is_(None))
        .values(ended_at=now)
    ).rowcount


def _confirmed(connection: Connection, identity: str, *, lock: bool = False) -> list[AnyRow]:
    query = (
        select(AUTHENTICATORS)
        .where(AUTHENTICATORS.c.identity_id == identity, AUTHENTICATORS.c.ended_at.is_(None))
        .where(AUTHENTICATORS.c.confirmed_at.is_not(None))
        # the widest first: what opens all entities should not open one only
        .order_by(AUTHENTICATORS.c.scope_entity_id.is_not(None), AUTHENTICATORS.c.id)
    )
    return list(connection.execute(query.with_for_update() if lock else query).all())


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step that the code is of, around now; None for a wrong one."""
    bare = "".join(code.split())
    if len(bare) != 6 or not bare.isdecimal():
        return None
    digits = "".join(str(unicodedata.decimal(char)) for char in bare)
    current = int(now.timestamp()) // STEP
    app = pyotp.TOTP(secret, interval=STEP)
    found = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(app.at(step * STEP), digits)
    ]
    return found[-1] if found else None


def _uri(connection: Connection, scope: str | None, secret: str) -> str:
    """What the app shows: the entity's name where the proof is good for one only."""
    query = select(ENTITIES.c.denomination).where(ENTITIES.c.id == scope)
    names = connection.execute(query).scalar() if scope else None
    where = next((names[lang] for lang in ("fr", "nl", "de", "en") if names.get(lang)), "") if names else ""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=where or ISSUER, issuer_name=ISSUER)


def _secret(connection: Connection, keyring: Keyring, row: AnyRow) -> str:
    return crypto.IdentityKeys(connection, keyring).unseal(row.identity_id, row.secret, _secret_place(row.id))


def _secret_place(authenticator: str) -> str:
    return f"authenticators.secret:{authenticator}"


# -- recovery codes -------------------------------------------------------------------------------


def _recovery_codes(connection: Connection, authenticator: str) -> tuple[str, ...]:
    codes = tuple(_new_recovery_code() for _ in range(RECOVERY))
    rows = [
        {"id": new_id(), "authenticator_id": authenticator, "code_hash": _recovery_hash(code)}
        for code in codes
    ]
    connection.execute(insert(RECOVERY_CODES), rows)
    return codes


def _new_recovery_code() -> str:
    """120 random bits in six groups of four letters and digits: no salt and no slow hash is needed against guessing."""
    letters = base64.b32encode(secrets.token_bytes(15)).decode("ascii").lower()
    return "-".join(letters[start : start + 4] for start in range(0, 24, 4))


def _recovery_hash(code: str) -> str:
    bare = "".join(char for char in unicodedata.normalize("NFKC", code).casefold() if char.isalnum())
    return hashlib.sha256(bare.encode()).hexdigest()


def _use_recovery(connection: Connection, authenticator: str, code: str, now: datetime) -> bool:
    used = (
        update(RECOVERY_CODES)
        .where(RECOVERY_CODES.c.authenticator_id == authenticator, RECOVERY_CODES.c.used_at.is_(None))
        .where(RECOVERY_CODES.c.code_hash == _recovery_hash(code))
        .values(used_at=now)
    )
    return connection.execute(used).rowcount == 1


# -- counting tries -------------------------------------------------------------------------------


def _locked_row(connection: Connection, table: Table, column: Any, value: str) -> AnyRow | None:
    return connection.execute(select(table).where(column == value).with_for_update()).one_or_none()


def _refuse_locked(row: AnyRow, now: datetime) -> None:
    if row.locked_until is not None and row.locked_until > now:
        raise Refusal(m("login.wait", until=row.locked_until))


def _failed(connection: Connection, table: Table, which: Any, row: AnyRow, now: datetime) -> None:
    failures = row.failures + 1
    locked = now + LOCKED if failures >= TRIES else None
    connection.execute(
        update(table).where(which).values(failures=0 if locked else failures, locked_until=locked)
    )


def _succeeded(connection: Connection, table: Table, which: Any) -> None:
    connection.execute(update(table).where(which).values(failures=0, locked_until=None))

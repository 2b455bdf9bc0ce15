"""A person who becomes a user of a quality: what is checked again, and the rows that it makes.

A national number leads to the identity that has it, whichever entity it came from; nothing that another entity knows
is read, shown or changed. An entity that knows the person already keeps what it knows: who adds a user must not be
able to change the e-mail address of somebody who manages here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import insert, select

from bot.access import identities, retired
from bot.access.credentials import check_username
from bot.access.identifiers import parse_niss
from bot.access.names import parse_email, parse_name, parse_title
from bot.access.requests import NewUser
from bot.access.rows import ACCOUNTS, IDENTITIES, PROFILES, SUBDIVISIONS, account_order, profile_order
from bot.access.userfields import LANGUAGES
from bot.access.work import Declined, Work
from bot.errors import Invalid
from bot.msg import m
from bot.store.ids import new_id

HUMAN, TECHNICAL = "user", "technical"
"""The types of accounts that are made here (`domain.md` 1.5)."""


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A checked request for a user account; `identity` and `profile` are those that exist already."""

    user: NewUser
    identity: str | None
    profile: str | None

    def described(self) -> str:
        """What was typed, for the audit under the person's own key; the national number is not repeated."""
        return json.dumps({**asdict(self.user), "niss": None}, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Made:
    """The rows of the new user account."""

    account: str
    identity: str


def checked(work: Work, user: NewUser, entity: str, quality: str) -> Newcomer:
    """The newcomer; raises Declined with the step that asked for what cannot be.

    The answers were checked when they were given, but a dialogue may be days old and another manager faster.
    """
    user = _tidy(work, user)
    identity = identities.by_number(work.connection, work.keyring, user.niss) if user.niss else None
    profile = None
    if identity is not None:
        # until this act is over nobody erases the person
        held = select(IDENTITIES.c.erased_at).where(IDENTITIES.c.id == identity).with_for_update(read=True)
        if work.connection.execute(held).scalar() is not None:
            identity = None
    if identity is not None:
        query = select(PROFILES.c.id).where(
            PROFILES.c.identity_id == identity,
            PROFILES.c.entity_id == entity,
            PROFILES.c.erased_at.is_(None),
        )
        profile = work.connection.execute(query.with_for_update(read=True)).scalar()
    if profile is not None:
        own = select(ACCOUNTS.c.status).where(
            ACCOUNTS.c.profile_id == profile, ACCOUNTS.c.quality_id == quality
        )
        match work.connection.execute(own).scalar():
            case None:
                pass
            case "deleted":
                raise Declined(m("act.user_deleted"), "person")
            case _:
                raise Declined(m("act.user_exists"), "person")
    taken = select(ACCOUNTS.c.id).where(ACCOUNTS.c.username_fold == user.username.lower())
    if work.connection.execute(taken).first() or retired.among(
        work.connection, work.keyring, retired.USERNAME, [user.username.lower()]
    ):
        raise Declined(m("act.username_taken"), "username")
    return Newcomer(user, identity, profile)


def _tidy(work: Work, user: NewUser) -> NewUser:
    if user.language not in LANGUAGES:
        raise Declined(m("act.language_gone"), "language")
    human = user.type != TECHNICAL
    return NewUser(
        last_name=_read("last_name", parse_name, user.last_name),
        first_name=_read("first_name", parse_name, user.first_name) if human else "",
        email=_read("email", parse_email, user.email),
        username=_read("username", lambda text: check_username(text, work.usernames), user.username),
        language=user.language,
        niss=_read("person", lambda text: parse_niss(text, today=work.today).digits, user.niss)
        if user.niss and human
        else None,
        title=_read("title", parse_title, user.title) if user.title and human else None,
        local_email=_read("local_email", parse_email, user.local_email) if user.local_email else None,
        type=TECHNICAL if not human else HUMAN,
    )


def _read(step: str, parse: Callable[[str], str], text: str) -> str:
    try:
        return parse(text)
    except Invalid as invalid:
        raise Declined(invalid.msg, step) from None


def make(
    work: Work,
    newcomer: Newcomer,
    entity: str,
    quality: str,
    *,
    subdivision: str | None,
    profession: str | None,
) -> Made:
    """Writes the identity, profile and account, as far as they are new."""
    user = newcomer.user
    identity = newcomer.identity or identities.create(work.connection, work.keyring, work.now)
    if newcomer.identity is None and user.niss:
        identities.set_number(work.connection, work.keyring, identity, user.niss, work.now)
    profile = newcomer.profile or _profile(work, user, identity, entity)
    names = select(PROFILES.c.last_name, PROFILES.c.first_name).where(PROFILES.c.id == profile)
    known = work.connection.execute(names).one()
    where = select(SUBDIVISIONS.c.name).where(SUBDIVISIONS.c.id == subdivision)
    ward = work.connection.execute(where).scalar() if subdivision else None
    account = new_id()
    work.connection.execute(
        insert(ACCOUNTS).values(
            id=account,
            profile_id=profile,
            entity_id=entity,
            quality_id=quality,
            username=user.username,
            username_fold=user.username.lower(),
            type=user.type,
            status="active",
            profession=profession,
            subdivision_id=subdivision,
            created_at=work.now,
            changed_at=work.now,
            version=1,
            **account_order(known.last_name, known.first_name, user.username, ward),
        )
    )
    return Made(account, identity)


def _profile(work: Work, user: NewUser, identity: str, entity: str) -> str:
    profile = new_id()
    work.connection.execute(
        insert(PROFILES).values(
            id=profile,
            identity_id=identity,
            entity_id=entity,
            last_name=user.last_name,
            first_name=user.first_name,
            title=user.title,
            language=user.language,
            email=user.email,
            local_email=user.local_email,
            created_at=work.now,
            changed_at=work.now,
            version=1,
            **profile_order(user.last_name, user.first_name),
        )
    )
    return profile

"""One's own user: nobody changes what he holds himself, unless nobody else could, with a fresh proof and a mark (`security.md`).

Whether somebody is alone is asked where the act asks for its rights, in the act's own transaction: a colleague appointed
since the recap was drawn counts. What is found is noted in the act's `Work`, so that neither the proof (`acts`) nor the mark
(`work.audited`) can be forgotten by an act. A dialogue asks the same beforehand, to offer the proof and to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection, select

from bot.access import identities
from bot.access.oneself import accounts_of, acts_of
from bot.access.places import found, own_subdivision
from bot.access.reach import Reach
from bot.access.requests import ActOnUsers, ChangeUser, CreateUser, GrantAccess, NewUser, Request
from bot.access.rights import Act, Target, allowed
from bot.access.rows import ACCOUNTS, PROFILES, AnyRow, branch
from bot.access.standing import Session, others_may, target_of
from bot.access.userfields import OF_THE_PROFILE, WAYS_IN
from bot.access.work import Work
from bot.errors import NotAllowed
from bot.store.keys import Keyring


def judged(work: Work, acts: Sequence[Act], target: Target) -> Target:
    """`target` with whether the actor, where it is he himself, is the only one who could do any of that there."""
    actor = work.actor.identity
    if target.person != actor:
        return target
    alone = _alone(work.connection, acts, target, actor, work.today)
    work.insider.alone |= alone
    return replace(target, only_manager=alone)


def _alone(connection: Connection, acts: Sequence[Act], target: Target, actor: str, today: date) -> bool:
    return not any(others_may(connection, act, target, actor=actor, today=today) for act in acts)


class Oneself:
    """The part of a directory that knows whether a request is about the actor's own user."""

    _connection: Connection
    _keyring: Keyring
    _session: Session | None
    _today: date
    _reach: Reach

    def alone(self, request: Request) -> bool:
        """Whether it is, and he may do it all the same because nobody else could: then it takes a fresh proof."""
        if self._session is None or (isinstance(request, ChangeUser) and request.field in WAYS_IN):
            return False  # what a manager's password hangs on is never his own to change
        actor, held = self._session.identity, self._reach.mandates
        places = list(self._own(request, actor))
        return bool(places) and all(
            _alone(self._connection, acts, target, actor, self._today)
            and all(
                allowed(held, act, replace(target, only_manager=True), actor=actor, today=self._today)
                for act in acts
            )
            for acts, target in places
        )

    def _own(self, request: Request, actor: str) -> Iterator[tuple[tuple[Act, ...], Target]]:
        """The actor's own users that the request is about: with the rights that it takes, where they are and go."""
        if isinstance(request, GrantAccess | CreateUser) and request.user:
            yield from self._made(request, request.user, actor)
        for row in self._accounts(request, actor):
            acts = acts_of(request, blocked=row.status == "blocked")
            target = target_of(self._connection, row.entity_id, row.quality_id, row.subdivision_id)
            target = replace(target, person=actor)
            yield acts, target
            if isinstance(request, ActOnUsers) and request.act == "move":
                yield acts, replace(target, subdivisions=branch(self._connection, request.subdivision))

    def _accounts(self, request: Request, actor: str) -> Sequence[AnyRow]:
        wanted = accounts_of(request)
        if not wanted:
            return ()
        chosen = ACCOUNTS.c.id.in_(wanted)
        if isinstance(request, ChangeUser) and request.field in OF_THE_PROFILE:
            same = select(ACCOUNTS.c.profile_id).where(chosen)
            chosen = ACCOUNTS.c.profile_id.in_(same)  # the change shows on all of them
        query = (
            select(
                ACCOUNTS.c.id,
                ACCOUNTS.c.entity_id,
                ACCOUNTS.c.quality_id,
                ACCOUNTS.c.subdivision_id,
                ACCOUNTS.c.status,
            )
            .join(PROFILES, PROFILES.c.id == ACCOUNTS.c.profile_id)
            .where(chosen, PROFILES.c.identity_id == actor, ACCOUNTS.c.status != "deleted")
        )
        return self._connection.execute(query.order_by(ACCOUNTS.c.id)).all()

    def _made(
        self, request: GrantAccess | CreateUser, user: NewUser, actor: str
    ) -> Iterator[tuple[tuple[Act, ...], Target]]:
        """The user that is to be made, where the national number is the actor's."""
        if not user.niss or identities.by_number(self._connection, self._keyring, user.niss) != actor:
            return
        place = found(self._connection, request.quality)
        if place is None:
            return
        try:
            part = own_subdivision(self._connection, self._reach.mandates, place, self._today)
        except NotAllowed:
            return
        target = target_of(self._connection, place.entity, place.quality, part)
        yield acts_of(request), replace(target, person=actor)

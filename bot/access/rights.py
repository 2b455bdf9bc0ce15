"""Who may do what: the matrix of domain.md 1.3 with the open cells as product.md S2 decides them, as one table.

A role says *what*, the scope of a mandate says *where*, its dates say *when*; all three are checked at every act,
and again at *Confirmer*. May import: the standard library, `bot.msg`, `bot.errors`; `today` is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.errors import NotAllowed
from bot.msg import Msg, m


class Role(StrEnum):
    """What a mandate is called; old and new portal have other words for the same (domain.md 1.2)."""

    LEGAL_REPRESENTATIVE = "legal-representative"
    RESPONSIBLE = "responsible"
    CO_RESPONSIBLE = "co-responsible"
    LOCAL = "local"
    GROUP = "group"
    SUBDIVISION = "subdivision"
    AUDITOR = "auditor"
    USER = "user"

    @property
    def label(self) -> Msg:
        """The portal's word, such as "Responsable Accès Entité (RAE)"."""
        return m(f"role.{self.value}")

    @property
    def short(self) -> Msg:
        """For a sentence: "vous y êtes co-responsable"."""
        return m(f"role.short.{self.value}")


class Needs(StrEnum):
    """What an act asks of the person beside the right: how lately, and for what, he has proved to be there."""

    NOTHING = "nothing"
    SESSION = "session"
    """A session that counts."""
    PROOF = "proof"
    """A fresh proof, bound to exactly the recap shown: a step-up."""
    MANY = "many"
    """A step-up where more than `MANY` people are concerned at once, else a session."""
    OFTEN = "often"
    """One step-up for the rest of the session after `OFTEN` times within `LATELY`, else a session."""


MANY = 10
OFTEN = 20
LATELY = timedelta(minutes=10)


class Act(StrEnum):
    """Everything that needs a right. `appoint_…` stands for appointing, replacing and removing alike."""

    APPOINT_RESPONSIBLE = "appoint_responsible"
    APPOINT_CO_RESPONSIBLE = "appoint_co_responsible"
    APPOINT_LOCAL = "appoint_local"
    APPOINT_CO_LOCAL = "appoint_co_local"
    APPOINT_GROUP = "appoint_group"
    APPOINT_SUBDIVISION = "appoint_subdivision"
    APPOINT_AUDITOR = "appoint_auditor"
    APPOINT_DEPUTY = "appoint_deputy"
    ACTIVATE_QUALITY = "activate_quality"
    MANAGE_SUBDIVISIONS = "manage_subdivisions"
    READ_ENTITY = "read_entity"
    VIEW_STATUS = "view_status"
    LIST_USERS = "list_users"
    FIND_BY_NUMBER = "find_by_number"
    EXPORT_USERS = "export_users"
    EXPORT_NATIONAL_NUMBERS = "export_national_numbers"
    CREATE_USER = "create_user"
    CHANGE_USER = "change_user"
    INVITE_USER = "invite_user"
    HAND_CODE = "hand_code"
    BLOCK_USER = "block_user"
    END_SESSIONS = "end_sessions"
    DELETE_USER = "delete_user"
    IMPORT_USERS = "import_users"
    GIVE_ACCESS = "give_access"
    END_ACCESS = "end_access"
    ASSIGN_FUNCTION = "assign_function"
    END_FUNCTION = "end_function"
    LINK_RESPONSIBLE = "link_responsible"
    HAND_OVER = "hand_over"
    APPROVE_REQUEST = "approve_request"
    REVIEW_ACCESS = "review_access"
    RECONCILE = "reconcile"
    READ_AUDIT = "read_audit"
    EXPORT_PERSON_DATA = "export_person_data"
    ERASE_PERSON = "erase_person"
    KEEP_CERTIFICATES = "keep_certificates"
    OWN_DATA = "own_data"
    OWN_ADDRESS = "own_address"
    OWN_ACCESS = "own_access"
    REQUEST_ACCESS = "request_access"


MATRIX = """
act                     | needs   | legal-representative responsible co-responsible local group subdivision auditor user
appoint_responsible     | proof   |          x                .            .          .     .        .         .     .
appoint_co_responsible  | proof   |          .                x            .          .     .        .         .     .
appoint_local           | proof   |          .                x            x          .     .        .         .     .
appoint_co_local        | proof   |          .                x            x          x     .        .         .     .
appoint_group           | proof   |          .                x            x          x     .        .         .     .
appoint_subdivision     | proof   |          .                x            x          x     .        x         .     .
appoint_auditor         | proof   |          .                x            .          .     .        .         .     .
appoint_deputy          | proof   |          .                x            x          x     x        x         x     .
activate_quality        | session |          .                x            x          .     .        .         .     .
manage_subdivisions     | many    |          .                x            x          x     .        x         .     .
read_entity             | session |          x                x            x          x     x        x         x     .
view_status             | session |          .                x            x          x     x        x         x     .
list_users              | session |          .                x            x          x     x        x         x     .
find_by_number          | often   |          .                x            x          x     x        x         x     .
export_users            | session |          .                x            x          x     x        x         x     .
export_national_numbers | proof   |          .                x            x          x     .        .         .     .
create_user             | session |          .                x            x          x     x        x         .     .
change_user             | many    |          .                x            x          x     x        x         .     .
invite_user             | session |          .                x            x          x     x        x         .     .
hand_code               | proof   |          .                x            x          x     x        x         .     .
block_user              | many    |          .                x            x          x     x        x         .     .
end_sessions            | proof   |          .                x            x          x     x        x         .     .
delete_user             | many    |          .                x            x          x     x        x         .     .
import_users            | many    |          .                x            x          x     x        x         .     .
give_access             | many    |          .                x            x          x     x        x         .     .
end_access              | many    |          .                x            x          x     x        x         .     .
assign_function         | session |          .                x            x          x     .        .         .     .
end_function            | session |          .                x            x          x     .        .         .     .
link_responsible        | session |          .                x            x          x     .        .         .     .
hand_over               | session |          .                x            x          x     x        x         .     .
approve_request         | proof   |          .                x            x          x     x        x         .     .
review_access           | session |          .                x            x          x     .        .         .     .
reconcile               | session |          .                x            x          x     .        .         .     .
read_audit              | session |          .                x            x          .     .        .         x     .
export_person_data      | session |          .                x            x          .     .        .         x     .
erase_person            | proof   |          .                x            .          .     .        .         .     .
keep_certificates       | session |          .                x            x          .     .        .         .     .
own_data                | session |         own              own          own        own   own      own       own   own
own_address             | proof   |         own              own          own        own   own      own       own   own
own_access              | session |         own              own          own        own   own      own       own   own
request_access          | session |         own              own          own        own   own      own       own   own
"""
"""x: within the scope of the mandate; own: for oneself, with or without a mandate; . : not at all. `needs` is one of `Needs`.

`appoint_deputy` is for one's own mandates alone: nobody passes on what he holds for another.
`hand_over` ticks off what was done on the portal; `approve_request` is the second person's yes."""

NEEDS: Mapping[Act, Needs]
"""The second column."""

_MANDATES = frozenset(act for act in Act if act.startswith("appoint_"))
"""Nobody changes his own mandate (security.md, *insider*)."""
_ACCESS = frozenset(
    {
        Act.CREATE_USER,
        Act.CHANGE_USER,
        Act.INVITE_USER,
        Act.HAND_CODE,
        Act.BLOCK_USER,
        Act.DELETE_USER,
        Act.IMPORT_USERS,
        Act.GIVE_ACCESS,
        Act.END_ACCESS,
        Act.ASSIGN_FUNCTION,
        Act.END_FUNCTION,
        Act.LINK_RESPONSIBLE,
        Act.REVIEW_ACCESS,
        Act.ERASE_PERSON,
    }
)
"""One's own user only where nobody else could do it."""


def _read(matrix: str) -> tuple[Mapping[Act, Mapping[Role, str]], Mapping[Act, Needs]]:
    head, *rows = matrix.strip().splitlines()
    roles = [Role(word) for word in head.split("|")[2].split()]
    lines = [line.split("|") for line in rows]
    cells = {Act(act.strip()): dict(zip(roles, row.split(), strict=True)) for act, _, row in lines}
    if (
        set(cells) != set(Act)
        or set(roles) != set(Role)
        or any(set(row.values()) - {"x", ".", "own"} for row in cells.values())
    ):
        raise ValueError("the matrix lacks an act or a role, or has an unknown cell")
    return cells, {Act(act.strip()): Needs(needs.strip()) for act, needs, _ in lines}


_CELLS, NEEDS = _read(MATRIX)
_OWN = frozenset(act for act, row in _CELLS.items() if "own" in row.values())
_ROLES = {act: frozenset(role for role, cell in row.items() if cell != ".") for act, row in _CELLS.items()}


@dataclass(frozen=True, slots=True)
class MandateScope:
    """A mandate as rights see it. Ids are those of the register; None means the whole.

    `enterprise` counts where `entity` is None: the mandate is over all entities of the enterprise. A group of the
    new portal is the quality of the old one. Days are Brussels days, inclusive.
    """

    role: Role
    entity: str | None = None
    quality: str | None = None
    subdivision: str | None = None
    enterprise: str | None = None
    since: date | None = None
    until: date | None = None
    principal: str | None = None
    """The identity whose mandate it is, where it is held by standing in for him."""

    def is_valid(self, today: date) -> bool:
        """Whether it counts on that day, and is as narrow as its role: without a quality nobody is a local manager."""
        match self.role:
            case Role.LOCAL | Role.GROUP:
                narrow = self.entity is not None and self.quality is not None
            case Role.SUBDIVISION:
                narrow = None not in {self.entity, self.quality, self.subdivision}
            case _:
                narrow = self.entity is not None or self.enterprise is not None
        return (
            narrow
            and (self.since is None or self.since <= today)
            and (self.until is None or today <= self.until)
        )

    def covers(self, target: Target) -> bool:
        """Whether everything that the act touches lies within this scope."""
        if not self.covers_entity(target):
            return False
        if self.quality is not None and self.quality != target.quality:
            return False
        return self.subdivision is None or self.subdivision in target.subdivisions

    def covers_entity(self, target: Target) -> bool:
        """Whether the target's entity is the mandate's, or one of its enterprise."""
        if self.entity is not None:
            return self.entity == target.entity
        return self.enterprise is not None and self.enterprise == target.enterprise


@dataclass(frozen=True, slots=True)
class Target:
    """What an act touches, as narrow as it is.

    An act on the whole entity leaves `quality` None, so that a local manager is refused. `subdivisions` is the path
    from the topmost subdivision down to the one concerned: who manages a branch manages what hangs on it.
    """

    entity: str | None = None
    quality: str | None = None
    subdivisions: tuple[str, ...] = ()
    enterprise: str | None = None
    person: str | None = None
    """The identity concerned; for the rules about oneself."""
    only_manager: bool = False
    """The actor is the only one who could do this here: then his own access too, with step-up and a mark."""


def roles_allowed(act: Act) -> frozenset[Role]:
    """The roles that may do `act` somewhere."""
    return _ROLES[act]


def mandates_for(mandates: Iterable[MandateScope], act: Act, *, today: date) -> tuple[MandateScope, ...]:
    """Those mandates that allow `act` today: their scopes are where a list may look."""
    return tuple(
        mandate
        for mandate in mandates
        if mandate.role in _ROLES[act]
        and mandate.is_valid(today)
        and not (mandate.principal and act is Act.APPOINT_DEPUTY)
    )


def needs_proof(act: Act, *, people: int = 1) -> bool:
    """Whether this act, about so many people at once, takes a fresh proof bound to its recap."""
    return NEEDS[act] is Needs.PROOF or (NEEDS[act] is Needs.MANY and people > MANY)


def allowed(mandates: Iterable[MandateScope], act: Act, target: Target, *, actor: str, today: date) -> bool:
    """Whether `actor`, who holds `mandates`, may do `act` to `target` today."""
    return _refusal(mandates, act, target, actor, today) is None


def require(mandates: Iterable[MandateScope], act: Act, target: Target, *, actor: str, today: date) -> None:
    """Raises NotAllowed where `allowed` is False.

    With `rights.own_mandate`, `rights.own_request` or `rights.own_access` where only the rule about oneself stands
    against it, else with `rights.not_allowed`, which does not tell whether the target exists.
    """
    if refusal := _refusal(mandates, act, target, actor, today):
        raise NotAllowed(refusal)


def _refusal(
    mandates: Iterable[MandateScope], act: Act, target: Target, actor: str, today: date
) -> Msg | None:
    if act in _OWN:
        return None if target.person == actor else m("rights.not_allowed")
    reach = MandateScope.covers_entity if act is Act.READ_ENTITY else MandateScope.covers
    allowing = [mandate for mandate in mandates_for(mandates, act, today=today) if reach(mandate, target)]
    if not allowing:
        return m("rights.not_allowed")
    # what nobody may do to himself, his deputy may not do to him
    his = target.person is not None and all(mandate.principal == target.person for mandate in allowing)
    if target.person != actor and not his:
        return None
    if act in _MANDATES:
        return m("rights.own_mandate")
    if act is Act.END_SESSIONS:
        return m("rights.own_sessions")
    if act is Act.APPROVE_REQUEST:
        return m("rights.own_request")
    alone = target.only_manager and not his
    return m("rights.own_access") if act in _ACCESS and not alone else None

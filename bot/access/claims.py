"""What each request is to the rights: the act that it stands for, and whether it takes a fresh proof. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bot.access.offices import OFFICES
from bot.access.requests import (
    ADDRESSES,
    ActivateQuality,
    ActOnUsers,
    AppointDeputy,
    AppointManager,
    AssignFunction,
    ChangeEnd,
    ChangeLink,
    ChangeOwn,
    ChangeUser,
    CloseSubdivision,
    CreateSubdivision,
    CreateUser,
    EndAccess,
    EndCertificate,
    EndDeputy,
    EndMandate,
    EndSessions,
    ExportUsers,
    GrantAccess,
    InviteUser,
    Join,
    KeepCertificate,
    LinkResponsible,
    Lock,
    MarkDone,
    MoveSubdivision,
    RenameSubdivision,
    Request,
    SendMessage,
    TapNumber,
    Verify,
)
from bot.access.rights import Act, needs_proof

ON_USERS = {
    "end": Act.END_ACCESS,
    "block": Act.BLOCK_USER,
    "reactivate": Act.BLOCK_USER,
    "move": Act.CHANGE_USER,
    "delete": Act.DELETE_USER,
}
"""What `ActOnUsers` does, and the right that it takes."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request is to the rights: the act, and how many people it concerns at once."""

    act: Act
    people: int = 1


def claim_of(request: Request) -> Claim | None:
    """The act that a request stands for; None for those that need no right: to come in, to lock one's own chat, to ask for help."""
    match request:
        case GrantAccess():
            return Claim(Act.GIVE_ACCESS)
        case EndAccess():
            return Claim(Act.END_ACCESS)
        case ChangeEnd():
            return Claim(Act.GIVE_ACCESS)
        case CreateUser():
            return Claim(Act.CREATE_USER)
        case ChangeUser():
            return Claim(Act.CHANGE_USER)
        case AssignFunction():
            return Claim(Act.ASSIGN_FUNCTION)
        case AppointDeputy() | EndDeputy():
            return Claim(Act.APPOINT_DEPUTY)
        case LinkResponsible() | ChangeLink():
            return Claim(Act.LINK_RESPONSIBLE)
        case MarkDone() | Verify():
            return Claim(Act.HAND_OVER)
        case EndSessions():
            return Claim(Act.END_SESSIONS)
        case InviteUser(mail=mail):
            return Claim(Act.INVITE_USER if mail else Act.HAND_CODE)
        case AppointManager(office=office) | EndMandate(office=office):
            return Claim(OFFICES[office].act)
        case ActOnUsers(act=act, accounts=accounts):
            return Claim(ON_USERS[act], people=len(accounts))
        case ChangeOwn(field=changed):
            return Claim(Act.OWN_ADDRESS if changed in ADDRESSES else Act.OWN_DATA)
        case ActivateQuality():
            return Claim(Act.ACTIVATE_QUALITY)
        case KeepCertificate() | EndCertificate():
            return Claim(Act.KEEP_CERTIFICATES)
        case CloseSubdivision(mandates=mandates) if mandates:
            return Claim(OFFICES["subdivision"].act)
        case CreateSubdivision() | RenameSubdivision():
            return Claim(Act.MANAGE_SUBDIVISIONS)
        case MoveSubdivision(people=people) | CloseSubdivision(people=people):
            return Claim(Act.MANAGE_SUBDIVISIONS, people=people)
        case ExportUsers(numbers=numbers):
            return Claim(Act.EXPORT_NATIONAL_NUMBERS if numbers else Act.EXPORT_USERS)
        case Join() | Lock() | TapNumber() | SendMessage():
            return None


def takes_proof(request: Request) -> bool:
    """Whether the request takes a fresh proof, bound to its recap (`rights.NEEDS`)."""
    claim = claim_of(request)
    return claim is not None and needs_proof(claim.act, people=claim.people)

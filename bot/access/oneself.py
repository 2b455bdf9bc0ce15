"""What a request means for one's own user: which accounts it is about, and the rights that it takes. Pure.

The act and the dialogue before it read the same two tables, so that a recap never asks for less than the act will.
"""

from __future__ import annotations

from bot.access.claims import ON_USERS
from bot.access.requests import (
    ActOnUsers,
    AssignFunction,
    ChangeEnd,
    ChangeLink,
    ChangeUser,
    CreateUser,
    EndAccess,
    GrantAccess,
    LinkResponsible,
    Request,
)
from bot.access.rights import Act


def accounts_of(request: Request) -> tuple[str, ...]:
    """The accounts whose access or data the request changes; none for somebody who is new."""
    match request:
        case GrantAccess(account=account):
            return (account,) if account else ()
        case EndAccess() | ChangeEnd() | ChangeUser() | AssignFunction() | LinkResponsible() | ChangeLink():
            return (request.account,)
        case ActOnUsers(accounts=accounts):
            return tuple(account for account, _ in accounts)
        case _:
            return ()


def acts_of(request: Request, *, blocked: bool = False) -> tuple[Act, ...]:
    """All the rights over a user that the request takes; `blocked`: his account is so now. None where a user has no part.

    Whoever may do one of them and not the others could not do it instead.
    """
    match request:
        case GrantAccess():
            acts = [Act.GIVE_ACCESS]
            acts += [Act.CREATE_USER] if request.user else []
            acts += [Act.ASSIGN_FUNCTION] if request.function else []
            acts += [Act.BLOCK_USER] if blocked and request.reactivate else []
            return tuple(acts)
        case EndAccess():
            acts = [Act.END_ACCESS] if request.applications or not request.functions else []
            acts += [Act.END_FUNCTION] if request.functions else []
            acts += [Act.BLOCK_USER] if request.becomes else []
            return tuple(acts)
        case ChangeEnd():
            acts = [Act.GIVE_ACCESS, Act.END_ACCESS] if request.applications or not request.functions else []
            acts += [Act.ASSIGN_FUNCTION, Act.END_FUNCTION] if request.functions else []
            return tuple(acts)
        case CreateUser():
            return (Act.CREATE_USER,)
        case ChangeUser():
            return (Act.CHANGE_USER,)
        case AssignFunction():
            return (Act.ASSIGN_FUNCTION,)
        case LinkResponsible() | ChangeLink():
            return (Act.LINK_RESPONSIBLE,)
        case ActOnUsers(act=act):
            return (ON_USERS[act],) if act in ON_USERS else ()
        case _:
            return ()

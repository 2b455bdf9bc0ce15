"""What a person asked for, performed: the one door from a dialogue's request to the register.

Runs inside the turn's transaction, within a savepoint: a request that is refused leaves nothing behind. Two who meet
on one user name or one national number are told apart by the database's own constraints: the second is asked again.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from bot.access import linking, sessions, stepup
from bot.access.closing import close_subdivision
from bot.access.colleagues import end_sessions
from bot.access.contact import send_message
from bot.access.ending import change_end, end_access
from bot.access.exporting import export_users
from bot.access.functions import assign_function
from bot.access.granting import grant_access
from bot.access.handover import mark_done, verify
from bot.access.hierarchy import change_link, link_responsible
from bot.access.invitations import redeem
from bot.access.keptcertificates import end_certificate, keep_certificate
from bot.access.managing import appoint_manager, end_mandate
from bot.access.massacts import act_on_users
from bot.access.owndata import change_own
from bot.access.professions import change_profession
from bot.access.qualities import activate_quality
from bot.access.requests import (
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
    Done,
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
    Outcome,
    Refused,
    RenameSubdivision,
    Request,
    SendMessage,
    TapNumber,
    Verify,
)
from bot.access.subdivisions import create_subdivision, move_subdivision, rename_subdivision
from bot.access.substituting import appoint_deputy, end_deputy
from bot.access.userchange import change_user
from bot.access.usercreate import create_user
from bot.access.wayin import invite_user
from bot.access.work import Declined, Insider, Work
from bot.errors import Refusal
from bot.msg import m

__all__ = ["Work", "perform"]


def perform(work: Work, request: Request, shown: str = "") -> Outcome:
    """Does what is asked, whole, or refuses it whole; what happened goes back into the dialogue.

    `shown` stands for the recap that was confirmed: where the act takes a fresh proof, the proof is for exactly that.
    """
    try:
        return _attempt(work, request, shown)
    except IntegrityError:
        # somebody else was faster by a moment; his rows can be read now, so that the check finds them
        return _attempt(work, request, shown)


def _attempt(work: Work, request: Request, shown: str) -> Outcome:
    work = replace(work, insider=Insider())
    try:
        with work.connection.begin_nested():
            stepup.required(work, request, shown)
            outcome = _performed(work, request)
            if isinstance(outcome, Done):
                stepup.required_of_oneself(work, request, shown)
            return outcome
    except Declined as declined:
        return Refused(declined.msg, declined.step)
    except Refusal as refusal:
        return Refused(refusal.msg)


def _performed(work: Work, request: Request) -> Outcome:
    match request:
        case GrantAccess():
            return grant_access(work, request)
        case EndAccess():
            return end_access(work, request)
        case ChangeEnd():
            return change_end(work, request)
        case CreateUser():
            return create_user(work, request)
        case ChangeUser(field="profession"):
            return change_profession(work, request)
        case ChangeUser():
            return change_user(work, request)
        case AssignFunction():
            return assign_function(work, request)
        case AppointDeputy():
            return appoint_deputy(work, request)
        case EndDeputy():
            return end_deputy(work, request)
        case LinkResponsible():
            return link_responsible(work, request)
        case ChangeLink():
            return change_link(work, request)
        case MarkDone():
            return mark_done(work, request)
        case Verify():
            return verify(work, request)
        case EndSessions():
            return end_sessions(work, request)
        case InviteUser():
            return invite_user(work, request)
        case AppointManager():
            return appoint_manager(work, request)
        case EndMandate():
            return end_mandate(work, request)
        case ActOnUsers():
            return act_on_users(work, request)
        case SendMessage():
            return send_message(work, request)
        case KeepCertificate():
            return keep_certificate(work, request)
        case EndCertificate():
            return end_certificate(work, request)
        case ChangeOwn():
            return change_own(work, request)
        case ActivateQuality():
            return activate_quality(work, request)
        case CreateSubdivision():
            return create_subdivision(work, request)
        case RenameSubdivision():
            return rename_subdivision(work, request)
        case MoveSubdivision():
            return move_subdivision(work, request)
        case CloseSubdivision():
            return close_subdivision(work, request)
        case ExportUsers():
            return export_users(work, request)
        case Join(code):
            return _join(work, code)
        case TapNumber(choice):
            return linking.tap(
                work.connection,
                work.keyring,
                choice,
                telegram_id=work.telegram_id,
                chat_id=work.chat_id,
                now=work.now,
                rules=work.sessions,
            )
        case Lock():
            if not work.sessions.locking:
                raise Refusal(m("lock.no_pages"))
            sessions.lock(work.connection, work.actor.binding, work.now)
            return Done()


def _join(work: Work, code: str) -> Done:
    joined = redeem(
        work.connection,
        work.keyring,
        code,
        telegram_id=work.telegram_id,
        chat_id=work.chat_id,
        now=work.now,
    )
    sessions.open_session(
        work.connection,
        joined.binding,
        how="invitation",
        scope=joined.scope,
        now=work.now,
        rules=work.sessions,
    )
    return Done()

"""What each request does to the register in memory, in small: nobody's rights are checked. Part of `memory`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.access.catalogue import Profession
from bot.access.identifiers import Niss
from bot.access.names import display_name
from bot.access.periods import brussels_day, due_instant
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
from bot.conversations import memoryends
from bot.conversations.endsteps import TAKES
from bot.conversations.memoryparts import next_number, record
from bot.conversations.ports import ChangeItem, Holding, PersonCard, SentMessage
from bot.msg import m

if TYPE_CHECKING:
    from bot.conversations.memory import MemoryDirectory


def performed(directory: MemoryDirectory, request: Request, now: datetime) -> Outcome:
    """Carries the request out."""
    match request:
        case GrantAccess():
            return grant_access(directory, request, now)
        case EndAccess():
            return memoryends.end(directory, request, now)
        case ChangeEnd():
            return memoryends.change(directory, request, now)
        case CreateUser():
            return create_user(directory, request, now)
        case ChangeUser():
            return change_user(directory, request, now)
        case AssignFunction():
            return assign_function(directory, request, now)
        case MarkDone(number, more=more):
            dues = [done_there(directory, each, now) for each in (number, *more)]
            return Done(number, max(dues), "" if more else directory.changes[number].account)
        case Verify(number, problem):
            change = directory.changes[number]
            state = "to_do" if problem else "verified"
            items = tuple(replace(item, state=state) for item in change.items)
            directory.changes[number] = replace(change, state=state, problem=problem or "", items=items)
            return Done(number, account=change.account)
        case Join(code):
            directory.codes.discard(code)
            return Done()
        case Lock():
            return Done()
        case EndSessions(account):
            return Done(account=account)
        case ActOnUsers():
            return directory.act_on_users(request, now)
        case ExportUsers():
            return Done()
        case TapNumber(choice):
            right, directory.linking = directory.linking[-1:], ()
            wrong = Refused(m("link.wrong" if right else "link.over"), "number")
            return Done() if right and right[0][0] == choice else wrong
        case AppointDeputy():
            return directory.stand_in(request)
        case EndDeputy():
            return directory.stand_down(request)
        case LinkResponsible():
            return directory.link_up(request, now)
        case ChangeLink():
            return directory.relink(request, now)
        case AppointManager():
            return directory.appoint(request)
        case EndMandate():
            return directory.end(request)
        case KeepCertificate():
            return directory.keep_certificate(request, now)
        case EndCertificate():
            return directory.end_certificate(request)
        case SendMessage(subject):
            directory.written = (SentMessage("730025", subject, "waiting", now), *directory.written)
            return Done("730025")
        case ChangeOwn(account, changed, value):
            directory.cards[account] = replace(directory.cards[account], **{changed: value})  # type: ignore[arg-type]
            return Done("2026-000042", account=account)
        case ActivateQuality():
            return directory.activate(request, now)
        case CreateSubdivision():
            return directory.create_subdivision(request, now)
        case RenameSubdivision():
            return directory.rename_subdivision(request, now)
        case MoveSubdivision():
            return directory.move_subdivision(request, now)
        case CloseSubdivision():
            return directory.close_subdivision(request, now)
        case InviteUser(account, mail):
            return Done(account=account, mailed=mail, code="" if mail else "AAAAAAAAAAAAAAAAAAAAAA")


def done_there(directory: MemoryDirectory, number: str, now: datetime) -> datetime:
    change = directory.changes[number]
    start = max((item.starts_on for item in change.items if item.starts_on), default=None)
    due = due_instant(start or brussels_day(now), now, timedelta(minutes=20))
    items = tuple(replace(item, state="done") for item in change.items)
    directory.begins(change)
    day = brussels_day(due)
    state = "done" if all(item.kind in TAKES for item in change.items) else "pending"
    directory.changes[number] = replace(change, state=state, due=due, due_on=day, items=items)
    return due


def create_user(directory: MemoryDirectory, request: CreateUser, now: datetime) -> Done:
    user, room = request.user, directory.rooms[request.quality]
    entity = next(place for place in directory.places if place.id == room.entity)
    account = directory.add(
        user.last_name,
        user.first_name,
        entity=entity,
        niss=user.niss or "",
        email=user.email,
        username=user.username,
        profession=request.profession or "",
    )
    card = replace(directory.cards[account], type=user.type, language=user.language, title=user.title or "")
    ref = replace(card.ref, quality=request.quality)
    directory.cards[account] = card = replace(card, ref=ref, local_email=user.local_email or "")
    done = noted(directory, card, (ChangeItem("create-user", "", "active"),), now)
    return replace(done, mailed=directory.mails and user.type == "user" and entity.delivery != "portal")


def change_user(directory: MemoryDirectory, request: ChangeUser, now: datetime) -> Done:
    card = directory.cards[request.account]
    ref = replace(card.ref, version=card.ref.version + 1)
    if request.field in {"username", "profession"}:
        ref = replace(ref, **{request.field: request.value})  # type: ignore[arg-type]
    elif request.field == "niss":
        directory.numbers = {n: own for n, own in directory.numbers.items() if own != ref.id} | {
            request.value: ref.id
        }
        ref = replace(ref, masked=Niss(request.value).masked)
    else:
        card = replace(card, **{request.field: request.value})  # type: ignore[arg-type]
        ref = replace(ref, name=display_name(card.last_name, card.first_name))
    directory.cards[request.account] = replace(card, ref=ref)
    held, items = memoryends.with_profession(directory, request, brussels_day(now))
    directory.cards[request.account] = replace(directory.cards[request.account], holdings=held)
    done = noted(directory, card, (ChangeItem("change-user", request.field, "active"), *items), now)
    due = (
        due_instant(brussels_day(now), now, timedelta(minutes=20))
        if done.due and request.function
        else done.due
    )
    return replace(done, due=due)


def assign_function(directory: MemoryDirectory, request: AssignFunction, now: datetime) -> Done:
    card = directory.cards[request.account]
    held = Holding("function", request.function, "pending", request.starts_on, request.ends_on)
    ref = replace(card.ref, version=card.ref.version + 1)
    directory.cards[request.account] = replace(card, ref=ref, holdings=(*card.holdings, held))
    done = noted(directory, card, (ChangeItem("assignment", request.function, "active"),), now)
    due = due_instant(request.starts_on, now, timedelta(minutes=20)) if done.due else None
    return replace(done, due=due)


def noted(directory: MemoryDirectory, card: PersonCard, items: tuple[ChangeItem, ...], now: datetime) -> Done:
    """A change that has taken effect, or is to do on the portal."""
    due = None if card.entity.delivery == "portal" else now
    ref = directory.cards[card.ref.id].ref
    state = "active" if due else "to_do"
    return Done(record(directory.changes, card.entity, items, state, now, due=due, about=ref), due, ref.id)


def grant_access(directory: MemoryDirectory, request: GrantAccess, now: datetime) -> Done:
    today = brussels_day(now)
    entity = next(place for place in directory.places if place.id == directory.rooms[request.quality].entity)
    account = request.account
    if account is None:
        assert request.user
        account = directory.add(
            request.user.last_name,
            request.user.first_name,
            entity=entity,
            niss=request.user.niss or "",
            username=request.user.username,
            email=request.user.email,
        )
    start = request.starts_on or today
    due = None if entity.delivery == "portal" else due_instant(start, now, timedelta(minutes=20))
    state = "pending" if due else "to_do"
    number = next_number(directory.changes)
    new = [
        Holding("application", key, state, start, active_at=due, number=number)
        for key in request.applications
    ]
    if request.function:
        new.append(Holding("function", request.function, state, start, request.ends_on, due, number))
    card = directory.cards[account]
    declared = Profession(request.profession).declared if request.profession else card.ref.profession
    ref = replace(card.ref, version=card.ref.version + 1, profession=declared)
    directory.cards[account] = replace(card, ref=ref, holdings=(*card.holdings, *new))
    items = tuple(
        ChangeItem(
            "grant" if h.kind == "application" else "assignment",
            h.key,
            state,
            h.starts_on,
            h.ends_on,
            moves=card.holds(h.kind, h.key) is not None,
        )
        for h in new
    )
    record(directory.changes, entity, items, state, now, due=due, about=ref)
    mailed = directory.mails and request.user is not None and entity.delivery != "portal"
    return Done(number, due, account, mailed=mailed)

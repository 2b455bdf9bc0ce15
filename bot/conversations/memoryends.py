"""Ending and changing an access on the register in memory: what `memory.MemoryDirectory` does with these requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.access.ground import APPLICATION, FUNCTION
from bot.access.periods import brussels_day, due_instant, end_instant
from bot.access.requests import ChangeEnd, ChangeUser, Done, EndAccess
from bot.conversations.memoryparts import record
from bot.conversations.ports import ChangeItem, Holding, PersonCard

if TYPE_CHECKING:
    from bot.conversations.memory import MemoryDirectory

_ENDS = {APPLICATION: "end-grant", FUNCTION: "end-assignment"}
_MOVES = {APPLICATION: "grant", FUNCTION: "assignment"}


def end(directory: MemoryDirectory, request: EndAccess, now: datetime) -> Done:
    """What is asked ends; the account becomes what is asked."""
    card, today = directory.cards[request.account], brussels_day(now)
    at_once = request.ends_on is None
    reached = "to_do" if card.entity.delivery == "portal" else "active"
    items = [
        ChangeItem(_ENDS[held.kind], held.key, reached, held.starts_on, request.ends_on or today)
        for held in _of(card, request)
    ]
    held = tuple(
        (replace(each, state="ended") if at_once else replace(each, ends_on=request.ends_on))
        if each in _of(card, request)
        else each
        for each in card.holdings
    )
    if request.becomes:
        kind = "block-user" if request.becomes == "blocked" else "reactivate-user"
        items.append(ChangeItem(kind, "", reached))
    status = request.becomes or card.ref.status
    ref = replace(card.ref, version=card.ref.version + 1, status=status)
    directory.cards[request.account] = replace(card, ref=ref, holdings=held)
    done = "to_do" if card.entity.delivery == "portal" else "done"
    number = record(directory.changes, card.entity, items, done, now, about=card.ref)
    later = end_instant(request.ends_on) if request.ends_on and items else None
    return Done(number, later, request.account)


def change(directory: MemoryDirectory, request: ChangeEnd, now: datetime) -> Done:
    """What is asked ends on the new day."""
    card = directory.cards[request.account]
    chosen = _of(card, request)
    items = [
        ChangeItem(_MOVES[held.kind], held.key, "recorded", held.starts_on, request.ends_on, moves=True)
        for held in chosen
    ]
    moved = tuple(
        replace(each, ends_on=request.ends_on) if each in chosen else each for each in card.holdings
    )
    ref = replace(card.ref, version=card.ref.version + 1)
    directory.cards[request.account] = replace(card, ref=ref, holdings=moved)
    portal = card.entity.delivery == "portal"
    due = None if portal else due_instant(brussels_day(now), now, timedelta(minutes=20))
    state = "to_do" if portal else "pending"
    number = record(directory.changes, card.entity, items, state, now, due=due, about=card.ref)
    return Done(number, due, request.account)


def with_profession(
    directory: MemoryDirectory, request: ChangeUser, today: date
) -> tuple[tuple[Holding, ...], tuple[ChangeItem, ...]]:
    """What is held once the profession is another, and the items of what ends or begins with that."""
    card = directory.cards[request.account]
    if request.function:
        new = Holding(FUNCTION, request.function, "pending", today)
        return (*card.holdings, new), (ChangeItem("assignment", request.function, "recorded", today),)
    if not request.ends:
        return card.holdings, ()
    collaborator = request.value == "collaborator"
    kind, needing = (APPLICATION, "colindos") if collaborator else (FUNCTION, "")
    ending = [each for each in card.holdings if each.kind == kind and needing in {"", each.key}]
    held = tuple(replace(each, state="ended") if each in ending else each for each in card.holdings)
    return held, tuple(ChangeItem(_ENDS[kind], each.key, "active", each.starts_on, today) for each in ending)


def _of(card: PersonCard, request: EndAccess | ChangeEnd) -> tuple[Holding, ...]:
    wanted = {(APPLICATION, key) for key in request.applications}
    wanted |= {(FUNCTION, key) for key in request.functions}
    return tuple(each for each in card.holdings if (each.kind, each.key) in wanted and each.state != "ended")

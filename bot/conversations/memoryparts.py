"""What the parts of the register in memory share: a page of a list, and a change written down. Part of `memory`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from bot.access.periods import brussels_day
from bot.conversations.ports import COUNTED, ChangeCard, ChangeItem, EntityRef, Listing, PersonRef

T = TypeVar("T")


def paged(found: Sequence[T], page: int, size: int) -> Listing[T]:
    """One page, the last one where there are not so many."""
    page = min(page, max(0, -(-len(found) // size) - 1))
    shown = tuple(found[page * size : (page + 1) * size])
    return Listing(shown, min(len(found), COUNTED + 1), page, size)


def next_number(changes: dict[str, ChangeCard]) -> str:
    """That of the change to come."""
    return f"2026-{len(changes) + 1:06d}"


def record(
    changes: dict[str, ChangeCard],
    entity: EntityRef,
    items: Iterable[ChangeItem],
    state: str,
    now: datetime,
    *,
    due: datetime | None = None,
    about: PersonRef | None = None,
    quality: str = "",
) -> str:
    """Writes a change about somebody, or about a place; its number."""
    number = next_number(changes)
    changes[number] = ChangeCard(
        number,
        entity,
        "Delcourt Anne",
        now,
        brussels_day(now),
        state,
        due,
        brussels_day(due) if due else None,
        about.id if about else "",
        about.name if about else "",
        about.username if about else "",
        tuple(items),
        quality,
    )
    return number

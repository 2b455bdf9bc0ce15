"""The lists of several places, one after the other, as one list with pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.conversations.ports import Listing
from bot.conversations.steps import PAGE_SIZE

T = TypeVar("T")
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Sheet(Generic[T]):
    """One page of several lists: what stands on it, and how long each list is."""

    items: Sequence[T]
    page: int
    pages: int
    totals: Sequence[int]


def one_after_the_other(places: Sequence[P], listing: Callable[[P, int], Listing[T]], page: int) -> Sheet[T]:
    """The lists of several places as one: together where a page holds them all, else each place's pages in turn."""
    firsts = [listing(place, 0) for place in places]
    totals = [first.total for first in firsts]
    if sum(totals) <= PAGE_SIZE:
        return Sheet([item for first in firsts for item in first.items], 0, 1, totals)
    filled = [(place, first) for place, first in zip(places, firsts, strict=True) if first.total]
    pages = sum(first.pages for _, first in filled)
    at = page = min(max(0, page), pages - 1)
    for place, first in filled:
        if at < first.pages:
            items = listing(place, at).items if at else first.items
            return Sheet(items, page, pages, totals)
        at -= first.pages
    return Sheet((), 0, 1, totals)

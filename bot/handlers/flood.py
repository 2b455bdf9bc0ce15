"""Too much at once: token buckets ahead of any database work, so that a stranger's flood costs next to nothing.

In a private chat the chat and its person have the same number: one bucket stands for both. People of the register have so
much room that nobody meets the limit by hand, not even with a day's updates waiting; strangers have a few answers to choose
their language and read who is served here, then one a minute, and all strangers together a bound of their own. What is over
the limit is dropped and not stored. Pure: no asyncio, no clock but the one it is given.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

REMEMBERED = 10_000
"""So many chats are remembered; the longest silent are forgotten first."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket's size, and how many seconds one more takes."""

    size: float
    seconds: float


KNOWN = Rate(300, 0.1)
STRANGER = Rate(6, 60)
STRANGERS = Rate(120, 0.5)
"""All unknown chats together."""
GROUPS = Rate(1, 60)
"""Leaving a group is asked of Telegram once a minute, however much is written there."""


class Buckets:
    """A bucket for each key, full at first."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._levels: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def take(self, key: int, now: float) -> bool:
        """Takes one, if there is one."""
        level, since = self._levels.pop(key, (self._rate.size, now))
        level = min(self._rate.size, level + (now - since) / self._rate.seconds)
        enough = level >= 1
        self._levels[key] = (level - 1 if enough else level, now)
        if len(self._levels) > REMEMBERED:
            self._levels.popitem(last=False)
        return enough


class Gate:
    """Which updates are worked. `known` gives the chats of the register's people once, at the first update."""

    def __init__(
        self, known: Callable[[], Iterable[int]] | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._load = known
        self._known: set[int] = set()
        self._clock = clock
        self._people, self._strangers = Buckets(KNOWN), Buckets(STRANGER)
        self._all, self._groups = Buckets(STRANGERS), Buckets(GROUPS)

    @property
    def loaded(self) -> bool:
        """Whether it knows already who is who."""
        return self._load is None

    def load(self) -> None:
        """Reads who is who, once; synchronous database work."""
        if self._load is not None:
            self._known |= set(self._load())
            self._load = None

    def learns(self, chat_id: int, *, known: bool | None) -> None:
        """What a turn found out about the chat."""
        if known:
            self._known.add(chat_id)
        elif known is False:
            self._known.discard(chat_id)

    def admits(self, chat_id: int) -> bool:
        """Whether an update of this private chat is worked."""
        now = self._clock()
        if chat_id in self._known:
            return self._people.take(chat_id, now)
        return self._strangers.take(chat_id, now) and self._all.take(0, now)

    def leaves(self, chat_id: int) -> bool:
        """Whether leaving this group is worth a call."""
        now = self._clock()
        return self._groups.take(chat_id, now) and self._all.take(0, now)


class Verdicts:
    """What the gate said of updates that are not settled yet. Telegram brings them again while the database is away, and
    waiting for it is no flood: each is weighed once. Without a gate all are admitted.
    """

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate
        self._said: OrderedDict[int, bool] = OrderedDict()

    def admits(self, update_id: int, chat_id: int) -> bool:
        """Whether the update is worked: the same answer however often it comes, until it is settled."""
        said = self._said.pop(update_id, None)
        if said is None:
            said = self._gate is None or self._gate.admits(chat_id)
        self._said[update_id] = said
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return said

    def settled(self, update_id: int) -> None:
        """Telegram does not bring this one again."""
        self._said.pop(update_id, None)

    def all_settled(self) -> None:
        """Telegram brings none again."""
        self._said.clear()

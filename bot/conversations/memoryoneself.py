"""What the register in memory knows of the actor's own users: part of `memory.MemoryDirectory`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bot.access.oneself import accounts_of
from bot.access.requests import Done, Outcome, Request
from bot.conversations.memoryparts import paged
from bot.conversations.ports import ChangeCard, Listing


@dataclass
class MemoryOneself:
    """The actor's own accounts; `solo`: nobody else manages anything where he does."""

    acts: frozenset[str] = frozenset()
    changes: dict[str, ChangeCard] = field(default_factory=dict)
    own: tuple[str, ...] = ()
    solo: bool = False

    def alone(self, request: Request) -> bool:
        return self.solo and bool(set(accounts_of(request)) & set(self.own))

    def own_changes(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[ChangeCard]:
        marked = [
            change
            for _, change in sorted(self.changes.items(), reverse=True)
            if change.own and change.entity.id == entity and "read_audit" in self.acts
        ]
        return paged(marked, page, size)

    def marked(self, request: Request, outcome: Outcome) -> Outcome:
        """The outcome, with the mark on its change where the actor acted on himself."""
        if isinstance(outcome, Done) and outcome.number in self.changes and self.alone(request):
            self.changes[outcome.number] = replace(self.changes[outcome.number], own=True)
        return outcome

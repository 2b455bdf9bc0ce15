"""Who stands in for whom in the register in memory: part of `memory.MemoryDirectory`."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.access.requests import AppointDeputy, Done, EndDeputy
from bot.conversations.ports import DeputyRef, PersonCard


@dataclass
class MemoryDeputies:
    """Substitutions; rights are not checked here."""

    cards: dict[str, PersonCard] = field(default_factory=dict)
    standins: dict[str, DeputyRef] = field(default_factory=dict)

    def deputies(self, entity: str) -> tuple[DeputyRef, ...]:
        return tuple(each for each in self.standins.values() if each.entity == entity)

    def standing_in(self) -> tuple[DeputyRef, ...]:
        return tuple(each for each in self.standins.values() if each.mine and each.begun)

    def stand_in(self, request: AppointDeputy) -> Done:
        """The actor is Delcourt Anne."""
        key, deputy = f"s{len(self.standins) + 1:04d}", self.cards[request.account].ref.name
        self.standins[key] = DeputyRef(
            key, request.entity, "Delcourt Anne", deputy, request.since, request.until,
            mine="principal", endable=True,
        )  # fmt: skip
        return Done("2026-000093", account=request.account)

    def stand_down(self, request: EndDeputy) -> Done:
        """Ends it."""
        del self.standins[request.substitution]
        return Done("2026-000094")

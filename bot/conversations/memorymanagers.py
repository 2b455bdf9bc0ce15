"""The managers of the register in memory: part of `memory.MemoryDirectory`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from bot.access.offices import OFFICES
from bot.access.requests import AppointManager, Done, EndMandate
from bot.conversations.ports import ManagerRef, PersonCard, Post


@dataclass
class MemoryManagers:
    """Mandates, and the offices that the actor may fill; rights are not checked here."""

    cards: dict[str, PersonCard] = field(default_factory=dict)
    mandates: dict[str, ManagerRef] = field(default_factory=dict)
    vacancies: dict[str, tuple[Post, ...]] = field(default_factory=dict)  # by entity

    def managers(self, entity: str) -> tuple[ManagerRef, ...]:
        return tuple(mandate for mandate in self.mandates.values() if mandate.entity == entity)

    def posts(self, entity: str) -> tuple[Post, ...]:
        return self.vacancies.get(entity, ())

    def appoint(self, request: AppointManager) -> Done:
        """Writes the mandate, and ends the one that it replaces."""
        if request.replaces:
            old = self.mandates[request.replaces]
            self.mandates[old.id] = replace(old, until=request.since - timedelta(days=1))
        key = f"m{len(self.mandates) + 1:04d}"
        self.mandates[key] = ManagerRef(
            key,
            request.entity,
            request.office,
            self.cards[request.account].ref.name,
            request.account,
            request.quality or "",
            "hospital" if request.quality else "",
            request.subdivision or "",
            since=request.since,
            until=request.until,
            changeable=True,
        )
        invited = request.office != "responsible"
        code = "A" * 22 if invited and not request.mail else ""
        return Done("2026-000090", account=request.account, mailed=invited and request.mail, code=code)

    def end(self, request: EndMandate) -> Done:
        """Ends it at that day, or takes it out."""
        old = self.mandates.pop(request.mandate)
        if request.on:
            self.mandates[old.id] = replace(old, until=request.on)
        return Done("2026-000091", account=old.account)

    def with_managers(self, entity: str, account: str = "") -> None:
        """A mandate of each office, and every office to be filled; `account` is who holds the changeable ones."""
        room, day = f"{entity}-h", date(2020, 1, 1)
        self.vacancies[entity] = tuple(
            Post(
                key,
                room if office.quality else "",
                "s1" if office.subdivision else "",
                "Cardiologie" if office.subdivision else "",
            )
            for key, office in OFFICES.items()
        )
        for post in self.vacancies[entity]:
            key = f"{entity}-{post.office}"[:12]
            self.mandates[key] = ManagerRef(
                key,
                entity,
                post.office,
                self.cards[account].ref.name if account else "",
                account,
                post.quality,
                "hospital" if post.quality else "",
                post.subdivision,
                post.name,
                since=day,
                changeable=True,
            )

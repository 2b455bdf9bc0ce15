"""The qualities of `memory.MemoryDirectory`: which wait to become active, and what activating one does, in small."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.access.requests import ActivateQuality, Done
from bot.conversations.memoryparts import record
from bot.conversations.ports import ChangeCard, ChangeItem, EntityRef, QualityRef, Sheet

ACTIVATE = "activate-quality"


class MemoryPlaces:
    """A mixin: the qualities of a register in memory."""

    places: tuple[EntityRef, ...]
    rooms: dict[str, QualityRef]
    changes: dict[str, ChangeCard]

    def activations(self, entity: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            (change.quality, change.number)
            for change in self.changes.values()
            if change.entity.id == entity and change.state == "to_do" and change.items[0].kind == ACTIVATE
        )

    def activate(self, request: ActivateQuality, now: datetime) -> Done:
        room = self.rooms[request.quality]
        entity = next(place for place in self.places if place.id == room.entity)
        due = None if entity.delivery == "portal" else now
        state = "active" if due else "to_do"
        item = ChangeItem(ACTIVATE, room.key, state)
        number = record(self.changes, entity, (item,), state, now, due=due, quality=room.id)
        if due:
            self.begins(self.changes[number])
        return Done(number, due)

    def begins(self, change: ChangeCard) -> None:
        """What the change activates is active, if it activates anything."""
        if change.items and change.items[0].kind == ACTIVATE and change.quality in self.rooms:
            room = self.rooms[change.quality]
            self.rooms[room.id] = replace(room, active=True, since=change.recorded_on)

    def sheet_of_place(self, change: ChangeCard) -> Sheet:
        """The sheet of a change about nobody."""
        return Sheet(change, self.rooms[change.quality].key)

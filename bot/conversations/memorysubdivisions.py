"""The subdivisions of `memory.MemoryDirectory` as a tree, and what is done to one, in small. Part of `memory`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.access.requests import CloseSubdivision, CreateSubdivision, Done, MoveSubdivision, RenameSubdivision
from bot.access.views import ManagerRef, SubdivisionCard
from bot.conversations.memoryparts import record
from bot.conversations.ports import ChangeCard, ChangeItem, EntityRef, PersonCard, QualityRef, SubdivisionRef

ACT = "manage_subdivisions"


class MemorySubdivisions:
    """A mixin: `wards` by id."""

    places: tuple[EntityRef, ...]
    rooms: dict[str, QualityRef]
    wards: dict[str, SubdivisionRef]
    cards: dict[str, PersonCard]
    changes: dict[str, ChangeCard]
    mandates: dict[str, ManagerRef]
    acts: frozenset[str]
    topmost: bool

    def branches(self, entity: str) -> tuple[SubdivisionCard, ...]:
        rooms = {room.id for room in self.rooms.values() if room.entity == entity}
        own = sorted((w for w in self.wards.values() if w.quality in rooms), key=lambda ward: ward.path)
        people = {ward.id: len(self._inside([ward])) for ward in own}
        return tuple(
            SubdivisionCard(
                ward.id,
                entity,
                ward.quality,
                ward.name,
                ward.path,
                ward.parent,
                ward.path.count(" › "),
                people=people[ward.id],
                everybody=sum(people[each.id] for each in own if each.id in self._under(ward.id)),
                changeable=ACT in self.acts,
            )
            for ward in own
        )

    def subdivision(self, subdivision: str) -> SubdivisionCard | None:
        found = (each for place in self.places for each in self.branches(place.id))
        return next((each for each in found if each.id == subdivision), None)

    def roots(self, entity: str) -> tuple[str, ...]:
        rooms = (room.id for room in self.rooms.values() if room.entity == entity)
        return tuple(rooms) if ACT in self.acts and self.topmost else ()

    def create_subdivision(self, request: CreateSubdivision, now: datetime) -> Done:
        """A new one."""
        key = f"w{len(self.wards) + 1:03d}"
        self.wards[key] = SubdivisionRef(key, request.quality, request.name, "", request.within or "")
        self._lead_anew()
        above = self.wards[request.within].name if request.within else ""
        return self._written("create-subdivision", request.quality, request.name, above, now)

    def rename_subdivision(self, request: RenameSubdivision, now: datetime) -> Done:
        """Another name, for its users too."""
        old = self.wards[request.subdivision]
        for card in self._inside([old]):
            self._put(card, request.name)
        self.wards[old.id] = replace(old, name=request.name)
        self._lead_anew()
        return self._written("rename-subdivision", old.quality, request.name, old.name, now)

    def move_subdivision(self, request: MoveSubdivision, now: datetime) -> Done:
        """Below another one."""
        old = self.wards[request.subdivision]
        self.wards[old.id] = replace(old, parent=request.within or "")
        self._lead_anew()
        above = self.wards[request.within].name if request.within else ""
        return self._written("move-subdivision", old.quality, old.name, above, now, request.people)

    def close_subdivision(self, request: CloseSubdivision, now: datetime) -> Done:
        """It and all that hangs on it; the mandates over these are over."""
        heir = self.wards[request.heir].name if request.heir else ""
        closing = [self.wards[each] for each in self._under(request.subdivision)]
        for card in self._inside(closing):
            self._put(card, heir)
        for ward in closing:
            del self.wards[ward.id]
        for mandate in request.mandates:
            del self.mandates[mandate]
        top = next(ward for ward in closing if ward.id == request.subdivision)
        return self._written("close-subdivision", top.quality, top.name, heir, now, request.people)

    def _under(self, top: str) -> set[str]:
        found = {top}
        while more := {ward.id for ward in self.wards.values() if ward.parent in found} - found:
            found |= more
        return found

    def _inside(self, wards: list[SubdivisionRef]) -> list[PersonCard]:
        names = {(ward.quality, ward.name) for ward in wards}
        return [
            card
            for card in self.cards.values()
            if (card.ref.quality, card.ref.subdivision) in names and card.ref.status != "deleted"
        ]

    def _put(self, card: PersonCard, name: str) -> None:
        ref = replace(card.ref, subdivision=name, version=card.ref.version + 1)
        self.cards[ref.id] = replace(card, ref=ref)

    def _lead_anew(self) -> None:
        """The paths, after a name or a place changed."""
        for ward in list(self.wards.values()):
            names, at = [ward.name], ward.parent
            while at:
                names.insert(0, self.wards[at].name)
                at = self.wards[at].parent
            self.wards[ward.id] = replace(ward, path=" › ".join(names))

    def _written(
        self, kind: str, quality: str, name: str, other: str, now: datetime, people: int = 0
    ) -> Done:
        entity = next(place for place in self.places if place.id == self.rooms[quality].entity)
        portal = entity.delivery == "portal"
        due, state = (None, "to_do") if portal else (now, "done")
        item = ChangeItem(kind, name, "recorded" if portal else "active", other=other, people=people)
        return Done(record(self.changes, entity, (item,), state, now, due=due, quality=quality), due)

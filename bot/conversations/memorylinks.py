"""Who answers for whom in the register in memory: part of `memory.MemoryDirectory`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from bot.access.catalogue import Catalogue, builtin
from bot.access.requests import ChangeLink, Done, LinkResponsible
from bot.conversations.matching import fold
from bot.conversations.memoryparts import paged
from bot.conversations.ports import LinkRef, Listing, PersonCard, PersonRef

PROFESSION_OF = {
    "collaborator-specialist-physician": "specialist-physician",
    "collaborator-hospital-pharmacist": "hospital-pharmacist",
}


@dataclass(frozen=True)
class Linked:
    """A link as it is kept: the collaborator, the responsible."""

    account: str
    responsible: str
    function: str
    starts_on: date
    ends_on: date | None = None
    own: bool = True
    state: str = "active"


@dataclass
class MemoryLinks:
    """Links between accounts; rights are not checked here."""

    cards: dict[str, PersonCard] = field(default_factory=dict)
    linked: dict[str, Linked] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=builtin)
    unseen: frozenset[str] = frozenset()  # accounts out of scope

    def links(self, account: str) -> tuple[LinkRef, ...]:
        both = [
            (key, each) for key, each in self.linked.items() if account in {each.account, each.responsible}
        ]
        refs = [self._ref(key, each, leads=each.account == account) for key, each in both]
        return tuple(sorted(refs, key=lambda ref: not ref.leads))

    def link(self, link: str) -> tuple[str, LinkRef] | None:
        each = self.linked.get(link)
        return (each.account, self._ref(link, each, leads=True)) if each else None

    def _ref(self, key: str, each: Linked, *, leads: bool) -> LinkRef:
        other = each.responsible if leads else each.account
        seen = other not in self.unseen
        return LinkRef(
            key,
            other if seen else "",
            self.cards[other].ref.name if seen else "",
            leads,
            each.function,
            each.state,
            each.starts_on,
            each.ends_on,
            counts=self._counts(each),
            changeable=each.own,
            alone=not any(
                (one.account, one.function) == (each.account, each.function) and self._counts(one)
                for one in self.linked.values()
                if one.responsible != each.responsible
            ),
        )

    def _counts(self, each: Linked) -> bool:
        leader = self.cards[each.responsible].ref
        return (leader.status, leader.profession) == ("active", PROFESSION_OF[each.function])

    def unled(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[PersonRef]:
        counted = {(each.account, each.function) for each in self.linked.values() if self._counts(each)}
        found = [
            card.ref
            for card in self.cards.values()
            if card.entity.id == entity
            and any(
                held.kind == "function"
                and held.state != "ended"
                and self._must(card, held.key)
                and (card.ref.id, held.key) not in counted
                for held in card.holdings
            )
        ]
        return paged(found, page, size)

    def _must(self, card: PersonCard, function: str) -> bool:
        asking = self.catalogue.asking_for_link()
        by = asking.get(function)
        return function in asking and (by is None or any(card.holds("application", key) for key in by))

    def responsibles(
        self, quality: str, professions: Collection[str], *, find: str = "", page: int = 0, size: int = 6
    ) -> Listing[PersonRef]:
        found = [
            card.ref
            for card in self.cards.values()
            if (card.ref.quality, card.ref.status) == (quality, "active")
            and card.ref.profession in professions
            and all(
                any(part.startswith(word) for part in fold(card.ref.name).split())
                for word in fold(find).split()
            )
        ]
        return paged(found, page, size)

    def link_up(self, request: LinkResponsible, now: datetime) -> Done:
        """Writes the link."""
        self.linked[f"l{len(self.linked) + 1:04d}"] = Linked(
            request.account, request.responsible, request.function, request.starts_on, request.ends_on
        )
        return self._numbered(request.account, now)

    def relink(self, request: ChangeLink, now: datetime) -> Done:
        """Another end, or none at all."""
        old = self.linked.pop(request.link)
        if not request.now:
            self.linked[request.link] = replace(old, ends_on=request.ends_on)
        return self._numbered(request.account, now)

    def _numbered(self, account: str, now: datetime) -> Done:
        portal = self.cards[account].entity.delivery == "portal"
        return Done("2026-000092", None if portal else now, account)

"""The users of the register in memory as a list, and what is done to several of them. Part of `memory`. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.access.periods import brussels_day
from bot.access.requests import ActOnUsers, Done, Outcome
from bot.access.views import COUNTED, ChangeCard, ChangeItem, PersonCard, SubdivisionRef, UserFilter, UserPage
from bot.conversations.matching import fold
from bot.conversations.memoryparts import record

ENDING = timedelta(days=30)
KINDS = {"block": "block-user", "reactivate": "reactivate-user", "delete": "delete-user", "end": "end-grant"}
STATES = {"block": "blocked", "reactivate": "active", "delete": "deleted"}


class MemoryUsers:
    """What `MemoryDirectory` answers about lists of users."""

    cards: dict[str, PersonCard]
    changes: dict[str, ChangeCard]
    wards: dict[str, SubdivisionRef]
    now: datetime

    def users(
        self, entity: str, wanted: UserFilter, *, after: str = "", before: str = "", size: int = 6
    ) -> UserPage:
        """Those that match, by name."""
        cards = [
            c
            for c in self.cards.values()
            if c.entity.id == entity and _matches(c, wanted, self.wards, self.now)
        ]
        refs = [c.ref for c in sorted(cards, key=lambda card: (fold(card.ref.name), card.ref.id))]
        ids = [ref.id for ref in refs]
        if after in ids:
            first = ids.index(after) + 1
        elif before in ids:
            first = max(0, ids.index(before) - size)
        else:
            first = 0
        first = first if first < len(refs) else 0
        many = len(refs) > COUNTED
        return UserPage(
            tuple(refs[first : first + size]),
            min(len(refs), COUNTED + 1),
            None if many else first,
            (first > 0, first + size < len(refs)),
        )

    def subdivisions(self, entity: str, act: str | None = None) -> tuple[SubdivisionRef, ...]:
        """Those of the entity."""
        del act
        return tuple(ward for ward in self.wards.values() if ward.quality.startswith(f"{entity}-"))

    def act_on_users(self, request: ActOnUsers, now: datetime) -> Outcome:
        """As the register does it, in small."""
        today, numbers = brussels_day(now), []
        for account, _ in request.accounts:
            card = self.cards[account]
            ref = replace(card.ref, version=card.ref.version + 1)
            if request.act in STATES:
                ref = replace(ref, status=STATES[request.act])
            if request.act == "move":
                ward = self.wards.get(request.subdivision or "")
                ref = replace(ref, subdivision=ward.name if ward else "")
            if card.entity.delivery == "portal" and request.act in KINDS:
                numbers.append(self._noted_there(card, request, now))
            if request.act in {"end", "delete"}:
                ended = (replace(held, state="ended", ends_on=today) for held in card.holdings)
                card = replace(card, holdings=tuple(ended))
            self.cards[account] = replace(card, ref=ref)
        first, *more = numbers or ["2026-000900"]
        return Done(first, None if numbers else now, request.accounts[0][0], more=tuple(more))

    def _noted_there(self, card: PersonCard, request: ActOnUsers, now: datetime) -> str:
        """A change of its own for each person, to do on the portal."""
        today = brussels_day(now)
        items = [ChangeItem(KINDS[request.act], "", "to_do")] if request.act != "end" else []
        items += [
            ChangeItem("end-grant", held.key, "to_do", held.starts_on, request.ends_on or today, at_once=True)
            for held in card.holdings
            if request.act == "end" and held.kind == "application" and held.state != "ended"
        ]
        return record(self.changes, card.entity, items, "to_do", now, about=card.ref)


def _matches(card: PersonCard, wanted: UserFilter, wards: dict[str, SubdivisionRef], now: datetime) -> bool:
    ref = card.ref
    words = fold(f"{ref.name} {ref.username} {ref.subdivision}").split()
    last = ref.name.removesuffix(card.first_name)
    held = [h for h in card.holdings if h.state != "ended"]
    ward = wards.get(wanted.subdivision)
    day: date = brussels_day(now)
    return (
        all(any(word.startswith(part) for word in words) for part in fold(wanted.text).split())
        and fold(last).startswith(fold(wanted.last))
        and fold(card.first_name).startswith(fold(wanted.first))
        and ref.username.startswith(wanted.username.lower())
        and wanted.account in {"", ref.id}
        and wanted.type in {"", "user"}
        and (ref.status == wanted.status if wanted.status else ref.status != "deleted")
        and (not wanted.application or any(h.key == wanted.application for h in held))
        and (not wanted.function or any(h.key == wanted.function for h in held))
        and (not wanted.subdivision or (ward is not None and ref.subdivision == ward.name))
        and (not wanted.ending or any(h.ends_on and h.ends_on <= day + ENDING for h in held))
    )

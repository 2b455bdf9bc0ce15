"""A register in memory, as one actor sees it: for tests of dialogues, and for whoever writes one.

`MemoryDirectory` answers what dialogues ask (`ports.Directory`), and carries out what they ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from rapidfuzz import fuzz

from bot.access.claims import ON_USERS
from bot.access.names import display_name
from bot.access.requests import Conflict, Outcome, Refused, Request
from bot.access.rights import OFTEN
from bot.conversations import memoryacts
from bot.conversations.matching import fold
from bot.conversations.memorycertificates import MemoryCertificates
from bot.conversations.memorydeputies import MemoryDeputies
from bot.conversations.memorylinks import MemoryLinks
from bot.conversations.memorymanagers import MemoryManagers
from bot.conversations.memoryoneself import MemoryOneself
from bot.conversations.memoryparts import paged
from bot.conversations.memoryplaces import MemoryPlaces
from bot.conversations.memorysubdivisions import MemorySubdivisions
from bot.conversations.memoryusers import MemoryUsers
from bot.conversations.ports import (
    COUNTED,
    ChangeCard,
    Counts,
    EntityRef,
    FunctionCounts,
    Holding,
    Invitation,
    Line,
    Listing,
    PastChange,
    PersonCard,
    PersonRef,
    QualityRef,
    SentMessage,
    Sheet,
    SubdivisionRef,
    Visit,
    Waiting,
)
from bot.msg import Texts

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MIDI = EntityRef(
    "midi",
    Texts(
        "Hôpitaux du Midi", "Ziekenhuizen van het Zuiden", "Krankenhäuser des Südens", "Southern Hospitals"
    ),
    "710999-11",
    "co-responsible",
)
AUBE = EntityRef(
    "aube",
    Texts("Clinique Sainte-Aube", "Kliniek Sint-Dageraad", "Klinik Sankt Aube", "Saint Dawn Clinic"),
    "719998-33",
    "responsible",
)
PORTAL = EntityRef(
    "quai",
    Texts("Hôpital du Quai", "Kaaiziekenhuis", "Kaikrankenhaus", "Quay Hospital"),
    "720999-02",
    "responsible",
    "portal",
)


@dataclass
class MemoryDirectory(
    MemoryManagers,
    MemoryUsers,
    MemoryLinks,
    MemoryPlaces,
    MemoryDeputies,
    MemoryCertificates,
    MemoryOneself,
    MemorySubdivisions,
):
    """A register in memory, as one actor sees it."""

    places: tuple[EntityRef, ...] = (MIDI, AUBE)
    cards: dict[str, PersonCard] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)  # NISS → account
    changes: dict[str, ChangeCard] = field(default_factory=dict)
    codes: set[str] = field(default_factory=set)
    invited_in: str | None = None  # the language that the maker of the codes asked for
    conflict: Conflict | None = None
    refusal: Refused | None = None
    own: tuple[str, ...] = ()
    linking: tuple[tuple[str, str], ...] = ()  # the numbers offered; the last is the right one
    rooms: dict[str, QualityRef] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)  # user names, folded
    mails: bool = False  # whether whoever is new gets a link by mail
    acts: frozenset[str] = frozenset(
        {
            "give_access",
            "assign_function",
            "invite_user",
            "end_function",
            "hand_over",
            "keep_certificates",
            "change_user",
            "create_user",
            "list_users",
            "export_users",
            "export_national_numbers",
            *(act.value for act in ON_USERS.values()),
        }
    )  # what the actor may do besides looking

    wards: dict[str, SubdivisionRef] = field(default_factory=dict)
    topmost: bool = True  # whether the actor may hang a subdivision on nothing
    now: datetime = NOW
    further: tuple[Visit, ...] = ()  # visits to the portal about managers
    written: tuple[SentMessage, ...] = ()

    looked_up: int = 0
    freed: bool = False  # somebody proved himself anew

    def __post_init__(self) -> None:
        for place in self.places:
            self.rooms.setdefault(
                f"{place.id}-h", QualityRef(f"{place.id}-h", place.id, "hospital", place.number)
            )

    def add(
        self,
        last: str,
        first: str,
        *,
        entity: EntityRef = MIDI,
        niss: str = "",
        email: str = "",
        holdings: Iterable[Holding] = (),
        **fields: str,
    ) -> str:
        """A user account; its id."""
        account = f"a{len(self.cards) + 1:04d}"
        masked = f"••.••.••-•••.{niss[-2:]}" if niss else ""
        ref = PersonRef(account, f"{entity.id}-h", display_name(last, first), masked=masked, **fields)  # type: ignore[arg-type]
        self.cards[account] = PersonCard(
            ref, entity, first_name=first, email=email, holdings=tuple(holdings), last_name=last
        )
        self.taken.add(ref.username.casefold())
        if niss:
            self.numbers[niss] = account
        return account

    # -- the Directory port --

    def entities(self, act: str | None = None) -> tuple[EntityRef, ...]:
        return self.places if act is None or act in self.acts else ()

    def entity(self, entity: str) -> EntityRef | None:
        return next((place for place in self.places if place.id == entity), None)

    def qualities(self, entity: str, act: str | None = None) -> tuple[QualityRef, ...]:
        if act is not None and act not in self.acts:
            return ()
        users = {card.ref.quality for card in self.cards.values() if card.ref.status != "deleted"}
        rooms = [room for room in self.rooms.values() if room.entity == entity]
        return tuple(replace(room, used=room.id in users) for room in rooms)

    def quality(self, quality: str) -> QualityRef | None:
        return self.rooms.get(quality)

    def _in(self, quality: str) -> list[PersonRef]:
        refs = (
            card.ref
            for card in self.cards.values()
            if card.ref.quality == quality and card.ref.status != "deleted"
        )
        return sorted(refs, key=lambda ref: fold(ref.name))

    def people(
        self, quality: str, *, find: str = "", page: int = 0, size: int = 6, holding: str = ""
    ) -> Listing[PersonRef]:
        words = fold(find).split()
        hits = [
            ref
            for ref in self._in(quality)
            if (not holding or self.cards[ref.id].holds("application", holding))
            and all(
                any(
                    part.startswith(word)
                    for part in fold(f"{ref.name} {ref.username} {ref.subdivision}").split()
                )
                for word in words
            )
        ]
        return paged(hits, page, size)

    def alike(self, quality: str, find: str, *, limit: int = 6) -> tuple[PersonRef, ...]:
        scored = [(fuzz.WRatio(fold(find), fold(ref.name)), ref) for ref in self._in(quality)]
        near = sorted((hit for hit in scored if hit[0] >= 80), key=lambda hit: -hit[0])
        return tuple(ref for _, ref in near[:limit])

    def by_niss(self, quality: str, niss: str) -> PersonRef | None:
        card = self.cards.get(self.numbers.get(niss, ""))
        return card.ref if card and card.ref.quality == quality else None

    def may_look_up(self) -> bool:
        self.looked_up += 1
        return self.looked_up <= OFTEN or self.freed

    def person(self, account: str) -> PersonCard | None:
        card = self.cards.get(account)
        if card is None or card.entity.delivery != "portal":
            return card
        mine = [each for each in self.changes.values() if (each.account, each.state) == (account, "to_do")]
        todo = ((each.number, tuple(i for i in each.items if i.state == "to_do")) for each in mine)
        return replace(card, waiting=tuple(Waiting(number, items) for number, items in todo if items))

    def username_free(self, username: str) -> bool:
        return username.casefold() not in self.taken

    def change(self, number: str) -> ChangeCard | None:
        return self.changes.get(number)

    def recent_changes(self, *, limit: int = 5) -> tuple[ChangeCard, ...]:
        return tuple(sorted(self.changes.values(), key=lambda change: change.number, reverse=True)[:limit])

    def counts(self, entity: str) -> Counts:
        totals = {what: self.listed(entity, what).total for what in ("active", "pending", "to_do", "ending")}
        people = sum(card.entity.id == entity for card in self.cards.values())
        return Counts(people=people, own=self.own_changes(entity).total, **totals)

    def listed(
        self, entity: str, what: str, *, key: str = "", kind: str = "", page: int = 0, size: int = 6
    ) -> Listing[Line[Holding]]:
        lines = [
            Line(card.ref, held)
            for card in self.cards.values()
            for held in card.holdings
            if card.entity.id == entity
            and (not key or held.key == key)
            and kind in {"", held.kind}
            and what in listing(held)
        ]
        return paged(lines, page, size)

    def function_counts(self, entity: str) -> FunctionCounts:
        lines = self.listed(entity, "live", kind="function", size=2 * COUNTED).items
        each = {line.holding.key for line in lines}
        counts = tuple((key, sum(line.holding.key == key for line in lines)) for key in sorted(each))
        return FunctionCounts(len({line.person.id for line in lines}), counts)

    def history(self, account: str, *, page: int = 0, size: int = 6) -> Listing[PastChange]:
        own = [c for c in self.changes.values() if c.account == account]
        done = [
            PastChange(c.number, c.author, c.recorded_at, c.recorded_on, c.items, own=c.own)
            for c in reversed(own)
        ]
        return paged(done, page, size)

    def mine(self) -> tuple[PersonCard, ...]:
        return tuple(self.cards[account] for account in self.own)

    def invitation(self, code: str) -> Invitation | None:
        return Invitation(self.invited_in) if code in self.codes else None

    def visits(self) -> tuple[Visit, ...]:
        made = []
        for room in self.rooms.values():
            place, waiting = self.entity(room.entity), self.visit(room.id)
            if place and waiting and "hand_over" in self.acts:
                people = len({sheet.who for sheet in waiting if sheet.who.strip()})
                made.append(Visit(room.id, place, room, len(waiting), people))
        return (*made, *self.further)

    def visit(self, visit: str) -> tuple[Sheet, ...]:
        cards = (
            change
            for change in self.changes.values()
            if change.state == "to_do" and self._room_of(change) == visit
        )
        sheets = [self._sheet(card) for card in sorted(cards, key=lambda card: (card.person, card.number))]
        return tuple(sheets)

    def _room_of(self, change: ChangeCard) -> str:
        return self.cards[change.account].ref.quality if change.account else change.quality

    def sheet(self, number: str) -> Sheet | None:
        change = self.changes.get(number)
        return self._sheet(change) if change and change.entity.delivery == "portal" else None

    def _sheet(self, change: ChangeCard) -> Sheet:
        if not change.account:
            return self.sheet_of_place(change)
        card = self.cards[change.account]
        first = card.first_name
        last = card.ref.name.removesuffix(first).strip()
        own = [
            item for each in self.changes.values() if each.account == change.account for item in each.items
        ]
        creating = any((item.kind, item.state) == ("create-user", "to_do") for item in own)
        return Sheet(
            change,
            self.rooms[card.ref.quality].key,
            change.account,
            last,
            first,
            email=card.email,
            language="nl",
            username=card.ref.username,
            profession=card.ref.profession,
            numbered=bool(card.ref.masked),
            parked=creating and card.ref.status == "blocked",
        )

    def messages(self) -> tuple[SentMessage, ...]:
        return self.written

    def own_address(self, entity: str) -> str:
        return next((card.email for card in self.mine() if card.entity.id == entity and card.email), "")

    def numbers_offered(self) -> tuple[tuple[str, str], ...]:
        return self.linking

    # -- what dialogues ask for --

    def perform(self, request: Request, now: datetime) -> Outcome:
        """Carry out a request, or give the refusal or conflict that a test has laid ready, once."""
        laid, self.conflict, self.refusal = self.conflict or self.refusal, None, None
        return laid or self.marked(request, memoryacts.performed(self, request, now))


def listing(held: Holding) -> set[str]:
    """The lists that a holding is on."""
    ending = {"ending"} if held.ends_on and held.state == "active" else set()
    return {held.state, *ending, *({"live"} if held.state != "ended" else ())}


def sample() -> MemoryDirectory:
    """A small register: two physicians of the same name, a collaborator without the function, somebody blocked."""
    directory = MemoryDirectory(places=(MIDI, AUBE, PORTAL))
    old = date(2026, 3, 12)
    active = datetime(2026, 3, 12, tzinfo=UTC)
    directory.add(
        "Peeters",
        "Jan",
        niss="79082399728",
        username="jpeeters",
        subdivision="Cardiologie",
        profession="specialist-physician",
    )
    directory.add(
        "Peeters",
        "Jan",
        username="janpeete",
        subdivision="Pharmacie",
        holdings=(Holding("application", "hospiliss", "active", old, None, active),),
    )
    directory.add(
        "Claes",
        "Mieke",
        username="mclaes01",
        profession="collaborator",
        holdings=(Holding("application", "colindos", "active", old, None, active),),
    )
    directory.add("Lambert", "Zoé", username="zlambert", status="blocked")
    directory.add(
        "Maes",
        "Wout",
        username="wmaes001",
        entity=AUBE,
        holdings=(Holding("application", "colindos", "active", old, NOW.date() + timedelta(days=9), active),),
    )
    directory.codes.add("AAAAAAAAAAAAAAAAAAAAAA")
    return directory

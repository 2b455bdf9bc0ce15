"""Talk to the dialogues without Telegram and without a database: for tests, and for whoever writes a dialogue.

`MemoryDirectory` is a register in memory, `Talk` a chat: it says, taps and sees, performs requests on that register, and
checks at each step what must always hold of a card.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from rapidfuzz import fuzz

from bot.access.catalogue import Catalogue, Profession, builtin
from bot.access.identifiers import Niss
from bot.access.names import display_name
from bot.access.periods import brussels_day, due_instant
from bot.access.requests import (
    ON_USERS,
    ActivateQuality,
    ActOnUsers,
    AppointDeputy,
    AppointManager,
    AssignFunction,
    ChangeEnd,
    ChangeLink,
    ChangeOwn,
    ChangeUser,
    CloseSubdivision,
    Conflict,
    CreateSubdivision,
    CreateUser,
    Done,
    EndAccess,
    EndCertificate,
    EndDeputy,
    EndMandate,
    EndSessions,
    ExportUsers,
    GrantAccess,
    InviteUser,
    Join,
    KeepCertificate,
    LinkResponsible,
    Lock,
    MarkDone,
    MoveSubdivision,
    Outcome,
    Refused,
    RenameSubdivision,
    Request,
    SendMessage,
    TapNumber,
    Verify,
)
from bot.access.rights import OFTEN
from bot.conversations import endtesting
from bot.conversations.endsteps import TAKES
from bot.conversations.engine import Engine
from bot.conversations.matching import fold
from bot.conversations.memorycertificates import MemoryCertificates
from bot.conversations.memorydeputies import MemoryDeputies
from bot.conversations.memorylinks import MemoryLinks
from bot.conversations.memorymanagers import MemoryManagers
from bot.conversations.memoryoneself import MemoryOneself
from bot.conversations.memoryplaces import MemoryPlaces
from bot.conversations.memorysubdivisions import MemorySubdivisions
from bot.conversations.memoryusers import MemoryUsers
from bot.conversations.model import (
    Answer,
    App,
    Button,
    Command,
    CopyText,
    Door,
    Event,
    Link,
    Perform,
    Press,
    Receipt,
    Redraw,
    Reply,
    State,
    Tap,
    Text,
    View,
)
from bot.conversations.ports import (
    COUNTED,
    Actor,
    ChangeCard,
    ChangeItem,
    Context,
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
    Reader,
    SentMessage,
    Settings,
    Sheet,
    SubdivisionRef,
    Visit,
    Waiting,
)
from bot.i18n import CatalogueReader, speaker
from bot.msg import Texts, m

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
        page = min(page, max(0, -(-len(hits) // size) - 1))
        return Listing(tuple(hits[page * size : (page + 1) * size]), min(len(hits), COUNTED + 1), page, size)

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
        page = min(page, max(0, -(-len(lines) // size) - 1))
        return Listing(
            tuple(lines[page * size : (page + 1) * size]), min(len(lines), COUNTED + 1), page, size
        )

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
        page = min(page, max(0, -(-len(done) // size) - 1))
        return Listing(tuple(done[page * size : (page + 1) * size]), len(done), page, size)

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

    # -- what acts do, in small --

    def perform(self, request: Request, now: datetime) -> Outcome:
        """Carry out a request, or give the refusal or conflict that a test has laid ready, once."""
        laid, self.conflict, self.refusal = self.conflict or self.refusal, None, None
        return laid or self.marked(request, self._performed(request, now))

    def _performed(self, request: Request, now: datetime) -> Outcome:
        match request:
            case GrantAccess():
                return self._grant(request, now)
            case EndAccess():
                return endtesting.end(self, request, now)
            case ChangeEnd():
                return endtesting.change(self, request, now)
            case CreateUser():
                return self._create(request, now)
            case ChangeUser():
                return self._change(request, now)
            case AssignFunction():
                return self._function(request, now)
            case MarkDone(number, more=more):
                dues = [self._done_there(each, now) for each in (number, *more)]
                return Done(number, max(dues), "" if more else self.changes[number].account)
            case Verify(number, problem):
                change = self.changes[number]
                state = "to_do" if problem else "verified"
                items = tuple(replace(item, state=state) for item in change.items)
                self.changes[number] = replace(change, state=state, problem=problem or "", items=items)
                return Done(number, account=change.account)
            case Join(code):
                self.codes.discard(code)
                return Done()
            case Lock():
                return Done()
            case EndSessions(account):
                return Done(account=account)
            case ActOnUsers():
                return self.act_on_users(request, now)
            case ExportUsers():
                return Done()
            case TapNumber(choice):
                right, self.linking = self.linking[-1:], ()
                wrong = Refused(m("link.wrong" if right else "link.over"), "number")
                return Done() if right and right[0][0] == choice else wrong
            case AppointDeputy():
                return self.stand_in(request)
            case EndDeputy():
                return self.stand_down(request)
            case LinkResponsible():
                return self.link_up(request, now)
            case ChangeLink():
                return self.relink(request, now)
            case AppointManager():
                return self.appoint(request)
            case EndMandate():
                return self.end(request)
            case KeepCertificate():
                return self.keep_certificate(request, now)
            case EndCertificate():
                return self.end_certificate(request)
            case SendMessage(subject):
                self.written = (SentMessage("730025", subject, "waiting", now), *self.written)
                return Done("730025")
            case ChangeOwn(account, changed, value):
                self.cards[account] = replace(self.cards[account], **{changed: value})  # type: ignore[arg-type]
                return Done("2026-000042", account=account)
            case ActivateQuality():
                return self.activate(request, now)
            case CreateSubdivision():
                return self.create_subdivision(request, now)
            case RenameSubdivision():
                return self.rename_subdivision(request, now)
            case MoveSubdivision():
                return self.move_subdivision(request, now)
            case CloseSubdivision():
                return self.close_subdivision(request, now)
            case InviteUser(account, mail):
                return Done(account=account, mailed=mail, code="" if mail else "AAAAAAAAAAAAAAAAAAAAAA")

    def _done_there(self, number: str, now: datetime) -> datetime:
        change = self.changes[number]
        start = max((item.starts_on for item in change.items if item.starts_on), default=None)
        due = due_instant(start or brussels_day(now), now, timedelta(minutes=20))
        items = tuple(replace(item, state="done") for item in change.items)
        self.begins(change)
        day = brussels_day(due)
        state = "done" if all(item.kind in TAKES for item in change.items) else "pending"
        self.changes[number] = replace(change, state=state, due=due, due_on=day, items=items)
        return due

    def _create(self, request: CreateUser, now: datetime) -> Done:
        user, room = request.user, self.rooms[request.quality]
        entity = next(place for place in self.places if place.id == room.entity)
        account = self.add(
            user.last_name,
            user.first_name,
            entity=entity,
            niss=user.niss or "",
            email=user.email,
            username=user.username,
            profession=request.profession or "",
        )
        card = replace(self.cards[account], type=user.type, language=user.language, title=user.title or "")
        ref = replace(card.ref, quality=request.quality)
        self.cards[account] = card = replace(card, ref=ref, local_email=user.local_email or "")
        done = self._noted(card, (ChangeItem("create-user", "", "active"),), now)
        return replace(done, mailed=self.mails and user.type == "user" and entity.delivery != "portal")

    def _change(self, request: ChangeUser, now: datetime) -> Done:
        card = self.cards[request.account]
        ref = replace(card.ref, version=card.ref.version + 1)
        if request.field in {"username", "profession"}:
            ref = replace(ref, **{request.field: request.value})  # type: ignore[arg-type]
        elif request.field == "niss":
            self.numbers = {n: own for n, own in self.numbers.items() if own != ref.id} | {
                request.value: ref.id
            }
            ref = replace(ref, masked=Niss(request.value).masked)
        else:
            card = replace(card, **{request.field: request.value})  # type: ignore[arg-type]
            ref = replace(ref, name=display_name(card.last_name, card.first_name))
        self.cards[request.account] = replace(card, ref=ref)
        held, items = endtesting.with_profession(self, request, brussels_day(now))
        self.cards[request.account] = replace(self.cards[request.account], holdings=held)
        done = self._noted(card, (ChangeItem("change-user", request.field, "active"), *items), now)
        due = (
            due_instant(brussels_day(now), now, timedelta(minutes=20))
            if done.due and request.function
            else done.due
        )
        return replace(done, due=due)

    def _function(self, request: AssignFunction, now: datetime) -> Done:
        card = self.cards[request.account]
        held = Holding("function", request.function, "pending", request.starts_on, request.ends_on)
        ref = replace(card.ref, version=card.ref.version + 1)
        self.cards[request.account] = replace(card, ref=ref, holdings=(*card.holdings, held))
        done = self._noted(card, (ChangeItem("assignment", request.function, "active"),), now)
        due = due_instant(request.starts_on, now, timedelta(minutes=20)) if done.due else None
        return replace(done, due=due)

    def _noted(self, card: PersonCard, items: tuple[ChangeItem, ...], now: datetime) -> Done:
        """A change that has taken effect, or is to do on the portal."""
        number, today = f"2026-{len(self.changes) + 1:06d}", brussels_day(now)
        due = None if card.entity.delivery == "portal" else now
        state = "active" if due else "to_do"
        who = (card.ref.id, self.cards[card.ref.id].ref.name, card.ref.username)
        self.changes[number] = ChangeCard(
            number, card.entity, "Delcourt Anne", now, today, state, due, today if due else None, *who, items
        )
        return Done(number, due, card.ref.id)

    def _grant(self, request: GrantAccess, now: datetime) -> Done:
        today = brussels_day(now)
        entity = next(place for place in self.places if place.id == self.rooms[request.quality].entity)
        account = request.account
        if account is None:
            assert request.user
            account = self.add(
                request.user.last_name,
                request.user.first_name,
                entity=entity,
                niss=request.user.niss or "",
                username=request.user.username,
                email=request.user.email,
            )
        start = request.starts_on or today
        due = None if entity.delivery == "portal" else due_instant(start, now, timedelta(minutes=20))
        state = "pending" if due else "to_do"
        number = f"2026-{len(self.changes) + 1:06d}"
        new = [
            Holding("application", key, state, start, active_at=due, number=number)
            for key in request.applications
        ]
        if request.function:
            new.append(Holding("function", request.function, state, start, request.ends_on, due, number))
        card = self.cards[account]
        declared = Profession(request.profession).declared if request.profession else card.ref.profession
        ref = replace(card.ref, version=card.ref.version + 1, profession=declared)
        self.cards[account] = replace(card, ref=ref, holdings=(*card.holdings, *new))
        items = tuple(
            ChangeItem(
                "grant" if h.kind == "application" else "assignment",
                h.key,
                state,
                h.starts_on,
                h.ends_on,
                moves=card.holds(h.kind, h.key) is not None,
            )
            for h in new
        )
        self.changes[number] = ChangeCard(
            number,
            entity,
            "Delcourt Anne",
            now,
            today,
            state,
            due,
            brussels_day(due) if due else None,
            account,
            ref.name,
            ref.username,
            items,
        )
        mailed = self.mails and request.user is not None and entity.delivery != "portal"
        return Done(number, due, account, mailed=mailed)


@dataclass
class Talk:
    """A chat with the dialogues: `says`, `taps`, `sees`. Counts interactions as the product does."""

    engine: Engine
    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    lang: str = "fr"
    actor: Actor | None = field(default_factory=lambda: Actor("delcourt", "Anne Delcourt"))
    now: datetime = NOW
    catalogue: Catalogue = field(default_factory=builtin)
    settings: Settings = field(default_factory=Settings)
    state: State = field(default_factory=State)
    view: View | None = None
    receipts: list[View] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    interactions: int = 0
    secured: bool = True  # whether whoever joins has a way back already

    @property
    def context(self) -> Context:
        lang = self.state.memory.get("lang", self.lang)
        reader: Reader = CatalogueReader(lang)
        return Context(
            lang,
            self.now,
            brussels_day(self.now),
            self.actor,
            self.directory,
            reader,
            self.catalogue,
            self.settings,
            chosen_lang="lang" in self.state.memory,
        )

    def feed(self, event: Event) -> Reply:
        """One event as a turn does it: requests are performed, their outcomes fed back."""
        reply = self.engine.step(self.state, event, self.context)
        self.replies.append(reply)
        effects = list(reply.effects)
        self.state = State.from_json(reply.state.to_json())
        for effect in effects:
            match effect:
                case Perform(request):
                    self.requests.append(request)
                    outcome = self.directory.perform(request, self.now)
                    if isinstance(request, Join) and isinstance(outcome, Done):
                        self.actor = Actor("delcourt", "Anne Delcourt", secured=self.secured)
                    if isinstance(request, Lock):
                        self.actor = Actor("delcourt", locked=True)
                    return self.feed(Answer(outcome))
                case Receipt(_, view):
                    self.receipts.append(view)
        self.view = reply.view
        return reply

    def command(self, name: str, args: str = "") -> Talk:
        self.feed(Command(name, args))
        return self

    def says(self, *texts: str) -> Talk:
        for text in texts:
            self.interactions += 1
            self.feed(Text(text))
        return self

    def taps(self, *labels: str) -> Talk:
        """Tap the button whose label begins so."""
        for label in labels:
            self.interactions += 1
            self.press(self.button(label))
        return self

    def press(self, button: Button) -> Reply:
        match button.action:
            case Press(verb, value):
                return self.feed(Tap(self.state.rev, verb, value))
            case Door(flow, args):
                return self.feed(Command(flow, args))
            case Link() | App() | CopyText():
                return self.feed(Redraw())

    def button(self, label: str) -> Button:
        """A button of the card, or of the newest receipt."""
        places = [view for view in (self.view, *reversed(self.receipts)) if view]
        for view in places:
            for button in view.buttons():
                if plain(self.context.reader.label(button.label)).startswith(label):
                    return button
        raise AssertionError(f"no button '{label}' on:\n{self.sees()}")

    def sees(self) -> str:
        """The card as plain text, with its buttons in brackets."""
        return said(self.view, self.lang_now) if self.view else ""

    @property
    def lang_now(self) -> str:
        """The language spoken now."""
        return self.state.memory.get("lang", self.lang)

    def today(self) -> date:
        return brussels_day(self.now)


def listing(held: Holding) -> set[str]:
    """The lists that a holding is on."""
    ending = {"ending"} if held.ends_on and held.state == "active" else set()
    return {held.state, *ending, *({"live"} if held.state != "ended" else ())}


def said(view: View, lang: str) -> str:
    """A view as plain text in one language."""
    voice = speaker(lang)
    head = " · ".join(voice.plain(part) for part in (view.title, view.subject) if part)
    lines = [head, *(f"⚠ {voice.plain(view.error)}" for _ in range(1) if view.error)]
    lines += [voice.plain(line) for line in (*view.notes, *view.body)]
    lines += [f"{voice.plain(label)}: {voice.plain(value)}" for label, value in view.facts]
    lines += [voice.plain(line) for line in view.after]
    lines += [
        " ".join(f"[{button.mark} {voice.plain(button.label)}]".replace("[ ", "[") for button in row)
        for row in view.rows
    ]
    return plain("\n".join(lines))


def plain(text: str) -> str:
    """Without no-break spaces, which nobody types in a test."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


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

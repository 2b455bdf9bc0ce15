"""What the register shows of itself: plain values, free of tables and of ids that mean something.

`directory` fills them from the store, dialogues read them through `conversations.ports`, which exports them again.
Pure: the standard library and `bot.msg` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from bot.msg import Texts

T = TypeVar("T")
COUNTED = 1000
"""Totals are exact up to this; above, they read "more than 1,000"."""


@dataclass(frozen=True, slots=True)
class EntityRef:
    """An entity as its manager sees it: `role` is his role there (a key of `rights`)."""

    id: str
    name: Texts
    number: str
    role: str
    delivery: str = "register"
    portal: str = "old"


@dataclass(frozen=True, slots=True)
class QualityRef:
    """A quality of an entity: `key` is the catalogue's, `number` as written (710999-11)."""

    id: str
    entity: str
    key: str
    number: str
    active: bool = True
    since: date | None = None
    """Since when it is active, where that is known."""
    used: bool = True
    """Whether somebody is a user there."""


@dataclass(frozen=True, slots=True)
class PersonRef:
    """A user account in a list. `status` is active, blocked or deleted; `masked` the masked NISS or empty."""

    id: str
    quality: str
    name: str
    username: str = ""
    subdivision: str = ""
    status: str = "active"
    profession: str = ""
    masked: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Renewal:
    """Another end that is noted and still to be done on the portal: until then the old one holds. None: no end."""

    number: str
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """A grant or an assignment. `state` is pending, to_do (on the portal), active or ended.

    `active_at` is the instant from which it counts (the due instant while pending), None while unknown.
    """

    kind: str  # "application" | "function"
    key: str
    state: str
    starts_on: date
    ends_on: date | None = None
    active_at: datetime | None = None
    number: str = ""
    renewal: Renewal | None = None


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """One line of a change: what, for which application or function, in which state."""

    kind: str
    key: str
    state: str  # recorded | to_do | done | active | verified | ended
    starts_on: date | None = None
    ends_on: date | None = None
    moves: bool = False
    """Something held already gets other days."""
    other_start: bool = False
    """Its start is among them."""
    fields: frozenset[str] = frozenset()
    """What of a user's data changed."""
    other: str = ""
    """Whom it links to: the name of the responsible. Of a subdivision: its former name, the one above it, or the one that takes
    its users.
    """
    people: int = 0
    """How many users a subdivision has that is moved or closed."""
    at_once: bool = False
    """An end that came in the moment when it was recorded; else it comes after the day `ends_on`."""
    was: date | None = None
    """The end that it had before."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that is still to do on the portal; `items` are those about one account."""

    number: str
    items: tuple[ChangeItem, ...]


@dataclass(frozen=True, slots=True)
class PersonCard:
    """All that a manager may see of a user account."""

    ref: PersonRef
    entity: EntityRef
    first_name: str = ""
    email: str = ""
    language: str = ""
    title: str = ""
    created_on: date | None = None
    changed_on: date | None = None
    holdings: tuple[Holding, ...] = ()
    last_name: str = ""
    local_email: str = ""
    type: str = "user"
    waiting: tuple[Waiting, ...] = ()
    """What is noted about the account and still to do on the portal, oldest first."""

    def holds(self, kind: str, key: str) -> Holding | None:
        """The holding of `key` that is active, pending or to do, if there is one."""
        return next((h for h in self.holdings if (h.kind, h.key) == (kind, key) and h.state != "ended"), None)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A state that a change of the portal reached, when, and by whom."""

    state: str  # done | active | verified
    at: datetime
    on: date
    by: str = ""


@dataclass(frozen=True, slots=True)
class ChangeCard:
    """A recorded change. `due` is when it is expected to be active; `account` and `person` whom it is about."""

    number: str
    entity: EntityRef
    author: str
    recorded_at: datetime
    recorded_on: date
    state: str  # pending | to_do | active | verified | done (what took something) | ended (undone)
    due: datetime | None
    due_on: date | None
    account: str
    person: str
    username: str
    items: tuple[ChangeItem, ...] = ()
    quality: str = ""
    stamps: tuple[Stamp, ...] = ()
    """How far it came on the portal."""
    problem: str = ""
    """Why it was found not to work (a key of `requests.PROBLEMS`), as long as it is to do anew."""
    own: bool = False
    """The author acted on his own user, since nobody else could."""


@dataclass(frozen=True, slots=True)
class PastChange:
    """What one change did to one account; `items` are those about it."""

    number: str
    author: str
    recorded_at: datetime
    recorded_on: date
    items: tuple[ChangeItem, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class FunctionCounts:
    """How many people of an entity exercise a function, now or later, and how many exercise each; as for `Counts`."""

    people: int = 0
    each: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Line(Generic[T]):
    """A person with the one holding that puts him in a list."""

    person: PersonRef
    holding: T


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """One page of a list. `total` is exact up to COUNTED, else COUNTED + 1."""

    items: tuple[T, ...]
    total: int
    page: int = 0
    size: int = 6

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-min(self.total, COUNTED) // self.size))


@dataclass(frozen=True, slots=True)
class Counts:
    """The manager's overview of one entity: numbers of holdings, and of people; each exact up to COUNTED, else COUNTED + 1."""

    people: int = 0
    active: int = 0
    pending: int = 0
    to_do: int = 0
    ending: int = 0  # within 30 days
    own: int = 0  # changes of managers to their own user within a year; only for whoever may read the audit


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code that can be redeemed, and the language that its maker asked for, if any."""

    lang: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """An office at a place that the actor may fill; ids empty where the office is wider."""

    office: str
    quality: str = ""
    subdivision: str = ""
    name: str = ""
    """The subdivision's."""


@dataclass(frozen=True, slots=True)
class ManagerRef:
    """Somebody's mandate as the entity's other managers see it. `office` is a key of `offices`, or another role.

    `name` is empty where the entity does not know it; `account` one of his user accounts there, if there is one;
    `accounts` are all of them, deleted ones too: the mandate outlives them.
    `quality` is the id, `quality_key` the catalogue's; `begun` is False for a mandate to come.
    """

    id: str
    entity: str
    office: str
    name: str = ""
    account: str = ""
    quality: str = ""
    quality_key: str = ""
    subdivision: str = ""
    subdivision_name: str = ""
    since: date | None = None
    until: date | None = None
    begun: bool = True
    changeable: bool = False
    """Whether the actor may replace and end him."""
    oneself: bool = False
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """A certificate of an entity; `state` is one of `certificates.state_of`."""

    id: str
    entity: str
    subject: str
    issuer: str
    fingerprint: str
    begins: datetime
    ends: datetime
    state: str


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message to the help desk: its reference, what it is about, and whether it is waiting, sent or failed."""

    reference: str
    subject: str
    state: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks, as the session has proved: an identity of the register. `name` is how to address him.

    `locked`: the Telegram account is known, but nobody has proved lately to be there; then there is no name either.
    """

    identity: str
    name: str = ""
    locked: bool = False
    secured: bool = True
    """Whether he can come back by himself once he is locked out."""


# -- the way back to the portal ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Visit:
    """What one visit to the portal can do: the changes that wait in a quality, or, where `quality` is None, in the entity
    as a whole (its managers). `id` is the quality's, else the entity's.
    """

    id: str
    entity: EntityRef
    quality: QualityRef | None
    changes: int
    people: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A change with the values to type on the portal. A national number is never among them."""

    change: ChangeCard
    quality_key: str = ""
    account: str = ""
    last_name: str = ""
    first_name: str = ""
    title: str = ""
    language: str = ""
    email: str = ""
    local_email: str = ""
    username: str = ""
    profession: str = ""
    numbered: bool = False
    """Whether a national number is known."""
    parked: bool = False
    """The account is blocked here and the portal does not know it: nothing is to do there until it is active again."""

    @property
    def who(self) -> str:
        """Whom the change is about: changes with the same are done together."""
        return self.account or f"{self.last_name} {self.first_name}"


# -- the users of an entity -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UserFilter:
    """What a list of users is narrowed to; everything given must hold. Empty: everybody who is not deleted.

    `text` matches the beginnings of words of the name, the user name and the subdivision; `last`, `first` and `username`
    the beginning of that part. `account` is one account (found by its national number, which stands nowhere here).
    `application`, `function` and `ending` look at what runs or is to come, `ending` for an end within 30 days.
    """

    text: str = ""
    last: str = ""
    first: str = ""
    username: str = ""
    type: str = ""
    account: str = ""
    status: str = ""
    application: str = ""
    subdivision: str = ""
    function: str = ""
    ending: bool = False


@dataclass(frozen=True, slots=True)
class UserPage:
    """One page of users, sorted by name. `total` is exact up to COUNTED, else COUNTED + 1.

    `place` is the place of the first in the whole list, from 0, None where more than COUNTED are found; `more` says
    whether somebody comes before, and after.
    """

    items: tuple[PersonRef, ...] = ()
    total: int = 0
    place: int | None = 0
    more: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class SubdivisionRef:
    """A subdivision that is open: `path` its name with those above it, `parent` the one it hangs on, or empty."""

    id: str
    quality: str
    name: str
    path: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class SubdivisionCard:
    """A subdivision that is open and in scope, with what there is to say of it. `depth` is 0 for a topmost one.

    `people` are its users that are not deleted, `everybody` those of what hangs on it too. `changeable`: the actor may rename
    it and hang something on it.
    """

    id: str
    entity: str
    quality: str
    name: str
    path: str
    parent: str = ""
    depth: int = 0
    version: int = 1
    people: int = 0
    everybody: int = 0
    changeable: bool = False


# -- who answers for whom -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkRef:
    """A link of an account with another: `leads` says that the other one is the responsible, else the collaborator.

    `account` and `name` are the other's, empty where he is out of scope. `state` is that of a holding; `counts` is False
    while the responsible cannot answer (blocked, or of another profession now). `changeable`: it has days of its own.
    `alone`: without this responsible the collaborator has nobody else for this function.
    """

    id: str
    account: str
    name: str
    leads: bool
    function: str
    state: str
    starts_on: date
    ends_on: date | None = None
    counts: bool = True
    changeable: bool = True
    alone: bool = False


@dataclass(frozen=True, slots=True)
class DeputyRef:
    """Somebody stands in for a manager in an entity. `mine`: "principal" or "deputy" where that is the actor, else empty.

    Names are empty where the entity does not know them. `endable`: the actor may end it.
    """

    id: str
    entity: str
    principal: str
    deputy: str
    since: date
    until: date
    begun: bool = True
    mine: str = ""
    endable: bool = False

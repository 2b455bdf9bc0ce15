"""What dialogues may ask, as protocols: the register (`Directory`) and the words of the screen (`Reader`).

A `Directory` belongs to one session: it answers only for what the actor may see, and "not there" and "not yours"
are the same answer. `bot.access.directory` implements it over the store, the tests in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, Protocol, TypeVar

from bot.access.catalogue import Catalogue
from bot.access.credentials import UsernamePolicy
from bot.msg import Msg, Say, Texts

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

    def holds(self, kind: str, key: str) -> Holding | None:
        """The holding of `key` that is active, pending or to do, if there is one."""
        return next((h for h in self.holdings if (h.kind, h.key) == (kind, key) and h.state != "ended"), None)


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """One line of a change: what, for which application or function, in which state."""

    kind: str
    key: str
    state: str  # recorded | to_do | done | active | verified | ended
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class ChangeCard:
    """A recorded change. `due` is when it is expected to be active; `account` and `person` whom it is about."""

    number: str
    entity: EntityRef
    author: str
    recorded_at: datetime
    recorded_on: date
    state: str  # pending | to_do | active
    due: datetime | None
    due_on: date | None
    account: str
    person: str
    username: str
    items: tuple[ChangeItem, ...] = ()


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
    """The manager's overview of one entity: numbers of holdings, and of people."""

    people: int = 0
    active: int = 0
    pending: int = 0
    to_do: int = 0
    ending: int = 0  # within 30 days


class Directory(Protocol):
    """The register, as far as the actor may see it."""

    def entities(self, act: str | None = None) -> tuple[EntityRef, ...]:
        """The entities where the actor has a mandate today (that allows `act`, a key of `rights.Act`), by name."""

    def entity(self, entity: str) -> EntityRef | None: ...

    def qualities(self, entity: str, act: str | None = None) -> tuple[QualityRef, ...]:
        """All qualities of the entity in scope, inactive ones too."""

    def quality(self, quality: str) -> QualityRef | None: ...

    def people(self, quality: str, *, find: str = "", page: int = 0, size: int = 6) -> Listing[PersonRef]:
        """Accounts of the quality in scope, sorted by name; `find` matches the beginnings of words of name and user name.

        Deleted accounts are left out.
        """

    def alike(self, quality: str, find: str, *, limit: int = 6) -> tuple[PersonRef, ...]:
        """Accounts whose name is nearly `find`: typing errors forgiven, best first."""

    def by_niss(self, quality: str, niss: str) -> PersonRef | None:
        """The account of this quality whose person has this national number now."""

    def person(self, account: str) -> PersonCard | None: ...

    def username_free(self, username: str) -> bool:
        """Whether no account anywhere bears this user name."""

    def change(self, number: str) -> ChangeCard | None: ...

    def recent_changes(self, *, limit: int = 5) -> tuple[ChangeCard, ...]:
        """The actor's own latest changes, newest first."""

    def counts(self, entity: str) -> Counts: ...

    def listed(self, entity: str, what: str, *, key: str = "", page: int = 0, size: int = 6) -> Listing[Line[Holding]]:
        """People with a holding that is `what`: active, pending, to_do or ending (within 30 days); of application `key` if given."""

    def mine(self) -> tuple[PersonCard, ...]:
        """The actor's own accounts, in every entity that his binding covers."""

    def invitation(self, code: str) -> bool:
        """Whether this code can still be redeemed."""


class Reader(Protocol):
    """How messages read on the screen, to understand a label that is typed instead of tapped."""

    def label(self, say: Say) -> str:
        """The text in the chat's language."""

    def labels(self, say: Say) -> tuple[str, ...]:
        """The text in the chat's language first, then in the others."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who speaks, as the session has proved: an identity of the register. `name` is how to address him."""

    identity: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings that dialogues follow."""

    activation_delay: timedelta = timedelta(minutes=20)
    usernames: UsernamePolicy = field(default_factory=UsernamePolicy)
    languages: tuple[str, ...] = ("fr", "nl", "de")  # the portal's choice for a user, `domain.md` 1.5
    version: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """All that `step` may look at besides the state and the event."""

    lang: str
    now: datetime
    today: date
    actor: Actor | None
    directory: Directory
    reader: Reader
    catalogue: Catalogue
    settings: Settings = field(default_factory=Settings)
    chosen_lang: bool = True

    def says(self, msg: Msg) -> str:
        """The message as plain text in the chat's language."""
        return self.reader.label(msg)

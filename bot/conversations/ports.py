"""What dialogues may ask, as protocols: the register (`Directory`) and the words of the screen (`Reader`).

A `Directory` belongs to one session: it answers only for what the actor may see, and "not there" and "not yours"
are the same answer. `bot.access.directory` implements it over the store, the tests in memory.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from bot.access.catalogue import Catalogue
from bot.access.credentials import UsernamePolicy
from bot.access.requests import Request
from bot.access.views import (
    COUNTED,
    Actor,
    CertificateRef,
    ChangeCard,
    ChangeItem,
    Counts,
    DeputyRef,
    EntityRef,
    FunctionCounts,
    Holding,
    Invitation,
    Line,
    LinkRef,
    Listing,
    ManagerRef,
    PastChange,
    PersonCard,
    PersonRef,
    Post,
    QualityRef,
    SentMessage,
    Sheet,
    Stamp,
    SubdivisionCard,
    SubdivisionRef,
    UserFilter,
    UserPage,
    Visit,
    Waiting,
)
from bot.conversations.spans import Keeping
from bot.msg import Msg, Say

__all__ = [
    "COUNTED",
    "Actor",
    "CertificateRef",
    "ChangeCard",
    "ChangeItem",
    "Context",
    "Counts",
    "DeputyRef",
    "Directory",
    "EntityRef",
    "FunctionCounts",
    "Holding",
    "Invitation",
    "Line",
    "LinkRef",
    "Listing",
    "ManagerRef",
    "PastChange",
    "PersonCard",
    "PersonRef",
    "Post",
    "QualityRef",
    "Reader",
    "SentMessage",
    "Settings",
    "Sheet",
    "Stamp",
    "SubdivisionCard",
    "SubdivisionRef",
    "UserFilter",
    "UserPage",
    "Visit",
    "Waiting",
]


class Directory(Protocol):
    """The register, as far as the actor may see it."""

    def entities(self, act: str | None = None) -> tuple[EntityRef, ...]:
        """The entities where the actor has a mandate today (that allows `act`, a key of `rights.Act`), by name."""

    def entity(self, entity: str) -> EntityRef | None: ...

    def qualities(self, entity: str, act: str | None = None) -> tuple[QualityRef, ...]:
        """All qualities of the entity in scope, inactive ones too."""

    def quality(self, quality: str) -> QualityRef | None: ...

    def people(
        self, quality: str, *, find: str = "", page: int = 0, size: int = 6, holding: str = ""
    ) -> Listing[PersonRef]:
        """Accounts of the quality in scope, sorted by name; `find` matches the beginnings of words of name and user name.

        Deleted accounts are left out; with `holding`, so are those that do not hold this application.
        """

    def alike(self, quality: str, find: str, *, limit: int = 6) -> tuple[PersonRef, ...]:
        """Accounts whose name is nearly `find`: typing errors forgiven, best first."""

    def by_niss(self, quality: str, niss: str) -> PersonRef | None:
        """The account of this quality whose person has this national number now."""

    def may_look_up(self) -> bool:
        """Whether one more look-up by national number may be made; to ask counts as one."""

    def person(self, account: str) -> PersonCard | None: ...

    def username_free(self, username: str) -> bool:
        """Whether no account anywhere bears this user name."""

    def change(self, number: str) -> ChangeCard | None: ...

    def recent_changes(self, *, limit: int = 5) -> tuple[ChangeCard, ...]:
        """The actor's own latest changes, newest first."""

    def alone(self, request: Request) -> bool:
        """Whether the request is about the actor's own user and nobody else could do it: then it takes a fresh proof."""

    def own_changes(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[ChangeCard]:
        """What managers did to their own user within a year, newest first, for whoever may read the audit of the entity."""

    def counts(self, entity: str) -> Counts: ...

    def listed(
        self, entity: str, what: str, *, key: str = "", kind: str = "", page: int = 0, size: int = 6
    ) -> Listing[Line[Holding]]:
        """People with a holding that is `what`: active, pending, to_do, ending (within 30 days), or live for all of these; of
        this `key` and `kind` ("application", "function") if given.
        """

    def function_counts(self, entity: str) -> FunctionCounts: ...

    def history(self, account: str, *, page: int = 0, size: int = 6) -> Listing[PastChange]:
        """What was done to the account, newest first."""

    def users(
        self, entity: str, wanted: UserFilter, *, after: str = "", before: str = "", size: int = 6
    ) -> UserPage:
        """The users of the entity in scope that match, by name: the page after, or before, an account."""

    def subdivisions(self, entity: str, act: str | None = None) -> tuple[SubdivisionRef, ...]:
        """The open subdivisions of the entity in scope, each below the one it hangs on."""

    def branches(self, entity: str) -> tuple[SubdivisionCard, ...]:
        """The same with their numbers of users."""

    def subdivision(self, subdivision: str) -> SubdivisionCard | None:
        """One of them."""

    def roots(self, entity: str) -> tuple[str, ...]:
        """The qualities in which the actor may make a topmost subdivision, or hang one there."""

    def mine(self) -> tuple[PersonCard, ...]:
        """The actor's own accounts, in every entity that his binding covers."""

    def invitation(self, code: str) -> Invitation | None:
        """The invitation of this code, as long as it can be redeemed."""

    def activations(self, entity: str) -> tuple[tuple[str, str], ...]:
        """The qualities of the entity that wait to be activated on the portal, each with its change's number."""

    def visits(self) -> tuple[Visit, ...]:
        """What the actor can do on the portal now: one visit for each quality where something waits."""

    def visit(self, visit: str) -> tuple[Sheet, ...]:
        """The changes that wait there, those of one person together."""

    def sheet(self, number: str) -> Sheet | None:
        """A change of a portal's entity, with the values to type there."""

    def managers(self, entity: str) -> tuple[ManagerRef, ...]:
        """Everybody who manages something in the entity, now or later, from the widest mandate down."""

    def posts(self, entity: str) -> tuple[Post, ...]:
        """The offices that the actor may fill in the entity, at each place."""

    def certificates(self, entity: str) -> tuple[CertificateRef, ...]:
        """The certificates that the entity uses, the one that ends first at the top; expired ones too, ended ones not."""

    def messages(self) -> tuple[SentMessage, ...]:
        """The actor's latest messages to the help desk with their state, newest first."""

    def own_address(self, entity: str) -> str:
        """The actor's own e-mail address, as the entity knows it; empty where it knows none."""

    def deputies(self, entity: str) -> tuple[DeputyRef, ...]:
        """Who stands in for which manager of the entity, now or later."""

    def standing_in(self) -> tuple[DeputyRef, ...]:
        """For whom the actor stands in today, and who for him."""

    def links(self, account: str) -> tuple[LinkRef, ...]:
        """Who answers for the account, then for whom it answers: links that are not over."""

    def link(self, link: str) -> tuple[str, LinkRef] | None:
        """A link that can be changed, with its collaborator's account."""

    def unled(self, entity: str, *, page: int = 0, size: int = 6) -> Listing[PersonRef]:
        """Who exercises a collaborator's function in the entity and has no responsible for it."""

    def responsibles(
        self, quality: str, professions: Collection[str], *, find: str = "", page: int = 0, size: int = 6
    ) -> Listing[PersonRef]:
        """Active accounts of the quality with one of these professions, by name; `find` as for `people`."""

    def numbers_offered(self) -> tuple[tuple[str, str], ...]:
        """The numbers, each with an opaque id, of which one stands on a private page; none while nothing waits for a tap."""


class Reader(Protocol):
    """How messages read on the screen, to understand a label that is typed instead of tapped."""

    def label(self, say: Say) -> str:
        """The text in the chat's language."""

    def labels(self, say: Say) -> tuple[str, ...]:
        """The text in the chat's language first, then in the others."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings that dialogues follow."""

    activation_delay: timedelta = timedelta(minutes=20)
    usernames: UsernamePolicy = field(default_factory=UsernamePolicy)
    languages: tuple[str, ...] = ("fr", "nl", "de")  # the portal's choice for a user, `domain.md` 1.5
    version: str = ""
    pages: str = ""
    """The address of the private pages, without a slash at the end; empty where there are none."""
    mails: bool = False
    """Whether mail can be sent."""
    provider: str = ""
    """The name of the identity provider; empty where there is none."""
    desk: bool = False
    """Whether there is a help desk to write to."""
    idle: timedelta = timedelta(minutes=15)
    """After how long without a word a chat locks, where it can be opened again."""
    keeping: Keeping = field(default_factory=Keeping)


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

    @property
    def present(self) -> bool:
        """Whether somebody known has proved to be there: only then anything of the register may be shown."""
        return self.actor is not None and not self.actor.locked

    def says(self, msg: Msg) -> str:
        """The message as plain text in the chat's language."""
        return self.reader.label(msg)

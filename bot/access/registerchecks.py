"""What a register file may not say although each of its tables is well formed: duplicates, loose references, dates.

Each check yields (path, reason) pairs; all of them run, so that all faults are listed at once. `Known` is what the
register holds already: a file may refer to it, and must not contradict it. Pure: no database here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations

from bot.access.catalogue import Catalogue, Declared
from bot.access.periods import Period
from bot.access.registerschema import (
    AccountTable,
    AssignmentTable,
    GrantTable,
    MandateTable,
    QualityTable,
    RegisterTables,
    path,
)
from bot.access.rights import Role

Where = tuple[str | int, ...]
Fault = tuple[Where, str]
AccountKey = tuple[str, str, str]
"""Person, entity, quality."""


@dataclass(frozen=True, slots=True)
class KnownQuality:
    """A quality of the register. `subdivisions`: each one's name, and that of the one it lies within; `users`: how many
    accounts keep the file from making it inactive.
    """

    active: bool = True
    subdivisions: Mapping[str, str | None] = field(default_factory=dict)
    users: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the register holds already, by the keys that a file uses."""

    entities: Mapping[str, Mapping[str, KnownQuality]] = field(default_factory=dict)
    enterprise_of: Mapping[str, str | None] = field(default_factory=dict)
    """Entity → its enterprise's number."""
    inami: Mapping[str, str] = field(default_factory=dict)
    """INAMI number → entity."""
    people: frozenset[str] = frozenset()
    profiles: frozenset[tuple[str, str]] = frozenset()
    """(person, entity) where the entity knows the person's names."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """National number → person, for the numbers of the file; empty for somebody who was erased."""
    erased: frozenset[str] = frozenset()
    """Keys of people who were erased: nobody gets one of them again."""
    usernames: Mapping[str, AccountKey] = field(default_factory=dict)
    accounts: Mapping[AccountKey, frozenset[str]] = field(default_factory=dict)
    """Account → the applications that it has been given."""
    professions: Mapping[AccountKey, str] = field(default_factory=dict)


def faults(tables: RegisterTables, catalogue: Catalogue, known: Known) -> list[str]:
    """Every fault as "path: reason", in the order of the file's kinds of table."""
    book = _Book(tables, catalogue, known)
    found = (*_duplicates(tables), *_entities(book), *_people(book), *_mandates(book), *_accounts(book))
    return [f"{path(where)}: {reason}" for where, reason in found]


class _Book:
    """File and register together: what a reference may point to."""

    def __init__(self, tables: RegisterTables, catalogue: Catalogue, known: Known) -> None:
        self.tables, self.catalogue, self.known = tables, catalogue, known
        self.people = {person.key for person in tables.person} | known.people
        self.in_file = {person.key for person in tables.person}
        self.entities: dict[str, dict[str, KnownQuality]] = {
            key: dict(value) for key, value in known.entities.items()
        }
        for entity in tables.entity:
            qualities = self.entities.setdefault(entity.key, {})
            for quality in entity.quality:
                qualities[quality.key] = _merged(qualities.get(quality.key, KnownQuality()), quality)
        own = {entity.key: entity.enterprise for entity in tables.entity}
        self.enterprise_of = {**known.enterprise_of, **own}
        self.applications = {application.key: application for application in catalogue.applications}
        self.functions = {function.key: function for function in catalogue.functions}
        self.accounts = {account_key(account) for account in tables.account} | set(known.accounts)
        declared = {account_key(account): account.profession or "" for account in tables.account}
        self.professions = {**known.professions, **declared}
        self.brought = {*known.profiles, *brought(tables, self.enterprise_of)}
        """(person, entity) where the entity may know the person."""

    def place(
        self, where: Where, entity: str, quality: str | None, subdivision: str | None
    ) -> Iterator[Fault]:
        """The faults of a reference to an entity, and to its quality and subdivision if they are named."""
        if entity not in self.entities:
            yield (*where, "entity"), f"there is no entity '{entity}'"
        elif quality is not None and quality not in self.entities[entity]:
            yield (*where, "quality"), f"entity '{entity}' has no quality '{quality}'"
        elif quality and subdivision and subdivision not in self.entities[entity][quality].subdivisions:
            reason = f"quality '{quality}' of '{entity}' has no subdivision '{subdivision}'"
            yield (*where, "subdivision"), reason

    def person(self, where: Where, person: str, entity: str | None) -> Iterator[Fault]:
        """The faults of a reference to a person, who must be known by name to the entity."""
        if person not in self.people:
            yield (*where, "person"), f"there is no person '{person}'"
        elif (
            entity is not None and person not in self.in_file and (person, entity) not in self.known.profiles
        ):
            yield (
                (*where, "person"),
                f"entity '{entity}' does not know '{person}' yet: add [[person]] with the names",
            )


def brought(tables: RegisterTables, enterprise_of: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    """(person, entity) for each mandate and account of the file; `enterprise_of` tells an entity's enterprise."""
    for account in tables.account:
        yield account.person, account.entity
    for mandate in tables.mandate:
        if mandate.entity:
            yield mandate.person, mandate.entity
        elif mandate.enterprise:
            of_it = (entity for entity, number in enterprise_of.items() if number == mandate.enterprise)
            yield from ((mandate.person, entity) for entity in of_it)


def _merged(known: KnownQuality, table: QualityTable) -> KnownQuality:
    names = {subdivision.name: subdivision.within for subdivision in table.subdivisions}
    return KnownQuality(table.active, {**known.subdivisions, **names}, known.users)


def account_key(account: AccountTable) -> AccountKey:
    """Person, entity and quality: one account each."""
    return account.person, account.entity, account.quality


def mandate_key(mandate: MandateTable) -> tuple[str | None, ...]:
    """What makes two mandates the same one, whatever their dates."""
    return (
        mandate.person,
        mandate.role,
        mandate.entity,
        mandate.enterprise,
        mandate.quality,
        mandate.subdivision,
    )


# -- duplicates -----------------------------------------------------------------------------------


def _twice(entries: Iterable[tuple[Where, Hashable]], what: str) -> Iterator[Fault]:
    """A fault for each value that stood before; `what` may show it as {value} and its first place as {first}."""
    first: dict[Hashable, Where] = {}
    for where, value in entries:
        if value in first:
            yield where, what.format(value=value, first=path(first[value]))
        elif value is not None:
            first[value] = where


def _duplicates(tables: RegisterTables) -> Iterator[Fault]:
    key = "'{value}' stands twice, first at {first}"
    for kind in ("entity", "person"):
        yield from _twice(
            (((kind, n, "key"), entry.key) for n, entry in enumerate(getattr(tables, kind))), key
        )
    for kind in ("application", "function"):
        entries = ((n, entry.get("key")) for n, entry in enumerate(getattr(tables, kind)))
        yield from _twice(
            (((kind, n, "key"), value.lower()) for n, value in entries if isinstance(value, str)), key
        )
    yield from _twice(
        ((("entity", n, "inami"), entity.inami) for n, entity in enumerate(tables.entity)),
        "the same INAMI number as {first}",
    )
    yield from _twice(
        ((("person", n, "niss"), person.niss) for n, person in enumerate(tables.person)),
        "the same national number as {first}",
    )
    yield from _twice(
        ((("account", n, "username"), account.username) for n, account in enumerate(tables.account)),
        "username '{value}' stands twice, first at {first}",
    )
    yield from _twice(
        ((("account", n), account_key(account)) for n, account in enumerate(tables.account)),
        "the same person has an account in the same quality at {first}",
    )
    yield from _twice(
        (
            (("mandate", n), (*mandate_key(mandate), mandate.since))
            for n, mandate in enumerate(tables.mandate)
        ),
        "the same mandate stands at {first}",
    )


def unprintable(kind: str, entries: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """A fault for each text of an application or function that holds what cannot be shown, as "path: reason"."""
    for number, entry in enumerate(entries):
        for where, text in _texts((kind, number), entry):
            if not text.replace("\n", "").isprintable():
                yield f"{path(where)}: holds a character that cannot be shown"


def _texts(where: Where, value: object) -> Iterator[tuple[Where, str]]:
    match value:
        case str():
            yield where, value
        case Mapping():
            for key, each in value.items():
                yield from _texts((*where, key), each)
        case list():
            for number, each in enumerate(value):
                yield from _texts((*where, number), each)


# -- entities and people --------------------------------------------------------------------------


def _entities(book: _Book) -> Iterator[Fault]:
    for number, entity in enumerate(book.tables.entity):
        where: Where = ("entity", number)
        owner = book.known.inami.get(entity.inami, entity.key)
        if owner != entity.key:
            yield (*where, "inami"), f"entity '{owner}' of the register has this INAMI number"
        qualities = [((*where, "quality", n, "key"), quality.key) for n, quality in enumerate(entity.quality)]
        yield from _twice(qualities, "'{value}' stands twice in this entity, first at {first}")
        for n, quality in enumerate(entity.quality):
            yield from _quality(book, (*where, "quality", n), entity.key, quality)


def _quality(book: _Book, where: Where, entity: str, quality: QualityTable) -> Iterator[Fault]:
    known = {each.key for each in book.catalogue.qualities}
    if quality.key not in known:
        yield (*where, "key"), f"'{quality.key}' is not a known quality; known are {', '.join(sorted(known))}"
    names = [((*where, "subdivisions", n), each.name) for n, each in enumerate(quality.subdivisions)]
    yield from _twice(names, "'{value}' stands twice in this quality, first at {first}")
    before = set(book.known.entities.get(entity, {}).get(quality.key, KnownQuality()).subdivisions)
    parents = book.entities[entity][quality.key].subdivisions
    for n, each in enumerate(quality.subdivisions):
        if each.within is not None and each.within not in before - {each.name}:
            reason = f"there is no subdivision '{each.within}' before this one"
            yield (*where, "subdivisions", n, "within"), reason
        elif each.within is not None and _lies_within_itself(each.name, parents):
            yield (*where, "subdivisions", n, "within"), f"'{each.name}' would lie within itself"
        before.add(each.name)
    users = book.known.entities.get(entity, {}).get(quality.key, KnownQuality()).users
    if not quality.active and users:
        yield (
            (*where, "active"),
            f"the quality still has {users} users in the register and cannot become inactive",
        )


def _lies_within_itself(name: str, parents: Mapping[str, str | None]) -> bool:
    above, seen = parents.get(name), {name}
    while above is not None and above not in seen:
        seen.add(above)
        above = parents.get(above)
    return above is not None


def _people(book: _Book) -> Iterator[Fault]:
    named = {account.person for account in book.tables.account}
    named |= {mandate.person for mandate in book.tables.mandate}
    named |= {person for person, _ in book.known.profiles}
    for number, person in enumerate(book.tables.person):
        where: Where = ("person", number)
        owner = book.known.numbers.get(person.niss or "", person.key)
        if owner != person.key:
            whose = f"person '{owner}' of the register" if owner else "somebody who was erased"
            yield (*where, "niss"), f"{whose} has this national number"
        if person.key in book.known.erased:
            yield (*where, "key"), f"'{person.key}' was erased: choose another key"
        if person.key not in named:
            yield where, f"no entity knows '{person.key}': add a mandate or an account"
        profiles = [((*where, "profile", n, "entity"), each.entity) for n, each in enumerate(person.profile)]
        yield from _twice(profiles, "'{value}' stands twice for this person, first at {first}")
        for n, profile in enumerate(person.profile):
            yield from book.place((*where, "profile", n), profile.entity, None, None)
            if profile.entity in book.entities and (person.key, profile.entity) not in book.brought:
                reason = (
                    f"nothing brings '{person.key}' to '{profile.entity}': add a mandate or an account there"
                )
                yield (*where, "profile", n, "entity"), reason


# -- mandates -------------------------------------------------------------------------------------

_NARROW = {
    Role.LOCAL: ("quality",),
    Role.GROUP: ("quality",),
    Role.SUBDIVISION: ("quality", "subdivision"),
}


def _mandates(book: _Book) -> Iterator[Fault]:
    for number, mandate in enumerate(book.tables.mandate):
        where: Where = ("mandate", number)
        yield from book.person(where, mandate.person, mandate.entity)
        yield from _mandate_place(book, where, mandate)
        yield from _in_order(where, "since", mandate.since, "until", mandate.until)


def _mandate_place(book: _Book, where: Where, mandate: MandateTable) -> Iterator[Fault]:
    needed = _NARROW.get(Role(mandate.role), ())
    for name in ("quality", "subdivision"):
        if name in needed and getattr(mandate, name) is None:
            yield (*where, name), f"is missing: a mandate as '{mandate.role}' is over one {name}"
        elif name not in needed and getattr(mandate, name) is not None:
            yield (*where, name), f"a mandate as '{mandate.role}' is not over one {name}"
    if (mandate.entity is None) == (mandate.enterprise is None):
        both = "has both entity and enterprise: needs one of them"
        yield where, both if mandate.entity else "needs either entity or enterprise"
    elif mandate.enterprise is not None:
        if needed:
            yield (*where, "enterprise"), f"a mandate as '{mandate.role}' needs entity instead"
        elif mandate.enterprise not in book.enterprise_of.values():
            yield (*where, "enterprise"), "there is no entity of this enterprise"
    elif mandate.entity is not None:
        yield from book.place(where, mandate.entity, mandate.quality, mandate.subdivision)


def _in_order(where: Where, first: str, start: date | None, last: str, end: date | None) -> Iterator[Fault]:
    if start is not None and end is not None and end < start:
        yield (*where, last), f"{end} is before {first}, {start}"


# -- accounts -------------------------------------------------------------------------------------


def _accounts(book: _Book) -> Iterator[Fault]:
    for number, account in enumerate(book.tables.account):
        where: Where = ("account", number)
        yield from book.person(where, account.person, account.entity)
        yield from book.place(where, account.entity, account.quality, account.subdivision)
        quality = book.entities.get(account.entity, {}).get(account.quality)
        if quality is not None and not quality.active:
            yield (*where, "quality"), f"quality '{account.quality}' of '{account.entity}' is not active"
        owner = book.known.usernames.get((account.username or "").lower(), account_key(account))
        if owner != account_key(account):
            yield (*where, "username"), f"username '{account.username}' is in use in the register"
        yield from _grants(book, where, account)
        yield from _assignments(book, where, account)


def _grants(book: _Book, where: Where, account: AccountTable) -> Iterator[Fault]:
    for n, grant in enumerate(account.grant):
        place = (*where, "grant", n)
        application = book.applications.get(grant.application)
        if application is None:
            yield (*place, "application"), f"there is no application '{grant.application}'"
        elif account.quality not in application.qualities:
            yield (
                (*place, "application"),
                f"'{grant.application}' is not offered to quality '{account.quality}'",
            )
        yield from _in_order(place, "starts_on", grant.starts_on, "ends_on", grant.ends_on)
    yield from _overlaps((*where, "grant"), account.grant, "application")


def _assignments(book: _Book, where: Where, account: AccountTable) -> Iterator[Fault]:
    given = {grant.application for grant in account.grant} | book.known.accounts.get(
        account_key(account), frozenset()
    )
    for n, assignment in enumerate(account.assignment):
        place = (*where, "assignment", n)
        if assignment.function not in book.functions:
            yield (*place, "function"), f"there is no function '{assignment.function}'"
        else:
            uses = [key for key, each in book.applications.items() if assignment.function in each.functions]
            if not given.intersection(uses):
                reason = f"none of the account's applications uses '{assignment.function}'"
                yield (*place, "function"), f"{reason}; give one of {', '.join(uses)}" if uses else reason
            if account.profession not in {None, Declared.COLLABORATOR}:
                yield (*place, "function"), f"a {account.profession} must not have a collaborator's function"
        yield from _in_order(place, "starts_on", assignment.starts_on, "ends_on", assignment.ends_on)
        yield from _responsible(book, place, account, assignment)
    yield from _overlaps((*where, "assignment"), account.assignment, "function")


def _responsible(
    book: _Book, where: Where, account: AccountTable, assignment: AssignmentTable
) -> Iterator[Fault]:
    if assignment.responsible is None:
        return
    key = (assignment.responsible, account.entity, account.quality)
    function = book.functions.get(assignment.function)
    if assignment.responsible == account.person:
        yield (*where, "responsible"), "nobody is responsible for himself"
    elif key not in book.accounts:
        yield (*where, "responsible"), f"'{assignment.responsible}' has no account in this quality"
    elif function and function.responsible and book.professions.get(key, "") != function.responsible:
        yield (*where, "responsible"), f"'{assignment.responsible}' is not declared as {function.responsible}"


def _overlaps(where: Where, given: Sequence[GrantTable | AssignmentTable], name: str) -> Iterator[Fault]:
    right = [
        (n, each) for n, each in enumerate(given) if each.ends_on is None or each.starts_on <= each.ends_on
    ]
    for (first, one), (second, other) in combinations(right, 2):
        same = getattr(one, name) == getattr(other, name)
        if same and Period(one.starts_on, one.ends_on).overlaps(Period(other.starts_on, other.ends_on)):
            yield (*where, second), f"overlaps with {path((*where, first))}: the same {name} at the same time"

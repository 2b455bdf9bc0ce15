"""Made-up crowds for the benchmark, and what a manager's screens ask of the directory about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from bot.access.catalogue import Declared
from bot.access.directory import RegisterDirectory
from bot.access.rows import ACCOUNTS, sort_key
from bot.access.views import UserFilter
from bot.store import relations, tables
from bot.store.tables import core
from sqlalchemy import Connection, insert, select
from tests.access.registers import NOW, TODAY, Register

Ask = Callable[[], object]
LAST = ("peeters", "claes", "maes", "jacobs", "mertens", "willems", "lambert", "dubois", "dupont", "simon")
FIRST = ("jan", "piet", "an", "marie", "luc", "sofie", "tom", "eva")
LED = "collaborator-specialist-physician"
RARE = "collaborator-hospital-pharmacist"
DOCTOR = Declared.SPECIALIST_PHYSICIAN.value
Rows = dict[Any, list[dict[str, Any]]]


def filled(connection: Connection, register: Register, entity: str, upto: int, since: int = 0) -> None:
    """As many users in one entity as `upto`, where `since` are there: in rows of one statement for each table."""
    rows: Rows = {
        model: []
        for model in (
            tables.Identity, tables.Profile, tables.Account, tables.Change, tables.ChangeItem, tables.Grant,
            tables.Assignment, relations.Responsibility,
        )
    }  # fmt: skip
    for n in range(since, upto):
        _person(rows, register, entity, n)
        _holdings(rows, entity, n)
        if n % 10 == 1:
            _change(rows, register, entity, n)
    for model, those in rows.items():
        if those:
            connection.execute(insert(core(model)), those)


def _person(rows: Rows, register: Register, entity: str, n: int) -> None:
    key, username = f"{entity}{n:07d}", f"u{entity}{n:06d}"
    last, first = f"{LAST[n % 10]} {letters(n // 10)}", FIRST[n % 8]
    names = {"sort_key": sort_key(last, first), "search": f" {last} {first}"}
    common = {"created_at": NOW, "changed_at": NOW, "version": 1, "entity_id": register.entity[entity]}
    rows[tables.Identity].append({"id": key, "key": key, "created_at": NOW})
    rows[tables.Profile].append(
        {"id": key, "identity_id": key, "last_name": last, "first_name": first, "language": "nl"}
        | names
        | common
    )
    ward = register.subdivision["Cardiologie"] if entity == "midi" and n % 1000 == 9 else None
    own = {"id": f"a{key}", "profile_id": key, "quality_id": register.quality[f"{entity}/hospital"]}
    own |= {"type": "user", "status": "blocked" if n % 500 == 7 else "active", "subdivision_id": ward}
    own |= {"username": username, "username_fold": username, "sort_key": names["sort_key"]}
    own |= {"profession": DOCTOR if n // 10 % 100 == 1 else None}
    rows[tables.Account].append(own | {"search": f"{names['search']} {username}"} | common)


def _holdings(rows: Rows, entity: str, n: int) -> None:
    account = f"a{entity}{n:07d}"
    days = {"account_id": account, "starts_on": TODAY, "ends_on": None, "recorded_at": NOW, "active_at": NOW}
    grant = {"id": account, "application": "colindos" if n % 400 == 5 else "hospiliss", **days}
    match n % 1000:
        case 3:
            grant["ends_on"] = TODAY + timedelta(days=9)
        case 4:
            grant["active_at"] = NOW + timedelta(days=1)
        case 6:
            grant["active_at"] = None
    rows[tables.Grant].append(grant)
    if n // 10 % 20 == 3:  # as many of each last name
        function = RARE if n % 1000 == 33 else LED
        rows[tables.Assignment].append({"id": account, "function": function, **days})
        if n // 10 % 200 != 183 and function == LED:
            # each leads ten, in a large entity as in a small one
            leader = f"a{entity}{n // 1000 * 1000 + 10 + n // 100 % 10:07d}"
            rows[relations.Responsibility].append(
                {"id": account, "function": function, "responsible_id": leader, **days}
            )


def _change(rows: Rows, register: Register, entity: str, n: int) -> None:
    number = f"{2020 if entity == 'midi' else 2021}-{n:06d}"
    rows[tables.Change].append(
        {
            "number": number,
            "entity_id": register.entity[entity],
            "quality_id": register.quality[f"{entity}/hospital"],
            "author_id": register.person["delcourt"],
            "kind": "grant",
            "source": "chat",
            "recorded_at": NOW - timedelta(minutes=n),
        }
    )
    item = {"id": number, "change_number": number, "position": 0, "kind": "application", "key": "hospiliss"}
    item |= {"account_id": f"a{entity}{n:07d}", "object_id": f"a{entity}{n:07d}", "version": 1}
    waits = n % 1000 == 1  # whatever else was recorded is done
    item |= {"subject_id": f"{entity}{n:07d}", "delivery": "recorded" if waits else "active"}
    rows[tables.ChangeItem].append(item)


def letters(number: int) -> str:
    """A word for a number, so that names sort and are searched as names are."""
    word = ""
    for _ in range(4):
        number, digit = divmod(number, 26)
        word += chr(ord("a") + digit)
    return word


# -- what is asked --------------------------------------------------------------------------------


FILTERS: dict[str, UserFilter] = {
    "a page": UserFilter(),
    "a search": UserFilter(text="peeters cdaa"),
    "a search that many match": UserFilter(text="jan"),
    "a search that nobody matches": UserFilter(text="zzzz"),
    "last name": UserFilter(last="claes b"),
    "first name": UserFilter(first="sofie"),
    "user name": UserFilter(username="uaube00001"),
    "blocked": UserFilter(status="blocked"),
    "deleted": UserFilter(status="deleted"),
    "a rare application": UserFilter(application="colindos"),
    "a frequent application": UserFilter(application="hospiliss"),
    "ending soon": UserFilter(ending=True),
    "name and application": UserFilter(last="dubois", application="colindos"),
    "technical users": UserFilter(type="technical"),
}
Asked = Callable[[RegisterDirectory, str, str], object]
"""Of the directory, about an entity and its quality."""
SCREENS: dict[str, Asked] = {
    "people: all": lambda d, e, q: d.people(q),
    "people: another page": lambda d, e, q: d.people(q, page=9),
    "people: a search": lambda d, e, q: d.people(q, find="peeters cdaa"),
    "people: many match": lambda d, e, q: d.people(q, find="jan"),
    "people: two frequent words": lambda d, e, q: d.people(q, find="peeters jan"),
    "people: one letter": lambda d, e, q: d.people(q, find="p"),
    "people: nobody matches": lambda d, e, q: d.people(q, find="zzzz"),
    "people: who hold": lambda d, e, q: d.people(q, holding="hospiliss"),
    "people: who hold what is rare": lambda d, e, q: d.people(q, holding="colindos"),
    "people: nobody holds": lambda d, e, q: d.people(q, holding="tct"),
    "alike: a typing error": lambda d, e, q: d.alike(q, "petters"),
    "alike: in a name of two words": lambda d, e, q: d.alike(q, "clas sofei"),
    "alike: in a user name": lambda d, e, q: d.alike(q, "uabue000001"),
    "alike: nobody": lambda d, e, q: d.alike(q, "vercruysse"),
    "by number": lambda d, e, q: d.by_niss(q, "79082399728"),
    "overview: counts": lambda d, e, q: d.counts(e),
    "overview: active": lambda d, e, q: d.listed(e, "active"),
    "overview: active, another page": lambda d, e, q: d.listed(e, "active", page=9),
    "overview: pending": lambda d, e, q: d.listed(e, "pending"),
    "overview: to do": lambda d, e, q: d.listed(e, "to_do"),
    "overview: ending": lambda d, e, q: d.listed(e, "ending"),
    "overview: an application": lambda d, e, q: d.listed(e, "active", key="hospiliss"),
    "overview: a rare application": lambda d, e, q: d.listed(e, "active", key="colindos"),
    "overview: nobody's application": lambda d, e, q: d.listed(e, "active", key="tct"),
    "overview: latest changes": lambda d, e, q: d.recent_changes(),
    "functions: counts": lambda d, e, q: d.function_counts(e),
    "functions: all": lambda d, e, q: d.listed(e, "live", kind="function"),
    "functions: a rare one": lambda d, e, q: d.listed(e, "live", kind="function", key=RARE),
    "functions: without responsible": lambda d, e, q: d.unled(e),
    "functions: responsibles": lambda d, e, q: d.responsibles(q, [DOCTOR]),
    "functions: a responsible's name": lambda d, e, q: d.responsibles(q, [DOCTOR], find="claes"),
    "portal: visits": lambda d, e, q: d.visits(),
    "portal: a visit": lambda d, e, q: d.visit(q),
    "portal: to do": lambda d, e, q: d.to_do(e),
    "managers": lambda d, e, q: d.managers(e),
    "activations": lambda d, e, q: d.activations(e),
    "deputies": lambda d, e, q: d.deputies(e),
}


def questions(
    sees: Callable[[], RegisterDirectory], register: Register, few: str, many: str
) -> Iterator[tuple[str, Ask, Ask]]:
    """Each question as it is asked of few and of many: `few` and `many` are keys of entities. `sees` gives a directory that
    has read nothing so far, as each turn has one; it is taken anew for each answer.
    """
    ids = [register.entity[key] for key in (few, many)]
    rooms = [register.quality[f"{key}/hospital"] for key in (few, many)]

    def asked(ask: Asked, place: int) -> Ask:
        return lambda: ask(sees(), ids[place], rooms[place])

    for name, wanted in FILTERS.items():
        ask = partial(_listed, wanted)
        yield name, asked(ask, 0), asked(ask, 1)
    order = select(ACCOUNTS.c.id).where(ACCOUNTS.c.entity_id == ids[1]).order_by(ACCOUNTS.c.sort_key.desc())
    deep = sees()._connection.execute(order.offset(50).limit(1)).scalar_one()
    yield (
        "a page far down",
        asked(partial(_listed, UserFilter()), 0),
        lambda: sees().users(ids[1], UserFilter(), after=deep),
    )
    for name, ask in SCREENS.items():
        yield name, asked(ask, 0), asked(ask, 1)
    for name, method in (("a card", "person"), ("a card: links", "links"), ("a card: history", "history")):
        here, there = (partial(_card, sees, method, f"a{key}0000010") for key in (few, many))
        yield name, here, there


def _listed(wanted: UserFilter, directory: RegisterDirectory, entity: str, quality: str) -> object:
    return directory.users(entity, wanted)


def _card(sees: Callable[[], RegisterDirectory], method: str, account: str) -> object:
    return getattr(sees(), method)(account)

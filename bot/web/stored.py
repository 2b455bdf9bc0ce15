"""What is stored about oneself: in words, and whole as a file (`access.privacy` knows what there is). Read, never changed.

A session that is good for one entity sees what that entity knows. A national number is masked here too: the person knows it, and a
phone left lying should not show it. May import: what `site` imports.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import clock
from bot.access import standing, visits
from bot.access.catalogue import Catalogue
from bot.access.identifiers import Niss
from bot.access.privacy import what_is_stored
from bot.access.rows import ENTITIES, catalogue_of
from bot.access.sessions import SessionRules
from bot.access.standing import Session
from bot.access.visits import Visit
from bot.msg import Msg, Say, Texts, m
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.web.paper import Paper, key_of, seal_of, see
from bot.web.wayin import Handler
from bot.web.ways import guessed

FILE = "my-data.json"
_FACTS = ("last_name", "first_name", "title", "language", "email", "local_email")
_COUNTED = (
    "telegram", "invitations", "apps", "sessions", "links", "visits", "changes", "audit", "counted",
)  # fmt: skip
"""What is told by its number on the page, and line by line in the file."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: facts as label and value, then lines."""

    title: Say
    facts: tuple[tuple[Msg, Say], ...] = ()
    lines: tuple[Say, ...] = ()


class StoredPage:
    """The page `/app/stored`, and its file."""

    def __init__(self, database: Database, keyring: Keyring, rules: SessionRules, paper: Paper) -> None:
        self._database = database
        self._keyring = keyring
        self._rules = rules
        self._paper = paper

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """To stand before those that take any page."""
        return [
            Route("/stored/form", guarded(self.show), methods=["GET"]),
            Route("/stored/file", guarded(self.file), methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """In words. Who has not proved to be there is led to where he can."""
        found = await asyncio.to_thread(self._read, key_of(request))
        if found is None:
            return see("/app/login/form")
        visit, about, sections = found
        return self._paper.page(
            "stored",
            visit.lang or guessed(request),
            page="stored",
            seal=seal_of(key_of(request)),
            sections=sections,
            whole=_text(about),
            file=FILE,
        )

    async def file(self, request: Request) -> Response:
        """Whole, for one's own computer."""
        found = await asyncio.to_thread(self._read, key_of(request))
        if found is None:
            return see("/app/login/form")
        headers = {"Content-Disposition": f'attachment; filename="{FILE}"'}
        return Response(_text(found[1]), media_type="application/json", headers=headers)

    def _read(self, key: str) -> tuple[Visit, dict[str, Any], tuple[Section, ...]] | None:
        now = clock.now()
        with self._database.read() as connection:
            visit = visits.visit(connection, self._keyring, key, now) if key else None
            session = self._session(connection, visit) if visit else None
            if visit is None or session is None:
                return None
            about = what_is_stored(connection, self._keyring, session.identity, session.scope)
            _mask(about)
            query = select(ENTITIES.c.key, ENTITIES.c.denomination)
            places = {row.key: Texts(**row.denomination) for row in connection.execute(query)}
            return visit, about, tuple(_sections(about, places, catalogue_of(connection)))

    def _session(self, connection: Connection, visit: Visit) -> Session | None:
        if visit.telegram_id is None:
            return None
        session = standing.session_of(connection, visit.telegram_id, clock.now(), self._rules)
        return session if session is not None and not session.locked else None


def _text(about: dict[str, Any]) -> str:
    return json.dumps(about, indent=2, ensure_ascii=False) + "\n"


def _mask(about: dict[str, Any]) -> None:
    for number in about["person"]["national_numbers"]:
        digits = "".join(char for char in number["national_number"] if char.isdecimal())
        if len(digits) == 11:  # whole, and not masked already
            number["national_number"] = Niss(digits).masked


# -- in words -------------------------------------------------------------------------------------


def _sections(about: dict[str, Any], places: dict[str, Texts], catalogue: Catalogue) -> Iterator[Section]:
    numbers = [(m("field.niss"), each["national_number"]) for each in about["person"]["national_numbers"]]
    if numbers:
        yield Section(m("web.stored.number"), tuple(numbers))
    for profile in about["profiles"]:
        facts = [(m(f"field.{name}"), _value(name, profile[name])) for name in _FACTS if profile[name]]
        lines: list[Say] = []
        for account in profile["accounts"]:
            facts += [(m("field.username"), account["username"])] if account["username"] else []
            facts.append((m("field.status"), m(f"account.{account['status']}")))
            lines += _held(account, catalogue)
            if account["password"]:
                lines.append(m("web.stored.password"))
        yield Section(m("web.stored.at", entity=places[profile["entity"]]), tuple(facts), tuple(lines))
    roles = tuple(_role(mandate, places) for mandate in about["mandates"])
    if roles:
        yield Section(m("web.stored.roles"), lines=roles)
    counts = tuple(m(f"web.stored.{what}", n=len(about[what])) for what in _COUNTED if about.get(what))
    yield Section(m("web.stored.use"), lines=counts)


def _value(name: str, value: str) -> Say:
    return m(f"language.{value}") if name == "language" else value


def _held(account: dict[str, Any], catalogue: Catalogue) -> Iterator[Say]:
    names: dict[str, Say] = {each.key: each.name for each in catalogue.applications}
    names |= {each.key: each.label for each in catalogue.functions}
    for kind, key in (("applications", "application"), ("functions", "function")):
        for held in account[kind]:
            ends = held["revoked_at"] or held["ends_on"]
            until: Say = m("holding.until", day=_day(ends)) if ends else m("day.no_end")
            name = names.get(held[key], held[key])
            yield m("web.stored.held", name=name, since=_day(held["starts_on"]), until=until)


def _role(mandate: dict[str, Any], places: dict[str, Texts]) -> Msg:
    where: Say = places[mandate["entity"]] if mandate["entity"] else mandate["enterprise"] or "–"
    return m("web.stored.role", role=m(f"role.short.{mandate['role']}"), entity=where)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])

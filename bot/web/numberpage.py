"""The page that shows a national number once, to be typed on the portal: opened from a checklist in the chat as a Mini App, or
by a one-time link that it makes for the browser in which the portal is open. `access.numbers` decides and writes the audit.

A link's secret stands behind the #, like that of a mail; looking uses nothing up. The session of the chat must be open either way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import clock
from bot.access import numbers, standing, visits
from bot.access.identifiers import Niss
from bot.access.numbers import LINK, Wanted
from bot.access.rows import catalogue_of
from bot.access.sessions import SessionRules
from bot.access.visits import Ticket, Visit
from bot.access.work import Work
from bot.errors import Refusal
from bot.msg import Msg, m
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.web.paper import Paper, is_own_form, key_of, seal_of, see
from bot.web.wayin import Handler
from bot.web.ways import guessed

_CHANGE = "{change:str}"


class NumberPage:
    """The pages `/app/number/<change>` and, for a link, `/app/number`. `address` is where the private pages are reached."""

    def __init__(
        self, database: Database, keyring: Keyring, rules: SessionRules, paper: Paper, address: str
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._rules = rules
        self._paper = paper
        self._address = address

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """To stand before those that take any page."""
        return [
            Route("/number", guarded(self.arrive), methods=["GET"]),
            Route("/number/enter", guarded(self.enter), methods=["POST"]),
            Route(f"/number/{_CHANGE}", guarded(self.shell), methods=["GET"]),
            Route(f"/number/{_CHANGE}/form", guarded(self.show), methods=["GET"]),
            Route(f"/number/{_CHANGE}/form", guarded(self.open), methods=["POST"]),
            Route(f"/number/{_CHANGE}/link", guarded(self.link), methods=["POST"]),
        ]

    # -- coming in ------------------------------------------------------------------------------

    async def shell(self, request: Request) -> Response:
        """Hands Telegram's data over, by a script of ours."""
        return self._paper.page("shell", guessed(request), page=f"number/{request.path_params['change']}")

    async def arrive(self, request: Request) -> Response:
        """The same for a link: a page that knows nothing."""
        return self._paper.page("arrive", guessed(request), action="/app/number/enter")

    async def enter(self, request: Request) -> Response:
        """Looks whether the link is good; it stays so."""
        token = str((await request.form()).get("token", ""))[:200]
        entered = await asyncio.to_thread(self._entered, token)
        if entered is None:
            return self._note(request, m("web.number.over"), status=403)
        key, change = entered
        return self._paper.remember(see(f"/app/number/{change}/form"), key)

    def _entered(self, token: str) -> tuple[str, str] | None:
        now = clock.now()
        with self._database.write() as connection:
            ticket = visits.link(connection, token, now)
            if ticket is None or ticket.purpose != LINK:
                return None
            return visits.enter(connection, now=now, ticket=ticket.id), str(ticket.data["change"])

    # -- the number -----------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Whose number it is, masked, with the button that opens it."""
        return await self._answer(request, self._shown)

    async def open(self, request: Request) -> Response:
        """The number, this once."""
        return await self._answer(request, self._opened, form=True)

    async def link(self, request: Request) -> Response:
        """The address that opens it once in another browser."""
        return await self._answer(request, self._linked, form=True)

    async def _answer(
        self, request: Request, does: Callable[[Work, Visit, str], dict[str, Any]], *, form: bool = False
    ) -> Response:
        if form and not is_own_form(request, dict(await request.form())):
            return self._note(request, m("web.reopen"), status=403)
        change = str(request.path_params["change"])
        visit, values = await asyncio.to_thread(self._done, key_of(request), change, does)
        if visit is None:
            return self._note(request, m("web.reopen"), status=403)
        lang = visit.lang or guessed(request)
        if values is None:
            if visit.ticket:
                return self._note(request, m("web.number.over"), status=403)
            return see("/app/login/form")
        if isinstance(values, Msg):
            return self._paper.page("note", lang, status=422, text=values, back=visit.ticket is None)
        page = {"page": f"number/{change}", "seal": seal_of(key_of(request)), "inside": visit.ticket is None}
        return self._paper.page("number", lang, **{"digits": "", "address": "", **page, **values})

    def _done(
        self, key: str, change: str, does: Callable[[Work, Visit, str], dict[str, Any]]
    ) -> tuple[Visit | None, dict[str, Any] | Msg | None]:
        """What to show, the sentence of a refusal, or nothing for somebody who has not proved to be there."""
        with self._database.write() as connection:
            visit = visits.visit(connection, self._keyring, key, clock.now()) if key else None
            if visit is None:
                return None, None
            work = self._work(connection, visit, change)
            if work is None:
                return visit, None
            try:
                with connection.begin_nested():
                    return visit, does(work, visit, change)
            except Refusal as refusal:
                return visit, refusal.msg

    def _work(self, connection: Connection, visit: Visit, change: str) -> Work | None:
        """The means of whoever is there, in the open session of his chat; None without one."""
        now, ticket = clock.now(), self._ticket(connection, visit)
        if visit.ticket and (ticket is None or ticket.data.get("change") != change):
            return None
        telegram_id = ticket.telegram_id if ticket else visit.telegram_id
        session = standing.session_of(connection, telegram_id, now, self._rules) if telegram_id else None
        if session is None or session.locked or (ticket and ticket.identity != session.identity):
            return None
        assert telegram_id is not None
        today, catalogue = clock.today(), catalogue_of(connection)
        return Work(connection, self._keyring, session, telegram_id, telegram_id, now, today, catalogue)

    @staticmethod
    def _ticket(connection: Connection, visit: Visit) -> Ticket | None:
        return visits.ticket(connection, visit.ticket, clock.now()) if visit.ticket else None

    def _shown(self, work: Work, _: Visit, change: str) -> dict[str, Any]:
        return _facts(numbers.wanted(work, change))

    def _opened(self, work: Work, visit: Visit, change: str) -> dict[str, Any]:
        found = numbers.opened(work, change, visit.id)
        if visit.ticket and not visits.use_link(work.connection, visit.ticket, work.now):
            raise Refusal(m("web.number.over"))
        return {**_facts(found), "digits": found.digits, "whole": Niss(found.digits).formatted}

    def _linked(self, work: Work, visit: Visit, change: str) -> dict[str, Any]:
        if visit.ticket:
            raise Refusal(m("web.number.over"))
        token = numbers.link_to(work, change)
        return {**_facts(numbers.wanted(work, change)), "address": f"{self._address}/app/number#{token}"}

    def _note(self, request: Request, text: Msg, *, status: int) -> Response:
        return self._paper.page("note", guessed(request), status=status, text=text, back=False)


def _facts(found: Wanted) -> dict[str, Any]:
    return {"person": found.name, "number": found.change, "masked": found.masked}

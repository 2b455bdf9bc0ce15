"""The pages of a user's own way in: opened in any browser, by the link of a mail, or to ask for one; and the privacy notice.

The link's secret stands behind the #, which no browser sends along: it is in no log and no Referer. A script of ours posts it
once, which only looks; programs that follow links in mails use nothing up. The link is used with the password that is chosen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import clock
from bot.access import letters, visits, wayin
from bot.access.credentials import PasswordPolicy, own_words
from bot.access.letters import PASSWORD
from bot.access.visits import Visit
from bot.conversations.spans import Keeping, kept
from bot.errors import Refusal
from bot.msg import LANGUAGES, Msg, Texts, m
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.web.paper import Paper, is_own_form, key_of, seal_of, see
from bot.web.ways import guessed

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
ASKED, ASKED_WITHIN = 10, timedelta(minutes=10)
"""So often one address of the network may ask for a new password."""


class WayIn:
    """The pages `/app/password` and `/app/forgotten`. `mails`: whether a link can be sent at all."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        paper: Paper,
        *,
        mails: bool,
        keeping: Keeping | None = None,
        passwords: PasswordPolicy | None = None,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._paper = paper
        self._mails = mails
        self._keeping = keeping or Keeping()
        self._passwords = passwords or PasswordPolicy()

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """To stand before the routes of the pages that the chat opens."""
        return [
            Route("/password", guarded(self.arrive), methods=["GET"]),
            Route("/password/enter", guarded(self.enter), methods=["POST"]),
            Route("/password/form", guarded(self.show), methods=["GET"]),
            Route("/password/form", guarded(self.choose), methods=["POST"]),
            Route("/password/language", guarded(self.language), methods=["POST"]),
            Route("/forgotten", guarded(self.ask), methods=["GET"]),
            Route("/forgotten", guarded(self.asked), methods=["POST"]),
            Route("/privacy", guarded(self.privacy), methods=["GET"]),
        ]

    # -- by the link of a mail ------------------------------------------------------------------

    async def arrive(self, request: Request) -> Response:
        """A page that knows nothing: its script hands the link's secret over."""
        return self._paper.page("arrive", guessed(request))

    async def enter(self, request: Request) -> Response:
        """Looks whether the link is good; it stays so."""
        token = str((await request.form()).get("token", ""))[:200]
        key = await asyncio.to_thread(self._entered, token)
        if key is None:
            return self._over(request)
        return self._paper.remember(see("/app/password/form"), key)

    def _entered(self, token: str) -> str | None:
        now = clock.now()
        with self._database.write() as connection:
            ticket = visits.link(connection, token, now)
            row = letters.addressee(connection, ticket.account or "") if ticket else None
            if ticket is None or ticket.purpose != PASSWORD or row is None:
                return None
            return visits.enter(connection, now=now, ticket=ticket.id, lang=row.language)

    async def show(self, request: Request) -> Response:
        """The form, as long as its link is good."""
        visit = await self._visit(request)
        return self._over(request) if visit is None else await self._form(request, visit, None)

    async def choose(self, request: Request) -> Response:
        """Takes the password, typed twice."""
        form = {name: str(value)[:2048] for name, value in (await request.form()).items()}
        visit = await self._visit(request)
        if visit is None or not is_own_form(request, form):
            return self._over(request)
        text, again = form.get("password", ""), form.get("again", "")
        error = await asyncio.to_thread(self._chosen, visit, text, again)
        if error is not None:
            return await self._form(request, visit, error)
        return self._paper.page(
            "note", visit.lang or guessed(request), text=m("web.way.done"), back=False, done=True
        )

    def _chosen(self, visit: Visit, text: str, again: str) -> Msg | None:
        now = clock.now()
        if text != again:
            return m("password.differ")
        with self._database.write() as connection:
            try:
                wayin.choose(connection, self._keyring, visit.ticket or "", text, self._passwords, now)
            except Refusal as refusal:
                return refusal.msg
            visits.leave(connection, visit.id, now)
        return None

    async def language(self, request: Request) -> Response:
        """The page in another language."""
        form = await request.form()
        visit, lang = await self._visit(request), form.get("lang")
        if visit is None or not is_own_form(request, form) or lang not in LANGUAGES:
            return self._over(request)
        await asyncio.to_thread(self._speak, visit, str(lang))
        return see("/app/password/form")

    def _speak(self, visit: Visit, lang: str) -> None:
        with self._database.write() as connection:
            visits.keep(connection, self._keyring, visit.id, lang=lang, data=visit.data)

    async def _visit(self, request: Request) -> Visit | None:
        """The visit, if a link of ours opened it."""
        visit = await asyncio.to_thread(self._visited, key_of(request))
        return visit if visit is not None and visit.ticket else None

    def _visited(self, key: str) -> Visit | None:
        if not key:
            return None
        with self._database.read() as connection:
            return visits.visit(connection, self._keyring, key, clock.now())

    async def _form(self, request: Request, visit: Visit, error: Msg | None) -> Response:
        whose = await asyncio.to_thread(self._whose, visit)
        if whose is None:
            return self._over(request)
        return self._paper.page(
            "password",
            visit.lang or guessed(request),
            status=422 if error else 200,
            page="password",
            switch="/app/password/language",
            seal=seal_of(key_of(request)),
            shortest=self._passwords.shortest,
            error=error,
            **whose,
        )

    def _whose(self, visit: Visit) -> dict[str, str | Texts] | None:
        with self._database.read() as connection:
            ticket = visits.ticket(connection, visit.ticket or "", clock.now())
            row = letters.addressee(connection, ticket.account or "") if ticket else None
        if row is None or ticket is None or ticket.purpose != PASSWORD:
            return None
        username, names = row.username or "", (row.last_name, row.first_name)
        words = " ".join(own_words(username, names))
        return {"username": username, "entity": Texts(**row.denomination), "words": words}

    def _over(self, request: Request) -> Response:
        return self._paper.page(
            "over", guessed(request), status=403, text=m("web.way.over"), forgotten=self._mails
        )

    async def privacy(self, request: Request) -> Response:
        """What is kept about whoever is a user: for everybody to read, the mail that invites leads here."""
        return self._paper.page("privacy", spoken(request), speaks=LANGUAGES, kept=kept(self._keeping))

    # -- without one ----------------------------------------------------------------------------

    async def ask(self, request: Request) -> Response:
        """Asks for the user name."""
        return self._asking(request, None)

    def _asking(self, request: Request, error: Msg | None) -> Response:
        lang = spoken(request)
        if not self._mails:
            return self._paper.page("note", lang, text=m("web.forgotten.no_mail"), back=False)
        return self._paper.page(
            "forgotten", lang, status=429 if error else 200, error=error, speaks=LANGUAGES
        )

    async def asked(self, request: Request) -> Response:
        """One answer for every user name, given before anything is looked up: the time tells nothing either."""
        username = str((await request.form()).get("username", ""))[:100]
        where = request.client.host if request.client else ""
        if not self._mails or not await asyncio.to_thread(self._may_ask, where):
            return self._asking(request, m("web.forgotten.wait"))
        answer = self._paper.page("note", spoken(request), text=m("web.forgotten.done"), back=False)
        # else the next answer on the same line would wait for the work, and its time would tell
        answer.headers["Connection"] = "close"
        answer.background = BackgroundTask(asyncio.to_thread, self._forgotten, username)
        return answer

    def _may_ask(self, where: str) -> bool:
        with self._database.write() as connection:
            who = wayin.hidden(where)
            return visits.count(connection, "forgotten", who, clock.now(), ASKED_WITHIN) <= ASKED

    def _forgotten(self, username: str) -> None:
        with self._database.write() as connection:
            wayin.forgotten(connection, self._keyring, username, clock.now(), clock.today())


def spoken(request: Request) -> str:
    """The language asked for in the address, else the browser's."""
    asked = request.query_params.get("lang", "")
    return asked if asked in LANGUAGES else guessed(request)

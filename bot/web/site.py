"""The private pages as an ASGI application: `/app/<page>`, opened from the chat as a Mini App.

A page begins with a shell that hands over Telegram's signed `initData`; from then on a cookie stands for the visit. Every
form brings the visit's seal along. What is done is answered by a redirect, so that going back does nothing twice.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

import segno
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot import clock
from bot.access.identifiers import parse_niss
from bot.access.visits import Visit
from bot.errors import DatabaseUnavailable, Invalid, where
from bot.msg import LANGUAGES, Msg, m
from bot.turning import Asked
from bot.web import initdata
from bot.web.binding import Linker
from bot.web.oidc import Provider
from bot.web.paper import HERE, Headers, Paper, is_own_form, key_of, seal_of, see
from bot.web.people import People, Said
from bot.web.proofpage import ProofPage
from bot.web.ways import WAYS, Opens, Ways, guessed

PAGES = ("login", "link", "secure", "me", "niss", "proof", "stored")
log = structlog.get_logger(__name__)
_OF_A_CHANGE = re.compile(r"number/\d{4}-\d{6}")
"""A page about one change of the register (`numberpage`)."""
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
FORM_LIMIT = 64 * 1024
"""Bytes: more than any of these forms needs."""


def is_page(page: str) -> bool:
    """Whether there is such a page."""
    return page in PAGES or _OF_A_CHANGE.fullmatch(page) is not None


class ChatDoor(Opens, Protocol):
    """The open dialogue of a chat, as a page may reach it."""

    def asks_for_number(self, telegram_id: int) -> bool:
        """Whether the open dialogue waits for a national number."""
        ...

    async def hands_number(self, telegram_id: int, digits: str) -> None:
        """Gives the open dialogue the number, as if it had been typed; the chat shows what comes next."""
        ...

    def unproved(self, telegram_id: int) -> Asked | None:
        """The recap that waits for a fresh proof."""
        ...

    async def goes_on(self, telegram_id: int, asked: Asked | None) -> None:
        """The proof is given: the recap is confirmed, or, where it was about no recap, the card drawn anew."""
        ...


class Further(Protocol):
    """Pages of another module, served under the same guard."""

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[Route]:
        """Their routes; they come before those of the pages."""
        ...


class Site:
    """The pages. `token` is the bot's, which signs `initData`; `address` where the pages are reached; `frames` who may frame them."""

    def __init__(
        self,
        people: People,
        chat: ChatDoor,
        token: str,
        address: str,
        linker: Linker,
        *,
        frames: tuple[str, ...] = (),
        provider: Provider | None = None,
        further: Callable[[Paper], Sequence[Further]] = lambda _: (),
    ) -> None:
        self._people = people
        self._chat = chat
        self._token = token
        self._proofs = ProofPage(people, chat)
        self._paper = Paper(https=urlsplit(address).scheme == "https", frames=frames)
        self._ways = Ways(linker, self._paper, chat, provider)
        self._further = further(self._paper)

    def app(self) -> Starlette:
        """The application, to be mounted at `/app`."""
        routes = [
            Mount("/static", StaticFiles(directory=HERE / "static")),
            *(route for pages in self._further for route in pages.routes(self._guarded)),
            Route("/enter", self._guarded(self.enter), methods=["POST"]),
            Route("/language", self._guarded(self.language), methods=["POST"]),
            *self._ways.routes(self._guarded),
            Route("/{page}", self._guarded(self.shell), methods=["GET"]),
            Route("/{page}/form", self._guarded(self.show), methods=["GET"]),
            Route("/{page}/form", self._guarded(self.act), methods=["POST"]),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(Headers, policy=self._paper.policy, https=self._paper.https)],
        )

    def _guarded(
        self, handler: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if int(request.headers.get("content-length") or 0) > FORM_LIMIT:
                return Response(status_code=413)
            try:
                return await handler(request)
            except DatabaseUnavailable:
                return self._paper.page("note", guessed(request), status=503, text=m("web.later"), back=False)
            except Exception as error:  # noqa: BLE001 - whatever it is, the visitor hears of it in words
                log.error("page_failed", error=where(error))  # noqa: TRY400 - a trace would hold what was typed
                return self._paper.page("note", guessed(request), status=500, text=m("web.later"), back=False)

        return guarded

    # -- coming in ------------------------------------------------------------------------------

    async def shell(self, request: Request) -> Response:
        """Hands Telegram's data over, by a script of ours; without it, says where to open the page from."""
        page = request.path_params["page"]
        if page not in PAGES:
            return self._paper.page("note", "fr", status=404, text=m("web.gone"), back=False)
        return self._paper.page("shell", guessed(request), page=page)

    async def enter(self, request: Request) -> Response:
        """Whoever opened the Mini App, if it is true."""
        form = await request.form()
        page = str(form.get("page"))
        if not is_page(page):
            return self._paper.page("note", guessed(request), status=404, text=m("web.gone"), back=False)
        try:
            opened = initdata.read(str(form.get("init_data", "")), self._token, clock.now())
        except initdata.Untrue:
            opened = None
        key = await asyncio.to_thread(self._people.enter, opened) if opened else None
        if key is None:
            return self._paper.page("note", guessed(request), status=403, text=m("web.reopen"), back=False)
        return self._paper.remember(see(f"/app/{page}/form"), key)

    async def language(self, request: Request) -> Response:
        """The pages in another language."""
        form = await request.form()
        visit = await self._visit(request)
        lang, page = form.get("lang"), str(form.get("page"))
        if visit is None or not is_own_form(request, form) or lang not in LANGUAGES or not is_page(page):
            return self._over(request)
        await asyncio.to_thread(self._people.speak, visit, str(lang))
        return see(f"/app/{page}/form")

    async def _visit(self, request: Request) -> Visit | None:
        return await asyncio.to_thread(self._people.visit, key_of(request))

    def _over(self, request: Request) -> Response:
        return self._paper.page("note", guessed(request), status=403, text=m("web.reopen"), back=True)

    # -- the pages ------------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """A page as it is now."""
        visit = await self._visit(request)
        page = request.path_params["page"]
        if visit is None or page not in PAGES:
            return self._over(request)
        return await self._draw(request, visit, page, Said())

    async def act(self, request: Request) -> Response:
        """A form of a page."""
        form = {name: str(value)[:2048] for name, value in (await request.form()).items()}
        visit = await self._visit(request)
        page = request.path_params["page"]
        if visit is None or page not in PAGES or not is_own_form(request, form):
            return self._over(request)
        match page:
            case "login" if form.get("way") in WAYS:
                return await self._ways.prove(request, visit, form)
            case "login":
                return await self._log_in(request, visit, form)
            case "secure":
                return await self._secure(request, visit, form)
            case "niss":
                return await self._number(request, visit, form)
            case "proof":
                return self._page(request, visit, page, **await self._proofs.given(visit, form))
            case _:
                return await self._own_page(request, visit, form)

    async def _draw(self, request: Request, visit: Visit, page: str, said: Said, **more: Any) -> Response:
        standing = await asyncio.to_thread(self._people.standing, visit)
        if not standing.known and page == "login":
            return await self._ways.draw(request, visit, error=said.error)
        if not standing.known:
            return self._page(request, visit, page, "note", text=m("web.stranger"), back=True)
        if page != "login" and standing.locked:
            page = "login"
        match page:
            case "login" if standing.locked:
                provider = await self._ways.provider_link(visit)
                return self._page(
                    request, visit, page, "login", standing=standing, error=said.error, provider=provider
                )
            case "login":
                return self._page(request, visit, page, "note", text=m("web.open_already"), back=True)
            case "secure":
                return await self._draw_secure(request, visit, said, **more)
            case "niss":
                asked = await asyncio.to_thread(self._chat.asks_for_number, visit.telegram_id or 0)
                if not asked:
                    return self._page(request, visit, page, "note", text=m("web.niss.not_asked"), back=True)
                return self._page(request, visit, page, "niss", error=said.error, **more)
            case "proof":
                return self._page(request, visit, page, **await self._proofs.drawn(visit))
        own = await asyncio.to_thread(self._people.own_page, visit)
        if own is None:
            return self._over(request)
        return self._page(request, visit, page, "me", own=own, error=said.error, **more)

    async def _log_in(self, request: Request, visit: Visit, form: dict[str, str]) -> Response:
        said = await asyncio.to_thread(
            self._people.log_in,
            visit,
            code=form.get("code", ""),
            username=form.get("username", ""),
            password=form.get("password", ""),
        )
        if not said.ok:
            return await self._draw(request, visit, "login", said)
        return self._page(request, visit, "login", "note", text=m("web.logged_in"), back=True, done=True)

    async def _secure(self, request: Request, visit: Visit, form: dict[str, str]) -> Response:
        if "replace" in form or "password" in form:
            enrolment = await asyncio.to_thread(
                self._people.enrolment,
                visit,
                code=form.get("replace", ""),
                username=form.get("username", ""),
                password=form.get("password", ""),
            )
            said = Said() if enrolment else Said(m("login.wrong"))
            return await self._draw(request, visit, "secure", said)
        said = await asyncio.to_thread(self._people.confirm, visit, form.get("code", ""))
        if not said.ok:
            return await self._draw(request, visit, "secure", said)
        return self._page(request, visit, "secure", "codes", codes=said.codes)

    async def _draw_secure(self, request: Request, visit: Visit, said: Said) -> Response:
        enrolment = await asyncio.to_thread(self._people.enrolment, visit)
        if enrolment is None:
            standing = await asyncio.to_thread(self._people.standing, visit)
            return self._page(request, visit, "secure", "replace", standing=standing, error=said.error)
        picture = segno.make(enrolment.uri, error="m").svg_data_uri(scale=5, border=3, light="white")
        secret = " ".join(enrolment.secret[at : at + 4] for at in range(0, len(enrolment.secret), 4))
        return self._page(
            request, visit, "secure", "secure", picture=picture, secret=secret, error=said.error
        )

    async def _number(self, request: Request, visit: Visit, form: dict[str, str]) -> Response:
        standing = await asyncio.to_thread(self._people.standing, visit)
        if standing.locked or visit.telegram_id is None:
            return await self._draw(request, visit, "niss", Said())
        try:
            niss = parse_niss(form.get("niss", ""), today=clock.today())
        except Invalid as invalid:
            return await self._draw(request, visit, "niss", Said(invalid.msg), typed=form.get("niss", ""))
        if not await asyncio.to_thread(self._chat.asks_for_number, visit.telegram_id):
            return self._page(request, visit, "niss", "note", text=m("web.niss.not_asked"), back=True)
        await self._chat.hands_number(visit.telegram_id, niss.digits)
        return self._page(request, visit, "niss", "note", text=m("web.niss.done"), back=True, done=True)

    async def _own_page(self, request: Request, visit: Visit, form: dict[str, str]) -> Response:
        told: Msg | None = None
        if number := form.get("end"):
            said = await asyncio.to_thread(self._people.end_session, visit, number)
            told = m("web.me.ended")
        elif binding := form.get("unlink"):
            return await self._unlink(request, visit, binding, form)
        elif account := form.get("account"):
            said = await asyncio.to_thread(
                self._people.set_password,
                visit,
                account,
                form.get("password", ""),
                form.get("again", ""),
                form.get("proof", ""),
            )
            told = m("web.me.password_set")
        else:
            said = Said(m("web.gone"))
        failed = form.get("account", "")
        return await self._draw(request, visit, "me", said, told=told if said.ok else None, failed=failed)

    async def _unlink(self, request: Request, visit: Visit, binding: str, form: dict[str, str]) -> Response:
        said = await asyncio.to_thread(
            self._people.unlink,
            visit,
            binding,
            code=form.get("code", ""),
            username=form.get("username", ""),
            password=form.get("password", ""),
        )
        told = m("web.me.unlinked") if said.ok else None
        if told and await asyncio.to_thread(self._people.own_page, visit) is None:  # it was this one
            return self._page(
                request, visit, "me", "note", text=m("web.me.unlinked_here"), back=True, done=True
            )
        return await self._draw(request, visit, "me", said, told=told, failed=binding)

    def _page(self, request: Request, visit: Visit, page: str, template: str, **values: Any) -> Response:
        values = {"error": None, "typed": "", "told": None, "failed": "", "done": False, **values}
        status = 422 if values["error"] else 200
        return self._paper.page(
            template,
            visit.lang or guessed(request),
            status=status,
            page=page,
            seal=seal_of(key_of(request)),
            **values,
        )

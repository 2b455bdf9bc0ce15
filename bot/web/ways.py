"""The pages of the ways in: the list of proofs for an account that is not linked yet, the way to an identity provider and
back, and the page that names both ends and shows the number. Imports Starlette, the linker and the provider.

The provider opens in the browser outside Telegram, which knows nothing of the Mini App's cookie: `state` alone leads back to the
visit that asked, and the browser gets a visit of its own, good for that one link.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot import clock
from bot.access.visits import Visit
from bot.msg import LANGUAGES, Msg, m
from bot.web.binding import Linker
from bot.web.oidc import NotProved, Provider, ProviderAway
from bot.web.paper import Paper, is_own_form, key_of, seal_of, see

log = structlog.get_logger(__name__)
WAYS = ("code", "password")
POLLED = "3"
"""Seconds after which the page with the number looks whether it was tapped."""
Handler = Callable[[Request], Awaitable[Response]]


class Opens(Protocol):
    """The chat, as the page with the number needs it."""

    async def opens(self, telegram_id: int, flow: str, lang: str) -> None:
        """Opens a dialogue in this person's chat, as its command would."""
        ...


class Ways:
    """The pages. `provider` None: none is configured."""

    def __init__(self, linker: Linker, paper: Paper, chat: Opens, provider: Provider | None = None) -> None:
        self._linker = linker
        self._paper = paper
        self._chat = chat
        self._provider = provider

    def routes(self, guarded: Callable[[Handler], Handler]) -> list[BaseRoute]:
        """To stand before the site's own, which take any page."""
        return [
            Route("/oidc/go", guarded(self.go), methods=["GET"]),
            Route("/oidc/back", guarded(self.back), methods=["GET"]),
            Route("/link/form", guarded(self.show), methods=["GET"]),
            Route("/link/form", guarded(self.confirm), methods=["POST"]),
        ]

    # -- which ways there are -------------------------------------------------------------------

    async def provider_link(self, visit: Visit) -> dict[str, str] | None:
        """The link to the provider that a page of this visit may show, with the provider's name."""
        if self._provider is None or visit.telegram_id is None:
            return None
        state = await asyncio.to_thread(self._linker.departs, visit)
        return {"address": f"/app/oidc/go?state={state}", "name": self._provider.settings.name}

    async def draw(
        self, request: Request, visit: Visit, *, error: Msg | None = None, way: str = ""
    ) -> Response:
        """The ways in, for an account that is linked to nobody."""
        provider = await self.provider_link(visit)
        return self._page(request, visit, "ways", page="login", error=error, way=way, provider=provider)

    async def prove(self, request: Request, visit: Visit, form: dict[str, str]) -> Response:
        """A user name and password, with the app's code where there is one."""
        error = await asyncio.to_thread(
            self._linker.by_password,
            visit,
            username=form.get("username", ""),
            password=form.get("password", ""),
            code=form.get("code", ""),
        )
        if error is not None:
            return await self.draw(request, visit, error=error, way=form.get("way", ""))
        return see("/app/link/form")

    # -- to the provider and back ---------------------------------------------------------------

    async def go(self, request: Request) -> Response:
        """To the provider, in whatever browser this is."""
        found = await asyncio.to_thread(self._linker.departing, request.query_params.get("state", ""))
        if found is None or self._provider is None:
            return self._note(request, m("bind.again"), status=403)
        state, lang = found
        try:
            return see(await self._provider.begins(state, lang))
        except ProviderAway as away:
            log.warning("provider_away", reason=str(away))
            return self._note(request, m("bind.away", name=self._provider.settings.name), lang, status=502)

    async def back(self, request: Request) -> Response:
        """From the provider, with its answer."""
        answer = {name: value[:4096] for name, value in request.query_params.items()}
        state = answer.get("state", "")
        visit = await asyncio.to_thread(self._linker.returns, state, answer.get("code", ""))
        if visit is None or self._provider is None:
            return self._note(request, m("bind.again"), status=403)
        try:
            proof = await self._provider.proves(state, answer, clock.now())
        except ProviderAway as away:
            log.warning("provider_away", reason=str(away))
            said = m("bind.away", name=self._provider.settings.name)
            return self._note(request, said, visit.lang, status=502)
        except NotProved as refused:
            log.warning("provider_refused", reason=str(refused))
            said = m("bind.not_proved", name=self._provider.settings.name)
            return self._note(request, said, visit.lang, status=403)
        came = await asyncio.to_thread(self._linker.by_provider, visit, proof)
        if isinstance(came, Msg):
            return self._note(request, came, visit.lang, status=403)
        return self._paper.remember(see("/app/link/form"), came)

    # -- both ends, and the number --------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Where the link stands: both ends, the number, or what came of it."""
        visit = await self._visit(request)
        ends = await asyncio.to_thread(self._linker.ends, visit) if visit else None
        if visit is None or ends is None:
            return self._note(request, m("bind.over"), visit.lang if visit else None, status=403)
        match ends.link.outcome:
            case "bound":
                return self._note(request, m("bind.done"), visit.lang, done=True, back=visit.ticket is None)
            case "refused":
                return self._note(request, m("bind.refused"), visit.lang, back=visit.ticket is None)
        response = self._page(request, visit, "link", page="link", ends=ends, error=None)
        if ends.link.number:
            response.headers["Refresh"] = POLLED
        return response

    async def confirm(self, request: Request) -> Response:
        """Both ends are right: the number is drawn, and the chat asks for it."""
        form = await request.form()
        visit = await self._visit(request)
        ends = await asyncio.to_thread(self._linker.ends, visit) if visit else None
        if visit is None or ends is None or not is_own_form(request, form):
            return self._note(request, m("bind.over"), visit.lang if visit else None, status=403)
        if not ends.link.number and await asyncio.to_thread(self._linker.confirm, ends.link):
            await self._chat.opens(ends.link.telegram_id, "link", visit.lang or "fr")
        return see("/app/link/form")

    # -- drawing --------------------------------------------------------------------------------

    async def _visit(self, request: Request) -> Visit | None:
        return await asyncio.to_thread(self._linker.visit, key_of(request))

    def _page(self, request: Request, visit: Visit, template: str, **values: Any) -> Response:
        status = 422 if values.get("error") else 200
        lang = visit.lang or guessed(request)
        return self._paper.page(template, lang, status=status, seal=seal_of(key_of(request)), **values)

    def _note(
        self,
        request: Request,
        text: Msg,
        lang: str | None = None,
        *,
        status: int = 200,
        done: bool = False,
        back: bool = False,
    ) -> Response:
        spoken = lang or guessed(request)
        return self._paper.page("note", spoken, status=status, text=text, done=done, back=back)


def guessed(request: Request) -> str:
    """The browser's language where we speak it."""
    for part in request.headers.get("accept-language", "").split(","):
        lang = part.strip()[:2].lower()
        if lang in LANGUAGES:
            return lang
    return "fr"

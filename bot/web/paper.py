"""What the private pages are drawn with: templates, texts in the visitor's language, headers, the visit's cookie.

Everything from the register or a person is escaped by the templates (autoescape is on, and nothing is marked safe but
the picture of a QR code, which comes from a library as an image).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.access.visits import VISIT
from bot.i18n import speaker
from bot.msg import LANGUAGES, Say, m

HERE = Path(__file__).parent
COOKIE, SECURE_COOKIE = "visit", "__Secure-visit"
"""The second over https: browsers take a cookie of that name from a secure page only (RFC 6265bis)."""
YEAR = 31_536_000
HTTPS = "bot.https"
"""In a request's scope: whether the pages are reached over https, whatever the proxy before them speaks."""
_TELEGRAM = "https://web.telegram.org https://*.telegram.org"
"""Where Telegram's own web clients frame a Mini App."""
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Paper:
    """Draws pages. `frames` are further origins that may frame them (the demo's chat page); `https` whether they are served so."""

    def __init__(self, *, https: bool, frames: tuple[str, ...] = ()) -> None:
        self.https = https
        self.policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            f"base-uri 'none'; frame-ancestors {' '.join((_TELEGRAM, *frames))}"
        )

    def page(self, name: str, lang: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """The template `name` in `lang`; its texts come by `t(key, …)`."""
        speak = speaker(lang)

        def t(key: str, **params: Any) -> str:
            return speak.plain(m(key, **params))

        def say(what: Say) -> str:
            return speak.plain(what)

        html = _ENVIRONMENT.get_template(f"{name}.html").render(
            t=t, say=say, lang=speak.lang, languages=LANGUAGES, **values
        )
        return HTMLResponse(html, status_code=status)

    def remember(self, response: Response, key: str) -> Response:
        """Sets the visit's cookie. In Telegram's web client the page is framed by another site: hence None and Partitioned."""
        name = SECURE_COOKIE if self.https else COOKIE
        where = "Secure; SameSite=None; Partitioned" if self.https else "SameSite=Lax"
        response.headers.append(
            "set-cookie",
            f"{name}={key}; Path=/app; HttpOnly; Max-Age={int(VISIT.total_seconds())}; {where}",
        )
        return response


def see(address: str) -> Response:
    """To another page, after a form: what was done is not done again by going back."""
    return RedirectResponse(address, status_code=303)


def key_of(request: Request) -> str:
    """The visit's key, empty where there is none; over https the plain name counts for nothing."""
    return request.cookies.get(SECURE_COOKIE if request.scope.get(HTTPS) else COOKIE, "")


def seal_of(key: str) -> str:
    """What each form of a visit must bring along: only who can read the page knows it."""
    return hashlib.sha256(f"form:{key}".encode()).hexdigest()


def is_own_form(request: Request, form: Mapping[str, Any]) -> bool:
    """Whether the form was filled in on a page of this visit, and not sent by another site."""
    given = form.get("seal")
    return isinstance(given, str) and hmac.compare_digest(given, seal_of(key_of(request)))


class Headers:
    """An ASGI middleware: nothing of these pages is kept, framed elsewhere, or guessed at; what came over https comes so again."""

    def __init__(self, app: ASGIApp, policy: str, *, https: bool = False) -> None:
        self._app = app
        self._https = https
        self._fixed = {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }
        if https:
            self._fixed["Strict-Transport-Security"] = f"max-age={YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._fixed.items():
                    headers.setdefault(name, value)
            await send(message)

        scope[HTTPS] = self._https
        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

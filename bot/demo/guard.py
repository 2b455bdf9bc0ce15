"""Who may call: programs and pages of this machine only, whatever name a foreign page gives it (DNS rebinding).

Also sets the headers of every answer. Imports `keyboards` for what loopback is.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.demo.keyboards import LOOPBACK

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src https: http://127.0.0.1:* http://localhost:*; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """An ASGI middleware that answers 403 to strangers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not is_local(Headers(scope=scope)):
            await PlainTextResponse("This address is for this computer only.\n", status_code=403)(
                scope, receive, send
            )
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def is_local(headers: Headers) -> bool:
    """Whether the request names this machine, and comes from no other site's page."""
    host = headers.get("host", "")
    if _name(f"//{host}") not in LOOPBACK:
        return False
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == host
    return (
        headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
        or headers.get("sec-fetch-mode") == "navigate"
    )


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

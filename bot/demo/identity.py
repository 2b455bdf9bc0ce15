"""The demo's own identity provider (OpenID Connect): a page where one picks one of the invented people. And a hostile one.

It is strict where a real provider is: the client's secret, the redirect address, PKCE, a code good once. With `fault` set
it does one thing wrong, as a provider that is badly set up or not what it claims to be: that is what the tests of the log-in are made with. Plainly
marked as a demo; it proves nothing about anybody. Imports Starlette, joserfc and `leaf`, nothing of the bot.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import html
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from joserfc import jwk, jwt
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.demo.leaf import leaf

CLIENT = "accessbot-demo"
SECRET = "demo-secret-of-nobody"  # noqa: S105 - the demo's, good on this machine only
ACR = "demo-high"
CLAIM = "egovNRN"
FAULTS = frozenset(
    [
        "acr_low", "acr_missing", "nonce_wrong", "nonce_missing", "aud_wrong", "aud_several", "iss_wrong",
        "iss_of_answer", "expired", "exp_missing", "issued_long_ago", "auth_long_ago", "auth_time_missing",
        "alg_none", "alg_secret", "key_wrong", "no_number", "no_id_token", "refused", "down", "slow", "garbage",
        "other_issuer",
    ]
)  # fmt: skip
"""What it can do wrong."""
_LIFE = 300


@dataclass(frozen=True, slots=True)
class Someone:
    """An invented person of the demo, with an invented national number."""

    key: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A log-in between the page and the exchange of its code."""

    person: Someone
    query: Mapping[str, str]
    at: float


class IdentityProvider:
    """The provider at the address `issuer`. `texts` are the page's words: language → `title`, `warning`, `choose`, `nobody`."""

    def __init__(
        self,
        issuer: str,
        people: Sequence[Someone],
        texts: Mapping[str, Mapping[str, str]] | None = None,
        *,
        callback: str = "",
        slowness: float = 30.0,
    ) -> None:
        self.issuer = issuer
        self.callback = callback
        self.fault = ""
        self.slowness = slowness
        self._people = {each.key: each for each in people}
        self._texts = texts or {}
        self._key = jwk.ECKey.generate_key("P-256", {"kid": "demo"})
        self._foreign = jwk.ECKey.generate_key("P-256", {"kid": "demo"})
        self._codes: dict[str, _Asked] = {}

    def routes(self) -> list[BaseRoute]:
        """Its pages and end points, below the issuer's path."""
        return [
            Route("/.well-known/openid-configuration", self.metadata),
            Route("/jwks", self.keys),
            Route("/authorize", self.authorize),
            Route("/choose", self.choose),
            Route("/token", self.token, methods=["POST"]),
        ]

    async def metadata(self, _: Request) -> Response:
        """Who it is, and where its end points are."""
        if self.fault == "slow":
            await asyncio.sleep(self.slowness)
        if self.fault == "down":
            return Response(status_code=503)
        if self.fault == "garbage":
            return HTMLResponse("<p>Under construction")
        return JSONResponse(
            {
                "issuer": "https://other.example" if self.fault == "other_issuer" else self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def keys(self, _: Request) -> Response:
        """The public key."""
        return JSONResponse(jwk.KeySet([self._key]).as_dict(private=False))

    # -- the page -------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Whom to be."""
        query = request.query_params
        if not self._knows(query):
            return Response("unknown client or address\n", status_code=400)
        wanted = query.get("ui_locales", "").split(" ")[0]
        lang = wanted if wanted in self._texts else next(iter(self._texts), "en")
        words = self._texts.get(lang, {})

        def word(key: str) -> str:
            return words.get(key, key)

        def way(person: str, name: str) -> str:
            chosen = html.escape(urlencode({**query, "person": person}))
            return f'<a class="button" href="choose?{chosen}">{html.escape(name)}</a>'

        everybody = "".join(f"<li>{way(each.key, each.name)}</li>" for each in self._people.values())
        body = f"<p>{html.escape(word('choose'))}</p><ul>{everybody}</ul><p>{way('', word('nobody'))}</p>"
        return leaf(lang, word("title"), word("warning"), body)

    async def choose(self, request: Request) -> Response:
        """Back to the client, with a code; or without, where nobody was chosen."""
        query = request.query_params
        if not self._knows(query):
            return Response("unknown client or address\n", status_code=400)
        answer = {"state": query.get("state", ""), "iss": self.issuer}
        if self.fault == "iss_of_answer":
            answer["iss"] = "https://other.example"
        person = self._people.get(query.get("person", ""))
        if person is None or self.fault == "refused":
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(24)
            self._codes[answer["code"]] = _Asked(person, dict(query), time.time())
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(answer)}", status_code=303)

    def _knows(self, query: Mapping[str, str]) -> bool:
        wanted = {"client_id": CLIENT, "response_type": "code", "code_challenge_method": "S256"}
        return (
            all(query.get(name) == value for name, value in wanted.items())
            and bool(query.get("code_challenge"))
            and bool(query.get("redirect_uri"))
            and query.get("redirect_uri") == self.callback
        )

    # -- the exchange -----------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """An ID token for a code: once, to the client who asked, with its verifier."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not _is_client(request):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        asked = self._codes.pop(form.get("code", ""), None)
        if (
            asked is None
            or asked.at < time.time() - _LIFE
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked.query["redirect_uri"]
            or _digest(form.get("code_verifier", "")) != asked.query["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        answer = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": _LIFE}
        if self.fault != "no_id_token":
            answer["id_token"] = self.signed(self.claims(asked))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    def claims(self, asked: _Asked) -> dict[str, Any]:
        """What the ID token says; with the fault, if it is one of these."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": asked.person.key,
            "aud": CLIENT,
            "iat": now,
            "exp": now + _LIFE,
            "auth_time": now,
            "nonce": asked.query.get("nonce", ""),
            "acr": ACR,
            CLAIM: asked.person.number,
        }
        wrong: dict[str, dict[str, Any]] = {
            "acr_low": {"acr": "demo-low"},
            "nonce_wrong": {"nonce": "of-another-log-in"},
            "aud_wrong": {"aud": "another-client"},
            "aud_several": {"aud": [CLIENT, "another-client"]},
            "iss_wrong": {"iss": "https://other.example"},
            "expired": {"iat": now - 120, "exp": now - 60},
            "issued_long_ago": {"iat": now - 3600},
            "auth_long_ago": {"auth_time": now - 3600},
        }
        missing = {
            "acr_missing": "acr",
            "nonce_missing": "nonce",
            "exp_missing": "exp",
            "auth_time_missing": "auth_time",
            "no_number": CLAIM,
        }
        claims |= wrong.get(self.fault, {})
        claims.pop(missing.get(self.fault, ""), None)
        return claims

    def signed(self, claims: dict[str, Any]) -> str:
        """The ID token."""
        match self.fault:
            case "alg_none":
                return f"{_bare({'alg': 'none', 'kid': 'demo'}, claims)}."
            case "alg_secret":  # signed with what is public, in the hope that it is taken for a shared secret
                bare = _bare({"alg": "HS256", "kid": "demo"}, claims)
                public = self._key.as_pem(private=False)
                return f"{bare}.{_url64(hmac.new(public, bare.encode(), hashlib.sha256).digest())}"
            case "key_wrong":
                return jwt.encode({"alg": "ES256", "kid": "demo"}, claims, self._foreign)
        return jwt.encode({"alg": "ES256", "kid": "demo"}, claims, self._key)


def _is_client(request: Request) -> bool:
    given = request.headers.get("authorization", "")
    wanted = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    return hmac.compare_digest(unquote(given).encode(), f"Basic {wanted}".encode())


def _bare(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token without its signature, by hand: no library makes what the hostile provider needs."""
    return ".".join(_url64(json.dumps(part).encode()) for part in (header, claims))


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _digest(text: str) -> str:
    return _url64(hashlib.sha256(text.encode()).digest())

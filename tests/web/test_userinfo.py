"""The national number from the user's data, where the ID token does not bear it: for the same `sub`, over https, and only then."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from bot.web.oidc import NotProved, Provider, ProviderAway, ProviderSettings
from joserfc import jwk, jwt

ISSUER = "https://idp.example.org"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "1"})
NUMBER = "01.09.22-997.08"
STATE = "a-state"


class Peer:
    """A provider as httpx meets it. `number` stands in the ID token, `data` is what it says of the user, at `place`."""

    def __init__(
        self, data: object = None, *, number: str | None = None, place: str | None = f"{ISSUER}/me"
    ) -> None:
        self.data, self.number, self.place = data, number, place
        self.nonce = ""
        self.asked: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        match request.url.path:
            case "/.well-known/openid-configuration":
                names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
                said = {"issuer": ISSUER, "userinfo_endpoint": self.place}
                return httpx.Response(200, json=said | {name: f"{ISSUER}/{name}" for name in names})
            case "/token_endpoint":
                return httpx.Response(200, json={"access_token": "bearer-1", "id_token": self.token()})
            case "/jwks_uri":
                return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        self.asked.append(request.headers.get("authorization"))
        return httpx.Response(200, json=self.data)

    def token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": "hospital", "sub": "s1", "exp": now + 60, "iat": now, "auth_time": now,
            "acr": "high", "nonce": self.nonce,
        }  # fmt: skip
        if self.number:
            claims["egovNRN"] = self.number
        return jwt.encode({"alg": "RS256", "kid": "1"}, claims, KEY)


def proved(peer: Peer) -> str:
    """The number that a whole log-in proves."""
    settings = ProviderSettings(ISSUER, "hospital", "a-secret-of-the-tests", frozenset({"high"}))
    provider = Provider(
        settings,
        callback="https://access.example.org/app/oidc/back",
        key=b"k" * 32,
        transport=httpx.MockTransport(peer),
    )

    async def logs_in() -> str:
        address = await provider.begins(STATE, "fr")
        peer.nonce = parse_qs(urlsplit(address).query)["nonce"][0]
        return (await provider.proves(STATE, {"code": "c1"}, datetime.now(UTC))).number

    return asyncio.run(logs_in())


def test_a_number_that_the_token_does_not_bear_is_asked_for_with_the_token_of_this_log_in():
    peer = Peer({"sub": "s1", "egovNRN": NUMBER})
    assert proved(peer) == NUMBER
    assert peer.asked == ["Bearer bearer-1"]


def test_a_number_that_the_token_bears_is_not_asked_for():
    peer = Peer({"sub": "s1", "egovNRN": "01.09.22-997.98"}, number=NUMBER)
    assert proved(peer) == NUMBER
    assert peer.asked == []


@pytest.mark.parametrize(
    "data",
    [
        {"sub": "s2", "egovNRN": NUMBER},
        {"egovNRN": NUMBER},
        {"sub": "s1"},
        {"sub": "s1", "egovNRN": 1092299708},
        {"sub": "s1", "egovNRN": [NUMBER]},
        [NUMBER],
    ],
)
def test_data_of_somebody_else_or_without_a_number_prove_nothing(data):
    with pytest.raises(NotProved):
        proved(Peer(data))


def test_where_there_are_no_data_of_the_user_nothing_is_proved():
    with pytest.raises(NotProved, match="egovNRN"):
        proved(Peer(place=None))


def test_the_number_never_goes_over_an_open_line():
    peer = Peer({"sub": "s1", "egovNRN": NUMBER}, place="http://idp.example.org/me")
    with pytest.raises(ProviderAway, match="not https"):
        proved(peer)
    assert peer.asked == []

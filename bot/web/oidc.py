"""A proof by an identity provider: OpenID Connect, authorization code flow with PKCE. CSAM, itsme, a hospital's own.

Nothing of the provider is believed but what its signature covers, and that only for this log-in: `state` finds the visit,
`nonce` and the code verifier are derived from it under a key of ours, so that neither is stored anywhere. Metadata and
keys are fetched for each log-in: those are few, and a changed key never needs a restart. Imports Authlib, joserfc, httpx.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwk, jwt
from joserfc.errors import JoseError
from pydantic import BaseModel, ValidationError
from typing_extensions import TypeIs

LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384")
"""What an answer may be signed with: public-key signatures only, so that no secret of ours and no `none` makes one."""
LEEWAY = 30
"""Seconds that the provider's clock may differ from ours."""
FRESH = timedelta(minutes=5)
"""How long ago the person may have proved himself at the provider."""
PATIENCE = 10.0
"""Seconds for all that is asked of the provider at once."""
LONGEST = 512 * 1024


class ProviderAway(Exception):
    """The provider cannot be reached, or does not speak as it should. Its text is for the operator."""


class NotProved(Exception):
    """The provider's answer proves nothing. Its text is a short reason for the operator: no claim of the person's."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """What the operator agreed with the provider. `acr` are the levels of assurance accepted; no other is, nor none."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    acr: frozenset[str]
    number_claim: str = "egovNRN"
    scopes: str = "openid profile egovnrn"
    name: str = "CSAM"


@dataclass(frozen=True, slots=True)
class Proof:
    """The person's national number as the provider states it, and what stands for this one answer."""

    number: str = field(repr=False)
    answer: str = field(repr=False)
    until: datetime


class _Metadata(BaseModel):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Provider:
    """One identity provider. `callback` is our own address for its answers; `key` derives what must not be guessed."""

    def __init__(
        self,
        settings: ProviderSettings,
        callback: str,
        key: bytes,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.settings = settings
        self._callback = callback
        self._key = key
        self._transport = transport
        self._patience = patience

    async def reach(self) -> None:
        """Reads the provider's metadata and its keys, as each log-in does. Raises ProviderAway."""
        async with self._client() as client:
            try:
                await self._keys(client, await self._metadata(client))
            except NotProved as refused:
                raise ProviderAway(str(refused)) from None

    async def begins(self, state: str, lang: str) -> str:
        """The provider's address for this log-in. Raises ProviderAway."""
        async with self._client() as client:
            metadata = await self._metadata(client)
        address: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            self.settings.client_id,
            "code",
            redirect_uri=self._callback,
            scope=self.settings.scopes,
            state=state,
            nonce=self._derived("nonce", state),
            code_challenge=create_s256_code_challenge(self._derived("verifier", state)),
            code_challenge_method="S256",
            acr_values=" ".join(sorted(self.settings.acr)),
            max_age=int(FRESH.total_seconds()),
            ui_locales=lang,
        )
        return address

    async def proves(self, state: str, answer: Mapping[str, str], now: datetime) -> Proof:
        """What the answer that came back with `state` proves. Raises NotProved or ProviderAway."""
        if answer.get("error") or not answer.get("code"):
            raise NotProved("the provider gave no code")
        async with self._client() as client:
            metadata = await self._metadata(client)
            given = answer.get("iss")
            if metadata.authorization_response_iss_parameter_supported or given is not None:
                _require(given == self.settings.issuer, "iss of the answer")
            tokens = await self._exchanged(client, metadata, answer["code"], state)
            token = tokens.get("id_token")
            if not isinstance(token, str):
                raise NotProved("no ID token")
            claims = self._claims(token, await self._keys(client, metadata), state, now)
            number = claims.get(self.settings.number_claim)
            if number is None and metadata.userinfo_endpoint:
                number = await self._asked(client, metadata.userinfo_endpoint, tokens, claims)
        if not isinstance(number, str):
            raise NotProved(f"no claim {self.settings.number_claim}")
        return Proof(number, token, now + timedelta(days=1))

    # -- what the provider says ------------------------------------------------------------------

    def _client(self) -> httpx.AsyncClient:
        near = urlsplit(self.settings.issuer).hostname in LOOPBACK
        return httpx.AsyncClient(timeout=self._patience, trust_env=not near, transport=self._transport)

    async def _json(self, client: httpx.AsyncClient, method: str, address: str, **how: Any) -> Any:
        try:
            async with asyncio.timeout(self._patience):
                response = await client.request(method, address, **how)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderAway(f"{_place(address)}: {type(error).__name__}") from None
        if response.status_code >= 500 or len(response.content) > LONGEST:
            raise ProviderAway(f"{_place(address)}: HTTP {response.status_code}")
        if response.status_code != 200:
            raise NotProved(f"{_place(address)}: HTTP {response.status_code}")
        try:
            return response.json()
        except (ValueError, UnicodeDecodeError):
            raise ProviderAway(f"{_place(address)}: no JSON") from None

    async def _metadata(self, client: httpx.AsyncClient) -> _Metadata:
        address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            metadata = _Metadata.model_validate(await self._json(client, "GET", address))
        except ValidationError:
            raise ProviderAway(f"{_place(address)}: not the metadata of a provider") from None
        except NotProved as refused:
            raise ProviderAway(str(refused)) from None
        if metadata.issuer != self.settings.issuer:
            raise ProviderAway(f"{_place(address)}: it calls itself otherwise than ACCESSBOT_OIDC_ISSUER")
        for each in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
            if not is_private(each):
                raise ProviderAway(f"{_place(each)}: not https")
        return metadata

    async def _exchanged(
        self, client: httpx.AsyncClient, metadata: _Metadata, code: str, state: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": self._derived("verifier", state),
            "client_id": self.settings.client_id,
        }
        own: dict[str, Any] = {}
        if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
            own["auth"] = (self.settings.client_id, self.settings.client_secret)
        else:
            form["client_secret"] = self.settings.client_secret
        tokens = await self._json(client, "POST", metadata.token_endpoint, data=form, **own)
        if not isinstance(tokens, dict):
            raise NotProved("no tokens")
        return tokens

    async def _keys(self, client: httpx.AsyncClient, metadata: _Metadata) -> jwk.KeySet:
        try:
            return jwk.KeySet.import_key_set(await self._json(client, "GET", metadata.jwks_uri))
        except (JoseError, ValueError, KeyError, TypeError):
            raise ProviderAway(f"{_place(metadata.jwks_uri)}: no keys") from None

    async def _asked(
        self, client: httpx.AsyncClient, address: str, tokens: dict[str, Any], claims: dict[str, Any]
    ) -> object:
        """The number from the user's data, where the ID token does not bear it: for the same `sub` only."""
        if not is_private(address):
            raise ProviderAway(f"{_place(address)}: not https")
        bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
        data = await self._json(client, "GET", address, headers=bearer)
        _require(isinstance(data, dict) and data.get("sub") == claims["sub"], "sub of the user's data")
        return data.get(self.settings.number_claim)

    def _claims(self, token: str, keys: jwk.KeySet, state: str, now: datetime) -> dict[str, Any]:
        """The claims of an ID token that is meant for this log-in and no other (OpenID Connect Core 3.1.3.7)."""
        moment = int(now.timestamp())
        wanted = jwt.JWTClaimsRegistry(
            now=moment,
            leeway=LEEWAY,
            iss={"essential": True, "value": self.settings.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotProved(f"ID token: {type(error).__name__}") from None
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        _require(
            claims.get("azp", None if several else self.settings.client_id) == self.settings.client_id, "azp"
        )
        nonce = claims.get("nonce")
        _require(
            isinstance(nonce, str)
            and hmac.compare_digest(nonce.encode(), self._derived("nonce", state).encode()),
            "nonce",
        )
        oldest = moment - int(FRESH.total_seconds()) - LEEWAY
        _require(_moment(claims["iat"]) and claims["iat"] >= oldest, "iat")
        proved = claims.get("auth_time")
        _require(_moment(proved) and oldest <= proved <= moment + LEEWAY, "auth_time")
        acr = claims.get("acr")
        _require(isinstance(acr, str) and acr in self.settings.acr, "acr")
        return dict(claims)

    def _derived(self, what: str, state: str) -> str:
        digest = hmac.new(self._key, f"{what}:{state}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def is_private(address: str) -> bool:
    """Whether nobody on the way can read or change what is asked there: https, or this machine."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    )


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise NotProved(what)


def _moment(value: object) -> TypeIs[int | float]:
    """Whether it is a NumericDate, a number of seconds that may have a fraction (RFC 7519, section 2)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _place(address: str) -> str:
    """Where it was, without what a query could hold."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"

"""`python -m bot check`: whether the bot could run, told in one line for each thing it needs. Nothing is changed.

Everything is tried, whatever fails before it, so that an operator mends all in one go. What is not configured has no
line: mail, identity provider, anchors. May import: what `app` may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from bot import clock
from bot.app import bot_api, pages_at, refuse_address
from bot.errors import ConfigurationError, OperatorError
from bot.handlers.myself import asked
from bot.settings import NO_SERVER, Settings, from_environment, unknown
from bot.smtp import NotNow, reach
from bot.store import crypto
from bot.store.anchors import AnchorFile, Signers
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.store.schema import check_newest
from bot.web.oidc import ProviderAway
from bot.web.provider import provider_of

SECONDS = 10.0
"""How long Telegram, and the mail server, have for their answer."""
NO_MAIL = (
    "The mail server at {place} cannot be used ({reason}): check ACCESSBOT_SMTP_HOST, _PORT, _SECURITY{own}."
)
NO_PROVIDER = "The identity provider does not answer as it should ({reason}): check the network and ACCESSBOT_OIDC_ISSUER."
UNSEEN = "not compared with the database"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: in order or not, with a few words or the fault; or a `note`, which fails nothing."""

    what: str
    ok: bool
    words: str = ""
    note: str = ""

    def __str__(self) -> str:
        if self.note:
            return f"{self.what}: {self.note}"
        if self.ok:
            return f"{self.what}: ok ({self.words})" if self.words else f"{self.what}: ok"
        return f"{self.what}: {self.words}"


async def check() -> list[Finding]:
    """A finding for the configuration, the root key, the database and Telegram, in this order; then what else is configured."""
    settings, configuration = _configuration()
    strays = [Finding("Unknown variable", ok=True, note=line) for line in unknown(os.environ)]
    database = _found("Database", lambda: _database(settings.database_url.get_secret_value()))
    root_key = _found("Root key", lambda: _root_key(settings, compare=database.ok))
    findings = [configuration, *strays, root_key, database, await _awaited("Telegram", _telegram(settings))]
    if settings.smtp_host:
        findings.append(await _awaited("Mail", _mail(settings)))
    if any((settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret, settings.oidc_acr)):
        findings.append(await _awaited("Identity provider", _provider(settings)))
    if settings.audit_anchors or settings.audit_anchor_mail:
        findings.append(_found("Anchors", lambda: _anchors(settings)))
    return findings


async def _awaited(what: str, tried: Coroutine[Any, Any, str]) -> Finding:
    """The same of what takes its time."""
    try:
        return Finding(what, ok=True, words=await tried)
    except OperatorError as error:
        return Finding(what, ok=False, words=str(error))


def _found(what: str, tried: Callable[[], str]) -> Finding:
    """A finding from what is tried: its words, or the operator's fault that it raises."""
    try:
        return Finding(what, ok=True, words=tried())
    except OperatorError as error:
        return Finding(what, ok=False, words=str(error))


# -- configuration --------------------------------------------------------------------------------


def _configuration() -> tuple[Settings, Finding]:
    """The settings; the wrong ones with their defaults, so that the rest can be tried."""
    faults: list[str] = []
    try:
        settings = from_environment()
    except ConfigurationError as error:
        faults.append(str(error))
        settings = Settings(**dict(_defaults()))
    try:
        refuse_address(settings)
    except ConfigurationError as error:
        faults.append(str(error))
    return settings, Finding("Configuration", ok=not faults, words=" ".join(faults))


def _defaults() -> Iterator[tuple[str, Any]]:
    """The default of each setting that is wrong."""
    try:
        Settings()
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][0])
            yield name, Settings.model_fields[name].default


# -- root key and database ------------------------------------------------------------------------


def _root_key(settings: Settings, *, compare: bool) -> str:
    keyring = settings.keyring()
    if compare:
        _compare(keyring, settings.database_url.get_secret_value())
    versions = ", ".join(map(str, keyring.versions))
    named = f"version{'s' if len(keyring.versions) > 1 else ''} {versions}"
    return named if compare else f"{named}, {UNSEEN}"


def _compare(keyring: Keyring, address: str) -> None:
    """Raises KeyMissing where the key is not the one that wrote the database."""
    database = Database(address, make=False)
    try:
        with database.write() as connection:
            trial = connection.begin_nested()
            crypto.check_keyring(connection, keyring, clock.now())
            trial.rollback()  # it notes the use of a new version, and that is not for a check to do
    finally:
        database.close()


def _database(address: str) -> str:
    """Raises DatabaseUnavailable where it does not answer, cannot be written or has another schema."""
    database = Database(address, make=False)
    try:
        check_newest(database)
        with database.write():
            pass  # an empty transaction sees whether the file can be written
    finally:
        database.close()
    return f"{'SQLite' if database.sqlite else 'PostgreSQL'}, schema newest"


# -- Telegram, and what else there is beyond this machine ------------------------------------------


async def _telegram(settings: Settings) -> str:
    """The bot's user name, with @. Raises OperatorError."""
    return f"@{await asked(*bot_api(settings), SECONDS)}"


async def _mail(settings: Settings) -> str:
    """Logs in at the mail server and sends nothing. Raises OperatorError."""
    server = settings.mail_server()
    assert server is not None
    try:
        await reach(replace(server, timeout=min(server.timeout, SECONDS)))
    except NotNow as away:
        place, own = f"{server.host}:{server.port}", ", _USER and _PASSWORD" if server.user else ""
        raise ConfigurationError(NO_MAIL.format(place=place, reason=away.reason, own=own)) from None
    return f"{server.host}:{server.port}, {server.security}"


async def _provider(settings: Settings) -> str:
    """Reads what the identity provider says of itself. Raises OperatorError."""
    anything = Keyring.of(
        new_root_key()
    )  # nothing is derived from it here: the root key has a line of its own
    provider = provider_of(settings, anything, pages_at(settings))
    if provider is None:  # its settings hold nothing but commas
        return ""
    try:
        await provider.reach()
    except ProviderAway as away:
        raise ConfigurationError(NO_PROVIDER.format(reason=away)) from None
    return provider.settings.issuer


def _anchors(settings: Settings) -> str:
    """Whether anchors could be added where they go. Raises OperatorError."""
    words = []
    if settings.audit_anchors:
        count = AnchorFile(settings.audit_anchors).check(Signers.of(settings.keyring()))
        words.append(f"{settings.audit_anchors}, {'not made yet' if count is None else f'{count} signed'}")
    if settings.audit_anchor_mail:
        if settings.mail_server() is None:
            raise ConfigurationError(NO_SERVER)
        words.append(f"by mail to {settings.audit_anchor_mail}")
    return "; ".join(words)

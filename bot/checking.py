"""`python -m bot check`: whether the bot could run, told in one line for each thing it needs. Nothing is changed.

Everything is tried, whatever fails before it, so that an operator mends all in one go. May import: what `app` may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bot import clock
from bot.app import bot_api, refuse_address
from bot.errors import ConfigurationError, DatabaseUnavailable, OperatorError
from bot.handlers.gateway import CallFailed, Gateway, Trouble
from bot.handlers.polling import WRONG_TOKEN
from bot.settings import Settings, from_environment
from bot.store import crypto
from bot.store.database import Database
from bot.store.keys import Keyring
from bot.store.schema import check_newest

SECONDS = 10.0
"""How long Telegram has for its answer."""
NO_ANSWER = "Telegram does not answer as it should: check the network and ACCESSBOT_TELEGRAM_API_URL."
UNSEEN = "not compared with the database"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: in order or not, with a few words or the fault."""

    what: str
    ok: bool
    words: str = ""

    def __str__(self) -> str:
        if self.ok:
            return f"{self.what}: ok ({self.words})" if self.words else f"{self.what}: ok"
        return f"{self.what}: {self.words}"


async def check() -> list[Finding]:
    """A finding for the configuration, the root key, the database and Telegram, in this order."""
    settings, configuration = _configuration()
    database = _found("Database", lambda: _database(settings.database_url.get_secret_value()))
    root_key = _found("Root key", lambda: _root_key(settings, compare=database.ok))
    return [configuration, root_key, database, await _telegram(settings)]


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
    database = Database(address)
    try:
        with database.write() as connection:
            trial = connection.begin_nested()
            crypto.check_keyring(connection, keyring, clock.now())
            trial.rollback()  # it notes the use of a new version, and that is not for a check to do
    finally:
        database.close()


def _database(address: str) -> str:
    """Raises DatabaseUnavailable where it does not answer, cannot be written or has another schema."""
    _refuse_missing(address)
    database = Database(address)
    try:
        check_newest(database)
        with database.write():
            pass  # an empty transaction sees whether the file can be written
    finally:
        database.close()
    return f"{'SQLite' if database.sqlite else 'PostgreSQL'}, schema newest"


def _refuse_missing(address: str) -> None:
    """To open a SQLite database is to make its file: one that is not there is told of instead."""
    try:
        url = make_url(address)
    except ArgumentError:
        return
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        file = Path(url.database)
        if not file.is_file() or not file.stat().st_size:
            raise DatabaseUnavailable(
                f"There is none yet at {file}: make it with 'python -m bot db upgrade'."
            )


# -- Telegram -------------------------------------------------------------------------------------


async def _telegram(settings: Settings) -> Finding:
    try:
        name = await _bot_name(settings)
    except OperatorError as error:
        return Finding("Telegram", ok=False, words=str(error))
    return Finding("Telegram", ok=True, words=name)


async def _bot_name(settings: Settings) -> str:
    """The bot's user name, with @, as Telegram tells it. Raises OperatorError."""
    token, api_url = bot_api(settings)
    gateway = Gateway(token, api_url, timeout=SECONDS)
    try:
        me = await gateway.call("getMe")
    except CallFailed as failed:
        wrong = failed.trouble is Trouble.UNAUTHORIZED
        raise OperatorError(WRONG_TOKEN if wrong else NO_ANSWER) from None
    finally:
        await gateway.close()
    if not isinstance(me, dict) or not isinstance(me.get("username"), str):
        raise OperatorError(NO_ANSWER)
    return f"@{me['username']}"

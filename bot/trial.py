"""The demo: the local Bot API, a chat page, invented people, and against them the bot as it is.

Everything lives in one folder and survives a restart: Telegram's side, the register, the root key. The environment of a
real installation is left aside on purpose: a demo must never write to somebody's register, nor speak to Telegram.
May import: what `app` may, and `bot.demo`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Connection, exists, select

from bot import app, clock, sample
from bot.access import invitations, registerfile
from bot.access.rows import BINDINGS, IDENTITIES
from bot.demo import DEMO_TOKEN, DemoConfig, DemoStartError, Visitor, refuse_real_token, serve
from bot.demo.identity import ACR, CLAIM, CLIENT, SECRET, Someone
from bot.demo.inbox import Mailbox
from bot.demo.server import Identity, bind
from bot.demotexts import identity_texts, inbox_texts, page_texts
from bot.errors import OperatorError
from bot.i18n import speaker
from bot.msg import LANGUAGES, m
from bot.settings import OwnSettings, Settings
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.store.schema import upgrade

FOLDER = Path("data/demo")
PORT = 8081
ACTIVATION_SECONDS = 20
"""The twenty minutes of the portal, so short that one can wait for them."""
_DATABASE, _KEY, _REGISTER, _LOCK = "accessbot.db", "root.key", "register.toml", "running"
_OURS = ("accessbot.db*", "telegram.db*", _KEY, _REGISTER)


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody one can be. `person` is the key in the sample register, None for a stranger; `lang` is spoken where no page says another."""

    id: int
    first_name: str
    last_name: str
    lang: str
    role: str
    person: str | None


GUESTS = (
    Guest(1001, "Anne", "Delcourt", "fr", "demo.role.two_entities", "delcourt"),
    Guest(1002, "Bram", "Claes", "nl", "demo.role.responsible", "claes"),
    Guest(1003, "Heidi", "Kessel", "de", "demo.role.local", "kessel"),
    Guest(1004, "Jan", "Peeters", "nl", "demo.role.physician", "peeters"),
    Guest(1005, "Céline", "Hubert", "fr", "demo.role.auditor", "hubert"),
    Guest(1006, "Alex", "Martin", "en", "demo.role.stranger", None),
)


async def run(
    stop: asyncio.Event,
    *,
    folder: Path = FOLDER,
    port: int | None = None,
    reset: bool = False,
    environment: Mapping[str, str] | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Runs the demo until `stop` is set; `ready` gets the address of the chat page once the bot is there too.

    `port` None takes the usual one or, if it is taken, one nearby. Raises OperatorError, one line.
    """
    _refuse(os.environ if environment is None else environment)
    with _alone(folder):
        if reset:
            _wipe(folder)
        own = _free(port)
        # at the same place after a restart, since cards that were shown lead there; anywhere where any port will do
        settings = settings_for(folder, _free(0 if port == 0 else None, PORT + 10))
        visitors = prepare(folder, settings)
        identity = Identity(identities(), identity_texts(), f"{settings.public_url}/app/oidc/back")
        mails = _free(0 if port == 0 else None, PORT + 20)
        settings = settings.model_copy(update=mail_at(mails))
        config = DemoConfig(
            visitors=visitors,
            folder=folder,
            port=own,
            texts=page_texts(),
            identity=identity,
            mailbox=Mailbox(mails, inbox_texts()),
        )
        await _both(config, settings, stop, ready)


def _refuse(environment: Mapping[str, str]) -> None:
    try:
        refuse_real_token(environment)
    except DemoStartError as refused:
        raise OperatorError(str(refused)) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two demos in one folder would answer each other's people."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / _LOCK).open("w", encoding="ascii")
    except OSError as error:
        raise OperatorError(
            f"The folder {folder} cannot be used ({error.strerror}): start from another one."
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OperatorError(
                f"A demo is running in {folder} already: use its page, or end it first."
            ) from None
        yield


def _wipe(folder: Path) -> None:
    for pattern in _OURS:
        for file in folder.glob(pattern):
            file.unlink()


def settings_for(folder: Path, pages: int = PORT + 10) -> Settings:
    """The demo's own settings, its private pages on the port `pages`: nothing of them comes from the environment."""
    key = folder / _KEY
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(f"{new_root_key()}\n", encoding="ascii")
    return OwnSettings(
        telegram_token=SecretStr(DEMO_TOKEN),
        database_url=SecretStr(f"sqlite:///{folder / _DATABASE}"),
        root_key=SecretStr(key.read_text(encoding="ascii")),
        root_key_file=None,
        updates="polling",
        public_url=f"http://127.0.0.1:{pages}",
        listen=f"127.0.0.1:{pages}",
        session_idle=900,
        session_longest=28_800,
        webhook_secret=None,
        oidc_issuer="",  # known once the server has its port
        oidc_client_id="",
        oidc_client_secret=None,
        oidc_acr="",
        oidc_number_claim=CLAIM,
        oidc_scopes="openid",
        oidc_name="eID (Demo)",
        smtp_host=None,  # the demo's own, once it has its port
        smtp_port=None,
        smtp_security="none",
        smtp_user=None,
        smtp_password=None,
        smtp_from="Demo <demo@access.example>",
        help_desk="help@access.example",
        activation_delay=ACTIVATION_SECONDS,
    )


def provider_at(url: str) -> dict[str, object]:
    """The settings of the demo's own identity provider, which stands beside the local Bot API."""
    return {
        "oidc_issuer": f"{url}/identity",
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SecretStr(SECRET),
        "oidc_acr": ACR,
    }


def mail_at(port: int) -> dict[str, object]:
    """The settings of the demo's own mail server, whose mails stand on a page beside the chats."""
    return {"smtp_host": "127.0.0.1", "smtp_port": port}


def identities() -> tuple[Someone, ...]:
    """Whom the provider knows: the guests who have a national number in the sample, all invented."""
    return tuple(
        Someone(guest.person, f"{guest.first_name} {guest.last_name}", sample.NUMBERS[guest.person])
        for guest in GUESTS
        if guest.person in sample.NUMBERS
    )


def prepare(folder: Path, settings: Settings) -> tuple[Visitor, ...]:
    """The register, from the sample the first time, and everybody one can be, with an invitation where it is needed."""
    keyring = settings.keyring()
    database = Database(settings.database_url.get_secret_value())
    try:
        upgrade(database)
        with database.read() as connection:
            empty = not connection.execute(select(exists(select(IDENTITIES.c.id)))).scalar()
        if empty:
            _fill(folder / _REGISTER, database, keyring)
        with database.write() as connection:
            return tuple(_visitor(connection, keyring, guest) for guest in GUESTS)
    finally:
        database.close()


def _fill(file: Path, database: Database, keyring: Keyring) -> None:
    file.write_text(sample.register_file(clock.today()), encoding="utf-8")
    registerfile.load(database, keyring, file, today=clock.today(), now=clock.now())


def _visitor(connection: Connection, keyring: Keyring, guest: Guest) -> Visitor:
    return Visitor(
        guest.id,
        guest.first_name,
        guest.last_name,
        language_code=guest.lang,
        any_language=True,
        role={lang: speaker(lang).plain(m(guest.role)) for lang in LANGUAGES},
        invitation=_invitation(connection, keyring, guest),
    )


def _invitation(connection: Connection, keyring: Keyring, guest: Guest) -> str | None:
    """A new code, since only its hash is kept; none for a stranger, nor for who came in before."""
    bound = select(BINDINGS.c.id).where(BINDINGS.c.telegram_id == guest.id, BINDINGS.c.ended_at.is_(None))
    if guest.person is None or connection.execute(bound).first() is not None:
        return None
    return invitations.invite(connection, keyring, guest.person, clock.now())


def _free(port: int | None, usual: int = PORT) -> int:
    """The port asked for (0: any that is free), or a free one near the usual. Raises OperatorError where the one asked for is taken."""
    wanted: tuple[int, ...] = (port,) if port is not None else (*range(usual, usual + 10), 0)
    refused = ""
    for number in wanted:
        try:
            with bind(number) as found:
                return int(found.getsockname()[1])
        except DemoStartError as taken:
            refused = str(taken)
    raise OperatorError(refused)


async def _both(
    config: DemoConfig, settings: Settings, stop: asyncio.Event, ready: Callable[[str], None] | None
) -> None:
    """The server and the bot; when one ends, so does the other."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def server() -> None:
        try:
            await serve(config, ready=address.set_result, stop=stop)
        except DemoStartError as failed:
            raise OperatorError(str(failed)) from None
        finally:
            address.cancel()  # the bot need not wait for a server that did not start

    async def bot() -> None:
        try:
            url = await address
        except asyncio.CancelledError:
            return
        mine = settings.model_copy(update={"telegram_api_url": url, **provider_at(url)})
        await app.run(mine, stop, ready=lambda _: ready(url) if ready else None, frames=(url,))

    await app.together(stop, server(), bot())

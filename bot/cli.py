"""The commands and their arguments, nothing else. An operator's mistake is one line on stderr and exit code 1."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import webbrowser
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from bot import app as program
from bot import checking, clock, logs, trial
from bot.access import invitations, registerfile
from bot.errors import OperatorError
from bot.msg import LANGUAGES
from bot.settings import Settings, from_environment
from bot.store import audit, crypto
from bot.store.database import Database
from bot.store.keys import Keyring, new_root_key
from bot.store.schema import check_newest, upgrade

app = typer.Typer(
    help="Access management in chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
keys = typer.Typer(help="The root key and its versions.", no_args_is_help=True)
trail = typer.Typer(help="The audit trail.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(keys, name="keys")
register = typer.Typer(help="The register file.", no_args_is_help=True)
app.add_typer(trail, name="audit")
app.add_typer(register, name="register")


@app.command()
def run() -> None:
    """Run the bot, by long polling or webhook. Brings the database to the newest schema first."""
    settings = from_environment()
    logs.configure(settings)
    mode = "webhook" if settings.updates == "webhook" else "long polling"

    def ready(name: str) -> None:
        typer.echo(f"{name or 'The bot'} runs by {mode}. Ctrl+C ends it.")

    _until_stopped(lambda stop: program.run(settings, stop, ready=ready))


@app.command()
def demo(
    *,
    port: Annotated[int | None, typer.Option(help="The port of the chat page.", min=0, max=65535)] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was done in the demo before.")] = False,
) -> None:
    """Try everything on this computer: a chat page, invented people, the same bot. Needs nothing."""
    logs.configure(Settings(log_level="warning"))

    def ready(url: str) -> None:
        typer.echo(f"The chat page is at {url} and Ctrl+C ends it. What you do is kept in {trial.FOLDER}.")
        if not no_browser and _has_screen():
            webbrowser.open(url)

    _until_stopped(lambda stop: trial.run(stop, port=port, reset=reset, ready=ready))


def _until_stopped(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` until it ends, or until Ctrl+C or SIGTERM sets its event; a second Ctrl+C ends it at once."""

    async def working() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()

        def stopped() -> None:
            stop.set()
            loop.remove_signal_handler(signal.SIGINT)

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped)
        await work(stop)

    try:
        asyncio.run(working())
    except KeyboardInterrupt:
        sys.exit(130)


def _has_screen() -> bool:
    """Whether a browser would open in a window: a browser of the terminal would take the terminal away."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _opened(settings: Settings) -> tuple[Database, Keyring]:
    """The database at the newest schema, and the key that wrote it."""
    keyring = settings.keyring()
    database = Database(settings.database_url.get_secret_value())
    check_newest(database)
    with database.write() as connection:
        crypto.check_keyring(connection, keyring, clock.now())
    return database, keyring


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    upgrade(Database(from_environment().database_url.get_secret_value()))
    typer.echo("The database has the newest schema.")


@keys.command("new")
def keys_new() -> None:
    """Print a new root key. Keep it apart from the database: without it, nothing encrypted can be read."""
    typer.echo(new_root_key())


@keys.command("status")
def keys_status() -> None:
    """Which versions of the root key are at hand, and whether they open the database."""
    database, keyring = _opened(from_environment())
    typer.echo(
        f"Versions {', '.join(map(str, keyring.versions))}; version {keyring.current} writes. They open the database."
    )
    database.close()


@register.command("load")
def register_load(
    file: Annotated[Path, typer.Argument(help="A TOML file such as register.example.toml.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what was changed in chat since.")] = False,
) -> None:
    """Add or update what a register file says, all or nothing. Run twice, the second time changes nothing."""
    database, keyring = _opened(from_environment())
    report = registerfile.load(
        database, keyring, file, dry_run=dry_run, force=force, today=clock.today(), now=clock.now()
    )
    for line in report.lines():
        typer.echo(line)


@register.command("export")
def register_export(
    output: Annotated[Path | None, typer.Option(help="A file to write, for your eyes only.")] = None,
    *,
    without_niss: Annotated[
        bool, typer.Option("--without-niss", help="Leave the national numbers out.")
    ] = False,
) -> None:
    """Print the register as a register file. It holds the national numbers, and the audit trail tells of it."""
    database, keyring = _opened(from_environment())
    text = registerfile.export(database, keyring, numbers=not without_niss, now=clock.now())
    if output is None:
        typer.echo(text.encode(), nl=False)
    else:
        registerfile.save(text, output)


@app.command()
def invite(
    person: Annotated[str, typer.Argument(help="The person's key in the register.")],
    lang: Annotated[
        str | None, typer.Option(help="The language of the first screens: fr, nl, de or en.")
    ] = None,
) -> None:
    """Make a single-use code, good for 24 hours. The last line is the code alone."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(f"'{lang}' is not one of {', '.join(LANGUAGES)}")
    database, keyring = _opened(from_environment())
    with database.write() as connection:
        code = invitations.invite(connection, keyring, person, clock.now(), lang=lang)
    typer.echo(f"For {person}, once, within 24 hours: send /start and this code to the bot.")
    typer.echo(code)


@app.command()
def unbind(person: Annotated[str, typer.Argument(help="The person's key in the register.")]) -> None:
    """End the person's bindings and open codes (a lost phone)."""
    database, keyring = _opened(from_environment())
    with database.write() as connection:
        count = invitations.unbind(connection, keyring, person, clock.now())
    typer.echo(f"Ended {count} binding{'' if count == 1 else 's'} of {person}.")


@app.command()
def check() -> None:
    """Try the configuration, the root key, the database and Telegram; change nothing. Exit 1 if one fails."""
    # the lines below tell what went wrong; what the parts log about it would stand between them
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    found = asyncio.run(checking.check())
    for finding in found:
        typer.echo(str(finding))
    if failed := [finding.what for finding in found if not finding.ok]:
        raise OperatorError(f"Not in order: {', '.join(failed)}.")


@trail.command("verify")
def audit_verify() -> None:
    """Read the whole audit trail; exit 1 and the first broken entry where it does not fit."""
    database, keyring = _opened(from_environment())
    with database.read() as connection:
        result = audit.verify(connection, keyring)
    if result.broken:
        chain, seq, why = result.broken
        raise OperatorError(f"The audit trail is broken at entry {seq} of chain '{chain}': {why}.")
    typer.echo(f"{result.count} entries, none broken.")


def main() -> None:
    """The entrance of `python -m bot` and of `accessbot`."""
    try:
        app()
    except OperatorError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)

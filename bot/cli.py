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
from bot.access import invitations, registerfile, report
from bot.errors import AuditBroken, ConfigurationError, OperatorError
from bot.handlers.myself import asked
from bot.msg import LANGUAGES
from bot.opening import checked, opened, to_fill
from bot.settings import OwnSettings, from_environment, unknown
from bot.store import audit, facts, rotation, trail
from bot.store.anchors import AnchorFile, Signers
from bot.store.database import Database
from bot.store.keys import NEWEST, new_root_key
from bot.store.schema import upgrade

SECONDS = 5.0
"""How long Telegram has to tell the bot's user name, where nobody asked before."""

app = typer.Typer(
    help="Access management in chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
keys = typer.Typer(help="The root key and its versions.", no_args_is_help=True)
audits = typer.Typer(help="The audit trail.", no_args_is_help=True)
privacy = typer.Typer(help="What is stored about a person, and its erasure.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(keys, name="keys")
register = typer.Typer(help="The register file.", no_args_is_help=True)
app.add_typer(audits, name="audit")
app.add_typer(privacy, name="privacy")
app.add_typer(register, name="register")


@app.command()
def run() -> None:
    """Run the bot, by long polling or webhook. Brings the database to the newest schema first."""
    settings = from_environment()
    logs.configure(settings)
    for line in unknown(os.environ):
        typer.echo(line, err=True)
    mode = "webhook" if settings.updates == "webhook" else "long polling"

    def ready(name: str) -> None:
        typer.echo(f"{name} runs by {mode}. Ctrl+C ends it.")

    _until_stopped(lambda stop: program.run(settings, stop, ready=ready))


@app.command()
def demo(
    *,
    port: Annotated[int | None, typer.Option(help="The port of the chat page.", min=0, max=65535)] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was done in the demo before.")] = False,
) -> None:
    """Try everything on this computer: a chat page, invented people, the same bot. Needs nothing."""
    logs.configure(OwnSettings(log_level="warning"))

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


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    upgrade(Database(from_environment().database_url.get_secret_value()))
    typer.echo("The database has the newest schema.")


@keys.command("new")
def keys_new(
    *,
    version: Annotated[
        int | None, typer.Option(help="Print a line to add to the key file.", min=1, max=NEWEST)
    ] = None,
) -> None:
    """Print a new root key. Keep it apart from the database: without it, nothing encrypted can be read.

    To turn the key: 'keys new --version 2 >> KEYFILE' (the one before is version 1 where its line has no number), restart
    every process of the bot, 'keys rotate', and when 'keys status' says so, take the old line out and restart.
    """
    typer.echo(new_root_key(version))


@keys.command("status")
def keys_status() -> None:
    """What is still written under each version of the root key, and which of them may be dropped."""
    database, keyring = opened(from_environment())
    with database.read() as connection:
        for each in rotation.status(connection, keyring):
            typer.echo(each.line())
    database.close()


@keys.command("rotate")
def keys_rotate() -> None:
    """Write everything anew under the newest version of the root key, while the bot works. May be stopped and run again."""
    database, keyring = opened(from_environment())
    done = rotation.rotate(database, keyring, clock.now)
    typer.echo(
        "; ".join(f"{count} {what}{'' if count == 1 else 's'}" for what, count in done.items())
        or "Nothing to write anew."
    )
    with database.read() as connection:
        for each in rotation.status(connection, keyring):
            typer.echo(each.line())


@register.command("load")
def register_load(
    file: Annotated[Path, typer.Argument(help="A TOML file such as register.example.toml.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do, and do nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what was changed in chat since.")] = False,
) -> None:
    """Add or update what a register file says, all or nothing. Run twice, the second time changes nothing.

    A database that is not there, or empty, is made on the way; one of an older schema is left to 'run' and 'db upgrade'.
    """
    settings = from_environment()
    keyring = settings.keyring()
    address, today = settings.database_url.get_secret_value(), clock.today()

    def parsed() -> object:  # a faulty file makes no database
        return registerfile.parse(registerfile.read(file), file.name, today)

    with to_fill(address, dry_run=dry_run, first=parsed) as database:
        checked(database, keyring)
        report = registerfile.load(
            database, keyring, file, dry_run=dry_run, force=force, today=today, now=clock.now()
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
    database, keyring = opened(from_environment())
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
    """Make a single-use code, good for 24 hours, and its link. The last line is the code alone."""
    if lang is not None and lang not in LANGUAGES:
        raise typer.BadParameter(f"'{lang}' is not one of {', '.join(LANGUAGES)}")
    settings = from_environment()
    database, keyring = opened(settings)
    with database.write() as connection:
        code = invitations.invite(connection, keyring, person, clock.now(), lang=lang)
        bot = facts.known_bot(connection, program.bot_number(settings))
    why = ""
    if not bot:
        _quiet()
        try:
            bot = asyncio.run(asked(*program.bot_api(settings), SECONDS))
        except OperatorError as unknown_bot:
            why = str(unknown_bot)
    if bot:
        typer.echo(
            f"For {person}, once, within 24 hours: open the link, or send /start and the code to the bot."
        )
        typer.echo(invitations.link(bot, code))
    else:
        typer.echo(f"For {person}, once, within 24 hours: send /start and the code to the bot.")
        typer.echo(f"There is no link, since the bot's username is not known before it has run. {why}")
    typer.echo(code)


@app.command()
def unbind(person: Annotated[str, typer.Argument(help="The person's key in the register.")]) -> None:
    """End the person's bindings, sessions, open codes and apps with one-time codes (a lost phone)."""
    database, keyring = opened(from_environment())
    with database.write() as connection:
        ended = invitations.unbind(connection, keyring, person, clock.now())
    counts = {
        "binding": ended.bindings,
        "session": ended.sessions,
        "open code": ended.codes,
        "app with one-time codes": ended.apps,
    }
    said = [_counted(count, what) for what, count in counts.items() if count]
    typer.echo(
        f"Ended of {person}: {', '.join(said)}." if said else f"{person} had nothing open: nothing to end."
    )


def _counted(count: int, what: str) -> str:
    first, _, rest = what.partition(" with ")
    return f"{count} {first}{'' if count == 1 else 's'}{f' with {rest}' if rest else ''}"


@app.command()
def check() -> None:
    """Try the configuration, the root key, the database and Telegram; change nothing. Exit 1 if one fails."""
    _quiet()
    found = asyncio.run(checking.check())
    for finding in found:
        typer.echo(str(finding))
    if failed := [finding.what for finding in found if not finding.ok]:
        raise OperatorError(f"Not in order: {', '.join(failed)}.")


def _quiet() -> None:
    """A command's own lines tell what went wrong; what the parts log about it would stand between them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@audits.command("verify")
def audit_verify(
    *,
    file: Annotated[Path | None, typer.Option(help="An exported file, instead of the database.")] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="A file of anchors, instead of ACCESSBOT_AUDIT_ANCHORS.")
    ] = None,
    public_key: Annotated[
        list[str] | None, typer.Option(help="With --file: a line of 'audit key', instead of the root key.")
    ] = None,
) -> None:
    """Read the whole audit trail, and compare it with its anchors; exit 1 and the first broken entry where it does not fit.

    An exported file is verified without the database: with the root key entry by entry, with the public key by its anchors.
    """
    if public_key and file is None:
        raise typer.BadParameter("--public-key goes with --file")
    settings = from_environment()
    path = anchors or settings.audit_anchors
    if file is not None:
        keyring = None if public_key else settings.keyring()
        signers = Signers.of(keyring) if keyring else Signers.parsed(public_key or ())
        outside = AnchorFile(path).read(signers) if path else []
        result = trail.verify_file(file, signers, keyring, outside)
    else:
        database, keyring = opened(settings)
        with database.read() as connection:
            outside = trail.outside(connection, keyring, path)
            result = audit.verify(connection, keyring, outside)
    if result.broken:
        chain, seq, why = result.broken
        raise AuditBroken(f"The audit trail is broken at entry {seq} of chain '{chain}': {why}.")
    compared = f", compared with {_counted(len(outside), 'anchor')}" if outside else ""
    entries = f"{result.count} {'entry' if result.count == 1 else 'entries'}"
    typer.echo(f"{entries}{compared}, none broken.")


@audits.command("anchor")
def audit_anchor() -> None:
    """Sign how far each chain goes now, into the file of ACCESSBOT_AUDIT_ANCHORS and the mailbox of ACCESSBOT_AUDIT_ANCHOR_MAIL.

    The running bot does it once a day. It also delivers the mail.
    """
    settings = from_environment()
    places = [f"in {settings.audit_anchors}"] if settings.audit_anchors else []
    places += [f"by mail to {settings.audit_anchor_mail}"] if settings.audit_anchor_mail else []
    if not places:
        raise ConfigurationError(
            "There is no place for anchors: set ACCESSBOT_AUDIT_ANCHORS to a file's path, or ACCESSBOT_AUDIT_ANCHOR_MAIL to an address."
        )
    database, keyring = opened(settings)
    fresh = trail.anchor(database, keyring, settings.outlets(keyring), clock.now())
    typer.echo(f"{len(fresh)} chain{'' if len(fresh) == 1 else 's'} anchored {' and '.join(places)}.")


@audits.command("key")
def audit_key() -> None:
    """Print the public keys by which somebody without the root key verifies anchors and exports."""
    _, keyring = opened(from_environment())
    for line in Signers.of(keyring).texts():
        typer.echo(line)


@audits.command("export")
def audit_export(
    output: Annotated[Path, typer.Argument(help="A file to write, for your eyes only.")],
    *,
    entity: Annotated[str | None, typer.Option(help="The key of one entity; all chains without.")] = None,
    personal: Annotated[
        bool, typer.Option("--personal", help="With names and what else is personal in plain.")
    ] = False,
) -> None:
    """Write the audit trail to a file that 'audit verify --file' verifies offline. The trail tells of it."""
    settings = from_environment()
    database, keyring = opened(settings)
    report.audit_trail(
        database, keyring, output, settings.outlets(keyring), clock.now(), entity=entity, personal=personal
    )
    typer.echo(f"Written to {output}.")


@privacy.command("export")
def privacy_export(
    person: Annotated[str, typer.Argument(help="The person's key in the register.")],
    *,
    output: Annotated[Path | None, typer.Option(help="A file to write, for your eyes only.")] = None,
) -> None:
    """Print everything that is stored about a person. The audit trail tells of it."""
    database, keyring = opened(from_environment())
    text = report.about(database, keyring, person, clock.now())
    if output is None:
        typer.echo(text.encode(), nl=False)
    else:
        report.save(output, [text])


@privacy.command("erase")
def privacy_erase(
    person: Annotated[str, typer.Argument(help="The person's key in the register.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="It cannot be undone.")] = False,
) -> None:
    """Erase a person for good: every access ends, every name goes. The audit trail stays valid, without names."""
    if not yes:
        raise OperatorError(
            f"Nothing was done. What is erased is gone for good: add --yes to erase '{person}'."
        )
    database, keyring = opened(from_environment())
    erased, scrubbed = report.erase(database, keyring, person, clock.now(), clock.today())
    ended = [
        _counted(erased.accounts, "account"),
        _counted(erased.holdings, "access right"),
        _counted(erased.mandates, "mandate"),
    ]
    typer.echo(
        f"Erased, with {', '.join(ended)} and {_counted(erased.bindings, 'binding')} ended. Backups and messages already in Telegram are not touched."
    )
    if not scrubbed:
        typer.echo(
            "The database file was in use: stop the bot and run 'python -m bot privacy scrub', so that nothing is left in it."
        )


@privacy.command("scrub")
def privacy_scrub() -> None:
    """Overwrite what is left in a SQLite file of what was erased. 'privacy erase' does it by itself."""
    database, _ = opened(from_environment())
    if not database.scrub(whole=True):
        raise OperatorError("The database file is in use: stop the bot and try again.")
    typer.echo("Done.")


def main() -> None:
    """The entrance of `python -m bot` and of `accessbot`."""
    try:
        app()
    except OperatorError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)

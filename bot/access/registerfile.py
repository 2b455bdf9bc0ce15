"""The register file: read, checked as a whole, loaded all or nothing; and the register written as such a file.

The format (TOML, `format = 1`; an example is `register.example.toml`):

    [[entity]]              key, inami, denomination = { fr, nl, de, en }; enterprise, created, delivery = "register" or
                            "portal", portal = "old" or "new" are optional
      [[entity.quality]]    key (of the catalogue); number, active (true), subdivisions = ["Name", { name, within }]
    [[person]]              key, last_name, first_name; niss, language (fr), title, email, local_email, staff_number
      [[person.profile]]    entity, last_name, first_name, …: what one entity knows, where it differs
    [[mandate]]             person, role, and entity or enterprise; quality, subdivision, since, until as the role needs
    [[account]]             person, entity, quality; username, status ("active", "blocked"), status_reason, subdivision,
                            profession
      [[account.grant]]     application, starts_on; ends_on
      [[account.assignment]]  function, starts_on; ends_on, responsible (a person with an account in the same quality)
    [[application]]         added to the catalogue, or replacing one of the same key; see `catalogue.read_application`
    [[function]]            likewise; see `catalogue.read_function`

A file adds and updates; what it does not name stays. It may refer to what the register holds already. What was changed
in chat since the last load is kept and reported, unless forced. A subdivision is meant by the name that the file gave it, also
after it was renamed in chat.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from bot.access import registerchecks, registerheld, registerpeople, registerplaces, retired
from bot.access.catalogue import Application, Catalogue, Function, read_application, read_function
from bot.access.registerchecks import Known, faults
from bot.access.registerledger import Tally
from bot.access.registerschema import FORMAT, RegisterTables, shaped
from bot.access.registersnapshot import Gone, Snapshot, hold
from bot.access.registersync import Load
from bot.access.registerwriter import written
from bot.access.rows import (
    ACCOUNTS,
    ASSIGNMENTS,
    ENTERPRISES,
    ENTITIES,
    GRANTS,
    MANDATES,
    PROFILES,
    QUALITIES,
    SUBDIVISIONS,
    catalogue_of,
)
from bot.errors import RegisterFileError
from bot.store import privatefile
from bot.store.audit import HOUSE, Entry, append
from bot.store.database import Database
from bot.store.keys import Keyring

BYTES_MAX = 32 << 20
"""More than anybody's register (5,000 people take a megabyte and a half), less than what fills the memory."""
FAULTS_MAX = 20
"""How many faults of a file are listed; the others are counted."""
LINE_MAX = 400
_NUMBER = re.compile(r"(?!79\.08\.23-997\.28)\d(?:[-_./ ]?\d){10,}")
"""Eleven digits or more, but for the example that the sentences themselves give."""
T = TypeVar("T", Application, Function)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did, or would do: for each kind of entry how many were added, changed, unchanged, kept as in chat."""

    dry_run: bool
    tallies: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def changes(self) -> int:
        """How many entries were written."""
        return sum(tally.added + tally.changed for tally in self.tallies.values())

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """(kind, key) of each entry that was changed in chat since, and stays so."""
        return tuple((kind, key) for kind, tally in self.tallies.items() for key in tally.kept)

    @property
    def blocked(self) -> tuple[tuple[str, str], ...]:
        """(kind, key) of each entry that was left out: its account was deleted in chat, or the same was given there for
        a period that overlaps.
        """
        return tuple((kind, key) for kind, tally in self.tallies.items() for key in tally.blocked)

    def lines(self) -> list[str]:
        """The report for the operator."""
        lines = [f"{kind}: {self._counts(tally)}" for kind, tally in self.tallies.items()]
        lines += [
            f"{kind} '{key}': changed in chat since, kept (--force overwrites it)" for kind, key in self.kept
        ]
        lines += [
            f"{kind} '{key}': left out, since what was done in chat stands in its way"
            for kind, key in self.blocked
        ]
        if not self.changes:
            lines.append("nothing to change")
        elif self.dry_run:
            lines.append("nothing was written: this was a dry run")
        return lines

    def _counts(self, tally: Tally) -> str:
        would = "would be " if self.dry_run else ""
        counts = {
            f"{would}added": tally.added,
            f"{would}changed": tally.changed,
            "unchanged": tally.unchanged,
            "kept": len(tally.kept),
            "left out": len(tally.blocked),
        }
        return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def load(
    database: Database,
    keyring: Keyring,
    file: Path,
    *,
    dry_run: bool = False,
    force: bool = False,
    today: date,
    now: datetime,
) -> LoadReport:
    """Loads a register file, all or nothing. Run twice, the second time changes nothing.

    Raises RegisterFileError with a line for each fault of the file: its name, the line or path, the reason.
    """
    tables = parse(read(file), file.name, today)
    with database.write() as connection:
        trial = connection.begin_nested()
        tallies = _load(connection, keyring, tables, file.name, now=now, force=force)
        if dry_run:
            trial.rollback()
        else:
            trial.commit()
    return LoadReport(dry_run, tallies)


def export(database: Database, keyring: Keyring, *, numbers: bool = True, now: datetime) -> str:
    """The register as a register file, with the national numbers in plain, or with `numbers=False` without them.

    A register without them cannot be set up again, so they are in unless told otherwise; that they were read is noted in
    the audit trail. The caller gives the text to the operator's terminal or file, never to a log.
    """
    with database.read() as connection:
        text = written(connection, keyring, numbers=numbers)
    with database.write() as connection:
        append(connection, keyring, HOUSE, Entry("register.export", body={"numbers": numbers}), now)
    return text


def save(text: str, file: Path) -> None:
    """Writes an export, whole or not at all, for the program's own user alone. Raises RegisterFileError."""
    try:
        privatefile.write(file, [text])
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise RegisterFileError(f"{file.name}: cannot be written: {reason}") from error


# -- reading and checking -------------------------------------------------------------------------


def read(file: Path) -> str:
    """The text of a file; raises RegisterFileError where it cannot be read or is not UTF-8."""
    try:
        with file.open("rb") as stream:
            content = stream.read(BYTES_MAX + 1)
    except IsADirectoryError as error:
        raise RegisterFileError(f"{file}: is a folder: name the register file in it") from error
    except (OSError, ValueError) as error:  # ValueError: a path that no system takes
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise RegisterFileError(f"{file.name}: cannot be read: {reason}") from error
    if len(content) > BYTES_MAX:
        raise RegisterFileError(
            f"{file.name}: is larger than {BYTES_MAX >> 20} MB: load it in parts, the entities first"
        )
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RegisterFileError(
            f"{file.name}: line {line}: is not UTF-8: save the file in that encoding"
        ) from None


def parse(text: str, name: str, today: date) -> RegisterTables:
    """The tables of a file's text; `name` stands before each fault. Raises RegisterFileError."""
    try:
        data = tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        raise RegisterFileError(f"{name}: is not TOML: {error}") from None
    except RecursionError:
        raise RegisterFileError(f"{name}: is not TOML: brackets within brackets, too deep") from None
    found = data.get("format")
    if found is None:
        raise RegisterFileError(f"{name}: format: is missing: write 'format = {FORMAT}' at the top")
    if found != FORMAT or isinstance(found, bool):
        fault = f"format: this program reads format {FORMAT}, not {str(found)[:20]}"
        raise RegisterFileError(f"{name}: {_shown(fault)}")
    tables, wrong = shaped(data, today)
    if tables is None:
        raise _refused(name, wrong)
    return tables


def check(tables: RegisterTables, name: str, known: Known, offered: Catalogue) -> Catalogue:
    """The catalogue with the file's applications and functions; raises RegisterFileError with every other fault."""
    wrong = [*registerchecks.unprintable("function", tables.function)]
    wrong += registerchecks.unprintable("application", tables.application)
    functions = _catalogue_tables(tables.function, "function", read_function, wrong)
    applications = _catalogue_tables(tables.application, "application", read_application, wrong)
    extended = offered
    if not wrong:
        try:
            extended = offered.with_functions(functions).with_applications(applications)
        except RegisterFileError as error:
            wrong += str(error).splitlines()
    wrong += faults(tables, extended, known)
    if wrong:
        raise _refused(name, wrong)
    return extended


def _catalogue_tables(
    entries: list[dict[str, Any]], kind: str, reader: Callable[[Mapping[str, Any], str], T], wrong: list[str]
) -> list[T]:
    found: list[T] = []
    for number, entry in enumerate(entries):
        try:
            found.append(reader(entry, f"{kind}[{number}]"))
        except RegisterFileError as error:
            wrong += str(error).splitlines()
    return found


def _refused(name: str, wrong: list[str]) -> RegisterFileError:
    lines = [f"{name}: {_shown(fault)}" for fault in wrong[:FAULTS_MAX]]
    more = len(wrong) - len(lines)
    return RegisterFileError("\n".join([*lines, f"and {more} more"] if more else lines))


def _shown(fault: str) -> str:
    """A fault as one line of bearable length, without anything like a national number, wherever the file had one."""
    line = "".join(char if char.isprintable() else "?" for char in fault)
    masked = _NUMBER.sub("(a number)", line)
    return masked if len(masked) <= LINE_MAX else f"{masked[:LINE_MAX]}…"


# -- loading --------------------------------------------------------------------------------------


def _load(
    connection: Connection, keyring: Keyring, tables: RegisterTables, name: str, *, now: datetime, force: bool
) -> Mapping[str, Tally]:
    hold(connection)
    snapshot = Snapshot(connection)
    running = Load(connection, keyring, snapshot, now=now, force=force)
    owners = snapshot.owners(keyring, (person.niss for person in tables.person if person.niss))
    usernames = [each.username.lower() for each in tables.account if each.username]
    gone = Gone(
        retired.among(connection, keyring, retired.PERSON, (person.key for person in tables.person)),
        retired.among(connection, keyring, retired.USERNAME, usernames),
    )
    known = snapshot.known(owners, running.ledger.file_decides, gone)
    offered = check(tables, name, known, catalogue_of(connection))
    registerplaces.catalogue(running, tables, offered)
    for entity in tables.entity:
        registerplaces.entity(running, entity)
    running.ledger.flush(ENTERPRISES, ENTITIES, QUALITIES, SUBDIVISIONS)
    for person in tables.person:
        registerpeople.person(running, person)
    registerpeople.known_to(running, tables)
    running.ledger.flush(PROFILES)
    for account in tables.account:
        registerpeople.account(running, account)
    running.ledger.flush(ACCOUNTS)
    for account in tables.account:
        registerheld.held(running, account)
    registerheld.mandates(running, tables.mandate)
    running.ledger.flush(GRANTS, ASSIGNMENTS, MANDATES)
    running.close()
    return running.ledger.tallies

"""The register's tables as Core tables, and the small reads that several modules of `access` share.

Acts and lists use Core statements; an ORM session costs more than the statements themselves (`performance.md`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select, text

from bot.access.catalogue import Catalogue, builtin, read_application, read_function
from bot.access.names import fold
from bot.store import certificates, login, mail, relations, tables
from bot.store.tables import core

AnyRow = Row[*tuple[Any, ...]]
"""A row of any query."""

ACCOUNTS = core(tables.Account)
ACCOUNT_WORDS = core(tables.AccountWord)
APPLICATIONS = core(tables.ApplicationRow)
ASSIGNMENTS = core(tables.Assignment)
ATTEMPTS = core(login.Attempt)
AUTHENTICATORS = core(login.Authenticator)
BINDINGS = core(tables.Binding)
CERTIFICATES = core(certificates.KeptCertificate)
CHANGES = core(tables.Change)
DUE = core(mail.Due)
ENTERPRISES = core(tables.Enterprise)
ENTITIES = core(tables.Entity)
FUNCTIONS = core(tables.FunctionRow)
GRANTS = core(tables.Grant)
IDENTITIES = core(tables.Identity)
INVITATIONS = core(tables.Invitation)
ITEMS = core(tables.ChangeItem)
MANDATES = core(tables.Mandate)
BLINDS = core(tables.NumberBlind)
NUMBERS = core(tables.NationalNumber)
ORIGINS = core(tables.Origin)
PASSWORDS = core(login.Password)
PROFILES = core(tables.Profile)
RETIRED = core(tables.RetiredName)
QUALITIES = core(tables.EntityQuality)
RECOVERY_CODES = core(login.RecoveryCode)
RESPONSIBILITIES = core(relations.Responsibility)
SEEN = core(login.Seen)
SESSIONS = core(login.ChatSession)
STEP_UPS = core(login.StepUp)
SUBDIVISIONS = core(tables.Subdivision)
SUBSTITUTIONS = core(relations.Substitution)
TICKETS = core(login.Ticket)
VISITS = core(login.Visit)
WAITS = text(f"change_items.{tables.WAITING.replace(' AND ', ' AND change_items.')}")
"""An item is still to be carried out on the portal. The condition of the index, word for word: only then SQLite takes it."""


def catalogue_of(connection: Connection) -> Catalogue:
    """The built-in catalogue with the operator's applications and functions."""
    functions = connection.execute(select(FUNCTIONS.c.key, FUNCTIONS.c.body).order_by(FUNCTIONS.c.key))
    applications = connection.execute(
        select(APPLICATIONS.c.key, APPLICATIONS.c.body).order_by(APPLICATIONS.c.key)
    )
    own = builtin().with_functions([read_function(row.body, f"function '{row.key}'") for row in functions])
    return own.with_applications(
        [read_application(row.body, f"application '{row.key}'") for row in applications]
    )


def branch(connection: Connection, subdivision: str | None) -> tuple[str, ...]:
    """The path from the topmost subdivision down to this one, as `rights.Target` wants it; empty for None."""
    path: list[str] = []
    while subdivision is not None and subdivision not in path:
        path.append(subdivision)
        query = select(SUBDIVISIONS.c.parent_id).where(SUBDIVISIONS.c.id == subdivision)
        subdivision = connection.execute(query).scalar()
    return tuple(reversed(path))


def below(parents: Mapping[str, str | None], tops: Iterable[str]) -> frozenset[str]:
    """`tops` and every subdivision that hangs on one of them; `parents` maps each subdivision to its parent."""
    inside = set(tops)
    grown = True
    while grown:
        more = {child for child, parent in parents.items() if parent in inside} - inside
        inside |= more
        grown = bool(more)
    return frozenset(inside)


# -- what lists sort and search by ----------------------------------------------------------------


def sort_key(*parts: str) -> str:
    """Sorts alike under every collation: letters and digits only, "De Boer" after "De" and before "Deboer".

    A space becomes 0, the gap between last and first name 00: digits sort before letters everywhere, while databases
    differ in what they think of a space.
    """
    return "00".join(fold(part).replace(" ", "0") for part in parts if part)


def search_words(*parts: str | None) -> str:
    """Every word with a space before it, so that LIKE '% pee%' finds the beginnings of words."""
    words = " ".join(fold(part) for part in parts if part)
    return f" {words}" if words else ""


def profile_order(last_name: str, first_name: str) -> dict[str, str]:
    """The sort key and the search words of a profile."""
    return {"sort_key": sort_key(last_name, first_name), "search": search_words(last_name, first_name)}


def account_order(
    last_name: str, first_name: str, username: str | None, subdivision: str | None = None
) -> dict[str, str]:
    """The sort key and the search words of an account: those of the profile, the user name, the subdivision's name."""
    words = search_words(last_name, first_name, username, subdivision)
    return {"sort_key": sort_key(last_name, first_name), "search": words}


def as_dict(row: AnyRow) -> dict[str, Any]:
    """The row's columns by name."""
    return dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented attribute

"""The schema and its migrations: Alembic, packaged, the same on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from bot.errors import DatabaseUnavailable
from bot.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
NO_SCHEMA = "The database is empty: fill it with 'python -m bot register load FILE', or make it without a register by 'python -m bot db upgrade'."
LOCK = 7_114_208
"""The advisory lock under which one process at a time migrates a PostgreSQL database."""


def upgrade(database: Database) -> None:
    """Brings the database to the newest schema, in one transaction; two processes that start together wait for each other."""
    with database.rebuild() as connection:
        if not database.sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        command.upgrade(_config(connection), "head")


def check_newest(database: Database) -> None:
    """Raises DatabaseUnavailable, one line, where the schema is not the one of this program."""
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if found is None:
        raise DatabaseUnavailable(NO_SCHEMA)
    if found != newest:
        raise DatabaseUnavailable(
            f"The database has schema '{found}' and this program needs '{newest}': run 'python -m bot db upgrade'."
        )


def is_empty(database: Database) -> bool:
    """Whether it holds no table at all: neither this program's, of whatever schema, nor another's."""
    with database.read() as connection:
        return not inspect(connection).get_table_names()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config

"""Alembic's entrance: always on the connection and in the transaction that `schema` gives."""

from alembic import context
from bot.store import certificates, login, mail, relations, tables  # noqa: F401 - they fill the metadata
from sqlmodel import SQLModel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()

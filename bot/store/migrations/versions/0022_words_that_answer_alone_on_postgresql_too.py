"""PostgreSQL counts what frequent words find from the key alone, as SQLite does, whose table is its key

Revision ID: 0022
Revises: 0020
"""

from alembic import op


revision = '0022'
down_revision = '0020'
branch_labels = None
depends_on = None

KEY = 'entity_id, word, sort_key, account_id'
WITH_IT = 'search, status, type, quality_id, subdivision_id, username_fold'


def upgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            'ALTER TABLE account_words DROP CONSTRAINT pk_account_words,'
            f' ADD CONSTRAINT pk_account_words PRIMARY KEY ({KEY}) INCLUDE ({WITH_IT})'
        )


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

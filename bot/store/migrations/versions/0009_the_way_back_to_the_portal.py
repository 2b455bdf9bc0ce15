"""The way back to the portal: what waits there is found at once, and who confirmed it is kept

Revision ID: 0009
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes


revision = '0009'
down_revision = '0003'
branch_labels = None
depends_on = None

WAITING = "delivery = 'recorded' AND due_at IS NULL AND undone_at IS NULL"


def upgrade() -> None:
    with op.batch_alter_table('change_items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('verified_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        batch_op.add_column(sa.Column('problem', sqlmodel.sql.sqltypes.AutoString(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_change_items_verified_by'), 'identities', ['verified_by'], ['id'])
        batch_op.create_index(
            'ix_change_items_waiting',
            ['change_number', 'object_id'],
            unique=False,
            sqlite_where=sa.text(WAITING),
            postgresql_where=sa.text(WAITING),
        )


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

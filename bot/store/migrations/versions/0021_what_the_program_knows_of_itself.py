"""What one process of the program learns and others need: the bot's user name

Revision ID: 0021
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes


revision = '0021'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('facts',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('value', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_facts'))
    )


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

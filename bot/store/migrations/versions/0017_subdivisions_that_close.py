"""Subdivisions that are renamed, moved and closed in chat: a version, and a name that is free again once it is closed

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op


revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('subdivisions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
        batch_op.drop_constraint('uq_subdivisions_quality_id_name', type_='unique')
    with op.batch_alter_table('subdivisions', schema=None) as batch_op:
        batch_op.alter_column('version', server_default=None)
    op.create_index('uq_subdivisions_open', 'subdivisions', ['quality_id', 'name'], unique=True,
        sqlite_where=sa.text('closed_at IS NULL'), postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index(op.f('ix_subdivisions_quality_id'), 'subdivisions', ['quality_id'], unique=False)
    op.create_index(op.f('ix_mandates_subdivision_id'), 'mandates', ['subdivision_id'], unique=False)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

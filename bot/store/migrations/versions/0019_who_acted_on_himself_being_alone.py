"""Whether the author of a change acted on his own user, being the only one who could

Revision ID: 0019
Revises: 0017
"""

import sqlalchemy as sa
from alembic import op


revision = '0019'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('changes', sa.Column('own', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        'ix_changes_own',
        'changes',
        ['entity_id', 'recorded_at'],
        unique=False,
        sqlite_where=sa.text('own = 1'),
        postgresql_where=sa.text('own'),
    )


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

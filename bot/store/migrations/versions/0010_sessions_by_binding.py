"""Sessions are found by their binding, those that ended too

Revision ID: 0010
Revises: 0009
"""

from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('sessions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sessions_binding_id'), ['binding_id'], unique=False)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

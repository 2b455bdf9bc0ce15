"""Indexes for the lists and counts of a large entity: by quality, profession, begin, responsible and object of a change

Revision ID: 0020
Revises: 0021
"""

from alembic import op


revision = '0020'
down_revision = '0021'
branch_labels = None
depends_on = None

NEW = (
    ('accounts', ('quality_id', 'sort_key', 'id', 'status')),
    ('accounts', ('quality_id', 'profession', 'sort_key', 'id')),
    ('grants', ('active_at', 'account_id')),
    ('assignments', ('active_at', 'account_id')),
    ('assignments', ('responsible_id',)),
    ('change_items', ('object_id',)),
)


def upgrade() -> None:
    op.drop_index(op.f('ix_accounts_quality_id_status_sort_key_id'), table_name='accounts')
    for table, columns in NEW:
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns), unique=False)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

"""Who answers for whom: a collaborator and the responsible physician or pharmacist, between two days

Revision ID: 0013
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

import bot.store.types
import sqlmodel.sql.sqltypes


revision = '0013'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('responsibilities',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('responsible_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('function', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('revoked_at', bot.store.types.Instant(), nullable=True),
    sa.Column('recorded_at', bot.store.types.Instant(), nullable=False),
    sa.Column('active_at', bot.store.types.Instant(), nullable=True),
    sa.Column('change_number', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint('account_id <> responsible_id', name=op.f('ck_responsibilities_another')),
    sa.CheckConstraint('ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on', name=op.f('ck_responsibilities_ends_on_order')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_responsibilities_account_id')),
    sa.ForeignKeyConstraint(['change_number'], ['changes.number'], name=op.f('fk_responsibilities_change_number')),
    sa.ForeignKeyConstraint(['responsible_id'], ['accounts.id'], name=op.f('fk_responsibilities_responsible_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_responsibilities'))
    )
    with op.batch_alter_table('responsibilities', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_responsibilities_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_responsibilities_change_number'), ['change_number'], unique=False)
        batch_op.create_index(batch_op.f('ix_responsibilities_responsible_id'), ['responsible_id'], unique=False)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

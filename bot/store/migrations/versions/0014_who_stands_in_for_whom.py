"""Who stands in for whom: a manager's deputy in one entity, between two days

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

import bot.store.types
import sqlmodel.sql.sqltypes


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('substitutions',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('principal_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('deputy_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('entity_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('since', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.Column('revoked_at', bot.store.types.Instant(), nullable=True),
    sa.Column('recorded_at', bot.store.types.Instant(), nullable=False),
    sa.CheckConstraint('principal_id <> deputy_id', name=op.f('ck_substitutions_another')),
    sa.CheckConstraint('until IS NULL OR since IS NULL OR until >= since', name=op.f('ck_substitutions_until_order')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_substitutions_account_id')),
    sa.ForeignKeyConstraint(['deputy_id'], ['identities.id'], name=op.f('fk_substitutions_deputy_id')),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_substitutions_entity_id')),
    sa.ForeignKeyConstraint(['principal_id'], ['identities.id'], name=op.f('fk_substitutions_principal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_substitutions'))
    )
    with op.batch_alter_table('substitutions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_substitutions_deputy_id'), ['deputy_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_substitutions_entity_id'), ['entity_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_substitutions_principal_id'), ['principal_id'], unique=False)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

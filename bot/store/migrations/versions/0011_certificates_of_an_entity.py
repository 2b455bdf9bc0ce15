"""The certificates of an entity, as facts

Revision ID: 0011
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes
import bot.store.types


revision = '0011'
down_revision = '0014'
branch_labels = None
depends_on = None

OPEN = "ended_at IS NULL"


def upgrade() -> None:
    op.create_table(
        'certificates',
        sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('entity_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('issuer', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('fingerprint', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column('begins_at', bot.store.types.Instant(), nullable=False),
        sa.Column('ends_at', bot.store.types.Instant(), nullable=False),
        sa.Column('added_at', bot.store.types.Instant(), nullable=False),
        sa.Column('replaces', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
        sa.Column('ended_at', bot.store.types.Instant(), nullable=True),
        sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_certificates_entity_id')),
        sa.ForeignKeyConstraint(['replaces'], ['certificates.id'], name=op.f('fk_certificates_replaces')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_certificates')),
    )
    with op.batch_alter_table('certificates', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_certificates_entity_id'), ['entity_id'], unique=False)
        batch_op.create_index(
            'uq_certificates_kept',
            ['entity_id', 'fingerprint'],
            unique=True,
            sqlite_where=sa.text(OPEN),
            postgresql_where=sa.text(OPEN),
        )


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

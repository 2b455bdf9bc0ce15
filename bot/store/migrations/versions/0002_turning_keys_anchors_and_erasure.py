"""Turning keys, anchors of the audit trail, erasure

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes

import bot.store.types


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

COVERED = "SELECT 1 FROM audit_anchors WHERE chain = OLD.chain AND cut AND seq >= OLD.seq"
TRIGGERS = {
    "sqlite": [
        "DROP TRIGGER audit_no_delete",
        f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit_entries WHEN NOT EXISTS ({COVERED}) BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END",
    ],
    "postgresql": [
        "DROP TRIGGER audit_append_only ON audit_entries",
        f"""CREATE FUNCTION audit_cut_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'DELETE' AND EXISTS ({COVERED}) THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_cut_only()",
        "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
    ],
}


def upgrade() -> None:
    op.create_table('number_blinds',
    sa.Column('blind', bot.store.types.Blob(), nullable=False),
    sa.Column('number_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('key_version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['number_id'], ['national_numbers.id'], name=op.f('fk_number_blinds_number_id')),
    sa.PrimaryKeyConstraint('blind', name=op.f('pk_number_blinds')),
    sa.UniqueConstraint('number_id', 'key_version', name=op.f('uq_number_blinds_number_id_key_version'))
    )
    op.execute("INSERT INTO number_blinds (blind, number_id, key_version) SELECT blind, id, key_version FROM national_numbers")
    with op.batch_alter_table('national_numbers', schema=None) as batch_op:
        batch_op.drop_constraint('uq_national_numbers_blind', type_='unique')
        batch_op.drop_column('blind')
        batch_op.drop_column('key_version')

    op.create_table('kept_keys',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('wrapped', bot.store.types.Blob(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_kept_keys'))
    )
    op.create_table('retired_names',
    sa.Column('mac', bot.store.types.Blob(), nullable=False),
    sa.Column('kind', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('retired_at', bot.store.types.Instant(), nullable=False),
    sa.PrimaryKeyConstraint('mac', name=op.f('pk_retired_names'))
    )
    op.create_table('audit_anchors',
    sa.Column('chain', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('seq', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('cut', sa.Boolean(), nullable=False),
    sa.Column('at', bot.store.types.Instant(), nullable=False),
    sa.Column('mac', bot.store.types.Blob(), nullable=False),
    sa.Column('digest', bot.store.types.Blob(), nullable=False),
    sa.Column('key_version', sa.Integer(), nullable=False),
    sa.Column('signature', bot.store.types.Blob(), nullable=False),
    sa.PrimaryKeyConstraint('chain', 'seq', 'cut', name=op.f('pk_audit_anchors'))
    )
    with op.batch_alter_table('key_checks', schema=None) as batch_op:
        batch_op.add_column(sa.Column('retired_at', bot.store.types.Instant(), nullable=True))

    # SQLite makes the table anew, and Alembic does not read its checks back
    words = sa.CheckConstraint("language IN ('fr', 'nl', 'de')", name=op.f('ck_profiles_language'))
    with op.batch_alter_table('profiles', schema=None, table_args=(words,)) as batch_op:
        batch_op.add_column(sa.Column('erased_at', bot.store.types.Instant(), nullable=True))
        batch_op.drop_constraint('uq_profiles_identity_id_entity_id', type_='unique')
    op.create_index('uq_profiles_living', 'profiles', ['identity_id', 'entity_id'], unique=True,
        sqlite_where=sa.text('erased_at IS NULL'), postgresql_where=sa.text('erased_at IS NULL'))
    op.create_index(op.f('ix_profiles_identity_id'), 'profiles', ['identity_id'], unique=False)

    # what has been delivered is no longer needed, and names people
    op.get_bind().execute(sa.text("UPDATE outbox SET payload = :nothing WHERE ended_at IS NOT NULL"), {"nothing": b""})
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("a register is never taken back to an older schema; restore a backup")

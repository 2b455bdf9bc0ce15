"""The words of the users with all that a list asks of an account, and holdings with their ends in the index

Revision ID: 0016
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes


revision = '0016'
down_revision = '0011'
branch_labels = None
depends_on = None

COPIED = ('sort_key', 'search', 'status', 'type', 'quality_id', 'subdivision_id', 'username_fold')
VALUES = ', '.join('{row}.' + name for name in COPIED)
WORDS = {
    'sqlite': "SELECT DISTINCT {row}.entity_id, value, {row}.id, " + VALUES + " FROM json_each('[' || replace(json_quote(trim({row}.search)), ' ', '\",\"') || ']') WHERE value <> ''",
    'postgresql': "SELECT DISTINCT {row}.entity_id, word, {row}.id, " + VALUES + " FROM regexp_split_to_table(trim({row}.search), ' +') AS word WHERE word <> ''",
}
INTO = 'INSERT INTO account_words (entity_id, word, account_id, ' + ', '.join(COPIED) + ')'
OUT = 'DELETE FROM account_words WHERE account_id = {row}.id'
WATCHED = ', '.join(('entity_id', *COPIED))
GONE = {
    'sqlite': ('DROP TRIGGER account_words_new', 'DROP TRIGGER account_words_changed', 'DROP TRIGGER account_words_gone'),
    'postgresql': (
        'DROP TRIGGER account_words_new ON accounts',
        'DROP TRIGGER account_words_changed ON accounts',
    ),
}
TRIGGERS = {
    'sqlite': (
        f"CREATE TRIGGER account_words_new AFTER INSERT ON accounts BEGIN {INTO} {WORDS['sqlite'].format(row='NEW')}; END",
        f"CREATE TRIGGER account_words_changed AFTER UPDATE OF {WATCHED} ON accounts BEGIN {OUT.format(row='NEW')}; {INTO} {WORDS['sqlite'].format(row='NEW')}; END",
        f"CREATE TRIGGER account_words_gone BEFORE DELETE ON accounts BEGIN {OUT.format(row='OLD')}; END",
    ),
    'postgresql': (
        f"CREATE OR REPLACE FUNCTION account_words_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' THEN {OUT.format(row='NEW')}; END IF; {INTO} {WORDS['postgresql'].format(row='NEW')}; RETURN NULL; END $$",
        "CREATE TRIGGER account_words_new AFTER INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION account_words_kept()",
        f"CREATE TRIGGER account_words_changed AFTER UPDATE OF {WATCHED} ON accounts FOR EACH ROW EXECUTE FUNCTION account_words_kept()",
    ),
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in GONE[dialect]:
        op.execute(statement)
    op.drop_table('account_words')
    op.create_table('account_words',
    sa.Column('entity_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('word', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('sort_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('search', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('type', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('quality_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subdivision_id', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('username_fold', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_account_words_account_id')),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_account_words_entity_id')),
    sa.PrimaryKeyConstraint('entity_id', 'word', 'sort_key', 'account_id', name=op.f('pk_account_words')),
    sqlite_with_rowid=False,
    )
    op.create_index(op.f('ix_account_words_account_id'), 'account_words', ['account_id'], unique=False)
    for table, key in (('grants', 'application'), ('assignments', 'function')):
        op.drop_index(op.f(f'ix_{table}_{key}_account_id'), table_name=table)
        op.create_index(op.f(f'ix_{table}_{key}_account_id_ends_on_revoked_at'), table, [key, 'account_id', 'ends_on', 'revoked_at'], unique=False)
    words = WORDS[dialect].format(row='accounts').replace(' FROM ', ' FROM accounts, ', 1)
    op.execute(f'{INTO} {words}')
    for statement in TRIGGERS[dialect]:
        op.execute(statement)

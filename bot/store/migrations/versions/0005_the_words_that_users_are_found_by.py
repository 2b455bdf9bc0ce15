"""The words that users are found by, and the indexes of their list

Revision ID: 0005
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

import sqlmodel.sql.sqltypes


revision = '0005'
down_revision = '0010'
branch_labels = None
depends_on = None

WORDS = {
    'sqlite': "SELECT DISTINCT {row}.entity_id, value, {row}.id FROM json_each('[' || replace(json_quote(trim({row}.search)), ' ', '\",\"') || ']') WHERE value <> ''",
    'postgresql': "SELECT DISTINCT {row}.entity_id, word, {row}.id FROM regexp_split_to_table(trim({row}.search), ' +') AS word WHERE word <> ''",
}
INTO = 'INSERT INTO account_words (entity_id, word, account_id)'
OUT = 'DELETE FROM account_words WHERE account_id = {row}.id'
TRIGGERS = {
    'sqlite': (
        f"CREATE TRIGGER account_words_new AFTER INSERT ON accounts BEGIN {INTO} {WORDS['sqlite'].format(row='NEW')}; END",
        f"CREATE TRIGGER account_words_changed AFTER UPDATE OF search, entity_id ON accounts BEGIN {OUT.format(row='NEW')}; {INTO} {WORDS['sqlite'].format(row='NEW')}; END",
        f"CREATE TRIGGER account_words_gone BEFORE DELETE ON accounts BEGIN {OUT.format(row='OLD')}; END",
    ),
    'postgresql': (
        f"CREATE FUNCTION account_words_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF TG_OP = 'UPDATE' THEN {OUT.format(row='NEW')}; END IF; {INTO} {WORDS['postgresql'].format(row='NEW')}; RETURN NULL; END $$",
        f"CREATE FUNCTION account_words_dropped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {OUT.format(row='OLD')}; RETURN OLD; END $$",
        "CREATE TRIGGER account_words_new AFTER INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION account_words_kept()",
        "CREATE TRIGGER account_words_changed AFTER UPDATE OF search, entity_id ON accounts FOR EACH ROW EXECUTE FUNCTION account_words_kept()",
        "CREATE TRIGGER account_words_gone BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION account_words_dropped()",
    ),
}


def upgrade() -> None:
    op.create_table('account_words',
    sa.Column('entity_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('word', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('account_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_account_words_account_id')),
    sa.ForeignKeyConstraint(['entity_id'], ['entities.id'], name=op.f('fk_account_words_entity_id')),
    sa.PrimaryKeyConstraint('entity_id', 'word', 'account_id', name=op.f('pk_account_words'))
    )
    op.create_index(op.f('ix_account_words_account_id'), 'account_words', ['account_id'], unique=False)
    for columns in (['entity_id', 'status', 'sort_key', 'id'], ['entity_id', 'type', 'sort_key', 'id'], ['subdivision_id', 'sort_key', 'id']):
        op.create_index(op.f('ix_accounts_' + '_'.join(columns)), 'accounts', columns, unique=False)
    for table in ('grants', 'assignments'):
        op.create_index(op.f(f'ix_{table}_ends_on'), table, ['ends_on'], unique=False)
    dialect = op.get_bind().dialect.name
    words = WORDS[dialect].format(row='accounts').replace(' FROM ', ' FROM accounts, ', 1)
    op.execute(f'{INTO} {words}')
    for statement in TRIGGERS[dialect]:
        op.execute(statement)

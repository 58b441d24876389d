"""Data cuts, and which cut an export shows."""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('data_cut',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('study_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.Text(), nullable=False),
    sa.Column('as_of', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('link', sa.Text(), nullable=False),
    sa.Column('made_by', sa.Text(), nullable=False),
    sa.Column('made_at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['study_id'], ['study.id'], name=op.f('fk_data_cut_study_id_study')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_data_cut')),
    sa.UniqueConstraint('study_id', 'name_key', name=op.f('uq_data_cut_study_id_name_key'))
    )
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.add_column(sa.Column('cut_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f('fk_export_cut_id_data_cut'), 'data_cut', ['cut_id'], ['id'])


def downgrade() -> None:
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fk_export_cut_id_data_cut'), type_='foreignkey')
        batch_op.drop_column('cut_id')

    op.drop_table('data_cut')

"""Queries, source verification, signatures, delegation, amendments and deviations."""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('activation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('from_date', sa.Text(), nullable=False),
    sa.Column('approval', sa.Text(), nullable=False),
    sa.Column('activated_by', sa.Text(), nullable=False),
    sa.Column('activated_at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_activation_site_id_site')),
    sa.ForeignKeyConstraint(['version_id'], ['study_version.id'], name=op.f('fk_activation_version_id_study_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_activation')),
    sa.UniqueConstraint('site_id', 'version_id', name=op.f('uq_activation_site_id_version_id'))
    )
    op.create_table('amendment_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('from_version_id', sa.Integer(), nullable=False),
    sa.Column('to_version_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('moved', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('report', sa.Text(), nullable=False),
    sa.Column('started_at', sa.Text(), nullable=False),
    sa.Column('started_by', sa.Text(), nullable=False),
    sa.Column('finished_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['from_version_id'], ['study_version.id'], name=op.f('fk_amendment_run_from_version_id_study_version')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_amendment_run_site_id_site')),
    sa.ForeignKeyConstraint(['to_version_id'], ['study_version.id'], name=op.f('fk_amendment_run_to_version_id_study_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_amendment_run'))
    )
    op.create_table('delegation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('tasks', sa.Text(), nullable=False),
    sa.Column('starts_on', sa.Text(), nullable=False),
    sa.Column('ends_on', sa.Text(), nullable=True),
    sa.Column('delegated_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_delegation_site_id_site')),
    sa.ForeignKeyConstraint(['user_id'], ['app_user.id'], name=op.f('fk_delegation_user_id_app_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delegation'))
    )
    with op.batch_alter_table('delegation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delegation_site_id'), ['site_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_delegation_user_id'), ['user_id'], unique=False)

    op.create_table('monitoring_visit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('starts_on', sa.Text(), nullable=False),
    sa.Column('ends_on', sa.Text(), nullable=True),
    sa.Column('monitor_id', sa.Integer(), nullable=False),
    sa.Column('monitor_name', sa.Text(), nullable=False),
    sa.Column('present', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('actions', sa.Text(), nullable=False),
    sa.Column('report', sa.Text(), nullable=True),
    sa.Column('opened_at', sa.Text(), nullable=False),
    sa.Column('finished_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['monitor_id'], ['app_user.id'], name=op.f('fk_monitoring_visit_monitor_id_app_user')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_monitoring_visit_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_monitoring_visit'))
    )
    with op.batch_alter_table('monitoring_visit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_monitoring_visit_site_id'), ['site_id'], unique=False)

    op.create_table('sdv_plan',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('from_date', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('percent', sa.Integer(), nullable=False),
    sa.Column('seed', sa.Text(), nullable=False),
    sa.Column('exempt', sa.Text(), nullable=False),
    sa.Column('created_at', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_sdv_plan_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sdv_plan'))
    )
    with op.batch_alter_table('sdv_plan', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sdv_plan_site_id'), ['site_id'], unique=False)

    op.create_table('trail_review',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=True),
    sa.Column('from_date', sa.Text(), nullable=False),
    sa.Column('to_date', sa.Text(), nullable=False),
    sa.Column('found', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('reviewer_id', sa.Integer(), nullable=False),
    sa.Column('reviewer_name', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['reviewer_id'], ['app_user.id'], name=op.f('fk_trail_review_reviewer_id_app_user')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_trail_review_site_id_site')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_trail_review'))
    )
    op.create_table('query',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('study_event_id', sa.Integer(), nullable=True),
    sa.Column('form_id', sa.Text(), nullable=True),
    sa.Column('repeat', sa.Integer(), nullable=True),
    sa.Column('paths', sa.Text(), nullable=False),
    sa.Column('check_id', sa.Text(), nullable=True),
    sa.Column('check_key', sa.Text(), nullable=True),
    sa.Column('reason_code', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('assignee', sa.Text(), nullable=False),
    sa.Column('raised_by', sa.Text(), nullable=False),
    sa.Column('raised_by_id', sa.Integer(), nullable=True),
    sa.Column('raised_at', sa.Text(), nullable=False),
    sa.Column('answered_at', sa.Text(), nullable=True),
    sa.Column('closed_at', sa.Text(), nullable=True),
    sa.Column('reopened', sa.Integer(), nullable=False),
    sa.Column('changed_data', sa.Boolean(), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=True),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['raised_by_id'], ['app_user.id'], name=op.f('fk_query_raised_by_id_app_user')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_query_site_id_site')),
    sa.ForeignKeyConstraint(['study_event_id'], ['study_event.id'], name=op.f('fk_query_study_event_id_study_event')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_query_subject_id_subject')),
    sa.ForeignKeyConstraint(['visit_id'], ['monitoring_visit.id'], name=op.f('fk_query_visit_id_monitoring_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_query')),
    sa.UniqueConstraint('subject_id', 'check_key', name=op.f('uq_query_subject_id_check_key'))
    )
    with op.batch_alter_table('query', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_query_check_id'), ['check_id'], unique=False)
        batch_op.create_index('ix_query_event_form', ['study_event_id', 'form_id', 'repeat'], unique=False)
        batch_op.create_index('ix_query_status_site', ['status', 'site_id', 'raised_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_query_subject_id'), ['subject_id'], unique=False)

    op.create_table('deviation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('study_event_id', sa.Integer(), nullable=True),
    sa.Column('source_form_data_id', sa.Integer(), nullable=True),
    sa.Column('check_id', sa.Text(), nullable=True),
    sa.Column('check_key', sa.Text(), nullable=False),
    sa.Column('term_en', sa.Text(), nullable=False),
    sa.Column('term_zh', sa.Text(), nullable=False),
    sa.Column('occurred', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('why', sa.Text(), nullable=False),
    sa.Column('form_data_id', sa.Integer(), nullable=True),
    sa.Column('proposed_at', sa.Text(), nullable=False),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.Column('settled_at', sa.Text(), nullable=True),
    sa.Column('acknowledged_by', sa.Text(), nullable=True),
    sa.Column('acknowledged_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['form_data_id'], ['form_data.id'], name=op.f('fk_deviation_form_data_id_form_data')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_deviation_site_id_site')),
    sa.ForeignKeyConstraint(['source_form_data_id'], ['form_data.id'], name=op.f('fk_deviation_source_form_data_id_form_data')),
    sa.ForeignKeyConstraint(['study_event_id'], ['study_event.id'], name=op.f('fk_deviation_study_event_id_study_event')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_deviation_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deviation')),
    sa.UniqueConstraint('subject_id', 'check_key', name=op.f('uq_deviation_subject_id_check_key'))
    )
    with op.batch_alter_table('deviation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_deviation_site_id'), ['site_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_deviation_subject_id'), ['subject_id'], unique=False)

    op.create_table('job',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('parameters', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=True),
    sa.Column('started_at', sa.Text(), nullable=False),
    sa.Column('beat_at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['app_user.id'], name=op.f('fk_job_user_id_app_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job'))
    )
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_job_user_id'), ['user_id'], unique=False)

    op.create_table('query_message',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('query_id', sa.Integer(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.Text(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    sa.Column('role', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['by_id'], ['app_user.id'], name=op.f('fk_query_message_by_id_app_user')),
    sa.ForeignKeyConstraint(['query_id'], ['query.id'], name=op.f('fk_query_message_query_id_query')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_query_message'))
    )
    with op.batch_alter_table('query_message', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_query_message_query_id'), ['query_id'], unique=False)

    op.create_table('review',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('form_data_id', sa.Integer(), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('verified', sa.Text(), nullable=False),
    sa.Column('frozen', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['form_data_id'], ['form_data.id'], name=op.f('fk_review_form_data_id_form_data')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_review_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review')),
    sa.UniqueConstraint('form_data_id', name=op.f('uq_review_form_data_id'))
    )
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_subject_id'), ['subject_id'], unique=False)

    op.create_table('signature',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('subject_id', sa.Integer(), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('study_event_id', sa.Integer(), nullable=True),
    sa.Column('form_data_id', sa.Integer(), nullable=True),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('username', sa.Text(), nullable=False),
    sa.Column('full_name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('delegation_id', sa.Integer(), nullable=True),
    sa.Column('meaning', sa.Text(), nullable=False),
    sa.Column('meaning_en', sa.Text(), nullable=False),
    sa.Column('meaning_zh', sa.Text(), nullable=False),
    sa.Column('statement', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('signed_at', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['delegation_id'], ['delegation.id'], name=op.f('fk_signature_delegation_id_delegation')),
    sa.ForeignKeyConstraint(['form_data_id'], ['form_data.id'], name=op.f('fk_signature_form_data_id_form_data')),
    sa.ForeignKeyConstraint(['study_event_id'], ['study_event.id'], name=op.f('fk_signature_study_event_id_study_event')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_signature_subject_id_subject')),
    sa.ForeignKeyConstraint(['user_id'], ['app_user.id'], name=op.f('fk_signature_user_id_app_user')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signature'))
    )
    with op.batch_alter_table('signature', schema=None) as batch_op:
        batch_op.create_index('ix_signature_subject_level', ['subject_id', 'level'], unique=False)

    op.create_table('signed_form',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('signature_id', sa.Integer(), nullable=False),
    sa.Column('form_data_id', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('broken_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['form_data_id'], ['form_data.id'], name=op.f('fk_signed_form_form_data_id_form_data')),
    sa.ForeignKeyConstraint(['signature_id'], ['signature.id'], name=op.f('fk_signed_form_signature_id_signature')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signed_form'))
    )
    with op.batch_alter_table('signed_form', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_signed_form_form_data_id'), ['form_data_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_signed_form_signature_id'), ['signature_id'], unique=False)

    op.create_table('unlock_request',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('target_id', sa.Integer(), nullable=False),
    sa.Column('site_id', sa.Integer(), nullable=True),
    sa.Column('subject_id', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('requested_by', sa.Text(), nullable=False),
    sa.Column('requested_by_id', sa.Integer(), nullable=False),
    sa.Column('requested_at', sa.Text(), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['requested_by_id'], ['app_user.id'], name=op.f('fk_unlock_request_requested_by_id_app_user')),
    sa.ForeignKeyConstraint(['site_id'], ['site.id'], name=op.f('fk_unlock_request_site_id_site')),
    sa.ForeignKeyConstraint(['subject_id'], ['subject.id'], name=op.f('fk_unlock_request_subject_id_subject')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_unlock_request'))
    )
    with op.batch_alter_table('unlock_request', schema=None) as batch_op:
        batch_op.create_index('ix_unlock_request_scope', ['kind', 'target_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_unlock_request_site_id'), ['site_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('unlock_request', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_unlock_request_site_id'))
        batch_op.drop_index('ix_unlock_request_scope')

    op.drop_table('unlock_request')
    with op.batch_alter_table('signed_form', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_signed_form_signature_id'))
        batch_op.drop_index(batch_op.f('ix_signed_form_form_data_id'))

    op.drop_table('signed_form')
    with op.batch_alter_table('signature', schema=None) as batch_op:
        batch_op.drop_index('ix_signature_subject_level')

    op.drop_table('signature')
    with op.batch_alter_table('review', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_review_subject_id'))

    op.drop_table('review')
    with op.batch_alter_table('query_message', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_query_message_query_id'))

    op.drop_table('query_message')
    with op.batch_alter_table('deviation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_deviation_subject_id'))
        batch_op.drop_index(batch_op.f('ix_deviation_site_id'))

    op.drop_table('deviation')
    with op.batch_alter_table('query', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_query_subject_id'))
        batch_op.drop_index('ix_query_status_site')
        batch_op.drop_index('ix_query_event_form')
        batch_op.drop_index(batch_op.f('ix_query_check_id'))

    op.drop_table('query')
    op.drop_table('trail_review')
    with op.batch_alter_table('sdv_plan', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sdv_plan_site_id'))

    op.drop_table('sdv_plan')
    with op.batch_alter_table('monitoring_visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_monitoring_visit_site_id'))

    op.drop_table('monitoring_visit')
    with op.batch_alter_table('delegation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_delegation_user_id'))
        batch_op.drop_index(batch_op.f('ix_delegation_site_id'))

    op.drop_table('delegation')
    with op.batch_alter_table('job', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_job_user_id'))

    op.drop_table('job')
    op.drop_table('amendment_run')
    op.drop_table('activation')

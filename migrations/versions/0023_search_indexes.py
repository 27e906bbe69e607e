"""Index what a search compares: references without zeros, phone digits, emails, plan and NI numbers, known names.

The indexes are made CONCURRENTLY, so that users can save meanwhile. They index expressions, because a new generated
column would rewrite the table under an exclusive lock. An interrupted run leaves an invalid index, which the next run
replaces.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

REFERENCE_FORM = (
    "regexp_replace(regexp_replace(lower(client_ref), '[^a-z0-9]', '', 'g'), '(^|[a-z])0+([0-9])', '\\1\\2', 'g')"
)
PHONE_FORM = "regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^(0044|44)?0?', '')"
PLAN_FORM = "regexp_replace(lower(plan_number), '[^a-z0-9]', '', 'g')"
NI_FORM = "upper(replace(ni_number, ' ', ''))"
INDEXES = {
    "ix_clients_contact": "clients USING gin "
    f"(({REFERENCE_FORM}) gin_trgm_ops, ({PHONE_FORM}) gin_trgm_ops, (lower(email)) gin_trgm_ops)",
    "ix_people_known_as": "people USING gin ((lower(known_as)) gin_trgm_ops)",
    "ix_people_ni_number": f"people (({NI_FORM}))",
    "ix_products_plan_number": f"products USING gin (({PLAN_FORM}) gin_trgm_ops)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, definition in INDEXES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {definition}")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name in INDEXES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")

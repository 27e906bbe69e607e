"""Let a draft name the versions of 300 fields, those of the largest grid of valuations.

PostgreSQL rewrites no rows for a longer limit. A process of the previous release reads and writes the drafts as before,
but refuses to restore one that names more than 100 fields.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("edit_drafts", "seen", type_=sa.String(10_000))


def downgrade() -> None:
    op.execute("UPDATE edit_drafts SET seen = '' WHERE length(seen) > 2000")  # the conflict page asks about the fields
    op.alter_column("edit_drafts", "seen", type_=sa.String(2_000))

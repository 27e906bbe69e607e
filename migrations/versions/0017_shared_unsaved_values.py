"""Let each user choose whether colleagues who edit the same form see values before they are saved.

A process of the previous release writes no value, so the default applies.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("profiles", sa.Column("shows_unsaved", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    op.drop_column("profiles", "shows_unsaved")

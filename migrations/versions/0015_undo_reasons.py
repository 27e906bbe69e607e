"""Add the reason of an undo, which the user may enter."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("client_revisions", sa.Column("reason", sa.String(length=300), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("client_revisions", "reason")

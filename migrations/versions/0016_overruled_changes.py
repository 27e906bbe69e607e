"""Create notices for users whose saved value another user knowingly replaced or undid, until they dismiss them.

`keys` are the keys of the history in revision `version` that were theirs. The values stay in the history.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "overruled_changes",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("keys", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_overruled_changes_profile_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_overruled_changes_client_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "client_id", "version", name="pk_overruled_changes"),
    )


def downgrade() -> None:
    op.drop_table("overruled_changes")

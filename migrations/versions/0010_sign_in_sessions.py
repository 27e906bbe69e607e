"""Create sign-in sessions: one row for each signed-in browser. Deleting the row signs the browser out.

`id` is the first half of the SHA-256 of the token in the browser's cookie. A reader of this table therefore cannot sign
in, and the secret key alone does not suffice to create a cookie for a row. Every heartbeat reads a row by its primary
key. last_used_at has no index, so its update once a minute is a HOT update.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.String(length=45), server_default="", nullable=False),
        sa.Column("user_agent", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_sign_in_sessions_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_sessions"),
    )
    op.create_index("ix_sign_in_sessions_profile_id", "sign_in_sessions", ["profile_id"])


def downgrade() -> None:
    op.drop_table("sign_in_sessions")

"""Create notifications, and let each profile switch off kinds of them.

A process of the previous release adds none. A row holds ids only, and goes with its client or profile.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # First the strongest lock, on profiles: the foreign keys lock profiles and clients, and a save would deadlock.
    op.add_column(
        "profiles",
        sa.Column(
            "muted_notifications",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=True),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(length=60), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_notifications_profile_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_notifications_client_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["actor_id"], ["profiles.id"], name="fk_notifications_actor_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
    )
    op.create_index(
        "uq_notifications_unread",
        "notifications",
        ["profile_id", "kind", "client_id", "actor_id", "subject"],
        unique=True,
        postgresql_where=sa.text("read_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_notifications_profile_id_created_at", "notifications", ["profile_id", "created_at"])


def downgrade() -> None:
    op.drop_column("profiles", "muted_notifications")
    op.drop_table("notifications")

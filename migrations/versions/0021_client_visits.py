"""Create the visits of client pages: one row per profile and client, with the version that the profile has seen."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_visits",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("visited_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_client_visits_profile_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_visits_client_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("profile_id", "client_id", name="pk_client_visits"),
    )
    op.create_index("ix_client_visits_profile_id_visited_at", "client_visits", ["profile_id", "visited_at"])


def downgrade() -> None:
    op.drop_table("client_visits")

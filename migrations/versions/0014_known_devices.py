"""Create trusted devices: the browsers in which a profile has signed in.

Their number is limited, they expire, and a new password ends them. Before, the signed cookie alone was sufficient, so
a user who once knew the password could collect any number of cookies. Earlier cookies have no row; their browsers are
trusted again after the next sign-in.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_devices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column(
            "signed_in_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_known_devices_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_known_devices"),
    )
    op.create_index("ix_known_devices_profile_id", "known_devices", ["profile_id"])


def downgrade() -> None:
    op.drop_table("known_devices")

"""Add restricted clients, which only their adviser, profiles with a grant and administrators can see."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("is_restricted", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "client_grants",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_grants_client_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_client_grants_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_client_grants"),
        sa.UniqueConstraint("client_id", "profile_id", name="uq_client_grants_client_id_profile_id"),
    )


def downgrade() -> None:
    op.drop_table("client_grants")
    op.drop_column("clients", "is_restricted")

"""Create drafts: one for each profile, page and form.

Drafts must survive a crash of the database, so unlike presence the table is logged. The index serves the purge.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edit_drafts",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("page_identifier", sa.String(length=60), nullable=False),
        sa.Column("form", sa.String(length=60), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("seen", sa.String(length=2000), server_default="", nullable=False),
        sa.Column("values", JSONB(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name="fk_edit_drafts_profile_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("profile_id", "page_identifier", "form", name="pk_edit_drafts"),
    )
    op.create_index("ix_edit_drafts_updated_at", "edit_drafts", ["updated_at"])


def downgrade() -> None:
    op.drop_table("edit_drafts")

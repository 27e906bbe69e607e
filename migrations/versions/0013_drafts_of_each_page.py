"""One draft for each opening of an editor: two tabs no longer write into one, and a draft on offer stays.

A process of the release before writes rows with the empty id, by the constraint's name, which stays the same.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("edit_drafts", sa.Column("draft_id", sa.String(length=40), server_default="", nullable=False))
    op.drop_constraint("pk_edit_drafts", "edit_drafts", type_="primary")
    op.create_primary_key("pk_edit_drafts", "edit_drafts", ["profile_id", "page_identifier", "form", "draft_id"])


def downgrade() -> None:
    """Of several drafts of one form the newest stays."""
    op.execute(
        """
        DELETE FROM edit_drafts AS older USING edit_drafts AS newer
        WHERE (older.profile_id, older.page_identifier, older.form)
            = (newer.profile_id, newer.page_identifier, newer.form)
          AND (older.updated_at, older.draft_id) < (newer.updated_at, newer.draft_id)
        """
    )
    op.drop_constraint("pk_edit_drafts", "edit_drafts", type_="primary")
    op.create_primary_key("pk_edit_drafts", "edit_drafts", ["profile_id", "page_identifier", "form"])
    op.drop_column("edit_drafts", "draft_id")

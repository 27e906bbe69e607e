"""Keep one draft for each opening of an editor, so that two tabs do not write to the same one.

A process of the previous release writes rows with an empty id, by the name of the constraint, which stays the same.
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
    """Keep the newest of several drafts of one form."""
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

"""Create dated notes of a client, and their earlier texts.

The history stores that a note was added, corrected or redacted, but not its text, so that a redaction removes the text
everywhere. The partial unique index makes a repeated request of one form one note.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=5_000), server_default="", nullable=False),
        sa.Column("mentions", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("edits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("submission", sa.String(length=40), server_default="", nullable=False),
        sa.Column("redacted_by", sa.Integer(), nullable=True),
        sa.Column("redacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redaction_reason", sa.String(length=300), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('note', 'call', 'meeting', 'email')", name="kind"),
        sa.CheckConstraint("redaction_reason = '' OR text = ''", name="redacted"),
        sa.ForeignKeyConstraint(["client_id"], ["clients.id"], name="fk_client_notes_client_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["profiles.id"], name="fk_client_notes_author_id"),
        sa.ForeignKeyConstraint(["redacted_by"], ["profiles.id"], name="fk_client_notes_redacted_by"),
        sa.PrimaryKeyConstraint("id", name="pk_client_notes"),
    )
    op.create_index(
        "ix_client_notes_newest", "client_notes", ["client_id", sa.text("happened_on DESC"), sa.text("id DESC")]
    )
    op.create_index(
        "uq_client_notes_submission",
        "client_notes",
        ["client_id", "author_id", "submission"],
        unique=True,
        postgresql_where=sa.text("submission <> ''"),
    )
    op.create_table(
        "client_note_versions",
        sa.Column("note_id", sa.Integer(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=5_000), nullable=False),
        sa.Column("mentions", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["note_id"], ["client_notes.id"], name="fk_client_note_versions_note_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("note_id", "edits", name="pk_client_note_versions"),
    )


def downgrade() -> None:
    op.drop_table("client_note_versions")
    op.drop_table("client_notes")

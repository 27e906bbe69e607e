"""Create the imports that administrators upload, and their files.

A process of the previous release neither reads nor writes them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("shown_versions", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("progress", sa.String(200), server_default="", nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("warnings", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_client_imports_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_client_imports"),
        sa.UniqueConstraint("profile_id", name="uq_client_imports_profile_id"),
    )
    op.create_table(
        "client_import_files",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["client_imports.id"], name="fk_client_import_files_import_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "name", name="pk_client_import_files"),
    )


def downgrade() -> None:
    op.drop_table("client_import_files")
    op.drop_table("client_imports")

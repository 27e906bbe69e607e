"""Create the history of client records: one revision for each accepted change, without a gap.

A client's people, products and valuations share its version and history, so products lose their own version. A trigger
rejects changes of a revision, and its deletion while the client exists.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEEP_REVISIONS = """
    CREATE FUNCTION keep_client_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM clients WHERE id = OLD.client_id) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'revision % of client % is history and stays as it is', OLD.version, OLD.client_id
            USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "client_revisions",
        sa.Column("client_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("merged_with", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("decisions", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("proceeded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reverts", sa.Integer(), nullable=True),
        sa.CheckConstraint("source IN ('form', 'json', 'revert', 'import', 'cli')", name="source"),
        sa.ForeignKeyConstraint(
            ["client_id"], ["clients.id"], name="fk_client_revisions_client_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["changed_by"], ["profiles.id"], name="fk_client_revisions_changed_by"),
        sa.PrimaryKeyConstraint("client_id", "version", name="pk_client_revisions"),
    )
    op.execute(KEEP_REVISIONS)
    op.execute(
        "CREATE TRIGGER keep_client_revisions BEFORE UPDATE OR DELETE ON client_revisions"
        " FOR EACH ROW EXECUTE FUNCTION keep_client_revisions()"
    )
    op.drop_column("products", "version")


def downgrade() -> None:
    op.add_column("products", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.drop_table("client_revisions")
    op.execute("DROP FUNCTION keep_client_revisions()")

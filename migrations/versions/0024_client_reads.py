"""Create the read log: which profile has read which client in which hour.

The primary key begins with the hour, so the job deletes old rows by a range of it. Partitions would need a role that
owns the tables. Foreign keys would lock the client and the profile for each row. A trigger rejects every change of a
row, and its deletion in the first 13 months. A process of the previous release writes no rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

KEEP_READS = """
    CREATE FUNCTION keep_client_reads() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND OLD.hour < now() - interval '13 months' THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'a read of client % stays as it is for 13 months', OLD.client_id
            USING ERRCODE = 'restrict_violation';
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "client_reads",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("hour", "client_id", "profile_id", name="pk_client_reads"),
    )
    op.create_index("ix_client_reads_client_id", "client_reads", ["client_id", "hour", "profile_id"])
    op.create_index("ix_client_reads_profile_id", "client_reads", ["profile_id", "hour", "client_id"])
    op.execute(KEEP_READS)
    op.execute(
        "CREATE TRIGGER keep_client_reads BEFORE UPDATE OR DELETE ON client_reads"
        " FOR EACH ROW EXECUTE FUNCTION keep_client_reads()"
    )


def downgrade() -> None:
    op.drop_table("client_reads")
    op.execute("DROP FUNCTION keep_client_reads()")

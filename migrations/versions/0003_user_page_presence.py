"""Create the presence table.

Its shape serves the heartbeat:
- UNLOGGED: presence has no value after a crash of the database, so it is not written to the log.
- fillfactor 50 and no b-tree on a column that a heartbeat changes: every heartbeat is a HOT update, which writes to no
  index. With 70, 4 % under full load were not. The dead rows of a batch can only be pruned when every older statement
  has ended, and until then the new rows need space on the same page.
- last_seen has a BRIN index for the same reason. Since PostgreSQL 16 a BRIN index does not prevent HOT; on 15 it does.
- The index on page_identifier is created last. On an empty table all indexes cost the same, and the planner then takes
  the newest. Before PostgreSQL 18 a roster read through (user_id, page_identifier) would scan that whole index.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "user_page_presence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("page_identifier", sa.String(length=255), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tabs", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["profiles.id"], name="fk_user_page_presence_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_user_page_presence"),
        sa.UniqueConstraint("user_id", "page_identifier", name="user_page_presence_user_id_page_identifier_key"),
        postgresql_with={"fillfactor": 50},
        prefixes=["UNLOGGED"],
    )
    op.create_index("idx_user_page_presence_last_seen", "user_page_presence", ["last_seen"], postgresql_using="brin")
    op.create_index("idx_user_page_presence_user_page", "user_page_presence", ["user_id", "page_identifier"])
    op.create_index("idx_user_page_presence_page", "user_page_presence", ["page_identifier"])


def downgrade() -> None:
    op.drop_table("user_page_presence")

"""Count the clients of a hand-over in one notification.

A process of the previous release writes no value, and shows no notification without a client.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notifications", sa.Column("client_count", sa.Integer()))


def downgrade() -> None:
    op.execute("DELETE FROM notifications WHERE client_count IS NOT NULL")  # the previous release cannot show them
    op.drop_column("notifications", "client_count")

"""Let the form of a new client be sent twice and add one client.

A process of the previous release writes no value: it only imports clients.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("clients", sa.Column("added_by_form", sa.String(60), nullable=True))
    op.create_unique_constraint("uq_clients_added_by_form", "clients", ["added_by_form"])


def downgrade() -> None:
    op.drop_constraint("uq_clients_added_by_form", "clients")
    op.drop_column("clients", "added_by_form")

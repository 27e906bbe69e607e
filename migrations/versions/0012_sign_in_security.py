"""Create the tables of sign-in security: throttle, second factors, one-time codes.

- sign_in_throttle: failed attempts by account, by address and by both. All workers share it.
- second_factors: `secret` is encrypted with a key from the portal's configuration, so a copy of the database does not
  generate codes. `last_step` is the 30-second step of the last accepted code, so that none is accepted twice.
- one_time_codes: the hashes of recovery codes and of the codes for choosing a password.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_throttle",
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject", name="pk_sign_in_throttle"),
    )
    op.create_table(
        "second_factors",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.String(length=255), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_second_factors_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", name="pk_second_factors"),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=10), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('recovery', 'password')", name="purpose"),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name="fk_one_time_codes_profile_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("profile_id", "purpose", "code_hash", name="pk_one_time_codes"),
    )


def downgrade() -> None:
    op.drop_table("one_time_codes")
    op.drop_table("second_factors")
    op.drop_table("sign_in_throttle")

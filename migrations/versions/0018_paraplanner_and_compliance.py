"""Allow the roles paraplanner and compliance.

The constraint only becomes wider. A process of the previous release treats both roles as readers: it shows them no
restricted client and lets them write nothing. Give the roles to users once all processes run this release.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint(op.f("ck_profiles_role"), "profiles", type_="check")
    op.create_check_constraint(
        op.f("ck_profiles_role"), "profiles", "role IN ('adviser', 'paraplanner', 'reader', 'compliance', 'admin')"
    )


def downgrade() -> None:
    op.execute("UPDATE profiles SET role = 'reader' WHERE role IN ('paraplanner', 'compliance')")
    op.drop_constraint(op.f("ck_profiles_role"), "profiles", type_="check")
    op.create_check_constraint(op.f("ck_profiles_role"), "profiles", "role IN ('adviser', 'reader', 'admin')")

"""Define the profiles table: the people who can sign in."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Index, String, func, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model

ROLES = {
    "adviser": "Adviser",
    "paraplanner": "Paraplanner",
    "reader": "Reader",
    "compliance": "Compliance",
    "admin": "Administrator",
}
WRITING_ROLES = ("adviser", "paraplanner", "admin")
ADVISING_ROLES = ("adviser", "admin")
OVERSIGHT_ROLES = ("compliance", "admin")


class Profile(Model):
    """A person who can sign in.

    `email` is unique, ignoring case. A profile whose `password_hash` is None cannot sign in.
    """

    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint("role IN ('adviser', 'paraplanner', 'reader', 'compliance', 'admin')", name="role"),
        Index("uq_profiles_lower_email", text("lower(email)"), unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_active: Mapped[bool] = mapped_column(server_default=true())
    session_epoch: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Whether colleagues who edit the same form see what this profile has typed and not saved.
    shows_unsaved: Mapped[bool] = mapped_column(server_default=true())
    # Whether keys without Ctrl or Alt are commands, such as "e" (WCAG 2.1.4).
    has_single_keys: Mapped[bool] = mapped_column(server_default=true())
    # The kinds of notification that this profile does not want (portal/notifications/kinds.py).
    muted_notifications: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def names(self) -> tuple[str, str, str]:
        """Return the words that a password of this profile must not consist of."""
        return (self.first_name, self.last_name, self.email)

    @property
    def initials(self) -> str:
        return (self.first_name[:1] + self.last_name[:1]).upper()

    @property
    def may_write(self) -> bool:
        """Return whether the profile may change the client records that it sees."""
        return self.role in WRITING_ROLES

    @property
    def may_advise(self) -> bool:
        """Return whether the profile may be a client's adviser, who also restricts the client and grants access."""
        return self.role in ADVISING_ROLES

    @property
    def has_oversight(self) -> bool:
        """Return whether the profile sees all clients, also restricted ones, and the audit log."""
        return self.role in OVERSIGHT_ROLES

    # Flask-Login's user interface. Its user id is the id of the sign-in session, see portal.web.session_cookie.
    is_authenticated = True
    is_anonymous = False

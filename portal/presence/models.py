"""The model of the presence table, for migrations and tests. The portal itself uses SQL (sql.py)."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, String, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.extensions import Model


class UserPagePresence(Model):
    """One profile on one page, with all its tabs. Migration 0003 gives the reasons for the table's shape."""

    __tablename__ = "user_page_presence"
    __table_args__ = (
        UniqueConstraint("user_id", "page_identifier", name="user_page_presence_user_id_page_identifier_key"),
        Index("idx_user_page_presence_last_seen", "last_seen", postgresql_using="brin"),
        Index("idx_user_page_presence_page", "page_identifier"),
        Index("idx_user_page_presence_user_page", "user_id", "page_identifier"),
        {"prefixes": ["UNLOGGED"], "postgresql_with": {"fillfactor": 50}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("profiles.id", ondelete="CASCADE"))
    page_identifier: Mapped[str] = mapped_column(String(255))
    last_seen: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    entered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    tabs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))

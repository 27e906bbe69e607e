"""Let time pass for presence rows by moving them into the past, because only the database's clock counts."""

from sqlalchemy import text

from portal.auth import Profile
from portal.extensions import db

SHIFT = """
    UPDATE user_page_presence
    SET last_seen = last_seen - make_interval(secs => :seconds),
        entered_at = entered_at - make_interval(secs => :seconds),
        tabs = (SELECT jsonb_object_agg(id, tab || jsonb_build_object('at', (tab ->> 'at')::float8 - :seconds))
                FROM jsonb_each(tabs) AS old (id, tab))
    WHERE cast(:profile_id AS int) IS NULL OR user_id = :profile_id
"""


def let_pass(seconds: float, *, silent: Profile | None = None) -> None:
    """Let no user, or only the `silent` one, have sent a heartbeat for `seconds`. Commits."""
    profile_id = silent.id if silent else None
    db.session.execute(text(SHIFT), {"seconds": seconds, "profile_id": profile_id})
    db.session.commit()


def rows() -> list[tuple[int, str]]:
    """Return (user_id, page_identifier) of every row."""
    found = db.session.execute(text("SELECT user_id, page_identifier FROM user_page_presence ORDER BY 1, 2")).all()
    return [(row.user_id, row.page_identifier) for row in found]


def tab_ids() -> list[str]:
    """Return the ids of all tabs in the table."""
    query = text("SELECT DISTINCT jsonb_object_keys(tabs) AS tab_id FROM user_page_presence ORDER BY 1")
    return list(db.session.scalars(query))

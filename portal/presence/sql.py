"""The SQL of presence as text, each statement with the reason for its shape.

In all statements `page` is the requested page. `caller` is the requesting profile, and empty when its sign-in session
has ended. A statement that changes what other users see also notifies the page (live/publish.py).

beat_sql.py has the statement for heartbeats, live_sql.py those for event streams and nudges.
"""

from portal import page_kinds
from portal.auth.sessions.store import ACTIVE_SESSION_SQL
from portal.live.notifications import ROSTER
from portal.live.publish import notify_sql
from portal.presence.tab_sql import is_live

PREPARED_ROSTERS = "presence_rosters"
PREPARED_LEAVE = "presence_leave"
PREPARED_CLEAR = "presence_clear"


def caller(profile_id: str, session_id: str) -> str:
    """Select the profile's row if its sign-in session is valid, and no row otherwise.

    The arguments are SQL expressions, in the order of Identity. The result is part of each statement and never a query
    of its own. It costs one index look-up, 2 µs of a heartbeat's 250 under EXPLAIN (ANALYZE).
    """
    return f"""SELECT profiles.id, profiles.role
        FROM sign_in_sessions JOIN profiles ON profiles.id = sign_in_sessions.profile_id
        WHERE profiles.id = {profile_id} AND sign_in_sessions.id = {session_id} AND {ACTIVE_SESSION_SQL}"""


CALLER = caller("$1", "$2")


def viewers(present: str) -> str:
    """Select the roster of each page of the CTE `present`: its viewers as arrays, newest heartbeat first.

    Whether a viewer may edit is the present permission of the profile, and no part of the stored tabs.
    """
    return f"""
    SELECT page_identifier AS identifier, json_agg(json_build_array(
        caller.id, first_name, last_name, email, last_seen, entered_at,
        extract(epoch FROM now() - last_seen), {editable()}, tabs) ORDER BY last_seen DESC) AS roster
    FROM {present} JOIN profiles caller ON caller.id = user_id,
        LATERAL (SELECT split_part(page_identifier, '-', 1) AS kind, split_part(page_identifier, '-', 2)::int AS number)
        page
    GROUP BY page_identifier"""


def rosters() -> str:
    """PREPARE reading the rosters of several pages.

    Parameters: profile id, session id, page identifiers, page kinds, page numbers, active window in seconds.
    Returns one row: is the caller signed in, the database's time, {page identifier: roster} of the pages that the
    caller may see, with null for an empty roster.
    """
    return f"""
    PREPARE {PREPARED_ROSTERS} (int, uuid, text[], text[], int[], float8) AS
    WITH caller AS ({CALLER}),
    allowed AS (
        SELECT page.identifier FROM caller, unnest($3, $4, $5) AS page (identifier, kind, number) WHERE {visible()}
    ),
    present AS (
        SELECT * FROM user_page_presence
        WHERE page_identifier = ANY (ARRAY(SELECT identifier FROM allowed))
          AND {is_present("$6")}
    ),
    rosters AS ({viewers("present")})
    SELECT EXISTS (SELECT FROM caller), extract(epoch FROM now())::float8,
           (SELECT coalesce(json_object_agg(identifier, roster), '{{}}')
            FROM allowed LEFT JOIN rosters USING (identifier))
    """


def leave() -> str:
    """PREPARE leaving a page with one tab or all tabs of the caller.

    Parameters: profile id, session id, page identifier, page kind, page number, tab id (NULL: all tabs), active window
    in seconds. Returns one row: is the caller signed in, may it see the page, how many pages were notified. The
    caller's row is changed without the permission, too.
    """
    return f"""
    PREPARE {PREPARED_LEAVE} (int, uuid, text, text, int, text, float8) AS
    WITH caller AS ({CALLER}),
    page AS (SELECT $3 AS identifier, $4 AS kind, $5 AS number),
    allowed AS (SELECT caller.id FROM caller, page WHERE {visible()}),
    {without_tab("(SELECT id FROM caller)", "$3", "$6", "$7")}
    SELECT EXISTS (SELECT FROM caller), EXISTS (SELECT FROM allowed), {notified_count("removed")}
    """


def clear() -> str:
    """PREPARE removing the caller from every page.

    Parameters: profile id, session id. Returns one row: is the caller signed in, how many pages were notified.
    """
    return f"""
    PREPARE {PREPARED_CLEAR} (int, uuid) AS
    WITH caller AS ({CALLER}),
    deleted AS (DELETE FROM user_page_presence WHERE user_id = (SELECT id FROM caller) RETURNING page_identifier)
    SELECT EXISTS (SELECT FROM caller), {notified_count("deleted")}
    """


# Notifies no page: a stale row left every roster when its active window ended.
CLEAN_UP = "DELETE FROM user_page_presence WHERE last_seen < now() - make_interval(secs => :stale_seconds)"
CLEAR_PROFILE = "DELETE FROM user_page_presence WHERE user_id = :profile_id RETURNING page_identifier"
PAGES_OF_PROFILE = "SELECT page_identifier FROM user_page_presence WHERE user_id = :profile_id"
CLEAR_ALL = "DELETE FROM user_page_presence"
CLEAR_PAGE = "DELETE FROM user_page_presence WHERE page_identifier = :page_identifier RETURNING page_identifier"


def evict() -> str:
    """Delete the rows of profiles that may no longer see a page. Parameters: page_identifier, kind, number."""
    return f"""
    DELETE FROM user_page_presence p
    USING profiles caller, (SELECT :kind AS kind, CAST(:number AS int) AS number) page
    WHERE p.page_identifier = :page_identifier AND caller.id = p.user_id AND NOT {visible()}
    """


LIST = """
    SELECT page_identifier, email, floor(extract(epoch FROM now() - last_seen))::int AS seconds_ago,
           (SELECT count(*) FROM jsonb_object_keys(tabs)) AS tab_count,
           last_seen > now() - make_interval(secs => :active_window_seconds) AS is_active
    FROM user_page_presence JOIN profiles ON profiles.id = user_id
    WHERE cast(:page_identifier AS text) IS NULL OR page_identifier = :page_identifier
    ORDER BY page_identifier, last_seen DESC
"""


def visible() -> str:
    """Return the condition that `caller` may see `page`, by the page's kind; false for an unknown kind."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.visible_sql}" for kind in page_kinds.kinds())
    return f"CASE page.kind {cases} ELSE false END" if cases else "false"


def editable() -> str:
    """Return the condition that `caller` may change the record of `page`; false for an unknown kind."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.editable_sql}" for kind in page_kinds.kinds())
    return f"CASE page.kind {cases} ELSE false END" if cases else "false"


def version() -> str:
    """Return the expression for the version of the page's record, by the page's kind."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.version_sql}" for kind in page_kinds.kinds() if kind.version_sql)
    return f"CASE page.kind {cases} END" if cases else "NULL::int"


def is_present(window: str) -> str:
    """Return the condition that a row is within the active window, in a form that cannot use last_seen's BRIN index.

    The index on the page finds a few rows. Adding the BRIN index to that scan reads more as the table grows: 187 µs a
    heartbeat instead of 134 at 100,000 rows.
    """
    return f"now() - last_seen < make_interval(secs => {window})"


def without_tab(user_id: str, page_identifier: str, tab_id: str, window: str, condition: str = "true") -> str:
    """Return CTEs that remove a tab (NULL: all tabs) from a row, or the row with its last live tab.

    The last CTE, `removed`, contains the page if anything was removed. After waiting for another tab's heartbeat,
    PostgreSQL checks the DELETE's condition again on the newest row. A leaving tab therefore never removes a tab that
    has just sent a heartbeat.
    """
    return f"""
    deleted AS (
        DELETE FROM user_page_presence
        WHERE user_id = {user_id} AND page_identifier = {page_identifier} AND {condition}
          AND ({tab_id} IS NULL OR NOT EXISTS (
            SELECT FROM jsonb_each(tabs) AS other (id, tab)
            WHERE other.id <> {tab_id} AND {is_live("tab", window)}))
        RETURNING page_identifier
    ),
    reduced AS (
        UPDATE user_page_presence SET tabs = tabs - {tab_id}
        WHERE user_id = {user_id} AND page_identifier = {page_identifier} AND {condition}
          AND tabs ? {tab_id} AND NOT EXISTS (SELECT FROM deleted)
        RETURNING page_identifier
    ),
    removed AS (SELECT * FROM deleted UNION ALL SELECT * FROM reduced)"""


def notified_count(changed: str) -> str:
    """Return a scalar that notifies each page of the CTE `changed` and counts them."""
    return f"(SELECT count({notify_sql(ROSTER, 'page_identifier')}) FROM {changed})::int"

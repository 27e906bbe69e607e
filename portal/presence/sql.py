"""The SQL of presence, as text. Why each statement has its shape stands beside it; store.py runs them.

`page` is the page asked for, `caller` the profile that asks, empty unless its sign-in session still holds.
The seconds of the active and the stale window arrive as parameters named in each statement. What changes who others
see rings the page in the same statement (live/publish.py); what changes nothing rings nobody. The statements of the
live stream are in live_statements.py.
"""

from portal import page_kinds
from portal.live.notifications import ROSTER
from portal.live.publish import notify_sql
from portal.presence.tab_sql import NOW, bounded, looking_on, new_tab, other_tabs, same_tab

PREPARED_BEATS = "presence_beats"
PREPARED_ROSTERS = "presence_rosters"
PREPARED_LEAVE = "presence_leave"
PREPARED_CLEAR = "presence_clear"


def caller(profile_id: str, session_id: str) -> str:
    """The one place that knows in SQL whether a sign-in session holds: the profile's row, or none.

    As auth/sessions/store.py has it: profile active, session there and not over. The check rides in every statement,
    it is never a query of its own: one more index look-up, by the session's key or among the profile's at most twenty,
    2 µs of a beat's 250 under EXPLAIN (ANALYZE). The arguments are SQL, ordered as in Identity.
    """
    return f"""SELECT profiles.id, profiles.role FROM sign_in_sessions session JOIN profiles
        ON profiles.id = session.profile_id AND profiles.session_epoch = session.session_epoch
        AND profiles.is_active AND session.ends_at > now()
        WHERE profiles.id = {profile_id} AND session.id = {session_id}"""


CALLER = caller("$1", "$2")

VIEWERS = """
    SELECT page_identifier AS identifier, json_agg(json_build_array(
        profiles.id, first_name, last_name, email, last_seen, entered_at,
        extract(epoch FROM now() - last_seen), tabs) ORDER BY last_seen DESC) AS roster
    FROM {present} JOIN profiles ON profiles.id = user_id
    GROUP BY page_identifier"""


def beats() -> str:
    """PREPARE a round of beats: check each caller and page, put the tabs in, return the rosters.

    Parameters, arrays but for the last: profile ids, session ids, page identifiers, page kinds, page numbers,
    tab ids, the tabs as JSON without their times, active window in seconds. A profile may be on a page once only.
    One row a beat, in their order: is the caller signed in, may it see the page, the database's time, the roster, the
    record's version (NULL for records without one), how many pages the round has rung. The version is looked up last,
    where may_see is known: nobody learns it of a page that is not theirs. It costs a second index look-up, 2 µs of 280
    under EXPLAIN (ANALYZE).

    UPDATE comes first and INSERT only where it found nothing: INSERT … ON CONFLICT draws a number from the id's
    sequence at every beat and would use up 2³¹ of them in a year of 70 beats a second. The INSERT still says
    ON CONFLICT for two first beats at once. A statement does not see its own writes, so rosters take the rows of
    this round from RETURNING and the others' from the table.

    A beat is news when what its tab says differs from what it said before. The UPDATE decides that on the row as it
    holds it locked, so also after waiting for another tab's beat, and notes it as the tab's `since`: since this very
    moment means news. Comparing with a row read beside it would cost a look-up and miss a race.

    What a tab may say is decided before it is compared: of somebody who may not edit the record only that it is there,
    of anybody no more than fits. What is too much is left out, not refused: a beat that fails would take its whole
    round with it.

    The UPDATE names the users a second time for the planner's sake. A plan made while the table is empty, as at every
    start in the morning, may take the table for the outer side of the join: it then walked all of it, 900 µs a beat
    with 2,000 rows instead of 45. An array is an index condition whichever side is outer.
    """
    return f"""
    PREPARE {PREPARED_BEATS} (int[], uuid[], text[], text[], int[], text[], jsonb[], float8) AS
    WITH sent AS MATERIALIZED (
        SELECT place, caller.id AS user_id, page.identifier, kind, number, caller.id IS NOT NULL AS is_signed_in,
               caller.id IS NOT NULL AND {visible()} AS may_see, tab_id,
               CASE WHEN {editable()} THEN {bounded("tab")} ELSE {looking_on("tab")} END AS tab
        FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
             AS page (profile_id, session_id, identifier, kind, number, tab_id, tab, place)
        LEFT JOIN LATERAL ({caller("page.profile_id", "page.session_id")}) caller ON true
    ),
    beaten AS (
        UPDATE user_page_presence p
        SET last_seen = now(),
            entered_at = CASE WHEN p.last_seen > now() - make_interval(secs => $8) THEN p.entered_at ELSE now() END,
            tabs = {other_tabs("p.tabs", "sent.tab_id", "sent.tab", "$8")}
                || jsonb_build_object(sent.tab_id, {same_tab("(p.tabs -> sent.tab_id)", "sent.tab", "$8")})
        FROM sent
        WHERE sent.may_see AND p.user_id = sent.user_id AND p.page_identifier = sent.identifier
          AND p.user_id = ANY (ARRAY(SELECT user_id FROM sent WHERE may_see))
        RETURNING p.user_id, p.page_identifier, p.last_seen, p.entered_at, p.tabs,
                  p.tabs -> sent.tab_id -> 'since' = to_jsonb({NOW}) AS is_news
    ),
    entered AS (
        INSERT INTO user_page_presence AS p (user_id, page_identifier, last_seen, entered_at, tabs)
        SELECT user_id, identifier, now(), now(), jsonb_build_object(tab_id, {new_tab("tab")})
        FROM sent WHERE may_see AND NOT EXISTS (
            SELECT FROM beaten WHERE beaten.user_id = sent.user_id AND beaten.page_identifier = sent.identifier)
        ON CONFLICT (user_id, page_identifier) DO UPDATE SET last_seen = now(), tabs = p.tabs || excluded.tabs
        RETURNING p.user_id, p.page_identifier, p.last_seen, p.entered_at, p.tabs, true AS is_news
    ),
    mine AS (SELECT * FROM beaten UNION ALL SELECT * FROM entered),
    news AS (SELECT DISTINCT page_identifier FROM mine WHERE is_news),
    present AS (
        SELECT user_id, page_identifier, last_seen, entered_at, tabs FROM mine UNION ALL
        SELECT user_id, page_identifier, last_seen, entered_at, tabs FROM user_page_presence p
        WHERE page_identifier = ANY (ARRAY(SELECT identifier FROM sent WHERE may_see))
          AND {beaten_within("$8")}
          AND NOT EXISTS (
              SELECT FROM mine WHERE mine.user_id = p.user_id AND mine.page_identifier = p.page_identifier)
    ),
    rosters AS ({VIEWERS.format(present="present")})
    SELECT is_signed_in, may_see, {NOW}::float8, rosters.roster,
           CASE WHEN may_see THEN {version()} END,
           (SELECT count({notify_sql(ROSTER, "page_identifier")}) FROM news)::int
    FROM sent page LEFT JOIN rosters ON page.may_see AND rosters.identifier = page.identifier ORDER BY place
    """


def rosters() -> str:
    """PREPARE reading the rosters of up to a list's worth of pages.

    Parameters: profile id, session id, page identifiers, page kinds, page numbers, active window in seconds.
    One row: is the caller signed in, the database's time, and {page identifier: roster} of the pages that the
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
          AND {beaten_within("$6")}
    ),
    rosters AS ({VIEWERS.format(present="present")})
    SELECT EXISTS (SELECT FROM caller), extract(epoch FROM now())::float8,
           (SELECT coalesce(json_object_agg(identifier, roster), '{{}}')
            FROM allowed LEFT JOIN rosters USING (identifier))
    """


def leave() -> str:
    """PREPARE leaving: take one tab out, or all of the caller's; the row goes with its last live tab.

    Parameters: profile id, session id, page identifier, page kind, page number, tab id (NULL: all tabs), active
    window in seconds. One row: is the caller signed in, may it see the page, how many pages were rung. Its own row
    goes either way.
    """
    return f"""
    PREPARE {PREPARED_LEAVE} (int, uuid, text, text, int, text, float8) AS
    WITH caller AS ({CALLER}),
    page AS (SELECT $3 AS identifier, $4 AS kind, $5 AS number),
    allowed AS (SELECT caller.id FROM caller, page WHERE {visible()}),
    {without_tab("(SELECT id FROM caller)", "$3", "$6", "$7")}
    SELECT EXISTS (SELECT FROM caller), EXISTS (SELECT FROM allowed), {notified_count("taken_out")}
    """


def clear() -> str:
    """PREPARE taking the caller off every page.

    Parameters: profile id, session id. One row: is it signed in, how many pages were rung.
    """
    return f"""
    PREPARE {PREPARED_CLEAR} (int, uuid) AS
    WITH caller AS ({CALLER}),
    gone AS (DELETE FROM user_page_presence WHERE user_id = (SELECT id FROM caller) RETURNING page_identifier)
    SELECT EXISTS (SELECT FROM caller), {notified_count("gone")}
    """


# Stale rows have been off every roster since the active window ran out: deleting them is no news, and rings nobody.
CLEAN_UP = "DELETE FROM user_page_presence WHERE last_seen < now() - make_interval(secs => :stale_seconds)"
CLEAR_PROFILE = "DELETE FROM user_page_presence WHERE user_id = :profile_id RETURNING page_identifier"
CLEAR_ALL = "DELETE FROM user_page_presence"
CLEAR_PAGE = "DELETE FROM user_page_presence WHERE page_identifier = :page_identifier RETURNING page_identifier"


def evict() -> str:
    """Take off a page whoever may not see it any more. Parameters: page_identifier, kind, number."""
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
    """The page's permission by its kind; an unknown kind is visible to nobody."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.visible_sql}" for kind in page_kinds.kinds())
    return f"CASE page.kind {cases} ELSE false END" if cases else "false"


def editable() -> str:
    """The permission to change the page's record by its kind; an unknown kind is for nobody to change."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.editable_sql}" for kind in page_kinds.kinds())
    return f"CASE page.kind {cases} ELSE false END" if cases else "false"


def version() -> str:
    """The record's version by the page's kind."""
    cases = " ".join(f"WHEN '{kind.name}' THEN {kind.version_sql}" for kind in page_kinds.kinds() if kind.version_sql)
    return f"CASE page.kind {cases} END" if cases else "NULL::int"


def beaten_within(window: str) -> str:
    """The rows of the active window, written so that last_seen's BRIN index is left out of it.

    The page's own index finds a handful of rows; adding the BRIN index to that scan reads ever more as the table grows
    (187 µs a beat instead of 134 at 100,000 rows).
    """
    return f"now() - last_seen < make_interval(secs => {window})"


def without_tab(user_id: str, page_identifier: str, tab_id: str, window: str, condition: str = "true") -> str:
    """CTEs that take a tab out of a row, `taken_out` with the page it was on; the row goes with its last live tab.

    A NULL for the tab is all of them. PostgreSQL checks the DELETE's condition again on the newest row after waiting
    for another tab's beat, so a leaving tab never evicts one that has just beaten.
    """
    return f"""
    gone AS (
        DELETE FROM user_page_presence
        WHERE user_id = {user_id} AND page_identifier = {page_identifier} AND {condition}
          AND ({tab_id} IS NULL OR NOT EXISTS (
            SELECT FROM jsonb_each(tabs) AS other (id, tab)
            WHERE other.id <> {tab_id} AND (tab ->> 'at')::float8 > {NOW} - {window}))
        RETURNING page_identifier
    ),
    kept AS (
        UPDATE user_page_presence SET tabs = tabs - {tab_id}
        WHERE user_id = {user_id} AND page_identifier = {page_identifier} AND {condition}
          AND tabs ? {tab_id} AND NOT EXISTS (SELECT FROM gone)
        RETURNING page_identifier
    ),
    taken_out AS (SELECT * FROM gone UNION ALL SELECT * FROM kept)"""


def notified_count(changed: str) -> str:
    """A scalar that rings each page of the CTE `changed` and says how many there were."""
    return f"(SELECT count({notify_sql(ROSTER, 'page_identifier')}) FROM {changed})::int"

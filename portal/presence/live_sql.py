"""The SQL that the live stream adds to presence, as text; live_source.py and store.py run it."""

from portal.live.notifications import NUDGE
from portal.live.publish import notify_sql
from portal.presence.sql import CALLER, VIEWERS, beaten_within, caller, notified_count, version, visible, without_tab
from portal.presence.tab_sql import NOW

PREPARED_PAGES = "presence_pages"
PREPARED_DISCONNECTED = "presence_vanished"
PREPARED_NUDGE = "presence_nudge"


def pages_read() -> str:
    """PREPARE reading pages for the streams of a process: their rosters, and who of those that listen still may.

    Parameters, arrays but for the last: page identifiers, page kinds, page numbers; then of each stream profile id,
    session id and the place of its page among the first, from 1; active window in seconds. One row: the database's
    time, [is the caller signed in, may it see the page] of each stream in order, {page identifier: [roster, version]}.

    One statement for all that is due, so that a permission is never older than what it lets through.
    """
    return f"""
    PREPARE {PREPARED_PAGES} (text[], text[], int[], int[], uuid[], int[], float8) AS
    WITH page AS MATERIALIZED (
        SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS page (identifier, kind, number, place)
    ),
    stream AS (
        SELECT held.place, caller.id IS NOT NULL AS is_signed_in, caller.id IS NOT NULL AND {visible()} AS may_see
        FROM unnest($4, $5, $6) WITH ORDINALITY AS held (profile_id, session_id, page_place, place)
        JOIN page ON page.place = held.page_place
        LEFT JOIN LATERAL ({caller("held.profile_id", "held.session_id")}) caller ON true
    ),
    present AS (
        SELECT * FROM user_page_presence
        WHERE page_identifier = ANY ($1) AND {beaten_within("$7")}
    ),
    rosters AS ({VIEWERS.format(present="present")})
    SELECT {NOW}::float8,
           (SELECT json_agg(json_build_array(is_signed_in, may_see) ORDER BY place) FROM stream),
           (SELECT json_object_agg(page.identifier, json_build_array(rosters.roster, {version()}))
            FROM page LEFT JOIN rosters ON rosters.identifier = page.identifier)
    """


def disconnected() -> str:
    """PREPARE taking out a tab whose connection has broken without a word.

    Parameters: profile id, page identifier, tab id, which of the tab's streams broke, seconds since it did, active
    window in seconds. One row: how many pages were rung.

    Not a tab that has beaten since, nor one whose beats speak of a later stream, which another process may have: a
    cable that is changed for another is noticed here half a minute after the browser has come back over there. Nor one
    that had said that it is hidden, for such a tab closes its stream itself; unless it waits, for then it keeps it. The
    seconds are a difference on the process's own clock, so that the database's stays the only one that is compared.
    """
    silent = f"""(tabs -> $3 ->> 'at')::float8 < {NOW} - $5 AND coalesce((tabs -> $3 ->> 'stream')::int, 0) <= $4
          AND ((tabs -> $3 ->> 'visible')::boolean OR tabs -> $3 ? 'waiting')"""
    return f"""
    PREPARE {PREPARED_DISCONNECTED} (int, text, text, int, float8, float8) AS
    WITH {without_tab("$1", "$2", "$3", "$6", silent)}
    SELECT {notified_count("taken_out")}
    """


def nudge() -> str:
    """PREPARE asking the others on a page to finish.

    Parameters: profile id, session id, page identifier, page kind, page number, tab id, active window in seconds,
    the least seconds between two such calls. One row: is the caller signed in, may it see the page, does its tab wait
    there, in how many seconds it may ask again (0 where it has asked by this), how many pages were rung.

    The limit is the UPDATE's own condition, checked again on the row as the last caller left it, so of two calls at
    once one gets through; it is the profile's on the page, whichever of its tabs asked last.
    """
    last_asked = """(SELECT coalesce(max((tab ->> 'asked_at')::float8), 0) FROM jsonb_each(tabs) AS each (id, tab))"""
    return f"""
    PREPARE {PREPARED_NUDGE} (int, uuid, text, text, int, text, float8, float8) AS
    WITH caller AS ({CALLER}),
    page AS (SELECT $3 AS identifier, $4 AS kind, $5 AS number),
    allowed AS (SELECT caller.id FROM caller, page WHERE {visible()}),
    waiting AS (
        SELECT {last_asked} AS last_asked FROM user_page_presence
        WHERE user_id = (SELECT id FROM allowed) AND page_identifier = $3 AND tabs -> $6 ? 'waiting'
          AND {beaten_within("$7")}
    ),
    asked AS (
        UPDATE user_page_presence SET tabs = jsonb_set(tabs, ARRAY[$6, 'asked_at'], to_jsonb({NOW}))
        WHERE user_id = (SELECT id FROM allowed) AND page_identifier = $3 AND tabs -> $6 ? 'waiting'
          AND {beaten_within("$7")} AND {last_asked} <= {NOW} - $8
        RETURNING user_id, page_identifier
    )
    SELECT EXISTS (SELECT FROM caller), EXISTS (SELECT FROM allowed), EXISTS (SELECT FROM waiting),
           CASE WHEN EXISTS (SELECT FROM asked) THEN 0
                ELSE (SELECT least($8, greatest(1, last_asked + $8 - {NOW})) FROM waiting) END::float8,
           (SELECT count({notify_sql(NUDGE, "page_identifier", profile="user_id")}) FROM asked)::int
    """

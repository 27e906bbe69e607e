"""The SQL of presence for event streams and nudges, as text."""

from portal.live.notifications import NUDGE
from portal.live.publish import notify_sql
from portal.notifications.unread_sql import unread_count_sql
from portal.notifications.waiting_sql import notified_editors, notified_editors_count
from portal.presence.shared_drafts_sql import opened_of, shared_drafts, shared_of
from portal.presence.sql import (
    CALLER,
    caller,
    editable,
    is_present,
    notified_count,
    version,
    viewers,
    visible,
    without_tab,
)
from portal.presence.tab_sql import NOW, is_live

PREPARED_PAGES = "presence_pages"
PREPARED_DISCONNECTED = "presence_disconnected"
PREPARED_NUDGE = "presence_nudge"


def pages_read() -> str:
    """PREPARE reading for the streams of a process: rosters, unread notifications, the authorisation of each stream.

    Parameters, arrays except the active window: page identifiers, page kinds, page numbers; then for each check of a
    stream profile id, session id, kind and number of the page that it wants to see (NULL: only its notifications);
    active window in seconds; identifiers of the pages whose shared drafts are read; ids of the profiles whose unread
    notifications are counted. Returns one row: the database's time; [is the caller signed in, may it see the page, may
    it change the record] of each check in order; {page identifier: [roster, version, open editors, shared drafts]};
    {profile id: unread notifications}.

    All that is due is read in one statement, so a permission is never older than the content that it admits. A stream
    receives shared drafts if its caller may change the record and has an editor open.
    """
    return f"""
    PREPARE {PREPARED_PAGES} (text[], text[], int[], int[], uuid[], text[], int[], float8, text[], int[]) AS
    WITH page AS MATERIALIZED (
        SELECT * FROM unnest($1, $2, $3) WITH ORDINALITY AS page (identifier, kind, number, place)
    ),
    stream AS (
        SELECT page.place, caller.id IS NOT NULL AS is_signed_in,
               caller.id IS NOT NULL AND (page.kind IS NULL OR {visible()}) AS may_see,
               caller.id IS NOT NULL AND {editable()} AS may_edit
        FROM unnest($4, $5, $6, $7) WITH ORDINALITY AS page (profile_id, session_id, kind, number, place)
        LEFT JOIN LATERAL ({caller("page.profile_id", "page.session_id")}) caller ON true
    ),
    present AS (
        SELECT * FROM user_page_presence
        WHERE page_identifier = ANY ($1) AND {is_present("$8")}
    ),
    rosters AS ({viewers("present")}),
    edited AS (SELECT identifier, kind, number FROM page WHERE identifier = ANY ($9)),
    {shared_drafts("present", "edited", "$8")}
    SELECT {NOW}::float8,
           (SELECT json_agg(json_build_array(is_signed_in, may_see, may_edit) ORDER BY place) FROM stream),
           (SELECT json_object_agg(page.identifier, json_build_array(
                rosters.roster, {version()}, {opened_of("page.identifier")}, {shared_of("page.identifier")}))
            FROM page LEFT JOIN rosters ON rosters.identifier = page.identifier),
           (SELECT json_object_agg(owner.id, {unread_count_sql("owner.id")}) FROM unnest($10) AS owner (id))
    """


def disconnected() -> str:
    """PREPARE removing a tab whose connection broke and that has not left.

    Parameters: profile id, page identifier, tab id, the number of the broken stream, seconds since it broke, active
    window in seconds. Returns one row: how many pages were notified.

    The tab stays in three cases. It has sent a heartbeat since the break. Its heartbeats name a later stream, which may
    be in another process: a changed network is noticed here up to half a minute after the browser has reconnected. Or
    it was hidden and not waiting, because such a tab closes its stream itself.

    The process measures the seconds as a difference on its own clock, so only the database's clock is compared.
    """
    is_silent = f"""(tabs -> $3 ->> 'at')::float8 < {NOW} - $5 AND coalesce((tabs -> $3 ->> 'stream')::int, 0) <= $4
          AND ((tabs -> $3 ->> 'visible')::boolean OR tabs -> $3 ? 'waiting')"""
    return f"""
    PREPARE {PREPARED_DISCONNECTED} (int, text, text, int, float8, float8) AS
    WITH {without_tab("$1", "$2", "$3", "$6", is_silent)}
    SELECT {notified_count("removed")}
    """


def nudge() -> str:
    """PREPARE asking the other users on a page to finish. Those who edit are also notified, wherever they are.

    Parameters: profile id, session id, page identifier, page kind, page number, tab id, active window in seconds,
    minimum seconds between two nudges. Returns one row: is the caller signed in, may it see the page, does its tab wait
    there, in how many seconds it may ask again (0 if this call has asked), how many NOTIFYs were sent.

    The limit is a condition of the UPDATE, and PostgreSQL checks it again on the row as the last caller left it. Of two
    simultaneous calls one succeeds. The limit counts for the profile on the page, whichever tab asked last.
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
          AND {is_present("$7")}
    ),
    asked AS (
        UPDATE user_page_presence SET tabs = jsonb_set(tabs, ARRAY[$6, 'asked_at'], to_jsonb({NOW}))
        WHERE user_id = (SELECT id FROM allowed) AND page_identifier = $3 AND tabs -> $6 ? 'waiting'
          AND {is_present("$7")} AND {last_asked} <= {NOW} - $8
        RETURNING user_id, page_identifier
    ),
    asking AS (SELECT asked.user_id, page.kind, page.number FROM asked, page),
    editors AS (
        SELECT user_id FROM user_page_presence
        WHERE page_identifier = $3 AND {is_present("$7")} AND EXISTS (
            SELECT FROM jsonb_each(tabs) AS each (id, tab)
            WHERE {is_live("tab", "$7")} AND tab ->> 'activity' = 'editing')
    ),
    {notified_editors("asking", "editors")}
    SELECT EXISTS (SELECT FROM caller), EXISTS (SELECT FROM allowed), EXISTS (SELECT FROM waiting),
           CASE WHEN EXISTS (SELECT FROM asked) THEN 0
                ELSE (SELECT least($8, greatest(1, last_asked + $8 - {NOW})) FROM waiting) END::float8,
           (SELECT count({notify_sql(NUDGE, "page_identifier", profile="user_id")}) FROM asked)::int
               + {notified_editors_count()}
    """

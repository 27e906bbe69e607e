"""The SQL statement that records a batch of heartbeats."""

from portal.live.notifications import ROSTER
from portal.live.publish import notify_sql
from portal.presence.shared_drafts_sql import shared_mark
from portal.presence.sql import caller, editable, is_present, version, viewers, visible
from portal.presence.tab_sql import NOW, bounded, new_tab, other_tabs, same_tab, viewing_only

PREPARED_BEATS = "presence_beats"
PREPARED_EDITOR_BEATS = "presence_editor_beats"


def beats(*, with_drafts: bool = False) -> str:
    """PREPARE a batch: check each caller and page, record the tabs, return the rosters.

    With drafts, it is for a batch with an open editor, and returns the mark of shared drafts. Without, the mark is
    NULL: the larger plan takes 330 µs a batch instead of 220, also if no tab has a form open.

    Parameters, arrays except the last: profile ids, session ids, page identifiers, page kinds, page numbers, tab ids,
    tab states as JSON, active window in seconds. A batch contains each pair of profile and page only once.

    Returns one row for each heartbeat, in order: is the caller signed in, may it see the page, the database's time, the
    roster, the record's version (NULL for kinds without versions), the mark of the drafts that others share with the
    tab's editor (NULL for none), how many pages the batch has notified.

    A statement does not see its own writes. Rosters therefore take the rows of this batch from RETURNING, and the other
    rows from the table. The version is read last, for allowed pages only. This costs a second index look-up, 2 µs of
    280 under EXPLAIN (ANALYZE).
    """
    drafts_mark = shared_mark("present", "page.identifier", "page.user_id", "page.tab ->> 'form'", "$8")
    name = PREPARED_EDITOR_BEATS if with_drafts else PREPARED_BEATS
    return f"""
    PREPARE {name} (int[], uuid[], text[], text[], int[], text[], jsonb[], float8) AS
    WITH sent AS MATERIALIZED ({_checked_beats()}),
    updated AS ({_update_present()}),
    inserted AS ({_insert_missing()}),
    written AS (SELECT * FROM updated UNION ALL SELECT * FROM inserted),
    changed AS (SELECT DISTINCT page_identifier FROM written WHERE is_change),
    present AS (
        SELECT user_id, page_identifier, last_seen, entered_at, tabs FROM written UNION ALL
        SELECT user_id, page_identifier, last_seen, entered_at, tabs FROM user_page_presence p
        WHERE page_identifier = ANY (ARRAY(SELECT identifier FROM sent WHERE may_see))
          AND {is_present("$8")}
          AND NOT EXISTS (
              SELECT FROM written WHERE written.user_id = p.user_id AND written.page_identifier = p.page_identifier)
    ),
    rosters AS ({viewers("present")})
    SELECT is_signed_in, may_see, {NOW}::float8, rosters.roster,
           CASE WHEN may_see THEN {version()} END,
           {f"CASE WHEN may_see AND tab ? 'form' THEN {drafts_mark} END" if with_drafts else "NULL::text"},
           (SELECT count({notify_sql(ROSTER, "page_identifier")}) FROM changed)::int
    FROM sent page LEFT JOIN rosters ON page.may_see AND rosters.identifier = page.identifier ORDER BY place
    """


def _checked_beats() -> str:
    """Select the heartbeats with the caller's permission and the tab state that the permission allows.

    A profile that may not change the record is recorded as viewing only, and every state is cut to its limit. Excess is
    dropped and not rejected, because an error would fail the whole batch. This happens before states are compared.
    """
    return f"""
        SELECT place, caller.id AS user_id, page.identifier, kind, number, caller.id IS NOT NULL AS is_signed_in,
               caller.id IS NOT NULL AND {visible()} AS may_see, tab_id,
               CASE WHEN {editable()} THEN {bounded("tab")} ELSE {viewing_only("tab")} END AS tab
        FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY
             AS page (profile_id, session_id, identifier, kind, number, tab_id, tab, place)
        LEFT JOIN LATERAL ({caller("page.profile_id", "page.session_id")}) caller ON true"""


def _update_present() -> str:
    """Update the rows that exist, before any INSERT.

    INSERT … ON CONFLICT alone would draw an id from the sequence at every heartbeat, and use up 2³¹ ids in a year at 70
    heartbeats a second.

    A heartbeat is a change when the tab's state differs from the previous one. The UPDATE compares with the row that it
    has locked, so the result is right after waiting for another tab, too. It records the time of the change as `since`:
    a `since` of this moment is a change. Comparing with a row read beforehand would cost a look-up and miss a race.

    The condition repeats the user ids as an array for the planner. A plan made while the table was empty may use the
    table as the outer side of the join. It then read the whole table, 900 µs a heartbeat at 2,000 rows instead of 45.
    An array is an index condition on either side.
    """
    return f"""
        UPDATE user_page_presence p
        SET last_seen = now(),
            entered_at = CASE WHEN p.last_seen > now() - make_interval(secs => $8) THEN p.entered_at ELSE now() END,
            tabs = {other_tabs("p.tabs", "sent.tab_id", "sent.tab", "$8")}
                || jsonb_build_object(sent.tab_id, {same_tab("(p.tabs -> sent.tab_id)", "sent.tab", "$8")})
        FROM sent
        WHERE sent.may_see AND p.user_id = sent.user_id AND p.page_identifier = sent.identifier
          AND p.user_id = ANY (ARRAY(SELECT user_id FROM sent WHERE may_see))
        RETURNING p.user_id, p.page_identifier, p.last_seen, p.entered_at, p.tabs,
                  p.tabs -> sent.tab_id -> 'since' = to_jsonb({NOW}) AS is_change"""


def _insert_missing() -> str:
    """Insert the rows that the UPDATE has not found. ON CONFLICT covers two first heartbeats at the same time."""
    return f"""
        INSERT INTO user_page_presence AS p (user_id, page_identifier, last_seen, entered_at, tabs)
        SELECT user_id, identifier, now(), now(), jsonb_build_object(tab_id, {new_tab("tab")})
        FROM sent WHERE may_see AND NOT EXISTS (
            SELECT FROM updated WHERE updated.user_id = sent.user_id AND updated.page_identifier = sent.identifier)
        ON CONFLICT (user_id, page_identifier) DO UPDATE SET last_seen = now(), tabs = p.tabs || excluded.tabs
        RETURNING p.user_id, p.page_identifier, p.last_seen, p.entered_at, p.tabs, true AS is_change"""

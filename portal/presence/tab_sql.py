"""The state of one tab in a presence row, and its size limits, as SQL expressions.

In all functions the arguments are SQL expressions; `state` is the tab state that the heartbeat carries.
"""

from portal.presence.beats import MAX_TABS

# Limits of a row, because every roster of the page reads it whole. Ten tabs as browsers send them take 2,000 bytes, the
# names of all fields of the largest form 300.
MAX_ROW_BYTES = 2_048
MAX_TAB_BYTES = 1_200
TIMES_BYTES = 192  # a tab's key and times, with the overhead of JSONB
NOW = "extract(epoch FROM now())"


def is_live(tab: str, window: str) -> str:
    """Return the condition that a stored tab has sent a heartbeat within the active window."""
    return f"({tab} ->> 'at')::float8 > {NOW} - {window}"


def bounded(state: str) -> str:
    """Return the state, without its field names if it is too large. beats.py has cut what browsers send."""
    return (
        f"""CASE WHEN pg_column_size({state}) <= {MAX_TAB_BYTES} THEN {state} ELSE {state} || '{{"fields": []}}' END"""
    )


def viewing_only(state: str) -> str:
    """Return the state of a user who may not edit: its visibility and its stream number only."""
    return f"""({state} - '{{focus,waiting,answer,form,draft}}'::text[] || '{{"activity": "viewing", "fields": []}}')"""


def new_tab(state: str) -> str:
    """Return what the table stores for a tab that begins: its state and times.

    `at` is the time of the last heartbeat, `since` that of the last change of state, `waiting_since` when it began to
    wait.
    """
    return f"""{state} || jsonb_build_object('at', {NOW}, 'since', {NOW})
        || CASE WHEN {state} ? 'waiting' THEN jsonb_build_object('waiting_since', {NOW}) ELSE '{{}}' END"""


def same_tab(before: str, state: str, window: str) -> str:
    """Return what the table stores for a known tab: as `new_tab`, but `since` and the waiting times continue.

    A tab that was silent for longer than the active window had left the roster, so it begins again. The usual case, an
    unchanged state, is the second branch and the cheapest. A new stream number is not a change. `asked_at` is kept when
    the tab stops waiting; otherwise stopping and waiting again would evade the limit on nudges.
    """
    return f"""CASE
        WHEN coalesce(({before} ->> 'at')::float8, 0) <= {NOW} - {window} THEN {new_tab(state)}
        WHEN {before} - '{{at,since,waiting_since,asked_at,stream}}'::text[] = {state} - 'stream'
            THEN {before} || {state} || jsonb_build_object('at', {NOW})
        ELSE {new_tab(state)} || jsonb_strip_nulls(jsonb_build_object('asked_at', {before} -> 'asked_at',
            'waiting_since', CASE WHEN {state} ? 'waiting' THEN {before} -> 'waiting_since' END)) END"""


def other_tabs(tabs: str, tab_id: str, state: str, window: str) -> str:
    """Return the profile's other live tabs, newest first, within the limits of a row."""
    newest_first = "(ORDER BY (tab ->> 'at')::float8 DESC ROWS UNBOUNDED PRECEDING)"
    return f"""CASE WHEN {tabs} - {tab_id} = '{{}}' THEN '{{}}' ELSE (
        SELECT coalesce(jsonb_object_agg(id, tab), '{{}}') FROM (
            SELECT id, tab, count(*) OVER {newest_first} AS tabs,
                   sum(pg_column_size(tab) + octet_length(id) + 16) OVER {newest_first} AS bytes
            FROM jsonb_each({tabs} - {tab_id}) AS other (id, tab)
            WHERE {is_live("tab", window)}) live
        WHERE tabs < {MAX_TABS} AND bytes <= {MAX_ROW_BYTES - TIMES_BYTES} - pg_column_size({state})) END"""

"""What a row of presence keeps of each tab, and how much that may be, as SQL expressions for statements.py."""

from portal.presence.beats import MAX_TABS

# What a row may hold: everybody's rosters read it whole. Ten tabs as browsers name them take 2,000 bytes, and the names
# of all fields of the largest form 300.
MAX_ROW_BYTES = 2_048
MAX_TAB_BYTES = 1_200
# A tab's key and times, and what JSONB adds to each.
TIMES_BYTES = 192
NOW = "extract(epoch FROM now())"


def bounded(said: str) -> str:
    """What a tab says, without the names of fields where they are too much: beats.py has cut what browsers send."""
    return f"""CASE WHEN pg_column_size({said}) <= {MAX_TAB_BYTES} THEN {said} ELSE {said} || '{{"fields": []}}' END"""


def looking_on(said: str) -> str:
    """What the tab of somebody who may not edit says: whether it is seen, and which stream it holds."""
    return f"""({said} - '{{waiting,answer}}'::text[] || '{{"activity": "viewing", "fields": []}}')"""


def new_tab(said: str) -> str:
    """What the table keeps of a tab: what it said, its last beat as `at`, since when it has been saying just this as
    `since` and, where it waits, since when as `waiting_since`."""
    return f"""{said} || jsonb_build_object('at', {NOW}, 'since', {NOW})
        || CASE WHEN {said} ? 'waiting' THEN jsonb_build_object('waiting_since', {NOW}) ELSE '{{}}' END"""


def same_tab(before: str, said: str, window: str) -> str:
    """As `new_tab`, with what goes on from the beat before: `since`, and of a tab that still waits its times.

    A tab that was silent for longer than the active window was off the roster: it begins afresh. The usual case, a tab
    that says what it said before, comes second and costs least. Which stream it holds is nobody's news. When it last
    asked is kept where it stops waiting too: stopping and waiting again is no way to ask sooner.
    """
    return f"""CASE
        WHEN coalesce(({before} ->> 'at')::float8, 0) <= {NOW} - {window} THEN {new_tab(said)}
        WHEN {before} - '{{at,since,waiting_since,asked_at,stream}}'::text[] = {said} - 'stream'
            THEN {before} || {said} || jsonb_build_object('at', {NOW})
        ELSE {new_tab(said)} || jsonb_strip_nulls(jsonb_build_object('asked_at', {before} -> 'asked_at',
            'waiting_since', CASE WHEN {said} ? 'waiting' THEN {before} -> 'waiting_since' END)) END"""


def other_tabs(tabs: str, tab_id: str, said: str, window: str) -> str:
    """The profile's other live tabs, the newest of them up to the limits: one browser cannot grow a row for ever."""
    newest_first = "(ORDER BY (tab ->> 'at')::float8 DESC ROWS UNBOUNDED PRECEDING)"
    return f"""CASE WHEN {tabs} - {tab_id} = '{{}}' THEN '{{}}' ELSE (
        SELECT coalesce(jsonb_object_agg(id, tab), '{{}}') FROM (
            SELECT id, tab, count(*) OVER {newest_first} AS tabs,
                   sum(pg_column_size(tab) + octet_length(id) + 16) OVER {newest_first} AS bytes
            FROM jsonb_each({tabs} - {tab_id}) AS other (id, tab)
            WHERE (tab ->> 'at')::float8 > extract(epoch FROM now()) - {window}) live
        WHERE tabs < {MAX_TABS} AND bytes <= {MAX_ROW_BYTES - TIMES_BYTES} - pg_column_size({said})) END"""

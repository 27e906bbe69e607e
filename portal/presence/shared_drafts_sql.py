"""The SQL of shared drafts as text: what editors of the same form see of each other's unsaved values.

An editor is a profile with a live tab that has a form open. Heartbeats report form and draft id of the tab, and the
statement that records them keeps both only from a profile that may change the record (tab_sql.viewing_only). A draft is
found by its id: a card of the record has drafts of its own, and shares them with the editors of the whole record.
"""

from sqlalchemy import text

from portal.live.notifications import DRAFTS
from portal.live.publish import notify_sql
from portal.presence.sql import CALLER, editable, is_present, visible
from portal.presence.tab_sql import NOW, is_live

PREPARED_SHARED = "presence_shared_drafts"
MAX_EDITORS_PER_FORM = 20  # whose values are shared: those who typed last
# The largest text that can be saved takes 40 KB. A larger draft is shared without its values, as if switched off.
MAX_SHARED_DRAFT_BYTES = 64 * 1024


def shared_drafts(present: str, pages: str, window: str) -> str:
    """Return the CTEs `opened` (the forms that editors have open) and `shared` (their drafts).

    `present` and `pages` are the names of CTEs: rows of presence, and pages with identifier, kind and number.

    A draft is shared while the tab that writes it is open, its owner may change the record and shows unsaved values,
    and another profile has the same form open. Of each owner the newest draft of a form counts.
    """
    return f"""
    opened AS MATERIALIZED (
        SELECT DISTINCT page_identifier, user_id, tab ->> 'form' AS form, tab ->> 'draft' AS draft_id
        FROM {present} open_row, jsonb_each(open_row.tabs) AS each (id, tab)
        WHERE open_row.page_identifier IN (SELECT identifier FROM {pages})
          AND tab ? 'form' AND {is_live("tab", window)}
    ),
    written_drafts AS (
        SELECT DISTINCT ON (opened.page_identifier, opened.form, opened.user_id)
               opened.page_identifier, opened.form, opened.user_id, drafts.updated_at, drafts.values,
               drafts.base_version, drafts.seen
        FROM opened
        JOIN {pages} page ON page.identifier = opened.page_identifier
        JOIN profiles caller ON caller.id = opened.user_id AND caller.shows_unsaved
        JOIN edit_drafts drafts ON drafts.profile_id = opened.user_id
          AND drafts.page_identifier = opened.page_identifier AND drafts.draft_id = opened.draft_id
          AND octet_length(drafts.values::text) <= {MAX_SHARED_DRAFT_BYTES}
        WHERE {editable()} AND {visible()} AND EXISTS (
            SELECT FROM opened other WHERE other.page_identifier = opened.page_identifier
              AND other.form = opened.form AND other.user_id <> opened.user_id)
        ORDER BY opened.page_identifier, opened.form, opened.user_id, drafts.updated_at DESC
    ),
    shared AS MATERIALIZED (
        SELECT page_identifier, form, user_id, updated_at, values, base_version, seen FROM (
            SELECT *, row_number() OVER (
                PARTITION BY page_identifier, form ORDER BY updated_at DESC, user_id) AS place FROM written_drafts
        ) newest_first WHERE place <= {MAX_EDITORS_PER_FORM}
    )"""


def opened_of(page: str) -> str:
    """Return a scalar: [profile id, form] of each open editor of the page; NULL for none."""
    return f"""(SELECT json_agg(json_build_array(user_id, form)) FROM opened WHERE page_identifier = {page})"""


def shared_of(page: str) -> str:
    """Return a scalar: each shared draft as SharedDraft (shared_drafts.py) has it, in that order; NULL for none."""
    return f"""(SELECT json_agg(json_build_object(
            'form', form, 'user', user_id, 'updated_at', updated_at, 'values', values, 'version', base_version,
            'seen', seen) ORDER BY form, user_id)
        FROM shared WHERE page_identifier = {page})"""


def shared_mark(present: str, page: str, user_id: str, form: str, window: str) -> str:
    """Return a scalar that differs when other users' drafts of a form have changed; NULL for none.

    A hint for the browser, so it leaves the permissions and limits to the statement that reads the values.
    """
    return f"""(
        SELECT sum(extract(epoch FROM drafts.updated_at))::text
        FROM {present} other CROSS JOIN jsonb_each(other.tabs) AS each (id, tab)
        JOIN profiles owner ON owner.id = other.user_id AND owner.shows_unsaved
        JOIN edit_drafts drafts ON drafts.profile_id = other.user_id
          AND drafts.page_identifier = other.page_identifier AND drafts.draft_id = each.tab ->> 'draft'
        WHERE other.page_identifier = {page} AND other.user_id <> {user_id}
          AND each.tab ->> 'form' = {form} AND {is_live("each.tab", window)})"""


def read_shared() -> str:
    """PREPARE reading the drafts that the caller's open editors share with it.

    Parameters: profile id, session id, page identifier, page kind, page number, active window in seconds. Returns one
    row: is the caller signed in, may it see the page, may it change the record, the database's time, open editors,
    shared drafts.
    """
    return f"""
    PREPARE {PREPARED_SHARED} (int, uuid, text, text, int, float8) AS
    WITH caller AS ({CALLER}),
    page AS (SELECT $3 AS identifier, $4 AS kind, $5 AS number),
    allowed AS (SELECT page.*, {editable()} AS may_edit FROM caller, page WHERE {visible()}),
    present AS (
        SELECT * FROM user_page_presence
        WHERE page_identifier = $3 AND EXISTS (SELECT FROM allowed WHERE may_edit) AND {is_present("$6")}
    ),
    {shared_drafts("present", "allowed", "$6")}
    SELECT EXISTS (SELECT FROM caller), EXISTS (SELECT FROM allowed),
           EXISTS (SELECT FROM allowed WHERE may_edit), {NOW}::float8, {opened_of("$3")}, {shared_of("$3")}
    """


# Notifies the page of a changed draft if another profile has the same form open. Returns one row for each notification.
NOTIFY_EDITORS = text(f"""
    SELECT {notify_sql(DRAFTS, "CAST(:page_identifier AS text)")}
    WHERE EXISTS (
        SELECT FROM user_page_presence, jsonb_each(tabs) AS each (id, tab)
        WHERE page_identifier = :page_identifier AND user_id <> :profile_id AND {is_present(":window")}
          AND tab ->> 'form' = :form AND {is_live("tab", ":window")})
""")

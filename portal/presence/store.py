"""Record heartbeats, read rosters, leave pages and ask others to finish, for one signed-in caller.

Each call is one prepared statement that also checks the sign-in session and the permission. Heartbeats are batched
(batching.py). The database's clock is the only clock.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from flask import Flask, current_app
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Engine, event

from portal.config import PresenceTimings
from portal.errors import InvalidInput, NotFound, NotSignedIn, TooSoon
from portal.monitoring import metrics
from portal.page_kinds import PAGE_NOT_FOUND, Page
from portal.presence import beat_sql, live_sql, shared_drafts_sql, sql
from portal.presence.batching import Batcher
from portal.presence.beats import Beat
from portal.presence.prepared import execute, page_columns, prepare
from portal.presence.roster import Roster
from portal.presence.shared_drafts import SharedDrafts
from portal.web.session_cookie import Identity

EXTENSION = "portal.presence"
NUDGE_INTERVAL_SECONDS = 20  # between two nudges of one profile on one page


class PageState(NamedTuple):
    """What a heartbeat returns. `version` is None for kinds without versions.

    `drafts_mark` differs when the drafts that other editors share with the tab's editor have changed.
    """

    roster: Roster
    version: int | None
    drafts_mark: str | None


class PresenceStore:
    """Presence as one application stores it. Thread-safe.

    Every method raises NotSignedIn (401) when the caller's session has ended. A method about one page raises NotFound
    (404) when the caller may not see it.
    """

    def __init__(self, engine: Engine, timings: PresenceTimings) -> None:
        self.timings = timings
        self._engine = engine
        self._batcher = Batcher(self.execute_batch)

    def beat(self, caller: Identity, beat: Beat) -> PageState:
        """Record the tab on its page; return the state of the page."""
        key = (caller.profile_id, beat.page.identifier)
        is_signed_in, may_see, now_epoch, rows, version, drafts_mark, _ = self._batcher.send(key, (caller, beat))
        _check(is_signed_in, may_see)
        return PageState(Roster(now_epoch, rows), version, drafts_mark)

    def execute_batch(self, calls: Sequence[tuple[Identity, Beat]]) -> list[tuple[Any, ...]]:
        """Record the heartbeats in one statement; return one row each, as `beat_sql.beats` defines it."""
        callers, beats = zip(*calls, strict=True)
        has_editor = any(beat.form for beat in beats)
        prepared = beat_sql.PREPARED_EDITOR_BEATS if has_editor else beat_sql.PREPARED_BEATS
        results = execute(
            self._engine,
            f"EXECUTE {prepared} (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)",
            (
                [caller.profile_id for caller in callers],
                [caller.session_id for caller in callers],
                *page_columns([beat.page for beat in beats]),
                [beat.tab_id for beat in beats],
                [orjson.dumps(beat.state).decode() for beat in beats],
                self.timings.active_window_seconds,
            ),
        )
        metrics.BEATS.inc(len(results))
        if notified := results[0][-1]:  # each row repeats the number of the whole batch
            metrics.NOTIFICATIONS_SENT.inc(notified)
        return results

    def rosters(self, caller: Identity, pages: Sequence[Page]) -> dict[str, Roster]:
        """Return {page identifier: roster} of the pages that the caller may see."""
        [(is_signed_in, now_epoch, rows_by_page)] = execute(
            self._engine,
            f"EXECUTE {sql.PREPARED_ROSTERS} (%s, %s, %s, %s, %s, %s)",
            (*caller, *page_columns(pages), self.timings.active_window_seconds),
        )
        _check(is_signed_in)
        return {identifier: Roster(now_epoch, rows or []) for identifier, rows in rows_by_page.items()}

    def roster(self, caller: Identity, page: Page) -> Roster:
        """Return the roster of one page."""
        rosters = self.rosters(caller, [page])
        _check(is_signed_in=True, may_see=page.identifier in rosters)
        return rosters[page.identifier]

    def shared_drafts(self, caller: Identity, page: Page) -> str:
        """Return the content of a `drafts` event as JSON: what other editors share with the caller's open editors."""
        [(is_signed_in, may_see, may_edit, now_epoch, opened, shared)] = execute(
            self._engine,
            f"EXECUTE {shared_drafts_sql.PREPARED_SHARED} (%s, %s, %s, %s, %s, %s)",
            (*caller, page.identifier, page.kind.name, page.number, self.timings.active_window_seconds),
        )
        _check(is_signed_in, may_see)
        drafts = SharedDrafts(now_epoch, opened, shared).of(caller.profile_id, may_edit=may_edit)
        return orjson.dumps(drafts.content).decode()

    def leave(self, caller: Identity, page: Page, tab_id: str | None) -> None:
        """Remove one tab from the page, or all of the profile's tabs when `tab_id` is None."""
        [(is_signed_in, may_see, notified)] = execute(
            self._engine,
            f"EXECUTE {sql.PREPARED_LEAVE} (%s, %s, %s, %s, %s, %s, %s)",
            (*caller, page.identifier, page.kind.name, page.number, tab_id, self.timings.active_window_seconds),
        )
        metrics.NOTIFICATIONS_SENT.inc(notified)
        _check(is_signed_in, may_see)

    def clear(self, caller: Identity) -> None:
        """Remove the caller from every page."""
        [(is_signed_in, notified)] = execute(self._engine, f"EXECUTE {sql.PREPARED_CLEAR} (%s, %s)", tuple(caller))
        metrics.NOTIFICATIONS_SENT.inc(notified)
        _check(is_signed_in)

    def nudge(self, caller: Identity, page: Page, tab_id: str) -> None:
        """Ask the other users on the page to finish, for a tab that waits there.

        Raises InvalidInput (422) for a tab that does not wait, TooSoon (429) within NUDGE_INTERVAL_SECONDS.
        """
        window = self.timings.active_window_seconds
        [(is_signed_in, may_see, is_waiting, wait_seconds, notified)] = execute(
            self._engine,
            f"EXECUTE {live_sql.PREPARED_NUDGE} (%s, %s, %s, %s, %s, %s, %s, %s)",
            (*caller, page.identifier, page.kind.name, page.number, tab_id, window, NUDGE_INTERVAL_SECONDS),
        )
        metrics.NOTIFICATIONS_SENT.inc(notified)
        _check(is_signed_in, may_see)
        if not is_waiting:
            raise InvalidInput("tab_id", "must be that of a tab that waits on this page")
        if wait_seconds:
            raise TooSoon("You have asked only just now.", math.ceil(wait_seconds))


def init_store(app: Flask, engine: Engine, timings: PresenceTimings) -> None:
    """Give the application its store, and prepare the statements on every connection that `engine` opens."""
    event.listen(engine, "connect", _prepare_all)
    app.extensions[EXTENSION] = PresenceStore(engine, timings)


def store_of(app: Flask) -> PresenceStore:
    """Return the application's store."""
    store: PresenceStore = app.extensions[EXTENSION]
    return store


def current_store() -> PresenceStore:
    """Return the store of the application whose context is active."""
    return store_of(current_app)


def _prepare_all(connection: PsycopgConnection, _record: object) -> None:
    statements = (beat_sql.beats, sql.rosters, sql.leave, sql.clear, live_sql.nudge, shared_drafts_sql.read_shared)
    prepare(connection, beat_sql.beats(with_drafts=True), *(statement() for statement in statements))


def _check(is_signed_in: bool, may_see: bool = True) -> None:
    if not is_signed_in:
        raise NotSignedIn("Please sign in.")
    if not may_see:
        raise NotFound(PAGE_NOT_FOUND)

"""Give the live hub what it needs of presence: rosters, the authorisation of streams, removal of disconnected tabs.

All statements run on the hub's own connection.
"""

from collections.abc import Collection, Sequence
from contextlib import closing

import orjson
from psycopg2.extensions import connection as PsycopgConnection

from portal.config import PresenceTimings
from portal.live.source import Authorization, Drafts, Reading, StreamIdentity
from portal.monitoring import metrics
from portal.page_kinds import Page
from portal.presence import live_sql
from portal.presence.context import heartbeat_seconds
from portal.presence.prepared import page_columns, prepare
from portal.presence.roster import Roster, changes_in_seconds, roster_signature, viewers
from portal.presence.shared_drafts import SharedDrafts


class PresenceSource:
    """A `live.source.Source`."""

    def __init__(self, timings: PresenceTimings) -> None:
        self._timings = timings

    def prepare(self, connection: PsycopgConnection) -> None:
        prepare(connection, live_sql.pages_read(), live_sql.disconnected())

    def read(
        self,
        connection: PsycopgConnection,
        pages: Sequence[Page],
        streams: Sequence[StreamIdentity],
        without_drafts: Collection[str] = (),
    ) -> list[Reading]:
        """Read the pages, each with the authorisations of its streams. Both keep the order of the arguments.

        Each page has at least one stream: the hub reads no others.
        """
        places = {page.identifier: place for place, page in enumerate(pages, start=1)}
        parameters = (
            *page_columns(pages),
            *(list(column) for column in zip(*(stream.caller for stream in streams), strict=True)),
            [places[stream.page.identifier] for stream in streams],
            self._timings.active_window_seconds,
            [page.identifier for page in pages if page.identifier not in without_drafts],
        )
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"EXECUTE {live_sql.PREPARED_PAGES} (%s, %s, %s, %s, %s::uuid[], %s, %s, %s)", parameters)
            [(now_epoch, authorizations, found)] = cursor.fetchall()
        metrics.ROSTER_QUERIES.inc()
        by_page: dict[str, list[tuple[StreamIdentity, Authorization]]] = {page.identifier: [] for page in pages}
        for stream, authorization in zip(streams, authorizations or (), strict=True):
            by_page[stream.page.identifier].append((stream, Authorization(*authorization)))
        readings = []
        for page in pages:
            rows, version, opened, shared = found[page.identifier]
            drafts = None if page.identifier in without_drafts else SharedDrafts(now_epoch, opened, shared)
            authorized = by_page[page.identifier]
            readings.append(self._reading(page, Roster(now_epoch, rows or []), version, authorized, drafts))
        return readings

    def remove_tab(self, connection: PsycopgConnection, stream: StreamIdentity, broken_for_seconds: float) -> bool:
        """Remove the tab of a broken stream from its page if it was inactive since; return whether it was removed."""
        parameters = (
            stream.caller.profile_id,
            stream.page.identifier,
            stream.tab_id,
            stream.number,
            broken_for_seconds,
            self._timings.active_window_seconds,
        )
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"EXECUTE {live_sql.PREPARED_DISCONNECTED} (%s, %s, %s, %s, %s, %s)", parameters)
            [(notified,)] = cursor.fetchall()
        metrics.NOTIFICATIONS_SENT.inc(notified)
        return bool(notified)

    def _reading(
        self,
        page: Page,
        roster: Roster,
        version: int | None,
        authorized: Sequence[tuple[StreamIdentity, Authorization]],
        shared: SharedDrafts | None,
    ) -> Reading:
        window = self._timings.active_window_seconds
        users = viewers(roster, window)
        content = {
            "heartbeat_seconds": heartbeat_seconds(page.kind, self._timings),
            "version": version,
            "read_at": roster.now_epoch,
            "users": users,
        }
        return Reading(
            page=page,
            roster=orjson.dumps(content).decode(),
            signature=roster_signature(users),
            version=version,
            changes_in_seconds=changes_in_seconds(roster, window),
            authorizations=[authorization for _, authorization in authorized],
            drafts=None if shared is None else [_drafts_for(*each, shared) for each in authorized],
        )


def _drafts_for(stream: StreamIdentity, authorization: Authorization, shared: SharedDrafts) -> Drafts:
    may_edit = authorization.may_see and authorization.may_edit
    return shared.of(stream.caller.profile_id, may_edit=may_edit)

"""Give the live hub what it needs: rosters, counts, the authorisation of streams, removal of disconnected tabs.

All statements run on the hub's own connection.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import orjson
from psycopg2.extensions import connection as PsycopgConnection

from portal.config import PresenceTimings
from portal.live.source import (
    Authorization,
    Drafts,
    PageQuery,
    ProfileQuery,
    ProfileReading,
    Reading,
    StreamIdentity,
)
from portal.monitoring import metrics
from portal.page_kinds import Page
from portal.presence import live_sql
from portal.presence.context import heartbeat_seconds
from portal.presence.prepared import page_columns, prepare
from portal.presence.roster import Roster, arrived, changes_in_seconds, roster_signature, viewers
from portal.presence.shared_drafts import SharedDrafts
from portal.web.session_cookie import Identity


class PresenceSource:
    """A `live.source.Source`."""

    def __init__(self, timings: PresenceTimings) -> None:
        self._timings = timings

    def prepare(self, connection: PsycopgConnection) -> None:
        prepare(connection, live_sql.pages_read(), live_sql.disconnected())

    def read(
        self,
        connection: PsycopgConnection,
        pages: Sequence[PageQuery],
        profiles: Sequence[ProfileQuery],
    ) -> tuple[list[Reading], list[ProfileReading]]:
        """Read the pages, count the notifications and authorise all streams. Keeps the order of the arguments."""
        checks = list(_checks(pages, profiles))
        callers, kinds, numbers = zip(*checks, strict=True)
        parameters = (
            *page_columns([query.page for query in pages]),
            [caller.profile_id for caller in callers],
            [caller.session_id for caller in callers],
            list(kinds),
            list(numbers),
            self._timings.active_window_seconds,
            [query.page.identifier for query in pages if query.has_drafts],
            [query.profile_id for query in profiles],
        )
        with closing(connection.cursor()) as cursor:
            execute = (
                f"EXECUTE {live_sql.PREPARED_PAGES} (%s, %s, %s, %s, %s::uuid[], %s::text[], %s::int[], %s, %s, %s)"
            )
            cursor.execute(execute, parameters)
            [(now_epoch, rows, found, unread)] = cursor.fetchall()
        metrics.ROSTER_QUERIES.inc()
        authorizations = (Authorization(*row) for row in rows)
        readings = [self._reading(query, now_epoch, found[query.page.identifier], authorizations) for query in pages]
        return readings, [
            ProfileReading(unread[str(query.profile_id)], list(islice(authorizations, len(query.streams))))
            for query in profiles
        ]

    def remove_tab(
        self, connection: PsycopgConnection, page: Page, stream: StreamIdentity, broken_for_seconds: float
    ) -> bool:
        """Remove the tab of a broken stream from its page if it was inactive since; return whether it was removed."""
        parameters = (
            stream.caller.profile_id,
            page.identifier,
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
        self, query: PageQuery, now_epoch: float, found: tuple[Any, ...], authorizations: Iterator[Authorization]
    ) -> Reading:
        rows, version, opened, shared = found
        roster, window = Roster(now_epoch, rows or []), self._timings.active_window_seconds
        users = viewers(roster, window)
        content = {
            "heartbeat_seconds": heartbeat_seconds(query.page.kind, self._timings),
            "version": version,
            "read_at": now_epoch,
            "users": users,
        }
        of_page = list(islice(authorizations, len(query.streams)))
        drafts = None
        if query.has_drafts:
            known = SharedDrafts(now_epoch, opened, shared)
            drafts = [_drafts_for(*each, known) for each in zip(query.streams, of_page, strict=True)]
        return Reading(
            page=query.page,
            roster=orjson.dumps(content).decode(),
            signature=roster_signature(users),
            version=version,
            changes_in_seconds=changes_in_seconds(roster, window),
            arrived=arrived(roster),
            authorizations=of_page,
            row_authorizations=list(islice(authorizations, len(query.row_streams))),
            drafts=drafts,
        )


def _checks(
    pages: Sequence[PageQuery], profiles: Sequence[ProfileQuery]
) -> Iterator[tuple[Identity, str | None, int | None]]:
    """Yield the caller of each stream with the page that it wants to see, None for its own notifications."""
    for query in pages:
        for stream in (*query.streams, *query.row_streams):
            yield stream.caller, query.page.kind.name, query.page.number
    for of_profile in profiles:
        for stream in of_profile.streams:
            yield stream.caller, None, None


def _drafts_for(stream: StreamIdentity, authorization: Authorization, shared: SharedDrafts) -> Drafts:
    may_edit = authorization.may_see and authorization.may_edit
    return shared.of(stream.caller.profile_id, may_edit=may_edit)

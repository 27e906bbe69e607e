"""What the live hub asks of presence: rosters, verdicts on those who listen, and taking vanished tabs out.

`init_presence` gives it to the hub, which calls it on its own connection. Nothing here opens one.
"""

from collections.abc import Sequence
from contextlib import closing

import orjson
from psycopg2.extensions import connection as PsycopgConnection

from portal.config import PresenceTimings
from portal.live.source import Authorization, Reading, StreamIdentity
from portal.monitoring import metrics
from portal.page_kinds import Page
from portal.presence import live_sql, store
from portal.presence import roster as rules
from portal.presence.context import heartbeat_seconds
from portal.presence.roster import Roster


class PresenceSource:
    """A `live.source.Source`."""

    def __init__(self, timings: PresenceTimings) -> None:
        self._timings = timings

    def prepare(self, connection: PsycopgConnection) -> None:
        store.prepare(connection, live_sql.pages_read(), live_sql.disconnected())

    def read(
        self, connection: PsycopgConnection, pages: Sequence[Page], held: Sequence[StreamIdentity]
    ) -> list[Reading]:
        """The pages in their order, each with the verdicts of those that hold a stream on it, in theirs.

        No page without a stream is read, so there is always somebody to judge.
        """
        places = {page.identifier: place for place, page in enumerate(pages, start=1)}
        parameters = (
            *store.columns(pages),
            *(list(column) for column in zip(*(each.caller for each in held), strict=True)),
            [places[each.page.identifier] for each in held],
            self._timings.active_window_seconds,
        )
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"EXECUTE {live_sql.PREPARED_PAGES} (%s, %s, %s, %s, %s::uuid[], %s, %s)", parameters)
            [(now_epoch, verdicts, found)] = cursor.fetchall()
        metrics.ROSTER_QUERIES.inc()
        verdicts_of: dict[str, list[Authorization]] = {page.identifier: [] for page in pages}
        for each, verdict in zip(held, verdicts or (), strict=True):
            verdicts_of[each.page.identifier].append(Authorization(*verdict))
        return [
            self._reading(page, Roster(now_epoch, rows or []), version, verdicts_of[page.identifier])
            for page, (rows, version) in ((page, found[page.identifier]) for page in pages)
        ]

    def take_out(self, connection: PsycopgConnection, held: StreamIdentity, broken_for_seconds: float) -> bool:
        """Take a tab off its page whose connection broke so long ago, unless it has been heard of since."""
        parameters = (
            held.caller.profile_id,
            held.page.identifier,
            held.tab_id,
            held.number,
            broken_for_seconds,
            self._timings.active_window_seconds,
        )
        with closing(connection.cursor()) as cursor:
            cursor.execute(f"EXECUTE {live_sql.PREPARED_DISCONNECTED} (%s, %s, %s, %s, %s, %s)", parameters)
            [(rung,)] = cursor.fetchall()
        metrics.NOTIFICATIONS_SENT.inc(rung)
        return bool(rung)

    def _reading(self, page: Page, roster: Roster, version: int | None, verdicts: list[Authorization]) -> Reading:
        window = self._timings.active_window_seconds
        users = rules.viewers(roster, window)
        told = {
            "heartbeat_seconds": heartbeat_seconds(page.kind, self._timings),
            "version": version,
            "read_at": roster.now_epoch,
            "users": users,
        }
        return Reading(
            page=page,
            roster=orjson.dumps(told).decode(),
            state=rules.roster_signature(users),
            version=version,
            changes_in_seconds=rules.changes_in_seconds(roster, window),
            verdicts=verdicts,
        )

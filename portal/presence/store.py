"""Runs the SQL of presence. The database's clock is the only clock here.

Beats, rosters and leaving use connections of the "presence" bind: in autocommit a statement is one transaction
and one round trip, and all are PREPAREd when the connection opens, because psycopg2 prepares nothing by itself and
planning them costs more than running them. Beats go in rounds: see rounds.py. What belongs to a caller's own
transaction (signing out, commands, the cleanup) takes that connection as an argument.
"""

import math
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import psycopg2
from psycopg2.extensions import QueryCanceledError
from psycopg2.extensions import connection as PsycopgConnection
from psycopg2.extras import register_default_json
from sqlalchemy import Connection, CursorResult, Engine, event, text

from portal import page_kinds
from portal.config import PresenceTimings
from portal.driver.errors import USELESS_CONNECTION
from portal.errors import InvalidInput, NotFound, NotSignedIn, TooSoon
from portal.extensions import PRESENCE_BIND, db
from portal.live import publish
from portal.monitoring import metrics
from portal.presence import live_sql
from portal.presence import sql as statements
from portal.presence.batching import Batcher
from portal.presence.beats import Beat
from portal.presence.roster import Roster
from portal.web.session_cookie import Identity

PAGE_NOT_FOUND = "There is no such page, or you do not have access to it."
NUDGE_INTERVAL_SECONDS = 20  # the least between two nudges of one person on one page
CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, *USELESS_CONNECTION)


# One for each engine, so that two applications in one process never share a round.
_batchers: WeakKeyDictionary[Engine, Batcher[tuple[Identity, Beat, int], tuple[Any, ...]]] = WeakKeyDictionary()


def init_store(engine: Engine) -> None:
    """Prepare the statements on every connection of `engine`, once the features have registered their kinds."""
    event.listen(engine, "connect", _prepare_all)
    _batchers[engine] = Batcher(partial(_run_beats, engine))


def beat(
    caller: Identity, given: Beat, active_window_seconds: int, engine: Engine | None = None
) -> tuple[Roster, int | None]:
    """Put the tab on its page and return the page's roster and the version of its record (None: it has none).

    `engine` is presence's, for who calls outside of an application context. Raises NotSignedIn (401) when the session
    has ended, NotFound (404) when the page is not for the caller.
    """
    key = (caller.profile_id, given.page.identifier)
    rounds = _batchers[engine or db.engines[PRESENCE_BIND]]
    signed_in, allowed, now_epoch, rows, version, _ = rounds.send(key, (caller, given, active_window_seconds))
    _check(signed_in, allowed)
    return Roster(now_epoch, rows), version


def rosters(caller: Identity, wanted: Sequence[page_kinds.Page], active_window_seconds: int) -> dict[str, Roster]:
    """{page identifier: roster} of those pages that the caller may see. Raises NotSignedIn (401)."""
    [(signed_in, now_epoch, rows_by_page)] = _execute(
        f"EXECUTE {statements.PREPARED_ROSTERS} (%s, %s, %s, %s, %s, %s)",
        (*caller, *columns(wanted), active_window_seconds),
    )
    _check(signed_in)
    return {identifier: Roster(now_epoch, rows or []) for identifier, rows in rows_by_page.items()}


def roster(caller: Identity, page: page_kinds.Page, active_window_seconds: int) -> Roster:
    """The roster of one page. Raises NotSignedIn (401) or NotFound (404)."""
    found = rosters(caller, [page], active_window_seconds)
    _check(signed_in=True, allowed=page.identifier in found)
    return found[page.identifier]


def leave(caller: Identity, page: page_kinds.Page, tab_id: str | None, active_window_seconds: int) -> None:
    """Take the tab off the page, or all of the profile's tabs when `tab_id` is None.

    Raises NotSignedIn (401), or NotFound (404) when the page is not for the caller.
    """
    [(signed_in, allowed, rung)] = _execute(
        f"EXECUTE {statements.PREPARED_LEAVE} (%s, %s, %s, %s, %s, %s, %s)",
        (*caller, page.identifier, page.kind.name, page.number, tab_id, active_window_seconds),
    )
    metrics.NOTIFICATIONS_SENT.inc(rung)
    _check(signed_in, allowed)


def clear(caller: Identity) -> None:
    """Take the caller off every page. Raises NotSignedIn (401)."""
    [(signed_in, rung)] = _execute(f"EXECUTE {statements.PREPARED_CLEAR} (%s, %s)", tuple(caller))
    metrics.NOTIFICATIONS_SENT.inc(rung)
    _check(signed_in)


def nudge(caller: Identity, page: page_kinds.Page, tab_id: str, timings: PresenceTimings) -> None:
    """Ask the others on the page to finish, for a tab that waits there.

    Raises NotSignedIn (401), NotFound (404), InvalidInput (422) for a tab that does not wait, TooSoon (429).
    """
    [(signed_in, allowed, waits, wait_seconds, rung)] = _execute(
        f"EXECUTE {live_sql.PREPARED_NUDGE} (%s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *caller,
            page.identifier,
            page.kind.name,
            page.number,
            tab_id,
            timings.active_window_seconds,
            NUDGE_INTERVAL_SECONDS,
        ),
    )
    metrics.NOTIFICATIONS_SENT.inc(rung)
    _check(signed_in, allowed)
    if not waits:
        raise InvalidInput("tab_id", "must be that of a tab that waits on this page")
    if wait_seconds:
        raise TooSoon("You have asked only just now.", math.ceil(wait_seconds))


def clear_profile(connection: Connection, profile_id: int) -> int:
    """Take the profile off every page; return from how many. The caller commits."""
    return _notify_pages(connection, connection.execute(text(statements.CLEAR_PROFILE), {"profile_id": profile_id}))


def clear_all(connection: Connection) -> int:
    """Delete every row; return how many. Notify no page: streams end with their sessions. The caller commits."""
    return connection.execute(text(statements.CLEAR_ALL)).rowcount


def clear_page(connection: Connection, page_identifier: str) -> int:
    """Take everybody off the page; return how many. The caller commits."""
    return _notify_pages(
        connection, connection.execute(text(statements.CLEAR_PAGE), {"page_identifier": page_identifier})
    )


def evict(connection: Connection, page: page_kinds.Page) -> int:
    """Take off the page whoever may not see it any more; return how many. The caller commits.

    The page is rung either way: who listens there without a tab on the roster is asked anew too.
    """
    values = {"page_identifier": page.identifier, "kind": page.kind.name, "number": page.number}
    count = connection.execute(text(statements.evict()), values).rowcount
    publish.roster_changed(connection, [page.identifier])
    return count


def clean_up(connection: Connection, stale_seconds: int) -> int:
    """Delete the rows that are stale; return how many. The caller commits."""
    return connection.execute(text(statements.CLEAN_UP), {"stale_seconds": stale_seconds}).rowcount


def prepare(connection: PsycopgConnection, *statements: str) -> None:
    """Make a connection ready for these PREPAREd statements, and for plans that stay good as tables grow.

    The right plan is index look-ups whatever the parameters. Looking for a better one each time costs more than it
    finds, and one made while the table was empty must serve when it has grown: left to itself it read whole tables to
    join them, 500 µs a beat instead of 135. Nested loops also lock rows in the order of the round.
    """
    register_default_json(connection, loads=orjson.loads)
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        for costly in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
            cursor.execute(f"SET {costly} = off")
        for statement in statements:
            cursor.execute(statement)


def columns(wanted: Sequence[page_kinds.Page]) -> tuple[list[str], list[str], list[int]]:
    """Pages as the arrays that statements take: identifiers, kinds, numbers."""
    return (
        [page.identifier for page in wanted],
        [page.kind.name for page in wanted],
        [page.number for page in wanted],
    )


def _notify_pages(connection: Connection, deleted: CursorResult[Any]) -> int:
    """Tell the pages whose rows were deleted; return how many rows."""
    identifiers = deleted.scalars().all()
    publish.roster_changed(connection, dict.fromkeys(identifiers))
    return len(identifiers)


def _check(signed_in: bool, allowed: bool = True) -> None:
    if not signed_in:
        raise NotSignedIn("Please sign in.")
    if not allowed:
        raise NotFound(PAGE_NOT_FOUND)


def _run_beats(engine: Engine, calls: Sequence[tuple[Identity, Beat, int]]) -> list[tuple[Any, ...]]:
    callers, given, windows = zip(*calls, strict=True)
    answers = _execute(
        f"EXECUTE {statements.PREPARED_BEATS} (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)",
        (
            [caller.profile_id for caller in callers],
            [caller.session_id for caller in callers],
            *columns([beat.page for beat in given]),
            [beat.tab_id for beat in given],
            [orjson.dumps(beat.state).decode() for beat in given],
            windows[0],
        ),
        engine,
    )
    metrics.BEATS.inc(len(answers))
    if rung := answers[0][-1]:  # of the whole round
        metrics.NOTIFICATIONS_SENT.inc(rung)
    return answers


def _execute(sql: str, parameters: Any, engine: Engine | None = None) -> list[tuple[Any, ...]]:
    """Run one prepared statement and return its rows.

    A connection that the server has closed is found out by using it: pinging first would double the round trips.
    Every statement here may be run twice without harm, so it is tried once more, on a new connection. One that took
    too long is not: it would take as long again, of a database that has too much to do already.
    """
    engine = engine or db.engines[PRESENCE_BIND]
    try:
        return _execute_once(engine, sql, parameters)
    except QueryCanceledError:
        raise
    except CONNECTION_LOST:
        engine.dispose(close=False)
        return _execute_once(engine, sql, parameters)


def _execute_once(engine: Engine, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    connection = engine.raw_connection()
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    except CONNECTION_LOST:
        connection.invalidate()
        raise
    finally:
        connection.close()


def _prepare_all(connection: PsycopgConnection, _record: object) -> None:
    prepare(
        connection,
        statements.beats(),
        statements.rosters(),
        statements.leave(),
        statements.clear(),
        live_sql.nudge(),
    )

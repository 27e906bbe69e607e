"""Runs the SQL of presence. The database's clock is the only clock here.

Beats, rosters and leaving use connections of the "presence" bind: in autocommit a statement is one transaction
and one round trip, and all are PREPAREd when the connection opens, because psycopg2 prepares nothing by itself and
planning them costs more than running them. Beats go in rounds: see rounds.py. What belongs to a caller's own
transaction (signing out, commands, the cleanup) takes that connection as an argument.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any
from weakref import WeakKeyDictionary

import psycopg2
from psycopg2.extensions import QueryCanceledError
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Connection, Engine, event, text

from portal import pages
from portal.errors import NotFound, NotSignedIn
from portal.extensions import PRESENCE_BIND, db
from portal.presence import statements
from portal.presence.beats import Beat
from portal.presence.rounds import Rounds
from portal.presence.rules import Roster
from portal.sessions import Identity

NO_SUCH_PAGE = "There is no such page, or it is not for you."
CONNECTION_LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


# One for each engine, so that two applications in one process never share a round.
_rounds: WeakKeyDictionary[Engine, Rounds[tuple[Identity, Beat, int], tuple[Any, ...]]] = WeakKeyDictionary()


def init_store(engine: Engine) -> None:
    """Prepare the statements on every connection of `engine`, once the features have registered their kinds."""
    event.listen(engine, "connect", _prepare)
    _rounds[engine] = Rounds(_run_beats)


def beat(caller: Identity, given: Beat, active_window_seconds: int) -> tuple[Roster, int | None]:
    """Put the tab on its page and return the page's roster and the version of its record (None: it has none).

    Raises NotSignedIn (401) when the session has ended, NotFound (404) when the page is not for the caller.
    """
    key = (caller.profile_id, given.page.identifier)
    rounds = _rounds[db.engines[PRESENCE_BIND]]
    signed_in, allowed, now_epoch, rows, version = rounds.send(key, (caller, given, active_window_seconds))
    _check(signed_in, allowed)
    return Roster(now_epoch, rows), version


def rosters(caller: Identity, wanted: Sequence[pages.Page], active_window_seconds: int) -> dict[str, Roster]:
    """{page identifier: roster} of those pages that the caller may see. Raises NotSignedIn (401)."""
    [(signed_in, now_epoch, rows_by_page)] = _execute(
        f"EXECUTE {statements.PREPARED_ROSTERS} (%s, %s, %s, %s, %s, %s)",
        (*caller, *_columns(wanted), active_window_seconds),
    )
    _check(signed_in)
    return {identifier: Roster(now_epoch, rows or []) for identifier, rows in rows_by_page.items()}


def roster(caller: Identity, page: pages.Page, active_window_seconds: int) -> Roster:
    """The roster of one page. Raises NotSignedIn (401) or NotFound (404)."""
    found = rosters(caller, [page], active_window_seconds)
    _check(signed_in=True, allowed=page.identifier in found)
    return found[page.identifier]


def leave(caller: Identity, page: pages.Page, tab_id: str | None, active_window_seconds: int) -> None:
    """Take the tab off the page, or all of the profile's tabs when `tab_id` is None.

    Raises NotSignedIn (401), or NotFound (404) when the page is not for the caller.
    """
    [(signed_in, allowed)] = _execute(
        f"EXECUTE {statements.PREPARED_LEAVE} (%s, %s, %s, %s, %s, %s, %s)",
        (*caller, page.identifier, page.kind.name, page.number, tab_id, active_window_seconds),
    )
    _check(signed_in, allowed)


def clear(caller: Identity) -> None:
    """Take the caller off every page. Raises NotSignedIn (401)."""
    [(signed_in,)] = _execute(f"EXECUTE {statements.PREPARED_CLEAR} (%s, %s)", tuple(caller))
    _check(signed_in)


def clear_profile(connection: Connection, profile_id: int) -> int:
    """Take the profile off every page; return from how many. The caller commits."""
    return connection.execute(text(statements.CLEAR_PROFILE), {"profile_id": profile_id}).rowcount


def clear_page(connection: Connection, page_identifier: str) -> int:
    """Take everybody off the page; return how many. The caller commits."""
    return connection.execute(text(statements.CLEAR_PAGE), {"page_identifier": page_identifier}).rowcount


def evict(connection: Connection, page: pages.Page) -> int:
    """Take off the page whoever may not see it any more; return how many. The caller commits."""
    values = {"page_identifier": page.identifier, "kind": page.kind.name, "number": page.number}
    return connection.execute(text(statements.evict()), values).rowcount


def clean_up(connection: Connection, stale_seconds: int) -> int:
    """Delete the rows that are stale; return how many. The caller commits."""
    return connection.execute(text(statements.CLEAN_UP), {"stale_seconds": stale_seconds}).rowcount


def _check(signed_in: bool, allowed: bool = True) -> None:
    if not signed_in:
        raise NotSignedIn("Please sign in.")
    if not allowed:
        raise NotFound(NO_SUCH_PAGE)


def _run_beats(calls: Sequence[tuple[Identity, Beat, int]]) -> list[tuple[Any, ...]]:
    callers, given, windows = zip(*calls, strict=True)
    tabs = [{"activity": beat.activity, "visible": beat.visible, "fields": beat.fields} for beat in given]
    return _execute(
        f"EXECUTE {statements.PREPARED_BEATS} (%s, %s::uuid[], %s, %s, %s, %s, %s::jsonb[], %s)",
        (
            [caller.profile_id for caller in callers],
            [caller.session_id for caller in callers],
            *_columns([beat.page for beat in given]),
            [beat.tab_id for beat in given],
            [json.dumps(tab) for tab in tabs],
            windows[0],
        ),
    )


def _columns(wanted: Sequence[pages.Page]) -> tuple[list[str], list[str], list[int]]:
    return (
        [page.identifier for page in wanted],
        [page.kind.name for page in wanted],
        [page.number for page in wanted],
    )


def _execute(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    """Run one prepared statement and return its rows.

    A connection that the server has closed is found out by using it: pinging first would double the round trips.
    Every statement here may be run twice without harm, so it is tried once more, on a new connection. One that took
    too long is not: it would take as long again, of a database that has too much to do already.
    """
    try:
        return _execute_once(sql, parameters)
    except QueryCanceledError:
        raise
    except CONNECTION_LOST:
        db.engines[PRESENCE_BIND].dispose(close=False)
        return _execute_once(sql, parameters)


def _execute_once(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    connection = db.engines[PRESENCE_BIND].raw_connection()
    try:
        with closing(connection.cursor()) as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())
    except CONNECTION_LOST:
        connection.invalidate()
        raise
    finally:
        connection.close()


def _prepare(connection: PsycopgConnection, _record: object) -> None:
    with connection.cursor() as cursor:
        # The right plan is index look-ups whatever the parameters. Looking for a better one each time costs more than
        # it finds, and one made while the table was empty must serve when it has grown: left to itself it read whole
        # tables to join them, 500 µs a beat instead of 135. Nested loops also lock rows in the order of the round.
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        for costly in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin"):
            cursor.execute(f"SET {costly} = off")
        for prepare in (statements.beats(), statements.rosters(), statements.leave(), statements.clear()):
            cursor.execute(prepare)

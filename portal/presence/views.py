"""The presence API (docs/api.md): JSON in, JSON out, errors as problem+json. Who calls is the session's to say."""

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from portal import page_kinds
from portal.config import PresenceTimings
from portal.errors import InvalidInput, NotFound
from portal.extensions import csrf
from portal.live import open_stream
from portal.presence import roster as rules
from portal.presence import store
from portal.presence.beats import parse_stream_number, parse_tab_id
from portal.presence.fast_path import DEFERRED_ERROR
from portal.presence.heartbeat import MAX_BEAT_BODY_BYTES, handle_beat
from portal.web import session_cookie
from portal.web.csrf import check_csrf
from portal.web.json_body import read_json_body

blueprint = Blueprint("presence", __name__, url_prefix="/user_page_presence")
csrf.exempt(blueprint)  # checked below, after the sign-in session: 401 comes before 403
MAX_PAGES_PER_REQUEST = 100


@blueprint.before_request
def check_caller() -> None:
    """401 without a sign-in session, then 403 for an unsafe call without its CSRF token."""
    session_cookie.identity()
    check_csrf()


@blueprint.post("")
def beat() -> ResponseReturnValue:
    """Say "I am here" and learn who else is."""
    if failure := request.environ.get(DEFERRED_ERROR):
        raise failure
    return handle_beat(session_cookie.identity(), read_json_body(MAX_BEAT_BODY_BYTES), _timings())


@blueprint.get("/<page_identifier>")
def roster(page_identifier: str) -> ResponseReturnValue:
    """Who is on one page."""
    window = _timings().active_window_seconds
    return rules.viewers(store.roster(session_cookie.identity(), page_kinds.parse(page_identifier), window), window)


@blueprint.get("/<page_identifier>/events")
def events(page_identifier: str) -> ResponseReturnValue:
    """The page's changes as they happen, as server-sent events, until one side ends it."""
    stream = open_stream(
        current_app,
        page_kinds.parse(page_identifier),
        session_cookie.identity(),
        parse_tab_id(request.args.get("tab_id")),
        parse_stream_number(request.args.get("stream")),
        seconds_left=session_cookie.seconds_left(),
        connection=request.environ.get("gunicorn.socket"),
    )
    # nginx passes on what this header asks it to, whatever its own buffering says.
    headers = {"X-Accel-Buffering": "no"}
    return Response(stream, mimetype="text/event-stream", headers=headers, direct_passthrough=True)


@blueprint.post("/<page_identifier>/nudge")
def nudge(page_identifier: str) -> ResponseReturnValue:
    """Ask the others on the page to finish; the caller's tab must be waiting there."""
    body = read_json_body(MAX_BEAT_BODY_BYTES)
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    store.nudge(
        session_cookie.identity(), page_kinds.parse(page_identifier), parse_tab_id(body.get("tab_id")), _timings()
    )
    return {"status": "asked"}


@blueprint.get("")
def rosters() -> ResponseReturnValue:
    """Who is on each of many pages; those that are not for the caller are left out."""
    window = _timings().active_window_seconds
    found = store.rosters(session_cookie.identity(), _wanted_pages(), window)
    return {identifier: rules.viewers(roster, window) for identifier, roster in found.items()}


@blueprint.delete("/<page_identifier>")
def leave(page_identifier: str) -> ResponseReturnValue:
    """Take one tab off the page, or without `tab_id` all of the caller's."""
    page = page_kinds.parse(page_identifier)
    tab_id = request.args.get("tab_id")
    store.leave(
        session_cookie.identity(),
        page,
        None if tab_id is None else parse_tab_id(tab_id),
        _timings().active_window_seconds,
    )
    return {"status": "left"}


@blueprint.delete("")
def clear() -> ResponseReturnValue:
    """Take the caller off every page."""
    store.clear(session_cookie.identity())
    return {"status": "cleared"}


def _wanted_pages() -> list[page_kinds.Page]:
    identifiers = dict.fromkeys(request.args.getlist("page"))
    if not 0 < len(identifiers) <= MAX_PAGES_PER_REQUEST:
        raise InvalidInput("page", f"name 1 to {MAX_PAGES_PER_REQUEST} pages, such as ?page=client-1&page=client-2")
    return [page for page in map(_page_or_none, identifiers) if page]


def _page_or_none(page_identifier: str) -> page_kinds.Page | None:
    try:
        return page_kinds.parse(page_identifier)
    except NotFound:
        return None


def _timings() -> PresenceTimings:
    timings: PresenceTimings = current_app.config["SETTINGS"].presence
    return timings

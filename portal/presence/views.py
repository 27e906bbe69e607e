"""The presence API (docs/api.md): JSON in, JSON out, errors as problem+json. The session identifies the caller."""

from flask import Blueprint, Response, current_app, request
from flask.typing import ResponseReturnValue

from portal import page_kinds
from portal.errors import InvalidInput, NotFound
from portal.extensions import csrf
from portal.live import open_stream
from portal.live.stream import FOLLOWED, NO_ROWS, Rows
from portal.presence.beats import parse_stream_number, parse_tab_id
from portal.presence.fast_path import DEFERRED_ERROR
from portal.presence.heartbeat import MAX_BEAT_BODY_BYTES, handle_beat
from portal.presence.roster import Roster, Viewer, viewers
from portal.presence.store import current_store
from portal.web import session_cookie
from portal.web.csrf import check_csrf
from portal.web.request_body import read_json_body

blueprint = Blueprint("presence", __name__, url_prefix="/user_page_presence")
csrf.exempt(blueprint)  # checked below, after the sign-in session: 401 comes before 403
MAX_PAGES_PER_REQUEST = 100


@blueprint.before_request
def check_caller() -> None:
    """Answer 401 without a sign-in session, then 403 for an unsafe call without its CSRF token."""
    session_cookie.identity()
    check_csrf()


@blueprint.post("")
def beat() -> ResponseReturnValue:
    """Record a heartbeat and return the roster of its page."""
    if error := request.environ.get(DEFERRED_ERROR):
        raise error
    return handle_beat(current_store(), session_cookie.identity(), read_json_body(MAX_BEAT_BODY_BYTES))


@blueprint.get("/<page_identifier>")
def roster(page_identifier: str) -> ResponseReturnValue:
    """Return the roster of one page."""
    return _viewers(current_store().roster(session_cookie.identity(), page_kinds.parse(page_identifier)))


@blueprint.get("/<page_identifier>/events")
def events(page_identifier: str) -> ResponseReturnValue:
    """Stream the page's changes as server-sent events until one side closes the connection."""
    tab_id, number = parse_tab_id(request.args.get("tab_id")), parse_stream_number(request.args.get("stream"))
    return _stream(page_kinds.parse(page_identifier), tab_id, number)


@blueprint.get("/events")
def own_events() -> ResponseReturnValue:
    """Stream the caller's own events, and those of the rows of a list: the pages named by `page`.

    A page that the caller may not see has no event. With `follow`, a list also hears of other pages.
    """
    identifiers = dict.fromkeys(request.args.getlist("page"))
    if len(identifiers) > MAX_PAGES_PER_REQUEST:
        raise InvalidInput("page", f"name at most {MAX_PAGES_PER_REQUEST} pages, such as ?page=client-1&page=client-2")
    rows = [page.identifier for page in map(_page_or_none, identifiers) if page]
    followed = request.args.get("follow", "")
    return _stream(None, "", 0, Rows(rows, followed if followed in FOLLOWED else ""))


@blueprint.get("/<page_identifier>/drafts")
def shared_drafts(page_identifier: str) -> ResponseReturnValue:
    """Return the unsaved values of the other editors of the forms that the caller has open.

    For a browser whose stream does not work. None for a caller who may not change the record or has no editor open.
    """
    content = current_store().shared_drafts(session_cookie.identity(), page_kinds.parse(page_identifier))
    return Response(content, mimetype="application/json")


@blueprint.post("/<page_identifier>/nudge")
def nudge(page_identifier: str) -> ResponseReturnValue:
    """Ask the other users on the page to finish. The caller's tab must be waiting there."""
    body = read_json_body(MAX_BEAT_BODY_BYTES)
    if not isinstance(body, dict):
        raise InvalidInput("body", "must be a JSON object")
    current_store().nudge(
        session_cookie.identity(), page_kinds.parse(page_identifier), parse_tab_id(body.get("tab_id"))
    )
    return {"status": "asked"}


@blueprint.get("")
def rosters() -> ResponseReturnValue:
    """Return the rosters of several pages, without those that the caller may not see."""
    rosters_by_page = current_store().rosters(session_cookie.identity(), _requested_pages())
    return {identifier: _viewers(roster) for identifier, roster in rosters_by_page.items()}


@blueprint.delete("/<page_identifier>")
def leave(page_identifier: str) -> ResponseReturnValue:
    """Remove one tab from the page, or all tabs of the caller without `tab_id`."""
    page = page_kinds.parse(page_identifier)
    tab_id = request.args.get("tab_id")
    current_store().leave(session_cookie.identity(), page, None if tab_id is None else parse_tab_id(tab_id))
    return {"status": "left"}


@blueprint.delete("")
def clear() -> ResponseReturnValue:
    """Remove the caller from every page."""
    current_store().clear(session_cookie.identity())
    return {"status": "cleared"}


def _stream(page: page_kinds.Page | None, tab_id: str, number: int, rows: Rows = NO_ROWS) -> Response:
    stream = open_stream(
        current_app,
        page,
        session_cookie.identity(),
        tab_id,
        number,
        rows=rows,
        seconds_left=session_cookie.seconds_left(),
        connection=request.environ.get("gunicorn.socket"),
    )
    # Disables nginx's buffering of this response, whatever its configuration.
    headers = {"X-Accel-Buffering": "no"}
    return Response(stream, mimetype="text/event-stream", headers=headers, direct_passthrough=True)


def _viewers(roster: Roster) -> list[Viewer]:
    return viewers(roster, current_store().timings.active_window_seconds)


def _requested_pages() -> list[page_kinds.Page]:
    identifiers = dict.fromkeys(request.args.getlist("page"))
    if not 0 < len(identifiers) <= MAX_PAGES_PER_REQUEST:
        raise InvalidInput("page", f"name 1 to {MAX_PAGES_PER_REQUEST} pages, such as ?page=client-1&page=client-2")
    return [page for page in map(_page_or_none, identifiers) if page]


def _page_or_none(page_identifier: str) -> page_kinds.Page | None:
    try:
        return page_kinds.parse(page_identifier)
    except NotFound:
        return None

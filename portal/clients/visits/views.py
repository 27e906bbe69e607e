"""Record the visit of a client page, or dismiss the strip that says what has changed since the last one.

A page records its visit after it was in sight for MIN_VISIT_SECONDS, so a glance is no visit. A page without JavaScript
requests an image instead, as soon as it is loaded. The requests of a page never extend a sign-in session
(session_cookie.BACKGROUND_BLUEPRINTS).
"""

from collections.abc import Mapping

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clients.permissions import client_for
from portal.clients.visits import store
from portal.editing.base_version import parse_base_version
from portal.extensions import db
from portal.web.request_body import is_json, request_fields

blueprint = Blueprint("client_visits", __name__, url_prefix="/clients/<id:client_id>/visit")
MIN_VISIT_SECONDS = 3


@blueprint.post("")
def record(client_id: int) -> ResponseReturnValue:
    """Record that the caller has seen the version of the page, and return to the page."""
    _record(client_id, request_fields())
    if is_json():
        return {"status": "recorded"}
    return redirect(url_for("clients.show", client_id=client_id))


@blueprint.get("")
def record_by_image(client_id: int) -> ResponseReturnValue:
    """Record the visit for a browser without JavaScript. The record does not change, and repeating it changes nothing.

    A link on another site cannot do it for the caller: browsers say where a request comes from.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin":
        _record(client_id, request.args)
    return "", 204


def _record(client_id: int, fields: Mapping[str, str]) -> None:
    client = client_for(current_user, client_id)
    store.record(current_user, client, parse_base_version(fields).version)
    db.session.commit()

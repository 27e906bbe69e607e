"""Serve the changes since a version, and who removed the reader's access to a client.

Open pages request the changes when a heartbeat returns a newer version, and the loss when they get 404. JSON only; the
requests never extend a sign-in session (session_cookie.BACKGROUND_BLUEPRINTS).
"""

import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.auth import Profile
from portal.clients.history.changes_since import changes_since
from portal.clients.lost_access import loss_of, ticket_from
from portal.clients.permissions import client_for
from portal.clients.valuations.grid import parse_day
from portal.errors import InvalidInput, NotFound
from portal.extensions import db
from portal.integers import MAX_INTEGER

blueprint = Blueprint("client_changes", __name__)
VERSION = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


@blueprint.get("/clients/<id:client_id>/changes")
def changes(client_id: int) -> ResponseReturnValue:
    """Return the revisions since the version that the page shows."""
    client = client_for(current_user, client_id)
    return changes_since(client, _since(), current_user.id)


@blueprint.get("/clients/<id:client_id>/changes/<day>")
def changes_of_day(client_id: int, day: str) -> ResponseReturnValue:
    """Return the revisions as `changes` does, with the amounts of the day as the fields of its grid."""
    client, parsed = client_for(current_user, client_id), parse_day(day)
    if parsed is None:
        raise NotFound("There are no valuations of such a day.")
    return changes_since(client, _since(), current_user.id, parsed)


@blueprint.get("/lost_access")
def lost_access() -> ResponseReturnValue:
    """Return who removed the caller's access to the client, and when. 404 without a ticket of a page that showed it."""
    ticket = ticket_from(request.args.get("ticket", ""))
    loss = loss_of(current_user, ticket) if ticket else None
    if loss is None:
        raise NotFound("This page has shown no client that you have lost access to.")
    by = db.session.get(Profile, loss.changed_by) if loss.changed_by else None
    return {"by": by and by.full_name, "email": by and by.email, "at": loss.changed_at.isoformat()}


def _since() -> int:
    """Return the version in the query string. Raises InvalidInput (422)."""
    text = request.args.get("since", "")
    if not VERSION.fullmatch(text) or int(text) > MAX_INTEGER:
        raise InvalidInput("since", "must be the number of a version, such as 7")
    return int(text)

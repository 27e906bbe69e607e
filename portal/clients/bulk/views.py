"""Serve the steps of a change of several clients. JSON in, JSON out."""

import time

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clients.bulk.changes import change_client, parse_change
from portal.clients.permissions import Caller
from portal.errors import NotAllowed
from portal.web.actor import current_actor
from portal.web.request_body import read_json_body
from portal.web.session_cookie import identity

blueprint = Blueprint("client_bulk", __name__)
MAX_BODY_BYTES = 32_000  # 500 pairs of two long numbers
# A step ends after this time, so that no request is long and the user sees progress.
STEP_SECONDS = 1.0


@blueprint.post("/clients/bulk")
def change() -> ResponseReturnValue:
    """Change the clients in their order until the step's time is over. Returns a result for each that was tried."""
    if not current_user.may_write:
        raise NotAllowed("Your role lets you look at clients but not change them.")
    wanted = parse_change(read_json_body(MAX_BODY_BYTES))
    ends_at = time.monotonic() + STEP_SECONDS
    results = []
    for client_id, version in wanted.clients:
        caller = Caller(current_user, identity())
        results.append(change_client(client_id, version, wanted, caller, current_actor()))
        if time.monotonic() > ends_at:
            break
    return {"results": [result.as_json() for result in results]}

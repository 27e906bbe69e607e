"""GET /clients/<id>/changes: asked by open pages, by themselves, once a beat has told them of a newer version.

JSON only, and never what prolongs a sign-in session (sessions.BACKGROUND_BLUEPRINTS).
"""

import re

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.auth.access import require_sign_in
from portal.clients.access import client_for
from portal.clients.changes import changes_since
from portal.editing.guard import LARGEST_VERSION
from portal.errors import InvalidInput

blueprint = Blueprint("client_changes", __name__)
blueprint.before_request(require_sign_in)
VERSION = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


@blueprint.get("/clients/<int(min=1, max=2147483647):client_id>/changes")
def changes(client_id: int) -> ResponseReturnValue:
    """The revisions since the version that the page knows."""
    client = client_for(current_user, client_id)
    return changes_since(client, _since())


def _since() -> int:
    """Raises InvalidInput (422)."""
    text = request.args.get("since", "")
    if not VERSION.fullmatch(text) or int(text) > LARGEST_VERSION:
        raise InvalidInput("since", "must be the number of a version, such as 7")
    return int(text)

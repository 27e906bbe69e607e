"""Serve POST /clients/<id>/merge: the merge of typed texts with the saved ones.

Open editors send it when other users have saved. JSON only; the request never extends a sign-in session
(session_cookie.BACKGROUND_BLUEPRINTS).
"""

from collections.abc import Mapping

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import UnsupportedMediaType

from portal.clients.editor.text_merges import text_merges
from portal.clients.permissions import client_for
from portal.clients.records.entries import CLIENT
from portal.clients.saving.edits import Edit
from portal.clients.saving.write_context import preview_context
from portal.editing.base_version import parse_base_version
from portal.editing.drafts.payload import MAX_VALUE_LENGTH
from portal.editing.merge.budget import Budget
from portal.errors import InvalidInput
from portal.extensions import csrf
from portal.text_input import clean_lines
from portal.web.csrf import check_csrf
from portal.web.request_body import is_json, request_fields

blueprint = Blueprint("client_text_merges", __name__)
csrf.exempt(blueprint)  # checked below, after the sign-in session: 401 comes before 403
blueprint.before_request(check_csrf)
BASE_VERSION_FIELDS = {"version", "seen"}


@blueprint.post("/clients/<id:client_id>/merge")
def merge(client_id: int) -> ResponseReturnValue:
    """Return the merge of the sent texts with the saved ones. Nothing is written."""
    client = client_for(current_user, client_id, write=True)
    if not is_json():
        raise UnsupportedMediaType
    sent = request_fields()
    context = preview_context(parse_base_version(sent), Budget())
    return text_merges(client, Edit(context, _texts(sent)))


def _texts(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the sent texts, cleaned as a save cleans them. Raises InvalidInput (422)."""
    for name in sent.keys() - BASE_VERSION_FIELDS - CLIENT.by_lines.keys():
        raise InvalidInput(name, "is not a text that is merged line by line")
    texts = {name: clean_lines(text) for name, text in sent.items() if name in CLIENT.by_lines}
    if not texts:
        raise InvalidInput(" or ".join(sorted(CLIENT.by_lines)), "is missing")
    for name, text in texts.items():
        if len(text) > MAX_VALUE_LENGTH:
            raise InvalidInput(name, f"must be at most {MAX_VALUE_LENGTH:,} characters")
    return texts

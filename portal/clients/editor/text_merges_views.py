"""Serve merges of typed texts: with the saved ones, and with another user's unsaved text.

Open editors request them when other users have saved or typed. JSON only; the requests never extend a sign-in session
(session_cookie.BACKGROUND_BLUEPRINTS).
"""

from collections.abc import Mapping

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import UnsupportedMediaType

from portal.clients.editor.text_merges import text_merges, unsaved_text_merge
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
    return text_merges(client, _edit(_sent()))


@blueprint.post("/clients/<id:client_id>/merge_unsaved")
def merge_unsaved(client_id: int) -> ResponseReturnValue:
    """Return the merge of another user's unsaved text, which the caller was shown, with `mine`. Nothing is written."""
    client = client_for(current_user, client_id, write=True)
    sent = dict(_sent())
    mine = clean_lines(sent.pop("mine", ""))
    if len(mine) > MAX_VALUE_LENGTH:
        raise InvalidInput("mine", f"must be at most {MAX_VALUE_LENGTH:,} characters")
    edit = _edit(sent)
    if len(edit.values) != 1:
        raise InvalidInput(" or ".join(sorted(edit.values)), "cannot be merged together: send one text")
    return unsaved_text_merge(client, edit, mine)


def _sent() -> Mapping[str, str]:
    if not is_json():
        raise UnsupportedMediaType
    return request_fields()


def _edit(sent: Mapping[str, str]) -> Edit:
    return Edit(preview_context(parse_base_version(sent), Budget()), _texts(sent))


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

"""Serve POST /clients/<id>/<kind>/same: whether the client has the part that the user is adding already.

An open form sends it when another user has added a part of its kind. The fields are in the body, because addresses are
logged and a National Insurance number must not be. JSON only; the request never extends a sign-in session
(session_cookie.BACKGROUND_BLUEPRINTS).
"""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import UnsupportedMediaType

from portal.clients.editor.editor import editor_of
from portal.clients.editor.form_fields import EntryForm
from portal.clients.editor.responses import url_of_part
from portal.clients.permissions import client_for
from portal.clients.records.entries import KINDS, Entry
from portal.clients.saving.same_parts import find_same
from portal.extensions import csrf
from portal.web.csrf import check_csrf
from portal.web.request_body import is_json, reject_unknown_fields, request_fields

blueprint = Blueprint("client_same_parts", __name__)
csrf.exempt(blueprint)  # checked below, after the sign-in session: 401 comes before 403
blueprint.before_request(check_csrf)


@blueprint.post("/clients/<id:client_id>/<any(person, product):kind>/same")
def same(client_id: int, kind: str) -> ResponseReturnValue:
    """Return the question that a save would ask, or null. Nothing is written."""
    client = client_for(current_user, client_id, write=True)
    if not is_json():
        raise UnsupportedMediaType
    editor = editor_of(client, Entry(KINDS[kind]), current_user.id)
    form = editor.make_form(request_fields())
    reject_unknown_fields(set(form.field_names()))
    found = None if _is_unreadable(form) else find_same(client, editor.entry.kind, editor.values(form))
    if found is None:
        return {"same": None}
    return {
        "same": {
            "key": found.entry.prefix,
            "name": found.name,
            "url": url_of_part(client, found.entry),
            "field": found.field,
            "question": found.problem,
            "can_be_another": found.can_be_another,
        }
    }


def _is_unreadable(form: EntryForm) -> bool:
    """Return whether a field is invalid. Half a date would otherwise match a person without a date of birth."""
    return any(form[name].process_errors for name in form.field_names() if form[name].raw_data)

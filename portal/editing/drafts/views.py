"""The drafts API (docs/api.md): JSON in, JSON out, errors as problem+json.

Also discards a draft without JavaScript, by a form.
"""

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import page_kinds
from portal.auth.permissions import require_sign_in
from portal.editing.drafts import store
from portal.editing.drafts.payload import draft_id_from, mark_of, parse_draft, parse_form_name
from portal.editing.drafts.store import DraftKey
from portal.errors import NotAllowed
from portal.extensions import csrf, db
from portal.web.csrf import check_csrf
from portal.web.request_body import read_json_body
from portal.web.safe_redirect import safe_redirect_target
from portal.web.session_cookie import identity

blueprint = Blueprint("drafts", __name__, url_prefix="/edit_drafts")
csrf.exempt(blueprint)  # checked below, after the sign-in session: 401 comes before 403
# A separate blueprint for a user's action: it extends the sign-in session, and its errors are pages.
by_hand = Blueprint("drafts_by_hand", __name__)
MAX_DRAFT_BODY_BYTES = 256 * 1024
DRAFT_CHANGED = "Nothing is discarded: you have typed more since, in another tab."


@blueprint.before_request
def wait_for_turn() -> None:
    """Wait for the profile's other tabs before checking the session, so that the check is not outdated by the wait.

    Raises NotSignedIn (401) without a cookie.
    """
    store.lock_drafts(identity().profile_id)


blueprint.before_request(require_sign_in)


@blueprint.before_request
def check_token() -> None:
    """Raise 403 for an unsafe call without its CSRF token."""
    check_csrf()


@blueprint.put("/<page_identifier>")
def save(page_identifier: str) -> ResponseReturnValue:
    """Store the unsaved input of one page, beside the drafts of other pages for the same form."""
    draft_id = draft_id_from(request.args.get("draft", ""))
    key = _draft_key(page_identifier)
    fields = page_kinds.parse(page_identifier).kind.fields_of(key.form)
    store.save(key, draft_id, parse_draft(read_json_body(MAX_DRAFT_BODY_BYTES), fields))
    db.session.commit()
    return {"status": "kept"}


@blueprint.delete("/<page_identifier>")
def discard(page_identifier: str) -> ResponseReturnValue:
    """Discard the draft of `mark`, unless its page has written it since, or the page's own, by its `draft`.

    `status` is deprecated: it says the same as `discarded`, as in release 0.1.
    """
    key = _draft_key(page_identifier)
    is_gone = True
    if "mark" in request.args:
        is_gone = store.discard_marked(key, mark_of(request.args["mark"], "mark"))
    else:
        store.discard(key, draft_id_from(request.args.get("draft", "")))
    db.session.commit()
    return {"status": "discarded" if is_gone else "moved_on", "discarded": is_gone}


@by_hand.post("/discard_draft/<page_identifier>")
def discard_by_hand(page_identifier: str) -> ResponseReturnValue:
    """Discard a draft by the form in the editor's banner, and return to the editor."""
    is_gone = store.discard_marked(_draft_key(page_identifier), mark_of(request.form.get("mark"), "mark"))
    db.session.commit()
    flash("Your unsaved changes are discarded." if is_gone else DRAFT_CHANGED)
    return redirect(safe_redirect_target(request.form.get("back"), default="/"))


def _draft_key(page_identifier: str) -> DraftKey:
    """Return the key. Raises NotFound (404) for an invisible page, NotAllowed (403) for a reader."""
    page = page_kinds.parse(page_identifier)
    page.kind.load(current_user, page.number)
    if not current_user.may_write:
        raise NotAllowed("Your role lets you look but not change anything.")
    form = parse_form_name(request.args.get("form"), page.kind.fields_of)
    return DraftKey(current_user.id, page.identifier, form)

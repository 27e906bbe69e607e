"""Dismiss the notice that another user has overruled or undone the reader's change."""

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.clients.permissions import client_for
from portal.clients.wording import overruled
from portal.extensions import db
from portal.web.request_body import is_json, request_fields
from portal.web.safe_redirect import safe_redirect_target

blueprint = Blueprint("client_overruled", __name__, url_prefix="/clients/<id:client_id>/overruled")


@blueprint.post("/<id:version>/dismiss")
def dismiss(client_id: int, version: int) -> ResponseReturnValue:
    """Delete the caller's own notice. The record does not change."""
    client = client_for(current_user, client_id)
    request_fields()
    overruled.dismiss(current_user.id, client, version)
    db.session.commit()
    if is_json():
        return {"status": "dismissed"}
    flash("The message is dismissed.")
    return redirect(
        safe_redirect_target(request.args.get("back"), default=url_for("clients.show", client_id=client.id))
    )

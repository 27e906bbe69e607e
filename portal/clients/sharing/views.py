"""Serve the page on which the adviser and administrators manage access to a client."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.auth import directory
from portal.clients.permissions import client_for_access_management
from portal.clients.presence import presence_on_client
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit, ValueRejected
from portal.clients.saving.write_request import WriteRequest, write_request_from
from portal.clients.sharing import grants
from portal.errors import InvalidInput
from portal.extensions import db
from portal.integers import MAX_INTEGER
from portal.web.error_handlers import error_response
from portal.web.pagination import parse_number
from portal.web.request_body import is_json

blueprint = Blueprint("client_access", __name__, url_prefix="/clients/<id:client_id>/access")


@blueprint.get("")
def show(client_id: int) -> ResponseReturnValue:
    return _render_access(client_for_access_management(current_user, client_id))


@blueprint.post("")
def restrict(client_id: int) -> ResponseReturnValue:
    """Restrict the client, or show it to all users."""
    client, write_request = _write_request(client_id)
    is_restricted = write_request.fields.get("is_restricted")
    if is_restricted not in ("yes", "no"):
        raise InvalidInput("is_restricted", "must be yes or no")
    grants.restrict(client, Edit(write_request.context), is_restricted=is_restricted == "yes")
    return _redirect_to_access(
        client, "Only those below see this client now." if is_restricted == "yes" else "All users see it now."
    )


@blueprint.post("/grant")
def grant(client_id: int) -> ResponseReturnValue:
    """Grant one user access to the client."""
    client, write_request = _write_request(client_id)
    profile_id = parse_number(write_request.fields.get("profile_id", ""), MAX_INTEGER)
    try:
        grants.grant(client, profile_id or 0, Edit(write_request.context))
    except ValueRejected as rejection:
        db.session.rollback()
        return _rejected_page(client, rejection)
    return _redirect_to_access(client, f"{directory.name_of(profile_id)} sees this client now.")


@blueprint.post("/<id:grant_id>/revoke")
def revoke(client_id: int, grant_id: int) -> ResponseReturnValue:
    """Revoke one grant."""
    client, write_request = _write_request(client_id)
    grants.revoke(client, grant_id, Edit(write_request.context))
    return _redirect_to_access(client, "Access is taken back.")


def _write_request(client_id: int) -> tuple[Client, WriteRequest]:
    client = client_for_access_management(current_user, client_id)
    return client, write_request_from(current_user)


def _redirect_to_access(client: Client, message: str) -> ResponseReturnValue:
    db.session.commit()
    if is_json():
        return {"status": "saved", "version": client.version}
    flash(message)
    return redirect(url_for(".show", client_id=client.id))


def _rejected_page(client: Client, rejection: ValueRejected) -> ResponseReturnValue:
    if is_json():
        return error_response(422, rejection.problem, field=rejection.field)
    return _render_access(client, rejection.problem), 422


def _render_access(client: Client, failure: str = "") -> str:
    return render_template(
        "clients/sharing/access.html",
        client=client,
        adviser_name=directory.name_of(client.adviser_id),
        grants=grants.grants_of(client),
        people=grants.people_to_grant(client),
        failure=failure,
        own_url=url_for(".show", client_id=client.id),
        presence=presence_on_client(client, "viewing"),
    )

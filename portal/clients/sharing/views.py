"""The page on which the adviser and administrators manage access to a client."""

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
    client, asked = _write_request(client_id)
    is_restricted = asked.sent.get("is_restricted")
    if is_restricted not in ("yes", "no"):
        raise InvalidInput("is_restricted", "must be yes or no")
    grants.restrict(client, _edit(asked), is_restricted=is_restricted == "yes")
    return _redirect_to_access(
        client, "Only those below see this client now." if is_restricted == "yes" else "All users see it now."
    )


@blueprint.post("/grant")
def grant(client_id: int) -> ResponseReturnValue:
    """Grant one user access to the client."""
    client, asked = _write_request(client_id)
    profile_id = parse_number(asked.sent.get("profile_id", ""), MAX_INTEGER)
    try:
        grants.grant(client, profile_id or 0, _edit(asked))
    except ValueRejected as refused:
        db.session.rollback()
        return _refused_page(client, refused)
    return _redirect_to_access(client, f"{directory.name_of(profile_id)} sees this client now.")


@blueprint.post("/<id:grant_id>/revoke")
def revoke(client_id: int, grant_id: int) -> ResponseReturnValue:
    """Revoke one grant."""
    client, asked = _write_request(client_id)
    grants.revoke(client, grant_id, _edit(asked))
    return _redirect_to_access(client, "Access is taken back.")


def _write_request(client_id: int) -> tuple[Client, WriteRequest]:
    client = client_for_access_management(current_user, client_id)
    return client, write_request_from(current_user)


def _edit(asked: WriteRequest) -> Edit:
    return Edit(
        asked.origin, asked.by.id, caller=asked.caller, source=asked.source, request_origin=asked.request_origin
    )


def _redirect_to_access(client: Client, message: str) -> ResponseReturnValue:
    db.session.commit()
    if is_json():
        return {"status": "saved", "version": client.version}
    flash(message)
    return redirect(url_for(".show", client_id=client.id))


def _refused_page(client: Client, refused: ValueRejected) -> ResponseReturnValue:
    if is_json():
        return error_response(422, refused.problem, field=refused.field)
    return _render_access(client, refused.problem), 422


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

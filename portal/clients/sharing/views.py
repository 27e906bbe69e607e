"""Who sees a client: the page where its adviser and administrators say so."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.auth import directory
from portal.auth.permissions import require_sign_in
from portal.clients.permissions import client_to_grant
from portal.clients.presence import presence_on_client
from portal.clients.records.models import Client
from portal.clients.saving.edits import Edit, ValueRefused
from portal.clients.saving.write_request import Asked, asked_by
from portal.clients.sharing import grants
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.error_handlers import answer
from portal.web.pagination import LARGEST_NUMBER, number_from
from portal.web.request_body import is_json

blueprint = Blueprint("client_access", __name__, url_prefix="/clients/<int(min=1, max=2147483647):client_id>/access")
blueprint.before_request(require_sign_in)


@blueprint.get("")
def show(client_id: int) -> ResponseReturnValue:
    return _page(client_to_grant(current_user, client_id))


@blueprint.post("")
def restrict(client_id: int) -> ResponseReturnValue:
    """Hide the client from everybody else, or show it to all again."""
    client, asked = _asked(client_id)
    is_restricted = asked.sent.get("is_restricted")
    if is_restricted not in ("yes", "no"):
        raise InvalidInput("is_restricted", "must be yes or no")
    grants.restrict(client, _edit(asked), is_restricted=is_restricted == "yes")
    return _done(
        client, "Only those below see this client now." if is_restricted == "yes" else "Everybody sees it now."
    )


@blueprint.post("/grant")
def grant(client_id: int) -> ResponseReturnValue:
    """Let one more person see the client."""
    client, asked = _asked(client_id)
    profile_id = number_from(asked.sent.get("profile_id", ""), LARGEST_NUMBER)
    try:
        grants.grant(client, profile_id or 0, _edit(asked))
    except ValueRefused as refused:
        db.session.rollback()
        return _refused(client, refused)
    return _done(client, f"{directory.name_of(profile_id)} sees this client now.")


@blueprint.post("/<int(min=1, max=2147483647):grant_id>/revoke")
def revoke(client_id: int, grant_id: int) -> ResponseReturnValue:
    """Take one grant back."""
    client, asked = _asked(client_id)
    grants.revoke(client, grant_id, _edit(asked))
    return _done(client, "Access is taken back.")


def _asked(client_id: int) -> tuple[Client, Asked]:
    client = client_to_grant(current_user, client_id)
    return client, asked_by(current_user)


def _edit(asked: Asked) -> Edit:
    return Edit(asked.origin, asked.by.id, caller=asked.caller, source=asked.source, whence=asked.whence)


def _done(client: Client, message: str) -> ResponseReturnValue:
    db.session.commit()
    if is_json():
        return {"status": "saved", "version": client.version}
    flash(message)
    return redirect(url_for(".show", client_id=client.id))


def _refused(client: Client, refused: ValueRefused) -> ResponseReturnValue:
    if is_json():
        return answer(422, refused.problem, field=refused.field)
    return _page(client, refused.problem), 422


def _page(client: Client, failure: str = "") -> str:
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

"""Serve the hand-over of a client book: a preview, then steps that change one client after the other."""

import time
from dataclasses import replace

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired

from portal.auth import Profile, administration, directory, profiles
from portal.auth.permissions import require_admin
from portal.auth.views.forms import ReauthenticationForm
from portal.auth.views.reauthentication import is_reauthenticated
from portal.clients.permissions import Caller, client_for
from portal.clients.records.models import Client
from portal.clients.saving.write_context import WriteContext
from portal.clients.sharing.hand_over import MAX_FAILED_LISTED, HandOver, hand_over_from
from portal.clients.sharing.reassign import check_may_receive, client_ids_of, mark_of, reassign_client
from portal.driver.errors import kind_of_trouble
from portal.editing.base_version import BaseVersion
from portal.errors import NotAllowed, StaleVersion
from portal.extensions import db
from portal.web.actor import current_actor
from portal.web.pagination import PAGE_SIZE, Paging, parse_page
from portal.web.request_body import reject_json
from portal.web.session_cookie import identity

blueprint = Blueprint("hand_over", __name__, url_prefix="/users/<id:profile_id>/hand-over")
blueprint.before_request(require_admin)
blueprint.before_request(reject_json)
# A step ends after this time, so that no request is long. A client takes 10 to 20 ms.
STEP_SECONDS = 1.5
CHANGED = "The clients have changed since this page was opened. Check them again."
BEING_SAVED = "another user was saving it at that moment"


class HandOverForm(ReauthenticationForm):
    """`mark` identifies the clients that the page has shown."""

    to = SelectField("New adviser", [InputRequired("Choose the new adviser.")])
    mark = HiddenField()
    deactivate = BooleanField("Deactivate the user first, and sign the user out everywhere")


@blueprint.get("")
def show(profile_id: int) -> ResponseReturnValue:
    """Show which clients would be handed over."""
    adviser = profiles.profile_with_id(profile_id)
    return _preview(adviser, _form(adviser))


@blueprint.post("")
def begin(profile_id: int) -> ResponseReturnValue:
    """Verify the password, deactivate the user if wanted, and show the first step.

    A deactivated user gets no further clients, so the book cannot grow meanwhile.
    """
    adviser = profiles.profile_with_id(profile_id)
    form = _form(adviser)
    if not is_reauthenticated(form):
        return _preview(adviser, form), 422
    client_ids, to_adviser = client_ids_of(adviser), profiles.profile_with_id(int(form.to.data))
    check_may_receive(to_adviser)
    if form.mark.data != mark_of(client_ids):
        return _preview(adviser, form, CHANGED), 409
    if form.deactivate.data:
        if adviser.id == current_user.id:
            raise NotAllowed("Another administrator must deactivate your account.")
        administration.set_active(current_actor(), adviser, is_active=False)
        db.session.commit()
    return _step_page(adviser, to_adviser, HandOver(adviser.id, to_adviser.id, len(client_ids)))


@blueprint.post("/step")
def step(profile_id: int) -> ResponseReturnValue:
    """Hand over clients for a second, each in a transaction of its own."""
    adviser = profiles.profile_with_id(profile_id)
    state = hand_over_from(request.form.get("state", ""), identity().session_id)
    if state.from_id != adviser.id:
        raise NotAllowed("This is the hand-over of another user.")
    to_adviser = profiles.profile_with_id(state.to_id)
    ends_at = time.monotonic() + STEP_SECONDS
    for client_id in client_ids_of(adviser, state.after_id):
        state = _with_next(state, client_id, _hand_over(client_id, adviser, to_adviser, state.total > 1))
        if time.monotonic() > ends_at:
            return _step_page(adviser, to_adviser, state)
    return _result(adviser, to_adviser, state)


def _form(adviser: Profile) -> HandOverForm:
    form = HandOverForm()
    others = [SelectChoice(str(id_), name) for id_, name in directory.advisers(only_active=True) if id_ != adviser.id]
    form.to.choices = [SelectChoice("", "Choose the adviser"), *others]
    return form


def _hand_over(client_id: int, adviser: Profile, to_adviser: Profile, is_one_of_many: bool) -> str | None:
    """Reassign one client and commit. Return why it was not changed, '' if it was, None if it has another adviser."""
    client = client_for(current_user, client_id, write=True)
    if client.adviser_id != adviser.id:
        return None
    context = WriteContext(
        BaseVersion(client.version),
        current_actor(),
        Caller(current_user, identity()),
        source="form",
        is_one_of_many=is_one_of_many,
    )
    try:
        reassign_client(client, to_adviser, context)
        db.session.commit()
    except StaleVersion:
        db.session.rollback()
        return "another user has changed its adviser meanwhile"
    except OperationalError as error:
        db.session.rollback()
        if kind_of_trouble(error) != "too slow":
            raise
        return BEING_SAVED
    return ""


def _with_next(state: HandOver, client_id: int, reason: str | None) -> HandOver:
    state = replace(state, after_id=client_id)
    if reason is None:
        return state
    if not reason:
        return replace(state, done=state.done + 1)
    failed = [*state.failed, (client_id, reason)][:MAX_FAILED_LISTED]
    return replace(state, failed=failed, failed_count=state.failed_count + 1)


def _preview(adviser: Profile, form: HandOverForm, failure: str = "") -> str:
    client_ids = client_ids_of(adviser)
    paging = Paging.near(parse_page(request.args), len(client_ids))
    shown = select(Client).where(Client.adviser_id == adviser.id).order_by(Client.id)
    form.mark.data = mark_of(client_ids)
    return render_template(
        "clients/sharing/hand_over.html",
        adviser=adviser,
        form=form,
        failure=failure,
        clients=db.session.scalars(shown.limit(PAGE_SIZE).offset(paging.offset)).all(),
        paging=paging,
        page_url=lambda number: url_for(".show", profile_id=adviser.id, page=number),
    )


def _step_page(adviser: Profile, to_adviser: Profile, state: HandOver) -> str:
    return render_template(
        "clients/sharing/hand_over_step.html",
        adviser=adviser,
        to_adviser=to_adviser,
        state=state,
        token=state.to_token(identity().session_id),
    )


def _result(adviser: Profile, to_adviser: Profile, state: HandOver) -> ResponseReturnValue:
    """Show which clients were not handed over, and why."""
    named = select(Client).where(Client.id.in_([client_id for client_id, _ in state.failed]))
    clients = {client.id: client for client in db.session.scalars(named)}
    return render_template(
        "clients/sharing/handed_over.html",
        adviser=adviser,
        to_adviser=to_adviser,
        state=state,
        failed=[(clients[client_id], reason) for client_id, reason in state.failed if client_id in clients],
    )

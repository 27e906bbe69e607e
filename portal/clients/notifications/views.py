"""Serve the notifications of the user: list, way to the place, mark as read, choice of kinds."""

from collections.abc import Mapping

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.auth import profiles
from portal.clients.notifications import queries
from portal.clients.notifications.wording import place_of, sentence_of
from portal.clients.wording.names import names_of_fields
from portal.errors import InvalidInput, NotFound
from portal.extensions import db
from portal.notifications import store
from portal.notifications.kinds import LABELS, Kind
from portal.web.pagination import parse_page
from portal.web.request_body import is_json, reject_json, request_fields

UNREAD = "unread_notifications"
blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@blueprint.get("")
def show() -> ResponseReturnValue:
    """List the user's notifications, newest first. The panel of the top bar takes its list from this page."""
    items, paging = queries.page_of_notifications(current_user.id, parse_page(request.args))
    names = names_of_fields(queries.fields_of(items))
    return render_template(
        "clients/notifications/notifications.html",
        rows=[(item, sentence_of(item, names)) for item in items],
        paging=paging,
        page_url=lambda number: url_for(".show", page=number),
        now=clock.now(),
    )


@blueprint.get("/<id:notification_id>")
def follow(notification_id: int) -> ResponseReturnValue:
    """Mark a notification as read, and lead to its place."""
    item = queries.notification(current_user.id, notification_id)
    if item is None:
        raise NotFound("This notification is gone, or you no longer have access to its client.")
    place = place_of(item, current_user)
    store.mark_read(current_user.id, notification_id)
    db.session.commit()
    return redirect(place)


@blueprint.post("/read")
def mark_all_read() -> ResponseReturnValue:
    """Mark all of the user's notifications as read."""
    request_fields()
    store.mark_read(current_user.id)
    db.session.commit()
    return {"status": "read"} if is_json() else redirect(url_for(".show"))


@blueprint.post("/kinds")
def choose_kinds() -> ResponseReturnValue:
    """Switch kinds of notification on and off: `kind` names those that the user wants."""
    reject_json()
    wanted = set(request.form.getlist("kind"))
    if not wanted <= set(Kind):
        raise InvalidInput("kind", f"must be of {', '.join(Kind)}")
    profiles.mute_notifications(current_user, sorted(set(Kind) - wanted))
    db.session.commit()
    flash("Your choice of notifications is saved.")
    return redirect(url_for("account.show"))


def count_unread_notifications() -> int:
    """Return the number of the user's unread notifications, for the button of the top bar.

    It was read with the profile, so that no page takes a statement more for it.
    """
    return int(g.get("read_with_profile", {}).get(UNREAD, 0))


def notification_labels() -> Mapping[Kind, str]:
    """Return the kinds of notification with their labels, for the account page."""
    return LABELS

"""Serve the desk, the page after signing in. It only reads; static/js/entry/desk.js reloads its parts in place."""

from typing import NamedTuple

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.clients.desk import queries
from portal.clients.page.own_drafts import label_and_url
from portal.clients.visits.recent import recent_clients
from portal.presence.context import list_heartbeat_seconds
from portal.presence.roster import Viewer

blueprint = Blueprint("desk", __name__)
MAX_RECENT = 8
MAX_USERS_NAMED = 3


class ShownDraft(NamedTuple):
    """A draft with the address of the editor that restores it."""

    draft: queries.Draft
    label: str
    url: str


@blueprint.get("/")
def show() -> ResponseReturnValue:
    """Show clients in use, reviews, recent clients, drafts and mentions."""
    return render_template(
        "clients/desk/desk.html",
        in_use=queries.clients_in_use(current_user),
        who_is_there=who_is_there,
        reviews=queries.reviews_of(current_user, clock.today()),
        review_days=queries.REVIEW_DAYS,
        recent=recent_clients(current_user, MAX_RECENT),
        drafts=_shown(queries.drafts_of(current_user)),
        mentions=queries.mentions_of(current_user),
        heartbeat_seconds=list_heartbeat_seconds("client"),
        today=clock.today(),
        now=clock.now(),
    )


def who_is_there(users: list[Viewer]) -> str:
    """Return "Daniel is editing Phone · Priya is viewing", users who edit first."""
    ordered = sorted(users, key=lambda user: (user["activity"] != "editing", user["entered_at"]))
    sentences = [_what_does(user) for user in ordered[:MAX_USERS_NAMED]]
    more = len(ordered) - len(sentences)
    return " · ".join([*sentences, *([f"{more} more"] if more else [])])


def _what_does(user: Viewer) -> str:
    if user["activity"] == "editing":
        field = user.get("focus") or next(iter(user["fields"]), "")
        return f"{user['first_name']} is editing {field}".strip()
    return f"{user['first_name']} is {'viewing' if user['visible'] else 'away'}"


def _shown(drafts: list[queries.Draft]) -> list[ShownDraft]:
    found = [(draft, label_and_url(draft.client_id, draft.draft_id, draft.form, draft.part)) for draft in drafts]
    return [ShownDraft(draft, *place) for draft, place in found if place]

"""Build the pages of an undo: the question, what was undone, and why something was not."""

from collections.abc import Callable, Collection

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal import clock
from portal.clients.editor import responses
from portal.clients.history.undo_preview import Preview
from portal.clients.presence import presence_on_client
from portal.clients.records.models import Client
from portal.clients.records.revisions import MAX_REASON_LENGTH, ClientRevision
from portal.clients.saving.edits import EntryChanged, Saved, ValueRejected
from portal.clients.saving.write_request import WriteRequest
from portal.clients.wording import overruled, sentences
from portal.clients.wording.names import names_in
from portal.extensions import db
from portal.web.error_handlers import error_response
from portal.web.request_body import is_json, request_fields
from portal.web.safe_redirect import safe_redirect_target

NOTHING_TO_UNDO = "There is nothing to undo: the record is as it was before that change."


def undo_page(client: Client, revision: ClientRevision, preview: Preview, failure: str = "") -> str:
    """Return the page that shows what the undo would do now, and asks."""
    return render_template(
        "clients/history/undo.html",
        client=client,
        revision=revision,
        preview=preview,
        who=sentences.author_name(revision),
        sentence=sentences.describe_changes(revision, names_in(client.id, [revision])),
        nothing=NOTHING_TO_UNDO,
        failure=failure,
        reason=request_fields().get("reason", "") if failure else "",
        max_reason_length=MAX_REASON_LENGTH,
        back_url=_back(client),
        back=request.args.get("back"),
        now=clock.now(),
        presence=presence_on_client(client, "viewing"),
    )


def undone_response(
    client: Client,
    revision: ClientRevision,
    saved: Saved,
    write_request: WriteRequest,
    *,
    keys: Collection[str],
    message: str,
) -> ResponseReturnValue:
    """Settle the notices about the keys, commit, and lead back to the history with the message."""
    overruled.settle(write_request.by.id, client, revision.version, keys)
    db.session.commit()
    if write_request.wants_json:
        return {"status": "reverted", "version": saved.version}
    flash(message if saved.is_change else NOTHING_TO_UNDO)
    return redirect(_back(client))


def rejected_response(
    client: Client, revision: ClientRevision, preview: Callable[[], Preview], error: EntryChanged | ValueRejected
) -> ResponseReturnValue:
    """Return 409 for a part that was changed since, or 422 for a value that is in use or not the caller's to change."""
    status = 422 if isinstance(error, ValueRejected) else 409
    why = error.problem if isinstance(error, ValueRejected) else f"{error} Remove it from its own page."
    if is_json():
        if isinstance(error, ValueRejected):
            return responses.rejected_values({error.field: why}, error, why)
        return error_response(status, why)
    return undo_page(client, revision, preview(), failure=f"Not undone. {why}"), status


def _back(client: Client) -> str:
    """Return the address of the history with its filters."""
    return safe_redirect_target(request.args.get("back"), default=url_for("client_history.show", client_id=client.id))

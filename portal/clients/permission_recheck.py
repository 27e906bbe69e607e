"""Record each read of a client when the response is ready, and check the permission again.

The same statement does both. A response that cannot be recorded, or whose permission is lost, is replaced.

A page takes several statements, and each sees what was committed before it. A statement after the permission check may
therefore read data written after the client was restricted. Data read before the second check was written while the
caller had access. The response to an accepted write contains only data read under the lock, and is no read: the history
has the change.
"""

from flask import Flask, Response, current_app, request

from portal.clients import permissions
from portal.driver.errors import DATABASE_ERRORS
from portal.extensions import db
from portal.web.error_handlers import error_response
from portal.web.session_cookie import identity

# Responses with data of the record: pages, and errors with other users' values.
RECHECKED_STATUSES = {200, 409, 410, 422}
# They write nothing and read without the lock.
READ_BY_POST = {"client_text_merges.merge", "client_text_merges.merge_unsaved", "client_same_parts.same"}


def init_permission(app: Flask) -> None:
    """Record and check every route with a client in its address, so that a new route cannot omit it."""
    app.after_request(_record_read)


def _record_read(response: Response) -> Response:
    client_id = (request.view_args or {}).get("client_id")
    is_write = request.method == "POST" and request.endpoint not in READ_BY_POST
    is_accepted_write = is_write and response.status_code == 200
    if client_id is None or response.status_code not in RECHECKED_STATUSES or is_accepted_write:
        return response
    try:
        db.session.rollback()  # what a refused write has flushed is not committed with the read
        if permissions.record_read(identity(), client_id):
            db.session.commit()
            return response
    except DATABASE_ERRORS as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    return error_response(404, permissions.CLIENT_NOT_FOUND)

"""Ask for permission once more when an answer about a client is ready, and withhold the answer where it is gone.

A page is read by several statements, and each sees what was committed before it. The permission came first, so a later
statement may have read what was written after the client was restricted. What was read before this last question was
written while the caller saw the client. An accepted write is answered from what was read under the lock.
"""

from flask import Flask, Response, current_app, request

from portal.clients import permissions
from portal.driver.errors import DATABASE_ERRORS
from portal.web.error_handlers import error_response
from portal.web.session_cookie import identity

# The answers that tell of the record: pages, and refusals with what others have saved.
TELLING = {200, 409, 410, 422}
READ_BY_POST = {"client_text_merges.merge", "client_same_parts.same"}  # write nothing, and read without the lock


def init_permission(app: Flask) -> None:
    """Every route with a client in its address is asked about, so that none can be forgotten."""
    app.after_request(_ask_again)


def _ask_again(response: Response) -> Response:
    client_id = (request.view_args or {}).get("client_id")
    is_write = request.method == "POST" and request.endpoint not in READ_BY_POST
    is_accepted_write = is_write and response.status_code == 200
    if client_id is None or response.status_code not in TELLING or is_accepted_write:
        return response
    try:
        if permissions.is_seen_by(identity(), client_id):
            return response
    except DATABASE_ERRORS as error:
        return current_app.make_response(current_app.handle_user_exception(error))
    return error_response(404, permissions.CLIENT_NOT_FOUND)

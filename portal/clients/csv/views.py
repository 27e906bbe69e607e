"""Serve the export of all client records as a download, for administrators."""

from flask import Blueprint, Response, render_template, send_file
from flask.typing import ResponseReturnValue

from portal import clock
from portal.auth.permissions import require_admin
from portal.auth.views.forms import ReauthenticationForm
from portal.auth.views.reauthentication import is_reauthenticated
from portal.clients.csv import schema
from portal.clients.csv.archive import export_archive
from portal.clients.csv.auditing import record_export
from portal.extensions import db
from portal.web.actor import current_actor
from portal.web.request_body import reject_json

blueprint = Blueprint("records", __name__, url_prefix="/records")
blueprint.before_request(require_admin)
blueprint.before_request(reject_json)


@blueprint.get("/export")
def ask_to_export() -> ResponseReturnValue:
    return _page(ReauthenticationForm())


@blueprint.post("/export")
def export() -> ResponseReturnValue:
    """Send all records as a ZIP file. The audit log has the export before the first byte leaves."""
    form = ReauthenticationForm()
    if not is_reauthenticated(form):
        return _page(form), 422
    db.session.commit()  # holds the session's lock no longer than the check
    archive, counts = export_archive()
    record_export(counts, current_actor())
    db.session.commit()
    name = f"kingstons-portal-{clock.today().isoformat()}.zip"
    response: Response = send_file(archive, mimetype="application/zip", as_attachment=True, download_name=name)
    return response


def _page(form: ReauthenticationForm) -> str:
    return render_template("clients/csv/export.html", form=form, files=schema.FILES)

"""Serve the import of CSV files in the browser, for administrators: upload, preview, progress, result."""

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import RequestEntityTooLarge

from portal import clock
from portal.auth.permissions import require_admin
from portal.auth.views.reauthentication import is_reauthenticated
from portal.clients.csv import schema
from portal.clients.csv.forms import ApplyForm, UploadForm
from portal.clients.csv.importing import pending, upload
from portal.clients.csv.importing.pending import PendingImport
from portal.clients.csv.problems import ImportProblems
from portal.driver.errors import kind_of_trouble
from portal.errors import InvalidInput, NotFound, StaleVersion
from portal.extensions import db
from portal.web.actor import current_actor
from portal.web.body_reader import LargeBody, allow_large_body
from portal.web.error_handlers import handle_http_error
from portal.web.request_body import reject_json

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

blueprint = Blueprint("record_import", __name__, url_prefix="/records/import")
blueprint.before_request(require_admin)
blueprint.before_request(reject_json)
# Several thousand clients with a year of valuations. `flask clients import` takes files of any size.
MAX_UPLOAD_BYTES = 8 * 2**20
MULTIPART_BYTES = 64 * 2**10  # what a form adds to the bytes of its files
MAX_UPLOAD_SECONDS = 120.0  # 8 MB at 600 kbit/s; nginx forwards a body once it is complete
MOVED = "Records have changed since this page was opened. Nothing was imported. Check the changes again."
TOO_LARGE = (
    f"The files have more than {MAX_UPLOAD_BYTES // 2**20} MB in all. Import fewer rows at a time, or ask the operator "
    "to use flask clients import."
)
BEING_SAVED = "Another user was saving one of these records. Nothing was imported. Try again in a moment."

_LIMIT = {"max_bytes": MAX_UPLOAD_BYTES, "too_large": TOO_LARGE}


def init_uploads(app: Flask) -> None:
    """Let administrators send larger bodies to the upload than all other requests may have."""

    def is_administrator(environ: "WSGIEnvironment") -> bool:
        with app.request_context(environ):
            return _is_administrator()

    limits = LargeBody(MAX_UPLOAD_BYTES + MULTIPART_BYTES, MAX_UPLOAD_SECONDS, is_administrator)
    allow_large_body(app, blueprint.url_prefix or "", limits)


@blueprint.errorhandler(RequestEntityTooLarge)
def refuse_large_files(error: RequestEntityTooLarge) -> ResponseReturnValue:
    """Show the form with the limit of its field, for browsers without JavaScript. Runs before any other check."""
    if request.endpoint != f"{blueprint.name}.receive" or not _is_administrator():
        return handle_http_error(error)
    return _too_large_page(), HTTPStatus.REQUEST_ENTITY_TOO_LARGE


@blueprint.get("")
def show() -> ResponseReturnValue:
    """Show how far the user's import is: not begun, to be checked, running or done.

    nginx leads a browser whose files it has refused to `?too-large=`.
    """
    if "too-large" in request.args:
        return _too_large_page()
    found = pending.import_of(current_user)
    if found is None:
        return _upload_page(UploadForm())
    if found.applied_at:
        return render_template("clients/csv/imported.html", found=found, titles=list(upload.TITLES.values()))
    if pending.is_held(current_user):
        return render_template("clients/csv/import_running.html", found=found)
    return _preview(found, ApplyForm())


@blueprint.post("")
def receive() -> ResponseReturnValue:
    """Store the files, in place of those that were uploaded before."""
    form = UploadForm()
    if not form.validate():
        return _upload_page(form), 422
    try:
        files = _uploaded_files()
    except InvalidInput as error:
        form.files.errors = [f"{error.problem}."]
        return _upload_page(form), 422
    if pending.hold(current_user):
        pending.replace(current_user, files)
        db.session.commit()
    return _to_page()


@blueprint.post("/apply")
def apply() -> ResponseReturnValue:
    """Import what the page has shown, all or nothing. Show the preview again if the records have changed."""
    found, form = pending.import_of(current_user), ApplyForm()
    if found is None or found.applied_at or pending.is_held(current_user):
        return _to_page()
    if not is_reauthenticated(form):
        return _preview(found, form), 422
    profile, actor, mark = current_user._get_current_object(), current_actor(), form.mark.data or ""
    db.session.commit()  # holds the session's lock no longer than the check
    try:
        with upload.in_turn():
            upload.apply_upload(profile, mark, actor)
            db.session.commit()
    except (StaleVersion, IntegrityError, ImportProblems):
        return _preview_again(MOVED)
    except OperationalError as error:
        if kind_of_trouble(error) != "too slow":
            raise
        return _preview_again(BEING_SAVED)
    return _to_page()


@blueprint.post("/discard")
def discard() -> ResponseReturnValue:
    """Delete the user's import with its files, unless it is running."""
    found = pending.import_of(current_user)
    if found and pending.hold(current_user):
        pending.discard(current_user)
        db.session.commit()
        if not found.applied_at:
            flash("Nothing was imported. The uploaded files are deleted.")
    return _to_page()


@blueprint.get("/progress")
def progress() -> ResponseReturnValue:
    """Return how far a running import is, for the script of the page."""
    found = pending.import_of(current_user)
    return {"is_running": pending.is_held(current_user), "progress": found.progress if found else ""}


@blueprint.get("/details.csv")
def details() -> ResponseReturnValue:
    """Send every problem of the uploaded files, or else every change and warning."""
    found = pending.import_of(current_user)
    if found is None or found.applied_at:
        raise NotFound("There is no import to check.")
    import_id = found.id
    db.session.commit()
    with upload.in_turn():
        preview = upload.preview_of(import_id)
        db.session.commit()
        body = "".join(upload.csv_of(preview))
    name = f"import-{'problems' if preview.problems else 'changes'}-{clock.today().isoformat()}.csv"
    return Response(
        body.encode("utf-8-sig"), mimetype="text/csv", headers={"Content-Disposition": f"attachment; filename={name}"}
    )


def _uploaded_files() -> dict[str, bytes]:
    """Return the contents of the files by name. Raises InvalidInput (422)."""
    files: dict[str, bytes] = {}
    for sent in request.files.getlist("files"):
        name = (sent.filename or "").rpartition("/")[2].lower()
        if name not in schema.FILES:
            raise InvalidInput("files", f"{name[:100] or 'A file without a name'} is none of {', '.join(schema.FILES)}")
        if name in files:
            raise InvalidInput("files", f"{name} is there twice")
        files[name] = sent.read()
    if not files:
        raise InvalidInput("files", "Choose the files")
    return files


def _to_page() -> ResponseReturnValue:
    return redirect(url_for(".show"))


def _is_administrator() -> bool:
    return bool(current_user.is_authenticated and current_user.role == "admin")


def _too_large_page() -> str:
    form = UploadForm(formdata=None)
    form.files.errors = [TOO_LARGE]
    return _upload_page(form)


def _upload_page(form: UploadForm) -> str:
    return render_template("clients/csv/import.html", form=form, files=schema.FILES, **_LIMIT)


def _preview_again(failure: str) -> ResponseReturnValue:
    """Show the newest changes, and say which clients have changed since the earlier preview."""
    db.session.rollback()
    found = pending.import_of(current_user)
    if found is None or found.applied_at:
        return _to_page()
    return _preview(found, ApplyForm(), failure), HTTPStatus.CONFLICT


def _preview(found: PendingImport, form: ApplyForm, failure: str = "") -> str:
    import_id, uploaded_at, shown_versions = found.id, found.uploaded_at, found.shown_versions
    names = sorted(pending.names_of_files(import_id), key=schema.FILES.index)
    db.session.commit()  # no transaction is open while the files are read
    with upload.in_turn():
        preview = upload.preview_of(import_id)
        moved = upload.moved_clients(shown_versions, preview) if failure else ([], 0)
        if preview.checked:
            pending.note_shown(import_id, preview.checked.plan.base_versions)
        db.session.commit()
    form.mark.data = preview.mark
    return render_template(
        "clients/csv/import_preview.html",
        form=form,
        upload_form=UploadForm(formdata=None),
        preview=preview,
        uploaded_at=uploaded_at,
        now=clock.now(),
        names=names,
        failure=failure,
        moved=moved,
        titles=upload.TITLES,
        **_LIMIT,
    )

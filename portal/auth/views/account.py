"""Serve the user's own account page: password, second factor, sign-in sessions, sharing of unsaved values.

Each change of how the user signs in requires the password again. An attacker therefore cannot take over an account
through an unattended session (OWASP ASVS 5.0.0, 7.5.1).
"""

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf import FlaskForm

from portal import audit, clock
from portal.audit import Event
from portal.auth import profiles, trusted_devices, verification
from portal.auth.mfa import one_time_codes, totp
from portal.auth.sessions import current, store
from portal.auth.sessions.device_names import device_name
from portal.auth.views.browser import current_browser
from portal.auth.views.enrolment import render_set_up
from portal.auth.views.forms import CodeForm, NewPasswordForm, ReauthenticationForm
from portal.auth.views.reauthentication import is_reauthenticated
from portal.config.current import current_settings
from portal.errors import InvalidInput, NotAllowed
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import current_actor, request_origin
from portal.web.request_body import reject_json

blueprint = Blueprint("account", __name__, url_prefix="/account")
blueprint.before_request(reject_json)
ALL_OTHER_SESSIONS = "others"
SHOWN = "Colleagues who edit the same form see what you type."
HIDDEN = "Colleagues see what you type only after you save it."
FORMS: dict[str, type[FlaskForm]] = {
    "password": NewPasswordForm,
    "factor": ReauthenticationForm,
    "sessions": ReauthenticationForm,
}


@blueprint.get("")
def show() -> ResponseReturnValue:
    return _render_account()


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Change the password, sign out all other browsers and start a new session in this one."""
    form = NewPasswordForm(prefix="password")
    if not form.validate():
        return _render_account(password=form), 422
    try:
        new_hash = verification.reauthenticate_for_new_password(
            current_user,
            form.current_password.data or "",
            form.new_password.data or "",
            session_cookie.identity(),
            request_origin(),
        )
    except InvalidInput as error:
        return _render_rejected_password("password", form, error)
    profiles.set_password_hash(current_user, new_hash)
    audit.record(Event.PASSWORD_CHANGED, current_actor(), profile_id=current_user.id)
    return _restart_session("Your password has been changed. You are signed out everywhere else.")


@blueprint.post("/second-factor")
def begin_second_factor() -> ResponseReturnValue:
    """Create a secret for the authenticator app and redirect to the page that shows it."""
    form = ReauthenticationForm(prefix="factor")
    if not is_reauthenticated(form):
        return _render_account(factor=form), 422
    totp.begin_enrolment(current_user.id, current_settings())
    db.session.commit()
    return redirect(url_for(".show_second_factor"))


@blueprint.get("/second-factor")
def show_second_factor() -> ResponseReturnValue:
    """Show the secret that awaits its first code, as a QR code and as text."""
    return _render_set_up(CodeForm())


@blueprint.post("/second-factor/confirm")
def confirm_second_factor() -> ResponseReturnValue:
    """Activate the second factor with the app's first code, and show the recovery codes once."""
    form = CodeForm()
    if not form.validate():
        return _render_set_up(form)
    try:
        codes = verification.confirm_enrolment(
            current_user, form.code.data or "", current_browser(), current_settings()
        )
    except InvalidInput as error:
        form.code.errors = [f"That {error.problem}."]
        return _render_set_up(form)
    store.end_others(current_user.id, current.current_session().id)
    return _render_recovery_codes(Event.SECOND_FACTOR_SET_UP, codes)


@blueprint.post("/second-factor/remove")
def remove_second_factor() -> ResponseReturnValue:
    form = ReauthenticationForm(prefix="factor")
    if totp.is_required(current_user, current_settings()):
        raise NotAllowed("Your role requires a second factor. An administrator can reset it for a new phone.")
    if not is_reauthenticated(form):
        return _render_account(factor=form), 422
    totp.remove(current_user.id)
    audit.record(Event.SECOND_FACTOR_REMOVED, current_actor(), profile_id=current_user.id)
    return _restart_session("Your second factor has been removed. You are signed out everywhere else.")


@blueprint.post("/recovery-codes")
def create_recovery_codes() -> ResponseReturnValue:
    """Replace the recovery codes and show the new ones once."""
    form = ReauthenticationForm(prefix="factor")
    if not is_reauthenticated(form) or not totp.is_set_up(current_user.id):
        return _render_account(factor=form), 422
    codes = one_time_codes.create_recovery_codes(current_user.id)
    return _render_recovery_codes(Event.RECOVERY_CODES_MADE, codes)


@blueprint.post("/sessions")
def end_sessions() -> ResponseReturnValue:
    """Sign out one other browser, or all other browsers."""
    form = ReauthenticationForm(prefix="sessions")
    which = request.form.get("end", "")
    if not is_reauthenticated(form):
        return _render_account(sessions=form), 422
    if which == ALL_OTHER_SESSIONS:
        count = store.end_others(current_user.id, current.current_session().id)
        audit.record(Event.SESSIONS_ENDED, current_actor(), profile_id=current_user.id, count=count)
        flash("You are signed out everywhere else.")
    elif store.end(current_user.id, _session_id(which)):
        audit.record(Event.SESSION_ENDED, current_actor(), profile_id=current_user.id)
        flash("That browser has been signed out.")
    else:
        flash("That browser was signed out already.")
    db.session.commit()
    return redirect(url_for(".show"))


@blueprint.post("/unsaved-values")
def share_unsaved_values() -> ResponseReturnValue:
    """Show the user's unsaved values to colleagues who edit the same form, or hide them."""
    chosen = request.form.get("shows_unsaved")
    if chosen not in ("yes", "no"):
        raise InvalidInput("shows_unsaved", "must be yes or no")
    is_shared = chosen == "yes"
    profiles.share_unsaved_values(current_user, is_shared=is_shared)
    event = Event.UNSAVED_VALUES_SHOWN if is_shared else Event.UNSAVED_VALUES_HIDDEN
    audit.record(event, current_actor(), profile_id=current_user.id)
    db.session.commit()
    flash(SHOWN if is_shared else HIDDEN)
    return redirect(url_for(".show"))


@blueprint.post("/single-keys")
def use_single_keys() -> ResponseReturnValue:
    """Switch the commands of single keys on or off."""
    chosen = request.form.get("single_keys")
    if chosen not in ("yes", "no"):
        raise InvalidInput("single_keys", "must be yes or no")
    profiles.use_single_keys(current_user, is_used=chosen == "yes")
    db.session.commit()
    flash(f"Single keys are {'on' if chosen == 'yes' else 'off'}.")
    return redirect(url_for(".show"))


def _render_account(**forms: FlaskForm) -> str:
    settings, here = current_settings(), current.current_session()
    return render_template(
        "auth/account.html",
        forms={name: forms.get(name) or kind(formdata=None, prefix=name) for name, kind in FORMS.items()},
        has_second_factor=totp.is_set_up(current_user.id),
        is_second_factor_required=totp.is_required(current_user, settings),
        codes_left=one_time_codes.count_recovery_codes(current_user.id),
        sessions=store.active_sessions_of(current_user, idle_minutes=settings.idle_minutes),
        this_session=here.id,
        device_name=device_name,
        now=clock.now(),
    )


def _render_set_up(form: CodeForm) -> ResponseReturnValue:
    return render_set_up("auth/set_up_second_factor.html", current_user, form, url_for(".show"))


def _render_recovery_codes(event: Event, codes: Sequence[str]) -> ResponseReturnValue:
    """Record that the user has new recovery codes, commit, and show the codes once."""
    audit.record(event, current_actor(), profile_id=current_user.id)
    db.session.commit()
    return render_template("auth/recovery_codes.html", codes=codes, next_url=url_for(".show"))


def _render_rejected_password(name: str, form: NewPasswordForm, error: InvalidInput) -> ResponseReturnValue:
    if error.field == "current_password":
        form.current_password.errors = [f"That {error.problem}."]
    else:
        form.new_password.errors = [f"This {error.problem}."]
    return _render_account(**{name: form}), 422


def _restart_session(message: str) -> ResponseReturnValue:
    """End all sessions of the user and start a new one, with a new token, in this browser."""
    settings, response = current_settings(), redirect(url_for(".show"))
    profiles.end_sessions(current_user)
    current.start_session(current_user, settings)
    trusted_devices.trust_device(current_browser().device_tokens, response, settings, current_user)
    db.session.commit()
    flash(message)
    return response


def _session_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("end", "must name one of your sign-in sessions") from None

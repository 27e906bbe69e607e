"""Serve signing in and out, and the requests of open pages about their sign-in session."""

from urllib.parse import urlencode

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from portal import audit, clock
from portal.audit import Event
from portal.auth import trusted_devices, verification
from portal.auth.attempt_queue import RETRY_AFTER_SECONDS
from portal.auth.mfa import totp
from portal.auth.models import Profile
from portal.auth.sessions import current
from portal.auth.signals import sessions_ended
from portal.auth.views.browser import current_browser
from portal.auth.views.enrolment import render_set_up
from portal.auth.views.forms import CodeForm, SignInForm
from portal.config.current import current_settings
from portal.errors import InvalidInput, ServiceBusy, TooManyAttempts
from portal.extensions import db
from portal.web import session_cookie
from portal.web.actor import Actor, current_actor, request_origin
from portal.web.request_body import reject_json
from portal.web.safe_redirect import safe_redirect_target

blueprint = Blueprint("auth", __name__)
blueprint.before_request(reject_json)
WRONG_EMAIL_OR_PASSWORD = (
    "Incorrect email or password, or too many attempts. "  # noqa: S105
    "Check both, wait a moment and try again."
)
WRONG_CODE = "That code is incorrect or was used already. Wait for the next code and try again."


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for email and password. The response never reveals which of the two was wrong."""
    form = SignInForm(data={"next": request.args.get("next", "")})
    if not form.is_submitted():
        if current_user.is_authenticated:
            return redirect(_next_url(form.next.data))
        return _render_sign_in(form)
    if not form.validate():
        return _render_sign_in(form), 422
    try:
        profile = verification.verify_password(
            form.email.data or "", form.password.data or "", current_browser(), current_settings()
        )
    except (TooManyAttempts, ServiceBusy) as error:
        return _render_try_again_later(form, error)
    if profile is None:
        return _render_sign_in(form, WRONG_EMAIL_OR_PASSWORD), 401
    return _after_password(profile, form.next.data)


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def enter_code() -> ResponseReturnValue:
    """Ask a user with a second factor for a code of the app or a recovery code."""
    profile, form = _profile_awaiting_second_factor(), CodeForm(data={"next": request.args.get("next", "")})
    if not form.is_submitted():
        return render_template("auth/enter_code.html", form=form, failure=None)
    if not form.validate():
        return render_template("auth/enter_code.html", form=form, failure=None), 422
    kind = verification.verify_second_factor(profile, form.code.data or "", current_browser(), current_settings())
    if kind is None:
        return render_template("auth/enter_code.html", form=form, failure=WRONG_CODE), 401
    response = redirect(_next_url(form.next.data))
    return _complete_sign_in(profile, f"password and {kind}", response)


@blueprint.route("/sign-in/set-up", methods=["GET", "POST"])
def set_up_second_factor() -> ResponseReturnValue:
    """Let a user who needs a second factor and has none set it up before signing in."""
    profile, form = _profile_awaiting_second_factor(), CodeForm(data={"next": request.args.get("next", "")})
    if not form.validate_on_submit():
        return _render_set_up(profile, form)
    try:
        recovery_codes = verification.confirm_enrolment(
            profile, form.code.data or "", current_browser(), current_settings()
        )
    except InvalidInput as error:
        form.code.errors = [f"That {error.problem}."]
        return _render_set_up(profile, form)
    audit.record(Event.SECOND_FACTOR_SET_UP, Actor(profile.id, request_origin()), profile_id=profile.id)
    next_url = _next_url(form.next.data)
    page = _complete_sign_in(profile, "password and app code", current_app.response_class())
    page.set_data(render_template("auth/recovery_codes.html", codes=recovery_codes, next_url=next_url))
    return page


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the sign-in session and remove the user from every page."""
    audit.record(Event.SIGNED_OUT, current_actor(), profile_id=current_user.id)
    sessions_ended.send(profile_id=current_user.id)
    current.end_session()
    db.session.commit()
    return redirect(url_for("auth.sign_in"))


@blueprint.get("/signed-in")
def signed_in_again() -> ResponseReturnValue:
    """Confirm that the user has signed in again in a new tab."""
    return render_template("auth/signed_in.html")


@blueprint.get("/session")
def session_state() -> ResponseReturnValue:
    """Return the signed-in user, the time left, and the CSRF token that an open page needs after a new sign-in."""
    state = {"profile_id": current_user.id, "name": current_user.full_name, "csrf_token": generate_csrf()}
    return state | current.seconds_left(current_settings())


@blueprint.post("/session")
def stay_signed_in() -> ResponseReturnValue:
    """Restart the idle time, as every page does that the user opens."""
    return current.seconds_left(current_settings(), is_extended=True)


def _after_password(profile: Profile, url: str | None) -> ResponseReturnValue:
    settings = current_settings()
    if totp.is_set_up(profile.id):
        next_step = "auth.enter_code"
    elif totp.is_required(profile, settings):
        totp.begin_enrolment(profile.id, settings)
        next_step = "auth.set_up_second_factor"
    else:
        return _complete_sign_in(profile, "password", redirect(_next_url(url)))
    session_cookie.await_second_step(profile.id, profile.session_epoch)
    db.session.commit()
    return redirect(f"{url_for(next_step)}?{urlencode({'next': _next_url(url)})}")


def _profile_awaiting_second_factor() -> Profile:
    """Return the profile whose password was verified.

    Raises NotSignedIn (401), also if the password was changed or the profile deactivated meanwhile.
    """
    profile_id, epoch = session_cookie.second_step()
    return current.profile_with_epoch(profile_id, epoch)


def _complete_sign_in(profile: Profile, factors: str, response: Response) -> Response:
    """Start the session and trust the browser. Commits."""
    settings = current_settings()
    profile.last_signed_in_at = clock.now()
    current.start_session(profile, settings)
    audit.record(Event.SIGNED_IN, Actor(profile.id, request_origin()), profile_id=profile.id, factors=factors)
    trusted_devices.trust_device(current_browser().device_tokens, response, settings, profile)
    db.session.commit()
    return response


def _render_sign_in(form: SignInForm, failure: str | None = None) -> str:
    return render_template("auth/sign_in.html", form=form, failure=failure)


def _render_try_again_later(form: SignInForm, error: TooManyAttempts | ServiceBusy) -> ResponseReturnValue:
    """Return the form with the user's input, and when to send it again."""
    if isinstance(error, TooManyAttempts):
        status, wait_seconds = 429, error.wait_seconds
    else:
        status, wait_seconds = 503, RETRY_AFTER_SECONDS
    return _render_sign_in(form, str(error)), status, {"Retry-After": str(wait_seconds)}


def _render_set_up(profile: Profile, form: CodeForm) -> ResponseReturnValue:
    return render_set_up("auth/set_up_at_sign_in.html", profile, form, url_for("auth.sign_in"))


def _next_url(url: str | None) -> str:
    return safe_redirect_target(url, url_for("desk.show"))

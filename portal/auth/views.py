"""Signing in and out, and what an open page asks about its sign-in session."""

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from portal.auth import operations, signed_in
from portal.auth.access import require_sign_in
from portal.auth.forms import SignInForm
from portal.extensions import db
from portal.local_paths import local_path
from portal.presence import store

blueprint = Blueprint("auth", __name__)
SAME_ANSWER = "That e-mail and password do not belong together. Check both and try again."


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Ask for e-mail and password; the answer to a wrong one never says which of the two was wrong."""
    form = SignInForm(data={"next": request.args.get("next", "")})
    if not form.is_submitted():
        if current_user.is_authenticated:
            return redirect(local_path(form.next.data, url_for("clients.list_clients")))
        return render_template("auth/sign_in.html", form=form, failure=None)
    if form.validate():
        settings = current_app.config["SETTINGS"]
        profile = operations.authenticate(form.email.data or "", form.password.data or "", is_demo=settings.is_demo)
        if profile is not None:
            signed_in.start_session(profile, settings)
            db.session.commit()
            return redirect(local_path(form.next.data, url_for("clients.list_clients")))
        return render_template("auth/sign_in.html", form=form, failure=SAME_ANSWER), 401
    return render_template("auth/sign_in.html", form=form, failure=None), 422


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this sign-in session and leave every page at once."""
    require_sign_in()
    store.clear_profile(db.session.connection(), current_user.id)
    signed_in.end_session()
    db.session.commit()
    return redirect(url_for("auth.sign_in"))


@blueprint.get("/signed-in")
def signed_in_again() -> ResponseReturnValue:
    """Where signing in again, in a tab of its own, ends."""
    require_sign_in()
    return render_template("auth/signed_in.html")


@blueprint.get("/session")
def session_state() -> ResponseReturnValue:
    """Who is signed in, and the CSRF token that an open page needs after signing in again elsewhere."""
    require_sign_in()
    return {"profile_id": current_user.id, "name": current_user.full_name, "csrf_token": generate_csrf()}

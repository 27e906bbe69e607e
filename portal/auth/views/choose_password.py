"""Let new users, and users who forgot their password, choose one with a code from an administrator.

The administrator gives the code in person or by telephone. It expires after 24 hours. The user then signs in as usual,
with a second factor where one is set up.
"""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal import audit
from portal.audit import Event
from portal.auth import verification
from portal.auth.views.forms import ChoosePasswordForm
from portal.errors import InvalidInput
from portal.extensions import db
from portal.web.actor import Actor, request_origin
from portal.web.request_body import reject_json

blueprint = Blueprint("passwords", __name__)
blueprint.before_request(reject_json)
WRONG_EMAIL_OR_CODE = "Incorrect email or code, or the code was used already or has expired."


@blueprint.route("/choose-password", methods=["GET", "POST"])
def choose_password() -> ResponseReturnValue:
    form = ChoosePasswordForm()
    if not form.is_submitted():
        return render_template("auth/choose_password.html", form=form, failure=None)
    if not form.validate():
        return render_template("auth/choose_password.html", form=form, failure=None), 422
    values = (form.email.data or "", form.code.data or "", form.new_password.data or "")
    try:
        profile = verification.set_password_with_code(*values, request_origin())
    except InvalidInput as error:
        form.new_password.errors = [f"This {error.problem}."]
        return render_template("auth/choose_password.html", form=form, failure=None), 422
    if profile is None:
        return render_template("auth/choose_password.html", form=form, failure=WRONG_EMAIL_OR_CODE), 401
    audit.record(
        Event.PASSWORD_CHANGED, Actor(profile.id, request_origin()), profile_id=profile.id, proved="one-time code"
    )
    db.session.commit()
    flash("Your password has been set. Sign in with it.")
    return redirect(url_for("auth.sign_in"))

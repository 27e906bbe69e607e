"""Choosing a password with a code that an administrator has made: for newcomers, and for who has forgotten theirs.

The code is told in person or by telephone, is worth nothing after a day, and only chooses a password: a second factor
is asked for afterwards as ever.
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
WRONG_EMAIL_OR_CODE = "That email and code do not belong together, or the code has been used or is too old."


@blueprint.route("/choose-password", methods=["GET", "POST"])
def choose_password() -> ResponseReturnValue:
    form = ChoosePasswordForm()
    if not form.is_submitted():
        return render_template("auth/choose_password.html", form=form, failure=None)
    if not form.validate():
        return render_template("auth/choose_password.html", form=form, failure=None), 422
    typed = (form.email.data or "", form.code.data or "", form.new_password.data or "")
    try:
        profile = verification.by_password_code(*typed)
    except InvalidInput as error:
        form.new_password.errors = [f"This {error.problem}."]
        return render_template("auth/choose_password.html", form=form, failure=None), 422
    if profile is None:
        return render_template("auth/choose_password.html", form=form, failure=WRONG_EMAIL_OR_CODE), 401
    audit.record(
        Event.PASSWORD_CHANGED, Actor(profile.id, request_origin()), profile_id=profile.id, proved="one-time code"
    )
    db.session.commit()
    flash("Your password is set. Sign in with it.")
    return redirect(url_for("auth.sign_in"))

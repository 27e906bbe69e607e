"""The page on which a user sets up a second factor: from the account page, or at a sign-in that requires one."""

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from portal.auth.mfa import totp
from portal.auth.mfa.qr import qr_code
from portal.auth.models import Profile
from portal.auth.views.forms import CodeForm
from portal.config.current import current_settings


def render_set_up(template: str, profile: Profile, form: CodeForm, url_without_secret: str) -> ResponseReturnValue:
    """Show the pending secret; with errors in the form the status is 422. Redirect where no secret is pending."""
    secret = totp.pending_secret(profile.id, current_settings())
    if secret is None:
        return redirect(url_without_secret)
    qr = qr_code(totp.provisioning_uri(profile, secret))
    return render_template(template, form=form, secret=secret, qr=qr), 422 if form.errors else 200

"""Serve the users pages, on which administrators add users and change roles, access and passwords."""

import hashlib

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import clock
from portal.admin.users import queries
from portal.admin.users.forms import DetailsForm, NewUserForm, RoleForm
from portal.auth import Profile, administration, profiles
from portal.auth.mfa import totp
from portal.auth.models import ROLES
from portal.auth.permissions import require_admin
from portal.auth.sessions import store
from portal.auth.sessions.device_names import device_name
from portal.auth.views.reauthentication import is_reauthenticated
from portal.config.current import current_settings
from portal.errors import InvalidInput, NotAllowed
from portal.extensions import db
from portal.web.actor import current_actor
from portal.web.pagination import parse_page
from portal.web.request_body import reject_json

blueprint = Blueprint("users", __name__, url_prefix="/users")
blueprint.before_request(require_admin)
blueprint.before_request(reject_json)
USER_PATH = "/<id:profile_id>"
OWN_ACCOUNT_REFUSED = (
    "Another administrator must do this for your account. You can change your own password on your account page."
)


@blueprint.get("")
def list_users() -> ResponseReturnValue:
    search = queries.clean_search(request.args.get("q", ""))
    rows, paging = queries.page_of_users(search, parse_page(request.args))
    return render_template(
        "admin/users/users.html",
        rows=rows,
        paging=paging,
        q=search,
        roles=ROLES,
        now=clock.now(),
        page_url=lambda number: url_for(".list_users", q=search or None, page=number if number > 1 else None),
    )


@blueprint.route("/new", methods=["GET", "POST"])
def add() -> ResponseReturnValue:
    """Add a user and show the code with which the user chooses a password. No administrator knows the password."""
    form = NewUserForm()
    if not form.is_submitted():
        return render_template("admin/users/new_user.html", form=form)
    if not form.validate():
        return render_template("admin/users/new_user.html", form=form), 422
    try:
        profile = administration.add_user(current_actor(), **form.values())
    except InvalidInput as error:
        form[error.field].errors = [f"This {error.problem}."]
        return render_template("admin/users/new_user.html", form=form), 422
    code = administration.create_password_code(current_actor(), profile)
    db.session.commit()
    return _render_code(profile, code)


@blueprint.get(USER_PATH)
def show(profile_id: int) -> ResponseReturnValue:
    return _render_user(profiles.profile_with_id(profile_id))


@blueprint.route(f"{USER_PATH}/details", methods=["GET", "POST"])
def change_details(profile_id: int) -> ResponseReturnValue:
    """Change a user's name and email. Another administrator's change since the form was opened is not overwritten."""
    profile = profiles.profile_with_id(profile_id)
    form = DetailsForm(obj=profile)
    if not form.is_submitted():
        form.shown.data = _mark_of(profile)
        return render_template("admin/users/details.html", profile=profile, form=form)
    if not is_reauthenticated(form):
        return render_template("admin/users/details.html", profile=profile, form=form), 422
    db.session.refresh(profile, with_for_update=True)
    if form.shown.data != _mark_of(profile):
        return _changed_meanwhile(profile, form)
    try:
        changed = administration.change_details(current_actor(), profile, **form.values())
    except InvalidInput as error:
        form[error.field].errors = [f"This {error.problem}."]
        return render_template("admin/users/details.html", profile=profile, form=form), 422
    return _redirect_to_user(profile, "Name and email are saved." if changed else "Nothing was changed.")


@blueprint.post(f"{USER_PATH}/role")
def change_role(profile_id: int) -> ResponseReturnValue:
    profile, form = _other_profile(profile_id), RoleForm()
    if not form.validate():
        raise InvalidInput("role", f"must be one of {', '.join(ROLES)}")
    try:
        administration.change_role(current_actor(), profile, form.role.data)
    except InvalidInput as error:
        return _render_user(profile, role=form.role.data, role_problem=f"The role {error.problem}."), 422
    return _redirect_to_user(profile, f"{profile.full_name} now has the role {ROLES[profile.role]}.")


@blueprint.post(f"{USER_PATH}/activate")
def activate(profile_id: int) -> ResponseReturnValue:
    profile = _other_profile(profile_id)
    administration.set_active(current_actor(), profile, is_active=True)
    return _redirect_to_user(profile, f"{profile.full_name} can sign in again.")


@blueprint.post(f"{USER_PATH}/deactivate")
def deactivate(profile_id: int) -> ResponseReturnValue:
    profile = _other_profile(profile_id)
    administration.set_active(current_actor(), profile, is_active=False)
    return _redirect_to_user(profile, f"{profile.full_name} can no longer sign in and has been signed out everywhere.")


@blueprint.post(f"{USER_PATH}/password-code")
def create_password_code(profile_id: int) -> ResponseReturnValue:
    """Create a code for another user.

    For the own account it would allow a new password without the old one, from an unattended session.
    """
    profile = _other_profile(profile_id)
    code = administration.create_password_code(current_actor(), profile)
    db.session.commit()
    return _render_code(profile, code)


@blueprint.post(f"{USER_PATH}/reset-second-factor")
def reset_second_factor(profile_id: int) -> ResponseReturnValue:
    profile = _other_profile(profile_id)
    administration.reset_second_factor(current_actor(), profile)
    return _redirect_to_user(
        profile, f"{profile.full_name} no longer has a second factor and has been signed out everywhere."
    )


@blueprint.post(f"{USER_PATH}/sign-out")
def sign_out(profile_id: int) -> ResponseReturnValue:
    profile = profiles.profile_with_id(profile_id)
    administration.sign_out_everywhere(current_actor(), profile)
    return _redirect_to_user(profile, f"{profile.full_name} has been signed out everywhere.")


@blueprint.post(f"{USER_PATH}/unlock")
def unlock(profile_id: int) -> ResponseReturnValue:
    """Reset the failed sign-ins of another user.

    For the own account it would reset the failed guesses at the password from an unattended session.
    """
    profile = _other_profile(profile_id)
    administration.unlock(current_actor(), profile)
    return _redirect_to_user(profile, f"{profile.full_name} can sign in again without waiting.")


def _other_profile(profile_id: int) -> Profile:
    profile = profiles.profile_with_id(profile_id)
    if profile.id == current_user.id:
        raise NotAllowed(OWN_ACCOUNT_REFUSED)
    return profile


def _mark_of(profile: Profile) -> str:
    """Return a text that is equal for equal names and email. It contains none of them."""
    return hashlib.sha256("\0".join(profile.names).encode()).hexdigest()[:16]


def _changed_meanwhile(profile: Profile, form: DetailsForm) -> ResponseReturnValue:
    """Return 409 with the values that are saved and a form that keeps what was typed and can be sent again."""
    form.shown.data = _mark_of(profile)
    form.shown.errors = [
        f"Another administrator has changed this user. Saved now: {profile.full_name}, {profile.email}. "
        "The form shows what you typed. Saving replaces what is saved."
    ]
    return render_template("admin/users/details.html", profile=profile, form=form), 409


def _redirect_to_user(profile: Profile, message: str) -> ResponseReturnValue:
    db.session.commit()
    flash(message)
    return redirect(url_for(".show", profile_id=profile.id))


def _render_user(profile: Profile, *, role: str | None = None, role_problem: str = "") -> str:
    """Return the user's page, with a role that was refused and why."""
    settings = current_settings()
    return render_template(
        "admin/users/user.html",
        profile=profile,
        roles=ROLES,
        role=role or profile.role,
        role_problem=role_problem,
        is_oneself=profile.id == current_user.id,
        has_second_factor=totp.is_set_up(profile.id),
        sessions=store.active_sessions_of(profile, idle_minutes=settings.idle_minutes),
        device_name=device_name,
        now=clock.now(),
    )


def _render_code(profile: Profile, code: str) -> str:
    return render_template("admin/users/password_code.html", profile=profile, code=code)

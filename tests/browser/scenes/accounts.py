"""Scenes of signing in, of one's own account and of administration."""

import secrets

import pyotp
from playwright.sync_api import FilePayload, expect
from sqlalchemy import text

from portal import audit
from portal.auth.sessions import store as sign_in_sessions
from portal.extensions import db
from portal.web.actor import Actor, RequestOrigin
from tests.browser.people import submit_credentials
from tests.browser.scenes import dialogs
from tests.browser.scenes.setup import LONG_NAME, LONG_WORD, SceneSetup, States, long_client, long_profile
from tests.support.cast import PASSWORD
from tests.support.csv_folder import ONE_OF_EACH
from tests.support.factories import make_client


def sign_in(setup: SceneSetup) -> States:
    setup.browser_errors.expect("status of 401", "status of 422")
    page = setup.open_browser(None, at=setup.portal).page
    page.goto("/sign-in")
    yield "sign-in page", page

    submit_credentials(page, f"{LONG_WORD}@firm.example", "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "rejected sign-in", page

    page.goto("/choose-password")
    page.get_by_label("Code").fill("x")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Enter your email address.")).to_be_visible()
    yield "page to choose a password with errors", page


def account(setup: SceneSetup) -> States:
    """Set up a second factor in an account with two sign-in sessions, and sign in with it."""
    setup.browser_errors.expect("status of 401", "status of 422")
    profile = long_profile()
    origin = RequestOrigin("2001:db8::1", "Firefox/1 Windows")
    sign_in_sessions.begin(profile.id, profile.session_epoch, origin, hours=12)
    db.session.commit()
    page = setup.open_browser(profile, at=setup.portal).page
    page.goto("/account")
    page.get_by_label("Your password").last.fill("wrong")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("That is not your password.")).to_be_visible()
    yield "account with an error", page

    page.get_by_label("Your password").last.fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    page.get_by_text("Or type the key by hand").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    yield "second factor", page

    secret = page.locator(".code").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    yield "recovery codes", page

    page.goto("/account")
    page.get_by_role("link", name="How we edit together").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How we edit together")
    for picture in page.get_by_role("img").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].every(({ naturalWidth }) => naturalWidth > 0)")  # lazily
    yield "page How we edit together", page

    page.goto("/account")
    page.get_by_role("button", name="Sign out", exact=True).first.click()
    submit_credentials(page, profile.email)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("That code is incorrect")
    yield "sign-in with a wrong code", page


def end_of_the_session(setup: SceneSetup) -> States:
    yield "question whether the user is still there", dialogs.still_there(setup)


def users(setup: SceneSetup) -> States:
    setup.browser_errors.expect("status of 422")
    adviser = long_profile()
    make_client(LONG_NAME, adviser_id=adviser.id, is_restricted=True)
    page = setup.open_browser(setup.cast.ada, at=setup.portal).page
    page.goto("/users")
    yield "users", page

    page.goto(f"/users/{adviser.id}")
    yield "user", page

    page.goto(f"/users/{adviser.id}/hand-over")
    yield "hand-over", page

    page.goto("/users/new")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_text("Enter the first name.")).to_be_visible()
    yield "new user with errors", page

    page.get_by_label("First name").fill(LONG_NAME)
    page.get_by_label("Last name").fill(LONG_NAME)
    page.get_by_label("Email").fill(f"{secrets.token_hex(16)}@{'mail' * 12}.example")
    page.get_by_role("button", name="Add user").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Password code for")
    yield "code for a new user", page


def logs(setup: SceneSetup) -> States:
    """Show the audit log, the log of reads, the export and the import."""
    setup.browser_errors.expect("status of 422")
    client, reader = long_client(setup.cast), long_profile()
    actor = Actor(reader.id, RequestOrigin("2001:db8:1234:5678:9abc:def0:1234:5678", "w" * 200, "r" * 64))
    audit.record(audit.Event.CONFLICT_OVERRIDDEN, actor, profile_id=reader.id, fields=[LONG_WORD])
    read = "INSERT INTO client_reads SELECT date_trunc('hour', now(), 'UTC'), :client, :reader"
    db.session.execute(text(read), {"client": client.id, "reader": reader.id})
    db.session.commit()
    page = setup.open_browser(setup.cast.ada, at=setup.portal).page
    page.goto("/audit")
    yield "audit log", page

    page.goto(f"/reads?client={client.client_ref}")
    expect(page.get_by_role("row").filter(has_text=reader.email)).to_be_visible()
    yield "log of reads", page

    page.goto("/records/export")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    yield "export with an error", page

    page.goto("/records/import")
    page.get_by_role("button", name="Check the files").click()
    expect(page.get_by_text("Choose the files.")).to_be_visible()
    yield "import with an error", page

    files = {name: content.replace("KG1", client.client_ref) for name, content in ONE_OF_EACH.items()}
    chosen: list[FilePayload] = [
        {"name": name, "mimeType": "text/csv", "buffer": files[name].encode()} for name in files
    ]
    page.get_by_label("CSV files").set_input_files(chosen)
    page.get_by_role("button", name="Check the files").click()
    page.get_by_role("button", name="Import all of it").click()
    expect(page.get_by_text("Enter your password.")).to_be_visible()
    yield "changes of an import with an error", page

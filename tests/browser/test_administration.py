"""Administration in the browser, from start to end."""

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import select, text

from portal.auth import Profile
from portal.clients import Client
from portal.clients.csv.import_views import MAX_UPLOAD_BYTES
from portal.clients.csv.importing import pending
from portal.database import advisory_locks
from portal.extensions import db
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import OpenBrowser
from tests.support.cast import PASSWORD, Cast, make_profile
from tests.support.csv_folder import ONE_OF_EACH, CsvFolder
from tests.support.factories import make_client


def test_new_client_is_typed_left_restored_and_added(open_browser: OpenBrowser, vera: Profile) -> None:
    make_client(client_ref="KG900000")  # the portal gives the next number, which make_client must not give later
    page = open_browser(vera).page  # drafts of new clients belong to no client, so another test's would be offered too
    page.goto("/clients")
    page.get_by_role("link", name="Add a client").click()
    page.get_by_label("Name").fill("Added in a browser")
    page.get_by_label("Town").fill("Bath")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Keep as draft").click()
    expect(page.get_by_role("heading", name="Clients", exact=True)).to_be_visible()

    page.get_by_role("link", name="Add a client").click()
    page.get_by_role("link", name="Restore").click()
    expect(page.get_by_label("Town")).to_have_value("Bath")
    expect(page.locator(".save-bar")).to_contain_text("2 changed")  # the script that knows the key is there
    page.keyboard.press("Control+s")

    expect(page.locator(".flash")).to_contain_text("Added in a browser is added as KG")
    [client] = db.session.scalars(select(Client).where(Client.name == "Added in a browser"))
    assert client.town == "Bath"
    page.goto("/clients/new")
    expect(page.get_by_role("link", name="Restore")).to_have_count(0)


def test_leaver_is_renamed_and_signed_out_while_the_new_adviser_is_notified_of_the_clients(
    open_browser: OpenBrowser, cast: Cast, browser_errors: BrowserErrors
) -> None:
    browser_errors.expect("status of 401")
    leaver, successor = make_profile("Lena", "Lindqvist"), make_profile("Nadia", "Novak")
    book = [make_client(f"Of Lena {number}", adviser_id=leaver.id) for number in range(3)]
    page, lena, nadia = (open_browser(profile).page for profile in (cast.ada, leaver, successor))
    lena.goto(f"/clients/{book[0].id}")
    nadia.goto("/account")
    page.goto(f"/users/{leaver.id}")
    page.get_by_role("link", name="Change name or email").click()
    page.get_by_label("Last name").fill("Lindgren")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lena Lindgren")

    page.get_by_role("link", name="Hand over clients").click()
    page.get_by_label("New adviser").select_option("Nadia Novak")
    page.get_by_label("Deactivate Lena first").check()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_role("heading", name="3 clients are handed over")).to_be_visible()
    expect(page.get_by_text("Lena Lindgren can no longer sign in.")).to_be_visible()
    expect(lena.get_by_role("dialog", name="You are signed out")).to_be_visible()
    db.session.rollback()
    assert {db.session.get_one(Client, client.id).adviser_id for client in book} == {successor.id}

    nadia.locator(".bell").click()
    nadia.get_by_role("link", name="Ada Byron handed 3 clients to you").click()
    expect(nadia.get_by_role("row", name=re.compile("Of Lena"))).to_have_count(3)


@pytest.mark.usefixtures("app")
def test_files_are_refused_corrected_watched_imported_and_exported(open_browser: OpenBrowser, tmp_path: Path) -> None:
    admin = make_profile("Iris", "Ingram", "admin")  # an import of Ada's may be left by another test
    ref, plan = "IMPORTED-1", "IMPORTED-A100"  # other tests use the database too
    files = {name: content.replace("KG1", ref).replace("A100", plan) for name, content in ONE_OF_EACH.items()}
    folder = CsvFolder(tmp_path / "in", files)
    page = open_browser(admin).page
    page.goto("/users")
    page.get_by_role("link", name="Import records").click()
    chooser = page.get_by_label("CSV files")
    check = page.get_by_role("button", name="Check the files")
    (tmp_path / "large.csv").write_bytes(b"," * (MAX_UPLOAD_BYTES + 1))
    chooser.set_input_files(tmp_path / "large.csv")
    check.click()
    expect(page.get_by_text("The files have more than 8 MB in all.")).to_be_visible()
    expect(chooser).to_be_focused()

    folder.set("clients.csv", "risk_profile", "9")
    chooser.set_input_files(sorted(folder.path.iterdir()))
    expect(page.get_by_text("The files have more than 8 MB in all.")).to_be_hidden()
    check.click()
    expect(page.get_by_role("row").filter(has_text="9 is not 1 to 7")).to_contain_text("clients.csvline 2")

    folder.set("clients.csv", "risk_profile", "5")
    chooser.set_input_files(sorted(folder.path.iterdir()))
    check.click()
    expect(page.get_by_role("row").filter(has_text=f"{ref} Whitmore Family")).to_contain_text("New")

    found = pending.import_of(admin)
    assert found
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with db.engine.connect() as connection:  # as while the import is being written
        key = {"key": advisory_locks.IMPORT_OF_PROFILE, "id": admin.id}
        connection.execute(text("SELECT pg_advisory_xact_lock(:key, :id)"), key)
        page.reload()
        expect(page.get_by_role("heading", name="Importing")).to_be_visible()
        pending.note_progress(found.id, "valuations.csv: 1 of 2 written")
        expect(page.get_by_role("status").filter(has_text="valuations.csv: 1 of 2 written")).to_be_visible()
        # Each request waits, as for the check of large files. A second one would stop the first.
        page.route("**/records/import", hold)
        with page.expect_request("**/records/import"):
            connection.rollback()
    with pytest.raises(PlaywrightTimeout), page.expect_request("**/records/import", timeout=1_500):
        pass
    held[0].continue_()
    page.unroute("**/records/import")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Import all of it").click()

    expect(page.get_by_role("heading", name="The files are imported")).to_be_visible()
    db.session.rollback()
    assert db.session.scalars(select(Client.name).where(Client.client_ref == ref)).all() == ["Whitmore Family"]
    page.get_by_role("button", name="Import other files").click()
    expect(page.get_by_role("heading", name="Upload the files")).to_be_visible()
    assert ref.encode() in exported_clients(page)


def exported_clients(page: Page) -> bytes:
    """Download all records, and return the file of the clients."""
    page.goto("/users")
    page.get_by_role("link", name="Export all records").click()
    page.get_by_label("Your password").fill(PASSWORD)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return archive.read("clients.csv")

"""Administration in the browser, from start to end."""

from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import select, text

from portal.auth import Profile
from portal.clients import Client
from portal.clients.csv.import_views import MAX_UPLOAD_BYTES
from portal.clients.csv.importing import pending
from portal.database import advisory_locks
from portal.extensions import db
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
    page.keyboard.press("Control+s")

    expect(page.locator(".flash")).to_contain_text("Added in a browser is added as KG")
    [client] = db.session.scalars(select(Client).where(Client.name == "Added in a browser"))
    assert client.town == "Bath"
    page.goto("/clients/new")
    expect(page.get_by_role("link", name="Restore")).to_have_count(0)


def test_clients_of_a_leaver_are_handed_over_and_the_leaver_is_deactivated(
    open_browser: OpenBrowser, cast: Cast
) -> None:
    leaver = make_profile("Lena", "Lindqvist")
    book = [make_client(f"Of Lena {number}", adviser_id=leaver.id) for number in range(3)]
    page = open_browser(cast.ada).page
    page.goto(f"/users/{leaver.id}")
    page.get_by_role("link", name="Hand over clients").click()
    page.get_by_label("New adviser").select_option("Amelia Hart")
    page.get_by_label("Deactivate Lena first").check()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Hand over").click()

    expect(page.get_by_role("heading", name="3 clients are handed over")).to_be_visible()
    expect(page.get_by_text("Lena Lindqvist can no longer sign in.")).to_be_visible()
    db.session.rollback()
    assert {db.session.get_one(Client, client.id).adviser_id for client in book} == {cast.amelia.id}


@pytest.mark.usefixtures("app")
def test_files_are_refused_corrected_watched_and_imported(open_browser: OpenBrowser, tmp_path: Path) -> None:
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

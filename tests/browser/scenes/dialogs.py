"""Open each dialog over a page."""

from playwright.sync_api import Page, expect

from tests.browser.scenes.setup import SceneSetup, long_client


def concurrent_access(setup: SceneSetup) -> Page:
    amelia, _ = setup.amelia_among_others()
    amelia.click_edit()
    expect(amelia.modal).to_be_visible()
    return amelia.page


def signed_out(setup: SceneSetup) -> Page:
    setup.browser_errors.expect("status of 401")
    amelia, _ = setup.amelia_among_others()
    amelia.context.clear_cookies()
    amelia.hide_tab()  # which sends a heartbeat at once
    expect(amelia.signed_out).to_be_visible()
    return amelia.page


def unsaved_changes(setup: SceneSetup) -> Page:
    amelia = setup.amelia()
    amelia.open_editor(long_client(setup.cast))
    amelia.field("Town").fill("Wells")
    amelia.page.get_by_role("link", name="Cancel").click()
    expect(amelia.page.get_by_role("dialog", name="You have not saved your changes")).to_be_visible()
    return amelia.page


def still_there(setup: SceneSetup) -> Page:
    """Let the clock reach two minutes before the idle limit."""
    amelia = setup.amelia()
    amelia.page.clock.install()
    amelia.page.goto("/account")
    amelia.page.route("**/session", lambda route: route.abort())
    setup.browser_errors.expect("Failed to load resource")
    amelia.page.clock.fast_forward("28:01")
    expect(amelia.page.get_by_role("alertdialog", name="Are you still there?")).to_be_visible()
    return amelia.page

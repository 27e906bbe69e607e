"""Test that each page in each state is accessible, in light and in dark, and fits a phone."""

import pytest
from playwright.sync_api import Page

from tests.browser.page_checks import PHONE_VIEWPORT, TOO_SMALL_CONTROLS, axe_violations, phone
from tests.browser.people import OpenBrowser
from tests.browser.scenes import accounts, client_pages, editors
from tests.browser.scenes.setup import LONG_NAME, Scene, SceneSetup
from tests.support.cast import make_profile
from tests.support.factories import make_client
from tests.support.volume import IS_FULL

SCENES: tuple[Scene, ...] = (
    accounts.sign_in,
    accounts.account,
    accounts.end_of_the_session,
    accounts.users,
    accounts.logs,
    client_pages.lists,
    client_pages.desk,
    client_pages.notification_list,
    client_pages.client_with_viewers,
    client_pages.client_without_anything,
    client_pages.arrivals,
    client_pages.request_to_finish,
    client_pages.lost_client,
    client_pages.live_changes,
    client_pages.kept_drafts,
    client_pages.product,
    client_pages.access,
    editors.editor,
    editors.editor_beside_others,
    editors.valuation_grid,
    editors.conflict,
    editors.people,
    editors.history,
    editors.long_texts,
    editors.replaced_changes,
)
# In the other states axe checks the light colours, and test_stylesheets.py calculates the contrast of all dark ones.
IN_DARK = {"client with viewers", "modal", "editor beside others", "conflict", "history"}
# Boxes beyond the edge that no ancestor clips or scrolls. A fixed box makes no page wider, so each is checked.
BEYOND_THE_EDGE = """() => {
    const isHeld = (element) => {
        for (let up = element.parentElement; up && up !== document.body; up = up.parentElement)
            if (getComputedStyle(up).overflowX !== "visible") return true;
        return false;
    };
    const isOut = ({ left, right, width }) => width > 1 && (right > innerWidth + 0.5 || left < -0.5);
    return [...document.body.querySelectorAll("*")]
        .filter((element) => element.checkVisibility() && isOut(element.getBoundingClientRect()) && !isHeld(element))
        .map((element) => element.cloneNode(false).outerHTML);
}"""
# WCAG 2.5.3: a user of speech input says the text of a button. The × of a dismiss button is not a word.
OTHERWISE_NAMED = """() => [...document.querySelectorAll("button[aria-label], .button[aria-label], a[aria-label]")]
    .filter((control) => control.checkVisibility())
    .map(({ ariaLabel, innerText, localName }) => [ariaLabel, innerText.trim().replace(/…$/, ""), localName])
    .filter(([name, text, tag]) => /\\w/.test(text) && (tag === "a" ? !name.includes(text) : !name.startsWith(text)))
    .map(([name, text]) => `${text}: ${name}`)"""

# Parts of the top bar that overlap another one in the same line.
CROWDED = """() => {
    const selector = ".brand, nav a, .find, .bell .icon, .badge, .avatar, .name, button";
    const parts = [...document.querySelectorAll(`.topbar :is(${selector})`)]
        .filter((part) => part.checkVisibility())
        .map((part) => [part.textContent.trim() || part.localName, part.getBoundingClientRect()]);
    const isInOneLine = (a, b) => a.top < b.bottom && b.top < a.bottom;
    return parts.flatMap(([name, box], i) => parts.slice(i + 1)
        .filter(([, next]) => isInOneLine(box, next) && next.left < box.right - 0.5)
        .map(([after]) => `${name} / ${after}`));
}"""
# About where the bar and the list change their layout.
WIDTHS = (380, 481, 600, 720, 767, 768, 860, 1000, 1001, 1280)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_page_is_accessible_and_fits_a_phone_in_each_state(scene: Scene, scene_setup: SceneSetup) -> None:
    faults = {state: faults_of(page, is_dark=IS_FULL or state in IN_DARK) for state, page in scene(scene_setup)}

    assert faults == {state: {} for state in faults}
    assert faults


def faults_of(page: Page, is_dark: bool) -> dict[str, list[str]]:
    """Return the faults of a page by kind, without the kinds of which it has none."""
    page.emulate_media(color_scheme="light")
    faults = {"in light": axe_violations(page), "otherwise named": page.evaluate(OTHERWISE_NAMED)}
    if is_dark:
        page.emulate_media(color_scheme="dark")
        faults["in dark"] = axe_violations(page, runOnly=["color-contrast"])  # the rest is the same in the dark
    with phone(page):
        faults["too small for a thumb"] = page.evaluate(TOO_SMALL_CONTROLS)
        faults["beyond the edge"] = page.evaluate(BEYOND_THE_EDGE)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        faults["wider than a phone"] = [f"{width} px"] if width > PHONE_VIEWPORT["width"] else []
    return {kind: found for kind, found in faults.items() if found}


@pytest.mark.usefixtures("app")
def test_top_bar_and_list_fit_each_width_beside_long_names_and_many_notifications(open_browser: OpenBrowser) -> None:
    page = open_browser(make_profile(LONG_NAME, LONG_NAME, "admin")).page
    page.goto(f"/clients?q={make_client(LONG_NAME).client_ref}")
    page.locator(".bell .badge").evaluate("badge => { badge.hidden = false; badge.textContent = '99+'; }")

    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 600})
        assert page.evaluate(CROWDED) == [], width
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width

"""Test that each page in each state is accessible, in light and in dark, and fits a phone."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.page_checks import ANIMATIONS_FINISHED, PHONE_VIEWPORT, TOO_SMALL_CONTROLS, phone
from tests.browser.scenes import (
    SCENES,
    SceneSetup,
    a_client_with_viewers,
    a_conflict,
    the_editor_beside_others,
    the_history,
    the_modal,
)
from tests.support.volume import IS_FULL

WHOLE = {"resultTypes": ["violations"]}
COLOURS = WHOLE | {"runOnly": ["color-contrast"]}  # the rest of a page is the same in the dark
# For the other scenes axe checks the light colours, and test_stylesheets.py calculates the contrast of all dark ones.
IN_DARK = SCENES if IS_FULL else (a_client_with_viewers, the_modal, the_editor_beside_others, a_conflict, the_history)
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


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_page_is_accessible_and_fits_a_phone(scene: Callable[[SceneSetup], Page], scene_setup: SceneSetup) -> None:
    page = scene(scene_setup)
    faults = {"in light": violations(page, "light", WHOLE), "otherwise named": page.evaluate(OTHERWISE_NAMED)}
    if scene in IN_DARK:
        faults["in dark"] = violations(page, "dark", COLOURS)
    with phone(page):
        faults["too small for a thumb"] = page.evaluate(TOO_SMALL_CONTROLS)
        faults["beyond the edge"] = page.evaluate(BEYOND_THE_EDGE)
        width = page.evaluate("document.scrollingElement.scrollWidth")
    assert not any(faults.values()), faults
    assert width <= PHONE_VIEWPORT["width"]


def violations(page: Page, scheme: str, options: dict[str, list[str]]) -> list[str]:
    """Return the violations that axe finds when all animations have finished."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(ANIMATIONS_FINISHED)
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {json.dumps([node['html'] for node in rule['nodes']][:3])}" for rule in found]

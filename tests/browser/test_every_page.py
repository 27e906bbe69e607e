"""Every page in every state: nothing that shuts somebody out, in light and in dark; nothing that overflows a phone."""

import json
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.scenes import (
    SCENES,
    Stage,
    a_client_with_viewers,
    a_conflict,
    the_editor_beside_others,
    the_history,
    the_modal,
)
from tests.support.volume import IS_FULL

WHOLE = {"resultTypes": ["violations"]}
COLOURS = WHOLE | {"runOnly": ["color-contrast"]}  # the rest of a page is the same in the dark
# The others' colours are looked at in light, and test_stylesheets.py measures all of them in the dark.
IN_DARK = SCENES if IS_FULL else (a_client_with_viewers, the_modal, the_editor_beside_others, a_conflict, the_history)
STILL = "() => document.getAnimations().every(({ playState }) => playState === 'finished')"
PHONE = {"width": 380, "height": 760}
# Boxes beyond the edge that no ancestor cuts off or lets scroll. A fixed one makes no page wider, so each is asked.
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
# WCAG 2.5.3: who speaks to the computer says what is written on a button. A dismissing × is no word.
OTHERWISE_NAMED = """() => [...document.querySelectorAll("button[aria-label], .button[aria-label], a[aria-label]")]
    .filter((control) => control.checkVisibility())
    .map(({ ariaLabel, innerText, localName }) => [ariaLabel, innerText.trim().replace(/…$/, ""), localName])
    .filter(([name, text, tag]) => /\\w/.test(text) && (tag === "a" ? !name.includes(text) : !name.startsWith(text)))
    .map(([name, text]) => `${text}: ${name}`)"""
# Controls that a thumb misses (WCAG 2.5.5): less than 44px wide or high, and not a link inside a sentence.
TOO_SMALL = """() => {
    const isInSentence = (control) => getComputedStyle(control).display === "inline" && control.localName === "a"
        && [...control.parentElement.childNodes].some((node) => node.nodeType === 3 && /\\w/.test(node.nodeValue));
    const isSmall = (control) => {
        const labels = /checkbox|radio/.test(control.type) ? [...control.labels] : [];
        const boxes = [control, ...labels].map((element) => element.getBoundingClientRect());
        return !boxes.some(({ width, height }) => width >= 43.5 && height >= 43.5);
    };
    return [...document.querySelectorAll("a[href], button, summary, input, select, textarea")]
        .filter((control) => control.checkVisibility() && control.tabIndex >= 0 && !control.matches(".skip-link"))
        .filter((control) => !isInSentence(control) && isSmall(control))
        .map((control) => `${control.cloneNode(false).outerHTML} ${control.textContent.trim()}`);
}"""


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_it_shuts_nobody_out_and_fits_a_phone(scene: Callable[[Stage], Page], stage: Stage) -> None:
    page = scene(stage)
    faults = {"in light": violations(page, "light", WHOLE), "otherwise named": page.evaluate(OTHERWISE_NAMED)}
    if scene in IN_DARK:
        faults["in dark"] = violations(page, "dark", COLOURS)
    hold_as_a_phone(page)
    faults["too small for a thumb"] = page.evaluate(TOO_SMALL)
    faults["beyond the edge"] = page.evaluate(BEYOND_THE_EDGE)
    assert not any(faults.values()), faults
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]


def hold_as_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    page.context.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.wait_for_function("matchMedia('(pointer: coarse)').matches")


def violations(page: Page, scheme: str, options: dict[str, list[str]]) -> list[str]:
    """What axe has against the page, once nothing on it moves any more."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(STILL)
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {json.dumps([node['html'] for node in rule['nodes']][:3])}" for rule in found]

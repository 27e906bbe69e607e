"""Checks of a page in a browser that several test modules make."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

ANIMATIONS_FINISHED = "() => document.getAnimations().every(({ playState }) => playState === 'finished')"
# Lists controls that are less than 44px wide or high (WCAG 2.5.5), except for links inside a sentence.
TOO_SMALL_CONTROLS = """() => {
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
COMPACT_HEAD_PX = 56  # the height of the head of a client page that is scrolled
PHONE_VIEWPORT = {"width": 380, "height": 760}
MAX_STOPS = 60
# The calendar button inside a date field is Chromium's own, with a ring of its own; the field then has no :focus.
SHOWS_FOCUS = """() => {
    const stop = document.activeElement;
    // The link of a row shows the focus around the row, by a pseudo-element.
    const isOutlined = [undefined, "::after"].some((part) => {
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(stop, part);
        return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && outlineColor !== "rgba(0, 0, 0, 0)";
    });
    return isOutlined || (stop.type === "date" && !stop.matches(":focus"));
}"""


@contextmanager
def phone(page: Page) -> Iterator[None]:
    """Give the page the width and the touch input of a phone in this block."""
    before = page.viewport_size
    assert before
    page.set_viewport_size(PHONE_VIEWPORT)
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.wait_for_function("matchMedia('(pointer: coarse)').matches")
    yield
    session.detach()
    page.set_viewport_size(before)


def axe_violations(page: Page, **options: Any) -> list[str]:
    """Return the violations that axe finds when all animations have finished."""
    page.wait_for_function(ANIMATIONS_FINISHED)
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    report = page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options})
    return [
        f"{rule['id']}: {json.dumps([node['html'] for node in rule['nodes']][:3])}" for rule in report["violations"]
    ]


def top_of(locator: Locator) -> float:
    """Return how far the element is from the top of the window."""
    box = locator.bounding_box()
    assert box
    return box["y"]


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until `goal` has the focus. Each control on the way must show its focus."""
    expect(goal).to_be_visible()
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement !== document.body"):
            assert page.evaluate(SHOWS_FOCUS), page.evaluate("document.activeElement.outerHTML")
        if goal.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{goal} was not reached by Tab")

"""Checks of a page in a browser that several test modules make."""

from playwright.sync_api import Page

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
PHONE_VIEWPORT = {"width": 380, "height": 760}


def emulate_phone(page: Page) -> None:
    """Give the page the width and the touch input of a phone."""
    page.set_viewport_size(PHONE_VIEWPORT)
    page.context.new_cdp_session(page).send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.wait_for_function("matchMedia('(pointer: coarse)').matches")

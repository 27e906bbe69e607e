"""A user at a browser: what the user does, and what the page shows.

Tests create one through the fixture `open_browser`. Each method waits for a condition of the page, never for a time.
"""

import os
import re
import signal
from collections.abc import Callable

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, Response, Route, expect

from portal.auth import Profile
from portal.clients import Client
from portal.extensions import db
from tests.support.cast import PASSWORD

PRESENCE_PATH = "/user_page_presence"
CALM_MS = 5000
# Half of the unhurried portal's heartbeat interval, so a change within it is not due to a heartbeat. It takes a few
# hundredths of a second, which `make bench` measures.
AT_ONCE_MS = 15_000

# Record every toast that a page shows, in order, also those that have disappeared.
REMEMBER_TOASTS = """
    window.toastsSoFar = [];
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
            for (const node of addedNodes)
                if (node.classList?.contains("toast"))
                    toastsSoFar.push(node.querySelector(":scope > span:not([aria-hidden])").textContent);
    }).observe(document, { childList: true, subtree: true });
"""
# Headless Chromium reports every tab as visible and focused, also behind another tab, in a minimised window and without
# focus emulation. So the test sets what other browsers report.
SET_HIDDEN = """(isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    const state = isHidden ? "hidden" : "visible";
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


# Headless browsers have no clipboard.
PASTE = """(control, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    control.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


# Requests the roster until it is the expected one, and returns the last.
ASK_WHO_IS_HERE = """async ([path, expected, patienceMs]) => {
    const written = (roster) => JSON.stringify(Object.entries(roster).sort());
    for (const giveUpAt = performance.now() + patienceMs; ; ) {
        const viewers = await (await fetch(path)).json();
        const roster = Object.fromEntries(viewers.map(({ first_name, activity }) => [first_name, activity]));
        if (written(roster) === written(expected) || performance.now() > giveUpAt) return roster;
        await new Promise((goOn) => setTimeout(goOn, 200));
    }
}"""
# Long enough for a busy machine. A condition that becomes true earlier ends the wait.
PATIENCE_MS = 20_000
CHANGES = "**/changes?since=*"
EDITOR = re.compile(r"/edit$")
CLIENT_PAGE = re.compile(r"/clients/\d+$")

OpenBrowser = Callable[..., "Person"]  # the fixture open_browser
Crowd = Callable[..., list[Profile]]  # the fixture crowd


class Person:
    """A user of the cast with one tab of a browser context; `another_tab` opens a second one."""

    def __init__(self, context: BrowserContext, page: Page | None = None) -> None:
        self.context = context
        self.page = page or context.new_page()

    # Actions

    def open(self, client: Client) -> None:
        """Open the client page, and wait until the server has answered its first heartbeat."""
        self.open_path(f"/clients/{client.id}")

    def open_editor(self, client: Client) -> None:
        """Open the editor by its URL. If it asks about other users, proceed anyway."""
        self.open_editor_at(f"/clients/{client.id}/edit")

    def open_editor_at(self, path: str) -> None:
        """Open the editor of any part of a client as `open_editor` does. No field has the focus then."""
        self.open_path(path)
        if self.page.locator("presence-modal").count():
            # Others may have left since the server made the page.
            self.modal.get_by_role("button", name=re.compile("Proceed Anyway|Edit now")).click()
            self.page.locator("form[data-edit-form] .field :focus").blur()

    def open_path(self, path: str) -> None:
        """Open any page that takes part in presence, and wait for its first heartbeat."""
        with self.page.expect_response(is_answered_beat):
            self.page.goto(path)

    def reload(self) -> None:
        with self.page.expect_response(is_answered_beat):
            self.page.reload()

    def leave(self) -> None:
        """Go to the client list, which takes no part in presence."""
        self.page.goto("/clients")

    def hide_tab(self) -> None:
        self.page.evaluate(SET_HIDDEN, True)

    def show_tab(self) -> None:
        self.page.evaluate(SET_HIDDEN, False)

    def focus_window(self) -> None:
        """Return from another window while this one was visible."""
        self.page.evaluate("window.dispatchEvent(new Event('focus'))")

    def another_tab(self) -> "Person":
        return Person(self.context)

    def click_edit(self) -> None:
        self.page.get_by_role("link", name="Edit", exact=True).click()

    def wait_for_others(self) -> None:
        """Choose Wait for Users, and wait until the server knows: before that, the user cannot ask the others."""
        self.click_edit()
        with self.page.expect_response(is_answered_wait):
            self.modal.get_by_role("button", name="Wait for Users").click()
        expect(self.modal).to_be_hidden()

    def save(self) -> None:
        """Submit the editor's form without waiting, because the response may be the client page or a conflict.

        The keyboard submits it, because a notice that appears now moves the button, and a click would miss it.
        """
        self.page.get_by_role("button", name=re.compile("^(Save changes|Add)$")).press("Enter")

    def miss_saves(self) -> None:
        """Hold the page's requests for other users' saves, so that only the server finds a conflict."""
        self.page.route(CHANGES, lambda route: None)

    def miss_events(self) -> None:
        """Hold the page's event stream, so that only its heartbeats bring news."""
        self.page.route("**/events?*", lambda route: None)

    def take_in(self) -> None:
        """Wait until the page shows a roster that it requests from now on, which the next heartbeat proves."""
        for _ in range(2):
            with self.page.expect_request(is_beat):
                pass

    def forget_who_left(self) -> None:
        """Skip the five seconds for which users who left stay visible (roster.js)."""
        self.take_in()
        self.page.clock.install()
        self.page.clock.fast_forward(CALM_MS)

    # What the page shows

    @property
    def indicator(self) -> Locator:
        return self.page.locator("presence-indicator")

    @property
    def sentence(self) -> Locator:
        """The sentence that names the other users."""
        return self.indicator.locator("[data-sentence]")

    @property
    def avatars(self) -> Locator:
        """The avatars of the other users: at most three and a "+N"."""
        return self.indicator.locator(".avatars .avatar")

    @property
    def toasts(self) -> Locator:
        return self.page.locator("toast-region .toast")

    @property
    def modal(self) -> Locator:
        return self.page.get_by_role("dialog", name="Concurrent Access Detected")

    @property
    def waiting(self) -> Locator:
        return self.page.locator("wait-banner")

    @property
    def nudged(self) -> Locator:
        """The notice to a user who is asked to finish."""
        return self.page.locator("nudge-banner")

    @property
    def signed_out(self) -> Locator:
        return self.page.get_by_role("dialog", name="You are signed out")

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def card(self, title: str) -> Locator:
        """A card of the client page."""
        return self.page.get_by_role("region", name=title)

    def unsaved(self, field: str) -> Locator:
        """What other users have typed in a field and not saved, below the field."""
        return self.page.locator(f'[data-field="{field}"] .unsaved')

    def toasts_so_far(self) -> list[str]:
        """Return the text of every toast since the page was loaded."""
        texts: list[str] = self.page.evaluate("toastsSoFar")
        return texts

    def sees(self, *sentence: str) -> None:
        """Wait until the indicator shows the sentence; without one, until it is hidden."""
        if sentence:
            expect(self.sentence).to_have_text(*sentence)
        else:
            expect(self.indicator).to_be_hidden()

    def hold(self, pattern: str) -> list[Route]:
        """Hold the first request of the page that matches; the caller continues it from the returned list."""
        held: list[Route] = []

        def add(route: Route) -> None:  # Playwright rejects the bound method of a list
            held.append(route)

        self.page.route(pattern, add, times=1)
        return held

    def is_told(self, client: Client, doing: dict[str, str], patience_ms: int = PATIENCE_MS) -> None:
        """Wait until the server's roster of the client page is `doing`: first name to activity."""
        path = f"{PRESENCE_PATH}/client-{client.id}"
        assert self.page.evaluate(ASK_WHO_IS_HERE, [path, doing, patience_ms]) == doing


def start_paste(control: Locator, text: str) -> None:
    control.focus()
    control.evaluate(PASTE, text)


def paste_into(control: Locator, text: str) -> None:
    """Paste rows of a spreadsheet into a control of the grid of valuations, and wait until they are placed."""
    start_paste(control, text)
    expect(control.page.get_by_role("button", name="Undo", exact=True)).to_be_visible()


def is_beat(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith(PRESENCE_PATH)


def is_answered_beat(response: Response) -> bool:
    return is_beat(response.request) and response.ok


def is_answered_wait(response: Response) -> bool:
    """Return whether the server has answered a heartbeat of a tab that waits."""
    return is_answered_beat(response) and bool(response.request.post_data_json["waiting"])


def is_bulk_read(request: Request) -> bool:
    """Return whether the request reads the rosters of several pages."""
    return request.method == "GET" and f"{PRESENCE_PATH}?" in request.url


def kill_browser(browser: Browser) -> None:
    """Kill the browser's main process, as a crash does: no page can send anything any more."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    [pid] = [process["id"] for process in processes if process["type"] == "browser"]
    os.kill(pid, signal.SIGKILL)


def sign_in_again(person: Person, profile: Profile, come_back: Callable[[Person], None] = Person.show_tab) -> None:
    """Follow the dialog to its new tab, sign in there, close it and come back."""
    with person.context.expect_page() as opened:
        person.signed_out.get_by_role("link", name="Sign in again").click()
    submit_credentials(opened.value, profile.email)
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("You are signed in again")
    opened.value.close()
    come_back(person)


def submit_credentials(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def reloaded(client: Client) -> Client:
    """Return the client as it is in the database now."""
    db.session.rollback()
    return client

"""Fixtures of the tests in real browsers on real portals.

Two portals serve one database: `portal` with short intervals, and `unhurried_portal` with those of production. The
tables are not emptied between tests, because a late heartbeat would reach the next test. So each test makes its own
client records, and its own profile where it changes one for good, such as by signing it out everywhere.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, StorageState, expect
from pytest_playwright.pytest_playwright import CreateContextCallback

from portal.app import create_app
from portal.auth import Profile
from portal.clients import Client
from portal.page_kinds import parse
from portal.presence import beats
from portal.presence.store import current_store
from portal.web.session_cookie import IDENTITY_KEY, SessionInterface
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import PATIENCE_MS, REMEMBER_TOASTS, Crowd, OpenBrowser, Person
from tests.browser.scenes.setup import SceneSetup
from tests.browser.windows import Windows
from tests.conftest import DatabaseMaker, settings_for
from tests.support.beside_a_portal import make_database_with_cast, within
from tests.support.cast import Cast, load_cast, make_profile
from tests.support.factories import make_client
from tests.support.server import SECRET_KEY, Portal
from tests.support.test_client import identity_of, signed_in_text

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# The first two draw suggestions below a hidden address bar, with a renderer for each window. They use more than half of
# the CPU of a new browser context (0.57 s with them, 0.24 s without). The others are in Playwright's own list, which
# this list replaces, because Chromium reads only the last one.
SWITCHED_OFF = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the Chromium on PATH, or Playwright's own if there is none, as tools/browser does."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    # With a limit Chromium starts no spare renderer for the next page: 455 ms of CPU for a new client page, not 487.
    arguments = ["--disable-gpu", "--renderer-process-limit=1", f"--disable-features={','.join(SWITCHED_OFF)}"]
    own = {"args": arguments}
    return browser_type_launch_args | own | {"executable_path": found}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    # Without animations: to open and close a dialog takes 0.20 s of CPU, not 0.30, and half of the time.
    return browser_context_args | {"locale": "en-GB", "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Replace the plugin's fixture, which warns under pytest 9: each context has the URL of its portal."""


@pytest.fixture(scope="session", autouse=True)
def _patience() -> None:
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def browsers_database_url(make_database: DatabaseMaker, migrated_url: str) -> str:
    return make_database_with_cast(make_database, migrated_url)


@pytest.fixture(scope="session")
def portal(browsers_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a portal with a heartbeat of 1 s and an active window of 8 s, instead of 30 s and 2 min."""
    log = tmp_path_factory.mktemp("portal") / "log"
    # The window is 8 heartbeats long, not 4, so that a busy machine loses no user who is present.
    portal = Portal(browsers_database_url, log, PORTAL_HEARTBEAT_SECONDS="1", PORTAL_ACTIVE_WINDOW_SECONDS="8")
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="session")
def unhurried_portal(browsers_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a portal with the intervals of production, where an immediate change cannot be due to a heartbeat."""
    log = tmp_path_factory.mktemp("unhurried-portal") / "log"
    portal = Portal(browsers_database_url, log, WEB_CONCURRENCY="1")  # a worker takes 1 s of CPU to start
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="session")
def browsers_app(browsers_database_url: str) -> Flask:
    """Return an application with the portals' secret key, which makes valid cookies."""
    return create_app(settings_for(browsers_database_url, secret_key=SECRET_KEY))


@pytest.fixture
def app(browsers_app: Flask) -> Iterator[Flask]:
    """Return the application in which a test creates and reads records, beside the portals' processes."""
    with within(browsers_app):
        yield browsers_app


@pytest.fixture
def cast(app: Flask) -> Cast:
    return load_cast()


@pytest.fixture
def client(cast: Cast) -> Client:
    return make_client("Whitmore Family", adviser_id=cast.amelia.id, phone="01632 960001")


@pytest.fixture
def browser_errors() -> Iterator[BrowserErrors]:
    """Fail the test for each console error, exception or dialog that it does not expect."""
    browser_errors = BrowserErrors()
    yield browser_errors
    found = browser_errors.found()
    browser_errors.stop_watching()
    assert found == []


@pytest.fixture(scope="session")
def all_windows(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[Windows]:
    with pytest.MonkeyPatch.context() as patch:
        windows = Windows(browser, browser_context_args, REMEMBER_TOASTS, patch)
        yield windows
        windows.close()


@pytest.fixture
def windows(all_windows: Windows) -> Iterator[Windows]:
    """Return the windows, which the test returns at its end, after the check of `browser_errors`."""
    yield all_windows
    all_windows.take_back()


@pytest.fixture
def open_browser(
    new_context: CreateContextCallback,
    windows: Windows,
    portal: Portal,
    browser_errors: BrowserErrors,
    browsers_app: Flask,
    pytestconfig: pytest.Config,
) -> OpenBrowser:
    """`open_browser(profile)` opens a window in which the profile is signed in; None is signed in as no user.

    Each window has its own sign-in session. `at` is another portal, `browser` another browser process. Further
    arguments are those of a new browser context. A window of an earlier test has cached the static files, unless
    `is_new`. Playwright traces new contexts only.
    """
    is_traced = pytestconfig.getoption("--tracing") != "off"

    def open_person(
        profile: Profile | None,
        at: Portal = portal,
        browser: Browser | None = None,
        is_new: bool = is_traced,
        **options: Any,
    ) -> Person:
        state = signed_in(browsers_app, profile) if profile else None
        if not (browser or is_new or options):
            page = windows.lend(at.url, state["cookies"] if state else [])
            browser_errors.watch(page.context)
            return Person(page.context, page)
        make: Callable[..., BrowserContext] = browser.new_context if browser else new_context
        context = make(base_url=at.url, storage_state=state, **options)
        context.add_init_script(REMEMBER_TOASTS)
        browser_errors.watch(context)
        return Person(context)

    return open_person


@pytest.fixture
def amelia(open_browser: OpenBrowser, cast: Cast) -> Person:
    return open_browser(cast.amelia)


@pytest.fixture
def daniel(open_browser: OpenBrowser, cast: Cast) -> Person:
    return open_browser(cast.daniel)


@pytest.fixture
def another_browser(launch_browser: Callable[[], Browser]) -> Iterator[Browser]:
    """Return a browser process of its own, which a test can kill."""
    browser = launch_browser()
    yield browser
    browser.close()


@pytest.fixture
def vera(app: object, request: pytest.FixtureRequest) -> Profile:
    """Return a profile of this test alone, whose sign-in sessions the test may end."""
    return make_profile("Vera", f"Quinn {abs(hash(request.node.name))}")


@pytest.fixture
def crowd(app: Flask) -> Crowd:
    """`crowd(client, 20)` adds twenty users to the client page of the unhurried portal, for two minutes."""

    def gather(client: Client, count: int, last_name: str = "Of Client") -> list[Profile]:
        page = parse(f"client-{client.id}")
        people = [make_profile(f"Viewer{n:02}", f"{last_name} {client.id}") for n in range(1, count + 1)]
        for profile in people:
            current_store().beat(identity_of(app, profile), beats.Beat(page, f"tab-{profile.id}"))
        return people

    return gather


@pytest.fixture
def scene_setup(
    open_browser: OpenBrowser,
    unhurried_portal: Portal,
    cast: Cast,
    crowd: Crowd,
    browser_errors: BrowserErrors,
) -> SceneSetup:
    return SceneSetup(open_browser, unhurried_portal, cast, crowd, browser_errors)


def signed_in(app: Flask, profile: Profile) -> StorageState:
    """Return the cookie of a new sign-in session, as the portals set it (test_sign_in.py uses the form)."""
    content = {IDENTITY_KEY: signed_in_text(app, profile), "_permanent": True}
    serializer = SessionInterface().get_signing_serializer(app)
    assert serializer is not None
    cookie = {"name": "__Host-session", "value": serializer.dumps(content), "domain": "127.0.0.1", "path": "/"}
    flags = {"expires": -1, "httpOnly": True, "secure": True, "sameSite": "Lax"}
    return {"cookies": [{**cookie, **flags}], "origins": []}  # type: ignore[typeddict-item]

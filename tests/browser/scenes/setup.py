"""What every scene of tests/browser/scenes starts from.

A scene opens pages in one state after the other and yields the name and the page of each, for the tests that check all
of them. Its records have the longest names that they accept, without a space to break them at, and twenty viewers where
the page shows viewers.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from playwright.sync_api import Page

from portal.auth import Profile
from portal.clients import Client
from tests.browser.browser_errors import BrowserErrors
from tests.browser.people import Crowd, OpenBrowser, Person
from tests.support.cast import Cast, make_profile
from tests.support.factories import make_client, make_note, make_person, make_product
from tests.support.server import Portal

LONG_NAME = "Featherstonehaugh-Cholmondeley-Marjoribanks-Wriothesley-Beauchamp-Dalziel"
LONG_WORD = "w" * 90
VIEWERS = 20


@dataclass(frozen=True)
class SceneSetup:
    """What a scene needs. Its portal is the unhurried one, on which nothing changes by itself."""

    open_browser: OpenBrowser
    portal: Portal
    cast: Cast
    crowd: Crowd
    browser_errors: BrowserErrors

    def amelia(self) -> Person:
        return self.open_browser(self.cast.amelia, at=self.portal)

    def amelia_among_others(self) -> tuple[Person, Client]:
        """Open the client page beside twenty other viewers, and wait until it shows them."""
        client = long_client(self.cast)
        self.crowd(client, VIEWERS, LONG_NAME)
        amelia = self.amelia()
        amelia.open(client)
        amelia.sees(f"{VIEWERS} users are viewing this client record")
        return amelia, client


States = Iterator[tuple[str, Page]]
Scene = Callable[[SceneSetup], States]


def long_profile() -> Profile:
    """Create a profile of this scene only, with the longest names."""
    return make_profile(LONG_NAME, f"{LONG_NAME}-{secrets.token_hex(4)}")


def long_client(cast: Cast) -> Client:
    """Create a client with long texts without spaces in every field."""
    client = make_client(
        LONG_NAME,
        adviser_id=cast.amelia.id,
        email=f"{'e' * 60}@{'mail' * 12}.example",
        phone="+44 1632 960 001 extension 12345678901",
        address_line1=LONG_WORD,
        town=LONG_WORD,
        postcode="KT1 1AA",
        risk_profile=4,
        capacity_for_loss="medium",
        client_since=date(2011, 4, 6),
        next_review_on=date(2025, 1, 31),
        objectives=f"https://{LONG_WORD}.example/{LONG_WORD}",
        notes=f"{LONG_WORD}\n\n{LONG_WORD} and more",
    )
    make_note(client, f"{LONG_WORD} " * 54, kind="meeting", author_id=cast.daniel.id)
    make_person(client, LONG_NAME, LONG_NAME, known_as=LONG_WORD, ni_number="QQ123456C", title="Mrs")
    make_product(
        client,
        (date(2025, 3, 31), "123456789.01"),
        (date(2026, 3, 31), "999999999.99"),
        product_name=LONG_WORD,
        provider=LONG_WORD,
        plan_number=f"P{client.id}-{'9' * 30}",
        status="lapsed",
        percentage_fee="0.75",
        fixed_fee="1200",
    )
    return client

"""Read the drafts that the portal keeps, and what a page shows about them."""

from playwright.sync_api import Locator, expect

from portal.auth import Profile
from portal.clients import Client
from portal.editing.drafts import store
from portal.editing.drafts.store import DraftKey
from portal.extensions import db
from tests.browser.people import Person


def draft_offer(person: Person) -> Locator:
    return person.page.locator("[data-draft-offer]")


def wait_until_draft_is_kept(person: Person) -> None:
    """Wait until the server has stored everything that was typed."""
    expect(person.page.get_by_text("Draft kept", exact=True).filter(visible=True).first).to_be_visible()


def all_drafts(profile: Profile, client: Client) -> list[dict[str, str]]:
    """Return the values of each draft, the newest first."""
    db.session.rollback()
    return [draft.values for draft in store.drafts_of(DraftKey(profile.id, f"client-{client.id}", "record"))]


def newest_draft(profile: Profile, client: Client) -> dict[str, str] | None:
    """Return the values of the newest draft."""
    return next(iter(all_drafts(profile, client)), None)

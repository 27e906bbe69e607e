"""What colour or place tells reaches everybody: by shape and word, in forced colours, by keyboard, on a phone."""

import pytest
from playwright.sync_api import expect

from portal.clients import Client
from portal.extensions import db
from tests.browser.people import Person

FORCED = ({"forced_colors": "active"}, {"forced_colors": "none"})


@pytest.mark.parametrize("media", FORCED, ids=["forced colours", "own colours"])
def test_an_avatar_looks_otherwise_for_each_thing_that_its_person_does(
    amelia: Person, daniel: Person, client: Client, media: dict[str, str]
) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    amelia.sees("Daniel is also viewing this client record and editing it")
    amelia.page.emulate_media(**media)  # type: ignore[arg-type]
    # The ring is outside the avatar, hence the margin; without colours and their shades only the shape is left.
    row = amelia.indicator.locator("li").first
    row.evaluate("row => Object.assign(row.style, { padding: '8px', filter: 'grayscale(1) contrast(9)' })")
    avatar = row.locator(".avatar")
    assert "edits" in (avatar.get_attribute("class") or "")

    shown = []
    for name in ("avatar hue-1 viewing", "avatar hue-1 editing edits", "avatar hue-1 away", "avatar hue-1 away edits"):
        avatar.evaluate("(avatar, name) => (avatar.className = name)", name)
        shown.append(row.screenshot(animations="disabled"))
    assert len(set(shown)) == 4


def test_the_risk_meter_shows_its_steps_in_forced_colours(amelia: Person, client: Client) -> None:
    client.risk_profile = 3
    db.session.commit()
    amelia.page.emulate_media(forced_colors="active")
    amelia.open(client)
    steps = [step.screenshot() for step in amelia.page.locator(".meter i").all()]
    assert len(steps) == 7
    assert steps[2] != steps[3]


def test_who_edits_is_named_on_the_client_page_in_the_editor_and_in_the_list(
    amelia: Person, daniel: Person, client: Client
) -> None:
    daniel.open_editor(client)
    amelia.open(client)
    amelia.sees("Daniel is also viewing this client record and editing it")
    amelia.open_editor(client)
    amelia.sees("Daniel is also viewing this client record and editing it")

    amelia.page.goto(f"/clients?q={client.client_ref}")
    row = amelia.page.locator(f'[data-page="client-{client.id}"]')
    expect(row.get_by_role("img", name="Daniel Okafor – Editing")).to_be_visible()
    expect(row).to_contain_text("Daniel is editing")
    daniel.leave()
    expect(row).not_to_contain_text("Daniel is editing")

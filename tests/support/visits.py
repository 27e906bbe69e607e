"""Record visits of clients as the browser does."""

from portal.clients import Client
from tests.support.test_client import Visitor


def record_visit(browser: Visitor, client: Client, version: int) -> None:
    assert browser.post(f"/clients/{client.id}/visit", json={"version": version}).status_code == 200

"""GET /metrics: Prometheus's figures for who knows the token. Over several workers: tests/live/test_servers.py."""

import pytest

from portal.config import settings_from_environ
from portal.errors import ConfigurationError
from tests.conftest import AppMaker

TOKEN = "a-token-for-metrics-only"


def test_without_a_token_set_there_is_no_such_page(make_app: AppMaker) -> None:
    client = make_app().test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer None"}).status_code == 404


@pytest.mark.parametrize("given", [None, "", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer", "Bearer \xe9"])
def test_who_does_not_know_it_is_told_nothing(make_app: AppMaker, given: str | None) -> None:
    answer = make_app(metrics_token=TOKEN).test_client().get("/metrics", headers={"Authorization": given or ""})
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_who_knows_it_reads_every_figure_that_operating_md_explains(make_app: AppMaker) -> None:
    answer = make_app(metrics_token=TOKEN).test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    for name in (
        *("portal_beats_total", "portal_streams_open", "portal_streams_ended_total", "portal_notifications_sent_total"),
        *("portal_notifications_received_total", "portal_roster_queries_total", "portal_rosters_sent_total"),
        *("portal_hub_reconnects_total", "portal_tabs_vanished_total", "portal_job_rows_total", "portal_job_seconds"),
    ):
        assert f"# HELP {name} " in answer.text, name


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="PORTAL_METRICS_TOKEN"):
        settings_from_environ({"PORTAL_DEMO": "1", "PORTAL_METRICS_TOKEN": "short", "PORTAL_SECRET_KEY": "k" * 40})

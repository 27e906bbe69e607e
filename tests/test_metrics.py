"""GET /metrics, with and without the token. tests/live/test_servers.py has the figures of several workers."""

import re

import pytest

from portal.config import settings_from_environ
from portal.errors import ConfigurationError
from portal.monitoring import metrics
from tests.conftest import AppMaker

TOKEN = "a-token-for-metrics-only"


def test_without_a_configured_token_the_page_is_not_found(make_app: AppMaker) -> None:
    client = make_app().test_client()
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer None"}).status_code == 404


@pytest.mark.parametrize("given", [None, "", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer", "Bearer \xe9"])
def test_request_with_a_wrong_token_is_401_without_figures(make_app: AppMaker, given: str | None) -> None:
    answer = make_app(metrics_token=TOKEN).test_client().get("/metrics", headers={"Authorization": given or ""})
    assert (answer.status_code, answer.data) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_request_with_the_token_gets_every_metric_of_operating_md(make_app: AppMaker) -> None:
    answer = make_app(metrics_token=TOKEN).test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    for name in (
        *("portal_beats_total", "portal_streams_open", "portal_streams_ended_total", "portal_notifications_sent_total"),
        *("portal_notifications_received_total", "portal_roster_queries_total", "portal_rosters_sent_total"),
        *("portal_hub_reconnects_total", "portal_tabs_vanished_total", "portal_job_rows_total", "portal_job_seconds"),
    ):
        assert f"# HELP {name} " in answer.text, name


def test_short_token_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="PORTAL_METRICS_TOKEN"):
        settings_from_environ({"PORTAL_DEMO": "1", "PORTAL_METRICS_TOKEN": "short", "PORTAL_SECRET_KEY": "k" * 40})


@pytest.mark.parametrize(
    ("reason", "why"), [("broken", "broken"), ("restarting", "moving"), ("replaced", "full"), ("slow", "slow")]
)
def test_ended_stream_is_counted_by_its_reason_and_by_label_and_value_of_the_previous_release(
    reason: str, why: str
) -> None:
    metrics.count_ended_stream(reason)

    text = metrics.exposition().decode()
    assert re.search(rf'^portal_streams_ended_total\{{reason="{reason}",why="{why}"\}} [1-9]', text, re.MULTILINE)

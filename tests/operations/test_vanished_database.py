"""The database's host vanishes without a word. Work goes on within 15 seconds after one that takes changes answers."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.operations.networks import cables
from tests.operations.offices import office
from tests.operations.people import ANSWER_SECONDS, Worker, wait_until_all_work
from tests.operations.postgres import Postgres
from tests.support.until import wait_until

pytestmark = pytest.mark.operations
BACK_WITHIN_SECONDS = 15


def wait_until_nobody_works(workers: Sequence[Worker]) -> None:
    """Each has been answered that the database is away, and not been left waiting."""
    since = time.monotonic()
    wait_until(lambda: all(worker.fails_after(since) for worker in workers), "somebody still waits", ANSWER_SECONDS)


def test_work_goes_on_when_the_cable_is_mended(tmp_path: Path) -> None:
    with cables(1) as [cable], Postgres("alone", address=cable.address, network=cable.network) as primary:
        primary.make()
        with office(primary, primary.url, tmp_path / "log") as at_work:
            cable.cut()
            wait_until_nobody_works(at_work.workers)
            time_of_mending = time.monotonic()
            cable.mend()
            wait_until_all_work(at_work.workers, time_of_mending, BACK_WITHIN_SECONDS)


def test_work_goes_on_with_another_host_once_it_is_promoted(tmp_path: Path) -> None:
    """The URL names both; the first never answers again."""
    with (
        cables(2) as [first, second],
        Postgres("first", address=first.address, network=first.network) as primary,
        Postgres("second", address=second.address, network=second.network) as standby,
    ):
        primary.make()
        standby.follow(primary)
        hosts = f"{primary.address}:{primary.port},{standby.address}:{standby.port}"
        with office(primary, f"postgresql://postgres@{hosts}/kingston", tmp_path / "log") as at_work:
            first.cut()
            wait_until_nobody_works(at_work.workers)
            standby.promote()
            time_of_promotion = time.monotonic()
            wait_until_all_work(at_work.workers, time_of_promotion, BACK_WITHIN_SECONDS)

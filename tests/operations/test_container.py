"""What the Dockerfile builds and starts, without a container: the same files and commands, as the same account without
any privilege, on a read-only file system, with its secrets in files."""

import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from tests.operations.postgres import Postgres
from tests.support.debian import DEPLOY, needs_root, run
from tests.support.processes import default_signals, kill, reserve_port
from tests.support.until import wait_until

pytestmark = pytest.mark.operations

DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
PYTHON = Path("/usr/bin/python3")
ACCOUNT = re.findall(r"^USER (\d+):\1$", DOCKERFILE, re.MULTILINE)[0]
# Only these two folders can be written to, as in compose.yaml.
READ_ONLY = """
set -e
for folder in instance tmp; do mount --bind "$1/$folder" "$1/$folder"; done
mount -o remount,bind,ro /
cd "$1/portal"
shift
exec setpriv --reuid="$ACCOUNT" --regid="$ACCOUNT" --clear-groups --no-new-privs --bounding-set=-all -- "$@"
"""


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder that everybody may look into, with what the Dockerfile copies and installs."""
    needs_root()
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is missing")
    folder = Path(tempfile.mkdtemp(prefix="kp-image-"))
    folder.chmod(0o755)
    (folder / "portal").mkdir()
    for sources, target in re.findall(r"^COPY (?!--from)(.+) (\S+)$", DOCKERFILE, re.MULTILINE):
        for source in sources.split():
            copy = shutil.copytree if (PROJECT_ROOT / source).is_dir() else shutil.copy
            if not target.startswith("/"):  # what goes elsewhere runs from where it is
                copy(PROJECT_ROOT / source, folder / "portal" / (source if target == "./" else target))
    [install] = re.findall(r"^RUN (python3 -m venv .*)$", DOCKERFILE, re.MULTILINE)
    run("sh", "-c", install.replace("python3 -m venv", f"{PYTHON} -m venv"), cwd=folder / "portal", timeout=300)
    for name in ("instance", "tmp"):
        (folder / name).mkdir()
        os.chown(folder / name, int(ACCOUNT), int(ACCOUNT))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def database() -> Iterator[Postgres]:
    with Postgres("container") as server:
        server.make()
        yield server


@pytest.fixture
def environment(image: Path, database: Postgres) -> Iterator[dict[str, str]]:
    """As compose.yaml and the Dockerfile set it, at other places."""
    port, reservation = reserve_port()
    settings = {"DATABASE_URL": database.url, "PORTAL_SECRET_KEY": secrets.token_urlsafe(32)}
    for name, secret in settings.items():
        (image / name).write_text(f"{secret}\n")
        os.chown(image / name, int(ACCOUNT), int(ACCOUNT))
        (image / name).chmod(0o400)
    yield {
        **{f"{name}_FILE": str(image / name) for name in settings},
        "ACCOUNT": ACCOUNT,
        "PATH": f"{image}/portal/.venv/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PORTAL_BIND": f"127.0.0.1:{port}",
        "PORTAL_ALLOWED_HOSTS": "127.0.0.1",
        "PORTAL_INSTANCE": f"{image}/instance",
        "TMPDIR": f"{image}/tmp",
    }
    reservation.close()


def inside(image: Path, *command: str) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", str(image), *command]


def test_container_migrates_serves_and_reports_its_health(image: Path, environment: dict[str, str]) -> None:
    [start] = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
    healthcheck = [str(PYTHON), str(DEPLOY / "bin" / "portal-healthcheck")]
    run(*inside(image, "flask", "db", "upgrade"), env=environment)
    refused = subprocess.run(
        inside(image, "touch", "/tmp/kp-read-only"), env=environment, check=False, capture_output=True
    )
    assert b"Read-only file system" in refused.stderr

    with default_signals():
        server = subprocess.Popen(
            inside(image, *json.loads(start)),
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    try:
        wait_until(lambda: subprocess.run(healthcheck, env=environment, check=False).returncode == 0, "it is not ready")
        assert len(list((image / "instance" / "static").iterdir())) == 1
        server.terminate()
        said = server.communicate(timeout=30)[1]
    finally:
        kill(server)

    assert (server.returncode, "Traceback" in said) == (0, False), said
    away = subprocess.run(healthcheck, env=environment, check=False, capture_output=True, text=True)
    assert (away.returncode, "does not answer" in away.stderr) == (1, True)

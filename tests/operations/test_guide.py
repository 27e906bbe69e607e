"""docs/operating.md, followed to the letter on an empty Debian with systemd: every command, one after the other."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from tests.operations.machine import Machine

pytestmark = pytest.mark.operations

GUIDE = (PROJECT_ROOT / "docs" / "operating.md").read_text()
PASSWORD = "a long sentence for ada"
ASK = (
    "curl --silent --cacert /etc/nginx/tls/fullchain.pem --resolve portal.firm.example:443:127.0.0.1"
    " --cookie /root/cookies --cookie-jar /root/cookies"
)
SIGN_IN = f"""
token=$({ASK} https://portal.firm.example/sign-in | grep -o 'name="csrf_token"[^>]*value="[^"]*"' | head -1)
token=${{token##*value=\\"}}
{ASK} --output /dev/null --write-out 'answered %{{http_code}} %{{redirect_url}}\\n' \\
    --referer https://portal.firm.example/sign-in --data-urlencode "csrf_token=${{token%\\"}}" \\
    --data-urlencode email=ada@firm.example --data-urlencode 'password={PASSWORD}' https://portal.firm.example/sign-in
"""
SIGNED_IN = "answered 302 https://portal.firm.example/sign-in/set-up?next=%2Fclients"
RESTART_UNDER_LOAD = f"""
for number in 1 2 3 4; do
    while [ ! -e /root/stop ]; do
        {ASK} --output /dev/null --write-out '%{{http_code}}\\n' --request POST https://portal.firm.example/healthz
    done > /root/statuses.$number 2> /dev/null &
done
for port in 8001 8002 8001 8002; do systemctl restart portal@$port; done
touch /root/stop
wait
echo "statuses: $(sort --unique /root/statuses.* | tr '\\n' ' ')" > /root/statuses
grep --invert-match "connect() failed" /var/log/nginx/error.log | tail -5 >> /root/statuses
"""


def commands(kind: str = "") -> str:
    """The guide's commands of a kind, but for `sysctl`: a container may not set the kernel."""
    blocks = re.findall(rf"^```sh{kind and f' {kind}'}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if not line.startswith("sysctl ")]
    assert lines
    return "\n".join(lines)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    archive = machine.root / "root" / "portal.tar.gz"
    subprocess.run(["git", "archive", "--format=tar.gz", f"--output={archive}", "HEAD"], cwd=PROJECT_ROOT, check=True)
    with machine:
        yield machine


def test_guide_leads_to_a_portal_that_serves_and_is_upgraded_rolled_back_and_restored(machine: Machine) -> None:
    add = "portal-flask users add "
    machine.do(commands().replace(add, f"printf '%s\\n' '{PASSWORD}' '{PASSWORD}' | {add}"))
    assert SIGNED_IN in machine.do(SIGN_IN)
    assert "No problems found." in machine.do("portal-flask doctor")
    machine.do(RESTART_UNDER_LOAD)
    statuses = (machine.root / "root" / "statuses").read_text()
    assert statuses.startswith("statuses: 405 \n"), statuses

    for kind in ("upgrade", "rollback", "restore"):
        machine.do(commands(kind))
        assert SIGNED_IN in machine.do(SIGN_IN), kind

    exposure = machine.do("systemd-analyze security --no-pager portal@8001 | tail -1")
    assert float(re.findall(r"(\d\.\d) OK", exposure)[0]) < 2
    machine.do("install --directory --owner portal-owner --mode 0700 /srv/archive")
    purge = "audit purge --before 2100-01-01 --export /srv/archive/audit.jsonl"
    assert "does not own audit_events" in machine.do(f"portal-flask {purge} || true")
    assert "no longer in the database" in machine.do(f"portal-flask --owner {purge}")
    assert '"health":"up"' in machine.do(
        "for second in $(seq 60); do"
        ' curl --silent http://127.0.0.1:9090/api/v1/targets | grep \'"health":"up"\' && break; sleep 1; done'
    )
    machine.do("! grep --extended-regexp 'Traceback|not permitted' /var/log/portal/*.log")

"""The files of deploy/, each checked by the program that reads it. nginx's are in test_nginx.py."""

import json
import re
import shutil
from pathlib import Path

import pytest

from portal.config import PROJECT_ROOT
from portal.monitoring import metrics
from tests.operations.postgres import SETTINGS, Postgres
from tests.support.debian import DEPLOY, edited, needs_root, program, run

pytestmark = pytest.mark.operations

UNITS = sorted((DEPLOY / "systemd").iterdir())
MAX_EXPOSURE = 20  # in tenths: systemd calls up to 2.0 OK and from 5.0 on exposed
SHELL_SCRIPTS = (
    *("deploy/bin/portal-backup", "deploy/bin/portal-flask", "deploy/compose/roles.sh"),
    *("tools/debian-programs", "tools/engines", "tools/operations"),
)


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    program_of_the_release = "/opt/portal/current/.venv/bin/python"
    for unit in UNITS:
        text = unit.read_text().replace(program_of_the_release, "/bin/true")
        text = text.replace("/usr/local/bin/portal-backup", "/bin/true")
        (tmp_path / unit.name.replace("@", "@8001")).write_text(text)

    said = run(program("systemd-analyze"), "verify", *sorted(tmp_path.iterdir()))

    assert said.stdout + said.stderr == ""


def test_unit_of_the_server_exposes_little() -> None:
    # fmt: off
    run(program("systemd-analyze"), "security", "--offline=true", f"--threshold={MAX_EXPOSURE}",
        DEPLOY / "systemd" / "portal@.service")
    # fmt: on


def test_hadolint_finds_nothing_wrong_with_the_dockerfile() -> None:
    run(PROJECT_ROOT / ".venv" / "bin" / "hadolint", "--failure-threshold", "info", DEPLOY / "Dockerfile")


def test_dockerfile_copies_what_the_checkout_has_and_its_context_holds() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    context = set(re.findall(r"^!(\S+)$", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE))

    assert {source for source in sources if not (PROJECT_ROOT / source).exists()} == set()
    assert sources == context


def test_docker_compose_understands_the_file_and_every_file_that_it_names_is_there(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    readme = (DEPLOY / "README.md").read_text()
    [makes_secrets] = re.findall(r"```sh\n(umask 077\n.*?)```", readme, re.DOTALL)
    run("sh", "-c", f"set -eu\n{makes_secrets}", cwd=tmp_path)

    said = run(program("docker-compose"), "--file", tmp_path / "deploy" / "compose.yaml", "config").stdout

    named = set(re.findall(rf"{tmp_path}/deploy/[\w./-]+", said))
    assert len(named) > 10
    assert {path for path in named if not Path(path).exists()} == set()
    secrets = sorted((tmp_path / "deploy" / "secrets").iterdir())
    assert [path for path in secrets if path.stat().st_size < 20] == []


def test_logrotate_understands_the_file(tmp_path: Path) -> None:
    needs_root()
    rules = tmp_path / "portal"
    rules.write_text(
        edited(DEPLOY / "logrotate" / "portal", {"/var/log/portal/": f"{tmp_path}/", "su root portal": ""})
    )
    rules.chmod(0o644)
    (tmp_path / "8001.log").write_text("{}\n")

    said = run(program("logrotate"), "--debug", "--force", "--state", tmp_path / "state", rules).stderr

    assert "error" not in said
    assert f"rotating log {tmp_path}/8001.log" in said


def test_logrotate_copies_the_log_and_empties_it(tmp_path: Path) -> None:
    needs_root()
    tmp_path.chmod(0o700)  # else logrotate takes the folder for one that others may write to
    rules = tmp_path / "portal"
    rules.write_text(
        edited(DEPLOY / "logrotate" / "portal", {"/var/log/portal/": f"{tmp_path}/", "su root portal": ""})
    )
    rules.chmod(0o644)
    log = tmp_path / "8001.log"
    with log.open("a") as server:
        server.write("before\n")
        server.flush()
        run(program("logrotate"), "--force", "--state", tmp_path / "state", rules)
        server.write("after\n")

    assert log.read_text() == "after\n"
    assert (tmp_path / "8001.log.1").read_text() == "before\n"


def test_postgresql_takes_its_settings() -> None:
    with Postgres("settings") as server:
        server.make()
        server.kill()
        shutil.copy(DEPLOY / "postgresql" / "portal.conf", server.folder / "portal.conf")
        (server.folder / "portal.conf").chmod(0o644)
        with (server.folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(f"\ninclude '{server.folder}/portal.conf'\n")
        server.start()

        # What the test gives on the command line cannot be applied from a file.
        wrong = "SELECT array_agg(name) FROM pg_file_settings WHERE error IS NOT NULL AND name <> ALL(%s)"
        assert server.ask(wrong, [list(SETTINGS)]) is None
        assert server.ask("SHOW log_parameter_max_length_on_error") == "0"


def test_every_kernel_setting_is_one() -> None:
    lines = [line for line in (DEPLOY / "sysctl" / "portal.conf").read_text().splitlines() if line and line[0] != "#"]
    names = [line.partition("=")[0].strip() for line in lines]

    assert len(names) == 3
    assert [name for name in names if not Path("/proc/sys", *name.split(".")).exists()] == []


def test_prometheus_understands_its_files_and_raises_the_alerts_that_it_should(tmp_path: Path) -> None:
    promtool = program("promtool")
    run(promtool, "check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")
    shutil.copy(DEPLOY / "prometheus" / "portal.rules.yml", tmp_path)
    shutil.copy(Path(__file__).parent / "alerts.test.yml", tmp_path)

    run(promtool, "check", "rules", tmp_path / "portal.rules.yml")
    run(promtool, "test", "rules", tmp_path / "alerts.test.yml")


@pytest.mark.parametrize("name", ["prometheus/portal.rules.yml", "grafana/portal.json"])
def test_every_metric_that_is_watched_is_one_that_the_portal_has(name: str) -> None:
    has = set(re.findall(r"^# TYPE (\S+)", metrics.exposition().decode(), re.MULTILINE))
    has |= {f"{metric}{suffix}" for metric in has for suffix in ("_sum", "_count", "_bucket")}
    watched = set(re.findall(r"\bportal_[a-z_]+\b", (DEPLOY / name).read_text()))
    watched -= {"portal_metrics_token"}

    assert len(watched) > 4
    assert watched - has == set()


def test_grafanas_dashboard_has_no_two_panels_in_one_place() -> None:
    panels = json.loads((DEPLOY / "grafana" / "portal.json").read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(panels) > 8
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("name", SHELL_SCRIPTS)
def test_shellcheck_finds_nothing_wrong_with(name: str) -> None:
    run(program("shellcheck"), "--exclude=SC1090", PROJECT_ROOT / name)


def test_grants_are_those_of_the_security_page() -> None:
    page = (PROJECT_ROOT / "docs" / "security.md").read_text()
    [grants] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)

    assert (DEPLOY / "postgresql" / "grants.sql").read_text().endswith(f"\n\n{grants}")

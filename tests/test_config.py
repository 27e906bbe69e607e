"""Test the settings from the environment, and those that the portal refuses to start with."""

import json
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.config import Settings, deprecations, settings_from_environ
from portal.config.readme_table import README, with_table
from portal.errors import ConfigurationError
from tests.support.processes import environment_without_settings

KEY = "a long and random secret key, 40 letters"
URL = "postgresql://portal@db/kingston"
PRODUCTION = {
    "DATABASE_URL": URL,
    "PORTAL_SECRET_KEY": KEY,
    "PORTAL_INSTANCE": "/nonexistent",
    "PORTAL_ALLOWED_HOSTS": "portal.firm.example",
}


def test_production_needs_a_database_a_key_a_name_and_nothing_else() -> None:
    settings = settings_from_environ(PRODUCTION)

    assert settings == Settings(
        secret_key=KEY,
        database_url=URL,
        instance=Path("/nonexistent"),
        allowed_hosts=("portal.firm.example",),
        second_factor="admins",
    )
    assert settings.cookies_are_secure
    timings = settings.presence
    assert (timings.heartbeat_seconds, timings.active_window_seconds, timings.stale_seconds) == (30, 120, 300)
    assert (settings.idle_minutes, settings.log_level, settings.edit_warning) == (30, "INFO", "present")


@pytest.mark.parametrize(
    ("changes", "variable"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://db/kingston"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql+asyncpg://db/kingston"}, "DATABASE_URL"),
        ({"DATABASE_URL": "kingston"}, "DATABASE_URL"),
        ({"PORTAL_SECRET_KEY": ""}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": "short"}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": KEY[:31]}, "PORTAL_SECRET_KEY"),
        ({"PORTAL_SECRET_KEY": "ab" * 20}, "PORTAL_SECRET_KEY"),
        *[
            ({name: value}, name)
            for name in (
                *("PORTAL_HEARTBEAT_SECONDS", "PORTAL_ACTIVE_WINDOW_SECONDS", "PORTAL_STALE_SECONDS"),
                *("PORTAL_IDLE_MINUTES", "PORTAL_DB_POOL_SIZE", "WEB_CONCURRENCY"),
            )
            for value in (
                "0",
                "-1",
                "1.5",
                "ten",
                "\N{ARABIC-INDIC DIGIT THREE}",
                "1000000",
                " 5",
                "5 ",
                "1e3",
                "9" * 5_000,
            )
        ],
        ({"PORTAL_HEARTBEAT_SECONDS": "60"}, "PORTAL_HEARTBEAT_SECONDS"),
        ({"PORTAL_ACTIVE_WINDOW_SECONDS": "60"}, "PORTAL_ACTIVE_WINDOW_SECONDS"),
        ({"PORTAL_STALE_SECONDS": "120"}, "PORTAL_STALE_SECONDS"),
        ({"PORTAL_LOG_LEVEL": "LOUD"}, "PORTAL_LOG_LEVEL"),
        *[
            ({"PORTAL_ALLOWED_HOSTS": value}, "PORTAL_ALLOWED_HOSTS")
            for value in ("", " , ", "https://portal.firm.example", "portal.firm.example:443", "*", "-", "a b", "a/b")
        ],
        *[
            ({"PORTAL_TRUSTED_PROXIES": value}, "PORTAL_TRUSTED_PROXIES")
            for value in ("0", "10", "-1", "nginx", "10.0.0.1/8", "10.0.0.0/33", "1;2", "*")
        ],
        *[({"PORTAL_EDIT_WARNING": value}, "PORTAL_EDIT_WARNING") for value in ("none", "Editing", "present editing")],
        *[({"PORTAL_SECOND_FACTOR": value}, "PORTAL_SECOND_FACTOR") for value in ("yes", "1", "ADMINS", "nobody")],
        ({"PORTAL_SESSION_HOURS": "0"}, "PORTAL_SESSION_HOURS"),
        ({"PORTAL_SECRET_KEY_FALLBACKS": f"{KEY},short"}, "PORTAL_SECRET_KEY_FALLBACKS"),
        *[({"PORT": value}, "PORT") for value in ("0", "65536", "http", "-1")],
        ({"PORTAL_METRICS_TOKEN": "short"}, "PORTAL_METRICS_TOKEN"),
    ],
)
def test_each_refusal_names_the_variable_to_mend(changes: dict[str, str], variable: str) -> None:
    with pytest.raises(ConfigurationError, match=variable):
        settings_from_environ({**PRODUCTION, **changes})


def test_refusal_never_shows_the_key() -> None:
    with pytest.raises(ConfigurationError) as refused:
        settings_from_environ({**PRODUCTION, "PORTAL_SECRET_KEY": "hunter2hunter2"})

    assert "hunter2" not in str(refused.value)


def test_secret_is_read_from_a_file(tmp_path: Path) -> None:
    secrets = {
        "DATABASE_URL": "postgresql://portal:from-a-file@db/kingston",
        "PORTAL_DIRECT_DATABASE_URL": "postgresql://portal:from-a-file@direct/kingston",
        "PORTAL_SECRET_KEY": KEY[::-1],
        "PORTAL_SECRET_KEY_FALLBACKS": "f" * 40,
        "PORTAL_METRICS_TOKEN": "a-token-for-metrics-only",
    }
    environ = {name: value for name, value in PRODUCTION.items() if name not in secrets}
    for name, secret in secrets.items():
        (tmp_path / name).write_text(f"{secret}\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)

    assert settings_from_environ(environ) == settings_from_environ({**PRODUCTION, **secrets})


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_unusable_secret_file_is_refused_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=f"PORTAL_SECRET_KEY_FILE: {path}"):
        settings_from_environ({**PRODUCTION, "PORTAL_SECRET_KEY": "", "PORTAL_SECRET_KEY_FILE": str(path)})


def test_secret_that_is_set_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)

    with pytest.raises(ConfigurationError, match="PORTAL_SECRET_KEY and PORTAL_SECRET_KEY_FILE are both set"):
        settings_from_environ({**PRODUCTION, "PORTAL_SECRET_KEY_FILE": str(tmp_path / "key")})


def test_setting_from_the_environment_is_used(tmp_path: Path) -> None:
    settings = settings_from_environ(
        {
            **PRODUCTION,
            "PORTAL_INSTANCE": str(tmp_path / "with a space"),
            "PORTAL_HEARTBEAT_SECONDS": "5",
            "PORTAL_ACTIVE_WINDOW_SECONDS": "20",
            "PORTAL_STALE_SECONDS": "60",
            "PORTAL_IDLE_MINUTES": "10",
            "PORTAL_DB_POOL_SIZE": "3",
            "PORTAL_LOG_LEVEL": "debug",
            "PORTAL_SESSION_HOURS": "8",
            "PORTAL_ALLOWED_HOSTS": "Portal.firm.example, 10.0.0.7,[::1]",
            "PORTAL_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8",
            "PORTAL_SECOND_FACTOR": "everyone",
            "PORTAL_EDIT_WARNING": "editing",
            "PORTAL_SECRET_KEY_FALLBACKS": f"{'b' * 32}, {'a' * 32}",
        }
    )

    timings = settings.presence
    assert (timings.heartbeat_seconds, timings.active_window_seconds, timings.stale_seconds) == (5, 20, 60)
    assert (settings.idle_minutes, settings.db_pool_size, settings.log_level) == (10, 3, "DEBUG")
    assert settings.instance == tmp_path / "with a space"
    assert settings.allowed_hosts == ("portal.firm.example", "10.0.0.7", "[::1]")
    assert (settings.session_hours, settings.second_factor, settings.edit_warning) == (8, "everyone", "editing")
    assert settings.secret_key_fallbacks == ("b" * 32, "a" * 32)
    assert [str(network) for network in settings.trusted_proxies.networks] == ["127.0.0.1/32", "10.0.0.0/8"]


@pytest.mark.parametrize(
    "url",
    [
        "postgres://a:b@c:5433/d?sslmode=require",
        "postgresql://a/b",
        "postgresql+psycopg2://a/b",
        "postgresql://portal@db1:5432,db2:5433/portal?target_session_attrs=any",
        "postgresql://portal@[2001:db8::1],[2001:db8::2]:5433/portal",
        "postgresql:///portal?host=/run/postgresql",
    ],
)
def test_every_url_of_libpq_is_taken(url: str) -> None:
    assert settings_from_environ({**PRODUCTION, "DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize("name", ["DATABASE_URL", "PORTAL_DIRECT_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "postgresql://portal:pass-word@db/portal?no_such_parameter=1",
        "postgresql://portal:pass-word@db1,db2,db3:1,db4/portal?port=1,2",
        "postgresql://portal:pass-word@[::1/portal",
    ],
)
def test_url_that_cannot_be_read_is_refused_without_its_password(name: str, url: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as refusal:
        settings_from_environ({**PRODUCTION, name: url})
    assert "pass-word" not in str(refusal.value)


def test_demo_needs_no_settings(tmp_path: Path) -> None:
    settings = settings_from_environ({"PORTAL_DEMO": "1", "PORTAL_INSTANCE": str(tmp_path)})

    assert (settings.is_demo, settings.database_url, settings.cookies_are_secure) == (True, None, False)
    assert settings.secret_key == (tmp_path / "secret_key").read_text()


@pytest.mark.parametrize("value", ["0", "", "true", "yes", "2"])
def test_only_1_is_demo_mode(value: str) -> None:
    """Any other value must not open production with the demo's password."""
    assert not settings_from_environ({**PRODUCTION, "PORTAL_DEMO": value}).is_demo


def test_stored_key_is_readable_by_its_owner_only_and_is_reused(tmp_path: Path) -> None:
    demo = {"PORTAL_DEMO": "1", "PORTAL_INSTANCE": str(tmp_path / "new" / "folder")}
    key = settings_from_environ(demo).secret_key

    kept = tmp_path / "new" / "folder" / "secret_key"
    assert len(key) >= 32
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert settings_from_environ(demo).secret_key == key
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_workers_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def read(_number: int) -> str:
        start.wait(10)
        return settings_from_environ({"PORTAL_DEMO": "1", "PORTAL_INSTANCE": str(tmp_path)}).secret_key

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read, range(8)))) == 1


def test_command_runs_without_a_secret_key(tmp_path: Path) -> None:
    """A command signs no session, so its key is random and not stored."""
    command = {"FLASK_RUN_FROM_CLI": "true", "PORTAL_INSTANCE": str(tmp_path), "DATABASE_URL": URL}
    first, second = settings_from_environ(command), settings_from_environ(command)

    assert first.is_command
    assert first.secret_key != second.secret_key
    assert list(tmp_path.iterdir()) == []


def test_command_without_a_database_is_refused_outside_demo_mode(tmp_path: Path) -> None:
    """With an embedded database it would report success without changing the real one."""
    command = {"FLASK_RUN_FROM_CLI": "true", "PORTAL_INSTANCE": str(tmp_path)}
    with pytest.raises(ConfigurationError, match="DATABASE_URL is not set"):
        settings_from_environ(command)

    assert settings_from_environ({**command, "PORTAL_DEMO": "1"}).database_url is None


def test_deprecated_names_are_read_where_the_new_ones_are_not_set(tmp_path: Path) -> None:
    old = {"PORTAL_HOSTS": "old.firm.example", "PORTAL_OLD_SECRET_KEY": "a key, with a comma"}
    environ = {name: value for name, value in PRODUCTION.items() if name != "PORTAL_ALLOWED_HOSTS"} | old

    settings = settings_from_environ(environ)
    assert settings.allowed_hosts == ("old.firm.example",)
    assert settings.secret_key_fallbacks == ("a key, with a comma",)

    (tmp_path / "key").write_text("from a file")
    in_a_file = PRODUCTION | {"PORTAL_OLD_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert settings_from_environ(in_a_file).secret_key_fallbacks == ("from a file",)


def test_new_name_wins_over_the_deprecated_one() -> None:
    old = {"PORTAL_HOSTS": "not a name", "PORTAL_OLD_SECRET_KEY": "x"}
    settings = settings_from_environ({**PRODUCTION, **old, "PORTAL_SECRET_KEY_FALLBACKS": "f" * 40})

    assert settings.allowed_hosts == ("portal.firm.example",)
    assert settings.secret_key_fallbacks == ("f" * 40,)


def test_refusal_of_a_deprecated_variable_names_the_variable_that_is_set() -> None:
    environ = {name: value for name, value in PRODUCTION.items() if name != "PORTAL_ALLOWED_HOSTS"}
    with pytest.raises(ConfigurationError, match="PORTAL_HOSTS must have names"):
        settings_from_environ({**environ, "PORTAL_HOSTS": "*"})


def test_log_names_each_deprecated_variable_and_its_new_name() -> None:
    environ = {**PRODUCTION, "PORTAL_HOSTS": "x", "PORTAL_OLD_SECRET_KEY": "x"}
    program = [sys.executable, "-c", "from portal.app import create_app; create_app()"]
    log = subprocess.run(
        program, env=environment_without_settings() | environ, capture_output=True, text=True, timeout=60, check=True
    ).stderr

    assert [json.loads(line)["message"] for line in log.splitlines()] == deprecations(environ)
    assert deprecations(environ) == [
        "PORTAL_OLD_SECRET_KEY is deprecated and will be removed in a later release. "
        "Set PORTAL_SECRET_KEY_FALLBACKS instead.",
        "PORTAL_HOSTS is deprecated and will be removed in a later release. Set PORTAL_ALLOWED_HOSTS instead.",
    ]
    assert deprecations(PRODUCTION) == []


def test_readme_has_the_table_of_all_settings() -> None:
    readme = README.read_text(encoding="utf-8")
    assert readme == with_table(readme), "Run: make readme"
    assert "| `PORTAL_IDLE_MINUTES` | `30` |" in readme

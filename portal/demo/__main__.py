"""Run the demo: `python -m portal.demo`, which `make demo` calls.

Starts PostgreSQL unless DATABASE_URL is set, migrates, imports the demo data into an empty database and runs gunicorn
as in production, until Ctrl-C. It stops only the processes that it started.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import NoReturn

import click
from flask_migrate import upgrade
from sqlalchemy import exists, select
from sqlalchemy.exc import OperationalError

from portal import clock
from portal.app import create_app
from portal.auth import profiles
from portal.auth.models import ROLES, Profile
from portal.config import DEMO_PASSWORD, PROJECT_ROOT, Settings, settings_from_environ
from portal.demo.files import read
from portal.demo.records import add_records
from portal.errors import PortalError
from portal.extensions import db
from portal.postgres.server import EmbeddedPostgres

HOST = "127.0.0.1"  # the demo's password is public, so only this machine can connect
SERVE_TIMEOUT_SECONDS = 30
STOP_TIMEOUT_SECONDS = 15  # gunicorn's graceful_timeout and a little more
POLL_SECONDS = 0.02


class Interrupted(BaseException):
    """Raised when the demo must stop: on Ctrl-C, SIGTERM or a closed terminal."""


def main() -> int:
    """Run the demo. Return 0 when it is interrupted, 1 when it fails, with the reason on standard error."""
    os.environ["PORTAL_DEMO"] = "1"
    os.environ.setdefault("PORTAL_LOG_LEVEL", "WARNING")
    _handle_stop_signals()
    code = 1
    with _closed_pipe_ignored():
        code = _run_until_interrupted()
    return code


def _run_until_interrupted() -> int:
    try:
        run(settings_from_environ())
    except Interrupted:
        with _closed_pipe_ignored():
            click.echo("\nStopped.")
        return 0
    except PortalError as error:
        return _failed(str(error))
    except OperationalError as error:
        return _failed(f"The database does not respond: {error.orig}")


@contextmanager
def _closed_pipe_ignored() -> Iterator[None]:
    """End quietly if the program that reads the output has ended, as in `make demo | head`. Click does so for commands.

    Python writes what is left of the output when it ends, so that must be possible.
    """
    try:
        yield
    except BrokenPipeError:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(settings: Settings) -> NoReturn:
    """Serve the demo on the port of the settings. Always ends with Interrupted or a PortalError."""
    port = settings.port
    _check_port_is_free(port)
    with _database(settings) as url:
        accounts = _prepare(replace(settings, database_url=url))
        with _gunicorn(url, port) as server:
            _wait_until_served(server, port)
            _announce(accounts, settings, port)
            raise PortalError(f"gunicorn stopped by itself (exit code {server.wait()}).")


def _handle_stop_signals() -> None:
    def interrupt(*_: object) -> None:
        # The demo is stopping now. A second Ctrl-C must not leave some of its processes running.
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Interrupted

    everything = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    numbers = [number for number in everything if signal.getsignal(number) != signal.SIG_IGN]  # as under nohup
    for number in numbers:
        signal.signal(number, interrupt)


def _check_port_is_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = error.strerror
            raise PortalError(f"Port {port} cannot be used ({reason}): try PORT={port + 1} make demo") from error


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url
        return
    click.echo(f"Starting PostgreSQL on the data in {_readable(settings.instance)}")
    with EmbeddedPostgres(settings.instance / "postgres") as server:
        yield server.start()


def _prepare(settings: Settings) -> list[Profile]:
    """Migrate, fill an empty database with the demo data, and return the demo's profiles."""
    app = create_app(settings)
    with app.app_context():
        upgrade()
        if not db.session.scalar(select(exists(select(Profile.id)))):
            click.echo("Importing the demo data")
            add_records(clock.today())
            profiles.set_demo_passwords(is_demo=settings.is_demo)
            db.session.commit()
        emails = [row["email"] for row in read("profiles.csv", clock.today())]
        accounts = list(db.session.scalars(select(Profile).where(Profile.email.in_(emails)).order_by(Profile.id)))
        db.session.expunge_all()
        for engine in db.engines.values():
            engine.dispose()
    return accounts


@contextmanager
def _gunicorn(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn in its own session. Ctrl-C reaches the demo only, which then stops gunicorn gracefully."""
    environment = os.environ | {"DATABASE_URL": url, "PORTAL_BIND": f"{HOST}:{port}"}
    command = [sys.executable, "-m", "portal.serve", "--config", "gunicorn.conf.py"]
    server = subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, start_new_session=True)
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _wait_until_served(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + SERVE_TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise PortalError(f"gunicorn did not start (exit code {server.returncode}); see the message above.")
        if _is_served(port):
            return
        time.sleep(POLL_SECONDS)
    raise PortalError(f"gunicorn did not respond within {SERVE_TIMEOUT_SECONDS} s.")


def _is_served(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=SERVE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == HTTPStatus.OK
    except ConnectionError:
        return False
    finally:
        connection.close()


def _announce(accounts: list[Profile], settings: Settings, port: int) -> None:
    click.echo(f"\nKingston's Portal is running at http://{HOST}:{port}\n")
    width = max((len(account.email) for account in accounts), default=0)
    for account in accounts:
        click.echo(f"  {account.email:<{width}}  {ROLES[account.role]:<13}  {account.full_name}")
    click.echo(f"\nThe password of all accounts is {DEMO_PASSWORD}")
    if settings.database_url is None:
        click.echo(f"Your changes are stored in {_readable(settings.instance)}. Remove that folder to start again.")
    click.echo("Press Ctrl-C to stop.")


def _readable(folder: Path) -> str:
    return str(folder.relative_to(PROJECT_ROOT)) if folder.is_relative_to(PROJECT_ROOT) else str(folder)


def _failed(reason: str) -> int:
    click.echo(f"make demo: {reason.strip()}", err=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())

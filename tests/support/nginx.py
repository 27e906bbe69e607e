"""Debian's nginx with the files of deploy/nginx on free ports, before portals of the tests."""

import os
import ssl
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from tests.support.debian import DEPLOY, edited, program, run
from tests.support.processes import Programs, accepts_connections, reserve_port

NAME = "portal.firm.example"
FILES = DEPLOY / "nginx"
START_TIMEOUT_SECONDS = 10


class Nginx:
    """Started and stopped by a `with` block. `name` is the host name that it serves."""

    def __init__(self, folder: Path, portals: Sequence[int], name: str = NAME) -> None:
        self._program = program("nginx")
        self._programs = Programs()
        self._folder = folder
        self.name = name
        self._http, self._https = reserve_port(), reserve_port()
        self.http_port, self.https_port = self._http.number, self._https.number
        self.certificate = folder / "tls" / "fullchain.pem"
        self._install(portals)

    def __enter__(self) -> Self:
        self._process = self._programs.start(*self.command, "-g", "daemon off;", cwd=None)
        try:
            deadline = time.monotonic() + START_TIMEOUT_SECONDS
            while not accepts_connections(self.https_port):
                assert self._process.poll() is None, self.error_log
                assert time.monotonic() < deadline, self.error_log
        except BaseException:
            self._programs.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(START_TIMEOUT_SECONDS)
        self._programs.close()
        for port in (self._http, self._https):
            port.reservation.close()

    @property
    def command(self) -> list[str]:
        return [self._program, "-c", str(self._folder / "nginx.conf")]

    @property
    def error_log(self) -> str:
        log = self._folder / "log" / "error.log"
        return log.read_text() if log.exists() else ""

    @property
    def access_log(self) -> list[str]:
        return (self._folder / "log" / "access.log").read_text().splitlines()

    def trust(self) -> ssl.SSLContext:
        """What a browser has that trusts the certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _install(self, portals: Sequence[int]) -> None:
        for name in ("conf.d", "snippets", "tls", "log"):
            (self._folder / name).mkdir()
        # fmt: off
        run(program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", f"/CN={self.name}", "-addext", f"subjectAltName=DNS:{self.name}",
            "-keyout", self._folder / "tls" / "privkey.pem", "-out", self.certificate)
        # fmt: on
        etc = {"/etc/nginx/snippets/": f"{self._folder}/snippets/"}
        ports = {
            " 80 ": f" {self.http_port} ",
            "[::]:80 ": f"[::]:{self.http_port} ",
            " 443 ": f" {self.https_port} ",
            "[::]:443 ": f"[::]:{self.https_port} ",
        }
        # Below /var/lib/nginx, where only root can write, and which nginx gives to www-data.
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi") if os.geteuid() != 0 else ()
        temporary = "".join(f"{kind}_temp_path {self._folder}/{kind};\n    " for kind in kinds)
        servers = "\n    ".join(f"server 127.0.0.1:{port} max_fails=0;" for port in portals)
        changes = {
            "nginx.conf": {
                "include /etc/nginx/mime.types;": f"{temporary}include /etc/nginx/mime.types;",
                "/run/nginx.pid": f"{self._folder}/nginx.pid",
                "/var/log/nginx/": f"{self._folder}/log/",
                "/etc/nginx/conf.d/": f"{self._folder}/conf.d/",
            },
            "conf.d/portal-upstream.conf": {
                "server 127.0.0.1:8001 max_fails=0;\n    server 127.0.0.1:8002 max_fails=0;": servers
            },
            "conf.d/portal.conf": {**etc, **ports, "/etc/nginx/tls/": f"{self._folder}/tls/", NAME: self.name},
            # $host has no port, and a browser's Referer of another port is refused
            "snippets/portal-proxy.conf": {"Host $host;": f"Host $host:{self.https_port};"},
        }
        for target, pieces in changes.items():
            (self._folder / target).write_text(edited(FILES / Path(target).name, pieces))

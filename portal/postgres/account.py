"""Whom an embedded PostgreSQL server runs as, and the places that this account can reach.

Called by embedded_postgres.py alone. It must not import Flask. PostgreSQL refuses to run as root, and
refuses data that belongs to anybody but the account it runs as.
"""

import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.errors import PostgresDidNotStart
from portal.postgres.binaries import Installation, copy_for_everyone

SOCKET_NAME = ".s.PGSQL.5432"
MAX_SOCKET_PATH_BYTES = 103  # bytes: 107 on Linux, 103 on the BSDs and macOS


@dataclass(frozen=True)
class ServerAccount:
    """A user and group of the system."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether it is not who runs this process."""
        return self.uid != os.geteuid()

    def process_options(self, folder: Path) -> dict[str, Any]:
        """What makes subprocess run a program as this account, in `folder`, without any PG… variable."""
        options: dict[str, Any] = {
            "cwd": folder,
            "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")},
        }
        if self.is_other:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can(self, *command: str | Path) -> bool:
        """Whether the command, run as this account, succeeds."""
        options = self.process_options(Path("/"))
        try:
            return subprocess.run(command, check=False, capture_output=True, **options).returncode == 0
        except OSError:
            return False


def server_account(data: Path) -> ServerAccount:
    """The owner of `data`; before there is any, oneself or, for root, `postgres` or `nobody`.

    Raises PostgresDidNotStart when the data belongs to somebody else and this process is not root.
    """
    if data.exists():
        owner = data.stat()
        if os.geteuid() not in (0, owner.st_uid):
            raise PostgresDidNotStart(f"{data} belongs to user {owner.st_uid}: start it as that user or as root.")
        return ServerAccount(owner.st_uid, owner.st_gid)
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid())
    with suppress(KeyError):
        return _account_named("postgres")
    return _account_named("nobody")


@contextmanager
def access_to(data: Path, account: ServerAccount) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield how to name `data` to a program that runs as `account`, and the options of subprocess to run it.

    Another account often may not walk to the data, as in a checkout below /root. An open folder that a process has
    inherited needs no rights but on the folder itself. Its working folder would not do: PostgreSQL before 16 leaves
    it and finds no way back.
    """
    options = account.process_options(data)
    if not account.is_other:
        yield str(data), options
        return
    descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}", options | {"pass_fds": (descriptor,)}
    finally:
        os.close(descriptor)


def runnable_by(account: ServerAccount, installation: Installation) -> Installation:
    """The same programs, copied to where `account` can run them if it cannot run them where they are."""
    if account.is_other and not account.can(installation.bin / "initdb", "--version"):
        return copy_for_everyone(installation)
    return installation


def make_socket_folder(data: Path, account: ServerAccount) -> Path:
    """A private folder with a short path, the same each time for the same data, without any old socket.

    Raises PostgresDidNotStart when somebody else has put something in its place.
    """
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = _temporary_folder(account) / f"kingston-{account.uid}-{digest}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise PostgresDidNotStart(
            f"{folder} is not a private folder of user {account.uid}: look at it, then remove it."
        )
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)
    return folder


def _account_named(name: str) -> ServerAccount:
    entry = pwd.getpwnam(name)
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def _temporary_folder(account: ServerAccount) -> Path:
    folder = Path(tempfile.gettempdir())
    longest = len(os.fsencode(folder / f"kingston-{2**32}-{'0' * 16}" / SOCKET_NAME))
    is_fit = longest <= MAX_SOCKET_PATH_BYTES and account.can("test", "-x", folder)
    return folder if is_fit else Path("/tmp")  # noqa: S108  # the folder made in it is private

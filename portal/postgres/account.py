"""Choose the account of the embedded PostgreSQL server, and folders that this account can access.

PostgreSQL does not run as root, nor with data that belongs to another account. Must not import Flask.
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
    """A user and group of the operating system."""

    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Return whether the account differs from that of this process."""
        return self.uid != os.geteuid()

    def process_options(self, folder: Path) -> dict[str, Any]:
        """Return the options of subprocess to run a program as this account, in `folder`, without PG… variables."""
        options: dict[str, Any] = {
            "cwd": folder,
            "env": {name: value for name, value in os.environ.items() if not name.startswith("PG")},
        }
        if self.is_other:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options

    def can(self, *command: str | Path) -> bool:
        """Return whether the command succeeds as this account."""
        options = self.process_options(Path("/"))
        try:
            return subprocess.run(command, check=False, capture_output=True, **options).returncode == 0
        except OSError:
            return False


def server_account(data: Path) -> ServerAccount:
    """Return the owner of `data`. Without data, return the current account or, for root, `postgres` or `nobody`.

    Raises PostgresDidNotStart if the data belongs to another account and this process does not run as root.
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
    """Yield the path of `data` for a program that runs as `account`, and the options of subprocess to run it.

    Another account often cannot access the parent folders of the data, for example in a checkout below /root. An
    inherited open folder requires rights on the folder itself only. The working directory is not sufficient, because
    PostgreSQL before 16 leaves it and cannot return.
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
    """Return programs that `account` can run: the given ones, or else a copy of them."""
    if account.is_other and not account.can(installation.bin / "initdb", "--version"):
        return copy_for_everyone(installation)
    return installation


def make_socket_folder(data: Path, account: ServerAccount) -> Path:
    """Create a private folder with a short path that depends on `data` only, and remove old sockets from it.

    Raises PostgresDidNotStart if something else exists at its path.
    """
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = _temporary_folder(account) / f"kingston-{account.uid}-{digest}"
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
        raise PostgresDidNotStart(
            f"{folder} is not a private folder of user {account.uid}. Inspect it, then remove it."
        )
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folder / name).unlink(missing_ok=True)
    return folder


def _account_named(name: str) -> ServerAccount:
    entry = pwd.getpwnam(name)
    return ServerAccount(entry.pw_uid, entry.pw_gid)


def _temporary_folder(account: ServerAccount) -> Path:
    folder = Path(tempfile.gettempdir())
    max_length = len(os.fsencode(folder / f"kingston-{2**32}-{'0' * 16}" / SOCKET_NAME))
    is_usable = max_length <= MAX_SOCKET_PATH_BYTES and account.can("test", "-x", folder)
    return folder if is_usable else Path("/tmp")  # noqa: S108  # the folder made in it is private

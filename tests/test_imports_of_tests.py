"""Test that tests share code through tests/support, a helper module of their folder, or a fixture."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def imported_test_modules(source: str) -> list[str]:
    """Return the test modules that the source imports. `tests.support.test_client` is a helper."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            parent = node.module or ""
            names += [parent, *(f"{parent}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    paths = {name: TESTS.parent / f"{name.replace('.', '/')}.py" for name in names}
    return sorted(
        name
        for name, path in paths.items()
        if path.name.startswith("test_") and path.exists() and path.parent != TESTS / "support"
    )


def test_no_test_or_helper_imports_a_test_module() -> None:
    files = sorted(TESTS.rglob("*.py"))
    found = {path.name: names for path in files if (names := imported_test_modules(path.read_text()))}

    assert len(files) > 200
    assert found == {}


@pytest.mark.parametrize(
    "source",
    ["from tests.test_fuzz import FIELDS", "import tests.test_fuzz", "from tests import test_fuzz"],
)
def test_each_form_of_import_of_a_test_module_is_found(source: str) -> None:
    assert imported_test_modules(source) == ["tests.test_fuzz"]

"""Documents and docstrings name only what exists, and documents name all that they should.

A name is a text in back-ticks: a file, module, command, make target, metric or route.
"""

import ast
import inspect
import os
import re
import sys
import textwrap
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from portal.config import PROJECT_ROOT
from portal.config.environment import all_variables, secret_names
from portal.extensions import db
from portal.monitoring.metrics import REGISTRY
from portal.serve import CHECKED_SETTINGS

DOCS, DEPLOY = PROJECT_ROOT / "docs", PROJECT_ROOT / "deploy"
DOCUMENTS = [*sorted(PROJECT_ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")), *sorted(DEPLOY.rglob("*.md"))]
CODE = ("portal", "tests", "bench", "migrations")
SOURCES = [*(path for folder in CODE for path in (PROJECT_ROOT / folder).rglob("*.py")), *PROJECT_ROOT.glob("*.py")]
# A path may be relative to any of these: ARCHITECTURE.md writes `presence/store.py` for portal/presence/store.py.
ROOTS = ("", "portal", "portal/clients", "static/js", "static/css", "templates", "tests", "deploy", "docs")
NOT_OURS = {".venv", ".git", "node_modules", "instance", "__pycache__"}
FILE = re.compile(r"[\w./-]+\.(?:py|js|css|html|md|toml|txt|cfg|yaml|sql|conf|env)")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
OTHER_DOTTED = (".example", ".gz", ".csv")  # hosts and files that are made elsewhere
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
VARIABLE = re.compile(r"\bPORTAL_[A-Z_]*[A-Z]\b")
ROUTE = re.compile(r"(?:(GET|POST|PUT|DELETE) )?(/[a-z][^\s?]*)")
FOLDERS_OF_THE_SYSTEM = ("/etc", "/opt", "/proc", "/root", "/run", "/tmp", "/usr", "/var")
PAGE_PLACEHOLDER, NUMBER_PLACEHOLDER = re.compile(r"<page\w*>"), re.compile(r"<\w+>")
# docs/api.md describes what programs call: these, and the unsafe routes of the editors, which answer JSON too.
API_BLUEPRINTS = {"presence", "drafts", "client_changes", "client_text_merges", "client_same_parts"}
API_ENDPOINTS = re.compile(r"client_history\.revert|client_editors\.(save|add|remove)_.*")
READS_OR_WRITES_JSON = {"is_json", "read_json_body"}
FOR_MONITORING = {"health.healthz", "health.readyz"}  # in the guide for operators

document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT_ROOT)))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def docstrings_of(path: Path) -> str:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = (node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, kinds))
    return "\n".join(filter(None, map(ast.get_docstring, nodes)))


@cache
def names() -> list[tuple[Path, str]]:
    """Return every text in back-ticks of documents and docstrings, with the path of its file."""
    prose = {path: text_of(path) for path in DOCUMENTS} | {path: docstrings_of(path) for path in SOURCES}
    return [
        (path.relative_to(PROJECT_ROOT), name)
        for path, text in prose.items()
        for name in re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    ]


@cache
def file_names() -> frozenset[str]:
    found: set[str] = set()
    for _, folders, files in os.walk(PROJECT_ROOT):
        folders[:] = [folder for folder in folders if folder not in NOT_OURS]
        found.update(files)
    return frozenset(found)


def file_exists(path: str) -> bool:
    return any((PROJECT_ROOT / root / path).exists() for root in ROOTS) if "/" in path else path in file_names()


def test_named_files_exist() -> None:
    files = [(path, name.partition(":")[0]) for path, name in names() if not name.startswith("/")]
    assert [(path, name) for path, name in files if FILE.fullmatch(name) and not file_exists(name)] == []


@document
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    links = LINK.findall(re.sub(r"```.*?```", "", text_of(document), flags=re.DOTALL))
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_named_make_targets_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", text_of(PROJECT_ROOT / "Makefile"), flags=re.MULTILINE))
    targets = [(path, target) for path, name in names() for target in re.findall(r"^make ([a-z-]+)", name)]
    assert [(path, target) for path, target in targets if target not in known] == []


def test_named_modules_classes_and_tables_define_what_is_named_of_them() -> None:
    dotted = [(path, name.partition("(")[0]) for path, name in names()]
    dotted = [(path, name) for path, name in dotted if DOTTED.fullmatch(name) and not name.endswith(OTHER_DOTTED)]
    assert [(path, name) for path, name in dotted if not (file_exists(name) or is_defined(name, path))] == []


def is_defined(name: str, named_in: Path) -> bool:
    """Return whether the name is a module, or its last part a word of what the part before names."""
    first, *_, owner, last = ["", *name.split(".")]
    if (first or owner) in sys.stdlib_module_names or module_sources(name):
        return True
    sources = [text_of(path) for path in module_sources(owner)]
    sources += [text_of(path) for path in SOURCES if re.search(rf"^class {owner}\b", text_of(path), re.MULTILINE)]
    if any(re.search(rf"\b{last}\b", source) for source in sources):
        return True
    if owner in db.metadata.tables:
        return last in db.metadata.tables[owner].columns
    return named_in.suffix == ".py" and is_in_code(owner, PROJECT_ROOT / named_in)


def module_sources(name: str) -> list[Path]:
    """Return the files of the module or package, whose name may leave out the packages around it."""
    path = name.replace(".", "/")
    return [each for each in SOURCES if str(each).endswith(f"/{path}.py") or str(each.parent).endswith(f"/{path}")]


def is_in_code(word: str, path: Path) -> bool:
    """Return whether the word is outside the docstrings too: an argument or an import of that module."""
    pattern = rf"\b{word}\b"
    return len(re.findall(pattern, text_of(path))) > len(re.findall(pattern, docstrings_of(path)))


def test_named_variables_are_settings() -> None:
    """In documents, the code of the portal and the files of deploy/. README's table of all settings is generated."""
    known = {variable.name for variable in all_variables()} | {CHECKED_SETTINGS}
    known |= {variable.deprecated.name for variable in all_variables() if variable.deprecated}
    known |= {f"{name}_FILE" for name in secret_names()}
    known |= set(re.findall(r"\$\{(PORTAL_\w+):-", text_of(DEPLOY / "bin" / "portal-backup")))
    files = [*DOCUMENTS, *(path for path in DEPLOY.rglob("*") if path.is_file())]
    files += [path for path in SOURCES if path.is_relative_to(PROJECT_ROOT / "portal") or path.parent == PROJECT_ROOT]
    texts = {path: docstrings_of(path) for path in SOURCES} | {path: text_of(path) for path in files}
    assert {path: unknown for path, text in texts.items() if (unknown := set(VARIABLE.findall(text)) - known)} == {}


def test_named_commands_and_their_options_exist(app: Flask) -> None:
    commands = [(path, name) for path, name in names() if name.startswith("flask ")]
    assert [(path, name) for path, name in commands if not is_a_command(name, app)] == []


def is_a_command(text: str, app: Flask) -> bool:
    command: click.Command = app.cli
    for word in text.split()[1:]:
        if not (isinstance(command, click.Group) and re.fullmatch("[a-z-]+", word)):
            break
        if word not in command.commands:
            return False
        command = command.commands[word]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return set(re.findall(r"--[a-z-]+", text)) <= known


def shown_commands(group: click.Group) -> list[str]:
    return [name for name, command in group.commands.items() if not command.hidden]


def test_every_command_is_in_readme(app: Flask) -> None:
    rows = text_of(PROJECT_ROOT / "README.md").partition("## Commands")[2].partition("\n## ")[0]
    missing = [
        f"flask {group_name} {name}".strip()
        for group_name, group in app.cli.commands.items()
        if group_name != "db"  # Flask-Migrate's
        for name in (shown_commands(group) if isinstance(group, click.Group) else [""])
        if not re.search(rf"`flask {group_name}\b[^|\n]*{name}`", re.sub(r" [A-Z[][^`]*`", "`", rows))
    ]
    assert missing == []


def test_every_metric_is_in_the_guide_for_operators() -> None:
    guide = text_of(DOCS / "operating.md")
    assert [metric.name for metric in REGISTRY.collect() if f"`{metric.name}" not in guide] == []


def test_named_metrics_exist() -> None:
    """What else begins like a metric is a role of the database."""
    known = {metric.name for metric in REGISTRY.collect()}
    known |= set(re.findall(r"CREATE ROLE (\w+)", text_of(DEPLOY / "postgresql" / "roles.sql")))
    metrics = [(path, found[1]) for path, name in names() if (found := re.fullmatch(r"(portal_\w+)(\{\w+\})?", name))]
    assert [(path, name) for path, name in metrics if not {name, name.removesuffix("_total")} & known] == []


def test_named_routes_exist(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    routes = [(path, found) for path, name in names() if (found := ROUTE.match(name))]
    routes = [(path, found) for path, found in routes if not found[2].startswith(FOLDERS_OF_THE_SYSTEM)]
    assert [(path, found[0]) for path, found in routes if not endpoints(adapter, found[1], found[2])] == []


def endpoints(adapter: MapAdapter, method: str | None, path: str) -> set[str]:
    """Return the endpoints of a path such as `/clients/<number>/edit`, of one method or of all."""
    path = NUMBER_PLACEHOLDER.sub("1", PAGE_PLACEHOLDER.sub("client-1", path))
    found = set()
    for each in [method] if method else adapter.allowed_methods(path):
        try:
            found.add(adapter.match(path, each)[0])
        except HTTPException:
            continue
    return found


def test_every_route_for_programs_is_in_the_description_of_the_api(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    routes = [found for path, name in names() if path == Path("docs/api.md") and (found := ROUTE.match(name))]
    described = {endpoint for found in routes for endpoint in endpoints(adapter, found[1], found[2])}
    for_programs = {rule.endpoint for rule in app.url_map.iter_rules() if is_for_programs(rule.endpoint, app)}
    assert for_programs - described - FOR_MONITORING == set()


def is_for_programs(endpoint: str, app: Flask) -> bool:
    """Return whether the route speaks JSON: by its list, or because its view returns a dict or names the format."""
    if endpoint.partition(".")[0] in API_BLUEPRINTS or API_ENDPOINTS.fullmatch(endpoint):
        return True
    view = inspect.unwrap(app.view_functions[endpoint])
    return inspect.isfunction(view) and speaks_json(textwrap.dedent(inspect.getsource(view)))


def speaks_json(source: str) -> bool:
    nodes = list(ast.walk(ast.parse(source)))
    if {node.id for node in nodes if isinstance(node, ast.Name)} & READS_OR_WRITES_JSON:
        return True
    returned = [node.value for node in nodes if isinstance(node, ast.Return)]
    parts = [part for value in returned for part in (value.elts[:1] if isinstance(value, ast.Tuple) else [value])]
    parts += [part for value in parts if isinstance(value, ast.IfExp) for part in (value.body, value.orelse)]
    return any(isinstance(part, ast.Dict | ast.DictComp) for part in parts)


@pytest.mark.parametrize(
    ("source", "is_json"),
    [
        ("def view():\n    return {'a': 1}", True),
        ("def view():\n    return {'a': 1}, 422", True),
        ("def view():\n    return {'a': 1} if wanted() else page()", True),
        ("def view():\n    return saved(read_json_body(10))", True),
        ("def view():\n    return render_template('page.html', values={'a': 1})", False),
        ("def view():\n    return redirect('/'), 303", False),
    ],
)
def test_view_that_returns_a_dict_or_reads_json_is_recognised(source: str, is_json: bool) -> None:
    assert speaks_json(source) is is_json


def test_routes_for_monitoring_are_in_the_guide_for_operators() -> None:
    guide = text_of(DOCS / "operating.md")
    assert [path for path in ("/healthz", "/readyz", "/metrics") if path not in guide] == []


def test_documents_and_their_names_are_found() -> None:
    """The tests above would pass on nothing."""
    assert len(DOCUMENTS) > 10
    assert len(SOURCES) > 200
    assert len(names()) > 500

"""The shape of the code, kept by a test: who may import whom, and where the database and pandas may be used."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("design", "models", "workflows", "forms", "views", "exports", "demo", "settings", "app", "commands")

MAY_IMPORT = {
    "design": {"design"},
    "models": {"models", "design"},
    "forms": {"forms", "design"},
    "exports": {"exports", "design", "models"},
    "workflows": {"workflows", "design", "models", "exports"},
    "views": {"views", "design", "models", "forms", "workflows"},
}
NEVER = {
    "design": {"flask", "sqlalchemy", "wtforms", "pandas", "flask_sqlalchemy"},
    "models": {"wtforms", "pandas"},
    "forms": {"sqlalchemy", "pandas"},
    "exports": {"wtforms"},
    "workflows": {"wtforms", "pandas", "flask_login", "flask_wtf"},
    "views": {"sqlalchemy", "pandas"},
}


def files(package: str) -> list[Path]:
    """The Python files of one of our packages."""
    return sorted((ROOT / package).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """The top-level names of everything a module imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_arrow_goes_up(package: str) -> None:
    """A package imports only what stands below it."""
    for path in files(package):
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        above = (names & set(OURS)) - MAY_IMPORT[package]
        assert not above, f"{path.relative_to(ROOT)} imports {sorted(above)}"
        assert not names & NEVER[package], f"{path.relative_to(ROOT)} imports {sorted(names & NEVER[package])}"


@pytest.mark.parametrize("package", [*MAY_IMPORT, "demo"])
def test_no_import_hides_inside_a_function(package: str) -> None:
    """An import inside a function is a cycle in hiding."""
    for path in files(package):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                deferred = imported(function) & set(OURS)
                assert not deferred, f"{path.relative_to(ROOT)}:{function.lineno} imports {sorted(deferred)} inside"


def test_views_never_touch_the_session() -> None:
    """Pages ask workflows; they hold no database session."""
    for path in files("views"):
        assert "db.session" not in path.read_text(encoding="utf-8"), path.name


def test_only_settings_reads_the_environment() -> None:
    """The environment has one reader."""
    for package in (*MAY_IMPORT, "demo"):
        for path in files(package):
            text = path.read_text(encoding="utf-8")
            assert "os.environ" not in text and "getenv" not in text, path.name


@pytest.mark.req("SEC-53", "SEC-27")
def test_nothing_evaluates_or_unpickles() -> None:
    """No eval, exec or pickle anywhere in the product."""
    for package in (*MAY_IMPORT, "demo"):
        for path in files(package):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            assert "pickle" not in imported(tree), path.name
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    assert node.func.id not in ("eval", "exec"), f"{path.name}:{node.lineno}"


def test_writers_take_the_change_first() -> None:
    """A workflow that writes takes `change` as its first argument; one that reads has a reading verb."""
    writers = {
        "enrolling": ("screen", "settle", "add_unscheduled", "mark_visit"),
        "entering": ("save_form", "mark_in_error", "mark_not_done"),
        "publishing": ("publish",),
        "granting": ("create_user", "grant", "end_grant", "deactivate", "reactivate", "reset_password"),
    }
    for module, names in writers.items():
        tree = ast.parse((ROOT / "workflows" / f"{module}.py").read_text(encoding="utf-8"))
        found = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for name in names:
            assert found[name].args.args[0].arg == "change", f"{module}.{name}"

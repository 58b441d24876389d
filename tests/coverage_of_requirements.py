"""Which test files show which requirement: `python -m tests.coverage_of_requirements` writes docs/requirements.md."""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
TABLE = ROOT / "docs" / "requirements.md"
HEAD = """# Requirements and the tests that show them

Written by `python -m tests.coverage_of_requirements` from `tests/requirements.toml` and the ids that tests cite with
`@pytest.mark.req`. A state is *shown* when tests cite the id and nothing is known to be missing.

| id | what | tests | state |
|---|---|---|---|
"""


def cited(path: Path) -> Iterator[str]:
    """The requirement ids that a test file cites, wherever the mark stands: function, class, module, parameter."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req":
            yield from (each.value for each in node.args if isinstance(each, ast.Constant))


def files_by_requirement() -> dict[str, list[str]]:
    """Id -> the test files that cite it, below `tests/`."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        for requirement in cited(path):
            found[requirement].add(str(path.relative_to(TESTS)))
    return {requirement: sorted(files) for requirement, files in found.items()}


def requirements() -> dict[str, dict[str, str]]:
    """Id -> what it asks, and what is missing if anything is."""
    return tomllib.loads((TESTS / "requirements.toml").read_text(encoding="utf-8"))


def table() -> str:
    """The page: one line per requirement, in the order of the file."""
    files, lines = files_by_requirement(), []
    for requirement, words in requirements().items():
        citing = files.get(requirement, [])
        state = "not shown" if not citing else f"partly: {words['gap']}" if "gap" in words else "shown"
        lines.append(f"| {requirement} | {words['what']} | {'<br>'.join(citing) or '–'} | {state} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
    missing = [requirement for requirement in requirements() if requirement not in files_by_requirement()]
    print(f"{TABLE.relative_to(ROOT)}: {len(requirements())} requirements, cited by no test: {missing or 'none'}")
    sys.exit(1 if missing else 0)

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
`@pytest.mark.req`. A state is *shown* when tests cite the id and nothing is known to be missing. What no test cites says why.

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


def unexplained() -> list[str]:
    """The requirements that no test cites and that do not say what is missing."""
    files = files_by_requirement()
    return [
        requirement for requirement, words in requirements().items() if requirement not in files and "gap" not in words
    ]


def table() -> str:
    """The page: one line per requirement, in the order of the file."""
    files, lines = files_by_requirement(), []
    for requirement, words in requirements().items():
        citing = files.get(requirement, [])
        state = "partly" if citing else "not shown"
        state = f"{state}: {words['gap']}" if "gap" in words else "shown" if citing else state
        lines.append(f"| {requirement} | {words['what']} | {'<br>'.join(citing) or '–'} | {state} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
    missing = unexplained()
    print(
        f"{TABLE.relative_to(ROOT)}: {len(requirements())} requirements, neither cited nor explained: {missing or 'none'}"
    )
    sys.exit(1 if missing else 0)

"""No listed requirement without a test, and docs/requirements.md lists them all."""

from pathlib import Path

import pytest

from tests.coverage_of_requirements import TABLE, cited, requirements, unexplained


@pytest.mark.req("SYS-02")
def test_every_listed_requirement_is_cited_by_a_test_or_says_what_is_missing() -> None:
    assert unexplained() == []


@pytest.mark.req("SYS-02")
def test_the_page_lists_every_requirement() -> None:
    listed = [line.split(" | ")[0].removeprefix("| ") for line in TABLE.read_text(encoding="utf-8").splitlines()[7:]]
    assert listed == list(requirements())


def test_a_mark_is_found_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    path.write_text(
        'import pytest\npytestmark = [pytest.mark.req("A-1")]\n'
        '@pytest.mark.req("B-1", "B-2")\nclass TestX:\n    @pytest.mark.req("C-1")\n    def test_x(self): ...\n'
        '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.req("D-1"))])\ndef test_y(x): ...\n'
        "def test_req():\n    \"pytest.mark.req('E-1')\"\n"
    )
    assert sorted(cited(path)) == ["A-1", "B-1", "B-2", "C-1", "D-1"]

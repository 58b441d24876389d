"""The pages of data cuts: name one, export it, see what changed between two."""

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest

from tests.clinic import Clinic


def answers(weight: str) -> dict:
    return {"VS": {"1": {"HEIGHT": "165.0", "WEIGHT": weight}}}


@pytest.fixture
def clinic(tmp_path) -> Clinic:
    return Clinic(tmp_path)


@pytest.fixture
def two_cuts(clinic: Clinic) -> int:
    """A weight of 60 at the cut `before`, of 61 at the cut `after`."""
    person, dora = clinic.screen(), clinic.sign_in("dora")
    for name, weight in (("before", "60.0"), ("after", "61.0")):
        clinic.store(person, "SCR", "VS", answers(weight), reason="read again")
        given = {"name": name, "as_of": datetime.now(UTC).isoformat(), "reason": "interim look"}
        assert dora.post("/exports/cuts", given).status_code == 303
    return person


@pytest.mark.req("CPY-05")
def test_a_package_of_a_cut_is_made_from_the_page(clinic: Clinic, two_cuts: int) -> None:
    dora = clinic.sign_in("dora")
    asked = {"formats": ["csv"], "sites": ["01", "02"], "cut": "before", "reason": "interim look"}
    assert dora.post("/exports", asked).status_code == 303
    page = dora.get("/exports").text
    assert "cut before" in page
    package = zipfile.ZipFile(io.BytesIO(dora.get(re.search(r'href="(/exports/\d+/file)"', page)[1]).data))
    assert b"60.0" in package.read("csv/VS.csv") and b"61.0" not in package.read("csv/VS.csv")


def test_the_differences_are_shown_with_who_and_why_in_both_languages(clinic: Clinic, two_cuts: int) -> None:
    for language, heading in (("en", "What changed between two cuts"), ("zh", "两个截点之间的变化")):
        page = clinic.sign_in("dora", language).get("/exports/cuts/differences?first=before&second=after").text
        assert heading in page and "60.0" in page and "61.0" in page and "read again" in page and "alice" in page


def test_the_differences_are_fetched_as_a_file(clinic: Clinic, two_cuts: int) -> None:
    dora = clinic.sign_in("dora")
    answer = dora.get("/exports/cuts/differences/file?first=before&second=after&format=csv")
    assert answer.status_code == 200 and "read again" in answer.data.decode("utf-8-sig")
    assert dora.get("/exports/cuts/differences/file?first=before&second=after&format=exe").status_code == 404
    assert dora.get("/exports/cuts/differences?first=before&second=never").status_code == 404


def test_an_instant_that_is_none_keeps_what_was_typed(clinic: Clinic) -> None:
    clinic.screen()
    given = {"name": "c1", "as_of": "next <week>", "reason": "interim look"}
    answer = clinic.sign_in("dora").post("/exports/cuts", given)
    assert answer.status_code == 422
    assert "next &lt;week&gt;" in answer.text and "interim look" in answer.text and "2027-03-14" in answer.text


def test_a_nurse_has_no_cuts(clinic: Clinic) -> None:
    assert clinic.sign_in("alice").get("/exports/cuts").status_code == 403

"""The page of the dashboard: its numbers lead to the lists behind them, in both languages, for the own sites only."""

import re
from html import unescape
from pathlib import Path

import pytest

from tests.clinic import Browser
from tests.signing import Signing

CHARTS = 11  # eight of the moment, three over time


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Signing:
    made = Signing.in_folder(tmp_path_factory.mktemp("progress"))
    assert isinstance(made, Signing)
    first = made.ready("alice")
    made.ready("bob")
    made.ask("mona", first, "SCR", "VS", 1, ["VS/1/WEIGHT"])
    return made


def card(page: str, key: str) -> str:
    found = re.search(rf'<section class="card" id="{key}".*?</section>', page, re.S)
    assert found, key
    return found[0]


def rows(section: str) -> dict[str, list[str]]:
    """The table of a card: cells by the name of the row."""
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", section, re.S):
        name, cells = row.split("</th>", 1)
        found[name] = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", cells, re.S)]
    return found


def links(page: str) -> set[str]:
    main = page[page.index("<main") : page.index("</main>")]
    return {unescape(href) for href in re.findall(r'href="(/[^"]+)"', main)}


def test_the_numbers_stand_in_their_tables(clinic: Signing) -> None:
    page = clinic.sign_in("dora").get("/progress").text
    assert rows(card(page, "participants"))["All sites"] == ["2", "2"]
    assert rows(card(page, "queries"))["01 Site one"][:3] == ["1", "0", "1"]
    assert rows(card(page, "verification"))["02 Site two"] == ["0", "4", "0 %"]
    assert rows(card(page, "signatures"))["All sites"] == ["0", "0", "4", "0 %"]
    assert rows(card(page, "lock"))["01 Site one"] == ["0", "0", "2", "0 %"]


@pytest.mark.parametrize("name", ["dora", "mona", "alice", "ines", "iva"])
def test_every_number_leads_to_a_list_that_opens(clinic: Signing, name: str) -> None:
    browser = clinic.sign_in(name)
    found = links(browser.get("/progress").text)
    assert {address.split("?")[0] for address in found} >= {"/participants", "/queries", "/protection/checklist"}
    assert ("/signing" in found) is (name == "ines")
    assert {address: browser.get(address).status_code for address in found} == dict.fromkeys(found, 200)


def test_the_list_behind_holds_what_was_counted(clinic: Signing) -> None:
    browser = clinic.sign_in("dora")
    section = card(browser.get("/progress").text, "queries")
    address = next(href for href in links(f"<main{section}</main>") if "site=01" in href and "status=open" in href)
    assert browser.get(address).text.count('class="num">') >= 1 and "1 in this list" in browser.get(address).text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_chart_is_told_in_words(clinic: Signing, language: str) -> None:
    """A title and a description in each picture, named by it, and never a chart without its table."""
    page = clinic.sign_in("dora", language).get("/progress").text
    charts = re.findall(r'<svg class="chart".*?</svg>', page, re.S)
    assert len(charts) == CHARTS
    for chart in charts:
        named = re.search(r'aria-labelledby="(\S+) (\S+)"', chart)
        assert named and all(f'id="{key}"' in chart for key in named.groups())
        title, description = (re.search(rf'id="{key}">([^<]+)<', chart) for key in named.groups())
        assert title and description and title[1] != description[1]
        assert bool(re.search(r"[一-鿿]", title[1] + description[1])) is (language == "zh")
    assert page.count("<caption") >= CHARTS
    assert "style=" not in page[page.index("<main") :], "the content security policy forbids it"


@pytest.mark.req("SEC-19", "ACC-02")
def test_nothing_of_the_other_site(clinic: Signing) -> None:
    browser: Browser = clinic.sign_in("alice")
    page = browser.get("/progress").text
    assert "Site one" in page and "Site two" not in page and "All sites" not in page
    assert rows(card(page, "participants"))["01 Site one"][-1] == "1"
    assert browser.get("/progress?site=02").status_code == browser.get("/progress?site=99").status_code == 404


@pytest.mark.req("ACC-01")
@pytest.mark.parametrize(("name", "seen"), [("dora", True), ("stan", True), ("carl", False), ("otto", False)])
def test_who_has_it_in_the_navigation(clinic: Signing, name: str, seen: bool) -> None:
    browser = clinic.sign_in(name)
    assert ('href="/progress"' in browser.get("/").text) is seen
    assert browser.get("/progress").status_code == (200 if seen else 403)


def test_before_the_first_participant(tmp_path: Path) -> None:
    page = Signing.in_folder(tmp_path).sign_in("dora").get("/progress").text
    assert "No data yet" in page and rows(card(page, "forms"))["All sites"][-1] == "– / 0"

"""Everything a person reads exists in both languages."""

import re
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from tests.clinic import Clinic

ROOT = Path(__file__).resolve().parent.parent
CATALOG = ROOT / "translations" / "zh" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}
FOLDERS = ("views", "forms", "workflows", "exports", "templates")

# Latin words of four letters and more that a Chinese page may show: names that have no Chinese form.
ALLOWED = {
    "english", "demonstration", "ctcae", "recist", "meddra", "utc", "json", "excel", "parquet", "spss",
    "stata", "sdtm", "cdisc", "dataset", "define",
    "sha", "jpeg", "png", "csv", "xlsx", "hash", "eortc", "qlq", "ecog", "bsa", "asia", "shanghai", "python",
    "julia", "ctrl", "enter",
}  # fmt: skip
NAMES = {
    "alice",
    "zhao",
    "ines",
    "wang",
    "bob",
    "chen",
    "mona",
    "liu",
    "dora",
    "sun",
    "otto",
    "qian",
    "small",
    "site",
}


def used() -> dict[str, str]:
    """Every sentence of the source, with a file that uses it."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, str] = {}
    for folder in FOLDERS:
        methods_here = [
            (pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods if folder in pattern
        ]
        for name, _line, message, _comments, _context in extract_from_dir(
            ROOT / folder, methods_here, options, keywords=KEYWORDS
        ):
            found[message if isinstance(message, str) else message[0]] = f"{folder}/{name}"
    return found


@pytest.fixture(scope="module")
def catalog() -> dict[str, object]:
    read = read_po(BytesIO(CATALOG.read_bytes()), locale="zh")
    return {(m.id if isinstance(m.id, str) else m.id[0]): m for m in read if m.id}


def test_every_sentence_has_a_chinese_one(catalog: dict[str, object]) -> None:
    sentences = used()
    assert len(sentences) > 300
    missing = {text: where for text, where in sentences.items() if text not in catalog}
    assert missing == {}


def test_no_translation_is_empty_or_doubtful(catalog: dict[str, object]) -> None:
    for text, message in catalog.items():
        assert not message.fuzzy, text  # type: ignore[attr-defined]
        strings = message.string if isinstance(message.string, tuple) else (message.string,)  # type: ignore[attr-defined]
        assert all(strings), text


def test_no_translation_is_left_over(catalog: dict[str, object]) -> None:
    assert set(catalog) <= set(used())


def test_placeholders_are_the_same_in_both_languages(catalog: dict[str, object]) -> None:
    pattern = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
    for text, message in catalog.items():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)  # type: ignore[attr-defined]
        for string in strings:
            assert sorted(pattern.findall(text)) == sorted(pattern.findall(string)), text


def text_of(page: str) -> str:
    """What a person reads: without tags, scripts, code, values in monospace, and parts marked as another
    language.
    """
    page = re.sub(r"<(script|style|code|option lang)[^>]*>.*?</\1>", " ", page, flags=re.S)
    page = re.sub(r'<(\w+)[^>]*\blang="en"[^>]*>.*?</\1>', " ", page, flags=re.S)
    page = re.sub(r'<(\w+)[^>]*class="[^"]*\bmono\b[^"]*"[^>]*>.*?</\1>', " ", page, flags=re.S)
    shown = re.findall(r'\b(?:placeholder|aria-label|title)="([^"]*)"', page)
    return unescape(" ".join([re.sub(r"<[^>]+>", " ", page), *shown]))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    made = Clinic(tmp_path_factory.mktemp("words"))
    made.screen("alice")
    made.store(1, "SCR", "VS", {"VS": {"1": {"HEIGHT": "165"}}})
    return made


PAGES = [
    ("alice", "/"), ("dora", "/"), ("otto", "/"), ("mona", "/"), ("alice", "/participants"), ("alice",
    "/participants/new"),
    ("alice", "/participants/1"), ("alice", "/participants/1/SCR/VS/1"), ("alice",
    "/participants/1/SCR/SV/1"),
    ("mona", "/trail"), ("mona", "/trail/5"), ("otto", "/users"), ("otto", "/users/new"), ("otto",
    "/users/1"),
    ("otto", "/users/access"), ("mona", "/study"), ("mona", "/study/forms/VS"), ("mona", "/study/codelists"),
    ("mona", "/study/parameters"), ("dora", "/exports"), ("dora", "/analysis"), ("dora", "/password"),
    ("otto", "/confirm"),
    ("mona", "/verification"), ("mona", "/verification/1/SCR"), ("dora", "/verification/plans"), ("mona", "/monitoring"),
    ("mona", "/trail-reviews?site=01&since=2026-01-01&until=2027-12-01&night_from=22:00&night_to=06:00&most_changes=3"),
    ("mona", "/queries"), ("dora", "/queries/metrics"), ("mona", "/participants/1/queries/new"), ("alice", "/queries"),
    ("ines", "/signing"), ("ines", "/delegation"), ("dora", "/protection"), ("dora", "/protection/checklist"),
    ("dora", "/deviations"), ("dora", "/study/amendments"), ("dora", "/progress"), ("dora", "/print"),
    ("dora", "/exports/cuts"), ("alice", "/sessions"), ("otto", "/users/alerts"),
    ("alice", "/nothing-here"), ("alice", "/users"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "address"), PAGES)
def test_a_chinese_page_speaks_chinese(clinic: Clinic, name: str, address: str) -> None:
    page = clinic.sign_in(name, "zh").get(address).text
    assert '<html lang="zh-CN">' in page
    words = {word.lower() for word in re.findall(r"(?<![\w./:-])[A-Za-z]{4,}(?![\w./:@-])", text_of(page))}
    assert words - ALLOWED - NAMES == set()


def test_the_sign_in_page_speaks_chinese(clinic: Clinic) -> None:
    page = clinic.app.test_client().get("/sign-in", headers={"Accept-Language": "zh-CN"}).text
    assert "登录" in page
    assert {word.lower() for word in re.findall(r"[A-Za-z]{4,}", text_of(page))} - ALLOWED == set()

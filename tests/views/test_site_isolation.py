"""Nobody at one site learns anything of another: not by address, not by filter, not by a count (SEC-19, ACC-02).

Two sites with the same kinds of things at both. Every address that names a thing is asked for the things of site 02 by
every role bound to site 01. And no page changes anything by being opened (SEC-21).
"""

import io
import re
import zlib
from hashlib import sha256
from html import unescape
from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select

from models import AmendmentRun, Deviation, Export, FormData, MonitoringVisit, Query, Subject, TrailReview, db
from models import clock as times
from models.change import Change, System
from models.commitments import sorted_json
from models.replay import one_state, table_leaves
from tests.clinic import PASSWORD, Browser, Clinic
from tests.pictures import png
from views.guard import matrix
from workflows import access, exporting, granting

ROLES = [role for role in access.ROLES if role not in access.ADMINISTRATIVE]
SITE_THINGS = {"change_id", "deviation_id", "run_id", "export_id", "query_id", "review_id", "subject_id", "visit_id"}
BELOW = {"event_key", "form_id", "repeat", "sha256"}  # parts below a participant
# accounts, languages, files of ours, definitions, own jobs
OF_NO_SITE = {"user_id", "grant_id", "code", "filename", "form_id", "number", "job_id", "output_id"}
NOBODY = 987654
SECRETS = ("02-S0", "words-of-two", "why-of-two", "Bob Chen", "as-two", "02-00")
PLACES = [("SCR", "VS", "1"), ("SCR", "ICF", "1"), ("SCR", "LB", "1"), ("SCR", "PHO", "1"), ("LOG", "AE", "1"),
          ("SCR", "LB", "new"), ("FU1", "SV", "1"), ("UNS", "SV", "1")]  # fmt: skip


def fill(clinic: Clinic, name: str, words: str, why: str) -> int:
    """A participant with forms, a correction, a picture, an unscheduled visit; her id."""
    subject = clinic.screen(name)
    typed = {"HEIGHT": "165.0", "WEIGHT": "60.0", "VSCOM": words}
    clinic.store(subject, "SCR", "VS", {"VS": {"1": typed}}, name=name)
    clinic.store(subject, "SCR", "VS", {"VS": {"1": typed | {"WEIGHT": "61.0"}}}, name=name, reason=why)
    clinic.store(subject, "SCR", "LB", {"LBHEAD": {"1": {"LBPAN": "HEM"}}}, name=name, repeat=None)
    clinic.store(subject, "LOG", "AE", {"AE": {"1": {"AETERM": "10061103"}}}, name=name, repeat=None)
    browser, here = clinic.sign_in(name), f"/participants/{subject}"
    picture = {"PHO/1/PHOF": (io.BytesIO(png(zlib.crc32(words.encode()))), f"{words}.png"), "_revision": ""}
    assert browser.post(f"{here}/SCR/PHO/1", picture).status_code == 303
    assert browser.post(f"{here}/visits", {"do": "unscheduled"}, page=here).status_code == 303
    return subject


def as_monitors(clinic: Clinic, number: str, code: str, words: str) -> None:
    """A verified form, a query, a finished monitoring visit and a review of the trail at a site."""
    browser = clinic.sign_in(f"as-{number}-monitor")
    opened = browser.post("/monitoring", {"site": code, "kind": "remote", "starts_on": "2026-03-16"})
    with clinic.app.app_context():
        site = clinic.site(code).id
        data = db.session.scalars(
            select(FormData).join(Subject).where(Subject.site_id == site, FormData.form_id == "VS")
        ).one()
        shown = {"do": "all", "shown": f"{data.id} {data.revision} VS/1/HEIGHT"}
        subject = data.subject_id
    assert browser.post(f"/verification/{subject}/SCR", shown).status_code == 303
    ending = {"do": "finish", "present": words, "summary": words, "ends_on": "2026-03-16"}
    assert browser.post(opened.location, ending).status_code == 303
    asked = {"site": code, "since": "2026-01-01", "until": "2026-01-02", "night_from": "22:00", "night_to": "06:00"}
    asked |= {"most_changes": "3"}
    question = {"event": "SCR", "scope": "visit", "text": words, "reason_code": "other", "to": "nurse"}
    assert browser.post(f"/participants/{subject}/queries/new", question).status_code == 303
    page = browser.get("/trail-reviews", query_string=asked).text
    shown = {"shown": page.partition('name="shown" value="')[2].partition('"')[0], "outcome": words}
    assert browser.post("/trail-reviews", asked | shown).status_code == 303


def amended_at(subject: Subject) -> None:
    """A deviation of the participant and a run of an amendment at her site."""
    site, at = subject.site, times.now()
    words = f"words-of-{'one' if site.code == '01' else 'two'}"
    told = {"check_key": "K", "term_en": words, "term_zh": words, "occurred": "2026-03-16", "why": words}
    db.session.add(Deviation(site_id=site.id, subject_id=subject.id, proposed_at=at, status="proposed", **told))
    version = {"from_version_id": site.version_id, "to_version_id": site.version_id}
    db.session.add(
        AmendmentRun(site_id=site.id, started_at=at, started_by=words, status="finished", report={}, **version)
    )


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """Both sites at work, exports of each and of both, and one person for each role at site 01 and at site 02."""
    made = Clinic(tmp_path_factory.mktemp("isolation"))
    with made.app.app_context(), Change(by=System("tests"), action="create user") as change:
        for role, (number, code) in product(ROLES, (("one", "01"), ("two", "02"))):
            user = granting.create_user(change, f"as-{number}-{role}", f"As {number} {role}", PASSWORD, "en")
            granting.grant(change, user, role, made.site(code))
        mixed = granting.create_user(change, "mixed", "Mixed Person", PASSWORD, "en")
        granting.grant(change, mixed, "investigator", made.site("01"))
        granting.grant(change, mixed, "coder", made.site("02"))
    made.subjects = {"01": fill(made, "alice", "words-of-one", "why-of-one")}  # type: ignore[attr-defined]
    made.subjects["02"] = fill(made, "bob", "words-of-two", "why-of-two")  # type: ignore[attr-defined]
    as_monitors(made, "one", "01", "words-of-one")
    as_monitors(made, "two", "02", "words-of-two")
    with made.app.app_context():
        for name, codes in (("dora", ["01", "02"]), ("as-two-investigator", ["02"]), ("as-one-investigator", ["01"])):
            exporting.make(made.user(name), ["csv", "trail"], codes, f"why-of-{'one' if codes == ['01'] else 'two'}")
        with Change(by=System("tests"), action="compare", chain="small"):
            for subject in db.session.scalars(select(Subject)):
                subject.person_key, subject.possible_duplicate = "the same person", True
                amended_at(subject)
    return made


@pytest.fixture(scope="module")
def browsers(clinic: Clinic) -> dict[str, Browser]:
    """Everybody of site 01, signed in."""
    return {role: clinic.sign_in(f"as-one-{role}") for role in ROLES}


def things(clinic: Clinic, code: str) -> dict[str, list[int]]:
    """The ids of everything that belongs to a site and to it alone, by the part of the address that names it."""
    with clinic.app.app_context():
        site = clinic.site(code).id
        return {
            "subject_id": list(db.session.scalars(select(Subject.id).where(Subject.site_id == site))),
            "change_id": list(db.session.scalars(select(Change.id).where(Change.site_id == site))),
            "visit_id": list(db.session.scalars(select(MonitoringVisit.id).where(MonitoringVisit.site_id == site))),
            "review_id": list(db.session.scalars(select(TrailReview.id).where(TrailReview.site_id == site))),
            "deviation_id": list(db.session.scalars(select(Deviation.id).where(Deviation.site_id == site))),
            "run_id": list(db.session.scalars(select(AmendmentRun.id).where(AmendmentRun.site_id == site))),
            "query_id": list(db.session.scalars(select(Query.id).where(Query.site_id == site))),
            "export_id": [each.id for each in db.session.scalars(select(Export)) if code in each.site_codes],
        }


def addresses(clinic: Clinic, ids: dict[str, list[int]], method: str) -> list[tuple[str, str, str]]:
    """Endpoint, address of each thing, and the same address of a thing that does not exist."""
    adapter, found = clinic.app.url_map.bind("localhost"), []
    for rule in clinic.app.url_map.iter_rules():
        named = rule.arguments & SITE_THINGS
        if not named or method not in (rule.methods or ()):
            continue
        (name,) = named
        values = [dict(zip(("event_key", "form_id", "repeat"), place, strict=True)) for place in PLACES]
        below = [{key: value for key, value in each.items() if key in rule.arguments} for each in values]
        if "sha256" in rule.arguments:
            with clinic.app.app_context():
                pictures = clinic.answers(clinic.subjects["02"], "SCR", "PHO")["PHO"]["1"]["PHOF"]  # type: ignore[attr-defined]
            below = [{**values[3], "sha256": pictures["file"] if isinstance(pictures, dict) else pictures}]
        if not rule.arguments & BELOW:
            below = [{}]
        for thing, more in product(ids[name], below):
            real = adapter.build(rule.endpoint, {name: thing, **more}, method=method)
            absent = adapter.build(rule.endpoint, {name: NOBODY, **more}, method=method)
            query = "?dictionary=ctcae&q=de" if rule.endpoint == "forms.terms" else ""
            found.append((rule.endpoint, real + query, absent + query))
    return found


def bare(answer: Any, address: str) -> tuple[int, str, dict[str, str]]:
    """Status, page and headers without what differs by itself: nonces, tokens, error ids, the address asked for."""
    page = unescape(answer.data.decode(errors="replace")).replace(address, "(address)")
    page = re.sub(r'nonce="[^"]*"|name="csrf_token"[^>]*|content="Ij[^"]*"', "", page)
    page = re.sub(r"\b[0-9a-f]{8,32}\b", "(id)", page)
    loud = {"date", "set-cookie", "content-length", "content-security-policy", "x-request-id"}
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in loud}
    return answer.status_code, page, headers


def digest(clinic: Clinic) -> str:
    """A hash of everything that the audited tables hold, and how many changes there are."""
    with clinic.app.app_context():
        with one_state() as connection:
            leaves = [f"{path}={sorted_json(value)!r}" for path, value in table_leaves(connection)]
        leaves.append(str(db.session.scalar(select(func.count()).select_from(Change))))
        db.session.remove()
        return sha256("\n".join(leaves).encode()).hexdigest()


def links(page: str) -> set[str]:
    """Where a page leads, downloads and pictures left out: those are recorded."""
    found = {unescape(href).partition("#")[0] for href in re.findall(r'href="(/[^"]*)"', page)}
    return {href for href in found if not href.startswith("/static") and "/file" not in href and ".pdf" not in href}


def crawl(browser: Browser, most: int = 400) -> dict[str, str]:
    """Every page that can be reached from the first one."""
    pages: dict[str, str] = {}
    waiting = ["/"]
    while waiting and len(pages) < most:
        address = waiting.pop(0)
        if address not in pages:
            answer = browser.get(address)
            assert answer.status_code in (200, 303, 403, 404), f"{address}: {answer.status_code}"
            pages[address] = answer.data.decode(errors="replace")  # pictures too
            waiting += sorted(links(pages[address]) - set(pages))
    return pages


def without_tokens(page: str) -> str:
    """A page without what is drawn at random: it could spell any short word."""
    return re.sub(r'nonce="[^"]*"|name="csrf_token"[^>]*', "", page)


def test_every_part_of_an_address_is_known_here(clinic: Clinic) -> None:
    """A new kind of address must be put into one of the lists above before this file covers it."""
    parts = {part for rule in clinic.app.url_map.iter_rules() for part in rule.arguments}
    assert parts <= SITE_THINGS | BELOW | OF_NO_SITE


def test_the_things_asked_for_below_do_exist(clinic: Clinic) -> None:
    """The control: the people of site 02 get what nobody of site 01 gets."""
    browser, refused = clinic.sign_in("as-two-investigator"), set()
    ids = things(clinic, "02")
    with clinic.app.app_context():
        ids["export_id"] = [each.id for each in db.session.scalars(select(Export)) if each.site_codes == ["02"]]
    for endpoint, real, _absent in addresses(clinic, ids, "GET"):
        if browser.get(real).status_code not in (200, 303):
            refused.add((endpoint, real))
    not_hers = {
        "forms.instances",
        "queries.new",
    }  # no list of forms that do not repeat; an investigator raises no query
    assert {endpoint for endpoint, _address in refused} <= not_hers
    ours = clinic.sign_in("dora").get(f"/participants/{clinic.subjects['01']}").text  # type: ignore[attr-defined]
    assert "02-S001" in ours, "who resolves duplicates at both sites is shown both"


@pytest.mark.req("SEC-19", "ACC-02")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("role", ROLES)
def test_a_thing_of_the_other_site_looks_like_one_that_does_not_exist(
    clinic: Clinic, browsers: dict[str, Browser], role: str, method: str
) -> None:
    """404 and the same page, byte by byte; 403 where the role could not do it anywhere. Nothing is changed."""
    browser, rules, before, wrong = browsers[role], matrix(clinic.app), digest(clinic), []
    posted = {"csrf_token": browser.token("/"), "VS/1/WEIGHT": "70", "_revision": "2", "_reason": "mistyped",
              "reason": "mistyped", "do": "unscheduled", "missing": "ND"}  # fmt: skip
    asked = addresses(clinic, things(clinic, "02"), method)
    assert len(asked) > 20
    for endpoint, real, absent in asked:
        rule, data = rules[endpoint], posted if method == "POST" else None
        here = bare(browser.client.open(real, method=method, data=data), real)
        there = bare(browser.client.open(absent, method=method, data=data), absent)
        expected = 404 if rule and rule.action in access.ACCESS[role] else 403
        if here != there or here[0] != expected:
            wrong.append(f"{method} {real}: {here[0]}, not there: {there[0]}, expected {expected}")
    assert wrong == []
    assert digest(clinic) == before


@pytest.mark.req("SEC-19", "ACC-02")
@pytest.mark.parametrize("role", ROLES)
def test_no_page_or_filter_holds_a_word_of_the_other_site(
    clinic: Clinic, browsers: dict[str, Browser], role: str
) -> None:
    """All pages that can be reached, and lists asked for the other site's site, people, participants and records."""
    ids, browser = things(clinic, "02"), browsers[role]
    with clinic.app.app_context():
        site, bob = clinic.site("02").id, clinic.user("bob").id
        form = db.session.scalars(select(FormData.id).where(FormData.subject_id == ids["subject_id"][0])).first()
    pages = {name: without_tokens(page) for name, page in crawl(browser).items()}
    for address in (
        "/participants?site=02", "/participants?q=02-S", "/participants?attention=duplicate", f"/trail?site={site}",
        f"/trail?participant={ids['subject_id'][0]}", f"/trail?about=form_data/{form}", f"/trail?who={bob}",
        "/trail?what=save+form", f"/participants/new?previous={ids['subject_id'][0]}",
    ):  # fmt: skip
        pages[address] = browser.get(address).text.replace("02-S</", "").replace('value="02-S"', "")
    leaks = {(address, secret) for address, page in pages.items() for secret in SECRETS if secret in page}
    assert leaks == set()
    assert any("01-S001" in page for page in pages.values())


@pytest.mark.req("SEC-19")
def test_the_other_sites_participants_cannot_be_screened_again_or_exported(
    clinic: Clinic, browsers: dict[str, Browser]
) -> None:
    """Ids and codes of the other site in the body of a post do no more than those in an address."""
    before, other = digest(clinic), str(clinic.subjects["02"])  # type: ignore[attr-defined]
    again = {"site": "01", "previous": other}
    answers = [
        browsers["nurse"].post("/participants/new", again, page="/participants/new"),
        browsers["nurse"].post("/participants/new", {"site": "02"}, page="/participants/new"),
        browsers["investigator"].post("/exports", {"formats": ["csv"], "sites": ["02"], "reason": "interim"}),
        browsers["statistician"].post("/exports", {"formats": ["csv"], "sites": ["01", "02"], "reason": "interim"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 422, 422, 422]
    assert digest(clinic) == before


@pytest.mark.req("ACC-02")
def test_a_role_at_one_site_gives_nothing_more_at_the_other(clinic: Clinic) -> None:
    """Investigator at 01 and coder at 02: at 02 she reads forms, and neither the trail nor an export, nor writes."""
    browser, before = clinic.sign_in("mixed"), digest(clinic)
    theirs = f"/participants/{clinic.subjects['02']}"  # type: ignore[attr-defined]
    assert browser.get(theirs).status_code == 200
    page = browser.get(f"{theirs}/SCR/VS/1").text
    assert "words-of-two" in page
    assert "why-of-two" not in page
    for address in ("/SCR/VS/1/history", "/SCR/VS/1/history?item=VS/1/WEIGHT", "/history"):
        assert browser.get(theirs + address).status_code in (403, 404), address
    for change in things(clinic, "02")["change_id"]:
        assert browser.get(f"/trail/{change}").status_code == 404
    assert "why-of-two" not in browser.get("/trail").text
    typed = {"VS/1/WEIGHT": "70", "VS/1/HEIGHT": "165.0", "_revision": "2", "_reason": "mistyped", "reason": "mistyped"}
    for address in ("/SCR/VS/1", "/SCR/VS/1/error", "/SCR/SV/1/not-done", "/visits"):
        browser.post(theirs + address, typed | {"do": "unscheduled", "missing": "ND"}, page="/")
    assert digest(clinic) == before


@pytest.mark.req("SEC-21")
@pytest.mark.parametrize("name", [*(f"as-one-{role}" for role in ROLES), "mona", "dora", "otto"])
def test_opening_pages_changes_nothing(clinic: Clinic, name: str) -> None:
    """Every page that can be reached, and every address that answers GET, with one's own things."""
    browser = clinic.sign_in(name)
    before = digest(clinic)
    pages = crawl(browser)
    for endpoint, address, _absent in addresses(clinic, things(clinic, "01"), "GET"):
        if endpoint not in ("exports.fetch", "forms.file", "printing.casebook", "printing.fetch"):  # these are recorded
            browser.get(address)
    assert digest(clinic) == before
    assert len(pages) > 5


@pytest.mark.req("SEC-19", "ACC-02")
@pytest.mark.parametrize("role", ["nurse", "monitor", "data_manager", "inspector"])
def test_work_at_the_other_site_leaves_every_page_as_it_was(
    clinic: Clinic, browsers: dict[str, Browser], role: str
) -> None:
    """Not even a count tells that somebody works there."""
    browser = browsers[role]

    def everything() -> dict[str, str]:
        pages = crawl(browser)
        return {name: without_tokens(page) for name, page in pages.items()}

    with times.at(times.now()):  # ages and "seen at" on the pages would differ by themselves
        before = everything()
        fill(clinic, "bob", "words-of-two", "why-of-two")
        after = everything()
    assert [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)] == []


@pytest.mark.req("SEC-19", "SEC-40")
@pytest.mark.parametrize("address", ["/participants/{}", "/participants/{}/history", "/trail/{}", "/exports/{}/file",
                                     "/participants/{}/SCR/VS/1", "/participants/new?previous={}",
                                     "/participants/1/SCR/VS/{}"])  # fmt: skip
@pytest.mark.parametrize("number", ["0", str(2**31), str(2**63), "9" * 40])
def test_no_number_breaks_an_address(clinic: Clinic, browsers: dict[str, Browser], address: str, number: str) -> None:
    """Numbers beyond what a database counts to are things that do not exist, not errors."""
    assert browsers["investigator"].get(address.format(number)).status_code == 404


@pytest.mark.req("SEC-40")
@pytest.mark.parametrize("address", ["/participants", "/trail", "/participants/1/history"])
@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "9" * 40, "x"])
def test_no_page_number_breaks_a_list(browsers: dict[str, Browser], address: str, number: str) -> None:
    """A page beyond the last is an empty one."""
    assert browsers["investigator"].get(f"{address}?page={number}").status_code == 200

"""Every seeded pattern is found in the trail and nothing else; a review is signed off on what was shown (AUD-12)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from models import Change, Delegation, Signature, SignedForm, Site, Subject, TrailReview, User, clock, db
from models.change import System
from tests.monitored import DAY, VITALS, Trial, day
from workflows import access, finding, reviewing_trail, verifying
from workflows.refusals import Forbidden, NotFound, Refusal
from workflows.reviewing_trail import Look

PATTERNS = ("verification", "signature", "night", "many", "delegation")


@pytest.fixture
def trial(app, tmp_path) -> Trial:
    made = Trial(app, tmp_path)
    delegate(made, "alice", "2026-01-01", None)
    delegate(made, "ines", "2026-01-01", None)
    return made


def delegate(
    trial: Trial, name: str, starts: str, ends: str | None, code: str = "01", tasks: Sequence[str] = ("enter data",)
) -> None:
    with Change(by=System("tests"), action="delegate", chain="small"):
        line = Delegation(
            site_id=trial.site(code).id,
            user_id=trial.user(name).id,
            tasks=list(tasks),
            starts_on=day(starts),
            ends_on=day(ends) if ends else None,
            delegated_by="Ines",
            created_at=DAY,
        )
        db.session.add(line)


def look(trial: Trial, since: str = "2026-03-01", until: str = "2026-03-31", **more: Any) -> Look:
    return Look(trial.site(), day(since), day(until), **more)


def found(trial: Trial, asked: Look | None = None) -> dict[str, list[tuple[str, ...]]]:
    hits = reviewing_trail.find(trial.user("mona"), asked or look(trial))
    return {name: [hit.paths for hit in each] for name, each in hits.items() if each}


def at(text: str) -> datetime:
    """An instant by the clock of the site (UTC+8)."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def sign(trial: Trial, subject: Subject, data: Any, when: datetime) -> None:
    ines = trial.user("ines")
    with Change(by=System("tests"), action="sign", chain="small"):
        signature = Signature(
            subject_id=subject.id, level="form", form_data_id=data.id, user_id=ines.id, username="ines", full_name="Ines",
            role="investigator", meaning="x", meaning_en="x", meaning_zh="x", statement="1", digest="0", signed_at=when,
        )  # fmt: skip
        db.session.add(signature)
        db.session.flush()
        db.session.add(SignedForm(signature_id=signature.id, form_data_id=data.id, revision=1, digest="0"))


@pytest.mark.req("AUD-12")
def test_ordinary_work_shows_no_pattern(trial: Trial) -> None:
    subject = trial.screen()
    data = trial.save(subject, "VS", VITALS)
    for weight in ("61.0", "62.0", "63.0"):  # three corrections are not too many
        trial.save(subject, "VS", {**VITALS, "WEIGHT": weight})
    with trial.by("mona", "verify", subject=subject) as change:
        verifying.verify_form(change, data, data.revision)
    with trial.by("mona", "withdraw verification", "misread", subject) as change:
        verifying.unverify_items(change, data, data.revision, ["VS/1/FEVER"])
    trial.save(
        subject, "VS", {**VITALS, "WEIGHT": "63.0", "VSCOM": "sitting", "FEVER": "Y", "TEMP": "38.5"}, name="ines"
    )
    sign(trial, subject, data, at("2026-03-17T09:00"))
    assert found(trial) == {}


@pytest.mark.req("AUD-12")
def test_all_seeded_patterns_are_found_and_nothing_else(trial: Trial) -> None:
    first, second, third = trial.screen(), trial.screen(), trial.screen()
    quiet = trial.screen()
    trial.save(quiet, "VS", VITALS)
    data = trial.save(first, "VS", VITALS)
    with trial.by("mona", "verify", subject=first) as change:
        verifying.verify_items(change, data, data.revision, ["VS/1/HEIGHT"])
    trial.save(first, "VS", {**VITALS, "HEIGHT": "166.0", "FEVER": {"missing": "UNK"}}, at=at("2026-03-17T10:00"))
    signed = trial.save(second, "VS", VITALS)
    sign(trial, second, signed, at("2026-03-17T11:00"))
    trial.save(second, "VS", {**VITALS, "VSCOM": "later"}, at=at("2026-03-17T12:00"))
    trial.save(third, "VS", VITALS, at=at("2026-03-17T22:00"))
    trial.save(third, "SV", {"VISDAT": "2026-03-17"}, at=at("2026-03-18T05:59"))
    for number in range(1, 6):
        weight = {**VITALS, "WEIGHT": f"{60 + number}.0"}
        trial.save(third, "VS", weight, at=at(f"2026-03-18T1{number}:00"))
    stranger = trial.person("nora", "nurse")
    trial.save(third, "LB", {"LBPAN": "HEM"}, name="nora", repeat=None, at=at("2026-03-19T09:00"))
    assert stranger.id
    typed = ("VS/1/FEVER", "VS/1/HEIGHT", "VS/1/WEIGHT")
    assert found(trial) == {
        "verification": [("VS/1/HEIGHT",)],
        "signature": [("VS/1/VSCOM",)],
        "night": [typed, ("SV/1/VISDAT",)],
        "many": [("VS/1/WEIGHT",), ("VS/1/WEIGHT",)],  # the fourth correction and the fifth
        "delegation": [("LBHEAD/1/LBPAN",)],
    }
    hits = reviewing_trail.find(trial.user("mona"), look(trial))
    assert hits["verification"][0].form_data_id == data.id
    assert {hit.user_name for hit in hits["delegation"]} == {"nora"}


@pytest.mark.req("AUD-12")
def test_the_limits_are_parameters(trial: Trial) -> None:
    subject = trial.screen()
    trial.save(subject, "VS", VITALS, at=at("2026-03-17T06:00"))
    trial.save(subject, "VS", {**VITALS, "WEIGHT": "61.0"}, at=at("2026-03-17T21:59"))
    trial.save(subject, "VS", {**VITALS, "WEIGHT": "62.0"}, at=at("2026-03-18T12:30"))
    assert found(trial) == {}
    assert len(found(trial, look(trial, night_to=time(7)))["night"]) == 1
    assert len(found(trial, look(trial, night_from=time(12), night_to=time(13)))["night"]) == 1
    assert len(found(trial, look(trial, most_changes=1))["many"]) == 1
    assert found(trial, look(trial, since="2026-03-18", most_changes=1)) == {}, "only what is in the period counts"


@pytest.mark.req("AUD-12")
def test_a_delegation_holds_from_its_first_day_to_its_last(trial: Trial) -> None:
    for name in ("early", "late", "signing", "elsewhere", "holding"):
        trial.person(name, "nurse")
    delegate(trial, "early", "2026-03-20", None)
    delegate(trial, "late", "2026-01-01", "2026-03-18")
    delegate(trial, "signing", "2026-01-01", None, tasks=["sign", "consent"])
    delegate(trial, "elsewhere", "2026-01-01", None, code="02")
    delegate(trial, "holding", "2026-03-19", "2026-03-19")
    subject = trial.screen()
    for name in ("early", "late", "signing", "elsewhere", "holding"):
        trial.save(subject, "LB", {"LBPAN": "HEM"}, name=name, repeat=None, at=at("2026-03-19T09:00"))
    hits = reviewing_trail.find(trial.user("mona"), look(trial))
    assert [hit.user_name for hit in hits["delegation"]] == ["early", "late", "signing", "elsewhere"]


@pytest.mark.req("AUD-12", "ACC-02")
def test_only_this_site_and_this_period(trial: Trial) -> None:
    theirs = trial.screen("bob")
    trial.save(theirs, "VS", VITALS, name="bob", at=at("2026-03-17T23:00"))
    ours = trial.screen()
    trial.save(ours, "VS", VITALS, at=at("2026-03-17T23:30"))
    trial.save(ours, "SV", {"VISDAT": "2026-03-17"}, at=at("2026-03-18T00:30"))
    assert len(found(trial)["night"]) == 2
    assert found(trial, look(trial, until="2026-03-17"))["night"] == [("VS/1/FEVER", "VS/1/HEIGHT", "VS/1/WEIGHT")]
    assert found(trial, look(trial, since="2026-03-18"))["night"] == [("SV/1/VISDAT",)]
    with pytest.raises(Forbidden):
        reviewing_trail.find(trial.user("mona"), Look(trial.site("02"), date(2026, 3, 1), date(2026, 3, 31)))


def sign_off(
    trial: Trial, asked: Look, shown: str, outcome: str = "Explained by the site.", name: str = "mona"
) -> TrailReview:
    with trial.by(name, "review trail") as change:
        site = finding.site(trial.user("mona"), "review trail", "01")
        again = Look(site, asked.since, asked.until, asked.night_from, asked.night_to, asked.most_changes)
        return reviewing_trail.sign_off(change, again, shown, outcome)


@pytest.mark.req("AUD-12")
def test_a_review_keeps_who_when_what_and_the_outcome(trial: Trial) -> None:
    subject = trial.screen()
    trial.save(subject, "VS", VITALS, at=at("2026-03-17T23:00"))
    asked = look(trial)
    hits = reviewing_trail.find(trial.user("mona"), asked)
    shown = reviewing_trail.fingerprint(hits)
    review = sign_off(trial, asked, shown)
    assert (review.reviewer_name, review.at, review.outcome) == ("Mona monitor", DAY, "Explained by the site.")
    assert review.found == {
        **{name: [] for name in PATTERNS},
        "night": [hits["night"][0].change_id],
        "limits": {"night": "22:00-06:00", "most_changes": 3},
    }
    for outcome, seen, code in (("ok", shown, "trail-outcome"), ("Fine so.", "0" * 16, "trail-moved"),
                                ("Explained by the site.", shown, "trail-twice")):  # fmt: skip
        with pytest.raises(Refusal) as caught:
            sign_off(trial, asked, seen, outcome)
        assert caught.value.code == code
    trial.save(subject, "SV", {"VISDAT": "2026-03-17"}, at=at("2026-03-17T23:10"))
    with pytest.raises(Refusal) as caught:
        sign_off(trial, asked, shown, "Later.")
    assert caught.value.code == "trail-moved"
    assert reviewing_trail.find_review(trial.user("dora"), review.id) is review
    with pytest.raises(NotFound):
        reviewing_trail.find_review(trial.user("bob"), review.id)


@pytest.mark.req("AUD-12", "ACC-01")
def test_who_reviews_the_trail(trial: Trial) -> None:
    allowed = set()
    for role in access.ROLES:
        user: User = trial.person(f"as-{role}", role)
        try:
            reviewing_trail.find(user, look(trial))
            with clock.at(DAY), Change(by=user, action="review trail", chain="small") as change:
                site: Site = trial.site()
                asked = Look(site, day("2026-03-01"), day("2026-03-31"))
                shown = reviewing_trail.fingerprint(reviewing_trail.find(user, asked))
                reviewing_trail.sign_off(change, asked, shown, f"Seen by {role}")
            allowed.add(role)
        except Forbidden:
            pass
    assert allowed == {"monitor", "data_manager"}


@pytest.mark.parametrize(("since", "until"), [("2026-03-02", "2026-03-01"), ("2020-01-01", "2026-03-01")])
def test_a_period_that_is_none_is_refused(trial: Trial, since: str, until: str) -> None:
    with pytest.raises(Refusal, match="period"):
        found(trial, look(trial, since, until))

"""A clinic whose study gets a second version, for tests of amendments; on the database of the test.

Version 2 of the small study: the comment is dropped, the pulse (with its check) moves to another item, fever's codes stay,
the arm of symptom codes is recoded (pain P becomes PN), a required item SKIN and the form MRI come (MRI and the visit FU2
wait for a new consent), and a weight above 90 needs an override.
"""

from datetime import date
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from models import AmendmentRun, Deviation, FormData, Review, StudyVersion, db
from models.change import Change, System
from tests import small_study
from tests.clinic import NOW
from tests.signing import Signing
from workflows import activating, amending, publishing

AMENDMENT = """
replaces = 1
default = "retrospective"
[moved]
VSPULSE = "PULSE"
[recoded.SYMP]
P = "PN"
[reconsent]
given = "any(ICF where CONSVER = '2')"
forms = ["MRI"]
items = ["MOLE"]
events = ["FU2"]
"""
MRI = """
id = "MRI"
en = "Breast scan"
zh = "乳腺检查"
[[items]]
id = "MRIDAT"
en = "Scanned on"
zh = "检查日期"
type = "date"
required = true
"""
SKIN = """[[items]]
id = "SKIN"
en = "Skin dose"
zh = "皮肤剂量"
type = "number"
digits = 1
required = true
[[items]]
id = "MOLE"
en = "Moles"
zh = "痣"
type = "code"
codelist = "NY"
required = "shown"
"""
DV = """
id = "DV"
en = "Deviation"
zh = "方案偏离"
repeats = true
[[items]]
id = "DVTERM"
en = "What happened"
zh = "描述"
type = "text"
length = 300
required = true
[[items]]
id = "DVDAT"
en = "Day"
zh = "日期"
type = "date"
required = true
[[items]]
id = "DVCAT"
en = "Category"
zh = "类别"
type = "code"
codelist = "DVCAT"
required = true
[[items]]
id = "DVSEV"
en = "Severity"
zh = "等级"
type = "code"
codelist = "DVSEV"
required = true
"""
LISTS = """
[DVCAT]
VIS = { en = "Visit window", zh = "访视超窗" }
OTH = { en = "Other", zh = "其他" }
[DVSEV]
MIN = { en = "Minor", zh = "轻微" }
MAJ = { en = "Major", zh = "重大" }
"""
DEVIATIONS = """
[deviations]
form = "DV"
term = "DVTERM"
date = "DVDAT"
category = "DVCAT"
severity = "DVSEV"
"""
FU2 = """
[[events]]
id = "FU2"
number = 30
en = "Second follow-up"
zh = "第二次随访"
kind = "scheduled"
anchor = "CONSENT"
offset_months = 2
before = 7
after = 7
forms = ["SV", "VS", "MRI"]

[[events]]
id = "UNS"
"""


def first() -> dict[str, str]:
    """Version 1: the small study with a form for deviations."""
    found = small_study.files()
    found["study.toml"] = found["study.toml"].replace("\n[anchors]", f"{DEVIATIONS}\n[anchors]")
    found["study.toml"] = found["study.toml"].replace('forms = ["AE?"]', 'forms = ["AE?", "DV?"]')
    found["codelists.toml"] += LISTS
    found["forms/ICF.toml"] += '[[items]]\nid = "CONSVER"\nen = "Version"\nzh = "版本"\ntype = "text"\nlength = 5\n'
    found["forms/VS.toml"] = found["forms/VS.toml"].replace('zh = "脉搏"', 'zh = "脉搏"\nsoft = "40..150"')
    return found | {"forms/DV.toml": DV}


def second() -> dict[str, str]:
    """Version 2."""
    found = first()
    study = found["study.toml"].replace("version = 1", "version = 2").replace('\n[[events]]\nid = "UNS"\n', FU2)
    found["study.toml"] = study.replace('id = "FU1"', 'id = "FU1"').replace(
        'forms = ["SV", "VS"]', 'forms = ["SV", "VS", "MRI"]', 1
    )
    found["codelists.toml"] = found["codelists.toml"].replace("\nP = {", "\nPN = {")
    vital = found["forms/VS.toml"].replace('id = "VSPULSE"', 'id = "PULSE"')
    head, _item, rest = vital.partition('[[items]]\nid = "VSCOM"')
    vital = head + SKIN + "[[" + rest.partition("[[")[2]
    found["forms/VS.toml"] = vital.replace('hard = "20..300"', 'hard = "20..300"\nprotected = "..90"')
    return found | {"forms/MRI.toml": MRI, "amendment.toml": AMENDMENT}


def write(home: Path, files: dict[str, str]) -> Path:
    """A version's folder."""
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")
    return home


class Amended(Signing):
    """A study that is amended while people work."""

    def __init__(self, folder: Path, app: Flask) -> None:
        super().__init__(folder, app)

    def _publish(self, folder: Path, number: int = 1, without: str = "") -> None:
        home = write(folder / "crf" / "small" / f"v{number}", first() if number == 1 else second())
        publishing.seal(home)
        with Change(by=System("tests"), action="publish", chain="small") as change:
            publishing.publish(change, home)

    def publish_second(self) -> StudyVersion:
        """Publish version 2; nobody works under it yet."""
        self._publish(self.folder, 2)
        return amending.version(2)

    def activate(
        self, code: str = "01", day: date | None = None, name: str = "dora", approval: str = "EC 2026-7"
    ) -> Any:
        """Activate version 2 at a site."""
        site, user = self.site(code), self.user(name)
        with Change(by=user, action="activate version", site=site, chain="small") as change:
            made = activating.activate(change, site, amending.version(2), day or NOW.date(), approval)
            key = made.id
        activating.spread(user, self.site(code))
        return key

    def amend(self, code: str = "01", name: str = "dora") -> AmendmentRun:  # type: ignore[override]
        """Move the forms of a site to version 2."""
        return amending.run(self.user(name), self.site(code), amending.version(2), "protocol amendment 1")

    def vitals(self, subject: int, **more: Any) -> int:
        """Save vital signs with everything version 2 touches; the id of the form."""
        given = {"HEIGHT": "165.0", "WEIGHT": "60.0", "FEVER": "N", "VSCOM": "tired", "VSPULSE": "70", "SYMPT": ["F"]}
        self.store(subject, "SCR", "VS", {"VS": {"1": given | more}}, reason="corrected")
        return self.form(subject).id

    def review(self, form_id: int) -> Review:
        """The marks of a form."""
        db.session.rollback()
        return db.session.scalars(select(Review).where(Review.form_data_id == form_id)).one()

    def deviations(self, subject: int) -> list[Deviation]:
        """The deviations of a participant."""
        db.session.rollback()
        selection = select(Deviation).where(Deviation.subject_id == subject).order_by(Deviation.id)
        return list(db.session.scalars(selection.execution_options(populate_existing=True)))

    def versions_of(self, subject: int) -> set[int]:
        """The numbers of the versions a participant's forms stand under."""
        db.session.rollback()
        numbers = {version.id: version.number for version in db.session.scalars(select(StudyVersion))}
        held = db.session.scalars(select(FormData.version_id).where(FormData.subject_id == subject))
        return {numbers[version_id] for version_id in held}

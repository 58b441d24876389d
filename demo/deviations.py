"""Departures from the protocol that the data tell of: most are recorded and acknowledged, some are dismissed or wait."""

from datetime import timedelta

from sqlalchemy import or_, select

from demo.office import Office
from models import Deviation, Subject, db
from workflows import deviating, finding
from workflows.nightly import OVER
from workflows.proposing import WINDOW

CATEGORIES = {WINDOW: "VIS", "ICF": "ICF", "ENR": "IE", "RTRX": "RTD", "RTPL": "RTD", "RTEND": "RTD"}
DISMISSED = "访视日期因设备排程与节假日调整，未影响受试者安全与评价，不计为偏离"
WITHIN = "经核实，所录入情况符合方案要求，不构成偏离"
PATIENCE = timedelta(days=300)  # after which even those that wait are judged


def settle(office: Office) -> None:
    """The principal investigator goes through what is proposed, and acknowledges what was recorded before.

    Of four, one is recorded and acknowledged, one dismissed, one waits, and one is recorded only. A study version that
    names no form for deviations leaves what would be recorded as it is.
    """
    records = finding.design_for(office.desk.site).deviations is not None
    for deviation_id, kind, status in _waiting(office):
        if status == "recorded":
            if kind != 0:
                _acknowledge(office, deviation_id)
        elif kind == 2:
            _dismiss(office, deviation_id)
        elif kind != 3 and records:
            _record(office, deviation_id)


def _waiting(office: Office) -> list[tuple[int, int, str]]:
    """What nobody acknowledged or dismissed: its id, which of four it is (1 once it waited too long), its status."""
    selection = (
        select(Deviation.id, Deviation.proposed_at, Deviation.status, Subject.status.label("stage"))
        .join(Subject, Subject.id == Deviation.subject_id)
        .where(Deviation.site_id == office.desk.site.id, Deviation.status.in_(("proposed", "recorded")))
        .where(Deviation.acknowledged_at.is_(None), or_(Deviation.status == "recorded", Subject.protection == "open"))
        .order_by(Deviation.id)
    )
    old = office.midnight(office.today) - PATIENCE
    found = []
    for row in db.session.execute(selection):
        is_late = row.proposed_at < old or row.stage in OVER
        kind = 1 if is_late and row.id % 4 != 2 else row.id % 4
        found.append((row.id, kind, row.status))
    return found


def _record(office: Office, deviation_id: int) -> None:
    """Write it into the study's form, with what that asks besides."""
    desk, deviation = office.desk, db.session.get_one(Deviation, deviation_id)
    subject, day = deviation.subject, deviation.occurred
    if len(day) != len("2026-01-01"):
        day = office.today.isoformat()
    category = next((code for key, code in CATEGORIES.items() if (deviation.check_id or "").startswith(key)), "OTH")
    with office.act(desk.investigator, "record deviation", subject) as change:
        deviating.record(change, deviation, category, "MIN", deviation.term_zh, day)
    record = finding.form_data(desk.investigator, deviation.form_data_id or 0)
    values = {"DVIMP": "N"}
    desk.save(subject, "LOG", "DV", office.today, values, repeat=record.repeat, by=desk.investigator)


def _dismiss(office: Office, deviation_id: int) -> None:
    deviation = db.session.get_one(Deviation, deviation_id)
    why = DISMISSED if deviation.check_id == WINDOW else WITHIN
    with office.act(office.desk.investigator, "dismiss deviation", deviation.subject, why) as change:
        deviating.dismiss(change, deviation)


def _acknowledge(office: Office, deviation_id: int) -> None:
    deviation = db.session.get_one(Deviation, deviation_id)
    with office.act(office.desk.investigator, "acknowledge deviation", deviation.subject) as change:
        deviating.acknowledge(change, deviation)

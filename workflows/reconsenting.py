"""What an amendment adds only for those who consented to it, asked before it is expected or entered.

Items and whole forms are hidden by the study's own skip logic (`design.amendments.gate`); here is what skip logic does
not reach: visits, and forms that are not stored yet.
"""

from datetime import date

from design.definitions import ReconsentDef, StudyDef
from design.evaluation import evaluate_expression
from design.record import SubjectRecord
from models import Subject
from models.clock import today
from workflows import recording


def withheld(study: StudyDef, record: SubjectRecord, day: date) -> ReconsentDef | None:
    """What waits for the participant's consent to the amendment; None when nothing does."""
    wanted = study.amendment.reconsent if study.amendment else None
    if wanted is None or evaluate_expression(study, record, wanted.given, day) is True:
        return None
    return wanted


def forms_withheld(subject: Subject, study: StudyDef) -> frozenset[str]:
    """The forms that are not expected of a participant yet; nothing is read where the study asks for no new consent."""
    if study.amendment is None or study.amendment.reconsent is None:
        return frozenset()
    waits = withheld(study, recording.record_of(subject, study), today(subject.site.timezone))
    return frozenset(waits.forms) if waits else frozenset()

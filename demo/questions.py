"""Queries of the monitor: what she asks, what the nurse answers and corrects, what is closed, and what is left lying."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, select

from demo.office import Office
from design import answers as documents
from models import FormData, Query, Subject, clock, db
from workflows import finding, query_places, querying


@dataclass(frozen=True)
class Question:
    """What is asked about an item and answered; `correct` makes the right value of the one that was entered."""

    item: str
    reason_code: str
    text: str
    answer: str
    correct: Callable[[str], str] | None = None


def _plus(number: int) -> Callable[[str], str]:
    return lambda value: str(int(value) + number)


CORRECTED = "经与源记录核对后更正"
QUESTIONS: dict[str, tuple[Question, ...]] = {
    "VS": (
        Question(
            "SYSBP",
            "source",
            "收缩压与当日护理记录单不一致，请核对源病历后更正。",
            "录入时看错一行，已更正。",
            _plus(2),
        ),
        Question(
            "PULSE",
            "source",
            "The pulse in the nursing record differs from the value entered. Please check and correct.",
            "Checked against the nursing record: typing error, corrected.",
            _plus(1),
        ),
    ),
    "LB": (
        Question(
            "LBTIM", "source", "采血时间与检验报告单不一致，请核对。", "报告单为08:25，已更正。", lambda value: "08:25"
        ),
        Question(
            "LBTIM",
            "missing",
            "The printout in the source file shows no time of sampling. Where does the time come from?",
            "From the laboratory system; a printout with the time was filed today.",
        ),
    ),
    "RTFX": (
        Question(
            "FXDOSE",
            "source",
            "照射记录单上的本次剂量与系统录入值不一致，请与治疗控制系统日志核对。",
            "已核对设备日志，录入正确；记录单笔误已由物理师更正并签名。",
        ),
        Question(
            "FXENTIM",
            "inconsistent",
            "The end of irradiation is later than the log of the treatment control system says. Please explain.",
            "The time includes leaving the room. The log agrees with the dose; no change.",
        ),
    ),
    "AE": (
        Question(
            "AGGR", "safety", "CTCAE分级依据不清：病历仅写“皮肤发红”，请说明分级依据。", "研究者已补充描述，分级不变。"
        ),
        Question(
            "AESTDAT",
            "missing",
            "The notes give no start date for this event. On what is the date entered based?",
            "On the participant's diary; a copy was filed with the source.",
        ),
    ),
    "IM": (
        Question(
            "IMDAT", "source", "影像报告日期与检查日期不同，请确认此处为检查日期。", "已确认为检查日期，报告次日签发。"
        ),
    ),
    "PS": (
        Question(
            "ECOG",
            "inconsistent",
            "ECOG contradicts the notes of the same day (tired, rests after noon). Please check.",
            "Discussed with the investigator: fatigue grade 1, ECOG as entered.",
        ),
    ),
    "MH": (
        Question("MHSTDAT", "missing", "起始日期不完整，请向受试者确认月份和日期。", "受试者记不清，仅知此部分日期。"),
    ),
    "BM": (
        Question(
            "KI67", "implausible", "病理报告中Ki-67为区间值，请说明录入值的来源。", "已电话咨询病理科，按区间中值录入。"
        ),
    ),
    "CM": (
        Question("CMINDC", "coding", "适应证描述过于笼统，无法编码，请具体化。", "病历中无更具体描述，维持原录入。"),
    ),
    "BE": (
        Question("BELD", "missing", "病历中有肿块描述但缺少测量值来源，请补充。", "测量值来自查体记录单，已归档。"),
    ),
}
BY_TEXT = {each.text: each for asked in QUESTIONS.values() for each in asked}
EXPLAINED = (
    "已核对源病历，数据属实，情况已在病程记录中说明。",
    "Checked with the source: the data are as entered; the reason is documented in the notes.",
)
NAMED = "已补充：所核对的源文件为门诊病历及检查报告单，复印件已归入研究者文件夹。"
INSUFFICIENT = "The answer does not say which source document was checked. Please name it."
ASKED, MOST_ASKED = 0.1, 3  # share of the visits that raise a question, and how many at one time
WILLING = 0.85  # of what waits is answered or settled at a time
PATIENCE = timedelta(days=400)  # after which even forgotten queries are dealt with


def ask(office: Office, visit_id: int, event_ids: Sequence[int]) -> set[int]:
    """Raise a few queries about what stands in these visits; the ids of the forms that are asked about."""
    selection = select(FormData).where(
        FormData.study_event_id.in_(event_ids),
        FormData.form_id.in_(QUESTIONS),
        FormData.in_error.is_(None),
        FormData.protection == "open",
    )
    by_form: dict[str, list[FormData]] = {}
    for data in db.session.scalars(selection.order_by(FormData.id)):
        by_form.setdefault(data.form_id, []).append(data)
    number = min(sum(office.dice.random() < ASKED for _ in event_ids), MOST_ASKED, len(by_form))
    chosen = office.dice.sample(sorted(by_form), number)
    return {asked for form_id in chosen if (asked := ask_about(office, visit_id, by_form[form_id])) is not None}


def ask_about(office: Office, visit_id: int, forms: Sequence[FormData]) -> int | None:
    """Raise one query about one of these forms; which one it was. No form is asked about twice."""
    new = _unasked(forms)
    if not new:
        return None
    data = office.dice.choice(new)
    question = office.dice.choice(QUESTIONS[data.form_id])
    subject, event, form_id, repeat, data_id = data.subject, data.study_event.key, data.form_id, data.repeat, data.id
    path = _path(data, question.item)
    with office.act(office.monitor, "raise query", subject) as change:
        target = query_places.target(office.monitor, subject.id, event, form_id, repeat, [path] if path else [])
        querying.raise_query(change, target, question.text, question.reason_code, visit_id=visit_id)
    return data_id


def _unasked(forms: Sequence[FormData]) -> list[FormData]:
    events = {data.study_event_id for data in forms}
    columns = select(Query.study_event_id, Query.form_id, Query.repeat).where(Query.check_id.is_(None))
    asked = {tuple(row) for row in db.session.execute(columns.where(Query.study_event_id.in_(events)))}
    return [data for data in forms if (data.study_event_id, data.form_id, data.repeat) not in asked]


def _path(data: FormData, item: str) -> str | None:
    """Where an item stands in a form; in its last row when there are several."""
    found = [path for path, _ in documents.iter_cells(data.answers) if path.endswith(f"/{item}")]
    return found[-1] if found else None


def answer(office: Office) -> None:
    """The nurse answers most of what is open: the monitor's questions one by one, those of checks together."""
    explained: dict[int, int] = {}
    for query in _waiting(office, "open", forgets=5):
        if query.check_id is not None:
            explained[query.id] = query.revision
        else:
            _answer_one(office, query.id)
    if explained:
        with clock.at(office.desk.calendar.tick()):
            querying.do_many(office.desk.nurse, explained, "answer", office.dice.choice(EXPLAINED))


def review_answers(office: Office) -> None:
    """The monitor closes what is answered well; once she is not satisfied."""
    answered = _waiting(office, "answered", forgets=6)
    again = next((each for each in answered if each.check_id is None), None) if not office.has_reopened else None
    if again is not None:
        with office.act(office.monitor, "reopen query", again.subject) as change:
            querying.do(change, again, "reopen", INSUFFICIENT, again.revision)
        office.has_reopened = True
        answered = [each for each in answered if each.id != again.id]
    _close(office, answered)


def settle_all(office: Office, subject: Subject) -> None:
    """Nothing is left open about a participant whose casebook is about to be locked."""
    opened, answered = (
        _selection(office, status).where(Query.subject_id == subject.id) for status in ("open", "answered")
    )
    held = {query.id: query.revision for query in db.session.scalars(opened)}
    if held:
        with clock.at(office.desk.calendar.tick()):
            querying.do_many(office.desk.nurse, held, "answer", EXPLAINED[0])
    _close(office, list(db.session.scalars(answered)))


def _close(office: Office, queries: Sequence[Query]) -> None:
    if queries:
        shown = {query.id: query.revision for query in queries}
        with clock.at(office.desk.calendar.tick()):
            querying.do_many(office.monitor, shown, "close", "")


def _selection(office: Office, status: str) -> Select[Query]:
    return select(Query).where(Query.site_id == office.desk.site.id, Query.status == status).order_by(Query.id)


def _waiting(office: Office, status: str, forgets: int) -> list[Query]:
    """What is dealt with today: most of what waits for three days; every eighth is forgotten for more than a year."""
    now = office.midnight(office.today)
    found = []
    for query in db.session.scalars(_selection(office, status).join(Subject).where(Subject.protection != "locked")):
        age = now - query.raised_at
        is_forgotten = query.id % 8 == forgets and age < PATIENCE
        if age > timedelta(days=3) and not is_forgotten and office.dice.random() < WILLING:
            found.append(query)
    return found


def _answer_one(office: Office, query_id: int) -> None:
    """Answer a question of the monitor, after a correction where the source says something else."""
    query = db.session.get_one(Query, query_id)
    question = BY_TEXT.get(query.messages[0].text)
    words = NAMED if query.reopened else question.answer if question else EXPLAINED[0]
    if question is not None and question.correct is not None and query.reopened == 0:
        _correct(office, query, question)
    with office.act(office.desk.nurse, "answer query", query.subject) as change:
        fresh = finding.query(office.desk.nurse, query_id)
        querying.do(change, fresh, "answer", words, fresh.revision)


def _correct(office: Office, query: Query, question: Question) -> None:
    if query.study_event is None or query.form_id is None or not query.paths or question.correct is None:
        return
    stored = finding.stored(query.study_event, query.form_id)
    data = next((each for each in stored if each.repeat == query.repeat), None)
    value = documents.get(data.answers, query.paths[0]) if data and data.protection == "open" else None
    if data is None or data.in_error is not None or not isinstance(value, str) or question.correct(value) == value:
        return
    values = {question.item: question.correct(value)}
    subject, event = query.subject, query.study_event.key
    office.desk.save(subject, event, data.form_id, office.today, values, repeat=data.repeat, reason=CORRECTED)

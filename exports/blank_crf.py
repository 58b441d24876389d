"""The CRF of a study version on paper: blank, or annotated with the names under which each answer is exported."""

from collections.abc import Iterable
from datetime import datetime

from design.definitions import FormDef, ItemDef, ItemGroupDef, StudyDef
from exports.paper import INK, SOFT, Furniture, Paper

MOST_CHOICES = 14
WORDS = {
    "blank": ("Blank CRF", "空白病例报告表"),
    "annotated": ("Annotated CRF", "注释病例报告表"),
    "version": ("Version {number}", "版本{number}"),
    "page": ("Page {page} of {pages}", "第{page}页，共{pages}页"),
    "forms": ("Forms and visits", "表单与访视"),
    "form": ("Form", "表单"),
    "visits": ("Visits", "访视"),
    "question": ("Question", "问题"),
    "answer": ("Answer", "答案"),
    "names": ("Table.Variable · target", "数据表.变量 · 标准变量"),
    "repeats": ("repeats", "可重复"),
    "row": ("a row for each", "每行一条"),
    "rows": ("rows: {names}", "各行：{names}"),
    "required": ("required", "必填"),
    "computed": ("computed", "自动计算"),
    "more": ("… {n} in all, see the code list {name}", "……共{n}项，见代码表{name}"),
}
BLANKS = {
    "date": "____-__-__",
    "partial_date": "____[-__[-__]]",
    "time": "__:__",
    "datetime": "____-__-__ __:__",
    "text": "________________________",
}
BOX = "□"


def draw(study: StudyDef, language: str, made_at: datetime, *, annotated: bool, hash_of_version: str) -> bytes:
    """All forms of a study version in the order of the visits, as a PDF.

    Annotated, every question carries the table and variable of the export and its SDTM target, as the codebook does.
    """
    chinese = language.startswith("zh")
    words = {key: texts[chinese] for key, texts in WORDS.items()}
    title = words["annotated" if annotated else "blank"]
    version = words["version"].format(number=study.version)
    foot = f"{study.id} · {version} · SHA-256 {hash_of_version[:16]}"
    furniture = Furniture(title, f"{study.label.text(language)} · {title}", version, foot, words["page"])
    paper = Paper(furniture, language, made_at)
    paper.add_page()
    paper.heading(f"{title} · {version}")
    paper.words(study.label.text(language), 10, SOFT)
    paper.gap()
    forms = [form for form in study.forms.values() if not form.under]
    paper.heading(words["forms"], 1)
    paper.grid(
        (words["form"], words["visits"]),
        [(f"{form.label.text(language)} ({form.id})", _visits(study, form, language)) for form in forms],
        (3, 5),
    )
    for form in forms:
        paper.add_page()
        _form(paper, study, form, language, words, annotated)
    return paper.document()


def _visits(study: StudyDef, form: FormDef, language: str) -> str:
    named = [
        event.label.text(language)
        for event in study.events.values()
        if any(each.form_id == form.id for each in event.forms)
    ]
    return ("、" if language.startswith("zh") else ", ").join(named)


def _form(paper: Paper, study: StudyDef, form: FormDef, language: str, words: dict[str, str], annotated: bool) -> None:
    head = f"{form.label.text(language)} ({form.id})"
    paper.heading(f"{head} · {words['repeats']}" if form.repeats else head, 1)
    for group in form.groups:
        _group(
            paper, study, group, "" if len(form.groups) == 1 else group.label.text(language), language, words, annotated
        )
    for child in (study.forms[child_id] for child_id in form.children):
        for group in child.groups:
            _group(paper, study, group, child.label.text(language), language, words, annotated)


def _group(
    paper: Paper,
    study: StudyDef,
    group: ItemGroupDef,
    title: str,
    language: str,
    words: dict[str, str],
    annotated: bool,
) -> None:
    if group.repeats:
        title = f"{title} · {words['row']}".removeprefix(" · ")
    if title:
        paper.words(title, 9, INK)
        paper.gap(0.5)
    if group.rows is not None:
        rows = study.tables[group.rows.table].rows
        names = ("、" if language.startswith("zh") else ", ").join(
            str(row.get(language[:2]) or row.get("en") or key) for key, row in rows.items()
        )
        paper.words(words["rows"].format(names=names), 8, SOFT)
        paper.gap(0.5)
    head, shares = [words["question"], words["answer"]], [5.0, 5.0]
    if annotated:
        head, shares = [*head, words["names"]], [4.0, 4.0, 3.0]
    table = group.id if group.repeats else group.form_id
    lines = []
    for item in group.items:
        label = item.label.text(language) + (f"  [{words['required']}]" if item.required in ("yes", "shown") else "")
        line = [label, _answer(study, item, language, words)]
        lines.append(
            [*line, " · ".join(part for part in (f"{table}.{item.id}", item.sdtm) if part)] if annotated else line
        )
    paper.grid(head, lines, shares)


def _answer(study: StudyDef, item: ItemDef, language: str, words: dict[str, str]) -> str:
    if item.derive is not None or item.type == "auto":
        return f"({words['computed']})" + (f" {item.unit}" if item.unit else "")
    options = study.options_for(item)
    if options:
        return "\n".join(_choices(item, [(code, label.text(language)) for code, label in options.items()], words))
    blank = BLANKS.get(item.type, "__________")
    return f"{blank} {item.unit}" if item.unit else blank


def _choices(item: ItemDef, options: list[tuple[str, str]], words: dict[str, str]) -> Iterable[str]:
    for code, label in options[:MOST_CHOICES]:
        yield f"{BOX} {label} ({code})"
    if len(options) > MOST_CHOICES:
        name = item.codelist or item.options or item.dictionary or ""
        yield words["more"].format(n=len(options), name=name)

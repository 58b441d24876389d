"""A study made for measuring: consent, and 40 visits with one form of 40 items that has every kind of rule."""

from datetime import date, timedelta

ITEMS, VISITS, SITE = 40, 40, "01"
KINDS = ("number", "code", "text", "date", "integer")
EXTRA = {
    "number": 'digits = 1\nunit = "cm"\nhard = "0..900"\nsoft = "20..400"\n',
    "code": 'codelist = "NY"\nrequired = true\n',
    "text": "length = 200\n",
    "date": "",
    "integer": 'hard = "0..100000"\n',
}
STUDY = """id = "bench"
version = 1
en = "Benchmark"
zh = "基准"
protocol = "1.0"
languages = ["en", "zh"]
missing = "ND"
[[sites]]
code = "01"
en = "Site"
zh = "中心"
timezone = "Asia/Shanghai"
[parameters.CAP]
value = 100000
assumed = false
en = "Participants"
zh = "例数"
[anchors]
CONSENT = "min(ICF.CONSDAT)"
[lifecycle]
consented = "any(ICF where known(CONSDAT))"
[rules]
enrol_cap = "CAP"
screening_number = "{site}-S{n:03}"
subject_number = "{site}-{n:03}"
person_key = []
[[events]]
id = "SCR"
number = 1
en = "Screening"
zh = "筛选"
kind = "scheduled"
forms = ["ICF"]
"""
EVENT = """[[events]]
id = "V{n:02}"
number = {number}
en = "Visit {n}"
zh = "访视{n}"
kind = "scheduled"
anchor = "CONSENT"
offset_months = {n}
before = 7
after = 7
forms = ["BIG"]
"""
LISTS = """[ND]
ND = { en = "Not done", zh = "未做" }
UNK = { en = "Unknown", zh = "不详" }
[NY]
Y = { en = "Yes", zh = "是" }
N = { en = "No", zh = "否" }
"""
CONSENT = """id = "ICF"
en = "Informed consent"
zh = "知情同意"
[[items]]
id = "CONSDAT"
en = "Date of consent"
zh = "同意日期"
type = "date"
required = true
"""
CHECKS = "".join(
    f"""[[checks]]
id = "B{n:02}"
severity = "soft"
rule = "I{n:02} <= today"
items = ["I{n:02}"]
en = "The date is in the future."
zh = "日期在将来。"
"""
    for n in range(3, ITEMS, 5)
)


def kind_of(number: int) -> str:
    """The type of an item."""
    return KINDS[number % len(KINDS)]


def files() -> dict[str, str]:
    """The study's files. The last item is derived, every sixth is shown only when a code says so."""
    form = 'id = "BIG"\nen = "Big form"\nzh = "大表"\n'
    for number in range(ITEMS):
        kind = kind_of(number)
        form += f'[[items]]\nid = "I{number:02}"\nen = "Item {number}"\nzh = "条目{number}"\ntype = "{kind}"\n'
        form += EXTRA[kind].replace('hard = "0..100000"\n', "") if number == ITEMS - 1 else EXTRA[kind]
        if number == ITEMS - 1:
            form += 'derive = "I04 + I09"\n'
        elif number % 6 == 5:
            form += "show = \"I01 in ('Y', 'N')\"\n"
    events = "".join(EVENT.format(n=n, number=n * 10) for n in range(1, VISITS + 1))
    forms = {"forms/BIG.toml": form + CHECKS, "forms/ICF.toml": CONSENT}
    return {"study.toml": STUDY + events, "codelists.toml": LISTS, "checks.toml": "", **forms}


def values(turn: int) -> dict[str, str]:
    """What is typed into the 39 items; two turns that follow each other differ in every item."""
    day = date(2026, 1, 1) + timedelta(turn % 28)
    made = {
        "number": f"{100 + turn % 80}.{turn % 10}",
        "code": "YN"[turn % 2],
        "text": f"自述无不适 {turn}",
        "date": day.isoformat(),
        "integer": str(turn % 900 + 1),
    }
    return {f"I{number:02}": made[kind_of(number)] for number in range(ITEMS)}


def document(turn: int) -> dict[str, dict[str, dict[str, str]]]:
    """The same as it is stored."""
    cells = values(turn)
    cells[f"I{ITEMS - 1:02}"] = str(2 * int(cells["I04"]))
    return {"BIG": {"1": cells}}

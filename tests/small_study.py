"""A small study in the study language, every kind of item once. For tests of pages and input."""

# ruff: noqa: E501

from functools import cache

from design.definitions import StudyDef
from design.reader import load_study

STUDY = """
id = "small"
version = 1
en = "Small study"
zh = "小型研究"
protocol = "1.0"
languages = ["en", "zh"]
missing = "ND"

[[sites]]
code = "01"
en = "Site one"
zh = "一号中心"
timezone = "Asia/Shanghai"

[[sites]]
code = "02"
en = "Site two"
zh = "二号中心"
timezone = "Asia/Shanghai"

[parameters.CAP]
value = 42
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
visit_date = "SV.VISDAT"
not_done = "SV.VISND"

[[events]]
id = "SCR"
number = 10
en = "Screening"
zh = "筛选"
kind = "scheduled"
forms = ["ICF", "SV", "VS", "LB?", "PHO?"]

[[events]]
id = "FU1"
number = 20
en = "Follow-up"
zh = "随访"
kind = "scheduled"
anchor = "CONSENT"
offset_months = 1
before = 7
after = 7
forms = ["SV", "VS"]

[[events]]
id = "UNS"
number = 901
en = "Unscheduled visit"
zh = "计划外访视"
kind = "unscheduled"
forms = ["SV", "VS?"]

[[events]]
id = "LOG"
number = 990
en = "Logs"
zh = "日志"
kind = "log"
forms = ["AE?"]
"""

CODELISTS = """
[NY]
Y = { en = "Yes", zh = "是" }
N = { en = "No", zh = "否" }

[ND]
ND = { en = "Not done", zh = "未做" }
NA = { en = "Not applicable", zh = "不适用" }
UNK = { en = "Unknown", zh = "不详" }
NAV = { en = "Temporarily unavailable", zh = "暂未获得" }
NASK = { en = "Not asked", zh = "未询问" }

[ARM]
L = { en = "Left arm", zh = "左臂" }
R = { en = "Right arm", zh = "右臂" }

[PANEL]
HEM = { en = "Haematology", zh = "血常规" }
CHE = { en = "Chemistry", zh = "生化" }

[SYMP]
P = { en = "Pain", zh = "疼痛" }
F = { en = "Fever", zh = "发热" }
C = { en = "Cough", zh = "咳嗽" }
"""

LAB = "key,panel,en,zh,unit\nWBC,HEM,White cells,白细胞,10^9/L\nHGB,HEM,Haemoglobin,血红蛋白,g/L\nALT,CHE,ALT,谷丙转氨酶,U/L\n"
TERMS = "key,en,zh\n10061103,Dermatitis radiation,放射性皮炎\n10037087,Pruritus,瘙痒\n"

FORMS = {
    "ICF": """
id = "ICF"
en = "Informed consent"
zh = "知情同意"
[[items]]
id = "CONSDAT"
en = "Date of consent"
zh = "同意日期"
type = "date"
required = true
checks = [ { id = "IC01", severity = "hard", rule = "CONSDAT <= today", en = "The date is in the future. Correct it.", zh = "日期在将来，请更正。" } ]
""",
    "SV": """
id = "SV"
en = "Visit"
zh = "访视信息"
[[items]]
id = "VISDAT"
en = "Date of visit"
zh = "访视日期"
type = "date"
required = true
[[items]]
id = "VISND"
en = "Visit not done because"
zh = "未访视原因"
type = "text"
length = 100
""",
    "VS": """
id = "VS"
en = "Vital signs"
zh = "生命体征"
[[items]]
id = "VSDAT"
en = "Measured on"
zh = "测量日期"
type = "partial_date"
[[items]]
id = "HEIGHT"
en = "Height"
zh = "身高"
type = "number"
digits = 1
unit = "cm"
required = true
hard = "50..250"
soft = "140..190"
protected = "120..220"
[[items]]
id = "WEIGHT"
en = "Weight"
zh = "体重"
type = "number"
digits = 1
unit = "kg"
required = true
hard = "20..300"
[[items]]
id = "BMI"
en = "Body mass index"
zh = "体质指数"
type = "number"
digits = 1
unit = "kg/m2"
derive = "WEIGHT / (HEIGHT/100) / (HEIGHT/100)"
[[items]]
id = "FEVER"
en = "Fever"
zh = "发热"
type = "code"
codelist = "NY"
required = true
[[items]]
id = "TEMP"
en = "Temperature"
zh = "体温"
type = "number"
digits = 1
unit = "°C"
show = "FEVER = 'Y'"
required = "shown"
[[items]]
id = "SYMPT"
en = "Symptoms"
zh = "症状"
type = "multi"
codelist = "SYMP"
[[items]]
id = "VSCOM"
en = "Comment"
zh = "备注"
type = "text"
length = 500
[[items]]
id = "VSPULSE"
en = "Pulse"
zh = "脉搏"
type = "integer"
no_missing = true
[[items]]
id = "VSTIM"
en = "Time"
zh = "时间"
type = "time"
[[checks]]
id = "VS09"
severity = "warning"
rule = "WEIGHT < 120"
items = ["WEIGHT"]
en = "Heavy: check the scale."
zh = "体重偏高，请核对。"
""",
    "LB": """
id = "LB"
en = "Laboratory"
zh = "实验室检查"
repeats = true
title = "LBPAN"
[[groups]]
id = "LBHEAD"
en = "Sample"
zh = "样本"
[[groups]]
id = "LBROWS"
en = "Results"
zh = "结果"
repeats = true
rows = "lab where panel = LBPAN"
row_item = "LBTEST"
[[items]]
id = "LBPAN"
group = "LBHEAD"
en = "Panel"
zh = "项目组"
type = "code"
codelist = "PANEL"
required = true
[[items]]
id = "LBTEST"
group = "LBROWS"
en = "Test"
zh = "检验项目"
type = "code"
options = "lab"
[[items]]
id = "LBORRES"
group = "LBROWS"
en = "Result"
zh = "结果"
type = "labvalue"
[[items]]
id = "LBCS"
group = "LBROWS"
en = "Clinically relevant"
zh = "有临床意义"
type = "code"
codelist = "NY"
""",
    "AE": """
id = "AE"
en = "Adverse event"
zh = "不良事件"
repeats = true
title = "AETERM"
[[items]]
id = "AETERM"
en = "Term"
zh = "术语"
type = "dictionary"
dictionary = "ctcae"
required = true
[[items]]
id = "AESTDAT"
en = "Start"
zh = "开始日期"
type = "partial_date"
[[items]]
id = "AERELTO"
en = "Same as"
zh = "相关事件"
type = "ref"
refers = ["AE"]
[[items]]
id = "AEBY"
en = "Assessed by"
zh = "评估者"
type = "user"
""",
    "AEG": """
id = "AEG"
en = "Grade history"
zh = "分级变化"
under = "AE"
[[items]]
id = "AEGDAT"
en = "From"
zh = "起始"
type = "date"
required = true
[[items]]
id = "AEGGR"
en = "Grade"
zh = "分级"
type = "integer"
hard = "1..5"
required = true
""",
    "PHO": """
id = "PHO"
en = "Photographs"
zh = "照片"
[[items]]
id = "PHOF"
en = "Picture"
zh = "照片文件"
type = "file"
""",
}


def files() -> dict[str, str]:
    """The text of every file of the version's folder."""
    forms = {f"forms/{name}.toml": text for name, text in FORMS.items()}
    tables = {"tables/lab.csv": LAB, "tables/ctcae.csv": TERMS}
    return {"study.toml": STUDY, "codelists.toml": CODELISTS, "checks.toml": "", **forms, **tables}


@cache
def study() -> StudyDef:
    """The compiled study."""
    return load_study(files())

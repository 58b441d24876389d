"""A mapping of the tiny study: everything the engine can do, with answers that can be counted by hand.

Another study than the trial: the engine knows neither.
"""

from pathlib import Path

from exports import sdtm
from tests.exports.two_versions import Database, scope

STANDARD = """
ig = "3.4"
ct = "2025-03-28"
name = "tiny"
usubjid = "STUDYID + '/' + SCRNO"
order = ["TV", "EX", "AE", "DM", "SE", "VS", "FA"]
not_visits = ["LOG"]
[[relationships]]
sides = [{ domain = "AE", by = "AESPID", type = "ONE" }, { domain = "FA", by = "FASPID", type = "MANY" }]
"""
CODES = """
[SEX]
F = "F"
"""
TERMINOLOGY = """
[C66741]
name = "Vital Signs Test Code"
short = "VSTESTCD"
extensible = true
[C66741.terms]
HEIGHT = "C25347"
"""


def _variable(text: str) -> str:
    """One variable; a number sign says that it is a number."""
    name, kind = text.removesuffix("#"), "Num" if text.endswith("#") else "Char"
    return f'  {{ name = "{name}", label = "{name}", type = "{kind}" }},'


def _domain(name: str, kind: str, keys: str, variables: str, rest: str) -> str:
    facts = "\n".join(_variable(each) for each in variables.split())
    wanted = ", ".join(f'"{key}"' for key in keys.split())
    return (
        f'domain = "{name}"\nclass = "{kind}"\nlabel = "{name}"\nstructure = "One"\nkeys = [{wanted}]\n'
        f"variables = [\n{facts}\n]\n{rest}"
    )


FILES = {
    "standard.toml": STANDARD,
    "codes.toml": CODES,
    "terminology.toml": TERMINOLOGY,
    "tv.toml": _domain(
        "TV", "Trial Design", "STUDYID VISITNUM", "STUDYID DOMAIN VISITNUM# VISIT TVSTRL",
        'rows = [{ STUDYID = "tiny", DOMAIN = "TV", VISITNUM = 10, VISIT = "FIRST VISIT", TVSTRL = "At the start" }]',
    ),
    "ex.toml": _domain(
        "EX", "Interventions", "STUDYID USUBJID EXSTDTC", "STUDYID DOMAIN USUBJID EXSEQ# EXTRT EPOCH EXSTDTC EXSTDY#",
        """[[records]]
from = "LB"
when = "known(LBDAT)"
[records.set]
EXTRT = "'BEAM'"
EXSTDTC = "LBDAT"
""",
    ),
    "dm.toml": _domain(
        "DM", "Special-Purpose", "STUDYID USUBJID",
        "STUDYID DOMAIN USUBJID SUBJID RFSTDTC RFXSTDTC SEX COUNT# FIRST",
        """[[records]]
from = "SUBJECTS"
[records.set]
SUBJID = "coalesce(SUBJID, SCRNO)"
RFSTDTC = "first(sdtm_EX.EXSTDTC)"
RFXSTDTC = "first(sdtm_EX.EXSTDTC)"
SEX = "lookup('SEX', VS.SEX, 'sdtm')"
COUNT = "count(AE where known(AETERM))"
FIRST = "first(sdtm_AE.AETERM)"
""",
    ),
    "se.toml": _domain(
        "SE", "Special-Purpose", "STUDYID USUBJID SESTDTC",
        "STUDYID DOMAIN USUBJID SESEQ# ETCD EPOCH SESTDTC SEENDTC",
        """[[records]]
from = "SUBJECTS"
when = "known(start)"
each = [
  { code = "SCR", epoch = "SCREENING", start = "=min(VS.ONSET)", end = "=first(sdtm_EX.EXSTDTC)" },
  { code = "TRT", epoch = "TREATMENT", start = "=first(sdtm_EX.EXSTDTC)" },
]
[records.set]
ETCD = "code"
EPOCH = "epoch"
SESTDTC = "start"
SEENDTC = "end"
""",
    ),
    "vs.toml": _domain(
        "VS", "Findings", "STUDYID USUBJID VSTESTCD VSDTC",
        "STUDYID DOMAIN USUBJID VSSEQ# VSTESTCD VSTEST VSORRES VSORRESU VSSTRESC VSSTRESN# VSSTAT VSREASND VSLOBXFL "
        "VISITNUM# VISIT EPOCH VSDTC VSDY#",
        """baseline = ["VSTESTCD"]
[[records]]
from = "VS"
supp = [
  { qnam = "VSNOTE", label = "Note of the Examiner", value = "NOTE" },
  { qnam = "PAIN", label = "Pain", value = "if(has(SYMP, 'P'), 'Y', '')" },
]
comments = [{ text = "NOTE", date = "ONSET" }]
each = [
  { item = "HEIGHT", test = "HEIGHT", name = "Height", unit = "cm" },
  { item = "PULSE", test = "PULSE", name = "Pulse Rate", unit = "beats/min" },
]
[records.set]
VSTESTCD = "test"
VSTEST = "name"
VSORRES = "answer"
VSORRESU = "unit"
VSSTRESC = "number(value)"
VSSTRESN = "value"
VSDTC = "ONSET"
""",
    ).replace('name = "VSTESTCD", label', 'name = "VSTESTCD", codelist = "C66741", label'),
    "ae.toml": _domain(
        "AE", "Events", "STUDYID USUBJID AETERM", "STUDYID DOMAIN USUBJID AESEQ# AESPID AETERM AESTDTC",
        """[[records]]
from = "AE"
[records.set]
AESPID = "text(repeat)"
AETERM = "AETERM"
""",
    ),
    "fa.toml": _domain(
        "FA", "Findings About", "STUDYID USUBJID FAOBJ FASPID",
        "STUDYID DOMAIN USUBJID FASEQ# FASPID FATESTCD FATEST FAOBJ FAORRES",
        """[[records]]
from = "AEG"
links = ["text(EVENT) + '/AE/' + text(repeat)"]
each = [{ item = "AGGR" }]
[records.set]
FASPID = "row"
FATESTCD = "'SEV'"
FATEST = "'Severity'"
FAOBJ = "AETERM"
FAORRES = "answer"
""",
    ),
}  # fmt: skip


def folder(home: Path, **changed: str) -> Path:
    """The mapping as files; `changed` puts other text into a file (`vs="…"`)."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (home / name).write_text(changed.get(name.removesuffix(".toml"), text), encoding="utf-8")
    return home


def build(data: Database, home: Path, **changed: str) -> sdtm.Datasets:
    """The datasets of what the database holds."""
    return sdtm.build(data.connection, scope(), folder(home, **changed))


def rows(dataset: sdtm.Dataset, *names: str) -> list[tuple]:
    """The values of some variables, row by row."""
    return [tuple(row[name] for name in names) for row in dataset.rows]

"""The trial's mapping: every variable as the implementation guide has it, every name and code known to the study."""

import csv
import lzma
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from design.reader import read_study
from exports.layout import plan
from exports.sdtm.mapping import DomainDef, Mapping, read
from exports.sdtm.supplements import RELREC, SUPP
from exports.sdtm.world import BUILTIN

HOME = Path("crf/carbon-breast/sdtm")
STANDARDS = Path("/work/shared/standards")
STUDIES = {version: read_study(Path(f"crf/carbon-breast/v{version}")) for version in (1, 2)}
# What the SDTM model allows in a class and the guide does not list for the domain, with the model's label.
MODEL = {
    "AELAT": "Laterality",
    "DVSEV": "Severity/Intensity",
    "MHLAT": "Laterality",
    "MHLOC": "Location of Event",
    "MHSTDY": "Study Day of Start of Observation",
    "MHENDY": "Study Day of End of Observation",
    "PECLSIG": "Clinically Significant, Collected",
}
ANSWERS = {"answer", "value", "answer_en", "answer_unit", "missing_reason"}
DOMAINS = """DM SV SE DS IE MH CM EX EC PR AE FA CE VS LB PE EG CV RE RP MI TU TR RS QS SS SC DD DV
TA TE TV TI TS ZD"""


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return read(HOME)


@pytest.fixture(scope="module")
def guide() -> dict[str, list[dict[str, str]]]:
    path = STANDARDS / "sdtmig_34_variables.csv"
    if not path.exists():
        pytest.skip("the variables of SDTMIG 3.4 are not at hand")
    found = defaultdict(list)
    for row in csv.DictReader(path.open(encoding="utf-8-sig")):
        found[row["dataset"]].append(row)
    return found


@pytest.fixture(scope="module")
def terminology() -> tuple[dict[str, dict[str, str]], dict[str, bool]]:
    """Terms with their codes by code list, and which lists may be extended."""
    path = STANDARDS / "sdtm_ct_2025-03-28.txt.xz"
    if not path.exists():
        pytest.skip("the SDTM terminology is not at hand")
    terms, extensible = defaultdict(dict), {}
    with lzma.open(path, "rt", encoding="utf-8") as file:
        for row in list(csv.reader(file, delimiter="\t"))[1:]:
            if row[1]:
                terms[row[1]][row[4]] = row[0]
            else:
                extensible[row[0]] = row[2] == "Yes"
    return terms, extensible


def test_every_domain_of_the_plan_is_mapped(mapping):
    assert set(DOMAINS.split()) == set(mapping.domains)


def test_every_variable_agrees_with_the_guide_in_name_label_type_and_core(mapping, guide):
    wrong = []
    for domain in mapping.domains.values():
        facts = {row["variable"]: row for row in guide.get(domain.name, ())}
        for variable in domain.variables if facts else ():
            row = facts.get(variable.name)
            if row is None:
                if MODEL.get(variable.name) != variable.label:
                    wrong.append(f"{domain.name}.{variable.name} is not in the guide")
                continue
            ours = (variable.label, variable.type, variable.core, variable.role)
            if ours != (row["label"], row["type"], row["core"], row["role"]):
                wrong.append(f"{domain.name}.{variable.name}: {ours}")
    assert wrong == []


def test_variables_stand_in_the_order_of_the_guide(mapping, guide):
    for domain in mapping.domains.values():
        order = [row["variable"] for row in guide.get(domain.name, ())]
        ours = [variable.name for variable in domain.variables if variable.name in order]
        assert ours == sorted(ours, key=order.index), domain.name


def test_required_and_expected_variables_are_there(mapping, guide):
    for domain in mapping.domains.values():
        needed = {row["variable"] for row in guide.get(domain.name, ()) if row["core"] in ("Req", "Exp")}
        assert needed <= domain.names, domain.name


def test_relationship_datasets_agree_with_the_guide(guide):
    for name, facts in (("SUPPQUAL", SUPP), ("RELREC", RELREC)):
        theirs = [(row["variable"], row["label"], row["core"], row["role"]) for row in guide[name]]
        assert list(facts) == theirs


def test_code_lists_are_those_of_the_guide_and_their_terms_and_codes_those_of_the_terminology(
    mapping, guide, terminology
):
    terms, extensible = terminology
    for code, held in mapping.terminology.items():
        assert held["extensible"] == extensible[code], code
        assert {term: terms[code].get(term) for term in held["terms"]} == held["terms"], code
    for domain in mapping.domains.values():
        for row in guide.get(domain.name, ()):
            ours = next((v.codelist for v in domain.variables if v.name == row["variable"]), None)
            if ours and row["codelist"]:
                assert set(ours.split()) & set(re.split(r"[; ]+", row["codelist"])), (domain.name, row["variable"])


def test_constants_of_lists_that_cannot_be_extended_are_terms_of_them(mapping, terminology):
    terms, extensible = terminology
    wrong = []
    for domain in mapping.domains.values():
        for variable in domain.variables:
            lists = (variable.codelist or "").split()
            if not lists or any(extensible.get(code, True) for code in lists):
                continue
            allowed = {term for code in lists for term in terms[code]}
            for value in _possible(mapping, domain, variable.name):
                if value not in allowed and not (domain.name == "QS" and value.startswith(("EOR05", "QSALL"))):
                    wrong.append((domain.name, variable.name, value))
    assert wrong == []


def _possible(mapping: Mapping, domain: DomainDef, name: str) -> set[str]:
    """The texts that an expression may give: its own constants, those of `each`, the terms it looks up."""
    found: set[str] = set()
    for block in domain.blocks:
        expression = block.assign.get(name)
        if expression is None:
            continue
        if re.fullmatch(r"'[^']*'", expression.source):
            found.add(expression.source[1:-1])
        found |= set(expression.results)
        looked = re.match(r"lookup\('(\w+)'", expression.source)
        if looked and looked[1] in mapping.codes:
            found |= set(mapping.codes[looked[1]].values())
        for entry in block.each:
            if isinstance(entry.get(expression.source), str):
                found.add(entry[expression.source])
    return found - {""}


def test_every_name_in_an_expression_is_a_column_of_its_table_or_of_the_study(mapping):
    """A name that nothing has would be blank for ever, without a word."""
    layouts = plan(list(STUDIES.values()))
    columns = defaultdict(set)
    for layout in layouts:
        names = {column.name for column in layout.columns}
        more = {f"{n}{end}" for n in names for end in ("_EN", "_ZH", "_MISS", "_UNIT", "_NUM")}
        columns[layout.form_id] |= names | more
        columns[layout.name] |= names | more
    keys = {"STUDYID", "SITEID", "SUBJID", "SCRNO", "VISIT", "VISITNUM", "EVENT", "REPEAT", "FORM_REPEAT", "ROW"}
    keys |= {"STATUS", "PREVSCR"} | set(BUILTIN) | {"true", "false"}
    columns["EVENTS"] |= {"STATE", "VISDAT", "REASON"}
    built = {f"sdtm_{name}": domain.names for name, domain in mapping.domains.items()}
    unknown = []
    for domain in mapping.domains.values():
        for block in domain.blocks:
            source = next((layout for layout in layouts if layout.name == block.source), None)
            here = columns[block.source] | (columns[source.form_id] if source else set()) | keys
            here |= {name for entry in block.each for name in entry} | ANSWERS
            for expression in block.expressions():
                unknown += [(domain.name, block.source, name) for name in expression.names if name not in here]
                for form, item in expression.qualified | set(expression.scoped):
                    held = built.get(form) or columns.get(form, set())
                    if item not in held | here:
                        unknown.append((domain.name, form, item))
    assert unknown == []


def test_every_table_that_records_come_from_exists_in_some_version(mapping):
    names = {layout.name for layout in plan(list(STUDIES.values()))} | {"SUBJECTS", "EVENTS", "@trial"}
    assert {block.source for domain in mapping.domains.values() for block in domain.blocks} <= names


def test_every_answer_that_a_record_is_about_is_an_item_of_the_study(mapping):
    items = {item for study in STUDIES.values() for item in study.items}
    entries = [entry for domain in mapping.domains.values() for block in domain.blocks for entry in block.each]
    assert {entry["item"] for entry in entries if "item" in entry} <= items


def test_every_code_of_the_study_has_a_term_where_it_is_looked_up(mapping):
    """`lookup('LAT', BCLAT, …)`: each code that BCLAT allows in any version stands in codes.LAT, or is named here."""
    left_out = {("IHCST", "ND"), ("ISH", "ND"), ("HER2I", "ND"), ("EGINT", "ND"), ("RESP", "NA")}  # not done
    left_out |= {("RECTY", "CBC"), ("RECTY", "SPM")}  # no recurrence: in CE only
    missing = []
    for domain in mapping.domains.values():
        for block in domain.blocks:
            for expression in block.expressions():
                for table, item in re.findall(r"lookup\('(\w+)', (?:\w+\(\w+\.)?([A-Z0-9]+)\b", expression.source):
                    missing += _missing_codes(mapping, table, item, left_out)
    assert missing == []


def _missing_codes(mapping: Mapping, table: str, item: str, left_out: set[Any]) -> list[tuple[str, str, str]]:
    if table not in mapping.codes:
        return []
    codes = {code for study in STUDIES.values() if item in study.items for code in study.options_for(study.items[item])}
    return [(table, item, code) for code in codes if code not in mapping.codes[table] and (table, code) not in left_out]


def test_planned_visits_are_those_of_the_study(mapping):
    rows = {row["VISITNUM"]: row["VISIT"] for row in mapping.domains["TV"].rows}
    newest = STUDIES[2]
    for event in newest.events.values():
        if event.kind == "scheduled" and event.id not in mapping.not_visits:
            assert rows[event.number] == event.label.en.upper()
    numbers = {event.number for event in newest.events.values() if event.kind == "scheduled"}
    weekly = {number for number in rows if 101 <= number <= 109}
    assert set(rows) == (numbers - {100}) | weekly


def test_criteria_not_met_are_worded_as_in_the_trial_design(mapping):
    design = {row["IETESTCD"]: row["IETEST"] for row in mapping.domains["TI"].rows}
    (block,) = mapping.domains["IE"].blocks
    assert {entry["item"]: entry["name"] for entry in block.each} == design


def test_a_dose_that_is_weighted_by_rbe_is_never_in_plain_gray(mapping):
    for name, variable in (("EX", "EXDOSU"), ("EC", "ECDOSU")):
        for block in mapping.domains[name].blocks:
            if variable in block.assign:
                assert "'Gy (RBE)'" in block.assign[variable].source
    dosimetry = [block for block in mapping.domains["ZD"].blocks if "DVVAL" in str(block.each)]
    assert all("'Gy (RBE)'" in block.assign["ZDORRESU"].source for block in dosimetry)


def test_a_preferred_term_is_never_the_term_of_ctcae(mapping):
    for block in mapping.domains["AE"].blocks:
        assert block.assign["AEDECOD"].items == {"AEDECOD_EN"}
        flag = next(each for each in block.supplements if each.qnam == "AEUNCOD")
        assert flag.value.source == "if(missing(AEDECOD), 'Y', '')"


# Items with an SDTM target that stand in no expression, and why.
ELSEWHERE = {
    "BRVER": "the name of the module is the category",
    "NLYN": "RSP repeats it as RSPNEW, which is mapped",
    "RTSTDAT": "RFXSTDTC is taken from EX",
    "STGVER": "the manual is the category",
    "VISITNUM": "set by the engine",
    "VISTYP": "the event says whether a visit was planned",
}


def test_every_item_with_an_sdtm_target_is_mapped_or_named_here(mapping):
    read_names = set()
    for block in (block for domain in mapping.domains.values() for block in domain.blocks):
        for expression in block.expressions():
            read_names |= expression.items | {item for _, item in (*expression.qualified, *expression.scoped)}
        read_names |= {entry.get("item") for entry in block.each}
    read_names |= {name.removesuffix("_EN") for name in read_names if name}
    items = {item.id: item for study in STUDIES.values() for item in study.items.values()}
    wanted = {
        name
        for name, item in items.items()
        if item.sdtm and not item.masked and not item.sdtm.startswith(("AD", "not submitted", "-"))
    }
    assert wanted - read_names == set(ELSEWHERE)

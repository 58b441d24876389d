"""The codebook: every variable, code and check of an export, in both languages, itself as three tables."""

from collections.abc import Iterable
from typing import Any

from design.definitions import CheckDef, StudyDef
from exports.shape import Table, Variable

_VARIABLES = (
    ("TABLE", "Table", "数据表"),
    ("VARIABLE", "Variable", "变量"),
    ("ITEM", "CRF item", "CRF条目"),
    ("ROLE", "What the column holds", "列内容"),
    ("TYPE", "Type", "类型"),
    ("LABEL_EN", "Label, English", "英文标签"),
    ("LABEL_ZH", "Label, Chinese", "中文标签"),
    ("UNIT", "Unit", "单位"),
    ("DIGITS", "Decimals", "小数位数"),
    ("CODES", "Codes", "代码"),
    ("SDTM", "SDTM target", "SDTM目标"),
    ("VERSIONS", "Study versions that ask it", "使用该条目的研究版本"),
)
_CODES = (
    ("TABLE", "Table", "数据表"),
    ("VARIABLE", "Variable", "变量"),
    ("CODE", "Code", "代码"),
    ("LABEL_EN", "Label, English", "英文标签"),
    ("LABEL_ZH", "Label, Chinese", "中文标签"),
    ("VERSIONS", "Study versions with this label", "使用该标签的研究版本"),
)
_CHECKS = (
    ("STUDY_VERSION", "Study version", "研究版本"),
    ("CHECK", "Check", "核查"),
    ("FORM", "Form", "表单"),
    ("ITEMS", "Items", "条目"),
    ("SEVERITY", "Severity", "级别"),
    ("RULE", "Rule that must hold", "应满足的规则"),
    ("WHEN", "Applies when", "适用条件"),
    ("TEXT_EN", "Message, English", "英文提示"),
    ("TEXT_ZH", "Message, Chinese", "中文提示"),
)


def make(tables: Iterable[Table], studies: dict[int, StudyDef]) -> list[Table]:
    """VARIABLES, CODELISTS and CHECKS of these tables."""
    tables = list(tables)
    variables = [_variable_row(table, variable) for table in tables for variable in table.variables]
    codes = [
        (table.name, variable.name, code.code, code.en, code.zh, _joined(code.versions))
        for table in tables
        for variable in table.variables
        for code in variable.codes
    ]
    missing = [
        ("*", "<ITEM>_MISS", code, label.en, label.zh, str(version))
        for version, study in sorted(studies.items())
        for code, label in study.missing.codes.items()
    ]
    checks = [row for _, study in sorted(studies.items()) for row in _check_rows(study)]
    return [
        _text_table("VARIABLES", "Variables of all tables", "全部数据表的变量", _VARIABLES, variables),
        _text_table("CODELISTS", "Codes and their labels", "代码及标签", _CODES, codes + missing),
        _text_table("CHECKS", "Checks of the data", "数据核查", _CHECKS, checks),
    ]


def _variable_row(table: Table, variable: Variable) -> tuple[Any, ...]:
    return (
        table.name,
        variable.name,
        variable.item,
        variable.role,
        variable.type,
        variable.en,
        variable.zh,
        variable.unit,
        None if variable.digits is None else str(variable.digits),
        ";".join(dict.fromkeys(code.code for code in variable.codes)) or None,
        variable.sdtm,
        _joined(variable.versions),
    )


def _check_rows(study: StudyDef) -> Iterable[tuple[Any, ...]]:
    for check in _checks(study):
        yield (
            str(study.version),
            check.id,
            check.form_id,
            ";".join(check.items),
            check.severity,
            check.rule.source,
            check.when.source if check.when else None,
            check.label.en,
            check.label.zh,
        )


def _checks(study: StudyDef) -> Iterable[CheckDef]:
    """Item by item and form by form, the cross-form checks last."""
    for form in study.forms.values():
        for item in form.items:
            yield from item.checks
        yield from form.checks
    yield from study.checks


def _joined(versions: tuple[int, ...]) -> str | None:
    return ";".join(map(str, versions)) or None


def _text_table(name: str, en: str, zh: str, columns: tuple[tuple[str, str, str], ...], rows: list[Any]) -> Table:
    variables = [Variable(column, "text", en, zh, role="key") for column, en, zh in columns]
    values = [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in columns]
    return Table(name, en, zh, variables, dict(zip([v.name for v in variables], values, strict=True)))

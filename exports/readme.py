"""What stands in README.txt and on the first sheet of the workbook."""

from collections.abc import Sequence

_LINES = [
    ("Exported study data", "导出的研究数据"),
    (
        "CSV files are for analysis: UTF-8, values exactly as entered. Do not open them in a spread"
        "sheet program; "
        "use the workbook (folder excel) to read.",
        "CSV文件用于分析：UTF-8编码，数值与录入完全一致。请勿用电子表格软件打开；阅读请使用excel文件夹中的工作簿。",
    ),
    (
        "<ITEM>: the value or code as entered. <ITEM>_EN, <ITEM>_ZH: its label in the study version"
        " it was answered "
        "under. <ITEM>_UNIT: its unit.",
        "<ITEM>：录入的值或代码。<ITEM>_EN、<ITEM>_ZH：答题所用研究版本的标签。<ITEM>_UNIT：单位。",
    ),
    (
        "<ITEM>_MISS: why there is no value (codes: not done, not applicable, unknown …). Both empt"
        "y: the question was "
        "not asked or not answered. The code NA in a value column is a value, not an empty field.",
        "<ITEM>_MISS：无值的原因（代码：未做、不适用、不详等）。两列均为空：未询问或未作答。值列中"
        "的NA是代码，不是空值。",
    ),
    (
        "Partial dates stay as entered (2026 or 2026-03); <ITEM>_EARLIEST and <ITEM>_LATEST are the"
        " days they may mean.",
        "不完整日期保持原样（2026或2026-03）；<ITEM>_EARLIEST与<ITEM>_LATEST为其可能的最早与最晚日期。",
    ),
    (
        "Questions with several answers: <ITEM>__<CODE> is 1 or 0; <ITEM> holds the codes joined by semicolons.",
        "多选题：<ITEM>__<代码>为1或0；<ITEM>为以分号连接的代码。",
    ),
    (
        "STUDY_VERSION names the version of the study each row was answered under. Records marked i"
        "n error and "
        "identifying items are left out unless manifest.json says otherwise.",
        "STUDY_VERSION为该行所用的研究版本。除manifest.json另有说明外，不含标记为错误的记录和可识别身份的条目。",
    ),
    (
        "manifest.json: counts per table, SHA-256 of every file, study versions, and the head of the audit trail.",
        "manifest.json：各表行数、每个文件的SHA-256、研究版本及稽查轨迹链头。",
    ),
]
_BY_FORMAT = {
    "odm": (
        "CDISC ODM 1.3.2 (odm/snapshot.xml): design, answers, signatures, queries as annotations. Several choices of one "
        "question are parted by semicolons; rules are in the study's own language.",
        "CDISC ODM 1.3.2（odm/snapshot.xml）：设计、答案、签名，质疑以注释表示。多选答案以分号分隔；规则以本系统表达式书写。",
    ),
    "sdtm": (
        "CDISC SDTM 3.4 (folder sdtm): XPT version 5, Dataset-JSON 1.1 in json/, define.xml. "
        "AEDECOD is blank until terms are coded.",
        "CDISC SDTM 3.4（sdtm文件夹）：XPT第5版，json/中为Dataset-JSON 1.1，另有define.xml。术语编码前AEDECOD为空。",
    ),
    "trail": (
        "trail/trail.csv: every entry of the audit trail; trail/trail.xml: the same about answers as ODM audit records.",
        "trail/trail.csv：稽查轨迹的每一条；trail/trail.xml：其中关于答案的部分，以ODM稽查记录表示。",
    ),
    "xpt": (
        "XPT version 5: names of at most 8 characters, labels of 40 bytes, texts of 200 bytes, in U"
        "TF-8 (read with "
        "encoding=utf-8). Mappings and continued texts are listed in xpt/names.csv.",
        "XPT第5版：变量名最多8个字符，标签40字节，文本200字节，UTF-8编码（读取时指定encoding=utf-8"
        "）。对应关系见xpt/names.csv。",
    ),
    "stata": (
        "Stata: <ITEM>_N is the coded item as a number with value labels.",
        "Stata：<ITEM>_N为带值标签的数值编码。",
    ),
    "excel": (
        "Workbook: control characters are shown as pictures (U+2400 …); texts over 32,767 character"
        "s are cut with a "
        "note; a table of more rows than a sheet holds goes on in the next sheet.",
        "工作簿：控制字符以图形符号（U+2400起）显示；超过32767个字符的文本截断并注明；行数超限的表续于下一工作表。",
    ),
}


def lines(formats: Sequence[str] = ("excel",)) -> list[tuple[str, str]]:
    """English and Chinese side by side."""
    return [*_LINES, *(_BY_FORMAT[name] for name in _BY_FORMAT if name in formats)]


def text(formats: Sequence[str]) -> str:
    """The same for a text file, English first."""
    pairs = lines(formats)
    return "\n\n".join(["\n".join(en for en, _ in pairs), "\n".join(zh for _, zh in pairs)]) + "\n"
